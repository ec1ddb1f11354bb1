#!/usr/bin/env python3
"""`mpirun -n N landscape`: the bits of one process whatever N, rank 0's voice alone, and nothing lost
but what was under way when a rank dies. Skipped where there is no mpirun or landscape has no MPI."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

import programs
from programs import TINY_NET, ModelTest, planes, run, start, stop


def why_not():
    """Why nothing can be tested here; None where it can."""
    if not shutil.which("mpirun"):
        return "SKIPPED: there is no mpirun"
    linked = subprocess.run(["ldd", programs.landscape], capture_output=True, text=True).stdout
    return None if "libmpi" in linked else "SKIPPED: landscape was built without MPI"


def with_ranks(count, command):
    as_root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
    return ["mpirun", "--oversubscribe", *as_root, "-n", count, *command]


def child_of_rank(launcher, rank):
    """The process that the launcher started as this rank."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
            with open(f"/proc/{name}/environ", "rb") as file:
                variables = file.read().split(b"\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if parent == launcher and f"OMPI_COMM_WORLD_RANK={rank}".encode() in variables:
            return int(name)
    return None


class Ranks(ModelTest):
    @classmethod
    def setUpClass(cls):
        if why_not():
            print(why_not(), file=sys.stderr)
            raise unittest.SkipTest(why_not())
        super().setUpClass()

    def surface(self, output, *more):
        return [programs.landscape, "surface", "a.safetensors", "--data", programs.images,
                "--images", "60", "--x=-1:1:7", "--y=-1:1:5", "--no-pictures", "--output", output,
                *more]

    def slow_surface(self, output):
        return self.surface(output, "--x=-1:1:17", "--y=-1:1:17", "--images", "100", "--split",
                            "both", "--seeds", "2", "--save-seconds", "0")

    def planes(self, name):
        return planes(self.path(name))

    def voice(self, text):
        """What landscape said, without the launcher's own lines."""
        return [line for line in text.splitlines() if line.startswith("landscape:")]

    def test_the_same_bits_for_any_number_of_ranks(self):
        for flags in (["--split", "both", "--loss", "cross_entropy,mse", "--seeds", "3"],
                      ["--images", "0", "--target-se", "0.05"],
                      ["--bn", "recompute", "--bn-batch", "16"]):
            self.run_ok(self.surface("one.h5", *flags))
            whole = self.planes("one.h5")
            for count, threads in ((1, 1), (2, 2), (4, 1)):
                with self.subTest(flags=flags, ranks=count):
                    printed = self.run_ok(with_ranks(count, self.surface(
                        "s.h5", *flags, "--threads", threads)), stderr=None)
                    self.assertEqual(printed.count("s.h5: 35 points"), 1)
                    self.assertEqual(len(printed.splitlines()), 2 if "--target-se" in flags else 1)
                    self.assertEqual(self.planes("s.h5"), whole)
                    os.remove(self.path("s.h5"))
            os.remove(self.path("one.h5"))

    def test_a_dry_run_is_said_once_and_writes_nothing(self):
        before = programs.files_below(self.folder)
        done = run(with_ranks(2, self.surface("s.h5", "--threads", "1", "--dry-run")), self.folder)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        voice = self.voice(done.stderr)
        self.assertEqual(len(voice), 1, done.stderr)
        self.assertRegex(voice[0], r"s.h5: 7x5 points .*; about 0:\d\d with 1 thread in each of 2 processes$")
        self.assertEqual(programs.files_below(self.folder), before)

    def test_more_ranks_than_points(self):
        flags = ["--x=0:1:2", "--y=0:0:1"]
        self.run_ok(self.surface("one.h5", *flags))
        self.run_ok(with_ranks(4, self.surface("s.h5", *flags)), stderr=None)
        self.assertEqual(self.planes("s.h5"), self.planes("one.h5"))
        self.run_ok(with_ranks(2, self.surface("s.h5", *flags)), stderr=None)  # nothing is to do

    def test_a_direction_file_is_written_once_and_read_by_all(self):
        for name in ("one", "two"):
            self.run_ok(with_ranks(3, self.surface(f"{name}.h5", "--dir-file", "d.h5")), stderr=None)
        self.assertEqual(self.planes("two.h5"), self.planes("one.h5"))

    def test_wrong_input_is_said_once(self):
        for flags, word in ((["--images", "100000"], "100000"), (["--nonsense"], "nonsense"),
                            (["--output", "nowhere/s.h5"], "nowhere/s.h5"), (["--x=1"], "--x")):
            with self.subTest(flags=flags):
                done = run(with_ranks(3, self.surface("s.h5", *flags)), self.folder)
                self.assertNotEqual(done.returncode, 0)
                self.assertEqual(len(self.voice(done.stderr)), 1, done.stderr)
                self.assertIn(word, self.voice(done.stderr)[0])
                self.assertEqual(done.stdout, "")
        self.assertFalse(os.path.exists(self.path("s.h5")))

    def test_commands_of_one_process_refuse_several(self):
        done = run(with_ranks(2, [programs.landscape, "sharpness", "model.safetensors"]), self.folder)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(self.voice(done.stderr)), 1, done.stderr)
        self.assertIn("landscape sharpness runs as one", self.voice(done.stderr)[0])

    def test_a_rank_with_other_inputs_is_refused(self):
        os.mkdir(self.path("elsewhere"))
        done = run([programs.train] + TINY_NET + ["--data", programs.images, "--epochs", "1",
                   "--output", "b"], self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        os.rename(self.path("b/model.safetensors"), self.path("elsewhere/a.safetensors"))
        script = self.write("go.sh", b"#!/bin/sh\n[ $OMPI_COMM_WORLD_RANK = 1 ] && cd elsewhere\n"
                                     b"exec \"$@\"\n")
        os.chmod(script, 0o755)
        done = run(with_ranks(2, [script, *self.surface("s.h5")]), self.folder)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(self.voice(done.stderr)), 1, done.stderr)
        self.assertIn("rank 1: has other inputs than rank 0", self.voice(done.stderr)[0])
        os.remove(self.path("elsewhere/a.safetensors"))
        done = run(with_ranks(2, [script, *self.surface("s.h5")]), self.folder)
        self.assertIn("rank 1: ", self.voice(done.stderr)[0])
        self.assertIn("a.safetensors", self.voice(done.stderr)[0])
        self.assertFalse(os.path.exists(self.path("s.h5")))

    def started(self, output, ranks=3, saves=4):
        process, _ = start(with_ranks(ranks, self.slow_surface(output)), self.folder, None)
        programs.wait_for_saves(self.path(output), process, saves)
        return process

    def kill(self, process, victim):
        """Kills the launcher or a rank, and waits until all have ended."""
        pid = process.pid if victim == "launcher" else child_of_rank(process.pid, victim)
        if pid:
            os.kill(pid, signal.SIGKILL)
        process.stdout.read()  # the ranks hold its other end
        process.stdout.close()
        process.wait(programs.TIMEOUT)
        self.wait_for_writer("s.h5")
        self.assertFalse(pid and process.returncode == 0)

    def wait_for_writer(self, output):
        """Waits until the process that the lock file names has ended: some launchers leave ranks behind for a while."""
        deadline = time.monotonic() + programs.TIMEOUT
        while time.monotonic() < deadline:
            try:
                named = re.match(r"process (\d+) on ", self.read(f".{output}.lock"))
            except FileNotFoundError:
                return
            if named is None or not os.path.exists(f"/proc/{named.group(1)}"):
                return
            time.sleep(0.02)
        self.fail(f"a rank goes on writing {output}")

    def test_a_killed_rank_loses_what_was_under_way(self):
        self.run_ok(self.slow_surface("whole.h5"))
        for rank in (1, 0):
            self.kill(self.started("s.h5"), rank)
            done = sum(programs.doubles(self.planes("s.h5")["done"]))
            self.assertGreater(done, 0)
        self.run_ok(with_ranks(3, self.slow_surface("s.h5")), stderr=None)
        self.assertEqual(self.planes("s.h5"), self.planes("whole.h5"))

    def test_killed_again_and_again(self):
        """TOPOGRAD_KILLS times, the launcher or one of two ranks, at a random moment."""
        self.run_ok(self.slow_surface("whole.h5"))
        seed = random.randrange(1 << 30)
        moments = random.Random(seed)
        for _ in range(int(os.environ.get("TOPOGRAD_KILLS", "3"))):
            process = self.started("s.h5", 2, moments.randint(1, 12))
            programs.pause(process, moments.uniform(0, 0.02))
            if process.poll() is None:
                self.kill(process, moments.choice(["launcher", 0, 1]))
            else:
                stop(process, signal.SIGKILL)
            if all(programs.doubles(self.planes("s.h5")["done"])):  # begin anew
                self.assertEqual(self.planes("s.h5"), self.planes("whole.h5"), seed)
                os.remove(self.path("s.h5"))
        self.run_ok(with_ranks(2, self.slow_surface("s.h5")), stderr=None)
        self.assertEqual(self.planes("s.h5"), self.planes("whole.h5"), seed)

    def test_interrupted(self):
        self.run_ok(self.slow_surface("whole.h5"))
        process = self.started("s.h5")
        leader = child_of_rank(process.pid, 0)
        os.kill(leader, signal.SIGINT)
        said = process.stdout.read()
        process.stdout.close()
        process.wait(programs.TIMEOUT)
        self.assertEqual(len(self.voice(said)), 1, said)
        self.assertRegex(said, r"landscape: interrupted; \d+ of 289 points are saved in s.h5")
        again = run(with_ranks(2, self.slow_surface("s.h5")), self.folder)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("of 289 points are done", again.stderr)
        self.assertEqual(self.planes("s.h5"), self.planes("whole.h5"))

    def test_a_full_disk_ends_all_ranks(self):
        self.mount_small("64k")
        command = self.slow_surface("small/s.h5")
        done = run(with_ranks(3, command), self.folder)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(self.voice(done.stderr)), 1, done.stderr)
        self.assertIn("No space left", self.voice(done.stderr)[0])


if __name__ == "__main__":
    programs.main()
