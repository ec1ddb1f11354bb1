// What every number of the page was made from, and how.
import { make } from "../dom.ts";
import type { Section } from "../section.ts";
import { nameOfKind, type Report, type Result } from "../schema.ts";

export function provenanceSection(report: Report): Section {
  return {
    id: "provenance",
    name: "Provenance",
    about: "What the files say of their own making.",
    count: null,
    content: [...report.results.map(detailsOf), command("This page", report.command)],
  };
}

function detailsOf(result: Result): HTMLElement {
  const facts = Object.entries(result.provenance);
  return make(
    "details",
    { class: "provenance" },
    make("summary", {}, make("span", { class: "file", text: result.file }), make("span", { class: "kind", text: nameOfKind(result) })),
    facts.length > 0
      ? make("dl", {}, ...facts.map(([name, value]) => make("div", {}, make("dt", { text: name }), make("dd", { text: value }))))
      : make("p", { class: "about", text: "The file says nothing of its making." }),
  );
}

function command(what: string, typed: string): HTMLElement {
  return make("p", { class: "command" }, make("span", { text: what }), make("code", { text: typed }));
}
