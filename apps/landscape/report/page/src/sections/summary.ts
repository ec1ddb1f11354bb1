// All networks with their results in one table: sorted by any column, hidden and shown.
import { button, make } from "../dom.ts";
import { FINDING_NAMES, FINDINGS, findingsOf, findingsOfNetwork, type Finding, type Findings } from "../findings.ts";
import { formatNumber } from "../format.ts";
import type { Part } from "../link.ts";
import { networksOf, type Network } from "../networks.ts";
import { nameOfKind, type Report, type Result } from "../schema.ts";
import type { Section } from "../section.ts";
import { isShown, onShownChange, setOrder, setShown } from "../shown.ts";
import { scrolling } from "../table.ts";

type Column = "network" | "kind" | Finding;

const COLUMNS: { key: Column; name: string }[] = [
  { key: "network", name: "Network" },
  { key: "kind", name: "Kind" },
  ...FINDINGS.map((key) => ({ key, name: FINDING_NAMES[key] })),
];

/** Puts the noun, the word before "of", "between", ..., into the plural: "lines between networks". */
function plural(name: string): string {
  return name
    .replace(/^(.*?)(?= (?:of|between|through|along) |$)/, "$1s")
    .replace(/ys\b/, "ies")
    .replace(/^pathss\b/, "paths");
}

export function kindsInWords(results: readonly Result[]): string {
  const names = results.map(nameOfKind);
  return [...new Set(names)]
    .map((name) => {
      const count = names.filter((one) => one === name).length;
      return count === 1 ? name : `${count} ${plural(name)}`;
    })
    .join(", ");
}

interface Row {
  network: Network;
  findings: Findings;
  kinds: string;
}

/** Rows by a column, upwards or downwards; what has no number comes last, either way. */
export function sorted(rows: readonly Row[], column: Column, falling: boolean): Row[] {
  const sign = falling ? -1 : 1;
  return [...rows].sort((a, b) => {
    if (column === "network") return sign * a.network.name.localeCompare(b.network.name, "en", { numeric: true });
    if (column === "kind") return sign * a.kinds.localeCompare(b.kinds);
    const [x, y] = [a.findings[column], b.findings[column]];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return sign * (x - y);
  });
}

export class Summary {
  private readonly rows: Row[];
  private readonly body = make("tbody");
  private readonly heads = new Map<Column, HTMLElement>();
  private readonly open = new Set<string>();
  private order: { column: Column; falling: boolean } | null = null;

  constructor(
    private readonly report: Report,
    /** The id of the element that shows a network; null where none does. */
    private readonly placeOf: (network: Network) => string | null,
  ) {
    this.rows = networksOf(report).map((network) => ({
      network,
      findings: findingsOfNetwork(network),
      kinds: kindsInWords(network.results),
    }));
    onShownChange(() => this.refreshBoxes());
    this.refresh();
  }

  section(): Section {
    const files = this.report.results.map(({ file }) => file);
    const count = this.rows.length;
    return {
      id: "summary",
      name: "Summary",
      about: `${count} ${count === 1 ? "network" : "networks"}, ${files.length} ${files.length === 1 ? "result" : "results"}. Headings sort, boxes show and hide.`,
      count: null,
      content: [
        this.table(),
        make("div", { class: "row" },
          button("Show all", "Show every result", () => setShown(files, true)),
          button("Hide all", "Hide every result, to show a few", () => setShown(files, false))),
      ],
    };
  }

  private table(): HTMLElement {
    const heads = COLUMNS.map(({ key, name }) => {
      const head = make("th", { attributes: { scope: "col" } },
        button(name, `Sort by ${name}`, () => this.sortBy(key)));
      this.heads.set(key, head);
      return head;
    });
    this.refresh();
    return scrolling("Networks and results", make("table", { class: "summary" },
      make("thead", {}, make("tr", {}, ...heads)), this.body));
  }

  private sortBy(column: Column): void {
    const falling = this.order?.column === column && !this.order.falling;
    this.order = { column, falling };
    this.refresh();
  }

