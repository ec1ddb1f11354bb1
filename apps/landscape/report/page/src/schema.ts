// The report's data: what stands in the page as JSON. A result is a record as landscape export --format
// json writes it; docs/files.md describes it.

/** JSON lacks NaN (null) and infinities (texts). */
export type JsonNumber = number | null | "infinity" | "-infinity";
type Value = JsonNumber | boolean | string;
type Nested<T> = T | Nested<T>[];

export type Provenance = Record<string, string>;

/** Values over named axes, the outermost first; of no axis a single value. */
export interface NamedArray {
  values: Nested<Value>;
  type?: "real" | "mask" | "text";
  axes?: string[];
  unit?: string;
  /** The arrays of these values' errors, and of which of them are done. */
  error?: string;
  mask?: string;
  style?: "line" | "dashed" | "points";
}

export interface Result {
  format: "topograd-record-1";
  kind: string;
  title: string;
  file: string;
  /** What it is, in words: "a line between networks"; readReport() sets it. */
  phrase?: string;
  provenance: Provenance;
  /** The axes of its main table. */
  table: string[];
  arrays: Record<string, NamedArray>;
}

export interface Report {
  format: "topograd-report-2";
  title: string;
  version: string;
  command: string;
  plane: string | null;
  /** The results' phrases, in their order. */
  phrases?: string[];
  results: Result[];
}

export function toNumber(value: Value): number {
  if (value === null) return NaN;
  if (value === "infinity") return Infinity;
  if (value === "-infinity") return -Infinity;
  return Number(value);
}

function flat(values: Nested<Value>): Value[] {
  return Array.isArray(values) ? values.flatMap(flat) : [values];
}

/** An array's numbers, row after row; none where there is no such array. */
export function numbersOf(result: Result, name: string | undefined): number[] {
  const array = name === undefined ? undefined : result.arrays[name];
  return array && array.type !== "text" ? flat(array.values).map(toNumber) : [];
}

/** A single number; NaN where there is none. */
export function numberOf(result: Result, name: string): number {
  return numbersOf(result, name)[0] ?? NaN;
}

export function wordsOf(result: Result, name: string): string[] {
  const array = result.arrays[name];
  return array?.type === "text" ? flat(array.values).map(String) : [];
}

export function isAxis(name: string, array: NamedArray): boolean {
  return array.axes?.length === 1 && array.axes[0] === name;
}

export function isError(result: Result, name: string): boolean {
  return Object.values(result.arrays).some(({ error }) => error === name);
}

/** The names of the arrays over exactly these axes, but the coordinates. */
export function namesOver(result: Result, axes: string[]): string[] {
  return Object.entries(result.arrays)
    .filter(([name, array]) => (array.axes ?? []).join("\n") === axes.join("\n") && !isAxis(name, array))
    .map(([name]) => name);
}

/** The names of arrays of numbers that are no other array's errors. */
export function valuesOver(result: Result, axes: string[]): string[] {
  return namesOver(result, axes).filter(
    (name) => (result.arrays[name].type ?? "real") === "real" && !isError(result, name));
}

/** An axis's coordinates; null where it has none, or they are texts. */
export function coordinatesOf(result: Result, axis: string): number[] | null {
  const array = result.arrays[axis];
  return array && isAxis(axis, array) && array.type !== "text" ? numbersOf(result, axis) : null;
}

/** The kinds of results that have sections of their own; others are shown by sections/other.ts. */
const KNOWN = ["surface", "trajectory", "curvature", "sharpness", "coherence", "paths", "training_log"];

export function isKnown({ kind }: Result): boolean {
  return KNOWN.includes(kind);
}

export function resultsOf(report: Report, kind: string): Result[] {
  return report.results.filter((result) => result.kind === kind);
}

/** What a result is, without an article: "line between networks". */
export function nameOfKind({ kind, phrase }: Result): string {
  return phrase?.replace(/^an? /, "") ?? kind.replaceAll("_", " ");
}

/** The report that stands in the page. */
export function readReport(text: string): Report {
  const report = JSON.parse(text) as Report;
  if (report.format !== "topograd-report-2")
    throw new Error(`this page shows topograd-report-2, its data is ${String(report.format)}`);
  report.results.forEach((result, i) => {
    const phrase = report.phrases?.[i];
    if (phrase !== undefined) result.phrase = phrase;
  });
  return report;
}
