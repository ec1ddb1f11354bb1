#!/usr/bin/env python3
"""`landscape connect` as a user runs it: lines, alignment, trained curves, and how they continue."""

import os
import re
import shutil
import signal

import programs
from landscape_test import LandscapeTest
from programs import Hdf5, doubles, safetensors, start, stop


class ConnectTest(LandscapeTest):
    def connect(self, output, *more, models=("a.safetensors", "b.safetensors")):
        return [programs.landscape, "connect", *models, "--data", programs.images, "--images",
                "100", "--points", "5", "--bn-batch", "50", "--batch-size", "50", "--threads", "2",
                "--no-pictures", "--output", output, *more]

    def path_values(self, output, *names):
        with Hdf5(self.path(output)) as file:
            return [doubles(file.read("paths/" + name)) for name in names]

    def bytes_of(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()


class Lines(ConnectTest):
    def test_the_straight_line_is_that_of_landscape_line(self):
        printed = self.run_ok(self.connect("c.h5"))
        self.assertRegex(printed, r"\Ac.h5: from a.safetensors to b.safetensors, resnet8 .* 5 "
                                  r"points\npath +BatchNorm +images .*\n"
                                  r"straight line +interpolated +train .*\n"
                                  r"straight line +interpolated +test .*\n"
                                  r"straight line +re-estimated +train .*\n"
                                  r"straight line +re-estimated +test .*\n\Z")
        for bn, flags in (("states", []), ("recompute", ["--bn", "recompute", "--bn-batch", "50"])):
            self.run_ok(self.line(f"{bn}.h5", "--to", "b.safetensors", "--x=0:1:5", "--split",
                                  "both", "--images", "100", *flags))
            ours = self.path_values("c.h5", f"line/{bn}/train_loss", f"line/{bn}/test_acc")
            theirs = self.planes(f"{bn}.h5")
            self.assertEqual(ours[0], doubles(theirs["train_loss"]))
            self.assertEqual(ours[1], doubles(theirs["test_acc"]))
        loss, barrier = self.path_values("c.h5", "line/states/train_loss",
                                         "line/states/train_loss_barrier")
        above = [value - ((1 - k / 4) * loss[0] + k / 4 * loss[4]) for k, value in enumerate(loss)]
        self.assertAlmostEqual(barrier[0], max(above), places=12)

    def test_a_network_and_itself(self):
        shutil.copyfile(self.path("a.safetensors"), self.path("twin.safetensors"))
        self.run_ok(self.connect("c.h5", "--bn", "states",
                                 models=("a.safetensors", "twin.safetensors")))
        loss, barrier = self.path_values("c.h5", "line/states/train_loss",
                                         "line/states/train_loss_barrier")
        self.assertEqual(len(set(loss)), 1)
        self.assertLess(barrier[0], 1e-12)

    def test_pictures(self):
        command = [word for word in self.connect("c.h5") if word != "--no-pictures"]
        printed = self.run_ok(command)
        for name in ("c_train_loss.svg", "c_train_loss.png", "c_test_loss.svg"):
            self.assertIn(name, printed)
            self.assertGreater(os.path.getsize(self.path(name)), 1000)

    def test_help(self):
        printed = self.run_ok([programs.landscape, "connect", "--help"])
        for word in ("--align", "--save-aligned", "--epochs", "--control", "--bn", "--points"):
            self.assertIn(word, printed)


class Alignment(ConnectTest):
    def test_the_aligned_network_computes_the_same(self):
        printed = self.run_ok(self.connect("c.h5", "--save-aligned", "aligned.safetensors"))
        self.assertRegex(printed, r"aligned: \d+ groups of channels in \d+ sweeps; \|A - B\| \S+ "
                                  r"-> \S+; the same function")
        self.assertIn("line to aligned B", printed)
        before, after = re.search(r"\|A - B\| (\S+) -> (\S+);", printed).groups()
        self.assertLess(float(after), float(before))
        ends = self.path_values("c.h5", "line/states/test_loss", "aligned/states/test_loss")
        self.assertEqual(ends[0][0], ends[1][0])
        self.assertAlmostEqual(ends[0][4], ends[1][4], places=5)
        one, other = self.evaluate("b.safetensors"), self.evaluate("aligned.safetensors")
        self.assertAlmostEqual(one[0], other[0], places=4)
        self.assertAlmostEqual(one[1], other[1], places=3)
        theirs = safetensors(self.path("b.safetensors"))[1]
        ours = safetensors(self.path("aligned.safetensors"))[1]
        self.assertEqual(sorted(theirs), sorted(ours))
        self.assertNotEqual(theirs["conv1.weight"], ours["conv1.weight"])
        # The same numbers, in another order.
        for name, (shape, data) in theirs.items():
            words = [data[k:k + 4] for k in range(0, len(data), 4)]
            again = [ours[name][1][k:k + 4] for k in range(0, len(data), 4)]
            self.assertEqual(sorted(words), sorted(again), name)

    def test_aligning_the_aligned_changes_nothing(self):
        self.run_ok(self.connect("c.h5", "--save-aligned", "b1.safetensors", "--bn", "states"))
        self.run_ok(self.connect("d.h5", "--save-aligned", "b2.safetensors", "--bn", "states",
                                 models=("a.safetensors", "b1.safetensors")))
        self.assertEqual(safetensors(self.path("b1.safetensors"))[1],
                         safetensors(self.path("b2.safetensors"))[1])
        loss = self.path_values("d.h5", "line/states/train_loss", "aligned/states/train_loss")
        self.assertEqual(loss[0], loss[1])


class Curves(ConnectTest):
    def curve(self, output, *more):
        return self.connect(output, "--bn", "recompute", "--epochs", "4", "--lr", "0.02", *more)

    def test_a_curve_and_its_plane(self):
        printed = self.run_ok(self.curve("c.h5"))
        self.assertIn("wrote the curve's control point, c_control.safetensors", printed)
        line, curve = self.path_values("c.h5", "line/recompute/train_loss",
                                       "curve/recompute/train_loss")
        self.assertEqual(line[0], curve[0])
        self.assertLess(abs(line[4] - curve[4]), 1e-4)
        self.assertLess(sum(curve[1:4]), sum(line[1:4]))
        # The three points span a plane that landscape surface draws; (0, 1) is the control point.
        self.evaluate("c_control.safetensors")
        self.run_ok([programs.landscape, "surface", "a.safetensors", "--to", "b.safetensors",
                     "--model-file3", "c_control.safetensors", "--data", programs.images,
                     "--images", "50", "--x=0:1:2", "--y=0:1:2", "--no-pictures", "-o", "p.h5"])

    def test_interrupted_and_continued_to_the_same_bits(self):
        self.run_ok(self.curve("whole.h5"))
        process, _ = start(self.curve("c.h5", "--save-seconds", "0"), self.folder, None)
        programs.wait_for_saves(self.path("c_control.safetensors"), process, 5)
        said = stop(process, signal.SIGINT)
        if process.returncode != 0:  # it was quicker
            self.assertEqual(process.returncode, 130, said)
            self.assertIn("interrupted; what was finished is saved in c.h5", said)
        self.run_ok(self.curve("c.h5", "--threads", "1"))
        self.assertEqual(self.path_values("c.h5", "curve/recompute/train_loss"),
                         self.path_values("whole.h5", "curve/recompute/train_loss"))
        self.assertEqual(safetensors(self.path("c_control.safetensors"))[1],
                         safetensors(self.path("whole_control.safetensors"))[1])
        control = self.bytes_of("c_control.safetensors")
        self.run_ok(self.curve("c.h5"))  # nothing is left to do
        self.assertEqual(self.bytes_of("c_control.safetensors"), control)

    def test_the_curve_is_trained_on_as_many_images_as_are_measured(self):
        for flags, words, images in (([], "the first 100", "100"), (["--curve-images", "0"], "all", "400"),
                                     (["--curve-images", "60"], "the first 60", "60")):
            printed = self.run_ok(self.curve("c.h5", "--epochs", "1", *flags))
            self.assertIn(f"c_control.safetensors, trained on {words} training images\n", printed)
            self.assertRegex(self.bytes_of("c_control.safetensors"), rb'images\W+' + images.encode() + rb'\W')
            for name in ("c.h5", "c_control.safetensors"):
                os.remove(self.path(name))

    def test_another_curve_is_refused(self):
        self.run_ok(self.curve("c.h5"))
        self.assert_refused(self.curve("c.h5", "--momentum", "0.8"), "another curve", "momentum")
        self.assert_refused(self.curve("c.h5", "--align", "--control", "d.safetensors"),
                            "another curve")


class WrongInput(ConnectTest):
    def refuse(self, *flags):
        *flags, words = flags
        self.assert_refused(self.connect("c.h5", *flags), *words)

    def test_flags(self):
        self.refuse("--points", "1", ["--points"])
        self.refuse("--bn", "batch", ["batch", "states or recompute"])
        self.refuse("--output", "nowhere/c.h5", ["nowhere/c.h5"])
        self.refuse("--save-aligned", "c.h5", ["c.h5"])
        self.refuse("--epochs", "-1", ["--epochs"])
        self.assert_refused(self.connect("c.h5", models=["a.safetensors"]), "joins two networks")

    def test_networks_that_no_path_joins(self):
        self.run_ok([programs.train, "--model", "resnet8", "--width", "5", "--data",
                     programs.images, "--epochs", "1", "--batch-size", "50", "--output", "wide"])
        self.assert_refused(self.connect("c.h5", models=["a.safetensors",
                                                         "wide/model.safetensors"]), "no path joins")

    def test_another_command_s_file(self):
        self.run_ok(self.connect("c.h5", "--bn", "states"))
        self.refuse("--loss", "mse", ["another command", "loss"])
        self.refuse("--points", "6", ["another command", "points"])
        self.assert_refused(self.connect("c.h5", models=["b.safetensors", "a.safetensors"]),
                            "another command", "model_hash")


if __name__ == "__main__":
    programs.main()
