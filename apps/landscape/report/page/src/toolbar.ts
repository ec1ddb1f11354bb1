// What all surfaces share: what is height and what is colour, the scale, the way of looking.
import { drawColourBar } from "./colour_bar.ts";
import { MAPS } from "./colour_map.ts";
import type { Cameras } from "./cameras.ts";
import { clippingSliders, list, oneOf, tick, typedLimits, type Control } from "./controls.ts";
import { button, make } from "./dom.ts";
import { Figure } from "./figure.ts";
import { capitalised, formatNumber, planeLabel } from "./format.ts";
import { valueAt } from "./scale.ts";
import type { State } from "./state.ts";

export function makeToolbar(state: State, cameras: Cameras, has3d: boolean): HTMLElement {
  const several = state.scenes.length > 1;
  const twice = state.scenes.some((scene) => state.siblings(scene).length > 1);
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
  const map = list("Colour map", MAPS.map((value) => ({ value, text: capitalised(value) })), () => state.view.map,
    (value) => state.update({ map: MAPS.find((one) => one === value) ?? "viridis" }));
  const heightScale = scaleControls("Scale", state, () => state.view.heightPlane);
  const colourScale = scaleControls("Colour scale", state, () => state.view.colourPlane);
  const scaling = oneOf(
    "Surfaces",
    [
      { value: "shared", text: "One scale" },
      { value: "own", text: "Own scales" },
    ],
    () => state.scaling(state.view.heightPlane),
    (chosen) => state.update({ scaling: chosen }),
  );
  const cards = oneOf(
    "A card for each",
    [
      { value: "network", text: "Network" },
      { value: "surface", text: "Surface" },
    ],
    () => state.view.cards,
    (chosen) => state.update({ cards: chosen }),
  );
  const ticks = [
    tick("Level lines", "levels", () => state.view.levels, (levels) => state.update({ levels })),
    tick("Grid", "grid", () => state.view.grid, (grid) => state.update({ grid })),
    tick("θ*, networks, minimum", "marks", () => state.view.marks, (marks) => state.update({ marks })),
    tick("Linked cameras", "linked", () => cameras.linked, (linked) => cameras.setLinked(linked)),
    ...(state.scenes.some(({ path }) => path !== null)
      ? [tick("Training path", "path", () => state.view.path, (path) => state.update({ path }))]
      : []),
  ];
  const bar = new Figure({
    label: "Scale of colours, the same for all surfaces",
    draw: (paper) => drawColourBar(paper, state.view.colourPlane, state.colourScale(), state.view.map),
    caption: () => ({ title: "Scale", about: "" }),
  });
  bar.canvas.removeAttribute("tabindex");
  bar.canvas.classList.add("bar");
  const said = make("p", { class: "about scaling", attributes: { role: "status" } });
  const reset = button("Reset view", "The cameras back to where they began", () => cameras.reset());
  const controls: Control[] = [looking, height, colour, map, heightScale, scaling, cards, colourScale, ...ticks];
  const refresh = (): void => {
    for (const control of controls) control.refresh();
    const { heightPlane, colourPlane } = state.view;
    colourScale.element.hidden = colourPlane === heightPlane;
    bar.canvas.hidden = state.scaling(colourPlane) === "own";
    said.textContent = several ? state.scalingInWords() : "";
    bar.redraw();
  };
  state.subscribe(refresh);
  refresh();
  return make(
    "div",
    { class: "toolbar" },
    make("div", { class: "row" }, looking.element, height.element, colour.element, map.element,
      heightScale.element, colourScale.element, several ? scaling.element : null, twice ? cards.element : null),
    make("div", { class: "row ticks" }, ...ticks.map(({ element }) => element), reset),
    said,
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
    () => state.kind(plane()) ?? "",
    (chosen) => state.setKind(plane(), chosen),
  );
  const isOwn = (): boolean => state.scaling(plane()) === "own";
  const sliders = clippingSliders(
    () => state.clipping(plane()),
    (low, high) => state.clip(plane(), low, high),
    (share) =>
      isOwn() ? `${Math.round(100 * share)} %` : formatNumber(valueAt(state.whole(plane()), share), 3),
  );
  const limits = typedLimits(
    () => {
      const { low, high } = state.scale(plane());
      const text = (value: number): string => (isOwn() ? "" : String(Number(value.toPrecision(4))));
      return { low: text(low), high: text(high) };
    },
    (end, value) => state.setLimit(plane(), end, value),
  );
  const controls = [kind, sliders, limits];
  return {
    element: make("div", { class: "scale", attributes: { "data-scale": label.toLowerCase() } },
      ...controls.map(({ element }) => element)),
    refresh: () => {
      for (const control of controls) control.refresh();
    },
  };
}
