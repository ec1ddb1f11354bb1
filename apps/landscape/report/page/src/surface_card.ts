// One surface with its name, its picture in 3D or from above, the values under the pointer and its
// downloads.
import { Projection, type Vector } from "./camera.ts";
import type { Cameras } from "./cameras.ts";
import { drawBackdrop, drawLabels } from "./axes.ts";
import { drawColourBar } from "./colour_bar.ts";
import { button, fileName, make, saveText } from "./dom.ts";
import { surfaceCsv, surfaceJson } from "./export.ts";
import { Figure, type Paper } from "./figure.ts";
import {
  dot,
  drawCross,
  drawFrame,
  drawLevelLines,
  drawMarks,
  drawPath,
  frameOf,
  fromPaper,
  heatImage,
  levelLines,
  LEVELS,
  toPaper,
  type Frame,
} from "./flat_view.ts";
import { planeLabel } from "./format.ts";
import { listenTo, type Place } from "./gestures.ts";
import { pick } from "./picking.ts";
import { Readout } from "./readout.ts";
import { boxOf, reliefOf, sceneX, sceneZ, type Relief } from "./relief.ts";
import { levels, place } from "./scale.ts";
import type { Scene } from "./scenes.ts";
import type { State } from "./state.ts";
import { strokesOn } from "./strokes.ts";
import type { ReliefModel, SurfaceRenderer } from "./surface_renderer.ts";
import { palette } from "./theme.ts";

const TURN = 0.12; // radians a key press

export class SurfaceCard {
  readonly element: HTMLElement;
  private readonly figure: Figure;
  private readonly readout: Readout;
  private readonly toSlices = button("Slices", "Go to the slices through the chosen point", () =>
    document.getElementById("slices")?.scrollIntoView({ block: "end" }));
  private readonly box;
  private readonly model: ReliefModel | null;
  private shape: { key: string; relief: Relief } | null = null;
  private drawnStrokes = "";
  private heat: { key: string; image: HTMLCanvasElement } | null = null;
  private lines: { key: string; levels: ReturnType<typeof levelLines> } | null = null;
  /** The grid point under the pointer, or the keys' cursor. */
  private cursor: { ix: number; iy: number } | null = null;
  private quality = 1;

  constructor(
    readonly scene: Scene,
    private readonly state: State,
    private readonly cameras: Cameras,
    private readonly renderer: SurfaceRenderer | null,
  ) {
    this.box = boxOf(scene.field);
    this.model = renderer?.makeModel() ?? null;
    const { nx, ny } = scene.field;
    this.model?.setBox(this.box.height, [nx - 1, ny - 1], [this.box.halfX, this.box.halfZ]);
    this.figure = new Figure({
      label: `${scene.name}: surface. Arrow keys turn it or move the cursor, Enter slices.`,
      draw: (paper) => (this.is3d() ? this.drawRelief(paper) : this.drawFlat(paper)),
      caption: () => ({ title: scene.name, about: scene.about }),
      footer: {
        height: 62,
        draw: (paper) => drawColourBar(paper, this.view.colourPlane, this.colourScale(), 24),
      },
    });
    this.readout = new Readout(scene.field, state);
    this.element = this.layOut();
    listenTo(this.figure.canvas, {
      hover: (at) => this.setCursor(at && this.pointAt(at), false),
      click: (at) => this.select(this.pointAt(at)),
      drag: (dx, dy) => this.turn(-dx * 0.008, dy * 0.006),
      zoom: (factor) => this.zoom(factor),
      key: (event) => this.onKey(event),
    });
    state.subscribe(() => this.refresh());
    cameras.subscribe((owner) => {
      if (owner === null || owner === this) this.figure.redraw();
    });
    this.refresh();
  }

  private get view() {
    return this.state.view;
  }
  private is3d(): boolean {
    return this.view.mode === "3d" && this.renderer !== null && !this.renderer.lost;
  }
  private colourScale() {
    return this.state.scale(this.view.colourPlane);
  }
  private heightScale() {
    return this.state.scale(this.view.heightPlane);
  }
  private plane(name: string): Float32Array {
    const { field } = this.scene;
    return field.planes.get(name) ?? new Float32Array(field.nx * field.ny).fill(NaN);
  }

