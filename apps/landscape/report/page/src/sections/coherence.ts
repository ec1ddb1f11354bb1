// How well the gradients of minibatches agree, of networks and of their layers.
import type { Series } from "../chart_drawing.ts";
import { make } from "../dom.ts";
import { capitalised, formatEstimate, formatNumber, planeLabel } from "../format.ts";
import { LineChart } from "../line_chart.ts";
import type { Section } from "../page.ts";
import { resultsOf } from "../scenes.ts";
import { toNumber, toNumbers, type CoherenceResult, type Report } from "../schema.ts";
import { table } from "../table.ts";

export function coherenceSection(report: Report): Section | null {
  const all = resultsOf(report, "coherence");
  if (all.length === 0) return null;
  return {
    id: "coherence",
    name: "Coherence of gradients",
    about: "Of minibatches, in all parameters and layer by layer. Values ± the jackknife's standard error.",
    content: all.flatMap((result) => [
      rowsTable(result),
      make("div", { class: "cards charts" }, ...chartsOf(result).map(({ element }) => element)),
    ]),
  };
}

function nameOf({ name, epoch }: CoherenceResult["rows"][number]): string {
  const at = toNumber(epoch);
  return Number.isNaN(at) ? name : `${name}, epoch ${formatNumber(at)}`;
}

function rowsTable({ quantities, rows }: CoherenceResult): HTMLElement {
  const shown = quantities.filter((name) => !name.endsWith("_se"));
  return table(
    ["Network", ...shown.map((name) => capitalised(planeLabel(name)))],
    rows.map((row) => [
      nameOf(row),
      ...shown.map((name) => {
        const error = row.values[`${name}_se`];
        const value = toNumber(row.values[name]);
        return error === undefined ? formatNumber(value, 4) : formatEstimate(value, toNumber(error));
      }),
    ]),
  );
}

function chartsOf(result: CoherenceResult): LineChart[] {
  return [alongTraining(result), byLayer(result)].filter((chart) => chart !== null);
}

/** Networks that are epochs of one training. */
function alongTraining({ rows, file }: CoherenceResult): LineChart | null {
  const known = rows.filter(({ epoch }) => !Number.isNaN(toNumber(epoch)));
  if (known.length < 3) return null;
  const ordered = [...known].sort((a, b) => toNumber(a.epoch) - toNumber(b.epoch));
  return new LineChart({
    title: "Mean cosine along training",
    about: file,
    xLabel: "epoch",
    yLabel: "mean cosine of gradients",
    series: [{
      name: "all parameters",
      x: ordered.map(({ epoch }) => toNumber(epoch)),
      y: ordered.map(({ values }) => toNumber(values["cosine"])),
      errors: ordered.map(({ values }) => toNumber(values["cosine_se"])),
      colour: 0,
    }],
    log: false,
  });
}

function byLayer({ rows, file }: CoherenceResult): LineChart | null {
  const series: Series[] = rows
    .filter(({ layers }) => layers.length > 1)
    .map((row, colour) => ({
      name: nameOf(row),
      x: row.layers.map((_, i) => i + 1),
      y: toNumbers(row.layer_values["cosine"]),
      errors: toNumbers(row.layer_values["cosine_se"]),
      colour,
    }));
  if (series.length === 0) return null;
  return new LineChart({
    title: "Mean cosine by layer",
    about: file,
    xLabel: "layer",
    yLabel: "mean cosine of gradients",
    series,
    log: false,
  });
}
