// The box around a surface: floor and walls with their grids, ticks and the axes' names.
import type { Projection, Vector } from "./camera.ts";
import { coordinateAt, type Field } from "./field.ts";
import { fitted, strokeLine, write, type Paper } from "./figure.ts";
import { AXIS_FONT, axisName } from "./flat_view.ts";
import { formatTicks } from "./format.ts";
import { hatching, type HoleCell } from "./holes.ts";
import { sceneX, sceneZ, type Box } from "./relief.ts";
import { place, ticks, type Scale } from "./scale.ts";
import { FONT } from "./theme.ts";

export interface AxesOf {
  field: Field;
  box: Box;
  scale: Scale;
  valueLabel: string;
  directions: { x: string; y: string };
  holes: HoleCell[];
}

interface Ticks {
  x: number[];
  y: number[];
  value: number[];
}

function ticksOf({ field, scale }: AxesOf, room: number): Ticks {
  const along = (axis: readonly number[]): number[] => {
    const low = Math.min(axis[0], axis[axis.length - 1]);
    const high = Math.max(axis[0], axis[axis.length - 1]);
    return ticks({ kind: "linear", low, high }, room < 420 ? 3 : 5);
  };
  return { x: along(field.x), y: along(field.y), value: ticks(scale, 5) };
}

/** The walls that stand behind the surface: on the far side of the eye. */
function farSides(view: Projection): { sx: number; sz: number } {
  return { sx: view.eye[0] > 0 ? -1 : 1, sz: view.eye[2] > 0 ? -1 : 1 };
}

/** What lies behind the surface. */
export function drawBackdrop(paper: Paper, view: Projection, axes: AxesOf): void {
  const { context, colours } = paper;
  const { field, box, scale } = axes;
  const { sx, sz } = farSides(view);
  const at = (point: Vector): [number, number] => {
    const { x, y } = view.project(point);
    return [x, y];
  };
  const line = (a: Vector, b: Vector, colour: string): void =>
    strokeLine(context, [at(a), at(b)], colour, 1);
  const { halfX, halfZ, height } = box;
  const marks = ticksOf(axes, paper.width);
  for (const x of marks.x.map((value) => sceneX(field, box, value))) {
    line([x, 0, -halfZ], [x, 0, halfZ], colours.grid);
    line([x, 0, sz * halfZ], [x, height, sz * halfZ], colours.grid);
  }
  for (const z of marks.y.map((value) => sceneZ(field, box, value))) {
    line([-halfX, 0, z], [halfX, 0, z], colours.grid);
    line([sx * halfX, 0, z], [sx * halfX, height, z], colours.grid);
  }
  for (const y of marks.value.map((value) => height * place(scale, value)))
    strokeLine(
      context,
      [[-sx * halfX, y, sz * halfZ], [sx * halfX, y, sz * halfZ], [sx * halfX, y, -sz * halfZ]]
        .map((point) => at(point as unknown as Vector)),
      colours.grid,
      1,
    );
  for (const y of [0, height]) {
    const corners: Vector[] = [
      [-sx * halfX, y, sz * halfZ],
      [sx * halfX, y, sz * halfZ],
      [sx * halfX, y, -sz * halfZ],
      [-sx * halfX, y, -sz * halfZ],
    ];
    const outline = y === 0 ? [...corners, corners[0]] : corners.slice(0, 3);
    strokeLine(context, outline.map(at), colours.faint, 1);
  }
  line([sx * halfX, 0, sz * halfZ], [sx * halfX, height, sz * halfZ], colours.faint);
  // On the floor, under the place where the surface is missing.
  const onFloor = (gx: number, gy: number): [number, number] =>
    at([sceneX(field, box, coordinateAt(field.x, gx)), 0, sceneZ(field, box, coordinateAt(field.y, gy))]);
  if (axes.holes.length === 0) return;
  context.beginPath();
  for (const [x0, y0, x1, y1] of hatching(field, axes.holes)) {
    context.moveTo(...onFloor(x0, y0));
    context.lineTo(...onFloor(x1, y1));
  }
  context.strokeStyle = colours.muted;
  context.lineWidth = 1;
  context.stroke();
}

/** Ticks and names, on the edges nearest to the eye. */
export function drawLabels(paper: Paper, view: Projection, axes: AxesOf): void {
  const { field, box, scale } = axes;
  const { sx, sz } = farSides(view);
  const marks = ticksOf(axes, paper.width);
  const { context, colours } = paper;
  const label = (point: Vector, text: string): void => {
    const { x, y } = view.project(point);
    write(context, text, x, y, {
      font: `${paper.width < 420 ? "10.5px" : "11.5px"} ${FONT}`,
      colour: colours.muted,
      align: "center",
      baseline: "middle",
    });
  };
  /** Along an edge of the box, as long as that. */
  const alongEdge = (from: Vector, to: Vector, letter: string, direction: string): void => {
    const [a, b] = [view.project(from), view.project(to)].sort((one, other) => one.x - other.x);
    context.save();
    context.translate((a.x + b.x) / 2, (a.y + b.y) / 2);
    context.rotate(Math.atan2(b.y - a.y, b.x - a.x));
    const room = Math.hypot(b.x - a.x, b.y - a.y);
    write(context, axisName(context, letter, direction, room) || letter, 0, 0,
      { font: AXIS_FONT, colour: colours.ink, align: "center", baseline: "middle" });
    context.restore();
  };
  const out = 0.12;
  const texts = { x: formatTicks(marks.x), y: formatTicks(marks.y), value: formatTicks(marks.value) };
  marks.x.forEach((value, i) =>
    label([sceneX(field, box, value), -0.02, -sz * (box.halfZ + out)], texts.x[i]));
  marks.y.forEach((value, i) =>
    label([-sx * (box.halfX + out), -0.02, sceneZ(field, box, value)], texts.y[i]));
  const [farX, farZ] = [-sx * (box.halfX + 0.3), -sz * (box.halfZ + 0.3)];
  alongEdge([-box.halfX, -0.06, farZ], [box.halfX, -0.06, farZ], "α", axes.directions.x);
  alongEdge([farX, -0.06, -box.halfZ], [farX, -0.06, box.halfZ], "β", axes.directions.y);
  const edge = valueEdge(view, box, sx, sz);
  marks.value.forEach((value, i) => {
    const { x, y } = view.project([edge[0], box.height * place(scale, value), edge[2]]);
    const font = `${paper.width < 420 ? "10.5px" : "11.5px"} ${FONT}`;
    context.font = font;
    write(context, texts.value[i], Math.max(x - 8, context.measureText(texts.value[i]).width + 2), y, {
      font,
      colour: colours.muted,
      align: "right",
      baseline: "middle",
    });
  });
  const top = view.project([edge[0], box.height, edge[2]]);
  const small = { font: `600 11.5px ${FONT}`, colour: colours.ink };
  write(context, fitted(context, axes.valueLabel, small.font, paper.width * 0.45), Math.max(8, top.x - 30), Math.max(12, top.y - 14), small);
}

/** The upright edge of a far wall that is on the left of the picture. */
function valueEdge(view: Projection, box: Box, sx: number, sz: number): Vector {
  const edges: Vector[] = [
    [sx * box.halfX, 0, -sz * box.halfZ],
    [-sx * box.halfX, 0, sz * box.halfZ],
  ];
  return view.project(edges[0]).x < view.project(edges[1]).x ? edges[0] : edges[1];
}
