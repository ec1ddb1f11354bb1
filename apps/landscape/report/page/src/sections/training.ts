// Training curves of runs' logs.
import type { Series } from "../chart_data.ts";
import { make } from "../dom.ts";
import { LineChart } from "../line_chart.ts";
import type { Section } from "../section.ts";
import { seriesOf } from "../result_series.ts";
import { namedResults, type NamedResult } from "../scenes.ts";
import type { Report } from "../schema.ts";

export function trainingSection(report: Report): Section | null {
  const logs = namedResults(report, "training_log");
  if (logs.length === 0) return null;
  const charts = [
    chart("Loss", "loss", logs, [["test_loss", "test"], ["train_loss", "training"]], true),
    chart("Accuracy", "accuracy (%)", logs, [["test_accuracy", "test"], ["train_accuracy", "training"]], false),
    chart("Learning rate", "learning rate", logs, [["learning_rate", ""]], false),
    chart("Gradient norm", "gradient norm", logs, [["gradient_norm", ""]], false),
  ];
  return {
    id: "training",
    name: "Training",
    about: "Training values are those seen during the epoch: augmented images, moving weights.",
    count: logs.length,
    content: [make("div", { class: "cards charts" }, ...charts.map(({ element }) => element))],
  };
}

function chart(
  title: string,
  yLabel: string,
  logs: NamedResult[],
  columns: [string, string][],
  log: boolean,
): LineChart {
  const series: Series[] = logs.flatMap((result, colour) => {
    const { name } = result;
    return columns.map(([column, what]) =>
      seriesOf(result, column, { name: what === "" ? name : `${name}, ${what}`, colour, dashed: what === "training" }));
  });
  const percent = title === "Accuracy";
  return new LineChart({
    title, about: "", xLabel: "epoch", yLabel, series, log, percent,
    ...(percent ? { mark: "maximum" } : title === "Loss" ? { mark: "minimum" } : {}),
  });
}
