#!/usr/bin/env python3
"""Runs the commands of the pages of docs/tasks on real data, and holds what they print against what the pages quote.

    run.py [PROGRAMS] --data CIFAR10 [--weights WEIGHTS] [--page NAME]... [--in FOLDER] [--show]

PROGRAMS is the folder of train and landscape (default: build/release/bin), CIFAR10 that of CIFAR-10's binary version
(default: $TOPOGRAD_CIFAR10), WEIGHTS one with the published checkpoints akamaster/resnet*.th and losslandscape/*.t7
(default: $TOPOGRAD_SHARED/weights). The blocks marked sh run one after another, in the order of README.md's list, in one
folder: pages use what those before them made. A block that says "# exit status N" has to end so, others with 0. The
block marked text behind one quotes what it prints; README.md says how closely. A page for which a checkpoint or PyTorch
is not there is left out, with a word; without CIFAR-10 the exit status is 77.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
TOLERANCE = 0.1  # README.md states it

PAGE = re.compile(r"^\| \[[^]]*\]\((\S+\.md)\)", re.M)
BLOCK = re.compile(r"^```sh\n(?P<sh>.*?)^```$(?:\s*^```text\n(?P<text>.*?)^```$)?", re.M | re.S)
STATUS = re.compile(r"# exit status (\d+)")
MASKED = re.compile(r"\d+(?::\d\d)+|[\d.]+(?= (?:images/s|MB))")  # clock times, paces, sizes
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def read(name):
    with open(os.path.join(HERE, name)) as file:
        return file.read()


def pages():
    """Returns the names of the pages, in the order in which they are run."""
    return PAGE.findall(read("README.md"))


def blocks(page):
    """Returns the blocks of a page as (commands, exit status, lines quoted of what they print)."""
    found = []
    for block in BLOCK.finditer(read(page)):
        status = STATUS.search(block["sh"])
        quoted = [line.rstrip() for line in (block["text"] or "").splitlines() if line.strip() not in ("", "...")]
        found.append((block["sh"], int(status[1]) if status else 0, quoted))
    return found


def alike(quoted, printed):
    """Returns whether a printed line is the quoted one: the same words, numbers within the tolerance."""
    quoted, printed = (MASKED.sub("~", " ".join(line.split())) for line in (quoted, printed))
    if quoted.endswith(" ..."):  # the line goes on
        quoted = quoted[:-4]
        shape = NUMBER.sub("#", quoted)
        if not NUMBER.sub("#", printed).startswith(shape):
            return False
    elif NUMBER.sub("#", quoted) != NUMBER.sub("#", printed):
        return False
    pairs = zip(NUMBER.findall(quoted), NUMBER.findall(printed))
    return all(abs(float(a) - float(b)) <= TOLERANCE * max(abs(float(a)), abs(float(b))) for a, b in pairs)


def missing_lines(quoted, printed):
    """Returns the quoted lines that are not printed, in their order."""
    missing, rest = [], printed.replace("\r", "\n").splitlines()
    for line in quoted:
        at = next((i for i, other in enumerate(rest) if alike(line, other)), None)
        if at is None:
            missing.append(line)
        else:
            rest = rest[at + 1:]
    return missing


def lacks(page, weights):
    """Returns what a page needs and is not there; "" if nothing."""
    commands = "".join(commands for commands, _, _ in blocks(page))
    for name in re.findall(r"\S+\.(?:th|t7)\b", commands):
        if not checkpoint(weights, name):
            return name
    torch = [program for program in ("import_torch.py", "export_torch.py") if program in commands]
    if torch and subprocess.run(["/usr/bin/python3", "-c", "import torch"], stderr=subprocess.DEVNULL).returncode:
        return "PyTorch"
    return ""


def checkpoint(weights, name):
    found = [os.path.join(folder, name) for folder, _, names in os.walk(weights or "") if name in names]
    return found[0] if found else None


def run_page(page, folder, environment, show):
    """Runs a page's blocks; returns the number of those that went wrong."""
    wrong = 0
    for commands, status, quoted in blocks(page):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=folder, env=environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        missing = missing_lines(quoted, done.stdout)
        if show:
            print(f"--- {commands}{done.stdout}", end="")
        if done.returncode == status and not missing:
            continue
        wrong += 1
        print(f"{page}: {commands}exit status {done.returncode}, expected {status}\n{done.stdout}", end="")
        for line in missing:
            print(f"not printed: {line}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="?", default=os.path.join(ROOT, "build", "release", "bin"))
    parser.add_argument("--data", default=os.environ.get("TOPOGRAD_CIFAR10", ""))
    parser.add_argument("--weights", default=os.path.join(os.environ.get("TOPOGRAD_SHARED", ""), "weights"))
    parser.add_argument("--page", action="append")
    parser.add_argument("--in", dest="folder", help="an own folder, which stays")
    parser.add_argument("--show", action="store_true", help="print what the commands print")
    arguments = parser.parse_args()
    if not os.path.exists(os.path.join(arguments.programs, "landscape")):
        sys.exit(f"run.py: {arguments.programs} has no programs: apps/build.sh release, or name their folder")
    if not os.path.exists(os.path.join(arguments.data, "test_batch.bin")):
        print("SKIPPED: without CIFAR-10 (--data)")
        return 77
    folder = arguments.folder or tempfile.mkdtemp(prefix="topograd_tasks_")
    os.makedirs(folder, exist_ok=True)
    environment = {**os.environ, "PATH": os.path.abspath(arguments.programs) + os.pathsep + os.environ["PATH"]}

    def link(target, name):
        if not os.path.lexists(os.path.join(folder, name)):
            os.symlink(os.path.abspath(target), os.path.join(folder, name))

    wrong = 0
    try:
        link(arguments.data, "DIR")
        link(os.path.join(ROOT, "apps"), "apps")
        for page in pages():
            if arguments.page and page not in arguments.page:
                continue
            lacking = lacks(page, arguments.weights)
            if lacking:
                print(f"{page}: left out, without {lacking}")
                continue
            for name in re.findall(r"\S+\.(?:th|t7)\b", read(page)):
                if checkpoint(arguments.weights, name):
                    link(checkpoint(arguments.weights, name), name)
            start = time.monotonic()
            wrong += run_page(page, folder, environment, arguments.show)
            print(f"{page}: {time.monotonic() - start:.0f} s", flush=True)
    finally:
        if not arguments.folder:
            shutil.rmtree(folder)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
