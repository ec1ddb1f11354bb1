// Measures of sharpness, network beside network, and what a rescaling without effect does to them.
import { make } from "../dom.ts";
import { fileStem, formatEstimate, formatNumber } from "../format.ts";
import { LineChart } from "../line_chart.ts";
import type { Section } from "../page.ts";
import { resultsOf, withDistinctNames } from "../scenes.ts";
import { toNumber, toNumbers, type Measure, type Report, type SharpnessResult } from "../schema.ts";
import { table } from "../table.ts";

type Panel = SharpnessResult & { name: string; files: string[] };

export function sharpnessSection(report: Report): Section | null {
  const panels = withDistinctNames(
    resultsOf(report, "sharpness").map((result): Panel => ({
      ...result,
      name: result.provenance["model_name"] ?? fileStem(result.file),
      files: [result.file],
    })),
  );
  if (panels.length === 0) return null;
  return {
    id: "sharpness",
    name: "Sharpness",
    about: "Value ± standard error. Values may be compared where the settings are the same.",
    content: [panelTable(panels), ...panels.flatMap(rescaledOf)],
  };
}

function panelTable(panels: Panel[]): HTMLElement {
  const names = [...new Set(panels.flatMap(({ measures }) => measures.map(({ name }) => name)))];
  return table(
    ["Measure", ...panels.map(({ name }) => name), "Unit", "Settings"],
    names.map((name) => {
      const found = panels.map(({ measures }) => measures.find((measure) => measure.name === name));
      const [known] = found.filter((measure) => measure !== undefined);
      const settings = new Set(found.flatMap((measure) => (measure ? [measure.settings] : [])));
      const largest = Math.max(...found.map((measure) => (measure ? Math.abs(toNumber(measure.value)) : 0)).filter(Number.isFinite));
      return [
        make("span", { text: readable(name), title: known?.definition ?? "" }),
        ...found.map((measure) => valueCell(measure, largest)),
        known?.unit ?? "",
        settings.size === 1 ? [...settings][0] : "differ: not comparable",
      ];
    }),
  );
}

function readable(name: string): string {
  return name.replaceAll("_", " ");
}

/** The number over a bar that shows its share of the row's largest. */
function valueCell(measure: Measure | undefined, largest: number): HTMLElement | string {
  if (!measure) return "–";
  const value = toNumber(measure.value);
  const cell = make(
    "span",
    { class: "measured", attributes: { "data-measure": measure.name } },
    make("span", { text: formatEstimate(value, toNumber(measure.standard_error)) }),
  );
  if (Number.isFinite(value) && largest > 0)
    cell.style.setProperty("--share", `${(100 * Math.abs(value)) / largest}%`);
  return cell;
}

function rescaledOf({ name, measures, rescaled }: Panel): HTMLElement[] {
  if (!rescaled) return [];
  const rows = rescaled.measures.map((after) => {
    const before = measures.find((measure) => measure.name === after.name);
    const was = before ? toNumber(before.value) : NaN;
    const is = toNumber(after.value);
    return [readable(after.name), formatNumber(was, 4), formatNumber(is, 4), formatNumber(was === is ? 1 : is / was, 4)];
  });
  const about =
    `${name}, the same function with other weights: ${rescaled.description}. Logits up to ` +
    `${formatNumber(toNumber(rescaled.largest_logit), 4)} differ by at most ` +
    `${formatNumber(toNumber(rescaled.largest_logit_difference), 3)}.`;
  const charts = rescaled.slices.map((slice) =>
    new LineChart({
      title: `Along a ${slice.name === "filter" ? "filter-normalised" : "plain normal"} direction`,
      about: name,
      xLabel: "α",
      yLabel: "loss",
      series: [
        { name: "before", x: toNumbers(slice.alpha), y: toNumbers(slice.before), colour: 0 },
        { name: "after rescaling", x: toNumbers(slice.alpha), y: toNumbers(slice.after), colour: 1, dashed: true },
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
