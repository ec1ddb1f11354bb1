#!/usr/bin/env python3
"""Runs the steps of tests/gpu/run.sh, each within its time, and reports. Standard library only."""
import argparse
import datetime
import pathlib
import re
import shutil
import subprocess
import sys
import time

import pack
import report
import runner
from runner import ROOT, Failed, Runner, Skipped
from steps import STEPS, Result

DEFAULT_SECONDS = 540  # below ten minutes with all that is around it


def first_line(words):
    """What a command prints first; empty where it does not run."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().split("\n")[0] if done.returncode == 0 else ""


def gpu():
    """nvidia-smi's words for the first GPU; {} where there is none."""
    names = {"card": "name", "driver": "driver_version", "memory": "memory.total",
             "largest SM clock": "clocks.max.sm", "power limit": "power.limit"}
    line = first_line(["nvidia-smi", "--query-gpu=" + ",".join(names.values()),
                       "--format=csv,noheader", "--id=0"])
    return dict(zip(names, (word.strip() for word in line.split(",")))) if line else {}


def commit(binaries):
    """Of the tree; of the pack, where there is no tree's history."""
    packed = pathlib.Path(binaries) / "COMMIT"
    if packed.exists():
        return packed.read_text().strip()
    changed = first_line(["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no"])
    return (first_line(["git", "-C", str(ROOT), "rev-parse", "HEAD"]) or "unknown") + (
        " with changes" if changed else "")


def describe_machine(binaries):
    nvcc = subprocess.run([runner.find_tool("nvcc") or "true", "--version"], capture_output=True,
                          text=True).stdout
    release = re.search(r"release (\S+),", nvcc)
    driver = subprocess.run([shutil.which("nvidia-smi") or "true"], capture_output=True,
                            text=True).stdout
    supported = re.search(r"CUDA Version: (\S+)", driver)
    return {**gpu(), "CUDA of the driver": supported[1] if supported else "none",
            "CUDA toolkit": release[1] if release else "none",
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "commit": commit(binaries)}


def run_step(step, run, seconds):
    """{"name", "status", "seconds", "notes"} and the figures."""
    run.log = run.output / f"{step.name}.log"
    run.log.write_text("")
    run.deadline = time.monotonic() + seconds
    begin = time.monotonic()
    result = Result()
    try:
        step.run(run, result)
        status = "partial" if result.partial else "passed"
    except Skipped as reason:
        status = "SKIPPED"
        result.notes.append(str(reason))
    except Exception as reason:  # whatever it is, the other steps run
        status = "FAILED"
        result.notes.append(str(reason) if isinstance(reason, Failed) else repr(reason))
    return {"name": step.name, "status": status, "seconds": time.monotonic() - begin,
            "notes": result.notes}, result.figures


def run_steps(run, chosen, seconds):
    machine = describe_machine(run.binaries)
    if run.rehearsal:
        machine["card"] = "Rehearsal on the emulator: no figure here means anything"
    end = time.monotonic() + seconds
    done, figures = [], []
    for step in chosen:
        left = end - time.monotonic()
        if left < 5:
            outcome, found = {"name": step.name, "status": "SKIPPED", "seconds": 0.0,
                              "notes": ["no time left; run it with --steps"]}, []
        else:
            more = max(1, seconds / DEFAULT_SECONDS)
            outcome, found = run_step(step, run, min(more * step.seconds, left))
        done.append(outcome)
        figures += found
        print(f"{outcome['status']:8} {outcome['seconds']:6.1f} s  {step.name}: {step.about}")
        for note in outcome["notes"]:
            print(" " * 19 + note)
        report.write(run.output, machine, done, figures)
    shutil.rmtree(run.scratch)
    failed = [step["name"] for step in done if step["status"] == "FAILED"]
    print(f"{sum(step['seconds'] for step in done):.0f} s; results in {run.output}"
          + (f"; FAILED: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def arguments():
    parser = argparse.ArgumentParser(
        prog="tests/gpu/run.sh", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Tests and measures on an NVIDIA GPU, in less than ten minutes.",
        epilog="steps:\n" + "\n".join(f"  {s.name:15} {s.about}" for s in STEPS))
    parser.add_argument("--binaries", default=ROOT / "build" / "release", metavar="PATH",
                        help="a build folder, or what --pack made (default build/release, which is "
                             "built where it is not)")
    parser.add_argument("--output", default=ROOT / "build" / "gpu-results", metavar="DIR",
                        help="the results' folder (default build/gpu-results)")
    parser.add_argument("--steps", metavar="NAME,...", help="these alone")
    parser.add_argument("--minutes", type=float, default=DEFAULT_SECONDS / 60,
                        help="for all steps (default %(default)g); with more, each may take longer")
    parser.add_argument("--rehearse", action="store_true",
                        help="on the emulator and the CPU, at the smallest sizes")
    parser.add_argument("--pack", metavar="FILE.tar.xz",
                        help="gather programs, libraries and data for another machine")
    return parser.parse_args()


def chosen_steps(names):
    wanted = names.split(",") if names else [step.name for step in STEPS]
    unknown = set(wanted) - {step.name for step in STEPS}
    if unknown:
        sys.exit(f"tests/gpu/run.sh: no step is called {', '.join(sorted(unknown))}; see --help")
    return [step for step in STEPS if step.name in wanted]


def main():
    flags = arguments()
    steps = chosen_steps(flags.steps)
    if not flags.pack and not flags.rehearse and not gpu():
        print("tests/gpu/run.sh: SKIPPED: nvidia-smi shows no NVIDIA GPU here (--rehearse runs on "
              "the emulator)")
        return 0
    binaries = pathlib.Path(flags.binaries)
    if binaries.is_file():
        binaries = pack.unpack(binaries, ROOT / "build" / "gpu-pack")
    elif not (binaries / "tests" / "test_ops").exists():
        if not shutil.which("cmake"):
            sys.exit(f"tests/gpu/run.sh: {binaries} holds no programs, and there is no cmake to "
                     "build them; bring them with --pack and --binaries")
        runner.build_programs()
        binaries = ROOT / "build" / "release"
    if flags.pack:
        return pack.make(binaries, pathlib.Path(flags.pack), commit(binaries))
    device = "simt" if flags.rehearse else "cuda"
    return run_steps(Runner(binaries, flags.output, device, flags.rehearse), steps,
                     60 * flags.minutes)


if __name__ == "__main__":
    sys.exit(main())
