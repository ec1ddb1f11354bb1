#!/usr/bin/env python3
"""What the programs write: never over what they read, one writer at a time, links and modes kept."""

import os
import signal
import stat
import subprocess
import tty

import programs
from landscape_test import LandscapeTest
from programs import run, start, stop


class Outputs(LandscapeTest):
    def computed(self):
        """Each command's words, without its outputs."""
        data = ["--data", programs.images, "--images", "50", "--threads", "1"]
        return {
            "surface": ["surface", "a.safetensors", *data, "--x=-1:1:3", "--y=-1:1:3", "--no-pictures"],
            "line": ["line", "a.safetensors", "b.safetensors", *data, "--x=0:1:3", "--no-pictures"],
            "hessian": ["hessian", "a.safetensors", *data, "--largest", "1"],
            "sharpness": ["sharpness", "a.safetensors", *data, "--measures", "gradient_norm"],
            "coherence": ["coherence", "a.safetensors", "--data", programs.images, "--batches", "2",
                          "--batch-size", "25", "--threads", "1"],
            "connect": ["connect", "a.safetensors", "b.safetensors", *data, "--points", "3", "--no-pictures"],
        }

    def test_an_output_that_is_an_input(self):
        """By its name, by another spelling, by a link of either kind."""
        os.symlink("a.safetensors", self.path("symbolic.safetensors"))
        os.link(self.path("a.safetensors"), self.path("hard.safetensors"))
        for command, words in self.computed().items():
            for output in ("a.safetensors", "./a.safetensors", "symbolic.safetensors", "hard.safetensors"):
                with self.subTest(command=command, output=output):
                    self.assert_refused([programs.landscape, *words, "--output", output],
                                        output, "input of this command", stdout=None)

    def test_further_outputs(self):
        sharpness = [programs.landscape, *self.computed()["sharpness"]]
        self.assert_refused([*sharpness, "--json", "a.safetensors"], "a.safetensors", "input", stdout=None)
        self.run_ok([programs.landscape, *self.computed()["surface"], "--output", "s.h5"], stderr=None)
        self.run_ok([programs.landscape, *self.computed()["line"], "--output", "l.h5"], stderr=None)
        os.rename(self.path("s.h5"), self.path("s.svg"))  # a surface all the same
        for words in (["report", "s.svg", "l.h5", "-o", "l.h5"],
                      ["plot", "s.svg", "-o", "s.svg", "--kind", "heat", "--values", "train_loss"],
                      ["plot", "s.svg", "--kind", "heat", "--values", "train_loss", "-o", "./s.svg"]):
            with self.subTest(words=words):
                if "built without" in run([programs.landscape, *words], self.folder).stderr:
                    self.skipTest("SKIPPED: built without Node.js")
                self.assert_refused([programs.landscape, *words], "input of this command", stdout=None)

    def test_two_outputs_that_are_one(self):
        """By one name, by another spelling, by a link."""
        computed = self.computed()
        os.symlink("s.h5", self.path("link.h5"))
        for further in ("s.h5", "./s.h5", "link.h5"):
            with self.subTest(further=further):
                self.assert_refused([programs.landscape, *computed["sharpness"], "--output", "s.h5", "--json", further],
                                    "would be written twice by this command", stdout=None)
        self.assert_refused([programs.landscape, *computed["connect"], "--output", "p.h5", "--save-aligned", "p.h5"],
                            "would be written twice", stdout=None)
        self.assert_refused([programs.landscape, *computed["connect"], "--output", "p.h5", "--epochs", "1", "--control",
                             "./p.h5"], "would be written twice", stdout=None)
        self.assertFalse(os.path.exists(self.path("p.h5")))

    def test_two_writers(self):
        """The second one says who has it, and changes nothing."""
        command = self.surface("s.h5", "--x=-1:1:41", "--y=-1:1:41", "--save-seconds", "0")
        process, _ = start(command, self.folder, None)
        while process.poll() is None and not os.path.exists(self.path("s.h5")):
            programs.pause(process, 0.005)
        second = run(command, self.folder)
        stop(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(second.returncode, 1, second.stderr)
        self.assertIn(f"s.h5 is being written by process {process.pid} on ", second.stderr)
        self.assertEqual(sorted(name for name in os.listdir(self.folder) if name.startswith((".s.h5", "s.h5"))),
                         ["s.h5"])

    def test_two_trainings(self):
        command = [programs.train, *self.TRAINING, "--epochs", "60", "--data", programs.images, "--output", "run"]
        process, _ = start(command, self.folder, "epoch 1/")
        second = run(command, self.folder)
        stop(process, signal.SIGINT)
        self.assertEqual(second.returncode, 1, second.stderr)
        self.assertIn(f"is being written by process {process.pid} on ", second.stderr)

    def test_a_terminal_that_is_closed(self):
        """SIGHUP saves, as Ctrl-C does; nohup goes on."""
        command = self.surface("s.h5", "--x=-1:1:41", "--y=-1:1:41", "--save-seconds", "1000")
        process, _ = start(command, self.folder, None)
        while process.poll() is None and not os.path.exists(self.path("s.h5")):
            programs.pause(process, 0.005)
        programs.pause(process, 0.3)
        said = stop(process, signal.SIGHUP)
        self.assertIn("points are saved in s.h5", said)
        self.assertGreater(sum(self.read_done("s.h5")), 0)

    def read_done(self, name):
        with programs.Hdf5(self.path(name)) as file:
            return programs.doubles(file.read("done"))

    def test_links_and_modes(self):
        os.mkdir(self.path("elsewhere"))
        self.run_ok(self.surface("elsewhere/s.h5"))
        os.chmod(self.path("elsewhere/s.h5"), 0o640)
        os.symlink("elsewhere/s.h5", self.path("s.h5"))
        self.run_ok(self.surface("s.h5", "--split", "train"), stderr=None)
        self.run_ok([programs.landscape, "plot", "s.h5", "--kind", "heat", "--values", "train_loss", "-o", "elsewhere/p.svg"], stderr=None)
        self.assertTrue(os.path.islink(self.path("s.h5")))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("elsewhere/s.h5")).st_mode), 0o640)

    def test_devices(self):
        """Written in place, and no pipe is waited for."""
        sharpness = [programs.landscape, *self.computed()["sharpness"], "--output", "s.h5"]
        terminal, device = os.openpty()  # of the test's own: not every system has the devices that it should
        tty.setraw(device)
        self.run_ok([*sharpness, "--json", os.ttyname(device)], stderr=None)
        self.assertIn(b'"format":"topograd-record-1"', os.read(terminal, 4096))
        os.close(terminal)
        os.close(device)
        piped = subprocess.run([*sharpness, "--json", "/dev/stdout"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(piped.returncode, 0, piped.stderr)
        self.assertIn('"format":"topograd-record-1"', piped.stdout)
        os.mkfifo(self.path("pipe"))
        refused = run([*sharpness, "--json", "pipe"], self.folder)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("nobody reads that pipe", refused.stderr)


if __name__ == "__main__":
    programs.main()
