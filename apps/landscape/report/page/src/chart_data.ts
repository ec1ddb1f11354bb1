// What a chart of curves shows, and the scales of its axes.
import { rangeOf } from "./field.ts";
import type { Scale } from "./scale.ts";

export interface Series {
  name: string;
  x: readonly number[];
  y: readonly number[];
  errors?: readonly number[] | null;
  /** Which of the palette's. */
  colour: number;
  dashed?: boolean;
  dotsOnly?: boolean;
  /** The result that it is of: hidden with it. */
  file?: string;
}

export interface ChartData {
  title: string;
  about: string;
  xLabel: string;
  yLabel: string;
  series: Series[];
  log: boolean;
  /** Values are percentages. */
  percent?: boolean;
  /** A log scale begins no lower than at this share of the largest value. */
  cut?: number;
  /** Which end of each curve is marked. */
  mark?: "minimum" | "maximum";
  /** An upright line with a name. */
  rule?: { x: number; text: string } | null;
}

/** The scales of both axes, from the curves and their bands. */
export function scalesOf(data: Pick<ChartData, "series" | "log" | "percent" | "cut">): { x: Scale; y: Scale } {
  const xs = rangeOf(data.series.map(({ x }) => x)) ?? { low: 0, high: 1, positive: 1 };
  const ys = rangeOf(data.series.flatMap(reach)) ?? { low: 0, high: 1, positive: 1 };
  const x: Scale = { kind: "linear", low: xs.low, high: xs.high > xs.low ? xs.high : xs.low + 1 };
  if (!data.log || ys.positive === Infinity) return { x, y: linearScale(ys, data.percent) };
  const cut = (data.cut ?? 0) * ys.high;
  return { x, y: cut > ys.positive ? { ...logScale({ ...ys, positive: cut }), low: cut } : logScale(ys) };
}

/** The values with the ends of their bands, of which a few wild ones should not hide the curve. */
function reach({ y, errors }: Series): readonly number[][] {
  const values = [...y];
  const range = rangeOf([y]);
  if (!errors || !range) return [values];
  const room = range.high - range.low || Math.abs(range.high) || 1;
  const within = (value: number): number =>
    Math.min(range.high + room, Math.max(range.low - room, value));
  return [
    values,
    y.map((value, i) => within(value - errors[i])),
    y.map((value, i) => within(value + errors[i])),
  ];
}

function linearScale({ low, high }: { low: number; high: number }, percent = false): Scale {
  const room = 0.06 * (high - low) || 0.06 * Math.abs(high) || 1;
  // From 0 where that costs little.
  const bottom = low >= 0 && low < 0.35 * high ? 0 : low - room;
  // Nothing is above 100 %, but a curve's width.
  return { kind: "linear", low: bottom, high: percent && high <= 100 ? Math.min(101, high + room) : high + room };
}

/** The point of a curve that is marked; null without finite values. */
export function markedPoint({ x, y }: Series, mark: "minimum" | "maximum"): { x: number; y: number } | null {
  let best = -1;
  y.forEach((value, i) => {
    if (!Number.isFinite(value)) return;
    if (best < 0 || (mark === "maximum" ? value > y[best] : value < y[best])) best = i;
  });
  return best < 0 ? null : { x: x[best], y: y[best] };
}

/** What tells a curve from another of its colour: colours repeat after the palette's last. */
export function dashOf({ colour, dashed }: Series, colours: number): number[] {
  const round = Math.floor(colour / colours) % 3;
  return dashed ? [[6, 4], [10, 3], [4, 2]][round] : [[], [2, 3], [9, 3, 2, 3]][round];
}

function logScale({ positive, high }: { positive: number; high: number }): Scale {
  const room = Math.max(1.05, (high / positive) ** 0.06);
  return { kind: "log", low: positive / room, high: high * room };
}
