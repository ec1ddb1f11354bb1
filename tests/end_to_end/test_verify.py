#!/usr/bin/env python3
"""landscape verify: what was computed is found again, what was altered is noticed."""

import math
import os
import re
import shutil

import programs
from landscape_test import LandscapeTest
from programs import Hdf5, run


class Verify(LandscapeTest):
    def verify(self, *words, status=0, **more):
        done = run([programs.landscape, "verify", "--threads", "1", *words], self.folder, **more)
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        return done.stdout + (done.stderr if status else "")

    def alter(self, name, dataset, index, change):
        """Changes one number, and removes the checksum as a program would."""
        with Hdf5(self.path(name), writable=True) as file:
            numbers = programs.doubles(file.read(dataset))
            numbers[index] = change(numbers[index])
            file.write(dataset, numbers)

    def test_every_kind_of_result(self):
        data = ["--data", programs.images, "--images", "50", "--threads", "1"]
        self.run_ok(self.surface("s.h5"))
        self.run_ok(self.line("l.h5", "--to", "b.safetensors"))
        self.run_ok([programs.landscape, "hessian", "a.safetensors", *data, "--largest", "1", "-o", "h.h5"])
        self.run_ok([programs.landscape, "hessian", "a.safetensors", *data, "--over", "l.h5", "--no-pictures",
                     "-o", "m.h5"], stderr=None)
        self.run_ok([programs.landscape, "sharpness", "a.safetensors", "b.safetensors", *data, "--measures",
                     "sam,gradient_norm", "--json", "sharpness.json"])
        self.run_ok([programs.landscape, "coherence", "a.safetensors", "b.safetensors", "--data", programs.images,
                     "--batches", "2", "--batch-size", "25", "--threads", "1", "-o", "c.h5"])
        self.run_ok([programs.landscape, "connect", "a.safetensors", "b.safetensors", *data, "--points", "5",
                     "--align", "--no-pictures", "-o", "p.h5"])
        printed = self.verify("s.h5", "l.h5", "h.h5", "a_sharpness.h5", "b_sharpness.h5", "sharpness.json", "c.h5",
                              "p.h5", "--sample", "4")
        self.assertEqual(len(re.findall(r"^\S.*: (\d+) of \1 numbers are the same to the bit$", printed, re.M)), 9,
                         printed)
        self.assertIn("one altered point among the 15 would have been noticed with probability 26.6667 %, 8 with 95 %",
                      printed)
        self.verify("m.h5", "--tolerance", "0.01")  # the points of a map begin with their neighbours' vectors
        self.assertFalse([name for name in os.listdir(self.folder) if "control" in name or "plane" in name])

    def test_a_training_s_path_and_film(self):
        self.run_ok([programs.train, "--data", programs.images, *programs.TINY_NET, "--epochs", "2",
                     "--checkpoint-every", "1", "--output", "run", "--threads", "1"], stdout=None, stderr=None)
        data = ["--data", programs.images, "--images", "50", "--threads", "1", "--no-pictures", "--x=-1:1:3",
                "--y=-1:1:3"]
        self.run_ok([programs.landscape, "trajectory", "run", *data, "-o", "t.h5"], stderr=None)
        self.run_ok([programs.landscape, "surface", "run", "--film", *data, "-o", "film"], stderr=None)
        printed = self.verify("t.h5", "t_surface.h5", "film/epoch_1.h5")
        self.assertEqual(len(re.findall(r": (\d+) of \1 numbers are the same to the bit$", printed, re.M)), 3, printed)
        os.rename(self.path("run/epoch_1.safetensors"), self.path("moved.safetensors"))
        self.verify("film/epoch_1.h5", "--model", "moved.safetensors")

    def test_one_altered_value(self):
        self.run_ok(self.surface("s.h5"))
        shutil.copy(self.path("s.h5"), self.path("whole.h5"))
        self.alter("s.h5", "train_loss", 7, lambda loss: loss * 1.001)
        printed = self.verify("s.h5", "--sample", "15", status=1)
        self.assertRegex(printed, r"59 of 60 numbers are the same to the bit, 1 DIFFER\n"
                                  r"  train_loss at x = 0, y = 0 is \S+, computed anew \S+\n$")
        # Whoever knows the seed knows the sample: one of ten points is seen by the seeds that draw it.
        noticed = 0
        for seed in range(12):
            done = run([programs.landscape, "verify", "s.h5", "--sample", "5", "--seed", seed, "--threads", "1"],
                       self.folder)
            self.assertIn(done.returncode, (0, 1), done.stderr)
            noticed += done.returncode
        self.assertTrue(1 <= noticed <= 8, noticed)  # a third; the seeds are fixed
        self.alter("s.h5", "train_loss", 7, lambda loss: math.nan)
        self.assertIn("is -, computed anew", self.verify("s.h5", "--sample", "15", status=1))
        self.verify("whole.h5", "--sample", "15")

    def test_reports_and_records(self):
        self.run_ok(self.surface("s.h5"))
        self.alter("s.h5", "train_loss", 3, lambda loss: loss + 1)
        self.run_ok([programs.landscape, "export", "s.h5", "--format", "json"])
        self.assertIn("1 DIFFER", self.verify("s.json", "--sample", "15", status=1))
        report = run([programs.landscape, "report", "s.h5", "-o", "r.html"], self.folder)
        if "built without" in report.stderr:
            self.skipTest("SKIPPED: built without Node.js")
        self.assertIn("1 DIFFER", self.verify("r.html", "--sample", "15", status=1))

    def test_what_cannot_be_verified(self):
        self.run_ok(self.surface("s.h5"))
        for name in ("moved.safetensors", "a.safetensors"):
            shutil.copy(self.path("b.safetensors" if name[0] == "a" else "a.safetensors"), self.path(name))
        refused = self.verify("s.h5", status=1)
        self.assertIn("s.h5 cannot be verified: s.h5 belongs to another command (model_hash: ", refused)
        self.assertIn("lies elsewhere now, --model and --data name it", refused)
        self.verify("s.h5", "--model", "moved.safetensors")
        self.assertIn("cannot be verified", self.verify("s.h5", "--data", "nowhere", status=1))
        self.write("log.csv", b"epoch,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy,"
                              b"images_per_second,seconds,gradient_norm,weight_norm\n1,0.1,1,50,1,50,9,9,1,1\n")
        self.assertIn("does not say which command", self.verify("log.csv", status=1))
        self.run_ok([programs.landscape, "export", "s.h5", "--format", "json"])
        text = re.sub(r',"checksum":"\w+"', "", self.read("s.json"))
        self.write("f.json", text.replace('"provenance":{', '"provenance":{"function":"my model, my loss",').encode())
        self.assertIn("f.json was made by a function that landscape does not have (my model, my loss)",
                      self.verify("f.json", status=1))

    def test_a_command_that_would_write_elsewhere(self):
        """A result from somebody else names its command, which is run here."""
        self.run_ok(self.surface("s.h5"))
        self.run_ok([programs.landscape, "export", "s.h5", "--format", "json"])
        text = re.sub(r',"checksum":"\w+"', "", self.read("s.json"))
        before = {name: os.stat(self.path(name)).st_mtime_ns for name in os.listdir(self.folder)}
        for command, error in (
                (r"landscape surface a.safetensors --dir-file victim.h5", None),
                (r"landscape export s.h5", "computes nothing"),
                (r"landscape verify s.json", "computes nothing"),
                (r"rm -rf s.h5", "does not say which command"),
                (r"landscape surface --help", "prints its help"),
                (r"landscape sharpness a.safetensors --measures sam --json victim.json", "cannot be verified")):
            with self.subTest(command=command):
                shown = f"{command} --data {programs.images} --images 50 --x=-1:1:5 --y=-1:1:3"
                if error in ("computes nothing", "does not say which command"):
                    shown = command
                self.write("evil.json", re.sub(r'"command":"[^"]*"', f'"command":"{shown}"', text).encode())
                said = self.verify("evil.json", status=1 if error else 0)
                if error:
                    self.assertIn(error, said)
                os.remove(self.path("evil.json"))
                after = {name: os.stat(self.path(name)).st_mtime_ns for name in os.listdir(self.folder)}
                self.assertEqual(before, after)


if __name__ == "__main__":
    programs.main()
