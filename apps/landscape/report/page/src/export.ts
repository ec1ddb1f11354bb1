// Values as text for other programs.
import type { Field } from "./field.ts";
import type { Scene } from "./scenes.ts";

/** Writes a value: seven digits of a float32 suffice for people, nine for machines; NaN is empty. */
function cell(value: number): string {
  if (Number.isNaN(value)) return "";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return String(Number(value.toPrecision(9)));
}

function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Returns a header, then a row for every entry. */
export function csv(header: string[], rows: (string | number)[][]): string {
  const line = (cells: (string | number)[]): string =>
    cells.map((one) => (typeof one === "number" ? cell(one) : quoted(one))).join(",");
  return [line(header), ...rows.map(line)].join("\n") + "\n";
}

/** Returns a row for every point that is done. */
export function surfaceCsv(field: Field): string {
  const names = [...field.planes.keys()];
  const rows: number[][] = [];
  field.y.forEach((y, iy) =>
    field.x.forEach((x, ix) => {
      const index = field.index(ix, iy);
      if (field.isDone(index)) rows.push([x, y, ...names.map((name) => field.value(name, index))]);
    }),
  );
  return csv(["alpha", "beta", ...names], rows);
}

/** Returns a value for JSON: null for NaN, a text for infinity. */
export function jsonNumber(value: number): number | string | null {
  if (Number.isNaN(value)) return null;
  if (!Number.isFinite(value)) return value > 0 ? "infinity" : "-infinity";
  return Number(value.toPrecision(9));
}

/** Returns planes as rows, [ny][nx]. */
export function surfaceJson({ name, files, provenance, field }: Scene): string {
  const rows = (values: Float32Array): (number | string | null)[][] =>
    field.y.map((_, iy) =>
      Array.from(values.subarray(iy * field.nx, (iy + 1) * field.nx), jsonNumber));
  const planes = Object.fromEntries([...field.planes].map(([plane, values]) => [plane, rows(values)]));
  return JSON.stringify({ name, files, provenance, alpha: field.x, beta: field.y, planes });
}
