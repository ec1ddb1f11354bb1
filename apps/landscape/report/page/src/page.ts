// The page from top to bottom.
import { button, make } from "./dom.ts";
import { addPart, address, followAddress, noteChange, type Part } from "./link.ts";
import { scenesOf } from "./scenes.ts";
import type { Report } from "./schema.ts";
import type { Section } from "./section.ts";
import { coherenceSection } from "./sections/coherence.ts";
import { curvatureSection } from "./sections/curvature.ts";
import { linesSection } from "./sections/lines.ts";
import { otherSections } from "./sections/other.ts";
import { pathsSection } from "./sections/paths.ts";
import { provenanceSection } from "./sections/provenance.ts";
import { sharpnessSection } from "./sections/sharpness.ts";
import { Summary } from "./sections/summary.ts";
import { cardId, surfacesSection } from "./sections/surfaces.ts";
import { trainingSection } from "./sections/training.ts";
import { trajectoriesSection } from "./sections/trajectories.ts";
import { onShownChange } from "./shown.ts";
import { isDark, onThemeChange, toggleTheme } from "./theme.ts";

export function showPage(root: HTMLElement, report: Report): void {
  const scenes = scenesOf(report);
  const summary = new Summary(report, ({ id }) => {
    const index = scenes.surfaces.findIndex(({ network }) => network.id === id);
    return index < 0 ? null : cardId(index);
  });
  addPart(summary.part());
  onShownChange(noteChange);
  const sections = [
    summary.section(),
    surfacesSection(scenes.surfaces, report.plane),
    linesSection(scenes.lines),
    pathsSection(report),
    trajectoriesSection(report),
    sharpnessSection(report),
    curvatureSection(report),
    coherenceSection(report),
    trainingSection(report),
    ...otherSections(report),
    provenanceSection(report),
  ].filter((section) => section !== null);
  const folded = new Folded(sections);
  addPart(folded.part());
  root.replaceChildren(
    make("a", { class: "skip", text: "Skip to the figures", attributes: { href: "#figures" } }),
    header(report, sections, folded),
    make(
      "main",
      { attributes: { id: "figures", tabindex: "-1" } },
      ...sections.map((section) => folded.element(section)),
    ),
    make("footer", { class: "page", text: `Topograd ${report.version}` }),
  );
  // Links within the page go to their place and leave the address to what the page shows.
  root.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const id = link?.getAttribute("href")?.replace(/^#/, "");
    const place = id ? document.getElementById(id) : null;
    if (!place) return;
    event.preventDefault();
    folded.unfold(place.closest("section")?.id ?? "");
    const shown = place.hidden ? visibleSibling(place) : place;
    shown.scrollIntoView();
    shown.querySelector<HTMLElement>("button, canvas")?.focus({ preventScroll: true });
    if (shown.tabIndex >= 0 || shown.hasAttribute("tabindex")) shown.focus({ preventScroll: true });
  });
  followAddress();
}

/** The card of the same network that is shown in place of a hidden one. */
function visibleSibling(place: HTMLElement): HTMLElement {
  const { network } = place.dataset;
  const all = [...document.querySelectorAll<HTMLElement>(".surface")];
  return all.find((card) => card.dataset["network"] === network && !card.hidden) ?? place;
}

/** Sections that fold away. */
class Folded {
  private readonly closed = new Set<string>();
  private readonly refreshers: (() => void)[] = [];

  constructor(private readonly sections: Section[]) {}

  element({ id, name, about, content }: Section): HTMLElement {
    const body = make("div", { class: "body", attributes: { id: `${id}-body` } }, ...content);
    const fold = button(name, "Fold this section away, or unfold it", () => {
      if (!this.closed.delete(id)) this.closed.add(id);
      this.refresh();
    });
    fold.className = "fold";
    fold.setAttribute("aria-controls", `${id}-body`);
    const refresh = (): void => {
      body.hidden = this.closed.has(id);
      fold.setAttribute("aria-expanded", String(!body.hidden));
    };
    this.refreshers.push(refresh);
    refresh();
    return make(
      "section",
      { attributes: { id, "aria-labelledby": `${id}-name` } },
      make("div", { class: "heading" },
        make("h2", { attributes: { id: `${id}-name` } }, fold),
        make("p", { class: "about", text: about })),
      body,
    );
  }

  unfold(id: string): void {
    if (this.closed.delete(id)) this.refresh();
  }

  private refresh(): void {
    for (const refresh of this.refreshers) refresh();
    noteChange();
  }

  part(): Part {
    return {
      read: (): Record<string, string> => (this.closed.size > 0 ? { folded: [...this.closed].join(".") } : {}),
      apply: (values) => {
        const wanted = (values.get("folded") ?? "").split(".");
        this.closed.clear();
        for (const { id } of this.sections) if (wanted.includes(id)) this.closed.add(id);
        this.refresh();
      },
    };
  }
}

function header(report: Report, sections: Section[], folded: Folded): HTMLElement {
  const theme = button("", "", toggleTheme);
  theme.className = "theme";
  const refresh = (): void => {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.title = isDark() ? "Switch to light colours" : "Switch to dark colours";
  };
  onThemeChange(refresh);
  refresh();
  return make(
    "header",
    { class: "page" },
    make("div", { class: "title" }, make("h1", { text: report.title }),
      make("div", { class: "actions" }, copyLink(), theme)),
    make(
      "nav",
      { attributes: { "aria-label": "Contents" } },
      make("ul", {}, ...sections.map(({ id, name, count }) =>
        make("li", {},
          make("a", { attributes: { href: `#${id}` }, on: { click: () => folded.unfold(id) } }, name),
          count !== null && count > 1 ? make("span", { class: "about", text: ` ${count}` }) : null))),
    ),
  );
}

/** Puts the address that restores this view on the clipboard, or shows it where that is forbidden. */
function copyLink(): HTMLElement {
  const said = make("span", { class: "about", attributes: { role: "status" } });
  const field = make("input", { attributes: { type: "text", readonly: "", "aria-label": "Link to this view" } });
  field.hidden = true;
  const copy = button("Copy link", "A link to this file that restores what is shown now", () => {
    const text = address();
    history.replaceState(null, "", text);
    const show = (): void => {
      field.hidden = false;
      field.value = text;
      field.select();
    };
    if (!navigator.clipboard) return show();
    navigator.clipboard.writeText(text).then(() => void (said.textContent = "copied"), show);
  });
  copy.dataset["control"] = "link";
  return make("span", { class: "link" }, said, field, copy);
}
