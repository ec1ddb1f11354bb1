// Curves over a common axis: error bands, a switch for each curve, values under the pointer, and downloads.
import { dashOf, markedPoint, type ChartData, type Series } from "./chart_data.ts";
import { drawChart, pointUnder } from "./chart_drawing.ts";
import { button, fileName, make, saveText } from "./dom.ts";
import { csv, jsonNumber } from "./export.ts";
import { Figure, strokeLine, write, type Paper } from "./figure.ts";
import { formatEstimate, formatNumber } from "./format.ts";
import { listenTo } from "./gestures.ts";
import type { Pen } from "./pen.ts";
import { isShown, onShownChange } from "./shown.ts";
import { FONT, onThemeChange, palette } from "./theme.ts";

export class LineChart {
  readonly element: HTMLElement;
  private readonly figure: Figure;
  private readonly legend = make("ul", { class: "legend" });
  private readonly readout = make("dl", { class: "readout", attributes: { "aria-live": "off" } });
  private readonly logButton: HTMLButtonElement;
  /** null until the reader has chosen. */
  private chosenLog: boolean | null = null;
  /** The names of the curves that the reader has switched off. */
  private readonly off = new Set<string>();
  /** The place on the x axis that is read out. */
  private cursor: number | null = null;

  constructor(private data: ChartData) {
    this.figure = new Figure({
      label: `${data.title}: curves. Arrow keys move the cursor.`,
      draw: (paper) => drawChart(paper, this.drawn(), paper.still ? null : this.cursor),
      caption: () => ({ title: this.data.title, about: this.data.about }),
      footer: {
        height: (width) => legendHeight(this.drawn().series, width),
        draw: (paper) => drawLegend(paper, this.drawn().series),
      },
    });
    this.logButton = button("Log", "A logarithmic scale, or a linear one", () => {
      this.chosenLog = !this.data.log;
      this.data = { ...this.data, log: this.chosenLog };
      this.refresh();
    });
    this.element = this.layOut();
    listenTo(this.figure.canvas, {
      hover: (at) => this.setCursor(at && pointUnder(this.figure.canvas, this.drawn(), at.x), false),
      click: (at) => this.setCursor(pointUnder(this.figure.canvas, this.drawn(), at.x), true),
      drag: () => {},
      zoom: () => {},
      key: (event) => this.onKey(event.key),
    });
    onThemeChange(() => this.refresh());
    onShownChange(() => this.refresh());
    this.refresh();
  }

  /** The curves of results that are not hidden. */
  private members(): Series[] {
    return this.data.series.filter(({ file }) => file === undefined || isShown(file));
  }

  /** The curves that are switched on, too. */
  private drawn(): ChartData {
    return { ...this.data, series: this.members().filter(({ name }) => !this.off.has(name)) };
  }

  private toggle(name: string): void {
    if (!this.off.delete(name)) this.off.add(name);
    this.refresh();
    // The switch was made anew.
    [...this.legend.querySelectorAll("button")].find(({ dataset }) => dataset["curve"] === name)?.focus();
  }

