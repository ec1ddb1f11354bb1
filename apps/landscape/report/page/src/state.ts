// What the page shows of its surfaces, in one place: controls change it, views follow it.
import { diverges, type MapName } from "./colour_map.ts";
import { rangeOf, type Range } from "./field.ts";
import { isAccuracy, isLoss } from "./format.ts";
import {
  canBeLog, defaultKind, flatUnder, scaleOver, shareOf, valueAt, type Scale, type ScaleKind,
} from "./scale.ts";
import { planeNames, type Scene } from "./scenes.ts";
import { isShown, onShownChange } from "./shown.ts";

export type Scaling = "shared" | "own";

export interface View {
  mode: "3d" | "contour";
  heightPlane: string;
  colourPlane: string;
  map: MapName;
  /** null: as the surfaces' ranges suggest. */
  scaling: Scaling | null;
  /** A card for each network, with a list of its surfaces, or one for each surface. */
  cards: "network" | "surface";
  levels: boolean;
  grid: boolean;
  path: boolean;
  marks: boolean;
  /** Place of the slices, on all surfaces over one plane. */
  selected: { x: number; y: number; plane: string } | null;
}

/** Limits are kept as shares of the whole scale; typed ones may lie outside of it. */
export interface Clipping {
  /** null: as the values suggest, each surface's where scales are own. */
  kind: ScaleKind | null;
  low: number;
  high: number;
}

export class State {
  readonly planes: string[];
  view: View;
  private readonly own = new Map<Scene, Map<string, Range>>();
  private shared = new Map<string, Range>();
  private readonly clippings = new Map<string, Clipping>();
  /** Which of its surfaces a network's card shows, where it is not the first. */
  private readonly chosen = new Map<string, Scene>();
  private readonly listeners: (() => void)[] = [];

  constructor(
    readonly scenes: Scene[],
    first: string | null,
    has3d: boolean,
  ) {
    for (const scene of scenes) {
      const ranges = new Map<string, Range>();
      for (const [name, values] of scene.field.planes) {
        const range = rangeOf([values]);
        if (range) ranges.set(name, range);
      }
      this.own.set(scene, ranges);
    }
    this.planes = planeNames(scenes).filter((name) => [...this.own.values()].some((ranges) => ranges.has(name)));
    const wanted = first !== null && this.planes.includes(first) ? first : (this.planes[0] ?? "");
    const loss = this.planes.find(isLoss) ?? wanted;
    this.view = {
      mode: has3d ? "3d" : "contour",
      // Loss stays the height where something that belongs to it is asked for.
      heightPlane: isLoss(wanted) ? wanted : loss,
      colourPlane: wanted,
      map: "viridis",
      scaling: null,
      cards: "network",
      levels: true,
      grid: false,
      path: true,
      marks: true,
      selected: null,
    };
    onShownChange(() => this.notify());
  }

  subscribe(listener: () => void): void {
    this.listeners.push(listener);
  }

  update(change: Partial<View>): void {
    // Colour follows the height until it is given a plane of its own.
    if (change.heightPlane !== undefined && this.view.colourPlane === this.view.heightPlane)
      change = { colourPlane: change.heightPlane, ...change };
    this.view = { ...this.view, ...change };
    this.notify();
  }

  private notify(): void {
    this.shared = new Map();
    for (const listener of this.listeners) listener();
  }

  /** The surfaces of a scene's network that are not hidden, itself among them if it is not. */
  siblings({ network }: Scene): Scene[] {
    return this.scenes.filter((scene) => scene.network.id === network.id && isShown(scene.files[0]));
  }

  choose(scene: Scene): void {
    this.chosen.set(scene.network.id, scene);
    this.notify();
  }

  /** The surfaces that the reader has chosen from networks' lists. */
  chosenScenes(): Scene[] {
    return [...this.chosen.values()];
  }

  /** Puts scales and chosen surfaces back to the beginning. */
  forgetSettings(): void {
    this.chosen.clear();
    this.clippings.clear();
    this.notify();
  }

  isVisible(scene: Scene): boolean {
    const siblings = this.siblings(scene);
    if (!siblings.includes(scene)) return false;
    if (this.view.cards === "surface") return true;
    const chosen = this.chosen.get(scene.network.id);
    return (chosen && siblings.includes(chosen) ? chosen : siblings[0]) === scene;
  }

  visible(): Scene[] {
    return this.scenes.filter((scene) => this.isVisible(scene));
  }

  /** The range over all surfaces that are to be seen, or over one of them. */
  range(plane: string, scene?: Scene): Range {
    const known = scene ? this.own.get(scene)?.get(plane) : this.shared.get(plane);
    if (known) return known;
    const seen = this.visible();
    const ranges = (scene ? [] : seen.length > 0 ? seen : this.scenes).flatMap((one) => this.own.get(one)?.get(plane) ?? []);
    const range = rangeOf([ranges.flatMap(({ low, high, positive }) => [low, high, positive])]) ??
      { low: 0, high: 1, positive: 1 };
    if (!scene) this.shared.set(plane, range);
    return range;
  }

