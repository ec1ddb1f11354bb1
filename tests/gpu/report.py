"""gpu_results.json and gpu_results.md: what the steps found, for programs and for people."""
import json
import re

UNITS = ("us", "s", "TFLOP/s", "GB/s", "images/s")


def write(folder, machine, steps, figures):
    document = {"machine": machine, "steps": steps, "figures": figures}
    (folder / "gpu_results.json").write_text(json.dumps(document, indent=1) + "\n")
    (folder / "gpu_results.md").write_text(markdown(machine, steps, figures))


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(str(cell).replace("|", "/") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def number(value):
    """Three digits, or all before the point."""
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ceilings_of(figures):
    """{unit or kind of product: the most that was measured}."""
    most = {"GB/s": max([f["GB/s"] for f in figures if f["op"] == "copy" and "GB/s" in f],
                        default=None)}
    for figure in figures:
        for kind in ("f32", "tf32", "bf16"):
            if figure["implementation"] == f"cublas {kind}":
                most[kind] = figure["TFLOP/s"]
    return most


def share(figure, most):
    """How near an implementation comes to what bounds it, in words; empty where the ceiling is not known."""
    if figure["group"] == "ceilings":
        return ""
    if "TFLOP/s" in figure:
        how = figure["implementation"] + figure["case"]
        kind = "bf16" if "bf16" in how else "tf32" if "tf32" in how else "f32"
        if most.get(kind):
            return f"{100 * figure['TFLOP/s'] / most[kind]:.0f} % of cuBLAS {kind}"
    elif "GB/s" in figure and most["GB/s"]:
        return f"{100 * figure['GB/s'] / most['GB/s']:.0f} % of a copy"
    return ""


def by_case(figures):
    """Competitors beside each other: what differs in precision or epilogue alone is one case."""
    def base(figure):
        return re.sub(r", (residual|bf16x3|bf16|tf32|f32)", "", figure["case"])
    order = list(dict.fromkeys(base(figure) for figure in figures))
    return sorted(figures, key=lambda figure: order.index(base(figure)))


def figure_table(figures, most):
    units = [unit for unit in UNITS if any(unit in figure for figure in figures)]
    rows = [[figure["op"], figure["implementation"], figure["case"],
             *(number(figure.get(unit)) for unit in units),
             figure.get("failure", "") or share(figure, most)] for figure in by_case(figures)]
    return table(["operation", "implementation", "case", *units, "ceiling"], rows)


def markdown(machine, steps, figures):
    parts = [f"# {machine.get('card', 'no GPU')}, {machine['date']}\n",
             table(["", ""], [[name, value] for name, value in machine.items()]),
             "## Steps\n",
             table(["step", "status", "s", "notes"],
                   [[s["name"], s["status"], f"{s['seconds']:.0f}", "; ".join(s["notes"])]
                    for s in steps])]
    most = ceilings_of(figures)
    for group in dict.fromkeys(figure["group"] for figure in figures):
        parts += [f"## {group[0].upper()}{group[1:]}\n",
                  figure_table([f for f in figures if f["group"] == group], most)]
    return "\n".join(parts)
