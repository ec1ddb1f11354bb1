// The values at the point under the pointer or the keys' cursor.
import { make } from "./dom.ts";
import type { Field } from "./field.ts";
import { capitalised, formatEstimate, formatNumber, formatValue, isLoss, planeLabel } from "./format.ts";
import type { State } from "./state.ts";

export class Readout {
  readonly element: HTMLElement;

  constructor(
    private readonly field: Field,
    private readonly state: State,
  ) {
    this.element = make("dl", { class: "readout", attributes: { "aria-live": "off" } });
    this.show(null);
  }

  /** `aloud`: a screen reader says it; for keys, not for every move of a pointer. */
  show(point: { ix: number; iy: number } | null, aloud = false): void {
    this.element.setAttribute("aria-live", aloud ? "polite" : "off");
    if (!point) {
      this.element.replaceChildren(make("dt", { class: "hint", text: "Point at the surface for its values; click for slices." }));
      return;
    }
    const { field } = this;
    const index = field.index(point.ix, point.iy);
    const entry = (name: string, label: string, value: string): HTMLElement =>
      make("div", { attributes: { "data-value": name } }, make("dt", { text: label }), make("dd", { text: value }));
    this.element.replaceChildren(
      entry("alpha", "α", formatNumber(field.x[point.ix])),
      entry("beta", "β", formatNumber(field.y[point.iy])),
      ...(field.isDone(index)
        ? this.shown().map((plane) => entry(plane, capitalised(planeLabel(plane)), this.textOf(plane, index)))
        : [entry("state", "", "not computed yet")]),
    );
  }

  /** Returns the planes read out: heights, colours, and the accuracy that belongs to the loss. */
  private shown(): string[] {
    const { heightPlane, colourPlane } = this.state.view;
    const accuracy = heightPlane.replace(/_loss.*$/, "_acc");
    const names = new Set([heightPlane, ...(isLoss(heightPlane) ? [accuracy] : []), colourPlane]);
    return [...names].filter((name) => this.field.planes.has(name));
  }

  private textOf(plane: string, index: number): string {
    const value = this.field.value(plane, index);
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : formatNumber(value);
    const error = this.field.planes.has(`${plane}_se`) ? this.field.value(`${plane}_se`, index) : NaN;
    return Number.isNaN(error) ? formatValue(plane, value) : formatEstimate(value, error);
  }
}
