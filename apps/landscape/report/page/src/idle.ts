// Work for when nothing else is to be done: pictures that nobody looks at yet.

const CALM = 600; // milliseconds after the last picture in sight

const waiting = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

function next(): void {
  const [work] = waiting;
  if (!work) return;
  waiting.delete(work);
  work();
  timer = setTimeout(next, 16);
}

/** Does something once, later; asked for again before, it is done once all the same. */
export function whenIdle(work: () => void): void {
  waiting.add(work);
  busy();
}

export function notWhenIdle(work: () => void): void {
  waiting.delete(work);
}

/** Puts off what waits: something moves. */
export function busy(): void {
  clearTimeout(timer);
  timer = setTimeout(next, CALM);
}
