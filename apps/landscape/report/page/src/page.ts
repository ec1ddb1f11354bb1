// The page from top to bottom.
import { button, make } from "./dom.ts";
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
import { surfacesSection } from "./sections/surfaces.ts";
import { trainingSection } from "./sections/training.ts";
import { trajectoriesSection } from "./sections/trajectories.ts";
import { isDark, onThemeChange, toggleTheme } from "./theme.ts";

export function showPage(root: HTMLElement, report: Report): void {
  const scenes = scenesOf(report);
  const sections = [
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
  root.replaceChildren(
    make("a", { class: "skip", text: "Skip to the figures", attributes: { href: "#figures" } }),
    header(report, sections),
    make(
      "main",
      { attributes: { id: "figures", tabindex: "-1" } },
      ...sections.map(({ id, name, about, content }) =>
        make(
          "section",
          { attributes: { id, "aria-labelledby": `${id}-name` } },
          make("div", { class: "heading" },
            make("h2", { text: name, attributes: { id: `${id}-name` } }),
            make("p", { class: "about", text: about })),
          ...content,
        )),
    ),
    make("footer", { class: "page", text: `Topograd ${report.version}` }),
  );
}

function header(report: Report, sections: Section[]): HTMLElement {
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
    make("div", { class: "title" }, make("h1", { text: report.title }), theme),
    make(
      "nav",
      { attributes: { "aria-label": "Sections" } },
      ...sections.map(({ id, name }) => make("a", { text: name, attributes: { href: `#${id}` } })),
    ),
  );
}
