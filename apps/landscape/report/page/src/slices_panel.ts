// The losses along alpha and along beta through the chosen point, of the surfaces over its plane: curves along
// other directions would share nothing but the letter.
import type { ChartData, Series } from "./chart_data.ts";
import { button, make } from "./dom.ts";
import { slicesThrough, type Slice } from "./field.ts";
import { capitalised, formatNumber, isAccuracy, planeLabel } from "./format.ts";
import { LineChart } from "./line_chart.ts";
import { overPlane, type Scene } from "./scenes.ts";
import { isShown } from "./shown.ts";
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

  private members(): Scene[] {
    const { selected } = this.state.view;
    return selected ? overPlane(this.scenes, selected.plane).filter(({ files }) => isShown(files[0])) : [];
  }

  private refresh(): void {
    const { selected, heightPlane } = this.state.view;
    const members = this.members();
    this.element.hidden = members.length === 0;
    const now = JSON.stringify([selected, heightPlane, members.map(({ name }) => name)]);
    if (now === this.shown || members.length === 0) return;
    this.shown = now;
    AXES.forEach((axis, i) => this.charts[i].setData(this.dataOf(axis)));
  }

  private dataOf(axis: Slice["axis"]): ChartData {
    const { selected, heightPlane } = this.state.view;
    const at = selected ?? { x: 0, y: 0 };
    const members = this.members();
    const series = members.flatMap((scene, colour): Series[] => {
      if (!scene.field.planes.has(heightPlane) || !scene.field.contains(at.x, at.y)) return [];
      const slice = slicesThrough(scene.field, heightPlane, at.x, at.y).find((one) => one.axis === axis);
      return slice ? [{ name: scene.name, x: slice.positions, y: slice.values, errors: slice.errors, colour }] : [];
    });
    const other = axis === "alpha" ? `β ${formatNumber(at.y)}` : `α ${formatNumber(at.x)}`;
    const direction = members[0]?.directions[axis === "alpha" ? "x" : "y"] ?? "";
    const errors = series.some((one) => one.errors);
    return {
      title: `${capitalised(planeLabel(heightPlane))} along ${LETTERS[axis]}`,
      about: `at ${other}${errors ? "; bands are one standard error" : ""}`,
      xLabel: direction ? `${LETTERS[axis]}: ${direction}` : LETTERS[axis],
      yLabel: planeLabel(heightPlane),
      series,
      log: this.state.scale(heightPlane, members[0]).kind === "log",
      percent: isAccuracy(heightPlane),
      rule: selected && { x: axis === "alpha" ? at.x : at.y, text: "" },
    };
  }
}
