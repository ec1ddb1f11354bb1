// Results of kinds that have no section of their own: their numbers as tables, their series as curves.
import { make } from "../dom.ts";
import { capitalised, fileStem, formatEstimate, formatNumber, planeLabel } from "../format.ts";
import { LineChart } from "../line_chart.ts";
import type { Section } from "../section.ts";
import { seriesOf } from "../result_series.ts";
import {
  coordinatesOf, isKnown, namesOver, numberOf, numbersOf, valuesOver, wordsOf, type Report, type Result,
} from "../schema.ts";
import { whileShown } from "../shown.ts";
import { table } from "../table.ts";

export function otherSections(report: Report): Section[] {
  const others = report.results.filter((result) => !isKnown(result));
  return [...new Set(others.map(({ kind }) => kind))].map((kind, i) => ({
    id: `other-${i}`,
    name: capitalised(planeLabel(kind)),
    about: "",
    count: others.filter((result) => result.kind === kind).length,
    content: others
      .filter((result) => result.kind === kind)
      .map((result) => whileShown(result.file, make("div", {}, ...contentOf(result)))),
  }));
}

function contentOf(result: Result): HTMLElement[] {
  const axes = [...new Set(Object.values(result.arrays).flatMap((array) => (array.axes?.length === 1 ? array.axes : [])))];
  const charts = axes.flatMap((axis) => chartsOf(result, axis));
  const notes = namesOver(result, []).filter((name) => result.arrays[name].type === "text");
  return [
    make("h3", { text: result.title || fileStem(result.file) }),
    ...notes.map((name) => make("p", { class: "about", text: `${planeLabel(name)}: ${wordsOf(result, name).join("")}` })),
    ...scalarTable(result),
    make("div", { class: "cards charts" }, ...charts.map(({ element }) => element)),
    ...axes.filter((axis) => coordinatesOf(result, axis) === null).map((axis) => rowsTable(result, axis)),
  ];
}

function scalarTable(result: Result): HTMLElement[] {
  const names = valuesOver(result, []);
  if (names.length === 0) return [];
  return [
    table(
      ["Number", "Value", "Unit"],
      names.map((name) => {
        const { error, unit } = result.arrays[name];
        const value = numberOf(result, name);
        return [planeLabel(name), error ? formatEstimate(value, numberOf(result, error)) : formatNumber(value), unit ?? ""];
      }),
    ),
  ];
}

/** The curves over an axis of numbers or of ranks, a chart for each unit. */
function chartsOf(result: Result, axis: string): LineChart[] {
  if (result.arrays[axis]?.type === "text") return [];
  const names = valuesOver(result, [axis]).filter((name) => numbersOf(result, name).length > 1);
  const unitOf = (name: string): string => result.arrays[name].unit ?? "";
  return [...new Set(names.map(unitOf))].map((unit) => {
    const shown = names.filter((name) => unitOf(name) === unit);
    const what = shown.length === 1 ? planeLabel(shown[0]) : planeLabel(result.kind);
    return new LineChart({
      title: capitalised(what),
      about: result.title || result.file,
      xLabel: planeLabel(axis),
      yLabel: unit === "" ? what : `${what} (${unit})`,
      series: shown.map((name, colour) => seriesOf(result, name, { name: planeLabel(name), colour })),
      log: false,
    });
  });
}

/** What lies along an axis without numbers of its own. */
function rowsTable(result: Result, axis: string): HTMLElement {
  const columns = namesOver(result, [axis]).map((name): [string, string[]] => {
    const { type, error } = result.arrays[name];
    if (type === "text") return [name, wordsOf(result, name)];
    const errors = numbersOf(result, error);
    return [name, numbersOf(result, name).map((value, i) => (error ? formatEstimate(value, errors[i]) : formatNumber(value)))];
  });
  const words = wordsOf(result, axis);
  const rows = columns[0]?.[1] ?? words;
  return table(
    [planeLabel(axis), ...columns.map(([name]) => planeLabel(name))],
    rows.map((_, i) => [words[i] ?? String(i + 1), ...columns.map(([, cells]) => cells[i])]),
  );
}
