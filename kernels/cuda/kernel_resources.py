#!/usr/bin/env python3
"""Compiles every kernel for each architecture and prints what it takes, as a Markdown table.

  kernels/cuda/kernel_resources.py > docs/results/kernel_resources.md
  kernels/cuda/kernel_resources.py --only kernels/gemm/    the table's lines for these files alone

Registers, shared memory, stack and spills are what ptxas says. Needs nvcc; no GPU. All files take minutes.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARCHITECTURES = ["sm_80", "sm_90"]
OPTIONS = ["-std=c++20", "-O2", "--expt-relaxed-constexpr"]


def demangled(names):
    output = subprocess.run(["c++filt"], input="\n".join(names), text=True, capture_output=True,
                            check=True).stdout
    return dict(zip(names, output.splitlines()))


def short_name(signature):
    """"topograd::cuda::(anonymous namespace)::foo_kernel<32>(float*, ...)" as "foo_kernel<32>"."""
    name = signature.replace("(anonymous namespace)::", "").replace("topograd::cuda::", "")
    name = name.removeprefix("void ")
    depth = 0
    for i, letter in enumerate(name):  # up to the parameter list, which no template bracket holds
        depth += (letter == "<") - (letter == ">")
        if letter == "(" and depth == 0:
            name = name[:i]
            break
    return re.sub(r"\([\w:]+\)(?=\d)", "", name).replace("> >", ">>")


def resources(job):
    """{kernel: (registers, static shared bytes, stack bytes, spilled bytes)} of one file for one
    architecture."""
    path, architecture = job
    command = ["nvcc", *OPTIONS, f"-I{ROOT}", f"-arch={architecture}", "-Xptxas", "-v", "-cubin",
               "-o", os.devnull, str(path)]
    done = subprocess.run(command, text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"kernel_resources: {path.relative_to(ROOT)} for {architecture} does not compile:\n"
                 f"{done.stderr}")
    found = {}
    kernel = None
    stack = spilled = 0
    for line in done.stderr.splitlines():
        if match := re.search(r"Compiling entry function '(\S+)'", line):
            kernel = match[1]
            stack = spilled = 0
        elif match := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes",
                                line):  # of the kernel, then of functions that it calls
            stack += int(match[1])
            spilled += int(match[2]) + int(match[3])
        elif match := re.search(r"Used (\d+) registers", line):
            shared = re.search(r"(\d+) bytes smem", line)
            found[kernel] = (int(match[1]), int(shared[1]) if shared else 0, stack, spilled)
    return found


def print_heading():
    version = subprocess.run(["nvcc", "--version"], text=True, capture_output=True, check=True)
    release = re.search(r"V([\d.]+)", version.stdout)[1]
    print("# What each kernel takes\n")
    print("Registers per thread, static shared memory per block, stack and spilled bytes (stores and "
          f"loads)\nper thread, the larger of the architectures', as nvcc {release} reports them with\n"
          f"`{' '.join(OPTIONS)}`; made by `kernels/cuda/kernel_resources.py`.\n"
          "Dynamic shared memory, where a kernel has any, stands in its file's first comment.\n")
    print("| file | kernel | registers " + " | registers ".join(ARCHITECTURES) +
          " | shared bytes | stack bytes | spilled bytes |")
    print("|---|---|" + "---:|" * (len(ARCHITECTURES) + 3))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="TEXT", default="",
                        help="compile files whose path contains this; print their lines, no heading")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="files compiled at a time")
    arguments = parser.parse_args()
    if shutil.which("nvcc") is None:
        sys.exit("kernel_resources: no nvcc in PATH; it comes with the CUDA toolkit")
    files = [path for path in sorted(ROOT.glob("kernels/*/*.cu"))
             if arguments.only in str(path.relative_to(ROOT))]
    if not files:
        sys.exit(f"kernel_resources: no kernel file has {arguments.only!r} in its path")
    jobs = [(path, architecture) for path in files for architecture in ARCHITECTURES]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        results = dict(zip(jobs, pool.map(resources, jobs)))

    if not arguments.only:
        print_heading()
    for path in files:
        names = demangled(sorted(results[(path, ARCHITECTURES[0])]))
        for mangled in sorted(names, key=lambda n: short_name(names[n])):
            each = [results[(path, architecture)][mangled] for architecture in ARCHITECTURES]
            cells = [path.relative_to(ROOT / "kernels"), f"`{short_name(names[mangled])}`",
                     *(one[0] for one in each), *(max(column) for column in list(zip(*each))[1:])]
            print("| " + " | ".join(str(cell) for cell in cells) + " |")


if __name__ == "__main__":
    main()
