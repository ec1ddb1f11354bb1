// What pictures are drawn with: a canvas's context, or one that writes SVG.
import { make } from "./dom.ts";

/** The part of a canvas's context that the page's drawings use. */
export type Pen = Pick<
  CanvasRenderingContext2D,
  | "beginPath" | "closePath" | "moveTo" | "lineTo" | "arc" | "rect" | "roundRect" | "fill" | "stroke" | "clip"
  | "fillRect" | "strokeRect" | "fillText" | "strokeText" | "measureText" | "save" | "restore" | "translate"
  | "rotate" | "setLineDash" | "createLinearGradient" | "drawImage" | "fillStyle" | "strokeStyle" | "lineWidth"
  | "lineJoin" | "globalAlpha" | "font" | "textAlign" | "textBaseline"
>;

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(text: string): string {
  // Control characters are in no XML, however they are written.
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd").replace(/[&<>"]/g, (one) => ENTITIES[one]);
}

function short(value: number): string {
  return String(Number(value.toFixed(2)));
}

class Gradient {
  readonly stops: string[] = [];

  constructor(
    readonly id: string,
    private readonly line: readonly number[],
  ) {}

  addColorStop(offset: number, colour: string): void {
    this.stops.push(`<stop offset="${offset}" stop-color="${escaped(colour)}"/>`);
  }

  text(): string {
    const [x1, y1, x2, y2] = this.line.map(short);
    return (
      `<linearGradient id="${this.id}" gradientUnits="userSpaceOnUse" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}">` +
      `${this.stops.join("")}</linearGradient>`
    );
  }
}

interface Settings {
  fillStyle: Pen["fillStyle"];
  strokeStyle: Pen["strokeStyle"];
  lineWidth: number;
  lineJoin: CanvasLineJoin;
  globalAlpha: number;
  font: string;
  textAlign: CanvasTextAlign;
  textBaseline: CanvasTextBaseline;
  dash: number[];
  transform: string;
  /** Open groups of clips. */
  groups: number;
}

/** Writes what is drawn as SVG. Pictures of pixels, such as surfaces in 3D, are put in as PNG. */
export class SvgPen implements Pen {
  private readonly parts: string[] = [];
  private readonly gradients: Gradient[] = [];
  private readonly stack: Settings[] = [];
  private readonly scratch: CanvasRenderingContext2D;
  private path = "";
  private made = 0;
  private now: Settings = {
    fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, lineJoin: "miter", globalAlpha: 1, font: "10px sans-serif",
    textAlign: "start", textBaseline: "alphabetic", dash: [], transform: "", groups: 0,
  };

  constructor(
    private readonly width: number,
    private readonly height: number,
  ) {
    const context = make("canvas").getContext("2d");
    if (!context) throw new Error("the browser has no canvas to measure texts with");
    this.scratch = context;
  }

  get fillStyle() { return this.now.fillStyle; }
  set fillStyle(value) { this.now.fillStyle = value; }
  get strokeStyle() { return this.now.strokeStyle; }
  set strokeStyle(value) { this.now.strokeStyle = value; }
  get lineWidth() { return this.now.lineWidth; }
  set lineWidth(value) { this.now.lineWidth = value; }
  get lineJoin() { return this.now.lineJoin; }
  set lineJoin(value) { this.now.lineJoin = value; }
  get globalAlpha() { return this.now.globalAlpha; }
  set globalAlpha(value) { this.now.globalAlpha = value; }
  get font() { return this.now.font; }
  set font(value) { this.now.font = value; }
  get textAlign() { return this.now.textAlign; }
  set textAlign(value) { this.now.textAlign = value; }
  get textBaseline() { return this.now.textBaseline; }
  set textBaseline(value) { this.now.textBaseline = value; }

  save(): void {
    this.stack.push({ ...this.now });
    this.now.groups = 0;
  }
  restore(): void {
    this.parts.push("</g>".repeat(this.now.groups));
    this.now = this.stack.pop() ?? this.now;
  }
  translate(x: number, y: number): void {
    this.now.transform += `translate(${short(x)} ${short(y)})`;
  }
  rotate(angle: number): void {
    this.now.transform += `rotate(${short((angle * 180) / Math.PI)})`;
  }
  setLineDash(dash: Iterable<number>): void {
    this.now.dash = [...dash];
  }

