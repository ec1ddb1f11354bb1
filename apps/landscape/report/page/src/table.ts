// Tables that scroll where the screen is narrow or low; their heads and first columns stay in sight.
import { make } from "./dom.ts";

const WIDE = 9; // columns

type Cell = string | HTMLElement;

/** The first column names the rows. */
export function table(header: Cell[], rows: Cell[][]): HTMLElement {
  const heading = (cell: Cell, scope: "row" | "col"): HTMLElement =>
    make("th", { attributes: { scope } }, cell);
  const body = rows.map(([name, ...cells]) =>
    make("tr", {}, heading(name, "row"), ...cells.map((cell) => make("td", {}, cell))));
  const region = scrolling(
    typeof header[0] === "string" ? `Table by ${header[0].toLowerCase()}` : "Table",
    make(
      "table",
      {},
      make("thead", {}, make("tr", {}, ...header.map((cell) => heading(cell, "col")))),
      make("tbody", {}, ...body),
    ));
  // Paper does not scroll: such a table is set smaller there.
  region.classList.toggle("wide", header.length > WIDE);
  return region;
}

/** A table in a region that scrolls, by keyboard too. */
export function scrolling(name: string, content: HTMLTableElement): HTMLElement {
  return make("div", { class: "table", attributes: { tabindex: "0", role: "region", "aria-label": name } }, content);
}
