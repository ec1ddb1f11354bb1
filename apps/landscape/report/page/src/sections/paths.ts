// Paths between two networks: losses and accuracies along each, and the barriers.
import type { Series } from "../chart_drawing.ts";
import { make } from "../dom.ts";
import { capitalised, formatNumber, planeLabel } from "../format.ts";
import { LineChart } from "../line_chart.ts";
import type { Section } from "../page.ts";
import { resultsOf } from "../scenes.ts";
import { toNumber, toNumbers, type PathsResult, type Report } from "../schema.ts";
import { table } from "../table.ts";

const PATHS: Record<string, string> = { line: "straight line", aligned: "aligned", curve: "curve" };
const STATISTICS: Record<string, string> = {
  states: "statistics interpolated",
  recompute: "statistics re-estimated",
};

/** "aligned, statistics re-estimated" of aligned/recompute. */
function nameOf(path: string): string {
  const [kind, statistics] = path.split("/");
  const rest = STATISTICS[statistics];
  return (PATHS[kind] ?? kind) + (rest ? `, ${rest}` : "");
}

export function pathsSection(report: Report): Section | null {
  const all = resultsOf(report, "paths");
  if (all.length === 0) return null;
  return {
    id: "paths",
    name: "Paths",
    about: "From one network (t = 0) to another (t = 1).",
    content: all.flatMap((result) => [
      make("div", { class: "cards charts" }, ...chartsOf(result).map(({ element }) => element)),
      barrierTable(result),
    ]),
  };
}

function chartsOf(result: PathsResult): LineChart[] {
  const names = new Set(
    Object.values(result.paths).flatMap(({ values }) => Object.keys(values)).filter((name) => !name.endsWith("_se")),
  );
  const { model_name: model } = result.provenance;
  return [...names].map((name) => {
    const series: Series[] = Object.entries(result.paths).flatMap(([path, { values }], colour) =>
      values[name]
        ? [{
            name: capitalised(nameOf(path)),
            x: toNumbers(result.t),
            y: toNumbers(values[name]),
            errors: values[`${name}_se`] ? toNumbers(values[`${name}_se`]) : null,
            colour,
          }]
        : []);
    return new LineChart({
      title: capitalised(planeLabel(name)),
      about: model ?? result.file,
      xLabel: "t",
      yLabel: planeLabel(name),
      series,
      log: false,
    });
  });
}

function barrierTable(result: PathsResult): HTMLElement {
  const quantities = [...new Set(Object.values(result.paths).flatMap(({ barriers }) => Object.keys(barriers)))];
  return table(
    ["Barrier", ...quantities.map((name) => capitalised(planeLabel(name)))],
    Object.entries(result.paths).map(([path, { barriers }]) => [
      capitalised(nameOf(path)),
      ...quantities.map((name) => {
        const barrier = barriers[name];
        return barrier
          ? `${formatNumber(toNumber(barrier.height), 4)} at t ${formatNumber(toNumber(barrier.at), 3)}`
          : "–";
      }),
    ]),
  );
}