  beginPath(): void {
    this.path = "";
  }
  closePath(): void {
    this.path += "Z";
  }
  moveTo(x: number, y: number): void {
    this.path += `M${short(x)} ${short(y)}`;
  }
  lineTo(x: number, y: number): void {
    this.path += `${this.path === "" ? "M" : "L"}${short(x)} ${short(y)}`;
  }
  rect(x: number, y: number, width: number, height: number): void {
    this.path += `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`;
  }
  /** Corners are square: rounding is the screen's. */
  roundRect(x: number, y: number, width: number, height: number): void {
    this.rect(x, y, width, height);
  }
  /** Whole circles alone. */
  arc(x: number, y: number, radius: number): void {
    const r = short(radius);
    const across = short(2 * radius);
    this.path += `M${short(x - radius)} ${short(y)}a${r} ${r} 0 1 0 ${across} 0a${r} ${r} 0 1 0 -${across} 0Z`;
  }

  fill(): void {
    this.shape(`<path d="${this.path}"`, this.inFill());
  }
  stroke(): void {
    this.shape(`<path d="${this.path}"`, `fill="none" ${this.inStroke()}`);
  }
  clip(): void {
    const id = this.newId();
    this.parts.push(
      `<clipPath id="${id}"><path d="${this.path}"${this.placed()}/></clipPath><g clip-path="url(#${id})">`);
    ++this.now.groups;
  }
  fillRect(x: number, y: number, width: number, height: number): void {
    this.shape(this.box(x, y, width, height), this.inFill());
  }
  strokeRect(x: number, y: number, width: number, height: number): void {
    this.shape(this.box(x, y, width, height), `fill="none" ${this.inStroke()}`);
  }
  fillText(text: string, x: number, y: number): void {
    this.text(text, x, y, this.inFill());
  }
  strokeText(text: string, x: number, y: number): void {
    this.text(text, x, y, `fill="none" ${this.inStroke()}`);
  }
  measureText(text: string): TextMetrics {
    this.scratch.font = this.now.font;
    return this.scratch.measureText(text);
  }
  createLinearGradient(x0: number, y0: number, x1: number, y1: number): CanvasGradient {
    const gradient = new Gradient(this.newId(), [x0, y0, x1, y1]);
    this.gradients.push(gradient);
    return gradient;
  }
  drawImage(image: CanvasImageSource, ...[x, y, width, height]: number[]): void {
    const from = image as HTMLCanvasElement;
    const copy = make("canvas");
    copy.width = from.width;
    copy.height = from.height;
    copy.getContext("2d")?.drawImage(from, 0, 0);
    this.shape(`<image${this.box(x, y, width, height).slice("<rect".length)} preserveAspectRatio="none" ` +
      `href="${copy.toDataURL("image/png")}"`, "");
  }

  /** Returns the whole file; `title` is its accessible name. */
  file(title: string): string {
    const size = `width="${short(this.width)}" height="${short(this.height)}"`;
    const gradients = this.gradients.map((gradient) => gradient.text()).join("");
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${short(this.width)} ${short(this.height)}" ` +
      `role="img"><title>${escaped(title)}</title><defs>${gradients}</defs>${this.parts.join("\n")}</svg>\n`
    );
  }

  private newId(): string {
    return `p${++this.made}`;
  }
  private placed(): string {
    return this.now.transform === "" ? "" : ` transform="${this.now.transform}"`;
  }
  private box(x: number, y: number, width: number, height: number): string {
    return `<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
  }
  private shape(begin: string, look: string): void {
    const alpha = this.now.globalAlpha === 1 ? "" : ` opacity="${short(this.now.globalAlpha)}"`;
    this.parts.push(`${begin} ${look}${alpha}${this.placed()}/>`);
  }
  private colour(style: Pen["fillStyle"]): string {
    return style instanceof Gradient ? `url(#${style.id})` : escaped(String(style));
  }
  private inFill(): string {
    return `fill="${this.colour(this.now.fillStyle)}"`;
  }
  private inStroke(): string {
    const { strokeStyle, lineWidth, lineJoin, dash } = this.now;
    const dashes = dash.length > 0 ? ` stroke-dasharray="${dash.join(" ")}"` : "";
    return `stroke="${this.colour(strokeStyle)}" stroke-width="${short(lineWidth)}" stroke-linejoin="${lineJoin}"${dashes}`;
  }
  private text(text: string, x: number, y: number, look: string): void {
    const { font, textAlign, textBaseline } = this.now;
    const [, slant = "", weight = "", size = "10", family = "sans-serif"] =
      /^(italic )?(\d+ )?([\d.]+)px (.*)$/.exec(font) ?? [];
    const anchor = textAlign === "center" ? "middle" : textAlign === "right" ? "end" : "start";
    const base = textBaseline === "middle" ? ' dominant-baseline="central"' : "";
    const face =
      `font-family="${escaped(family)}" font-size="${size}"` +
      (weight ? ` font-weight="${weight.trim()}"` : "") + (slant ? ' font-style="italic"' : "");
    this.parts.push(
      `<text x="${short(x)}" y="${short(y)}" text-anchor="${anchor}"${base} ${face} ${look}${this.placed()}>${escaped(text)}</text>`);
  }
}
