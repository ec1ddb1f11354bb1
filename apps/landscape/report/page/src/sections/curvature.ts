// Eigenvalues of the Hessian, their density, and the trace.
import type { Series } from "../chart_drawing.ts";
import { make } from "../dom.ts";
import { fileStem, formatEstimate, formatNumber } from "../format.ts";
import { LineChart } from "../line_chart.ts";
import type { Section } from "../page.ts";
import { resultsOf, withDistinctNames } from "../scenes.ts";
import { toNumber, toNumbers, type CurvatureResult, type Eigenvalues, type Report } from "../schema.ts";
import { table } from "../table.ts";

type Named = CurvatureResult & { name: string; files: string[] };

export function curvatureSection(report: Report): Section | null {
  const all = withDistinctNames(
    resultsOf(report, "curvature").map((result): Named => ({
      ...result,
      name: result.provenance["model_name"] ?? fileStem(result.file),
      files: [result.file],
    })),
  );
  if (all.length === 0) return null;
  const charts = [densityChart(all), eigenvalueChart(all)].filter((chart) => chart !== null);
  return {
    id: "curvature",
    name: "Curvature",
    about: "At the networks themselves.",
    content: [
      make("div", { class: "cards charts" }, ...charts.map(({ element }) => element)),
      numbersTable(all),
    ],
  };
}

function densityChart(all: Named[]): LineChart | null {
  const series: Series[] = all.flatMap(({ name, density }, colour) =>
    density
      ? [{ name, x: toNumbers(density.at), y: toNumbers(density.density), errors: toNumbers(density.standard_error), colour }]
      : []);
  if (series.length === 0) return null;
  return new LineChart({
    title: "Density of the eigenvalues",
    about: "bands are one standard error over the probes",
    xLabel: "eigenvalue",
    yLabel: "density",
    series,
    log: true,
  });
}

/** Rank from either end: 1, 2, ... of the largest and of the smallest. */
function eigenvalueChart(all: Named[]): LineChart | null {
  const dots = (name: string, found: Eigenvalues | null, colour: number): Series[] =>
    found && found.values.length > 0
      ? [{
          name,
          x: found.values.map((_, i) => i + 1),
          y: toNumbers(found.values),
          errors: toNumbers(found.residuals),
          colour,
          dotsOnly: true,
        }]
      : [];
  const series = all.flatMap(({ name, largest, smallest }, i) => [
    ...dots(`${name}, largest`, largest, 2 * i),
    ...dots(`${name}, smallest`, smallest, 2 * i + 1),
  ]);
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

function numbersTable(all: Named[]): HTMLElement {
  const first = (found: Eigenvalues | null): string =>
    found && found.values.length > 0
      ? `${formatNumber(toNumber(found.values[0]), 5)} (residual ${formatNumber(toNumber(found.residuals[0]), 2)})`
      : "–";
  return table(
    ["Network", "Matrix", "Loss", "|Gradient|", "Largest", "Smallest", "Trace"],
    all.map(({ name, provenance, loss, gradient_norm, largest, smallest, trace }) => [
      name,
      provenance["curvature"] ?? "",
      formatNumber(toNumber(loss)),
      formatNumber(toNumber(gradient_norm)),
      first(largest),
      first(smallest),
      trace ? formatEstimate(toNumber(trace.value), toNumber(trace.standard_error)) : "–",
    ]),
  );
}
