// How well the gradients of minibatches agree, of networks and of their layers.
import type { Series } from "../chart_data.ts";
import { make } from "../dom.ts";
import { capitalised, formatEstimate, formatNumber, planeLabel } from "../format.ts";
import { LineChart } from "../line_chart.ts";
import type { Section } from "../section.ts";
import { seriesOf } from "../result_series.ts";
import { numbersOf, resultsOf, valuesOver, wordsOf, type Report, type Result } from "../schema.ts";
import { whileShown } from "../shown.ts";
import { table } from "../table.ts";

export function coherenceSection(report: Report): Section | null {
  const all = resultsOf(report, "coherence");
  if (all.length === 0) return null;
  return {
    id: "coherence",
    name: "Coherence of gradients",
    about: "Of minibatches, in all parameters and layer by layer. Values ± the jackknife's standard error.",
    count: all.length,
    content: all.flatMap((result) => [
      whileShown(result.file, rowsTable(result)),
      make("div", { class: "cards charts" }, ...chartsOf(result).map(({ element }) => element)),
    ]),
  };
}

function networkNames(result: Result): string[] {
  const epochs = numbersOf(result, "epoch");
  return wordsOf(result, "name").map((name, i) =>
    Number.isNaN(epochs[i]) ? name : `${name}, epoch ${formatNumber(epochs[i])}`);
}

function rowsTable(result: Result): HTMLElement {
  const shown = valuesOver(result, ["network"]).filter((name) => name !== "epoch");
  const columns = shown.map((name) => {
    const { error } = result.arrays[name];
    const errors = numbersOf(result, error);
    return numbersOf(result, name).map((value, i) =>
      error ? formatEstimate(value, errors[i]) : formatNumber(value, 4));
  });
  return table(
    ["Network", ...shown.map((name) => capitalised(planeLabel(name)))],
    networkNames(result).map((name, i) => [name, ...columns.map((column) => column[i])]),
  );
}

function chartsOf(result: Result): LineChart[] {
  return [alongTraining(result), byLayer(result)].filter((chart) => chart !== null);
}

/** Networks that are epochs of one training. */
function alongTraining(result: Result): LineChart | null {
  const epochs = numbersOf(result, "epoch");
  const order = [...epochs.keys()].filter((i) => !Number.isNaN(epochs[i])).sort((a, b) => epochs[a] - epochs[b]);
  if (order.length < 3) return null;
  const ordered = (name: string): number[] => order.map((i) => numbersOf(result, name)[i]);
  return new LineChart({
    title: "Mean cosine along training",
    about: result.file,
    xLabel: "epoch",
    yLabel: "mean cosine of gradients",
    series: [{
      name: "all parameters",
      x: ordered("epoch"),
      y: ordered("cosine"),
      errors: ordered("cosine_se"),
      colour: 0,
      file: result.file,
    }],
    log: false,
  });
}

function byLayer(result: Result): LineChart | null {
  const series: Series[] = networkNames(result).flatMap((name, i) => {
    const layers = wordsOf(result, `model${i}/layers/names`);
    return layers.length > 1 ? [seriesOf(result, `model${i}/layers/cosine`, { name, colour: i })] : [];
  });
  if (series.length === 0) return null;
  return new LineChart({
    title: "Mean cosine by layer",
    about: result.file,
    xLabel: "layer",
    yLabel: "mean cosine of gradients",
    series,
    log: false,
  });
}
