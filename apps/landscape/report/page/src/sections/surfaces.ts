// Surfaces side by side, with what they share above and the slices through them below.
import { Cameras } from "../cameras.ts";
import { make } from "../dom.ts";
import type { Section } from "../section.ts";
import { Pace } from "../pace.ts";
import type { Scene } from "../scenes.ts";
import { SlicesPanel } from "../slices_panel.ts";
import { State } from "../state.ts";
import { SurfaceCard } from "../surface_card.ts";
import { SurfaceRenderer } from "../surface_renderer.ts";
import { makeToolbar } from "../toolbar.ts";

export function surfacesSection(scenes: Scene[], plane: string | null): Section | null {
  if (scenes.length === 0) return null;
  const renderer = SurfaceRenderer.create();
  const state = new State(scenes, plane, renderer !== null);
  const cameras = new Cameras();
  const cards = scenes.map((scene) => new SurfaceCard(scene, state, cameras, renderer));
  const grid = make(
    "div",
    { class: `cards surfaces count-${Math.min(4, cards.length)}` },
    ...cards.map(({ element }) => element),
  );
  const pace = new Pace((quality) => {
    grid.setAttribute("aria-busy", String(quality < 1));
    cards.forEach((card) => card.setQuality(quality));
  });
  cameras.subscribe(() => pace.moved());
  state.subscribe(() => pace.moved());
  const hasPath = scenes.some(({ path }) => path !== null);
  const content = [
    makeToolbar(state, cameras, renderer !== null, hasPath),
    grid,
    new SlicesPanel(scenes, state).element,
    keys(renderer !== null),
  ];
  if (!renderer)
    content.unshift(
      make("p", {
        class: "notice",
        text:
          "This browser offers no WebGL, which the 3D view needs: contours are shown instead. " +
          "WebGL may be switched off in its settings, or the graphics driver not supported.",
      }),
    );
  return {
    id: "surfaces",
    name: scenes.length > 1 ? "Surfaces" : "Surface",
    about: scenes.length > 1 ? "One scale of height and colour for all of them." : "",
    content,
  };
}

function keys(has3d: boolean): HTMLElement {
  const line = (key: string, what: string): HTMLElement =>
    make("div", {}, make("dt", {}, make("kbd", { text: key })), make("dd", { text: what }));
  return make(
    "details",
    { class: "keys" },
    make("summary", { text: "Keys, once a surface is focused (Tab)" }),
    make(
      "dl",
      {},
      ...(has3d
        ? [line("Arrows", "turn the 3D view"), line("Shift + arrows", "move the cursor in 3D")]
        : []),
      line("Arrows", "move the cursor over contours"),
      line("Enter", "slices through the cursor"),
      line("Esc", "no slices"),
      ...(has3d ? [line("+ −", "nearer, further; the wheel too"), line("0", "reset the view")] : []),
    ),
  );
}