  defaultKind(plane: string, range = this.range(plane)): ScaleKind {
    return isAccuracy(plane) ? "linear" : defaultKind(range);
  }

  /** Linear or logarithmic; null where each surface's scale is as its values suggest. */
  kind(plane: string): ScaleKind | null {
    return this.clipping(plane).kind ?? (this.scaling(plane) === "own" ? null : this.defaultKind(plane));
  }

  /** The surfaces in sight that would be flat on one scale for all, and how many there are. */
  flat(plane: string): { flat: number; of: number } {
    const ranges = this.visible().flatMap((scene) => this.own.get(scene)?.get(plane) ?? []);
    const whole = scaleOver(this.range(plane), this.defaultKind(plane));
    return { flat: ranges.filter((range) => flatUnder(whole, range)).length, of: ranges.length };
  }

  /** Own scales where half of the surfaces or more would be flat on one, unless the reader chose. */
  scaling(plane: string): Scaling {
    if (this.view.scaling) return this.view.scaling;
    const { flat, of } = this.flat(plane);
    return flat > 0 && 2 * flat >= of ? "own" : "shared";
  }

  /** Which scales there are, and why. */
  scalingInWords(): string {
    const plane = this.view.heightPlane;
    const { flat, of } = this.flat(plane);
    const own = this.scaling(plane) === "own";
    const what = own
      ? "Each surface has a scale of its own: heights and colours do not compare."
      : "One scale of height and colour for all surfaces.";
    return flat > 0 ? `${what} On one scale ${flat} of ${of} ${own ? "would fill" : "fill"} less than a third of it.` : what;
  }

  clipping(plane: string): Clipping {
    return this.clippings.get(plane) ?? { kind: null, low: 0, high: 1 };
  }

  /** What the reader has set of the planes' limits. */
  setClippings(): ReadonlyMap<string, Clipping> {
    return this.clippings;
  }

  canBeLog(plane: string): boolean {
    return canBeLog(this.range(plane));
  }

  setClipping(plane: string, clipping: Clipping): void {
    this.clippings.set(plane, clipping);
    this.notify();
  }

  clip(plane: string, low: number, high: number): void {
    this.setClipping(plane, { ...this.clipping(plane), low, high });
  }

  /** The scale without limits: a surface's, or that of all. */
  whole(plane: string, scene?: Scene): Scale {
    const range = this.range(plane, scene);
    const kind = this.clipping(plane).kind ?? this.defaultKind(plane, range);
    return scaleOver(range, kind === "log" && !canBeLog(range) ? "linear" : kind);
  }

  /** Limits in the plane's own unit are the same for all surfaces. Returns why they cannot be, or "". */
  setLimit(plane: string, end: "low" | "high", value: number): string {
    const whole = this.whole(plane);
    if (!Number.isFinite(value)) return "not a number";
    if (whole.kind === "log" && value <= 0) return "a log scale begins above 0";
    const next = { ...this.clipping(plane), [end]: shareOf(whole, value) };
    if (this.scaling(plane) === "own") next[end === "low" ? "high" : "low"] = end === "low" ? 1 : 0;
    if (!(next.low < next.high)) return "the lower limit has to be below the upper one";
    this.clippings.set(plane, next);
    this.update({ scaling: "shared" });
    return "";
  }

  /** The clipped values stay what they are. */
  setKind(plane: string, kind: ScaleKind): void {
    const old = this.scale(plane);
    const { low, high } = this.clipping(plane);
    const whole = scaleOver(this.range(plane), kind);
    const kept = (share: number, end: 0 | 1, value: number): number => {
      const now = share === end ? end : shareOf(whole, value);
      return Number.isFinite(now) ? now : end;
    };
    this.setClipping(plane, { kind, low: kept(low, 0, old.low), high: kept(high, 1, old.high) });
  }

  /** A surface's scale; that of all of them without one. */
  scale(plane: string, scene?: Scene): Scale {
    const { low, high } = this.clipping(plane);
    const whole = this.whole(plane, this.scaling(plane) === "own" ? scene : undefined);
    return { kind: whole.kind, low: valueAt(whole, low), high: valueAt(whole, high) };
  }

  /** The scale of the colours. The middle of diverging ones is 0, where the scale has both signs. */
  colourScale(scene?: Scene): Scale {
    const scale = this.scale(this.view.colourPlane, scene);
    if (!diverges(this.view.map) || scale.kind === "log" || scale.low >= 0 || scale.high <= 0) return scale;
    const end = Math.max(-scale.low, scale.high);
    return { ...scale, low: -end, high: end };
  }
}
