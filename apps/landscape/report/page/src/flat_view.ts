// A surface from above: colours, lines of equal height, and what is marked on it.
import { contourLines, type ContourLine } from "./contours.ts";
import { TABLE_SIZE, tableOf, type MapName } from "./colour_map.ts";
import { cellOf, coordinateAt, type Field } from "./field.ts";
import { fitted, strokeLine, write, type Paper } from "./figure.ts";
import { formatNumber, formatTicks } from "./format.ts";
import { hatching, type HoleCell } from "./holes.ts";
import type { Pen } from "./pen.ts";
import type { Box } from "./relief.ts";
import { levels, place, ticks, type Scale } from "./scale.ts";
import { drawSpots } from "./spot_drawing.ts";
import type { Spot } from "./spots.ts";
import { FONT } from "./theme.ts";

/** Number of lines of equal height, about. */
export const LEVELS = 14;

/** Rectangle of the paper that the axes span. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

export function frameOf(paperWidth: number, paperHeight: number, box: Box): Frame {
  const room = { left: 54, right: 16, top: 14, bottom: 46 };
  const width = paperWidth - room.left - room.right;
  const height = paperHeight - room.top - room.bottom;
  const scale = Math.min(width / box.halfX, height / box.halfZ);
  const frame = { width: scale * box.halfX, height: scale * box.halfZ };
  return {
    ...frame,
    left: room.left + (width - frame.width) / 2,
    top: room.top + (height - frame.height) / 2,
  };
}

function ends(axis: readonly number[]): [number, number] {
  const [a, b] = [axis[0], axis[axis.length - 1]];
  return [Math.min(a, b), Math.max(a, b)];
}

export function toPaper(frame: Frame, field: Field, x: number, y: number): [number, number] {
  const [x0, x1] = ends(field.x);
  const [y0, y1] = ends(field.y);
  return [
    frame.left + (frame.width * (x - x0)) / (x1 - x0),
    frame.top + (frame.height * (y1 - y)) / (y1 - y0),
  ];
}

/** null off the surface. */
export function fromPaper(
  frame: Frame,
  field: Field,
  at: { x: number; y: number },
): { x: number; y: number } | null {
  const across = (at.x - frame.left) / frame.width;
  const up = 1 - (at.y - frame.top) / frame.height;
  if (across < 0 || across > 1 || up < 0 || up > 1) return null;
  const [x0, x1] = ends(field.x);
  const [y0, y1] = ends(field.y);
  return { x: x0 + across * (x1 - x0), y: y0 + up * (y1 - y0) };
}

/** Places on a colour scale as a picture of so many pixels; holes are transparent. */
export function heatImage(
  field: Field,
  tone: Float32Array,
  map: MapName,
  width: number,
  height: number,
): ImageData {
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const table = new Uint32Array(tableOf(map).buffer);
  const cells = (axis: readonly number[], count: number, flip: boolean) =>
    Array.from({ length: count }, (_, i) => {
      const [low, high] = ends(axis);
      const share = (i + 0.5) / count;
      return cellOf(axis, low + (flip ? 1 - share : share) * (high - low));
    });
  const columns = cells(field.x, width, false);
  const rows = cells(field.y, height, true);
  for (let py = 0, i = 0; py < height; ++py) {
    const row = rows[py];
    for (let px = 0; px < width; ++px, ++i) {
      const column = columns[px];
      if (!row || !column) continue;
      const p = field.index(column.cell, row.cell);
      const below = tone[p] + column.share * (tone[p + 1] - tone[p]);
      const above =
        tone[p + field.nx] + column.share * (tone[p + field.nx + 1] - tone[p + field.nx]);
      const value = below + row.share * (above - below);
      if (!Number.isNaN(value)) pixels[i] = table[Math.round(value * (TABLE_SIZE - 1))];
    }
  }
  return image;
}

/** Lines of equal value at round values, on places of a scale. */
export function levelLines(
  field: Field,
  places: Float32Array,
  scale: Scale,
): { value: number; lines: ContourLine[] }[] {
  return levels(scale, LEVELS).map((value) => ({
    value,
    lines: contourLines(places, field.nx, field.ny, place(scale, value)),
  }));
}

export function drawLevelLines(
  paper: Paper,
  frame: Frame,
  field: Field,
  all: { value: number; lines: ContourLine[] }[],
  spots: Spot[],
): void {
  const { context } = paper;
  const onPaper = ([gx, gy]: [number, number]): [number, number] =>
    toPaper(frame, field, coordinateAt(field.x, gx), coordinateAt(field.y, gy));
  const taken = spots.map(({ x, y }) => toPaper(frame, field, x, y));
  for (const { value, lines } of all) {
    const drawn = lines.map((line) => line.points.map(onPaper));
    for (const points of drawn) strokeLine(context, points, "rgba(10,14,20,0.55)", 1);
    const longest = drawn.reduce((a, b) => (b.length > a.length ? b : a), []);
    const spot = longest.find(
      ([x, y], i) =>
        i >= longest.length / 5 &&
        x > frame.left + 24 && x < frame.left + frame.width - 24 &&
        y > frame.top + 12 && y < frame.top + frame.height - 12 &&
        taken.every(([tx, ty]) => Math.hypot(tx - x, ty - y) > 40),
    );
    if (!spot || longest.length < 12) continue;
    taken.push(spot);
    write(context, formatNumber(value, 3), spot[0], spot[1], {
      font: `600 10.5px ${FONT}`,
      colour: "#10141b",
      align: "center",
      baseline: "middle",
      halo: "rgba(255,255,255,0.72)",
    });
  }
}

