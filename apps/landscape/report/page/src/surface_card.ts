// One surface with its name, its picture in 3D or from above, what is marked on it in words, the values under
// the pointer and its downloads.
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
  drawHoles,
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
import { capitalised, fileStem, planeLabel } from "./format.ts";
import { listenTo, type Place } from "./gestures.ts";
import { holeCells, holesInWords, holesOf, type HoleCell } from "./holes.ts";
import { pick } from "./picking.ts";
import { Readout } from "./readout.ts";
import { boxOf, reliefOf, sceneX, sceneZ, type Relief } from "./relief.ts";
import { levels, place } from "./scale.ts";
import { describe, type Scene } from "./scenes.ts";
import { drawGlyph, drawSpots } from "./spot_drawing.ts";
import { spotInWords, spotsOf, type Spot } from "./spots.ts";
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
  /** What is marked, for the plane that is shown. */
  private facts: { plane: string; spots: Spot[]; holes: HoleCell[] } | null = null;
  private readonly list = make("select", {
    attributes: { "data-control": "surface" },
    on: {
      change: () => {
        const chosen = this.state.siblings(this.scene)[this.list.selectedIndex];
        if (chosen) this.state.choose(chosen);
      },
    },
  });
  private readonly heading = make("h3");
  private readonly about = make("p", { class: "about" });
  private readonly said = make("ul", { class: "facts" });
  private readonly bar: Figure;
  private lines: { key: string; levels: ReturnType<typeof levelLines> } | null = null;
  /** The grid point under the pointer, or the keys' cursor. */
  private cursor: { ix: number; iy: number } | null = null;
  /** Pixels drawn for one that is shown, each way. */
  private quality;

  constructor(
    readonly scene: Scene,
    private readonly state: State,
    private readonly cameras: Cameras,
    private readonly renderer: SurfaceRenderer | null,
  ) {
    this.box = boxOf(scene.field);
    this.quality = renderer?.finest ?? 1;
    this.model = renderer?.makeModel() ?? null;
    const { nx, ny } = scene.field;
    this.model?.setBox(this.box.height, [nx - 1, ny - 1], [this.box.halfX, this.box.halfZ]);
    this.figure = new Figure({
      label: `${scene.name}: surface. Arrow keys turn it or move the cursor, Enter slices.`,
      draw: (paper) => (this.is3d() ? this.drawRelief(paper) : this.drawFlat(paper)),
      caption: () => ({ title: scene.name, about: this.aboutText() }),
      footer: { height: () => 62, draw: (paper) => this.drawBar(paper, 24) },
    });
    this.bar = new Figure({
      label: `Scale of colours of ${scene.name}`,
      draw: (paper) => this.drawBar(paper, 0),
      caption: () => ({ title: "Scale", about: "" }),
    });
    this.bar.canvas.removeAttribute("tabindex");
    this.bar.canvas.classList.add("bar");
    this.heading.title = scene.files.join("\n");
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
    return this.state.colourScale(this.scene);
  }
  private heightScale() {
    return this.state.scale(this.view.heightPlane, this.scene);
  }
  private plane(name: string): Float32Array {
    const { field } = this.scene;
    return field.planes.get(name) ?? new Float32Array(field.nx * field.ny).fill(NaN);
  }

  private drawBar(paper: Paper, inset: number): void {
    drawColourBar(paper, this.view.colourPlane, this.colourScale(), this.view.map, inset);
  }
  private aboutText(): string {
    const { architecture } = this.scene.network;
    return [...(architecture ? [architecture] : []), describe(this.scene, this.view.heightPlane)].join("; ");
  }
  private currentFacts() {
    const plane = this.view.heightPlane;
    const { field } = this.scene;
    if (this.facts?.plane !== plane)
      this.facts = { plane, spots: spotsOf(this.scene, plane), holes: holeCells(field, plane) };
    return this.facts;
  }

  /** Sets the resolution: lower while something moves and frames come too slowly. */
  setQuality(quality: number, resting: boolean): void {
    const fine = resting ? (this.renderer?.finest ?? 1) : quality;
    if (fine === this.quality) return;
    this.quality = fine;
    this.figure.redraw();
  }

  private layOut(): HTMLElement {
    const { scene, figure } = this;
    const name = fileName(scene.name);
    return make(
      "article",
      { class: "card surface", attributes: { "data-network": scene.network.id } },
      make(
        "header",
        {},
        this.heading,
        this.about,
        make("label", { class: "which" }, "Surface ", this.list),
      ),
      make("div", { class: "picture" }, figure.canvas),
      this.bar.canvas,
      this.said,
      this.readout.element,
      make(
        "footer",
        {},
        button("PNG", `Save the picture of ${scene.name} as PNG`, () => void figure.savePng()),
        button("SVG", `Save the picture of ${scene.name} as SVG`, () => figure.saveSvg()),
        button("CSV", `Save the values of ${scene.name} as CSV`, () =>
          saveText(`${name}.csv`, "text/csv", surfaceCsv(scene.field))),
        button("JSON", `Save the values and the provenance of ${scene.name} as JSON`, () =>
          saveText(`${name}.json`, "application/json", surfaceJson(scene))),
        this.toSlices,
      ),
    );
  }

  private refresh(): void {
    this.element.hidden = !this.state.isVisible(this.scene);
    if (this.element.hidden) return;
    this.figure.canvas.classList.toggle("turns", this.is3d());
    this.toSlices.hidden = this.view.selected?.plane !== this.scene.plane;
    this.about.textContent = this.aboutText();
    this.showList();
    this.showFacts();
    this.readout.show(this.cursor);
    this.bar.canvas.hidden = this.state.scaling(this.view.colourPlane) === "shared";
    this.bar.redraw();
    this.figure.redraw();
  }

  /** The network's surfaces, of which this card shows one. */
  private showList(): void {
    const siblings = this.view.cards === "network" ? this.state.siblings(this.scene) : [];
    const label = this.list.parentElement;
    if (label) label.hidden = siblings.length < 2;
    this.heading.textContent = siblings.length < 2 ? this.scene.name : this.scene.network.name;
    if (siblings.length < 2) return;
    const names = siblings.map((one) => fileStem(one.files[0]) + (one.directions.x ? `: ${one.directions.x}` : ""));
    if (names.join("\n") !== [...this.list.options].map(({ text }) => text).join("\n"))
      this.list.replaceChildren(...names.map((text) => make("option", { text })));
    this.list.selectedIndex = siblings.indexOf(this.scene);
  }

  /** The networks and the minimum with their values, what the axes are, and points without a value. */
  private showFacts(): void {
    const { field, directions } = this.scene;
    const { heightPlane: plane } = this.view;
    const { spots } = this.currentFacts();
    const line = (mark: Node | string, text: string, what: string): HTMLElement =>
      make("li", { attributes: { "data-fact": what } }, mark, make("span", { text }));
    const glyph = (kind: Spot["kind"]): HTMLCanvasElement => {
      const canvas = make("canvas", { attributes: { width: "36", height: "36", "aria-hidden": "true" } });
      const context = canvas.getContext("2d");
      context?.scale(2, 2);
      if (context) drawGlyph(context, kind, 9, 9);
      return canvas;
    };
    const holes = holesInWords(holesOf(field, plane));
    const axes = [["α", directions.x], ["β", directions.y]].flatMap(([letter, text]) => (text ? [`${letter}: ${text}`] : []));
    this.said.replaceChildren(
      ...(this.view.marks ? spots.map((spot) => line(glyph(spot.kind), spotInWords(spot, plane), spot.kind)) : []),
      ...(holes ? [line(make("span", { class: "hatched" }), holes, "holes")] : []),
      ...(field.planes.has(plane) ? [] : [line("", `This surface has no ${planeLabel(plane)}.`, "absent")]),
      ...(axes.length > 0 ? [line("", axes.join("; "), "axes")] : []),
    );
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
    const { path } = this.view;
    const selected = this.selectedHere();
    const colours = palette();
    const key = JSON.stringify([path, selected, colours.path, colours.ink]);
    if (key === this.drawnStrokes) return;
    this.drawnStrokes = key;
    this.model?.setStrokes(
      strokesOn(this.scene, this.box, relief.heights, { path, selected, colours }),
    );
  }

  /** The chosen point, on the surfaces over its plane. */
  private selectedHere() {
    const { selected } = this.view;
    return selected?.plane === this.scene.plane ? selected : null;
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
      valueLabel: capitalised(planeLabel(this.view.heightPlane)),
      directions: this.scene.directions,
      holes: this.currentFacts().holes,
    };
    drawBackdrop(paper, view, axes);
    model.setCoarse(!paper.still && this.quality < 1);
    const ratio = paper.still ? paper.ratio : paper.ratio * this.quality;
    renderer.setMap(this.view.map);
    const image = renderer.render(model, view, ratio);
    paper.context.drawImage(image, 0, 0, paper.width, paper.height);
    drawLabels(paper, view, axes);
    if (this.view.marks) this.drawSpotsIn3d(paper, view, relief);
    if (paper.still || !this.cursor) return;
    const { x, y } = view.project(this.scenePoint(this.cursor, relief));
    dot(paper.context, x, y, 4.5, paper.colours.paper, paper.colours.ink);
  }

  private drawSpotsIn3d(paper: Paper, view: Projection, relief: Relief): void {
    const { field } = this.scene;
    const placed = this.currentFacts().spots.flatMap(({ name, kind, x, y }) => {
      const height = field.interpolate(relief.heights, x, y);
      if (Number.isNaN(height)) return [];
      const at = view.project([sceneX(field, this.box, x), height, sceneZ(field, this.box, y)]);
      const seen = pick(view, at, field, this.box, relief.heights);
      const off = (axis: readonly number[], a: number, b: number): boolean =>
        Math.abs(a - b) > 0.06 * Math.abs(axis[axis.length - 1] - axis[0]);
      const behind = seen !== null && (off(field.x, seen.x, x) || off(field.y, seen.y, y));
      return [{ name, kind, x: at.x, y: at.y, behind }];
    });
    drawSpots(paper, placed);
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
    const { field, path, directions } = this.scene;
    const relief = this.currentShape();
    const { spots, holes } = this.currentFacts();
    const frame = frameOf(paper.width, paper.height, this.box);
    drawHoles(paper, frame, field, holes);
    paper.context.drawImage(
      this.heatOf(relief, frame, paper.ratio), frame.left, frame.top, frame.width, frame.height);
    if (this.view.levels) drawLevelLines(paper, frame, field, this.linesOf(relief), spots);
    drawFrame(paper, frame, field, directions);
    if (path && this.view.path) drawPath(paper, frame, field, path);
    if (this.view.marks) drawMarks(paper, frame, field, spots);
    const selected = this.selectedHere();
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
    const { map } = this.view;
    const key = JSON.stringify([this.shape?.key, map, width, height]);
    if (this.heat?.key !== key) {
      const image = make("canvas");
      image.width = width;
      image.height = height;
      image.getContext("2d")?.putImageData(heatImage(this.scene.field, relief.tone, map, width, height), 0, 0);
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
    this.state.update({ selected: { x: x[point.ix], y: y[point.iy], plane: this.scene.plane } });
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
