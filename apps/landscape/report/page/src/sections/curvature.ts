// Eigenvalues of the Hessian, their density, and the trace.
import type { Series } from "../chart_data.ts";
import { make } from "../dom.ts";
import { formatEstimate, formatNumber } from "../format.ts";
import { LineChart } from "../line_chart.ts";
import type { Section } from "../section.ts";
import { seriesOf } from "../result_series.ts";
import { namedResults, type NamedResult } from "../scenes.ts";
import { numberOf, numbersOf, type Report } from "../schema.ts";
import { isShown, ofShown } from "../shown.ts";
import { table } from "../table.ts";

export function curvatureSection(report: Report): Section | null {
  const all = namedResults(report, "curvature");
  if (all.length === 0) return null;
  const charts = [densityChart(all), eigenvalueChart(all)].filter((chart) => chart !== null);
  return {
    id: "curvature",
    name: "Curvature",
    about: "At the networks themselves.",
    count: all.length,
    content: [
      make("div", { class: "cards charts" }, ...charts.map(({ element }) => element)),
      ofShown(() => numbersTable(all.filter(({ file }) => isShown(file)))),
    ],
  };
}

function curves(all: NamedResult[], array: string, suffix: string, colour: (i: number) => number): Series[] {
  return all.flatMap((result, i) =>
    numbersOf(result, array).length > 0
      ? [seriesOf(result, array, { name: result.name + suffix, colour: colour(i) })]
      : []);
}

function densityChart(all: NamedResult[]): LineChart | null {
  const series = curves(all, "density/density", "", (i) => i);
  if (series.length === 0) return null;
  return new LineChart({
    title: "Density of the eigenvalues",
    about: "bands are one standard error over the probes; below a millionth of the largest there are only the tails of smoothing",
    xLabel: "eigenvalue",
    yLabel: "density",
    series,
    log: true,
    cut: 1e-6,
  });
}

/** Rank from either end: 1, 2, ... of the largest and of the smallest. */
function eigenvalueChart(all: NamedResult[]): LineChart | null {
  const series = [
    ...curves(all, "largest/values", ", largest", (i) => 2 * i),
    ...curves(all, "smallest/values", ", smallest", (i) => 2 * i + 1),
  ];
  if (series.length === 0) return null;
  return new LineChart({
    title: "Extreme eigenvalues",
    about: "bars are residuals: an eigenvalue lies no further away",
    xLabel: "rank from the end",
    yLabel: "eigenvalue",
    series,
    log: false,
  });
}

function numbersTable(all: NamedResult[]): HTMLElement {
  const first = (result: NamedResult, end: string): string => {
    const [value] = numbersOf(result, `${end}/values`);
    const [residual] = numbersOf(result, `${end}/residuals`);
    return value === undefined ? "–" : `${formatNumber(value, 5)} (residual ${formatNumber(residual, 2)})`;
  };
  return table(
    ["Network", "Matrix", "Loss", "|Gradient|", "Largest", "Smallest", "Trace"],
    all.map((result) => [
      result.name,
      result.provenance["curvature"] ?? "",
      formatNumber(numberOf(result, "loss")),
      formatNumber(numberOf(result, "gradient_norm")),
      first(result, "largest"),
      first(result, "smallest"),
      result.arrays["trace/value"]
        ? formatEstimate(numberOf(result, "trace/value"), numberOf(result, "trace/standard_error"))
        : "–",
    ]),
  );
}
