// Light and dark: the style sheet's colours, for canvases too.

export interface Palette {
  ink: string;
  muted: string;
  faint: string;
  grid: string;
  paper: string;
  accent: string;
  path: string;
  series: string[];
}

const SERIES = 6;

export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: colour("ink"),
    muted: colour("muted"),
    faint: colour("faint"),
    grid: colour("grid"),
    paper: colour("paper"),
    accent: colour("accent"),
    path: colour("path"),
    series: Array.from({ length: SERIES }, (_, i) => colour(`series-${i + 1}`)),
  };
}

export const FONT = `system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif`;

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const listeners: (() => void)[] = [];
let chosen: boolean | null = null; // dark or not, by the reader: the system's scheme then counts no more

function show(dark: boolean): void {
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
  for (const listener of listeners) listener();
}

// The page is made by its script: the theme is known before anything is painted.
show(prefersDark.matches);
prefersDark.addEventListener("change", () => {
  if (chosen === null) show(prefersDark.matches);
});

// Paper is white, whatever the screen is. Figures draw themselves for it afterwards: this listener came first.
addEventListener("beforeprint", () => void (document.documentElement.dataset["theme"] = "light"));
addEventListener("afterprint", () => show(chosen ?? prefersDark.matches));

export function isDark(): boolean {
  return document.documentElement.dataset["theme"] === "dark";
}

export function toggleTheme(): void {
  chosen = !isDark();
  show(chosen);
}

/** Called after the colours have changed, whoever changed them. */
export function onThemeChange(listener: () => void): void {
  listeners.push(listener);
}