  /** Shows other curves in the same place; a scale that the reader has chosen stays. */
  setData(data: ChartData): void {
    this.data = { ...data, log: this.chosenLog ?? data.log };
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
        button("PNG", "Save the picture as PNG", () => void this.figure.savePng()),
        button("SVG", "Save the picture as SVG", () => this.figure.saveSvg()),
        button("CSV", "Save the values as CSV", () => saveText(`${name()}.csv`, "text/csv", this.csv())),
        button("JSON", "Save the values as JSON", () =>
          saveText(`${name()}.json`, "application/json", this.json())),
      ),
    );
  }

  private refresh(): void {
    const { title, about, log } = this.data;
    const series = this.members();
    this.element.hidden = series.length === 0 && this.data.series.length > 0;
    const heading = this.element.querySelector("h3");
    const text = this.element.querySelector(".about");
    if (heading) heading.textContent = title;
    if (text) text.textContent = about;
    const colours = palette();
    this.legend.replaceChildren(
      ...series.map((one) => {
        const dash = dashOf(one, colours.series.length);
        const swatch = make("span", { class: `swatch${dash.length === 0 ? "" : dash[0] < 4 ? " dotted" : " dashed"}` });
        swatch.style.setProperty("--swatch", colours.series[one.colour % colours.series.length]);
        const entry = button("", "Show this curve or hide it", () => this.toggle(one.name));
        entry.append(swatch, one.name);
        entry.dataset["curve"] = one.name;
        entry.setAttribute("aria-pressed", String(!this.off.has(one.name)));
        return make("li", {}, entry, make("span", { class: "about", text: this.markInWords(one) }));
      }),
    );
    this.logButton.hidden = !series.some(({ y }) => y.some((value) => value > 0));
    this.logButton.setAttribute("aria-pressed", String(log));
    this.showCursor(false);
    this.figure.redraw();
  }

  /** Returns "minimum 0.0401 at 0.5". */
  private markInWords(series: Series): string {
    const { mark, percent } = this.data;
    const point = mark && !this.off.has(series.name) ? markedPoint(series, mark) : null;
    if (!point) return "";
    return `${mark} ${formatNumber(point.y, 4)}${percent ? " %" : ""} at ${formatNumber(point.x, 3)}`;
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
    const values = this.drawn().series.flatMap((one) => {
      const i = one.x.indexOf(x);
      if (i < 0) return [];
      const text = Number.isFinite(one.y[i]) ? formatEstimate(one.y[i], one.errors?.[i] ?? NaN) : "not finite";
      return [entry(one.name, this.data.percent && Number.isFinite(one.y[i]) ? `${text} %` : text)];
    });
    this.readout.replaceChildren(entry(this.data.xLabel, formatNumber(x)), ...values);
  }

  private onKey(key: string): boolean {
    if (key !== "ArrowLeft" && key !== "ArrowRight") return false;
    const all = [...new Set(this.drawn().series.flatMap(({ x }) => [...x]))].sort((a, b) => a - b);
    const now = this.cursor === null ? -1 : all.indexOf(this.cursor);
    const next = key === "ArrowRight" ? now + 1 : now < 0 ? all.length - 1 : now - 1;
    this.setCursor(all[Math.min(all.length - 1, Math.max(0, next))] ?? null, true);
    return true;
  }

  private csv(): string {
    return csv(
      ["series", this.data.xLabel, this.data.yLabel, "error"],
      this.drawn().series.flatMap((one) =>
        one.x.map((x, i) => [one.name, x, one.y[i], one.errors?.[i] ?? NaN])),
    );
  }

  private json(): string {
    const series = this.drawn().series.map(({ name, x, y, errors }) => ({
      name,
      x: x.map(jsonNumber),
      y: y.map(jsonNumber),
      ...(errors ? { error: errors.map(jsonNumber) } : {}),
    }));
    const { title, about, xLabel, yLabel } = this.data;
    return JSON.stringify({ title, about, x: xLabel, y: yLabel, series });
  }
}

const ROW = 18; // of the key, in pixels

/** Where the key's entries stand, in as many rows as they need. */
function legendPlaces(pen: Pen, series: Series[], width: number): { x: number; row: number }[] {
  pen.font = `12px ${FONT}`;
  let x = 24;
  let row = 0;
  return series.map(({ name }) => {
    const wide = 48 + pen.measureText(name).width;
    if (x > 24 && x + wide > width) {
      x = 24;
      ++row;
    }
    const place = { x, row };
    x += wide;
    return place;
  });
}

function legendHeight(series: Series[], width: number): number {
  const pen = document.createElement("canvas").getContext("2d");
  const rows = pen ? legendPlaces(pen, series, width).map(({ row }) => row + 1) : [];
  return 16 + ROW * Math.max(1, ...rows);
}

/** Draws the key in a file, which has no list beside the picture. */
function drawLegend(paper: Paper, series: Series[]): void {
  const { context, colours, width } = paper;
  const places = legendPlaces(context, series, width);
  series.forEach((one, i) => {
    const { x, row } = places[i];
    const y = 14 + ROW * row;
    context.setLineDash(dashOf(one, colours.series.length));
    strokeLine(context, [[x, y], [x + 20, y]], colours.series[one.colour % colours.series.length], 2);
    context.setLineDash([]);
    write(context, one.name, x + 26, y, { colour: colours.ink, baseline: "middle" });
  });
}
