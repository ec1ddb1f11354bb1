// Surfaces side by side, with what they share above and the slices through them below.
import { Cameras } from "../cameras.ts";
import { clamped, HOME, type Camera } from "../camera.ts";
import { isMap } from "../colour_map.ts";
import { make } from "../dom.ts";
import { addPart, noteChange, type Part } from "../link.ts";
import type { Section } from "../section.ts";
import { Pace } from "../pace.ts";
import type { Scene } from "../scenes.ts";
import { inOrder } from "../shown.ts";
import { SlicesPanel } from "../slices_panel.ts";
import { State, type View } from "../state.ts";
import { SurfaceCard } from "../surface_card.ts";
import { SurfaceRenderer } from "../surface_renderer.ts";
import { makeToolbar } from "../toolbar.ts";

/** The id of the card of a surface. */
export function cardId(index: number): string {
  return `surface-${index + 1}`;
}

export function surfacesSection(scenes: Scene[], plane: string | null): Section | null {
  if (scenes.length === 0) return null;
  const renderer = SurfaceRenderer.create();
  const state = new State(scenes, plane, renderer !== null);
  const cameras = new Cameras();
  const cards = scenes.map((scene, i) => {
    const card = new SurfaceCard(scene, state, cameras, renderer);
    card.element.id = cardId(i);
    return card;
  });
  const grid = make("div", { class: "cards surfaces" }, ...cards.map(({ element }) => element));
  const arrange = (): void => {
    const seen = cards.filter(({ element }) => !element.hidden).length;
    grid.className = `cards surfaces count-${Math.min(4, seen)}`;
    const wanted = inOrder(cards, ({ scene }) => scene.network.id).map(({ element }) => element);
    if (wanted.some((element, i) => grid.children[i] !== element)) grid.append(...wanted);
  };
  state.subscribe(arrange);
  arrange();
  const pace = new Pace((quality, resting) => {
    grid.setAttribute("aria-busy", String(!resting));
    cards.forEach((card) => card.setQuality(quality, resting));
  });
  cameras.subscribe(() => pace.moved());
  state.subscribe(() => pace.moved());
  addPart(partOf(state, cameras, cards, renderer !== null));
  state.subscribe(noteChange);
  cameras.subscribe(noteChange);
  const content = [
    makeToolbar(state, cameras, renderer !== null),
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
    about: "",
    count: scenes.length,
    content,
  };
}

const FLAGS = ["levels", "grid", "path", "marks"] as const;

function cameraText({ azimuth, elevation, zoom }: Camera): string {
  return [azimuth, elevation, zoom].map((value) => value.toFixed(3)).join("_");
}

function cameraIn(text: string | null): Camera | null {
  const [azimuth, elevation, zoom] = (text ?? "").split("_").map(Number);
  return [azimuth, elevation, zoom].every(Number.isFinite) ? clamped({ azimuth, elevation, zoom }) : null;
}

/** What a link keeps of the surfaces: everything that the toolbar, the cards and the pointer set. */
function partOf(state: State, cameras: Cameras, cards: SurfaceCard[], has3d: boolean): Part {
  const begin: View = { ...state.view };
  const texts = ["mode", "heightPlane", "colourPlane", "map", "scaling", "cards"] as const;
  return {
    read: () => {
      const { view } = state;
      const kept: Record<string, string> = {};
      for (const name of texts) if (view[name] !== begin[name]) kept[name] = String(view[name]);
      for (const name of FLAGS) if (view[name] !== begin[name]) kept[name] = view[name] ? "1" : "0";
      for (const [plane, { kind, low, high }] of state.setClippings())
        kept[`scale.${plane}`] = [kind ?? "auto", ...[low, high].map((share) => Number(share.toPrecision(6)))].join("_");
      const chosen = state.chosenScenes().map((scene) => state.scenes.indexOf(scene));
      if (chosen.length > 0) kept["surface"] = chosen.join(".");
      const { selected } = view;
      if (selected) kept["at"] = [selected.x, selected.y, state.scenes.findIndex(({ plane }) => plane === selected.plane)].join("_");
      if (cameras.linked) {
        const camera = cameraText(cameras.of(cards[0]));
        if (camera !== cameraText(HOME)) kept["camera"] = camera;
      } else {
        kept["cameras"] = cards.map((card) => cameraText(cameras.of(card))).join("~");
      }
      return kept;
    },
    apply: (values) => {
      const text = (name: keyof View): string | null => values.get(name);
      const plane = (name: "heightPlane" | "colourPlane"): string =>
        state.planes.find((one) => one === text(name)) ?? begin[name];
      const [mode, map, scaling, cardsFor] = [text("mode"), text("map"), text("scaling"), text("cards")];
      state.forgetSettings();
      for (const one of state.planes) {
        const [kind, low, high] = (values.get(`scale.${one}`) ?? "").split("_");
        if (["log", "linear", "auto"].includes(kind) && Number(low) < Number(high))
          state.setClipping(one, { kind: kind === "log" || kind === "linear" ? kind : null, low: Number(low), high: Number(high) });
      }
      for (const i of (values.get("surface") ?? "").split(".")) {
        const scene = i === "" ? undefined : state.scenes[Number(i)];
        if (scene) state.choose(scene);
      }
      const [x, y, index] = (values.get("at") ?? "").split("_").map(Number);
      const over = state.scenes[index]?.plane;
      state.update({
        mode: has3d && mode === "3d" ? "3d" : mode === "contour" ? "contour" : begin.mode,
        heightPlane: plane("heightPlane"),
        colourPlane: plane("colourPlane"),
        map: map && isMap(map) ? map : begin.map,
        scaling: scaling === "shared" || scaling === "own" ? scaling : null,
        cards: cardsFor === "surface" ? "surface" : "network",
        ...Object.fromEntries(FLAGS.map((name) => [name, values.has(name) ? values.get(name) === "1" : begin[name]])),
        selected: over !== undefined && Number.isFinite(x) && Number.isFinite(y) ? { x, y, plane: over } : null,
      });
      const own = values.get("cameras")?.split("~");
      cameras.setLinked(own === undefined);
      cameras.reset();
      const all = own ?? [values.get("camera") ?? ""];
      all.forEach((one, i) => {
        const camera = cameraIn(one);
        if (camera && cards[i]) cameras.move(cards[i], () => camera);
      });
    },
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
