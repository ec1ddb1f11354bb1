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

export function isDark(): boolean {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === undefined ? prefersDark.matches : chosen === "dark";
}

export function toggleTheme(): void {
  document.documentElement.dataset["theme"] = isDark() ? "light" : "dark";
  for (const listener of listeners) listener();
}

const listeners: (() => void)[] = [];

/** Called after the colours have changed, whoever changed them. */
export function onThemeChange(listener: () => void): void {
  listeners.push(listener);
  prefersDark.addEventListener("change", listener);
}
