#!/usr/bin/python3
"""The size of the house, for docs/results/house.md: files a folder, lines, who knows cxxopts.

    tests/structure/figures.py [root...]

Counts what git tracks of C++, CUDA, Python, TypeScript, CMake and shell, without generated values.
"""

import collections
import os
import re
import statistics
import subprocess
import sys

CODE = re.compile(r"\.(h|cpp|cu|cuh)$")
ALL = re.compile(r"(\.(h|cpp|cu|cuh|py|ts|mjs|js|css|html|sh|cmake)|CMakeLists\.txt)$")


def tracked(root):
    return subprocess.run(["git", "-C", root, "ls-files"], capture_output=True, text=True, check=True).stdout.split()


def lines(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return sum(1 for _ in file)


def figures(root):
    files = [path for path in tracked(root) if ALL.search(path) and os.path.exists(os.path.join(root, path))]
    folders = collections.Counter(os.path.dirname(path) for path in files)
    code = [path for path in files if CODE.search(path)]
    largest = folders.most_common(3)
    read = {path: open(os.path.join(root, path), encoding="utf-8").read() for path in code}
    cxxopts = [path for path, text in read.items() if re.search(r"#\s*include\s*<cxxopts", text)]
    flags = [path for path, text in read.items() if "ParseResult" in text]
    return [
        ("files", len(files)),
        ("folders", len(folders)),
        ("files a folder, median", statistics.median(folders.values())),
        ("files a folder, most", ", ".join(f"{count} ({folder or '.'})" for folder, count in largest)),
        ("lines of C++ and CUDA", sum(lines(root, path) for path in code)),
        ("of them in tests", sum(lines(root, path) for path in code
                                 if path.startswith("tests/") or "/test_" in path)),
        ("lines of all code", sum(lines(root, path) for path in files)),
        ("files that include cxxopts", len(cxxopts)),
        ("files that mention its ParseResult", len(flags)),
    ]


def main():
    columns = [figures(root) for root in sys.argv[1:] or ["."]]
    for row in zip(*columns):
        print(f"| {row[0][0]} | " + " | ".join(str(value) for _, value in row) + " |")


if __name__ == "__main__":
    main()
