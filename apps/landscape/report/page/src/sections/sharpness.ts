// Measures of sharpness, network beside network, and what a rescaling without effect does to them.
import { make } from "../dom.ts";
import { formatEstimate, formatNumber } from "../format.ts";
import { LineChart } from "../line_chart.ts";
import type { Section } from "../section.ts";
import { seriesOf } from "../result_series.ts";
import { namedResults, type NamedResult } from "../scenes.ts";
import { numberOf, numbersOf, wordsOf, type Report } from "../schema.ts";
import { isShown, ofShown, whileShown } from "../shown.ts";
import { table } from "../table.ts";

interface Measure {
  name: string;
  unit: string;
  definition: string;
  settings: string;
  value: number;
  error: number;
  /** Value of the rescaled network; NaN without one. */
  rescaled: number;
}

type Panel = NamedResult & { measures: Measure[] };

function measuresOf(result: NamedResult): Measure[] {
  const [units, settings, definitions] = ["unit", "settings", "definition"].map((name) => wordsOf(result, name));
  const [values, errors, rescaled] = ["value", "standard_error", "rescaled_value"].map((name) => numbersOf(result, name));
  return wordsOf(result, "measure").map((name, i) => ({
    name,
    unit: units[i] ?? "",
    definition: definitions[i] ?? "",
    settings: settings[i] ?? "",
    value: values[i] ?? NaN,
    error: errors[i] ?? NaN,
    rescaled: rescaled[i] ?? NaN,
  }));
}

export function sharpnessSection(report: Report): Section | null {
  const panels = namedResults(report, "sharpness").map((result): Panel => ({ ...result, measures: measuresOf(result) }));
  if (panels.length === 0) return null;
  return {
    id: "sharpness",
    name: "Sharpness",
    about: "Value ± standard error. Values may be compared where the settings are the same.",
    count: panels.length,
    content: [
      ofShown(() => panelTable(panels.filter(({ file }) => isShown(file)))),
      ...panels.map((panel) => whileShown(panel.file, make("div", {}, ...rescaledOf(panel)))),
    ],
  };
}

function panelTable(panels: Panel[]): HTMLElement {
  const names = [...new Set(panels.flatMap(({ measures }) => measures.map(({ name }) => name)))];
  return table(
    ["Measure", ...panels.map(({ name }) => name), "Settings", "Under rescaling"],
    names.map((name) => {
      const found = panels.map(({ measures }) => measures.find((measure) => measure.name === name));
      const [known] = found.filter((measure) => measure !== undefined);
      const settings = new Set(found.flatMap((measure) => (measure ? [measure.settings] : [])));
      const largest = Math.max(...found.map((measure) => (measure ? Math.abs(measure.value) : 0)).filter(Number.isFinite));
      return [
        make("span", { title: known?.definition ?? "" }, readable(name), make("span", { class: "about unit", text: known?.unit ?? "" })),
        ...found.map((measure) => valueCell(measure, largest)),
        settings.size === 1 ? [...settings][0] : "differ: not comparable",
        rescalingInWords(found),
      ];
    }),
  );
}

const MOVED = 0.01; // a relative difference that is no rounding

/** Whether weights of the same function have another value, where a result has tried. */
function rescalingInWords(measures: (Measure | undefined)[]): string {
  const tried = measures.flatMap((measure) => (measure && !Number.isNaN(measure.rescaled) ? [measure] : []));
  if (tried.length === 0) return "–";
  const moved = ({ value, rescaled, error }: Measure): boolean =>
    Math.abs(rescaled - value) > Math.max(MOVED * Math.abs(value), 3 * (error > 0 ? error : 0));
  return tried.some(moved) ? "moves" : "stays";
}

function readable(name: string): string {
  return name.replaceAll("_", " ");
}

/** The number over a bar that shows its share of the row's largest. */
function valueCell(measure: Measure | undefined, largest: number): HTMLElement | string {
  if (!measure) return "–";
  const { value } = measure;
  const cell = make(
    "span",
    { class: "measured", attributes: { "data-measure": measure.name } },
    make("span", { text: formatEstimate(value, measure.error) }),
  );
  if (Number.isFinite(value) && largest > 0)
    cell.style.setProperty("--share", `${(100 * Math.abs(value)) / largest}%`);
  return cell;
}

function rescaledOf(panel: Panel): HTMLElement[] {
  const { name, measures } = panel;
  const [description] = wordsOf(panel, "rescaled/description");
  if (description === undefined) return [];
  const rows = measures
    .filter(({ rescaled }) => !Number.isNaN(rescaled))
    .map(({ name: measure, value: was, rescaled: is }) => [
      readable(measure), formatNumber(was, 4), formatNumber(is, 4), formatNumber(was === is ? 1 : is / was, 4),
    ]);
  const about =
    `${name}, the same function with other weights: ${description}. Logits up to ` +
    `${formatNumber(numberOf(panel, "rescaled/largest_logit"), 4)} differ by at most ` +
    `${formatNumber(numberOf(panel, "rescaled/largest_logit_difference"), 3)}.`;
  const charts = [["filter", "filter-normalised"], ["plain", "plain normal"]]
    .filter(([slice]) => panel.arrays[`rescaled/slices/${slice}/alpha`])
    .map(([slice, direction]) =>
      new LineChart({
        title: `Along a ${direction} direction`,
        about: name,
        xLabel: "α",
        yLabel: "loss",
        series: [
          seriesOf(panel, `rescaled/slices/${slice}/before`, { name: "before", colour: 0 }),
          seriesOf(panel, `rescaled/slices/${slice}/after`, { name: "after rescaling", colour: 1 }),
        ],
        log: false,
      }));
  return [
    make("h3", { text: "Rescaled" }),
    make("p", { class: "about", text: about }),
    table(["Measure", "before", "after", "ratio"], rows),
    make("div", { class: "cards charts" }, ...charts.map(({ element }) => element)),
  ];
}
