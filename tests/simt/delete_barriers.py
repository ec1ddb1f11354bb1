#!/usr/bin/env python3
"""Deletes every barrier of every kernel in turn, and demands that a test fails each time.

  tests/simt/delete_barriers.py [--build build/release] [--tests test_ops] [--only TEXT] [--jobs N] [--again] [--short]

A barrier is a line with __syncthreads, __syncwarp, __threadfence, copy_async_wait or
copy_async_commit. Where it stands in a header, each kernel file that includes the header is tried on
its own. The changed kernel is compiled for the emulator and linked in front of the op tests' other
objects; then the tests of its operation run: test_ops, which have to see a wrong result, or with
--tests test_ops_race those with the race checker, which take four times as long. A barrier that no
test misses is either superfluous, or a case is missing.
--short is for after the tests themselves: the kernels as they are do not run once more, and a header's barrier is
deleted in one kernel file, the first that has a use for it.
What was noticed is noted down in the build's folder, beside a hash of all that it depends on (the changed kernel, every
header of kernels/, the emulator, the operation's tests, the compiler's options), and is not tried again until one of
these changes; --again: all of them.
Needs a finished build of these tests. Exit status 1 if any deletion went unnoticed.
"""
import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = (r"__syncthreads(?:_count|_or|_and)?|__syncwarp|__threadfence(?:_block)?|"
         r"copy_async_wait|copy_async_commit")
BARRIER = re.compile(rf"^(?P<before>[^/]*?)\b(?:{NAMES})(?:<[^>]*>)?\([^)]*\)\s*;")
MENTION = re.compile(rf"^[^/]*\b(?:{NAMES})\b")  # outside a comment
# The object library of each test program's kernels.
KERNEL_OBJECTS = {"test_ops_race": "topograd_simt_kernels_race", "test_ops": "topograd_simt_kernels"}


def kernel_sources(*suffixes):
    """Files of kernels; not the emulator, nor the header that defines what it emulates."""
    return sorted(path for suffix in suffixes for path in ROOT.glob(f"kernels/*/*{suffix}")
                  if path.parent.name != "simt" and path.name != "launch.h")


def without_barrier(path, number):
    """The text of a file without the barrier of line `number` (from 0); the rest of the line stays.
    With number None, the text as it is."""
    if number is None:
        return path.read_text()
    lines = path.read_text().splitlines()
    lines[number] = BARRIER.sub(lambda m: m["before"] + ";", lines[number], count=1)
    return "\n".join(lines) + "\n"


def includers(header):
    """Kernel files that include a header, directly or through another one."""
    wanted = [str(header.relative_to(ROOT))]
    found = set()
    while wanted:
        line = f'#include "{wanted.pop()}"'
        for path in kernel_sources(".cu", ".cuh", ".h"):
            if path not in found and line in path.read_text():
                found.add(path)
                if path.suffix != ".cu":
                    wanted.append(str(path.relative_to(ROOT)))
    return sorted(path for path in found if path.suffix == ".cu")


def mutations(short):
    """(file with the barrier, line number from 0, kernel files of which the first that has a use for the barrier is
    compiled); before a kernel file's first, itself with no line, whose tests must pass."""
    tried = set()
    for path in kernel_sources(".cu", ".cuh", ".h"):
        for number, line in enumerate(path.read_text().splitlines()):
            if not MENTION.match(line):
                continue
            if not BARRIER.match(line):
                sys.exit(f"{path.relative_to(ROOT)}:{number + 1}: this script cannot delete: {line}")
            kernels = [path] if path.suffix == ".cu" else includers(path)
            if short:
                yield path, number, kernels
                continue
            for kernel in kernels:
                if kernel not in tried:
                    yield kernel, None, [kernel]
                    tried.add(kernel)
                yield path, number, [kernel]


