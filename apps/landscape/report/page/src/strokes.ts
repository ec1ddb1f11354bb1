// What is drawn on a surface in 3D: the training's path and the lines of the slices.
import type { Vector } from "./camera.ts";
import type { Field } from "./field.ts";
import { sceneX, sceneZ, type Box } from "./relief.ts";
import type { Scene } from "./scenes.ts";
import type { Stroke } from "./surface_renderer.ts";
import type { Palette } from "./theme.ts";
import { ballAround } from "./tube.ts";

const LIFT = 0.006; // above the surface, so that it does not swallow half of the line

interface Wanted {
  path: boolean;
  selected: { x: number; y: number } | null;
  colours: Palette;
}

export function strokesOn(scene: Scene, box: Box, heights: Float32Array, wanted: Wanted): Stroke[] {
  const strokes: Stroke[] = [];
  const { field, path } = scene;
  const on = (x: number, y: number): Vector => [
    sceneX(field, box, x),
    field.interpolate(heights, x, y) + LIFT,
    sceneZ(field, box, y),
  ];
  if (wanted.path && path) {
    const { path: colour } = wanted.colours;
    for (const points of unbroken(dense(field, path).map(([x, y]) => on(x, y))))
      strokes.push({ points, radius: 0.011, colour, outline: "#ffffff" });
    path.x.forEach((x, i) => {
      const centre = on(x, path.y[i]);
      const last = i === path.x.length - 1;
      const radius = last ? 0.032 : 0.021;
      if (!Number.isNaN(centre[1]))
        strokes.push({ ...ballAround(centre, radius), colour: last ? "#ffffff" : colour, outline: last ? colour : "#ffffff" });
    });
  }
  const at = wanted.selected;
  if (at && field.contains(at.x, at.y)) {
    const { ix, iy } = field.nearest(at.x, at.y);
    const lines = [
      field.x.map((x) => on(x, field.y[iy])),
      field.y.map((y) => on(field.x[ix], y)),
    ];
    for (const line of lines)
      for (const points of unbroken(line)) strokes.push({ points, radius: 0.007, colour: "#ffffff" });
  }
  return strokes;
}

/** Steps between checkpoints cut into pieces of about half a cell, so that the line follows. */
function dense(field: Field, path: { x: number[]; y: number[] }): [number, number][] {
  const cell = (axis: readonly number[]): number =>
    Math.abs(axis[axis.length - 1] - axis[0]) / Math.max(1, axis.length - 1) || 1;
  const points: [number, number][] = [];
  path.x.forEach((x, i) => {
    if (i > 0) {
      const [x0, y0] = [path.x[i - 1], path.y[i - 1]];
      const far = Math.max(Math.abs(x - x0) / cell(field.x), Math.abs(path.y[i] - y0) / cell(field.y));
      const pieces = Math.min(400, Math.ceil(2 * far));
      for (let k = 1; k < pieces; ++k)
        points.push([x0 + ((x - x0) * k) / pieces, y0 + ((path.y[i] - y0) * k) / pieces]);
    }
    points.push([x, path.y[i]]);
  });
  return points;
}

/** The parts between holes, as far as they are lines. */
function unbroken(points: Vector[]): Vector[][] {
  const parts: Vector[][] = [[]];
  for (const point of points) {
    if (Number.isNaN(point[1])) parts.push([]);
    else parts[parts.length - 1].push(point);
  }
  return parts.filter((part) => part.length > 1);
}
