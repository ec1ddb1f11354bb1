// Trainings' paths: how much of them their planes hold, and what the losses really were.
import { make } from "../dom.ts";
import { capitalised, formatNumber, planeLabel } from "../format.ts";
import { LineChart } from "../line_chart.ts";
import type { Section } from "../page.ts";
import { resultsOf } from "../scenes.ts";
import { toNumber, toNumbers, type Report, type TrajectoryResult } from "../schema.ts";
import { table } from "../table.ts";

const SHOWN_COMPONENTS = 6;

export function trajectoriesSection(report: Report): Section | null {
  const all = resultsOf(report, "trajectory");
  if (all.length === 0) return null;
  return {
    id: "trajectories",
    name: all.length > 1 ? "Trajectories" : "Trajectory",
    about:
      "A path looks orderly in its own principal components whatever happened: a random walk's shares " +
      "of the variance stand beside its own.",
    content: all.flatMap((result) => [
      make("div", { class: "cards charts" }, ...chartsOf(result).map(({ element }) => element)),
      ...(result.explained.length > 0 ? [components(result)] : []),
    ]),
  };
}

function chartsOf(result: TrajectoryResult): LineChart[] {
  const x = toNumbers(result.epochs);
  const name = result.provenance["model_name"] ?? result.file;
  const losses = Object.keys(result.own).filter((plane) => plane.endsWith("_loss"));
  const share = formatNumber(100 * toNumber(result.in_plane), 3);
  const lossCharts = losses.map(
    (plane) =>
      new LineChart({
        title: `${capitalised(planeLabel(plane))} along the path`,
        about: `${name}; the plane holds ${share} % of the path's variance`,
        xLabel: "epoch",
        yLabel: planeLabel(plane),
        series: [
          { name: "the checkpoint's own", x, y: toNumbers(result.own[plane]), errors: errorsOf(result.own, plane), colour: 0 },
          {
            name: "at its place in the plane", x, y: toNumbers(result.projected[plane] ?? []),
            errors: errorsOf(result.projected, plane), colour: 1, dashed: true,
          },
        ],
        log: true,
      }),
  );
  const away = new LineChart({
    title: "Distance from the last checkpoint",
    about: name,
    xLabel: "epoch",
    yLabel: "distance",
    series: [
      { name: "in all directions", x, y: toNumbers(result.length), colour: 0 },
      { name: "out of the plane", x, y: toNumbers(result.distance), colour: 1, dashed: true },
    ],
    log: false,
  });
  return [...lossCharts, away];
}

function errorsOf(planes: TrajectoryResult["own"], plane: string): number[] | null {
  const errors = planes[`${plane}_se`];
  return errors ? toNumbers(errors) : null;
}

function components(result: TrajectoryResult): HTMLElement {
  const percent = (value: number): string => `${formatNumber(100 * value, 3)} %`;
  const own = toNumbers(result.explained).slice(0, SHOWN_COMPONENTS);
  const walk = toNumbers(result.random_walk);
  return table(
    ["Share of the variance", ...own.map((_, i) => `component ${i + 1}`)],
    [
      ["this path", ...own.map(percent)],
      ["a random walk", ...own.map((_, i) => (i < walk.length ? percent(walk[i]) : "–"))],
    ],
  );
}
