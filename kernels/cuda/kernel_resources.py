#!/usr/bin/env python3
"""Compiles every kernel for each architecture and prints what it takes, as Markdown tables.

  kernels/cuda/kernel_resources.py > docs/results/kernel_resources.md
  kernels/cuda/kernel_resources.py --only kernels/gemm/    the tables' lines for these files alone
  kernels/cuda/kernel_resources.py --check                 fails where a kernel issues more than that page says

Registers, shared memory, stack and spills are what ptxas says; instructions are counted in the machine code (sass.py).
Needs nvcc; no GPU. All files take minutes.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import sass

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/results/kernel_resources.md"
ARCHITECTURES = ["sm_80", "sm_90"]
OPTIONS = ["-std=c++20", "-O2", "--expt-relaxed-constexpr"]
ISSUE_COLUMNS = ["HMMA", "FMA", "LDG", "LDGSTS", "LDS", "STS", "STG", "convert", "integer", "control", "other"]
# An H200: multiprocessors, schedulers in each, clocks a nanosecond, TFLOP/s in bf16; FLOP of one mma.m16n8k16.
MULTIPROCESSORS, SCHEDULERS, GHZ, PEAK = 132, 4, 1.755, 989
HMMA_FLOP = 2 * 16 * 8 * 16


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


def compiled(job):
    """(resources, budgets) of one file for one architecture, each by kernel."""
    path, architecture = job
    with tempfile.TemporaryDirectory() as folder:
        cubin = pathlib.Path(folder) / "kernels.cubin"
        command = ["nvcc", *OPTIONS, f"-I{ROOT}", f"-arch={architecture}", "-Xptxas", "-v", "-cubin",
                   "-o", str(cubin), str(path)]
        done = subprocess.run(command, text=True, capture_output=True)
        if done.returncode != 0:
            sys.exit(f"kernel_resources: {path.relative_to(ROOT)} for {architecture} does not compile:\n"
                     f"{done.stderr}")
        budgets = budgets_of(path, cubin.read_bytes()) if architecture == "sm_90" else {}
    return resources(done.stderr), budgets


def budgets_of(path, cubin):
    """{kernel: (counts by class in a turn of its hot loop, instructions of all the rest)}."""
    found = {}
    for kernel, code in sass.kernels(cubin).items():
        if missing := sass.unknown(code):
            sys.exit(f"kernel_resources: {path.relative_to(ROOT)} holds instructions that sass.py does not know: "
                     f"{', '.join(missing)}; add them to its table")
        flow = sass.Flow(code)
        turn, _ = flow.hot_loop()
        counts = flow.count(turn)
        found[kernel] = counts, sum(flow.count(flow.whole()).values()) - sum(counts.values())
    return found


def resources(log):
    """{kernel: (registers, static shared bytes, stack bytes, spilled bytes)} that ptxas reported."""
    found = {}
    kernel = None
    stack = spilled = 0
    for line in log.splitlines():
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


def release():
    version = subprocess.run(["nvcc", "--version"], text=True, capture_output=True, check=True)
    return re.search(r"V([\d.]+)", version.stdout)[1]


def print_heading():
    print("# What each kernel takes\n")
    print("Registers per thread, static shared memory per block, stack and spilled bytes (stores and "
          f"loads)\nper thread, the larger of the architectures', as nvcc {release()} reports them with\n"
          f"`{' '.join(OPTIONS)}`; made by `kernels/cuda/kernel_resources.py`.\n"
          "Dynamic shared memory, where a kernel has any, stands in its file's first comment.\n")
    print("| file | kernel | registers " + " | registers ".join(ARCHITECTURES) +
          " | shared bytes | stack bytes | spilled bytes |")
    print("|---|---|" + "---:|" * (len(ARCHITECTURES) + 3))


def print_issue_heading():
    card = MULTIPROCESSORS * SCHEDULERS * GHZ  # warp instructions a nanosecond
    all_hmma = card * HMMA_FLOP / 1000
    print(f"""
## Instructions

What a warp issues in one turn of the kernel's hot loop, counted in the machine code of sm_90
([sass.py](../../kernels/cuda/sass.py)): the innermost loop that multiplies most, along the way through it that
multiplies most, then moves most bytes. A kernel without a loop has no turn. *Rest* is all that stands around the loop,
on the busiest way, each other loop once: what is paid before and after. LDS counts ldmatrix too, FMA all arithmetic in
floating point, integer also moves and predicates.

A scheduler issues at most one instruction a clock, whatever it is. An H200 has {MULTIPROCESSORS} multiprocessors with
{SCHEDULERS} schedulers each; at {GHZ} GHz:

