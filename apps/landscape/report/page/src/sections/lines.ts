// One-dimensional surfaces: losses along a line.
import type { Series } from "../chart_data.ts";
import { make } from "../dom.ts";
import { capitalised, isAccuracy, isLoss, planeLabel } from "../format.ts";
import { holesInWords, holesOf } from "../holes.ts";
import { LineChart } from "../line_chart.ts";
import type { Section } from "../section.ts";
import { describe, planeNames, type Scene } from "../scenes.ts";

export function linesSection(lines: Scene[]): Section | null {
  if (lines.length === 0) return null;
  const charts = lines.flatMap((scene) => chartsOf(scene).map((chart) => chart.element));
  return {
    id: "lines",
    name: "Lines",
    about: "Bands are one standard error, or one standard deviation over several directions.",
    count: lines.length,
    content: [make("div", { class: "cards charts" }, ...charts)],
  };
}

/** Losses in one chart, accuracies in another, anything else each in its own. */
function chartsOf(scene: Scene): LineChart[] {
  const names = planeNames([scene]).filter((name) => !/_(se|sd|correct|n)$/.test(name));
  const losses = names.filter((name) => isLoss(name) || /_loss(_[a-z_]+)?_seed\d+$/.test(name));
  const accuracies = names.filter((name) => isAccuracy(name));
  const rest = names.filter((name) => !losses.includes(name) && !accuracies.includes(name));
  return [
    losses.length > 0 ? chartOf(scene, "loss", losses) : null,
    accuracies.length > 0 ? chartOf(scene, "accuracy (%)", accuracies) : null,
    ...rest.map((name) => chartOf(scene, planeLabel(name), [name])),
  ].filter((chart) => chart !== null);
}

function chartOf(scene: Scene, yLabel: string, names: string[]): LineChart {
  const { field, provenance } = scene;
  const errorsOf = (name: string): Float32Array | undefined =>
    field.planes.get(`${name}_sd`) ?? field.planes.get(`${name}_se`);
  const series: Series[] = names.map((name, i) => ({
    name: capitalised(planeLabel(name)),
    x: field.x,
    y: [...(field.planes.get(name) ?? [])],
    errors: errorsOf(name) ? [...(errorsOf(name) ?? [])] : null,
    colour: i,
    dashed: name.includes("_seed"),
    file: scene.files[0],
  }));
  const barriers = ["train", "test"].flatMap((set) => {
    const barrier = provenance[`${set}_loss_barrier`];
    return barrier && yLabel === "loss" ? [`${set} barrier ${barrier}`] : [];
  });
  const holes = holesInWords(holesOf(field, names[0]));
  const { architecture } = scene.network;
  const direction = scene.directions.x || scene.directions.y;
  const percent = isAccuracy(names[0]);
  const about = [...(architecture ? [architecture] : []), describe(scene, names[0]), ...barriers, ...(holes ? [holes] : [])];
  return new LineChart({
    title: scene.name,
    about: about.join("; "),
    xLabel: direction ? `α: ${direction}` : "α",
    yLabel,
    series,
    log: false,
    percent,
    mark: percent ? "maximum" : "minimum",
  });
}
