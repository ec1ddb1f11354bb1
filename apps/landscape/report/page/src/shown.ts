// Which results the page shows, and in which order: the summary sets it, everything else follows. A result is known by
// its file.

const hidden = new Set<string>();
const listeners: (() => void)[] = [];

export function isShown(file: string): boolean {
  return !hidden.has(file);
}

export function setShown(files: readonly string[], shown: boolean): void {
  for (const file of files) {
    if (shown) hidden.delete(file);
    else hidden.add(file);
  }
  for (const listener of listeners) listener();
}

/** Called after results have been hidden, shown or put in another order. */
export function onShownChange(listener: () => void): void {
  listeners.push(listener);
}

/** The element, which is there while its result is shown. */
export function whileShown<T extends HTMLElement>(file: string, element: T): T {
  const refresh = (): void => void (element.hidden = !isShown(file));
  onShownChange(refresh);
  refresh();
  return element;
}

/** What `make` makes, made anew for the results that are shown whenever these change. */
export function ofShown(make: () => HTMLElement): HTMLElement {
  let element = make();
  const box = document.createElement("div");
  box.append(element);
  onShownChange(() => {
    const next = make();
    element.replaceWith(next);
    element = next;
  });
  return box;
}

const ranks = new Map<string, number>();

/** Puts networks in an order, by their ids. */
export function setOrder(ids: readonly string[]): void {
  ids.forEach((id, rank) => ranks.set(id, rank));
  for (const listener of listeners) listener();
}

/** Returns things in the order of their networks; those of one network stay as they are. */
export function inOrder<T>(all: readonly T[], networkOf: (one: T) => string): T[] {
  const rank = (one: T): number => ranks.get(networkOf(one)) ?? 0;
  return [...all].sort((a, b) => rank(a) - rank(b));
}