  /** Sets the resolution: lower while something moves and frames come too slowly. */
  setQuality(quality: number): void {
    if (quality === this.quality) return;
    this.quality = quality;
    this.figure.redraw();
  }

  private layOut(): HTMLElement {
    const { scene, figure } = this;
    const name = fileName(scene.name);
    return make(
      "article",
      { class: "card surface" },
      make(
        "header",
        {},
        make("h3", { text: scene.name, title: scene.files.join("\n") }),
        make("p", { class: "about", text: scene.about }),
      ),
      make("div", { class: "picture" }, figure.canvas),
      this.readout.element,
      make(
        "footer",
        {},
        button("PNG", `Save the picture of ${scene.name}`, () => void figure.savePng()),
        button("CSV", `Save the values of ${scene.name} as CSV`, () =>
          saveText(`${name}.csv`, "text/csv", surfaceCsv(scene.field))),
        button("JSON", `Save the values and the provenance of ${scene.name} as JSON`, () =>
          saveText(`${name}.json`, "application/json", surfaceJson(scene))),
        this.toSlices,
      ),
    );
  }

  private refresh(): void {
    this.figure.canvas.classList.toggle("turns", this.is3d());
    this.toSlices.hidden = this.view.selected === null;
    this.readout.show(this.cursor);
    this.figure.redraw();
  }

  /** Worked out anew when a scale or a plane has changed. */
  private currentShape(): Relief {
    const { heightPlane, colourPlane } = this.view;
    const key = JSON.stringify([heightPlane, this.heightScale(), colourPlane, this.colourScale()]);
    if (this.shape?.key !== key) {
      const relief = reliefOf(
        this.scene.field,
        this.box,
        this.plane(heightPlane),
        this.heightScale(),
        this.plane(colourPlane),
        this.colourScale(),
      );
      this.shape = { key, relief };
      this.model?.setRelief(relief);
      this.drawnStrokes = "";
    }
    return this.shape.relief;
  }

  private updateStrokes(relief: Relief): void {
    const { path, selected } = this.view;
    const colours = palette();
    const key = JSON.stringify([path, selected, colours.path, colours.ink]);
    if (key === this.drawnStrokes) return;
    this.drawnStrokes = key;
    this.model?.setStrokes(
      strokesOn(this.scene, this.box, relief.heights, { path, selected, colours }),
    );
  }

  private drawRelief(paper: Paper): void {
    const { renderer, model } = this;
    if (!renderer || !model) return;
    const relief = this.currentShape();
    this.updateStrokes(relief);
    const scale = this.heightScale();
    const lines = this.view.levels ? levels(scale, LEVELS).map((value) => place(scale, value)) : [];
    model.setLook({ levels: lines, grid: this.view.grid });
    const view = this.projection(paper);
    const axes = {
      field: this.scene.field,
      box: this.box,
      scale,
      valueLabel: planeLabel(this.view.heightPlane),
    };
    drawBackdrop(paper, view, axes);
    model.setCoarse(!paper.still && this.quality < 1);
    const ratio = paper.still ? paper.ratio : paper.ratio * this.quality;
    const image = renderer.render(model, view, ratio);
    paper.context.drawImage(image, 0, 0, paper.width, paper.height);
    drawLabels(paper, view, axes);
    if (paper.still || !this.cursor) return;
    const { x, y } = view.project(this.scenePoint(this.cursor, relief));
    dot(paper.context, x, y, 4.5, paper.colours.paper, paper.colours.ink);
  }

  private scenePoint({ ix, iy }: { ix: number; iy: number }, relief: Relief): Vector {
    const { field } = this.scene;
    const height = relief.heights[field.index(ix, iy)];
    return [
      sceneX(field, this.box, field.x[ix]),
      Number.isNaN(height) ? 0 : height,
      sceneZ(field, this.box, field.y[iy]),
    ];
  }

  private projection({ width, height }: { width: number; height: number }): Projection {
    return new Projection(this.cameras.of(this), width, height);
  }

