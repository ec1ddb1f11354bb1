// Paths between two networks: losses and accuracies along each, and the barriers.
import { make } from "../dom.ts";
import { capitalised, formatNumber, isAccuracy, isLoss, planeLabel } from "../format.ts";
import { LineChart } from "../line_chart.ts";
import type { Section } from "../section.ts";
import { seriesOf } from "../result_series.ts";
import { numberOf, resultsOf, valuesOver, type Report, type Result } from "../schema.ts";
import { whileShown } from "../shown.ts";
import { table } from "../table.ts";

const PATHS: Record<string, string> = { line: "straight line", aligned: "aligned", curve: "curve" };
const STATISTICS: Record<string, string> = {
  states: "statistics interpolated",
  recompute: "statistics re-estimated",
};

/** Returns "aligned, statistics re-estimated" for aligned/recompute. */
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
    count: all.length,
    content: all.flatMap((result) => [
      make("div", { class: "cards charts" }, ...chartsOf(result).map(({ element }) => element)),
      whileShown(result.file, barrierTable(result)),
    ]),
  };
}

/** A quantity along a path: paths/line/states/train_loss. */
interface PathValues {
  path: string;
  quantity: string;
  array: string;
}

/** Losses come first: they are what a barrier is of. */
function valuesOf(result: Result): PathValues[] {
  const rank = ({ quantity }: PathValues): number => (isLoss(quantity) ? 0 : isAccuracy(quantity) ? 1 : 2);
  return valuesOver(result, ["t"])
    .map((array): PathValues => {
      const [, kind, statistics, quantity] = array.split("/");
      return { path: `${kind}/${statistics}`, quantity, array };
    })
    .sort((a, b) => rank(a) - rank(b));
}

function chartsOf(result: Result): LineChart[] {
  const all = valuesOf(result);
  const paths = [...new Set(all.map(({ path }) => path))];
  return [...new Set(all.map(({ quantity }) => quantity))].map(
    (quantity) =>
      new LineChart({
        title: capitalised(planeLabel(quantity)),
        about: result.title || result.file,
        xLabel: "t",
        yLabel: planeLabel(quantity),
        series: all
          .filter((one) => one.quantity === quantity)
          .map(({ path, array }) =>
            seriesOf(result, array, { name: capitalised(nameOf(path)), colour: paths.indexOf(path) })),
        log: false,
        percent: isAccuracy(quantity),
        mark: isAccuracy(quantity) ? "maximum" : "minimum",
      }),
  );
}

function barrierTable(result: Result): HTMLElement {
  const all = valuesOf(result);
  const known = all.filter(({ array }) => result.arrays[`${array}_barrier`]);
  const quantities = [...new Set(known.map(({ quantity }) => quantity))];
  return table(
    ["Barrier", ...quantities.map((name) => capitalised(planeLabel(name)))],
    [...new Set(all.map(({ path }) => path))].map((path) => [
      capitalised(nameOf(path)),
      ...quantities.map((name) => {
        const barrier = known.find((one) => one.path === path && one.quantity === name);
        return barrier
          ? `${formatNumber(numberOf(result, `${barrier.array}_barrier`), 4)} at t ` +
              formatNumber(numberOf(result, `${barrier.array}_barrier_at`), 3)
          : "–";
      }),
    ]),
  );
}
