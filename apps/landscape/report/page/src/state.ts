// What the page shows, in one place: controls change it, views follow it.
import type { Range } from "./field.ts";
import { rangeOf } from "./field.ts";
import { canBeLog, defaultKind, place, scaleOver, valueAt, type Scale, type ScaleKind } from "./scale.ts";
import { isLoss, planeNames, type Scene } from "./scenes.ts";

export interface View {
  mode: "3d" | "contour";
  heightPlane: string;
  colourPlane: string;
  linked: boolean;
  levels: boolean;
  grid: boolean;
  path: boolean;
  /** Place of the slices, the same on every surface. */
  selected: { x: number; y: number } | null;
}

/** Clipping is kept as shares of the whole scale. */
interface Clipping {
  kind: ScaleKind;
  low: number;
  high: number;
}

export class State {
  readonly planes: string[];
  view: View;
  private readonly ranges = new Map<string, Range>();
  private readonly clippings = new Map<string, Clipping>();
  private readonly listeners: (() => void)[] = [];

  /** Ranges are those over all surfaces: one scale for all makes them comparable. */
  constructor(scenes: Scene[], first: string | null, has3d: boolean) {
    for (const name of planeNames(scenes)) {
      const range = rangeOf(scenes.flatMap(({ field }) => field.planes.get(name) ?? []));
      if (range) this.ranges.set(name, range);
    }
    this.planes = [...this.ranges.keys()];
    const wanted = first !== null && this.ranges.has(first) ? first : (this.planes[0] ?? "");
    const loss = this.planes.find(isLoss) ?? wanted;
    this.view = {
      mode: has3d ? "3d" : "contour",
      // Loss stays the height where something that belongs to it is asked for.
      heightPlane: isLoss(wanted) ? wanted : loss,
      colourPlane: wanted,
      linked: true,
      levels: true,
      grid: false,
      path: true,
      selected: null,
    };
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
    for (const listener of this.listeners) listener();
  }

  range(plane: string): Range {
    return this.ranges.get(plane) ?? { low: 0, high: 1, positive: 1 };
  }

  clipping(plane: string): Clipping {
    return (
      this.clippings.get(plane) ?? { kind: defaultKind(this.range(plane)), low: 0, high: 1 }
    );
  }

  canBeLog(plane: string): boolean {
    return canBeLog(this.range(plane));
  }

  clip(plane: string, low: number, high: number): void {
    this.clippings.set(plane, { ...this.clipping(plane), low, high });
    this.notify();
  }

  /** The clipped values stay what they are. */
  setKind(plane: string, kind: ScaleKind): void {
    const old = this.scale(plane);
    const { low, high } = this.clipping(plane);
    const whole = scaleOver(this.range(plane), kind);
    this.clippings.set(plane, {
      kind,
      low: low === 0 ? 0 : place(whole, old.low),
      high: high === 1 ? 1 : place(whole, old.high),
    });
    this.notify();
  }

  scale(plane: string): Scale {
    const { kind, low, high } = this.clipping(plane);
    const whole = scaleOver(this.range(plane), kind);
    return { kind, low: valueAt(whole, low), high: valueAt(whole, high) };
  }
}
