// The report's data, as landscape/exports/report_json.h describes it: what stands in the page as JSON.

/** JSON lacks NaN (null) and infinities (texts). */
export type JsonNumber = number | null | "infinity" | "-infinity";

export type Provenance = Record<string, string>;

interface ResultBase {
  file: string;
  provenance: Provenance;
}

/** Planes are base64 of little-endian float32, [ny][nx]; `done` is base64 of bytes. */
export interface SurfaceResult extends ResultBase {
  kind: "surface";
  x: JsonNumber[];
  y: JsonNumber[];
  done: string | null;
  planes: Record<string, string>;
}

export interface TrajectoryResult extends ResultBase {
  kind: "trajectory";
  epochs: JsonNumber[];
  x: JsonNumber[];
  y: JsonNumber[];
  length: JsonNumber[];
  distance: JsonNumber[];
  in_plane: JsonNumber;
  explained: JsonNumber[];
  random_walk: JsonNumber[];
  own: Record<string, JsonNumber[]>;
  projected: Record<string, JsonNumber[]>;
}

export interface Eigenvalues {
  values: JsonNumber[];
  residuals: JsonNumber[];
}

export interface CurvatureResult extends ResultBase {
  kind: "curvature";
  loss: JsonNumber;
  gradient_norm: JsonNumber;
  largest: Eigenvalues | null;
  smallest: Eigenvalues | null;
  trace: { value: JsonNumber; standard_error: JsonNumber; products: number } | null;
  density: {
    sigma: JsonNumber;
    at: JsonNumber[];
    density: JsonNumber[];
    standard_error: JsonNumber[];
  } | null;
}

export interface Measure {
  name: string;
  unit: string;
  definition: string;
  value: JsonNumber;
  standard_error: JsonNumber;
  settings: string;
}

export interface RescaledSlice {
  name: string;
  alpha: JsonNumber[];
  before: JsonNumber[];
  after: JsonNumber[];
}

export interface SharpnessResult extends ResultBase {
  kind: "sharpness";
  measures: Measure[];
  rescaled: {
    description: string;
    largest_logit: JsonNumber;
    largest_logit_difference: JsonNumber;
    measures: Measure[];
    slices: RescaledSlice[];
  } | null;
}

export interface CoherenceRow {
  name: string;
  file: string;
  epoch: JsonNumber;
  values: Record<string, JsonNumber>;
  layers: string[];
  layer_values: Record<string, JsonNumber[]>;
}

export interface CoherenceResult extends ResultBase {
  kind: "coherence";
  quantities: string[];
  rows: CoherenceRow[];
}

export interface PathsResult extends ResultBase {
  kind: "paths";
  t: JsonNumber[];
  paths: Record<
    string,
    {
      values: Record<string, JsonNumber[]>;
      barriers: Record<string, { height: JsonNumber; at: JsonNumber }>;
    }
  >;
  alignment: Record<string, JsonNumber>;
}

export interface TrainingLogResult extends ResultBase {
  kind: "training_log";
  columns: Record<string, JsonNumber[]>;
}

export type Result =
  | SurfaceResult
  | TrajectoryResult
  | CurvatureResult
  | SharpnessResult
  | CoherenceResult
  | PathsResult
  | TrainingLogResult;

export interface Report {
  format: "topograd-report-1";
  title: string;
  version: string;
  command: string;
  plane: string | null;
  results: Result[];
}

export function toNumber(value: JsonNumber): number {
  if (value === null) return NaN;
  if (value === "infinity") return Infinity;
  if (value === "-infinity") return -Infinity;
  return value;
}

export function toNumbers(values: JsonNumber[]): number[] {
  return values.map(toNumber);
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; ++i) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/** A plane's values, on a machine of either endianness. */
export function decodePlane(base64: string): Float32Array {
  const bytes = bytesOf(base64);
  const view = new DataView(bytes.buffer);
  const values = new Float32Array(bytes.length / 4);
  for (let i = 0; i < values.length; ++i) values[i] = view.getFloat32(4 * i, true);
  return values;
}

export function decodeMask(base64: string): Uint8Array {
  return bytesOf(base64);
}

/** The report that stands in the page. */
export function readReport(text: string): Report {
  const report = JSON.parse(text) as Report;
  if (report.format !== "topograd-report-1")
    throw new Error(`this page shows topograd-report-1, its data is ${String(report.format)}`);
  return report;
}
