#!/usr/bin/env python3
"""Lets a configured build's compiler read every C++ file that the build has not compiled, without making code of it.

  tests/check_syntax.py BUILD [--compiler PROGRAM] [--only TEXT] [--jobs N] [--all]

BUILD has a compile_commands.json. A file whose object lies there, no older than itself, is left out: its warnings were
shown. --all: read every file. --compiler: another compiler than the build's, with the same options: whether it would
do. Options that only the emulator's race checker or the linker need are harmless. Exit status 1 if any file fails.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys


def commands(build, everything):
    """(file, words, folder) of each file, once: the emulator's kernels are compiled twice from one text."""
    seen = set()
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words, file = shlex.split(entry["command"]), entry["file"]
        words = words[1:] if words[0].endswith("ccache") else words
        output = pathlib.Path(entry["directory"], words[words.index("-o") + 1])
        compiled = output.exists() and output.stat().st_mtime >= os.stat(file).st_mtime
        if file in seen or (compiled and not everything) or words[0].endswith("nvcc") or not os.path.exists(file):
            continue
        seen.add(file)
        yield file, words, entry["directory"]


def check(command, compiler):
    file, words, folder = command
    at = words.index("-o")
    words = [compiler or words[0], *words[1:at], *words[at + 2:], "-fsyntax-only"]
    return file, subprocess.run(words, cwd=folder, text=True, capture_output=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--compiler", help="in place of the build's")
    parser.add_argument("--only", default="", help="files whose path contains this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--all", action="store_true", help="also files that are compiled")
    arguments = parser.parse_args()
    chosen = [c for c in commands(arguments.build, arguments.all) if arguments.only in c[0]]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for file, done in pool.map(lambda command: check(command, arguments.compiler), chosen):
            failed += done.returncode != 0
            if done.stderr:
                print(done.stderr, end="")
            if done.returncode != 0:
                print(f"FAILED: {file}", flush=True)
    print(f"{len(chosen)} files read, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
