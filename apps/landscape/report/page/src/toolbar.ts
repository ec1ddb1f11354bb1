// What all surfaces share: what is height and what is colour, the scale, the way of looking.
import { drawColourBar } from "./colour_bar.ts";
import type { Cameras } from "./cameras.ts";
import { clippingSliders, list, oneOf, tick, type Control } from "./controls.ts";
import { button, make } from "./dom.ts";
import { Figure } from "./figure.ts";
import { capitalised, formatNumber, planeLabel } from "./format.ts";
import { scaleOver, valueAt } from "./scale.ts";
import type { State } from "./state.ts";

export function makeToolbar(state: State, cameras: Cameras, has3d: boolean, hasPath: boolean): HTMLElement {
  const planes = state.planes.map((value) => ({ value, text: capitalised(planeLabel(value)) }));
  const looking = oneOf(
    "View",
    [
      { value: "3d", text: "3D", disabled: () => !has3d },
      { value: "contour", text: "Contours" },
    ],
    () => state.view.mode,
    (mode) => state.update({ mode }),
  );
  const height = list("Height", planes, () => state.view.heightPlane,
    (heightPlane) => state.update({ heightPlane }));
  const colour = list("Colour", planes, () => state.view.colourPlane,
    (colourPlane) => state.update({ colourPlane }));
  const heightScale = scaleControls("Scale", state, () => state.view.heightPlane);
  const colourScale = scaleControls("Colour scale", state, () => state.view.colourPlane);
  const ticks = [
    tick("Level lines", "levels", () => state.view.levels, (levels) => state.update({ levels })),
    tick("Grid", "grid", () => state.view.grid, (grid) => state.update({ grid })),
    tick("Linked cameras", "linked", () => cameras.linked, (linked) => cameras.setLinked(linked)),
    ...(hasPath
      ? [tick("Training path", "path", () => state.view.path, (path) => state.update({ path }))]
      : []),
  ];
  const bar = new Figure({
    label: "Scale of colours, the same for all surfaces",
    draw: (paper) => drawColourBar(paper, state.view.colourPlane, state.scale(state.view.colourPlane)),
    caption: () => ({ title: "Scale", about: "" }),
  });
  bar.canvas.removeAttribute("tabindex");
  bar.canvas.classList.add("bar");
  const reset = button("Reset view", "The cameras back to where they began", () => cameras.reset());
  const controls: Control[] = [looking, height, colour, heightScale, colourScale, ...ticks];
  const refresh = (): void => {
    for (const control of controls) control.refresh();
    colourScale.element.hidden = state.view.colourPlane === state.view.heightPlane;
    bar.redraw();
  };
  state.subscribe(refresh);
  refresh();
  return make(
    "div",
    { class: "toolbar" },
    make("div", { class: "row" }, looking.element, height.element, colour.element,
      heightScale.element, colourScale.element),
    make("div", { class: "row ticks" }, ...ticks.map(({ element }) => element), reset),
    bar.canvas,
  );
}

/** Linear or logarithmic, and the two ends. */
function scaleControls(label: string, state: State, plane: () => string): Control {
  const kind = oneOf(
    label,
    [
      { value: "linear", text: "Linear" },
      { value: "log", text: "Log", disabled: () => !state.canBeLog(plane()) },
    ],
    () => state.clipping(plane()).kind,
    (chosen) => state.setKind(plane(), chosen),
  );
  const sliders = clippingSliders(
    () => state.clipping(plane()),
    (low, high) => state.clip(plane(), low, high),
    (share) =>
      formatNumber(valueAt(scaleOver(state.range(plane()), state.clipping(plane()).kind), share), 3),
  );
  return {
    element: make("div", { class: "scale", attributes: { "data-scale": label.toLowerCase() } }, kind.element, sliders.element),
    refresh: () => {
      kind.refresh();
      sliders.refresh();
    },
  };
}