  private refresh(): void {
    const { order } = this;
    const rows = order ? sorted(this.rows, order.column, order.falling) : this.rows;
    for (const [column, head] of this.heads) {
      if (order?.column === column) head.setAttribute("aria-sort", order.falling ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    this.body.replaceChildren(...rows.flatMap((row) => this.rowsOf(row)));
    this.refreshBoxes();
    setOrder(rows.map(({ network }) => network.id));
  }

  /** A network's row, then, where it is unfolded, one for each of its results. */
  private rowsOf({ network, findings, kinds }: Row): HTMLElement[] {
    const { results } = network;
    const isOpen = this.open.has(network.id);
    const fold = button(isOpen ? "▾" : "▸", "The network's results", () => {
      if (!this.open.delete(network.id)) this.open.add(network.id);
      this.refresh();
      const again = [...this.body.querySelectorAll<HTMLElement>("[data-fold]")].find(({ dataset }) => dataset["fold"] === network.id);
      again?.focus();
    });
    fold.className = "fold";
    fold.dataset["fold"] = network.id;
    fold.setAttribute("aria-expanded", String(isOpen));
    fold.setAttribute("aria-label", `Results of ${network.name}`);
    fold.disabled = results.length < 2;
    const place = this.placeOf(network);
    const name = place
      ? make("a", { text: network.name, attributes: { href: `#${place}` } })
      : make("span", { text: network.name });
    const head = make("span", { class: "entry" },
      this.box(results.map(({ file }) => file), network.name), fold,
      make("span", {}, name, make("span", { class: "about", text: network.architecture })));
    const own = this.line(head, kinds, findings, "network");
    if (!isOpen) return [own];
    return [own, ...results.map((result) =>
      this.line(
        make("span", { class: "entry result" }, this.box([result.file], result.file), make("span", { class: "file", text: result.file })),
        kindsInWords([result]), findingsOf(result), "result"))];
  }

  private line(head: HTMLElement, kinds: string, findings: Findings, what: string): HTMLElement {
    const cells = FINDINGS.map((name) =>
      make("td", { class: "number", text: formatNumber(findings[name], 4), attributes: { "data-finding": name } }));
    return make("tr", { class: what }, make("th", { attributes: { scope: "row" } }, head), make("td", { text: kinds }), ...cells);
  }

  private box(files: string[], name: string): HTMLInputElement {
    const box = make("input", {
      attributes: { type: "checkbox", "aria-label": `Show ${name}`, "data-control": "show" },
      on: { change: () => setShown(files, box.checked) },
    });
    box.dataset["files"] = JSON.stringify(files);
    return box;
  }

  private refreshBoxes(): void {
    for (const box of this.body.querySelectorAll<HTMLInputElement>("input[data-files]")) {
      const files = JSON.parse(box.dataset["files"] ?? "[]") as string[];
      const shown = files.filter(isShown).length;
      box.checked = shown > 0;
      box.indeterminate = shown > 0 && shown < files.length;
      box.closest("tr")?.classList.toggle("hidden-result", shown === 0);
    }
  }

  /** What a link keeps of it: the order, and what is hidden. */
  part(): Part {
    const { results } = this.report;
    return {
      read: () => {
        const hidden = results.flatMap(({ file }, i) => (isShown(file) ? [] : [i]));
        return {
          ...(hidden.length > 0 ? { hide: hidden.join(".") } : {}),
          ...(this.order ? { sort: this.order.column + (this.order.falling ? "-" : "") } : {}),
        };
      },
      apply: (values) => {
        const hidden = new Set((values.get("hide") ?? "").split(".").filter((text) => text !== "").map(Number));
        setShown(results.map(({ file }) => file), true);
        setShown(results.filter((_, i) => hidden.has(i)).map(({ file }) => file), false);
        const [, name, falling] = /^(\w+)(-?)$/.exec(values.get("sort") ?? "") ?? [];
        const column = COLUMNS.find(({ key }) => key === name)?.key;
        this.order = column ? { column, falling: falling === "-" } : null;
        this.refresh();
      },
    };
  }
}
