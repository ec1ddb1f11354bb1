// Trainings' paths: how much of them their planes hold, and what the losses really were.
import { make } from "../dom.ts";
import { capitalised, formatNumber, planeLabel } from "../format.ts";
import { LineChart } from "../line_chart.ts";
import type { Section } from "../section.ts";
import { seriesOf } from "../result_series.ts";
import { numberOf, numbersOf, valuesOver, type Report, type Result } from "../schema.ts";
import { whileShown } from "../shown.ts";
import { namedResults, type NamedResult } from "../scenes.ts";
import { table } from "../table.ts";

const SHOWN_COMPONENTS = 6;

export function trajectoriesSection(report: Report): Section | null {
  const all = namedResults(report, "trajectory");
  if (all.length === 0) return null;
  return {
    id: "trajectories",
    name: all.length > 1 ? "Trajectories" : "Trajectory",
    about:
      "A path looks orderly in its own principal components whatever happened: a random walk's shares " +
      "of the variance stand beside its own.",
    count: all.length,
    content: all.flatMap((result) => [
      make("div", { class: "cards charts" }, ...chartsOf(result).map(({ element }) => element)),
      ...(result.arrays["explained_variance_ratio_"] ? [whileShown(result.file, components(result))] : []),
    ]),
  };
}

function chartsOf(result: NamedResult): LineChart[] {
  const { name } = result;
  const losses = valuesOver(result, ["epoch"]).filter((plane) => /^(train|test)_loss$/.test(plane));
  const share = formatNumber(100 * numberOf(result, "variance_in_plane"), 3);
  const lossCharts = losses.map(
    (plane) =>
      new LineChart({
        title: `${capitalised(planeLabel(plane))} along the path`,
        about: `${name}; the plane holds ${share} % of the path's variance`,
        xLabel: "epoch",
        yLabel: planeLabel(plane),
        series: [
          seriesOf(result, plane, { name: "the checkpoint's own", colour: 0 }),
          seriesOf(result, `projected_${plane}`, { name: "at its place in the plane", colour: 1, dashed: true }),
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
      seriesOf(result, "length", { name: "in all directions", colour: 0 }),
      seriesOf(result, "distance", { name: "out of the plane", colour: 1, dashed: true }),
    ],
    log: false,
  });
  return [...lossCharts, away];
}

function components(result: Result): HTMLElement {
  const percent = (value: number): string => `${formatNumber(100 * value, 3)} %`;
  const own = numbersOf(result, "explained_variance_ratio_").slice(0, SHOWN_COMPONENTS);
  const walk = numbersOf(result, "random_walk_variance_ratio");
  return table(
    ["Share of the variance", ...own.map((_, i) => `component ${i + 1}`)],
    [
      ["this path", ...own.map(percent)],
      ["a random walk", ...own.map((_, i) => (i < walk.length ? percent(walk[i]) : "–"))],
    ],
  );
}
