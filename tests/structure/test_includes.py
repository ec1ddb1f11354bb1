#!/usr/bin/python3
"""The house's order: what may include what.

    tests/structure/test_includes.py [root]

Reads every #include "..." and every import of a TypeScript file. A file may include its own folder and the floors below; no circle of files;
cxxopts in apps/common/ alone. docs/design.md draws the floors.
"""

import os
import re
import sys

ROOT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")

# Each folder with those that it may include besides itself: everything that these may include, too.
BELOW = {
    "kernels": [],
    "nn": ["kernels"],
    "models": ["nn"],
    "data": ["nn"],
    "landscape/figures": ["kernels"],
    "landscape/results": ["models", "data"],
    "landscape/directions": ["landscape/results"],
    "landscape/evaluation": ["landscape/directions"],
    "landscape/distributed": ["landscape/evaluation"],
    "landscape/surface": ["landscape/distributed"],
    "landscape/curvature": ["landscape/surface"],
    "landscape/coherence": ["landscape/curvature"],
    "landscape/connectivity": ["landscape/surface"],
    "landscape/trajectory": ["landscape/surface"],
    "landscape/sharpness": ["landscape/curvature"],
    "landscape/planes": ["landscape/curvature", "landscape/trajectory"],
    "landscape/verification": ["landscape/results"],
    "landscape/diagnosis": ["landscape/sharpness"],
    "landscape/kinds": ["landscape/coherence", "landscape/connectivity", "landscape/trajectory", "landscape/sharpness"],
    "landscape/plots": ["landscape/figures", "landscape/kinds"],
    "landscape/exports": ["landscape/plots"],
    "apps/common": ["landscape/exports", "landscape/planes", "landscape/verification", "landscape/diagnosis"],
    "apps/train": ["apps/common"],
    "apps/bench": ["apps/common"],
    "apps/landscape/common": ["apps/common"],
    "apps/landscape": ["apps/landscape/common"],
    "apps/manual": ["apps/landscape", "apps/train"],
    "apps/python": ["apps/landscape", "apps/train"],
}


def floor_of(path):
    """The folder of the table that a file belongs to: the longest that fits."""
    fitting = [folder for folder in BELOW if path.startswith(folder + "/")]
    return max(fitting, key=len) if fitting else None


def allowed(folder, seen=None):
    seen = set() if seen is None else seen
    if folder not in seen:
        seen.add(folder)
        for below in BELOW[folder]:
            allowed(below, seen)
    return seen


def sources():
    """All files that are compiled, in the folders of the house: builds lie elsewhere, packages in node_modules."""
    found = []
    for top in ("kernels", "nn", "landscape", "data", "models", "apps", "tests", "docs", "cmake"):
        for folder, folders, files in os.walk(os.path.join(ROOT, top)):
            folders[:] = [name for name in folders if name != "node_modules"]
            found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in files
                      if name.endswith((".h", ".cpp", ".cu", ".cuh", ".ts"))]
    return sorted(found)


def includes(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    if path.endswith(".ts"):
        return [os.path.normpath(os.path.join(os.path.dirname(path), target))
                for target in re.findall(r'^\s*(?:import|export)\b[^;]*?from\s+"(\.[^"]+)"', text, re.M)]
    return re.findall(r'^\s*#\s*include\s+["<]([^">]+)[">]', text, re.M)


def upward(graph):
    """Includes of a floor that lies above."""
    for path, found in graph.items():
        here = floor_of(path)
        if here is None or os.path.basename(path).startswith("test_"):
            continue
        reach = allowed(here)
        for target in found:
            there = floor_of(target)
            if there is not None and there not in reach:
                yield f"{path} includes {target}: {here} lies below {there}"


def circles(graph):
    """Circles of files."""
    edges = {path: {target for target in found if target in graph} for path, found in graph.items()}
    state, stack, found = {}, [], []

    def visit(node):
        state[node] = "open"
        stack.append(node)
        for target in sorted(edges.get(node, ())):
            if state.get(target) == "open":
                found.append(" -> ".join(stack[stack.index(target):] + [target]))
            elif target not in state:
                visit(target)
        stack.pop()
        state[node] = "done"

    sys.setrecursionlimit(10000)
    for node in sorted(edges):
        if node not in state:
            visit(node)
    return found


def cxxopts_elsewhere(graph):
    for path, found in graph.items():
        if any("cxxopts" in target for target in found) and not path.startswith("apps/common/"):
            yield f"{path} includes cxxopts: options are declared by apps/common/options.h"


def main():
    graph = {path: includes(path) for path in sources()}
    unknown = sorted({path.split("/")[0] + "/" for path in graph if floor_of(path) is None} - {"tests/"})
    problems = [f"{folder} is not in this test's table of folders" for folder in unknown]
    problems += list(upward(graph)) + [f"a circle: {circle}" for circle in circles(graph)] + list(
        cxxopts_elsewhere(graph))
    for problem in problems:
        print(problem)
    print(f"{len(graph)} files, {sum(map(len, graph.values()))} includes: {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
