#!/usr/bin/env python3
"""Images that landscapes are over: other constants of their normalisation, other sets than CIFAR-10."""

import os
import re
import shutil

import programs
from landscape_test import LandscapeTest
from programs import TINY_NET, doubles, run


class Normalisation(LandscapeTest):
    """Images normalised otherwise than the network was trained with."""

    HALVES = ["--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5"]

    def test_a_surface_of_chosen_constants(self):
        self.run_ok(self.surface("own.h5"), stderr=None)
        self.run_ok(self.surface("half.h5", *self.HALVES), stderr=None)
        own, half = self.planes("own.h5"), self.planes("half.h5")
        self.assertNotEqual(own["train_loss"], half["train_loss"])
        middle = doubles(half["train_loss"])[7]
        loss, _ = self.evaluate("a.safetensors", "--split", "train", "--train-images", "50",
                                *self.HALVES)
        self.assertAlmostEqual(middle, loss, delta=1e-5)

    def test_no_result_goes_on_with_other_constants(self):
        self.run_ok(self.surface("half.h5", *self.HALVES), stderr=None)
        self.run_ok(self.surface("half.h5", "--mean", "0.5", "--std", "0.5"), stderr=None)
        self.assert_refused(self.surface("half.h5"), "half.h5 belongs to another command",
                            "normalisation: file has mean 0.5,0.5,0.5 std 0.5,0.5,0.5")
        self.assert_refused(self.surface("half.h5", "--normalisation", "imagenet"),
                            "normalisation: file has mean 0.5", "0.485")

    def test_every_command_over_images(self):
        data = ["--data", programs.images, "--images", "20", *self.HALVES]
        for command in (["hessian", "a.safetensors", "--largest", "1", "--output", "h.h5"],
                        ["sharpness", "a.safetensors", "--measures", "test_error", "--output", "s.h5"],
                        ["coherence", "a.safetensors", "--batches", "2", "--batch-size", "5",
                         "--output", "c.h5"],
                        ["line", "a.safetensors", "b.safetensors", "--x=0:1:2", "--output", "l.h5"]):
            with self.subTest(command[0]):
                self.run_ok([programs.landscape, *command, *data], stderr=None)
                self.assert_refused([programs.landscape, *command, *data[:4]],
                                    "normalisation: file has mean 0.5,0.5,0.5")

    def test_constants_for_other_images(self):
        self.assert_refused(self.surface("s.h5", "--mean", "0.1,0.2", "--std", "0.5,0.5"),
                            "2 means", "3 channels")
        self.assert_refused(self.surface("s.h5", "--mean", "0.1"), "--mean and --std")


class OtherData(LandscapeTest):
    def plane(self, model, data, *more):
        return [programs.landscape, "surface", model, "--data", data, "--x=-1:1:3", "--y=-1:1:3",
                "--no-pictures", "--output", "s.h5", *more]

    def test_grey_images(self):
        programs.write_idx(self.path("digits"), {"train": 100, "t10k": 40})
        self.run_ok([programs.train, "--model", "resnet8", "--width", "4", "--data", "digits",
                     "--epochs", "1", "--output", "run"])
        self.run_ok(self.plane("run/model.safetensors", "digits", "--split", "both"))
        middle = {name: doubles(plane)[4] for name, plane in self.planes("s.h5").items()
                  if len(plane[0]) == 2}
        for split in ("train", "test"):
            loss, accuracy = self.evaluate_on("digits", "run/model.safetensors", "--split", split)
            self.assertAlmostEqual(middle[f"{split}_loss"], loss, places=5)
            self.assertAlmostEqual(middle[f"{split}_acc"], accuracy, places=2)

    def test_noisy_labels(self):
        """The clean labels with a note, or those of the run, of which there are only as many."""
        self.run_ok([programs.train] + TINY_NET + ["--data", programs.images, "--epochs", "2",
                    "--label-noise", "0.8", "--train-images", "200", "--output", "run"])
        model = "run/model.safetensors"
        note = (f"landscape: note: {model} was trained with label noise 0.8; these are the clean "
                "labels, --noisy-labels takes the noisy ones\n")
        self.run_ok(self.plane(model, programs.images, "--images", "200"), note)
        clean = self.planes("s.h5")
        self.assert_refused(self.plane(model, programs.images, "--noisy-labels"), "another command",
                            "noisy training labels")
        os.remove(self.path("s.h5"))
        self.run_ok(self.plane(model, programs.images, "--noisy-labels"))
        noisy = self.planes("s.h5")
        self.assertNotEqual(noisy["train_loss"], clean["train_loss"])
        done = run([programs.train, "--evaluate", model, "--data", programs.images, "--split",
                    "train", "--noisy-labels"], self.folder)
        loss = float(re.search(r"loss (\S+) ", done.stdout).group(1))
        self.assertAlmostEqual(doubles(noisy["train_loss"])[4], loss, places=5)
        os.remove(self.path("s.h5"))
        self.run_ok(self.plane(model, programs.images, "--split", "test"))

    def test_noisy_labels_that_are_not_there(self):
        self.assert_refused(self.plane("a.safetensors", programs.images, "--noisy-labels"),
                            "a.safetensors", "not trained", "--label-noise")
        self.run_ok([programs.train] + TINY_NET + ["--data", programs.images, "--epochs", "1",
                    "--label-noise", "0.8", "--output", "run"])
        self.assert_refused(self.plane("run/model.safetensors", programs.images, "--noisy-labels",
                                       "--split", "test"), "--noisy-labels", "--split")
        programs.write_images(self.path("others"), {"train": 100, "test": 1})
        os.remove(self.path("others/train/class 1/000.png"))
        shutil.copy(self.path("others/train/class 1/001.png"),
                    self.path("others/train/class 1/000.png"))
        self.assert_refused(self.plane("run/model.safetensors", "others", "--noisy-labels"),
                            "others", "400 training images", "run/model.safetensors")


if __name__ == "__main__":
    programs.main()