class Build:
    """The commands of a finished build, to be repeated with one file changed."""

    def __init__(self, folder, tests):
        self.folder = folder.resolve()
        self.tests = tests
        self.commands = subprocess.run(
            ["ninja", "-C", str(self.folder), "-t", "commands", f"tests/{tests}"],
            text=True, capture_output=True, check=True).stdout.splitlines()
        self.link = shlex.split(next(c for c in reversed(self.commands)
                                     if f"-o tests/{tests} " in c).split(" && ")[1])

    def object_name(self, kernel):
        return (f"kernels/simt/CMakeFiles/{KERNEL_OBJECTS[self.tests]}.dir/__/"
                f"{kernel.relative_to(ROOT / 'kernels')}.o")

    def compile_command(self, kernel, output, overlay):
        words = shlex.split(next(c for c in self.commands if self.object_name(kernel) in c))
        words = [w for w in words if not w.endswith("ccache")]
        for option in ("-o", "-MF", "-MT"):
            words[words.index(option) + 1] = str(output) + ("" if option == "-o" else ".d")
        changed = overlay / kernel.relative_to(ROOT)
        words[words.index("-c") + 1] = str(changed if changed.exists() else kernel)
        return [words[0], f"-I{overlay}", *words[1:]]

    def is_unchanged(self, kernel, obj):
        """Whether a kernel file compiles to the code that it had: it has no use for the barrier."""
        names = [obj.with_suffix(".before"), obj.with_suffix(".after")]
        for source, stripped in zip([self.folder / self.object_name(kernel), obj], names):
            subprocess.run(["objcopy", "--strip-debug", source, stripped], check=True)
        return names[0].read_bytes() == names[1].read_bytes()

    def receipt(self, mutation):
        """A hash of what decides how a mutation goes: the same one goes the same way."""
        path, number, kernels = mutation
        parts = [str((path.relative_to(ROOT), number, self.tests)), without_barrier(path, number)]
        for kernel in kernels:
            parts += [str(kernel.relative_to(ROOT)), kernel.read_text(),
                      next(c for c in self.commands if self.object_name(kernel) in c)]
        shared = {*ROOT.glob("kernels/*/*.h"), *ROOT.glob("kernels/*/*.cuh"), *ROOT.glob("kernels/simt/*.cpp"),
                  *ROOT.glob("tests/ops/*.h"), *(p for k in kernels for p in k.parent.glob("*.cpp")),
                  pathlib.Path(__file__)}
        parts += [file.read_text() for file in sorted(shared)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def run(self, words):
        return subprocess.run(words, cwd=self.folder, text=True, capture_output=True)


def symptom(output):
    """How the tests' output shows that something is wrong, in a few words."""
    reported = re.search(r"(race between blocks|race|undefined memory|missing copy_async_wait"
                         r"|deadlock|divergent barrier|out of bounds)[: ]", output)
    if reported:
        return reported[1]
    return "wrong result" if "ERROR: CHECK" in output else "a crash"


def try_mutation(build, mutation):
    """(whether a test noticed, or for no mutation at all whether they pass; how it went; in which kernel file). None
    where no kernel file that includes the barrier's header has the barrier."""
    path, number, kernels = mutation
    for kernel in kernels:
        good, how = try_in_kernel(build, path, number, kernel)
        if good is not None:
            break
    return good, how, kernel


def try_in_kernel(build, path, number, kernel):
    """The first two of these."""
    with tempfile.TemporaryDirectory() as folder:
        overlay = pathlib.Path(folder)
        changed = overlay / path.relative_to(ROOT)
        changed.parent.mkdir(parents=True)
        changed.write_text(without_barrier(path, number))
        obj, program = overlay / "mutant.o", overlay / build.tests
        done = build.run(build.compile_command(kernel, obj, overlay))
        if done.returncode != 0:
            return False, "does not compile without it: " + done.stderr[-500:]
        if path != kernel and build.is_unchanged(kernel, obj):
            return None, ""
        link = list(build.link)
        link[link.index("-o") + 1] = str(program)
        first_archive = next(i for i, word in enumerate(link) if word.endswith(".a"))
        done = build.run([*link[:first_archive], str(obj), *link[first_archive:]])
        if done.returncode != 0:
            return False, "does not link: " + done.stderr[-500:]
        operation = kernel.parent.name
        try:
            done = subprocess.run([program, "--abort-after=1", f"-sf=*/kernels/{operation}/test_*"],
                                  text=True, capture_output=True, timeout=300, cwd=build.folder,
                                  env=dict(os.environ, TOPOGRAD_TEST_DEVICES="simt"))
        except subprocess.TimeoutExpired:
            return number is not None, "runs for ever"
        if " 0 passed" in done.stdout and "0 failed" in done.stdout:
            return False, f"no test is named after the operation {operation}"
        if number is None:
            return done.returncode == 0, "fails with every barrier in place"
        return done.returncode != 0, symptom(done.stdout) if done.returncode else "NO TEST FAILS"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--tests", choices=KERNEL_OBJECTS, default="test_ops")
    parser.add_argument("--only", default="", help="kernel files whose path contains this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--short", action="store_true", help="in a push, after the tests")
    parser.add_argument("--again", action="store_true", help="also what was noticed before")
    arguments = parser.parse_args()
    build = Build(arguments.build, arguments.tests)
    chosen = [m for m in mutations(arguments.short) if any(arguments.only in str(kernel) for kernel in m[2])]
    receipts = build.folder / "noticed_barriers.txt"
    noticed = set(receipts.read_text().split()) if receipts.exists() and not arguments.again else set()
    before = len(chosen)
    chosen = [m for m in chosen if build.receipt(m) not in noticed]
    skipped = before - len(chosen)
    deleted = unnoticed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for mutation, (good, how, kernel) in zip(chosen, pool.map(lambda m: try_mutation(build, m), chosen)):
            path, number, _ = mutation
            if good is not False:
                with receipts.open("a") as file:
                    file.write(build.receipt(mutation) + "\n")
            if good is None:
                continue
            deleted += number is not None
            unnoticed += not good
            if number is None and good:
                continue
            place = str(path.relative_to(ROOT)) + ("" if number is None else f":{number + 1}")
            if kernel != path:
                place += f" in {kernel.name}"
            print(f"{place}: {'noticed, ' if good else ''}{how}", flush=True)
    if skipped:
        print(f"{skipped} of {before} runs unchanged since they went as they should")
    print(f"{deleted} barriers deleted in turn, {unnoticed} unnoticed")
    sys.exit(1 if unnoticed else 0)


main()
