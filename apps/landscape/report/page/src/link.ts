// The page's address restores what it shows: behind its "#view?" stands what differs from the beginning.

/** A part of the page that a link keeps. */
export interface Part {
  /** What differs from the beginning, each under a name that no other part uses. */
  read(): Record<string, string>;
  /** Shows what is kept; what is absent is as in the beginning. What makes no sense is passed over. */
  apply(values: URLSearchParams): void;
}

const BEGIN = "#view?";
const PAUSE = 250; // milliseconds: browsers refuse addresses that change too often

const parts: Part[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

export function addPart(part: Part): void {
  parts.push(part);
}

/** Returns the page's address with what it shows now. */
export function address(): string {
  const kept = new URLSearchParams(Object.assign({}, ...parts.map((part) => part.read())) as Record<string, string>);
  const page = location.href.split("#")[0];
  return kept.size > 0 ? `${page}${BEGIN}${kept}` : page;
}

function write(): void {
  const now = address();
  if (now !== location.href) history.replaceState(null, "", now);
}

/** Called after something has changed that a link keeps. */
export function noteChange(): void {
  clearTimeout(timer);
  timer = setTimeout(write, PAUSE);
}

function restore(): void {
  if (!location.hash.startsWith(BEGIN)) return;
  const values = new URLSearchParams(location.hash.slice(BEGIN.length));
  for (const part of parts) part.apply(values);
}

/** Restores what the address says, now and when another one is entered. */
export function followAddress(): void {
  restore();
  addEventListener("hashchange", restore);
}
