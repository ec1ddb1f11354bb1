// Tables that scroll sideways where the screen is narrow.
import { make } from "./dom.ts";

type Cell = string | HTMLElement;

/** The first column names the rows. */
export function table(header: Cell[], rows: Cell[][]): HTMLElement {
  const heading = (cell: Cell, scope: "row" | "col"): HTMLElement =>
    make("th", { attributes: { scope } }, cell);
  const body = rows.map(([name, ...cells]) =>
    make("tr", {}, heading(name, "row"), ...cells.map((cell) => make("td", {}, cell))));
  return make(
    "div",
    { class: "table", attributes: { tabindex: "0", role: "region", "aria-label": "Table" } },
    make(
      "table",
      {},
      make("thead", {}, make("tr", {}, ...header.map((cell) => heading(cell, "col")))),
      make("tbody", {}, ...body),
    ),
  );
}
