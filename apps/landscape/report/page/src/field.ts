// A surface in memory: named planes of values over the points of a grid.

/** Rows of nx points (x is alpha), ny of them (y is beta). A point that is not done is NaN. */
export class Field {
  readonly nx: number;
  readonly ny: number;

  constructor(
    readonly x: readonly number[],
    readonly y: readonly number[],
    readonly planes: ReadonlyMap<string, Float32Array>,
    readonly done: Uint8Array | null,
  ) {
    this.nx = x.length;
    this.ny = y.length;
  }

  index(ix: number, iy: number): number {
    return iy * this.nx + ix;
  }

  value(plane: string, index: number): number {
    return this.planes.get(plane)?.[index] ?? NaN;
  }

  isDone(index: number): boolean {
    return this.done === null || this.done[index] !== 0;
  }

  doneCount(): number {
    if (this.done === null) return this.nx * this.ny;
    return this.done.reduce((sum, flag) => sum + (flag !== 0 ? 1 : 0), 0);
  }

  samePoints(other: Field): boolean {
    return sameAxis(this.x, other.x) && sameAxis(this.y, other.y);
  }

  contains(x: number, y: number): boolean {
    return within(this.x, x) && within(this.y, y);
  }

  /** The point nearest to a position. */
  nearest(x: number, y: number): { ix: number; iy: number } {
    return { ix: nearestIndex(this.x, x), iy: nearestIndex(this.y, y) };
  }

  /** Interpolates between the four points around a position; NaN outside and beside a hole. */
  interpolate(values: ArrayLike<number>, x: number, y: number): number {
    const u = cellOf(this.x, x);
    const v = cellOf(this.y, y);
    if (u === null || v === null) return NaN;
    const at = (dx: number, dy: number): number => values[this.index(u.cell + dx, v.cell + dy)];
    // Without this a hole would spread to a point on the far edge of its cell: 0 * NaN is NaN.
    const mix = (a: number, b: number, share: number): number =>
      share === 0 ? a : share === 1 ? b : a + share * (b - a);
    return v.share === 0
      ? mix(at(0, 0), at(1, 0), u.share)
      : mix(mix(at(0, 0), at(1, 0), u.share), mix(at(0, 1), at(1, 1), u.share), v.share);
  }
}

/** Smallest and largest finite value, and smallest above 0; null without any finite one. */
export interface Range {
  low: number;
  high: number;
  positive: number;
}

export function rangeOf(all: Iterable<ArrayLike<number>>): Range | null {
  const range = { low: Infinity, high: -Infinity, positive: Infinity };
  for (const values of all)
    for (let i = 0; i < values.length; ++i) {
      const value = values[i];
      if (!Number.isFinite(value)) continue;
      if (value < range.low) range.low = value;
      if (value > range.high) range.high = value;
      if (value > 0 && value < range.positive) range.positive = value;
    }
  return range.low <= range.high ? range : null;
}

/** Locates a coordinate on an axis that rises or falls: which interval, and how far in it. */
export function cellOf(
  axis: readonly number[],
  at: number,
): { cell: number; share: number } | null {
  if (!within(axis, at) || axis.length < 2) return null;
  const rising = axis[axis.length - 1] >= axis[0];
  let low = 0;
  let high = axis.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (axis[middle] <= at === rising) low = middle;
    else high = middle;
  }
  const width = axis[high] - axis[low];
  return { cell: low, share: width === 0 ? 0 : (at - axis[low]) / width };
}

/** The coordinate at a place in units of points, as contours and hatching have them. */
export function coordinateAt(axis: readonly number[], at: number): number {
  const i = Math.max(0, Math.min(axis.length - 2, Math.floor(at)));
  return axis[i] + (at - i) * (axis[i + 1] - axis[i]);
}

export function nearestIndex(axis: readonly number[], at: number): number {
  let best = 0;
  for (let i = 1; i < axis.length; ++i)
    if (Math.abs(axis[i] - at) < Math.abs(axis[best] - at)) best = i;
  return best;
}

export function within(axis: readonly number[], at: number): boolean {
  const first = axis[0];
  const last = axis[axis.length - 1];
  return at >= Math.min(first, last) && at <= Math.max(first, last);
}

/** Equal up to a few roundings: different tools space points evenly in different ways. */
function sameAxis(a: readonly number[], b: readonly number[]): boolean {
  const scale = a.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return a.length === b.length && a.every((value, i) => Math.abs(value - b[i]) <= 1e-12 * scale);
}

/** Values along one axis, through a point. */
export interface Slice {
  axis: "alpha" | "beta";
  /** The other coordinate. */
  at: number;
  positions: readonly number[];
  values: number[];
  errors: number[] | null;
}

/** The two slices of a plane through the point nearest to a position. */
export function slicesThrough(field: Field, plane: string, x: number, y: number): Slice[] {
  const { ix, iy } = field.nearest(x, y);
  const row = field.x.map((_, i) => field.index(i, iy));
  const column = field.y.map((_, i) => field.index(ix, i));
  const hasErrors = field.planes.has(`${plane}_se`);
  const take = (points: number[], name: string): number[] =>
    points.map((point) => field.value(name, point));
  const slice = (axis: Slice["axis"], at: number, positions: readonly number[], points: number[]) => ({
    axis,
    at,
    positions,
    values: take(points, plane),
    errors: hasErrors ? take(points, `${plane}_se`) : null,
  });
  return [slice("alpha", field.y[iy], field.x, row), slice("beta", field.x[ix], field.y, column)];
}