/** Hatches what has no value, before the values are drawn over it. */
export function drawHoles(paper: Paper, frame: Frame, field: Field, cells: HoleCell[]): void {
  if (cells.length === 0) return;
  const { context, colours } = paper;
  const at = (gx: number, gy: number): [number, number] =>
    toPaper(frame, field, coordinateAt(field.x, gx), coordinateAt(field.y, gy));
  context.beginPath();
  for (const [x0, y0, x1, y1] of hatching(field, cells)) {
    context.moveTo(...at(x0, y0));
    context.lineTo(...at(x1, y1));
  }
  context.strokeStyle = colours.muted;
  context.lineWidth = 1;
  context.stroke();
}

/** Returns "α: filter-normalised random direction", for as much room as there is. */
export function axisName(pen: Pen, letter: string, direction: string, room: number): string {
  return fitted(pen, direction === "" ? letter : `${letter}: ${direction}`, AXIS_FONT, room);
}
export const AXIS_FONT = `italic 600 13px ${FONT}`;

export function drawFrame(
  paper: Paper,
  frame: Frame,
  field: Field,
  directions: { x: string; y: string },
): void {
  const { context, colours } = paper;
  context.strokeStyle = colours.faint;
  context.lineWidth = 1;
  context.strokeRect(frame.left - 0.5, frame.top - 0.5, frame.width + 1, frame.height + 1);
  const bottom = frame.top + frame.height;
  const marks = (axis: readonly number[], room: number): number[] => {
    const [low, high] = ends(axis);
    return ticks({ kind: "linear", low, high }, Math.max(2, Math.min(7, room / 60)));
  };
  const small = { font: `11.5px ${FONT}`, colour: colours.muted };
  const xs = marks(field.x, frame.width);
  formatTicks(xs).forEach((text, i) => {
    const [x] = toPaper(frame, field, xs[i], field.y[0]);
    context.fillStyle = colours.faint;
    context.fillRect(x - 0.5, bottom, 1, 5);
    write(context, text, x, bottom + 17, { ...small, align: "center" });
  });
  const ys = marks(field.y, frame.height);
  formatTicks(ys).forEach((text, i) => {
    const [, y] = toPaper(frame, field, field.x[0], ys[i]);
    context.fillStyle = colours.faint;
    context.fillRect(frame.left - 5, y - 0.5, 5, 1);
    write(context, text, frame.left - 9, y, { ...small, align: "right", baseline: "middle" });
  });
  const name = { font: AXIS_FONT, colour: colours.ink, align: "center" } as const;
  const across = axisName(context, "α", directions.x, frame.width);
  write(context, across, frame.left + frame.width / 2, bottom + 36, name);
  context.save();
  context.translate(frame.left - 42, frame.top + frame.height / 2);
  context.rotate(-Math.PI / 2);
  write(context, axisName(context, "β", directions.y, frame.height), 0, 0, { ...name, baseline: "middle" });
  context.restore();
}

export function drawMarks(paper: Paper, frame: Frame, field: Field, spots: Spot[]): void {
  drawSpots(paper, spots.map(({ name, kind, x, y }) => {
    const [px, py] = toPaper(frame, field, x, y);
    return { name, kind, x: px, y: py };
  }));
}

/** A training's path: a dot for each checkpoint, a ring around the last. */
export function drawPath(
  paper: Paper,
  frame: Frame,
  field: Field,
  path: { x: number[]; y: number[] },
): void {
  const { context, colours } = paper;
  const points = path.x.map((x, i) => toPaper(frame, field, x, path.y[i]));
  context.save();
  context.beginPath();
  context.rect(frame.left, frame.top, frame.width, frame.height);
  context.clip();
  strokeLine(context, points, "rgba(255,255,255,0.75)", 4);
  strokeLine(context, points, colours.path, 2);
  points.forEach(([x, y], i) => {
    const last = i === points.length - 1;
    dot(context, x, y, last ? 5 : 2.8, last ? "#fff" : colours.path, last ? colours.path : "#fff");
  });
  context.restore();
}

/** Draws the lines along which the slices run. */
export function drawCross(paper: Paper, frame: Frame, field: Field, x: number, y: number): void {
  const [px, py] = toPaper(frame, field, x, y);
  const { context } = paper;
  for (const [colour, width] of [["rgba(255,255,255,0.7)", 3], ["#10141b", 1.2]] as const) {
    strokeLine(context, [[frame.left, py], [frame.left + frame.width, py]], colour, width);
    strokeLine(context, [[px, frame.top], [px, frame.top + frame.height]], colour, width);
  }
}

export function dot(
  context: Pen,
  x: number,
  y: number,
  radius: number,
  fill: string,
  outline: string,
): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = outline;
  context.lineWidth = 1.5;
  context.stroke();
}
