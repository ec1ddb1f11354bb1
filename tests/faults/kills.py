#!/usr/bin/env python3
"""Kills programs at random moments, and starts two of them on one output, many times.

  tests/faults/kills.py TRAIN LANDSCAPE [--trials 100] [--seed 1] [--only surface,train] [--writers]

A trial starts a command, ends it with SIGKILL after a random part of the time that it takes, and repeats it to its end:
the results must be those of a run that nothing disturbed, to the bit, and no temporary or lock file may be left. With
--writers a trial starts the command twice at once: one of the two must say that the other writes there, or both must
have written in turn, and again the results must be the same. Prints a row per command; exit status 1 if a trial failed.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "end_to_end"))
import programs  # noqa: E402


def commands(images):
    """{name: (words, files that hold results)}; the folder holds a.safetensors, b.safetensors and run/."""
    data = ["--data", images, "--images", "100", "--threads", "1"]
    landscape = [programs.landscape]
    surface = ["surface", "a.safetensors", *data, "--x=-1:1:9", "--y=-1:1:9", "--no-pictures", "--save-seconds", "0",
               "--output", "s.h5"]
    return {
        "surface": (landscape + surface, ["s.h5"]),
        "mpirun -n 2": (["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "2"] + landscape + surface,
                        ["s.h5"]),
        "train": ([programs.train, "--data", images, *programs.TINY_NET, "--epochs", "3", "--batch-size", "50",
                   "--threads", "1", "--output", "t", "--resume"], ["t/model.safetensors", "t/log.csv"]),
        "hessian": (landscape + ["hessian", "a.safetensors", *data, "--largest", "2", "--trace", "12", "--density", "2",
                                 "--density-steps", "10", "--output", "h.h5"], ["h.h5"]),
        "sharpness": (landscape + ["sharpness", "a.safetensors", *data, "--measures",
                                   "gradient_norm,sam,asam,expected_sharpness,trace", "--output", "p.h5"], ["p.h5"]),
        "trajectory": (landscape + ["trajectory", "run", *data, "--x=-1:1:5", "--y=-1:1:5", "--no-pictures",
                                    "--save-seconds", "0", "--output", "j.h5"], ["j.h5", "j_surface.h5"]),
        "connect": (landscape + ["connect", "a.safetensors", "b.safetensors", *data, "--points", "5", "--align",
                                 "--no-pictures", "--epochs", "2", "--output", "c.h5"], ["c.h5"]),
        "coherence": (landscape + ["coherence", "a.safetensors", "b.safetensors", "--data", images, "--batches", "4",
                                   "--batch-size", "50", "--threads", "1", "--output", "g.h5"], ["g.h5"]),
    }


def contents(path):
    """What must be the same: every number of a result; of a log all but the pace."""
    if path.endswith(".h5"):
        with programs.Hdf5(path) as file:
            found = {}
            for name in file.names():
                try:
                    found[name] = file.read(name)
                except OSError:  # a text
                    found[name] = None
            return found
    with open(path, "rb") as file:
        whole = file.read()
    if path.endswith(".csv"):
        return [row.split(b",")[:6] + row.split(b",")[8:] for row in whole.splitlines()]
    return whole


def left_over(folder):
    return [name for name in programs.files_below(folder) if ".tmp." in name or name.endswith(".lock")]


class Trials:
    def __init__(self, folder, words, files):
        self.folder, self.words, self.files = folder, words, files
        self.before = programs.files_below(folder)
        start = time.monotonic()
        status, said = self.finish()
        if status:
            sys.exit(f"{words}: status {status}: {said}")
        self.seconds = time.monotonic() - start
        self.expected = [contents(os.path.join(folder, name)) for name in files]

    def clean(self):
        for name in sorted(programs.files_below(self.folder) - self.before, reverse=True):
            path = os.path.join(self.folder, name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.remove(path)

    def start(self):
        return subprocess.Popen(self.words, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                text=True, start_new_session=True)

    def finish(self):
        process = self.start()
        said = process.communicate(timeout=300)[1]
        return process.returncode, said

    def wrong(self):
        """What is not as it was without a disturbance; empty if all is."""
        for name, expected in zip(self.files, self.expected):
            path = os.path.join(self.folder, name)
            if not os.path.exists(path):
                return f"{name} is missing"
            if contents(path) != expected:
                return f"{name} differs"
        left = left_over(self.folder)
        return f"left: {left}" if left else ""

    def kill(self, chance):
        """Returns (whether it was killed before its end, what is wrong)."""
        self.clean()
        process = self.start()
        time.sleep(chance.uniform(0, self.seconds))
        killed = process.poll() is None
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.communicate()
        for name in self.files:  # what is there is whole, whatever the moment
            path = os.path.join(self.folder, name)
            if os.path.exists(path):
                contents(path)
        status, said = self.finish()
        return killed, f"status {status}: {said}" if status else self.wrong()

    def two_writers(self, chance):
        self.clean()
        first = self.start()
        time.sleep(chance.uniform(0, self.seconds / 2))
        second = self.start()
        said = [process.communicate(timeout=300)[1] for process in (first, second)]
        status = [first.returncode, second.returncode]
        refused = sum("is being written by" in words for words in said)
        if [code for code, words in zip(status, said) if code and "is being written by" not in words]:
            return refused > 0, f"{status}: {said}"
        if 0 not in status:
            return refused > 0, f"nobody wrote: {status}: {said}"
        return refused > 0, self.wrong()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train")
    parser.add_argument("landscape")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="names of commands, with commas between")
    parser.add_argument("--writers", action="store_true", help="two writers in place of kills")
    words = parser.parse_args()
    programs.train, programs.landscape = os.path.abspath(words.train), os.path.abspath(words.landscape)
    failed = False
    programs.Hdf5.library().H5Eset_auto2(programs.ctypes.c_int64(0), None, None)  # what is no number is expected
    with tempfile.TemporaryDirectory(prefix="topograd_kills_") as folder:
        images = os.path.join(folder, "images")
        programs.write_images(images, {"train": 100, "test": 25})
        for name, seed in (("a", "0"), ("b", "1")):
            subprocess.run([programs.train, "--data", images, *programs.TINY_NET, "--epochs", "2", "--seed", seed,
                            "--checkpoint-every", "1", "--output", "run" if name == "a" else "other"], cwd=folder,
                           check=True, capture_output=True)
            shutil.copy(os.path.join(folder, "run" if name == "a" else "other", "model.safetensors"),
                        os.path.join(folder, name + ".safetensors"))
        for name, (command, files) in commands(images).items():
            if words.only and name not in words.only.split(","):
                continue
            if name.startswith("mpirun") and not shutil.which("mpirun"):
                print(f"{name}: SKIPPED, no mpirun here")
                continue
            trials = Trials(folder, command, files)
            chance, disturbed, wrong = random.Random(words.seed), 0, []
            for _ in range(words.trials):
                hit, problem = (trials.two_writers if words.writers else trials.kill)(chance)
                disturbed += hit
                if problem:
                    wrong.append(problem)
            trials.clean()
            what = "refused a second writer" if words.writers else "killed before the end"
            print(f"{name}: {words.trials} trials, {disturbed} {what}, {len(wrong)} wrong "
                  f"({trials.seconds:.2f} s undisturbed)", *wrong[:3], sep="\n  ", flush=True)
            failed = failed or bool(wrong)
    sys.exit(failed)


if __name__ == "__main__":
    main()