  private drawFlat(paper: Paper): void {
    const { field, marks, path } = this.scene;
    const relief = this.currentShape();
    const frame = frameOf(paper.width, paper.height, this.box);
    paper.context.drawImage(
      this.heatOf(relief, frame, paper.ratio), frame.left, frame.top, frame.width, frame.height);
    if (this.view.levels) drawLevelLines(paper, frame, field, this.linesOf(relief));
    drawFrame(paper, frame, field);
    if (path && this.view.path) drawPath(paper, frame, field, path);
    drawMarks(paper, frame, field, marks);
    const { selected } = this.view;
    if (selected && field.contains(selected.x, selected.y)) {
      const { ix, iy } = field.nearest(selected.x, selected.y);
      drawCross(paper, frame, field, field.x[ix], field.y[iy]);
    }
    if (paper.still || !this.cursor) return;
    const { ix, iy } = this.cursor;
    const [x, y] = toPaper(frame, field, field.x[ix], field.y[iy]);
    dot(paper.context, x, y, 5, "rgba(255,255,255,0.25)", "#fff");
    dot(paper.context, x, y, 3.5, "rgba(255,255,255,0)", "#10141b");
  }

  private heatOf(relief: Relief, frame: Frame, ratio: number): HTMLCanvasElement {
    const width = Math.max(1, Math.round(frame.width * ratio));
    const height = Math.max(1, Math.round(frame.height * ratio));
    const key = JSON.stringify([this.shape?.key, width, height]);
    if (this.heat?.key !== key) {
      const image = make("canvas");
      image.width = width;
      image.height = height;
      image.getContext("2d")?.putImageData(heatImage(this.scene.field, relief.tone, width, height), 0, 0);
      this.heat = { key, image };
    }
    return this.heat.image;
  }

  /** Returns contours of the heights, whatever is coloured. */
  private linesOf(relief: Relief) {
    const key = this.shape?.key ?? "";
    if (this.lines?.key !== key) {
      const places = relief.heights.map((height) => height / this.box.height);
      this.lines = { key, levels: levelLines(this.scene.field, places, this.heightScale()) };
    }
    return this.lines.levels;
  }

  /** The grid point that the picture shows at a place. */
  private pointAt(at: Place): { ix: number; iy: number } | null {
    const { field } = this.scene;
    const canvas = this.figure.canvas;
    const size = { width: canvas.clientWidth, height: canvas.clientHeight };
    const found = this.is3d()
      ? pick(this.projection(size), at, field, this.box, this.currentShape().heights)
      : fromPaper(frameOf(size.width, size.height, this.box), field, at);
    return found && field.nearest(found.x, found.y);
  }

  private setCursor(point: { ix: number; iy: number } | null, aloud: boolean): void {
    if (point?.ix === this.cursor?.ix && point?.iy === this.cursor?.iy) return;
    this.cursor = point;
    this.readout.show(point, aloud);
    this.figure.redraw();
  }

  private select(point: { ix: number; iy: number } | null): void {
    if (!point) return;
    const { x, y } = this.scene.field;
    this.setCursor(point, true);
    this.state.update({ selected: { x: x[point.ix], y: y[point.iy] } });
  }

  private turn(azimuth: number, elevation: number): void {
    if (!this.is3d()) return;
    this.cameras.move(this, (camera) => ({
      ...camera,
      azimuth: camera.azimuth + azimuth,
      elevation: camera.elevation + elevation,
    }));
  }

  private zoom(factor: number): void {
    if (this.is3d()) this.cameras.move(this, (camera) => ({ ...camera, zoom: camera.zoom * factor }));
  }

  private step(dx: number, dy: number): void {
    const { field } = this.scene;
    const from = this.cursor ?? { ix: field.nx >> 1, iy: field.ny >> 1 };
    const within = (i: number, count: number): number => Math.min(count - 1, Math.max(0, i));
    this.setCursor({ ix: within(from.ix + dx, field.nx), iy: within(from.iy + dy, field.ny) }, true);
  }

  private onKey(event: KeyboardEvent): boolean {
    const arrows: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
    };
    const arrow = arrows[event.key];
    if (arrow) {
      if (this.is3d() && !event.shiftKey) this.turn(TURN * arrow[0], TURN * arrow[1]);
      else this.step(...arrow);
      return true;
    }
    switch (event.key) {
      case "+": case "=": this.zoom(1.15); return true;
      case "-": this.zoom(1 / 1.15); return true;
      case "0": case "Home": this.cameras.reset(); return true;
      case "Enter": case " ": this.select(this.cursor); return true;
      case "Escape": this.state.update({ selected: null }); return true;
      default: return false;
    }
  }
}
