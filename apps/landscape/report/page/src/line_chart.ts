// Curves over a common axis: error bands, values under the pointer, and downloads.
import { drawChart, pointUnder, type ChartData, type Series } from "./chart_drawing.ts";
import { button, fileName, make, saveText } from "./dom.ts";
import { csv, jsonNumber } from "./export.ts";
import { Figure } from "./figure.ts";
import { formatEstimate, formatNumber } from "./format.ts";
import { listenTo } from "./gestures.ts";
import { palette, onThemeChange } from "./theme.ts";

export class LineChart {
  readonly element: HTMLElement;
  private readonly figure: Figure;
  private readonly legend = make("ul", { class: "legend" });
  private readonly readout = make("dl", { class: "readout", attributes: { "aria-live": "off" } });
  private readonly logButton: HTMLButtonElement;
  /** The place on the x axis that is read out. */
  private cursor: number | null = null;

  constructor(private data: ChartData) {
    this.figure = new Figure({
      label: `${data.title}: curves. Arrow keys move the cursor.`,
      draw: (paper) => drawChart(paper, this.data, paper.still ? null : this.cursor),
      caption: () => ({ title: this.data.title, about: this.data.about }),
      footer: { height: 34, draw: (paper) => drawLegend(paper, this.data.series) },
    });
    this.logButton = button("Log", "A logarithmic scale, or a linear one", () => {
      this.data = { ...this.data, log: !this.data.log };
      this.refresh();
    });
    this.element = this.layOut();
    listenTo(this.figure.canvas, {
      hover: (at) => this.setCursor(at && pointUnder(this.figure.canvas, this.data, at.x), false),
      click: (at) => this.setCursor(pointUnder(this.figure.canvas, this.data, at.x), true),
      drag: () => {},
      zoom: () => {},
      key: (event) => this.onKey(event.key),
    });
    onThemeChange(() => this.refresh());
    this.refresh();
  }

  /** Shows other curves in the same place; the scale stays as chosen. */
  setData(data: ChartData): void {
    this.data = { ...data, log: this.data.log };
    this.cursor = null;
    this.refresh();
  }

  private layOut(): HTMLElement {
    const name = (): string => fileName(this.data.title);
    return make(
      "article",
      { class: "card chart" },
      make("header", {}, make("h3", { text: this.data.title }), make("p", { class: "about", text: this.data.about })),
      make("div", { class: "picture" }, this.figure.canvas),
      this.legend,
      this.readout,
      make(
        "footer",
        {},
        this.logButton,
        button("PNG", "Save the picture", () => void this.figure.savePng()),
        button("CSV", "Save the values as CSV", () => saveText(`${name()}.csv`, "text/csv", this.csv())),
        button("JSON", "Save the values as JSON", () =>
          saveText(`${name()}.json`, "application/json", this.json())),
      ),
    );
  }

  private refresh(): void {
    const { title, about, series, log } = this.data;
    const heading = this.element.querySelector("h3");
    const text = this.element.querySelector(".about");
    if (heading) heading.textContent = title;
    if (text) text.textContent = about;
    const colours = palette();
    this.legend.replaceChildren(
      ...series.map((one) => {
        const swatch = make("span", { class: one.dashed ? "swatch dashed" : "swatch" });
        swatch.style.setProperty("--swatch", colours.series[one.colour % colours.series.length]);
        return make("li", {}, swatch, one.name);
      }),
    );
    this.logButton.hidden = !series.some(({ y }) => y.some((value) => value > 0));
    this.logButton.setAttribute("aria-pressed", String(log));
    this.showCursor(false);
    this.figure.redraw();
  }

  private setCursor(x: number | null, aloud: boolean): void {
    if (x === this.cursor) return;
    this.cursor = x;
    this.showCursor(aloud);
    this.figure.redraw();
  }

  private showCursor(aloud: boolean): void {
    this.readout.setAttribute("aria-live", aloud ? "polite" : "off");
    const x = this.cursor;
    if (x === null) {
      this.readout.replaceChildren();
      return;
    }
    const entry = (label: string, value: string): HTMLElement =>
      make("div", { attributes: { "data-value": label } }, make("dt", { text: label }), make("dd", { text: value }));
    const values = this.data.series.flatMap((one) => {
      const i = one.x.indexOf(x);
      return i < 0 ? [] : [entry(one.name, formatEstimate(one.y[i], one.errors?.[i] ?? NaN))];
    });
    this.readout.replaceChildren(entry(this.data.xLabel, formatNumber(x)), ...values);
  }

  private onKey(key: string): boolean {
    if (key !== "ArrowLeft" && key !== "ArrowRight") return false;
    const all = [...new Set(this.data.series.flatMap(({ x }) => [...x]))].sort((a, b) => a - b);
    const now = this.cursor === null ? -1 : all.indexOf(this.cursor);
    const next = key === "ArrowRight" ? now + 1 : now < 0 ? all.length - 1 : now - 1;
    this.setCursor(all[Math.min(all.length - 1, Math.max(0, next))] ?? null, true);
    return true;
  }

  private csv(): string {
    return csv(
      ["series", this.data.xLabel, this.data.yLabel, "error"],
      this.data.series.flatMap((one) =>
        one.x.map((x, i) => [one.name, x, one.y[i], one.errors?.[i] ?? NaN])),
    );
  }

  private json(): string {
    const series = this.data.series.map(({ name, x, y, errors }) => ({
      name,
      x: x.map(jsonNumber),
      y: y.map(jsonNumber),
      ...(errors ? { error: errors.map(jsonNumber) } : {}),
    }));
    const { title, about, xLabel, yLabel } = this.data;
    return JSON.stringify({ title, about, x: xLabel, y: yLabel, series });
  }
}

/** Draws the key in a file, which has no list beside the picture. */
function drawLegend(paper: Parameters<typeof drawChart>[0], series: Series[]): void {
  const { context, colours } = paper;
  let x = 24;
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (const one of series) {
    context.strokeStyle = colours.series[one.colour % colours.series.length];
    context.lineWidth = 2;
    context.setLineDash(one.dashed ? [5, 4] : []);
    context.beginPath();
    context.moveTo(x, 14);
    context.lineTo(x + 20, 14);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = colours.ink;
    context.fillText(one.name, x + 26, 14);
    x += 48 + context.measureText(one.name).width;
  }
}
