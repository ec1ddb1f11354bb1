// From a value to its place on a scale, linear or logarithmic, and the ticks of an axis.
import type { Range } from "./field.ts";

export type ScaleKind = "linear" | "log";

/** low is at 0, high at 1; what lies beyond is clipped to them. */
export interface Scale {
  kind: ScaleKind;
  low: number;
  high: number;
}

function forward(kind: ScaleKind, value: number): number {
  return kind === "log" ? Math.log(value) : value;
}

/** Returns a place in [0, 1]; NaN for NaN. On a log scale values up to 0 are at the bottom. */
export function place(scale: Scale, value: number): number {
  return placer(scale)(value);
}

/** Returns place() of many values. */
export function placer(scale: Scale): (value: number) => number {
  const low = forward(scale.kind, scale.low);
  const extent = forward(scale.kind, scale.high) - low;
  return (value) => {
    if (!Number.isFinite(value)) return NaN;
    if (scale.kind === "log" && value <= 0) return 0;
    if (!(extent > 0)) return 0.5;
    return Math.min(1, Math.max(0, (forward(scale.kind, value) - low) / extent));
  };
}

/** Returns place() without its ends: below 0 and above 1 beyond the scale. */
export function shareOf(scale: Scale, value: number): number {
  const low = forward(scale.kind, scale.low);
  return (forward(scale.kind, value) - low) / (forward(scale.kind, scale.high) - low);
}

/** The value at a share of the scale, the inverse of shareOf(). */
export function valueAt(scale: Scale, share: number): number {
  if (share === 0) return scale.low;
  if (share === 1) return scale.high;
  const low = forward(scale.kind, scale.low);
  const value = low + share * (forward(scale.kind, scale.high) - low);
  return scale.kind === "log" ? Math.exp(value) : value;
}

/** A scale that holds a range. A log scale begins at the smallest value above 0. */
export function scaleOver(range: Range, kind: ScaleKind): Scale {
  return { kind, low: kind === "log" ? range.positive : range.low, high: range.high };
}

export function canBeLog(range: Range): boolean {
  return range.positive < range.high;
}

/** Chooses log or linear as landscape surface does: even levels would leave a deep basin empty. */
export function defaultKind(range: Range): ScaleKind {
  return range.low > 0 && range.high > 4 * range.low ? "log" : "linear";
}

const FLAT = 1 / 3; // of a scale: what spans less looks like a sheet

/** Whether values of this range would look flat on a scale. */
export function flatUnder(scale: Scale, { low, high }: Range): boolean {
  return place(scale, high) - place(scale, low) < FLAT;
}

const COARSE = [[1, 2, 5], [1, 3], [1]];
const FINE = [[1, 1.5, 2, 3, 4, 5, 7], ...COARSE];

/** Returns round values from low to high, about `count` of them. */
export function ticks(scale: Scale, count: number): number[] {
  return roundValues(scale, count, COARSE);
}

/** Returns values for lines of equal height, about `count` and less round. */
export function levels(scale: Scale, count: number): number[] {
  return roundValues(scale, count, FINE).filter((value) => value > scale.low && value < scale.high);
}

function roundValues(scale: Scale, count: number, factors: number[][]): number[] {
  if (!(scale.high > scale.low)) return [scale.low];
  return scale.kind === "log" && scale.high / scale.low > 3
    ? logTicks(scale.low, scale.high, count, factors)
    : linearTicks(scale.low, scale.high, count);
}

function linearTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const result: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i)
    result.push(Number((i * step).toPrecision(12)));
  return result;
}

/** Returns powers of ten (or every second, ...) times the first factors that are few enough. */
function logTicks(low: number, high: number, count: number, choices: number[][]): number[] {
  const choose = (factors: number[], every: number): number[] => {
    const found: number[] = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); ++power) {
      if (power % every !== 0) continue;
      for (const factor of factors) {
        const tick = Number(`${factor}e${power}`);
        if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) found.push(tick);
      }
    }
    return found;
  };
  for (const factors of choices) {
    const found = choose(factors, 1);
    if (found.length <= 1.5 * count) return found.length > 1 ? found : linearTicks(low, high, count);
  }
  let every = 2;
  while (choose([1], every).length > 1.5 * count) ++every;
  return choose([1], every);
}
