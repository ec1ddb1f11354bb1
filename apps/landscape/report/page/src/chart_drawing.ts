// How curves are drawn.
import { dashOf, markedPoint, scalesOf, type ChartData, type Series } from "./chart_data.ts";
import { fitted, strokeLine, write, type Paper } from "./figure.ts";
import { dot } from "./flat_view.ts";
import { formatTicks } from "./format.ts";
import { place, ticks, type Scale } from "./scale.ts";
import { drawGlyph } from "./spot_drawing.ts";
import { FONT } from "./theme.ts";

const MARGIN = { left: 60, right: 16, top: 12, bottom: 44 };

interface Axes {
  x: Scale;
  y: Scale;
  toX: (value: number) => number;
  toY: (value: number) => number;
}

function axesOf(size: { width: number; height: number }, data: ChartData): Axes {
  const { x, y } = scalesOf(data);
  const width = size.width - MARGIN.left - MARGIN.right;
  const height = size.height - MARGIN.top - MARGIN.bottom;
  return {
    x,
    y,
    toX: (value) => MARGIN.left + width * ((value - x.low) / (x.high - x.low)),
    toY: (value) => MARGIN.top + height * (1 - place(y, value)),
  };
}

export function drawChart(paper: Paper, data: ChartData, cursor: number | null): void {
  const axes = axesOf(paper, data);
  drawAxes(paper, data, axes);
  const { context, colours } = paper;
  context.save();
  context.beginPath();
  // Dots on the edge stay whole.
  context.rect(MARGIN.left - 6, MARGIN.top - 6, paper.width - MARGIN.left - MARGIN.right + 12,
    paper.height - MARGIN.top - MARGIN.bottom + 12);
  context.clip();
  for (const series of data.series) drawBand(paper, series, axes);
  for (const series of data.series) drawSeries(paper, series, axes);
  for (const series of data.mark ? data.series : []) {
    const point = markedPoint(series, data.mark ?? "minimum");
    if (point && !(axes.y.kind === "log" && point.y < axes.y.low))
      drawGlyph(context, "extremum", axes.toX(point.x), axes.toY(point.y));
  }
  context.restore();
  if (cursor === null) return;
  const x = axes.toX(cursor);
  strokeLine(context, [[x, MARGIN.top], [x, paper.height - MARGIN.bottom]], colours.faint, 1);
  for (const { x: xs, y, colour } of data.series) {
    const i = xs.indexOf(cursor);
    if (i >= 0 && Number.isFinite(y[i]))
      dot(context, x, axes.toY(y[i]), 4, colours.series[colour % colours.series.length], colours.paper);
  }
}

function drawAxes(paper: Paper, data: ChartData, axes: Axes): void {
  const { context, colours, width, height } = paper;
  const bottom = height - MARGIN.bottom;
  const small = { font: `11.5px ${FONT}`, colour: colours.muted };
  const ys = ticks(axes.y, Math.max(3, height / 62));
  formatTicks(ys).forEach((text, i) => {
    const y = axes.toY(ys[i]);
    strokeLine(context, [[MARGIN.left, y], [width - MARGIN.right, y]], colours.grid, 1);
    write(context, data.percent ? `${text} %` : text, MARGIN.left - 8, y, { ...small, align: "right", baseline: "middle" });
  });
  const xs = ticks(axes.x, Math.max(3, Math.min(9, width / 80)));
  formatTicks(xs).forEach((text, i) => {
    const x = axes.toX(xs[i]);
    strokeLine(context, [[x, bottom], [x, bottom + 4]], colours.faint, 1);
    write(context, text, x, bottom + 17, { ...small, align: "center" });
  });
  strokeLine(context, [[MARGIN.left, bottom], [width - MARGIN.right, bottom]], colours.faint, 1);
  const middle = (MARGIN.left + width - MARGIN.right) / 2;
  const room = width - MARGIN.left - MARGIN.right;
  write(context, fitted(context, data.xLabel, small.font, room), middle, bottom + 36, { ...small, align: "center" });
  context.save();
  context.translate(13, (MARGIN.top + bottom) / 2);
  context.rotate(-Math.PI / 2);
  write(context, data.yLabel, 0, 0, { ...small, align: "center" });
  context.restore();
  if (!data.rule) return;
  const x = axes.toX(data.rule.x);
  context.setLineDash([3, 4]);
  strokeLine(context, [[x, MARGIN.top], [x, bottom]], colours.muted, 1);
  context.setLineDash([]);
  write(context, data.rule.text, x + 5, MARGIN.top + 8, { ...small, baseline: "middle" });
}

/** Parts of a series between values that are not finite, or that a log scale has no place for or cuts off. */
function parts(series: Series, axes: Axes): number[][] {
  const found: number[][] = [[]];
  series.y.forEach((value, i) => {
    if (Number.isFinite(value) && !(axes.y.kind === "log" && value < axes.y.low)) found[found.length - 1].push(i);
    else found.push([]);
  });
  return found.filter((part) => part.length > 0);
}

function drawBand(paper: Paper, series: Series, axes: Axes): void {
  const { errors, x, y } = series;
  if (!errors || series.dotsOnly) return;
  const { context, colours } = paper;
  for (const part of parts(series, axes)) {
    const known = part.filter((i) => Number.isFinite(errors[i]));
    if (known.length < 2) continue;
    context.beginPath();
    for (const i of known) context.lineTo(axes.toX(x[i]), axes.toY(y[i] + errors[i]));
    for (const i of [...known].reverse()) context.lineTo(axes.toX(x[i]), axes.toY(y[i] - errors[i]));
    context.closePath();
    context.globalAlpha = 0.18;
    context.fillStyle = colours.series[series.colour % colours.series.length];
    context.fill();
    context.globalAlpha = 1;
  }
}

function drawSeries(paper: Paper, series: Series, axes: Axes): void {
  const { context, colours } = paper;
  const colour = colours.series[series.colour % colours.series.length];
  const { x, y, errors } = series;
  for (const part of parts(series, axes)) {
    const points = part.map((i): [number, number] => [axes.toX(x[i]), axes.toY(y[i])]);
    context.setLineDash(dashOf(series, colours.series.length));
    if (!series.dotsOnly) strokeLine(context, points, colour, 2);
    context.setLineDash([]);
    part.forEach((i, k) => {
      const [px, py] = points[k];
      const error = errors?.[i] ?? 0;
      if (series.dotsOnly && error > 0)
        strokeLine(context, [[px, axes.toY(y[i] - error)], [px, axes.toY(y[i] + error)]], colour, 1.2);
      if (series.dotsOnly || part.length < 24) dot(context, px, py, 3, colour, paper.colours.paper);
    });
  }
}

/** The x of the point nearest to a place across the canvas; null without points. */
export function pointUnder(canvas: HTMLCanvasElement, data: ChartData, across: number): number | null {
  const axes = axesOf({ width: canvas.clientWidth, height: canvas.clientHeight }, data);
  let best: number | null = null;
  for (const { x } of data.series)
    for (const value of x)
      if (best === null || Math.abs(axes.toX(value) - across) < Math.abs(axes.toX(best) - across))
        best = value;
  return best;
}
