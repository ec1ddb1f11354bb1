// The losses along alpha and along beta through the chosen point, of all surfaces together.
import type { ChartData, Series } from "./chart_drawing.ts";
import { button, make } from "./dom.ts";
import { slicesThrough, type Slice } from "./field.ts";
import { capitalised, formatNumber, planeLabel } from "./format.ts";
import { LineChart } from "./line_chart.ts";
import type { Scene } from "./scenes.ts";
import type { State } from "./state.ts";

const AXES = ["alpha", "beta"] as const;
const LETTERS = { alpha: "α", beta: "β" };

export class SlicesPanel {
  readonly element: HTMLElement;
  private readonly charts: LineChart[];
  private shown = "";

  constructor(
    private readonly scenes: Scene[],
    private readonly state: State,
  ) {
    this.charts = AXES.map((axis) => new LineChart(this.dataOf(axis)));
    this.element = make(
      "div",
      { class: "slices", attributes: { id: "slices" } },
      make(
        "div",
        { class: "heading" },
        make("h3", { text: "Slices" }),
        button("Close", "No slices", () => state.update({ selected: null })),
      ),
      make("div", { class: "cards charts" }, ...this.charts.map(({ element }) => element)),
    );
    state.subscribe(() => this.refresh());
    this.refresh();
  }

  private refresh(): void {
    const { selected, heightPlane } = this.state.view;
    this.element.hidden = selected === null;
    const now = JSON.stringify([selected, heightPlane]);
    if (now === this.shown || !selected) return;
    this.shown = now;
    AXES.forEach((axis, i) => this.charts[i].setData(this.dataOf(axis)));
  }

  private dataOf(axis: Slice["axis"]): ChartData {
    const { selected, heightPlane } = this.state.view;
    const at = selected ?? { x: 0, y: 0 };
    const series: Series[] = [];
    this.scenes.forEach((scene, colour) => {
      if (!scene.field.planes.has(heightPlane) || !scene.field.contains(at.x, at.y)) return;
      const slice = slicesThrough(scene.field, heightPlane, at.x, at.y).find((one) => one.axis === axis);
      if (slice) series.push({ name: scene.name, x: slice.positions, y: slice.values, errors: slice.errors, colour });
    });
    const other = axis === "alpha" ? `β ${formatNumber(at.y)}` : `α ${formatNumber(at.x)}`;
    const errors = series.some((one) => one.errors);
    return {
      title: `${capitalised(planeLabel(heightPlane))} along ${LETTERS[axis]}`,
      about: `at ${other}${errors ? "; bands are one standard error" : ""}`,
      xLabel: LETTERS[axis],
      yLabel: planeLabel(heightPlane),
      series,
      log: this.state.clipping(heightPlane).kind === "log",
      rule: selected && { x: axis === "alpha" ? at.x : at.y, text: "" },
    };
  }
}
