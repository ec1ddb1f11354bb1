#!/usr/bin/env python3
"""`landscape` interrupted, killed and out of disk: nothing is lost, and the same command ends with the
same bits."""

import os
import random
import signal
import subprocess

import programs
from landscape_test import LandscapeTest
from programs import Hdf5, doubles, run, start, stop


class Interruption(LandscapeTest):
    """A surface of 117 points, saved after every one: slow enough to be stopped in its middle."""

    def command(self, output):
        return self.surface(output, "--x=-1:1:13", "--y=-1:1:9", "--images", "50", "--seeds", "2",
                            "--split", "both", "--save-seconds", "0")

    def started(self, output, *more):
        process, _ = start(self.command(output) + list(more), self.folder, None)
        while process.poll() is None and not os.path.exists(self.path(output)):
            programs.pause(process, 0.005)
        return process

    def test_killed_again_and_again(self):
        """TOPOGRAD_KILLS times, each run with another number of threads."""
        self.run_ok(self.command("whole.h5"))
        seed = random.randrange(1 << 30)
        moments = random.Random(seed)
        for _ in range(int(os.environ.get("TOPOGRAD_KILLS", "6"))):
            process = self.started("s.h5", "--threads", moments.randint(1, 4))
            programs.wait_for_saves(self.path("s.h5"), process, moments.randint(1, 8))
            programs.pause(process, moments.uniform(0, 0.01))
            stop(process, signal.SIGKILL)
            self.assertIn(process.returncode, (0, -signal.SIGKILL), seed)
            if process.returncode == 0:  # done before it was killed: begin anew
                self.assert_same_planes("s.h5", "whole.h5")
                os.remove(self.path("s.h5"))
        self.run_ok(self.command("s.h5"), stderr=None)
        self.assert_same_planes("s.h5", "whole.h5")

    def test_a_disk_that_fills_up(self):
        """An error of one line; the file stays what it was; with room again it is continued."""
        self.mount_small("300k")
        self.run_ok(self.command("whole.h5"))
        process = self.started("small/s.h5")
        programs.wait_for_saves(self.path("small/s.h5"), process, 3)
        self.fill("small/filler")
        said = process.stdout.read()
        process.stdout.close()
        process.wait(programs.TIMEOUT)
        self.assertEqual((process.returncode, len(said.splitlines())), (1, 1), said)
        self.assertIn("landscape: cannot write small/s.h5: No space left", said)
        self.assertEqual(sorted(os.listdir(self.path("small"))), ["filler", "s.h5"])
        before = self.read("small/s.h5", "rb")
        self.assertGreater(sum(self.read_done("small/s.h5")), 0)
        done = run(self.command("small/s.h5"), self.folder)  # at once, not after the first points
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write small/s.h5: No space left", done.stderr.splitlines()[-1])
        self.assertEqual(self.read("small/s.h5", "rb"), before)
        os.remove(self.path("small/filler"))
        self.run_ok(self.command("small/s.h5"), stderr=None)
        self.assert_same_planes("small/s.h5", "whole.h5")

    def fill(self, name):
        """Fills the file system that it lies on."""
        with open(self.path(name), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def test_a_file_system_that_is_read_only(self):
        self.mount_small("300k")
        process = self.started("small/s.h5")
        programs.wait_for_saves(self.path("small/s.h5"), process, 2)
        stop(process, signal.SIGINT)
        before = self.read("small/s.h5", "rb")
        subprocess.run(["mount", "-o", "remount,ro", self.path("small")], check=True)
        done = run(self.command("small/s.h5"), self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write small/s.h5: Read-only file system", done.stderr.splitlines()[-1])
        self.assertEqual(self.read("small/s.h5", "rb"), before)

    def test_interrupted(self):
        self.run_ok(self.command("whole.h5"))
        process = self.started("s.h5")
        programs.wait_for_saves(self.path("s.h5"), process, 2)
        said = stop(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130, said)
        self.assertRegex(said, r"\Alandscape: interrupted; \d+ of 117 points are saved in s.h5: "
                               r"repeat the command to continue\n\Z")
        self.assertFalse([name for name in os.listdir(self.folder) if ".tmp." in name])
        done = int(sum(self.read_done("s.h5")))
        self.assertLess(done, 117)
        again = run(self.command("s.h5"), self.folder)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn(f"{done} of 117 points are done", again.stderr)
        self.assert_same_planes("s.h5", "whole.h5")

    def test_pictures_of_what_is_there(self):
        """Coarse levels come first; an interrupted surface's pictures show the finest whole one."""
        command = [word for word in self.command("s.h5") if word != "--no-pictures"]
        process, _ = start(command, self.folder, None)
        while process.poll() is None and not os.path.exists(self.path("s.h5")):
            programs.pause(process, 0.005)
        programs.wait_for_saves(self.path("s.h5"), process, 3)
        said = stop(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130, said)
        done = self.read_done("s.h5")
        self.assertGreaterEqual(sum(done), 2)
        first = [0, 12, 8 * 13, 8 * 13 + 12]  # the corners
        self.assertEqual([done[i] for i in first[:2]], [1, 1])
        if all(done[i] for i in first):
            names = [f"s_{kind}.{suffix}" for kind in ("contours", "heat", "surface")
                     for suffix in ("svg", "png")]
            self.assertEqual(said.splitlines()[1:], names)
        self.run_ok(command, stderr=None)
        self.run_ok(self.command("whole.h5"))
        self.assert_same_planes("s.h5", "whole.h5")

    def read_done(self, name):
        with Hdf5(self.path(name)) as file:
            return doubles(file.read("done"))

    def test_points_to_do_are_marked(self):
        """Points to do are -1 in the authors' files: their tools continue ours, and ours theirs."""
        process = self.started("s.h5")
        said = stop(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130, said)
        done = self.read_done("s.h5")
        with Hdf5(self.path("s.h5")) as file:
            loss = doubles(file.read("train_loss"))
        self.assertIn(0, done)
        self.assertEqual([value != -1 for value in loss], [value == 1 for value in done])

    def test_a_finished_surface_is_not_computed_again(self):
        self.run_ok(self.surface("s.h5"))
        before = self.planes("s.h5")
        printed = self.run_ok(self.surface("s.h5"), stderr=None)
        self.assertNotIn("images/s", printed)
        self.assertEqual(self.planes("s.h5"), before)


if __name__ == "__main__":
    programs.main()