- all of it: {MULTIPROCESSORS} x {SCHEDULERS} x {GHZ} = {card:.0f} instructions of warps a nanosecond;
- *ns*: a turn of one warp takes its scheduler at least instructions / {GHZ};
- an HMMA (m16n8k16) is 2 x 16 x 8 x 16 = {HMMA_FLOP} FLOP. *TFLOP/s*, what issuing allows: {card:.0f} x {HMMA_FLOP} = {all_hmma:.0f}
  times *share*. The tensor cores' peak, {PEAK}, takes a share of {100 * PEAK / all_hmma:.0f} %: above that they are the
  limit, below it the schedulers are.

All of it is counted and computed; nothing was timed. `kernel_resources.py --check` (`tests/run.sh --nightly`) fails
where a turn or the rest has grown beyond this page.

| file | kernel | turn | share % | ns | TFLOP/s | {" | ".join(ISSUE_COLUMNS)} | rest |
|---|---|{"---:|" * (len(ISSUE_COLUMNS) + 5)}""")


def issue_cells(counts, rest):
    turn = sum(counts.values())
    share = counts["HMMA"] / turn if turn else 0
    flops = f"{MULTIPROCESSORS * SCHEDULERS * GHZ * HMMA_FLOP / 1000 * share:.0f}" if share else "-"
    return [turn or "-", f"{100 * share:.0f}" if share else "-", f"{turn / GHZ:.0f}" if turn else "-", flops,
            *(counts[kind] for kind in ISSUE_COLUMNS), rest]


def committed():
    """{(file, kernel): (turn, HMMA, rest)} of the page's second table, and the release that made it."""
    text = PAGE.read_text()
    made_by = re.search(r"as nvcc ([\d.]+) reports", text)[1]
    rows = {}
    for line in text.partition("## Instructions")[2].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == len(ISSUE_COLUMNS) + 7 and cells[1].startswith("`"):
            number = [int(cell) if cell.isdigit() else 0 for cell in cells]
            rows[cells[0], cells[1]] = number[2], number[6], number[-1]
    return rows, made_by


def check(rows):
    """Compares counts with the page's; exits with 1 where a kernel issues more for the same work."""
    before, made_by = committed()
    if made_by != release():
        print(f"SKIPPED: the page was made by nvcc {made_by}, this is {release()}: counts differ between releases")
        return
    wrong = []
    for key, (counts, rest) in rows.items():
        turn, name = sum(counts.values()), f"{key[0]} {key[1]}"
        if key not in before:
            wrong.append(f"{name} is not on the page")
            continue
        old_turn, old_hmma, old_rest = before[key]
        # A loop that was unrolled further does more in a turn.
        if turn * old_hmma > old_turn * counts["HMMA"] or (old_hmma == 0 and turn > old_turn):
            wrong.append(f"{name}: a turn issues {turn} instructions, {counts['HMMA']} of them HMMA, and was "
                         f"{old_turn}, {old_hmma}")
        if rest > old_rest:
            wrong.append(f"{name}: {rest} instructions around the loop, and were {old_rest}")
    for line in wrong:
        print(line)
    if wrong:
        sys.exit(f"kernel_resources: {len(wrong)} budgets are exceeded; make them smaller again, or renew "
                 f"{PAGE.relative_to(ROOT)} and say why in the commit")
    print(f"{len(rows)} kernels issue no more than {PAGE.relative_to(ROOT)} says")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="TEXT", default="",
                        help="compile files whose path contains this; print their lines, no heading")
    parser.add_argument("--check", action="store_true", help="compare with the page, print no table")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="files compiled at a time")
    arguments = parser.parse_args()
    if shutil.which("nvcc") is None:
        sys.exit("kernel_resources: no nvcc in PATH; it comes with the CUDA toolkit")
    files = [path for path in sorted(ROOT.glob("kernels/*/*.cu"))
             if arguments.only in str(path.relative_to(ROOT))]
    if not files:
        sys.exit(f"kernel_resources: no kernel file has {arguments.only!r} in its path")
    architectures = ["sm_90"] if arguments.check else ARCHITECTURES
    jobs = [(path, architecture) for path in files for architecture in architectures]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        results = dict(zip(jobs, pool.map(compiled, jobs)))

    table, budgets = [], {}
    for path in files:
        names = demangled(sorted(results[path, "sm_90"][0]))
        for mangled in sorted(names, key=lambda n: short_name(names[n])):
            key = str(path.relative_to(ROOT / "kernels")), f"`{short_name(names[mangled])}`"
            each = [results[path, architecture][0][mangled] for architecture in architectures]
            table.append([*key, *(one[0] for one in each), *(max(column) for column in list(zip(*each))[1:])])
            budgets[key] = results[path, "sm_90"][1][mangled]
    if arguments.check:
        return check(budgets)
    if not arguments.only:
        print_heading()
    for cells in table:
        print("| " + " | ".join(str(cell) for cell in cells) + " |")
    if arguments.only:
        print()
    else:
        print_issue_heading()
    for key, budget in budgets.items():
        print("| " + " | ".join(str(cell) for cell in [*key, *issue_cells(*budget)]) + " |")


if __name__ == "__main__":
    main()
