// What is marked on a surface: theta* or its networks, and the smallest loss or the largest accuracy.
import type { Field } from "./field.ts";
import { formatNumber, formatValue, isAccuracy } from "./format.ts";
import type { Scene } from "./scenes.ts";

export interface Spot {
  name: string;
  kind: "network" | "extremum";
  x: number;
  y: number;
  /** NaN between the grid's points, where nothing was computed. */
  value: number;
}

/** The grid point of the smallest finite value, or of the largest; null without any. */
export function extremum(field: Field, plane: string, largest: boolean): { index: number; value: number } | null {
  const values = field.planes.get(plane);
  let best: { index: number; value: number } | null = null;
  for (let i = 0; values && i < values.length; ++i) {
    const value = values[i];
    if (!Number.isFinite(value) || !field.isDone(i)) continue;
    if (best === null || (largest ? value > best.value : value < best.value)) best = { index: i, value };
  }
  return best;
}

/** The value that was computed at a place; NaN where none was. */
export function valueAtPlace(field: Field, plane: string, x: number, y: number): number {
  const { ix, iy } = field.nearest(x, y);
  const off = (axis: readonly number[], i: number, at: number): boolean =>
    Math.abs(axis[i] - at) > 1e-6 * Math.abs(axis[axis.length - 1] - axis[0]);
  const index = field.index(ix, iy);
  if (off(field.x, ix, x) || off(field.y, iy, y) || !field.isDone(index)) return NaN;
  return field.value(plane, index);
}

export function spotsOf({ field, marks }: Pick<Scene, "field" | "marks">, plane: string): Spot[] {
  const spots = marks
    .filter(({ x, y }) => field.contains(x, y))
    .map(({ name, x, y }): Spot => ({ name, kind: "network", x, y, value: valueAtPlace(field, plane, x, y) }));
  const largest = isAccuracy(plane);
  const best = extremum(field, plane, largest);
  if (!best) return spots;
  const [x, y] = [field.x[best.index % field.nx], field.y[Math.floor(best.index / field.nx)]];
  return [...spots, { name: largest ? "maximum" : "minimum", kind: "extremum", x, y, value: best.value }];
}

/** Returns "θ* 0.04" or "minimum 0.0393 at α 0.04, β 0". */
export function spotInWords({ name, kind, x, y, value }: Spot, plane: string): string {
  const where = kind === "extremum" ? ` at α ${formatNumber(x, 3)}, β ${formatNumber(y, 3)}` : "";
  return Number.isNaN(value) ? name : `${name} ${formatValue(plane, value, 4)}${where}`;
}
