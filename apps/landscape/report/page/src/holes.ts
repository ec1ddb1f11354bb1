// Points of a surface that have no value: what is drawn and said in their place.
import type { Field } from "./field.ts";

export interface Holes {
  total: number;
  /** Computed, and not a number or infinite. */
  notFinite: number;
  toDo: number;
}

export function holesOf(field: Field, plane: string): Holes {
  const total = field.nx * field.ny;
  const toDo = total - field.doneCount();
  const values = field.planes.get(plane);
  let notFinite = 0;
  for (let i = 0; values && i < total; ++i) if (field.isDone(i) && !Number.isFinite(values[i])) ++notFinite;
  return { total, notFinite, toDo };
}

/** Returns "2 of 2601 points are not finite, 60 are to do"; "" without any. */
export function holesInWords({ total, notFinite, toDo }: Holes): string {
  const are = (count: number): string => (count === 1 ? "is" : "are");
  const parts = [
    ...(notFinite > 0 ? [`${are(notFinite)} not finite`] : []),
    ...(toDo > 0 ? [`${are(toDo)} to do`] : []),
  ];
  if (parts.length === 0) return "";
  const [first, ...rest] = [notFinite, toDo].filter((count) => count > 0);
  const second = rest.length > 0 ? `, ${rest[0]} ${parts[1]}` : "";
  return `${first} of ${total} points ${parts[0]}${second}`;
}

export interface HoleCell {
  ix: number;
  iy: number;
  /** Whether a corner is to do; else one is not finite. */
  toDo: boolean;
}

/** The cells between grid points that cannot be drawn, for want of a corner. */
export function holeCells(field: Field, plane: string): HoleCell[] {
  const values = field.planes.get(plane);
  const cells: HoleCell[] = [];
  for (let iy = 0; values && iy + 1 < field.ny; ++iy)
    for (let ix = 0; ix + 1 < field.nx; ++ix) {
      const i = field.index(ix, iy);
      const corners = [i, i + 1, i + field.nx, i + field.nx + 1];
      if (corners.every((corner) => Number.isFinite(values[corner]))) continue;
      cells.push({ ix, iy, toDo: corners.some((corner) => !field.isDone(corner)) });
    }
  return cells;
}

/**
 * Lines across cells, one after the other, in units of grid points: one way for what is to do, both ways for what is
 * not finite. They are as close in a coarse grid as in a fine one.
 */
export function hatching({ nx, ny }: Field, cells: HoleCell[]): [number, number, number, number][] {
  const step = Math.max(nx - 1, ny - 1) / 44;
  const lines: [number, number, number, number][] = [];
  for (const { ix, iy, toDo } of cells) {
    // x + y is the same along a line; then, for the other way, x - y.
    for (let k = Math.ceil((ix + iy) / step); k * step <= ix + iy + 2; ++k) {
      const [from, to] = [Math.max(ix, k * step - iy - 1), Math.min(ix + 1, k * step - iy)];
      if (to > from) lines.push([from, k * step - from, to, k * step - to]);
    }
    if (toDo) continue;
    for (let k = Math.ceil((ix - iy - 1) / step); k * step <= ix - iy + 1; ++k) {
      const [from, to] = [Math.max(ix, k * step + iy), Math.min(ix + 1, k * step + iy + 1)];
      if (to > from) lines.push([from, from - k * step, to, to - k * step]);
    }
  }
  return lines;
}
