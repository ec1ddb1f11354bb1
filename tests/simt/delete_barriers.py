#!/usr/bin/env python3
"""Deletes every barrier of every kernel in turn, and demands that a test fails each time.

  tests/simt/delete_barriers.py [--build build/release] [--only TEXT] [--jobs N]

A barrier is a line with __syncthreads, __syncwarp or copy_async_wait. Where it stands in a header,
each kernel file that includes the header is tried on its own. The changed kernel is compiled for the
emulator with the race checker and linked in front of the op tests' other objects; then the tests of
its operation run. A barrier that no test misses is either superfluous, or a case is missing.
Needs a finished release build. Exit status 1 if any deletion went unnoticed.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BARRIER = re.compile(r"^(?P<before>[^/]*?)"
                     r"(?P<barrier>__sync(?:threads|warp)(?:_count|_or|_and)?\([^)]*\)|"
                     r"copy_async_wait<[^>]*>\(\))\s*;")


def without_barrier(path, number):
    """The text of a file without the barrier of line `number` (from 0); the rest of the line stays.
    With number None, the text as it is."""
    if number is None:
        return path.read_text()
    lines = path.read_text().splitlines()
    lines[number] = BARRIER.sub(lambda m: m["before"] + ";", lines[number], count=1)
    return "\n".join(lines) + "\n"


def includers(header):
    """Kernel files that include a header, directly or through another kernel header."""
    wanted = [str(header.relative_to(ROOT))]
    found = set()
    while wanted:
        line = f'#include "{wanted.pop()}"'
        for path in [*ROOT.glob("kernels/*/*.cu"), *ROOT.glob("kernels/*/*.cuh")]:
            if path not in found and line in path.read_text():
                found.add(path)
                if path.suffix != ".cu":
                    wanted.append(str(path.relative_to(ROOT)))
    return sorted(path for path in found if path.suffix == ".cu")


def mutations():
    """(file with the barrier, line number from 0, kernel file to compile); before a kernel file's
    first, itself with no line, whose tests must pass."""
    tried = set()
    for path in sorted([*ROOT.glob("kernels/*/*.cu"), *ROOT.glob("kernels/*/*.cuh")]):
        numbers = [i for i, line in enumerate(path.read_text().splitlines()) if BARRIER.match(line)]
        for number in numbers:
            for kernel in [path] if path.suffix == ".cu" else includers(path):
                if kernel not in tried:
                    yield kernel, None, kernel
                    tried.add(kernel)
                yield path, number, kernel


class Build:
    """The commands of a finished build, to be repeated with one file changed."""

    def __init__(self, folder):
        self.folder = folder.resolve()
        self.commands = subprocess.run(
            ["ninja", "-C", str(self.folder), "-t", "commands", "tests/test_ops_race"],
            text=True, capture_output=True, check=True).stdout.splitlines()
        self.link = shlex.split(next(c for c in reversed(self.commands)
                                     if "-o tests/test_ops_race" in c).split(" && ")[1])

    def compile_command(self, kernel, output, overlay):
        name = f"topograd_simt_kernels_race.dir/__/{kernel.relative_to(ROOT / 'kernels')}.o"
        words = shlex.split(next(c for c in self.commands if name in c))
        words = [w for w in words if not w.endswith("ccache")]
        for option in ("-o", "-MF", "-MT"):
            words[words.index(option) + 1] = str(output) + ("" if option == "-o" else ".d")
        changed = overlay / kernel.relative_to(ROOT)
        words[words.index("-c") + 1] = str(changed if changed.exists() else kernel)
        return [words[0], f"-I{overlay}", *words[1:]]

    def run(self, words):
        return subprocess.run(words, cwd=self.folder, text=True, capture_output=True)


def try_mutation(build, mutation):
    """None if a test noticed, else what went wrong."""
    path, number, kernel = mutation
    with tempfile.TemporaryDirectory() as folder:
        overlay = pathlib.Path(folder)
        changed = overlay / path.relative_to(ROOT)
        changed.parent.mkdir(parents=True)
        changed.write_text(without_barrier(path, number))
        obj, program = overlay / "mutant.o", overlay / "test_ops_race"
        done = build.run(build.compile_command(kernel, obj, overlay))
        if done.returncode != 0:
            return "does not compile without it: " + done.stderr[-500:]
        link = list(build.link)
        link[link.index("-o") + 1] = str(program)
        first_archive = next(i for i, word in enumerate(link) if word.endswith(".a"))
        done = build.run([*link[:first_archive], str(obj), *link[first_archive:]])
        if done.returncode != 0:
            return "does not link: " + done.stderr[-500:]
        operation = kernel.parent.name
        try:
            done = subprocess.run([program, f"-sf=*/tests/ops/test_{operation}*"], text=True,
                                  capture_output=True, timeout=300, cwd=build.folder,
                                  env=dict(os.environ, TOPOGRAD_TEST_DEVICES="simt"))
        except subprocess.TimeoutExpired:
            return None  # a kernel that hangs is noticed
        if " 0 passed" in done.stdout and "0 failed" in done.stdout:
            return f"no test is named after the operation {operation}"
        if number is None:
            return None if done.returncode == 0 else "fails with every barrier in place"
        return None if done.returncode != 0 else "NO TEST FAILS"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--only", default="", help="kernel files whose path contains this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    build = Build(arguments.build)
    chosen = [m for m in mutations() if arguments.only in str(m[2])]
    deleted = unnoticed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for mutation, problem in zip(chosen, pool.map(lambda m: try_mutation(build, m), chosen)):
            path, number, kernel = mutation
            deleted += number is not None
            unnoticed += problem is not None
            if number is None and problem is None:
                continue
            place = str(path.relative_to(ROOT)) + ("" if number is None else f":{number + 1}")
            if kernel != path:
                place += f" in {kernel.name}"
            print(f"{place}: {problem or 'noticed'}", flush=True)
    print(f"{deleted} barriers deleted in turn, {unnoticed} unnoticed")
    sys.exit(1 if unnoticed else 0)


main()
