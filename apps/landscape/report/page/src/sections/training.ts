// Training curves of runs' logs.
import type { Series } from "../chart_drawing.ts";
import { make } from "../dom.ts";
import { LineChart } from "../line_chart.ts";
import type { Section } from "../section.ts";
import { seriesOf } from "../result_series.ts";
import { resultsOf, type Report, type Result } from "../schema.ts";

export function trainingSection(report: Report): Section | null {
  const logs = resultsOf(report, "training_log");
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
    content: [make("div", { class: "cards charts" }, ...charts.map(({ element }) => element))],
  };
}

/** Returns "resnet20" for runs/resnet20/log.csv. */
function runName(path: string): string {
  const parts = path.split("/");
  const file = parts.pop() ?? path;
  return file === "log.csv" && parts.length > 0 ? parts[parts.length - 1] : file.replace(/\.csv$/, "");
}

function chart(
  title: string,
  yLabel: string,
  logs: Result[],
  columns: [string, string][],
  log: boolean,
): LineChart {
  const series: Series[] = logs.flatMap((result, colour) => {
    const name = runName(result.file);
    return columns.map(([column, what]) =>
      seriesOf(result, column, { name: what === "" ? name : `${name}, ${what}`, colour, dashed: what === "training" }));
  });
  return new LineChart({ title, about: "", xLabel: "epoch", yLabel, series, log });
}
