// A picture on a canvas that follows its element's size, the screen's density and the theme.
import { fileName, make, save, saveText } from "./dom.ts";
import { busy, notWhenIdle, whenIdle } from "./idle.ts";
import { SvgPen, type Pen } from "./pen.ts";
import { FONT, onThemeChange, palette, type Palette } from "./theme.ts";

/** What a picture is drawn on; positions are in CSS pixels. */
export interface Paper {
  context: Pen;
  width: number;
  height: number;
  /** Device pixels in a CSS pixel. */
  ratio: number;
  colours: Palette;
  /** Whether it is a file, which shows no pointer. */
  still: boolean;
}

export interface Caption {
  title: string;
  about: string;
}

export interface Drawing {
  /** What a screen reader says of it. */
  label: string;
  draw: (paper: Paper) => void;
  caption: () => Caption;
  /** Footer below the picture, only in files. */
  footer?: { height: (width: number) => number; draw: (paper: Paper) => void };
}

const HEAD = 64; // of a file, for the caption

export class Figure {
  readonly canvas: HTMLCanvasElement;
  private waiting = false;
  /** Whether it is near what the window shows; elsewhere it is drawn when nothing else is to be done. */
  private near = false;
  private readonly later = (): void => this.drawNow();

  constructor(private readonly drawing: Drawing) {
    this.canvas = make("canvas", {
      attributes: { tabindex: "0", role: "img", "aria-label": drawing.label },
    });
    new ResizeObserver(() => this.redraw()).observe(this.canvas);
    new IntersectionObserver(
      ([entry]) => {
        this.near = entry.isIntersecting;
        this.redraw();
      },
      { rootMargin: "60px" },
    ).observe(this.canvas);
    onThemeChange(() => this.redraw());
    addEventListener("beforeprint", () => this.drawNow());
  }

  /** Draws once before the next frame, however often it is called. */
  redraw(): void {
    if (!this.near) {
      whenIdle(this.later);
      return;
    }
    busy();
    notWhenIdle(this.later);
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.drawNow();
    });
  }

  private drawNow(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || height === 0) return;
    const ratio = Math.min(2.5, devicePixelRatio);
    const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
    // Setting a size clears the canvas, and costs a new one.
    if (this.canvas.width !== pixels[0]) this.canvas.width = pixels[0];
    if (this.canvas.height !== pixels[1]) this.canvas.height = pixels[1];
    const context = this.canvas.getContext("2d");
    if (!context) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.drawing.draw({ context, width, height, ratio, colours: palette(), still: false });
  }

  /** The size of a file's picture, and of the file. */
  private fileSize(): { width: number; height: number; foot: number; whole: number } {
    const width = Math.max(640, this.canvas.clientWidth);
    const height = Math.round((width * this.canvas.clientHeight) / this.canvas.clientWidth);
    const foot = this.drawing.footer?.height(width) ?? 0;
    return { width, height, foot, whole: HEAD + height + foot };
  }

  /** Draws the picture under its title. */
  private drawFile(context: Pen, ratio: number): void {
    const { width, height, foot, whole } = this.fileSize();
    const colours = palette();
    context.fillStyle = colours.paper;
    context.fillRect(0, 0, width, whole);
    const { title, about } = this.drawing.caption();
    write(context, title, 24, 32, { font: `600 17px ${FONT}`, colour: colours.ink });
    write(context, about, 24, 52, { font: `13px ${FONT}`, colour: colours.muted });
    const part = (offset: number, tall: number, draw: (paper: Paper) => void): void => {
      context.save();
      context.translate(0, offset);
      draw({ context, width, height: tall, ratio, colours, still: true });
      context.restore();
    };
    part(HEAD, height, this.drawing.draw);
    if (this.drawing.footer) part(HEAD + height, foot, this.drawing.footer.draw);
  }

  /** The picture under its title, twice as fine as the screen's. */
  async png(): Promise<Blob> {
    const ratio = 2;
    const { width, whole } = this.fileSize();
    const canvas = make("canvas");
    canvas.width = width * ratio;
    canvas.height = whole * ratio;
    const context = canvas.getContext("2d");
    if (!context) throw new Error("the browser has no canvas to draw on");
    context.scale(ratio, ratio);
    this.drawFile(context, ratio);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no PNG"))), "image/png");
    });
  }

  svg(): string {
    const { width, whole } = this.fileSize();
    const pen = new SvgPen(width, whole);
    this.drawFile(pen, 2);
    return pen.file(this.drawing.caption().title);
  }

  async savePng(): Promise<void> {
    save(`${fileName(this.drawing.caption().title)}.png`, await this.png());
  }

  saveSvg(): void {
    saveText(`${fileName(this.drawing.caption().title)}.svg`, "image/svg+xml", this.svg());
  }
}

interface Writing {
  font?: string;
  colour: string;
  align?: CanvasTextAlign;
  baseline?: CanvasTextBaseline;
  /** Halo around the letters, so that lines behind do not disturb. */
  halo?: string;
}

export function write(
  context: Pen,
  text: string,
  x: number,
  y: number,
  { font, colour, align = "left", baseline = "alphabetic", halo }: Writing,
): void {
  context.font = font ?? `12px ${FONT}`;
  context.textAlign = align;
  context.textBaseline = baseline;
  if (halo !== undefined) {
    context.strokeStyle = halo;
    context.lineWidth = 3.5;
    context.lineJoin = "round";
    context.strokeText(text, x, y);
  }
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

export function strokeLine(
  context: Pen,
  points: readonly (readonly [number, number])[],
  colour: string,
  width: number,
): void {
  context.beginPath();
  points.forEach(([x, y], i) => (i === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineJoin = "round";
  context.stroke();
}

/** Returns a text, cut where it is wider than there is room. */
export function fitted(context: Pen, text: string, font: string, room: number): string {
  context.font = font;
  if (context.measureText(text).width <= room) return text;
  let length = text.length;
  while (length > 0 && context.measureText(`${text.slice(0, length)}…`).width > room) --length;
  return length === 0 ? "" : `${text.slice(0, length).trimEnd()}…`;
}
