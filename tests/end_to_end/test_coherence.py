#!/usr/bin/env python3
"""`landscape coherence` as a user runs it: its table and file, over surfaces and along training."""

import math
import os
import re
import shutil
import signal

import programs
from landscape_test import LandscapeTest
from programs import TINY_NET, doubles, start, stop

QUANTITIES = ["gradient_norm", "batch_gradient_norm", "cosine", "cosine_se", "cosine_min",
              "inner_product_min", "snr", "snr_se", "noise_scale"]


class CoherenceTest(LandscapeTest):
    def coherence(self, output, *more, models=("a.safetensors",)):
        return [programs.landscape, "coherence", *models, "--data", programs.images, "--batches",
                "6", "--batch-size", "20", "--threads", "2", "--output", output, *more]

    def values(self, output, name):
        with programs.Hdf5(self.path(output)) as file:
            return doubles(file.read(name))


class Networks(CoherenceTest):
    def test_what_is_printed_and_written(self):
        printed = self.run_ok(self.coherence("c.h5"))
        self.assertRegex(printed, r"\Ac.h5: gradients of 6 minibatches of 20 images, .*training, "
                                  r"BatchNorm frozen\nnetwork .*\na.safetensors .* \+- .*\n\Z")
        with programs.Hdf5(self.path("c.h5")) as file:
            shape, data = file.read("model0/gram")
            self.assertEqual(shape, (6, 6))
            gram = doubles((shape, data))
            found = {name: doubles(file.read(name))[0] for name in QUANTITIES + ["loss"]}
            layers = {name: doubles(file.read("model0/layers/" + name)) for name in QUANTITIES}
        # Once more from the products, as the papers define them.
        norms = [math.sqrt(gram[7 * i]) for i in range(6)]
        pairs = [(i, j) for i in range(6) for j in range(i)]
        cosines = [gram[6 * i + j] / norms[i] / norms[j] for i, j in pairs]
        signal_square = sum(gram[6 * i + j] for i, j in pairs) / len(pairs)
        noise = (sum(gram[7 * i] for i in range(6)) - sum(gram) / 6) / 5
        expected = {"gradient_norm": math.sqrt(sum(gram)) / 6,
                    "batch_gradient_norm": sum(norms) / 6, "cosine": sum(cosines) / len(pairs),
                    "cosine_min": min(cosines),
                    "inner_product_min": min(gram[6 * i + j] for i, j in pairs),
                    "snr": signal_square / noise}
        for name, value in expected.items():
            self.assertTrue(math.isclose(found[name], value, rel_tol=1e-9), name)
        self.assertGreater(found["cosine_se"], 0)
        # Squares of the layers' norms add up: parameters are the layers'.
        self.assertTrue(math.isclose(sum(v * v for v in layers["gradient_norm"]),
                                     found["gradient_norm"] ** 2, rel_tol=1e-9))

    def test_side_by_side_and_continued(self):
        both = ("a.safetensors", "b.safetensors")
        self.run_ok(self.coherence("c.h5"))
        first = self.values("c.h5", "model0/gram")
        printed = self.run_ok(self.coherence("c.h5", models=both))
        self.assertEqual(len(re.findall(r"^[ab]\.safetensors", printed, re.M)), 2)
        self.run_ok(self.coherence("whole.h5", "--threads", "1", models=both))
        self.assertEqual(self.values("c.h5", "model0/gram"), first)
        for name in ("model1/gram", "cosine", "snr_se"):
            self.assertEqual(self.values("c.h5", name), self.values("whole.h5", name))
        self.assertEqual(self.run_ok(self.coherence("c.h5", models=both)), printed)

    def test_flags(self):
        printed = self.run_ok(self.coherence("l.h5", "--per-layer"))
        for layer in ("conv1", "layer1.0.bn1", "linear"):
            self.assertRegex(printed, rf"(?m)^{layer} ")
        for flags in (["--bn", "batch"], ["--split", "test", "--batches", "4"], ["--loss", "mse"],
                      ["--images", "130"]):
            with self.subTest(flags=flags):
                self.assertIn("a.safetensors", self.run_ok(self.coherence("f.h5", *flags)))
                os.remove(self.path("f.h5"))

    def test_minibatches_fit_the_images_unless_they_are_chosen(self):
        """16 of 64 images; of fewer images fewer of 64, but at least 4; what is chosen stays."""
        for images, flags, found in (("300", [], (4, 64)), ("130", [], (4, 32)), ("300", ["--batch-size", "20"], (15, 20)),
                                     ("300", ["--batches", "10"], (10, 30)), ("399", ["--batch-size", "10"], (16, 10))):
            with self.subTest(images=images, flags=flags):
                printed = self.run_ok([programs.landscape, "coherence", "a.safetensors", "--data", programs.images, "--images",
                                       images, *flags, "--no-pictures", "--output", "m.h5"])
                self.assertIn("m.h5: gradients of {} minibatches of {} images, ".format(*found), printed)
                os.remove(self.path("m.h5"))

    def test_along_training(self):
        self.run_ok([programs.train, *TINY_NET, "--data", programs.images, "--epochs", "3",
                     "--batch-size", "50", "--checkpoint-every", "1", "--output", "run"])
        models = [f"run/epoch_{k}.safetensors" for k in (1, 2, 3)]
        printed = self.run_ok(self.coherence("c.h5", models=models))
        self.assertEqual(self.values("c.h5", "epoch"), [1, 2, 3])
        for name in ("c_cosine.svg", "c_cosine.png", "c_snr.svg", "c_snr.png"):
            self.assertIn(name, printed)
            self.assertGreater(os.path.getsize(self.path(name)), 1000)

    def test_help(self):
        printed = self.run_ok([programs.landscape, "coherence", "--help"])
        for word in ("--batches", "--batch-size", "--over", "--bn", "--per-layer", "--images"):
            self.assertIn(word, printed)


class Surfaces(CoherenceTest):
    def over(self, output, surface, *more):
        return self.coherence(output, "--over", surface, "--no-pictures", *more)

    def test_the_centre_is_the_network(self):
        self.run_ok(self.surface("s.h5"))
        printed = self.run_ok(self.coherence("o.h5", "--over", "s.h5"))
        self.assertIn("15 points", printed)
        for name in ("o_cosine.svg", "o_snr.png"):
            self.assertIn(name, printed)
        self.run_ok(self.coherence("c.h5"))
        for plane, name in (("coherence_cosine", "cosine"), ("coherence_snr", "snr"),
                            ("gradient_norm", "gradient_norm"), ("coherence_loss", "loss")):
            values = self.values("o.h5", plane)
            self.assertEqual(len(values), 15)
            self.assertEqual(values[7], self.values("c.h5", name)[0])  # of (0, 0), to the bit
            self.assertTrue(all(map(math.isfinite, values)), plane)
            self.assertEqual(len(set(values)), 15, plane)

    def test_directions_are_those_of_the_surface(self):
        # By its command, by its file of directions, and towards another model.
        self.run_ok(self.surface("s.h5", "--norm", "layer", "--seed", "5", "--idx", "2"))
        self.run_ok(self.over("by_command.h5", "s.h5"))
        self.run_ok(self.surface("d.h5", "--norm", "layer", "--seed", "5", "--idx", "2",
                                 "--dir-file", "dirs.h5"))
        self.run_ok(self.over("by_file.h5", "d.h5"))
        self.assertEqual(self.planes("by_command.h5"), self.planes("by_file.h5"))
        self.run_ok(self.line("to.h5", "--to", "b.safetensors"))
        self.run_ok(self.over("towards.h5", "to.h5"))
        self.run_ok(self.coherence("b.h5", models=["b.safetensors"]))
        # alpha = 1 is b, but for the rounding of a difference
        self.assertAlmostEqual(self.values("towards.h5", "coherence_cosine")[2],
                               self.values("b.h5", "cosine")[0], places=4)

    def test_directions_that_cannot_be_had(self):
        self.run_ok(self.surface("d.h5", "--dir-file", "dirs.h5"))
        self.run_ok(self.surface("other.h5", "--dir-file", "other_dirs.h5", "--seed", "9"))
        self.assert_refused(self.over("o.h5", "d.h5", "--dir-file", "other_dirs.h5"),
                            "other directions")
        shutil.copyfile(self.path("b.safetensors"), self.path("gone.safetensors"))
        self.run_ok(self.line("to.h5", "--to", "gone.safetensors"))
        os.remove(self.path("gone.safetensors"))
        self.assert_refused(self.over("o.h5", "to.h5"), "gone.safetensors", "--dir-file")
        self.run_ok(self.surface("seeds.h5", "--seeds", "2"))
        self.assert_refused(self.over("o.h5", "seeds.h5"), "--seeds")

    def test_interrupted_and_continued(self):
        self.run_ok(self.surface("s.h5"))
        self.run_ok(self.over("whole.h5", "s.h5"))
        process, _ = start(self.over("o.h5", "s.h5", "--save-seconds", "0"), self.folder, None)
        programs.wait_for_saves(self.path("o.h5"), process, 4)
        said = stop(process, signal.SIGINT)
        if process.returncode != 0:  # it was quicker
            self.assertEqual(process.returncode, 130, said)
            self.assertRegex(said, r"interrupted; \d+ of 15 points are saved in o.h5")
        self.run_ok(self.over("o.h5", "s.h5"), stderr=None)
        self.assertEqual(self.planes("o.h5"), self.planes("whole.h5"))


class WrongInput(CoherenceTest):
    def refuse(self, *flags):
        *flags, words = flags
        self.assert_refused(self.coherence("c.h5", *flags), *words)

    def test_flags(self):
        self.refuse("--batches", "1", ["--batches"])
        self.refuse("--batch-size", "100", ["6 minibatches of 100", "400"])
        self.refuse("--bn", "states", ["states", "frozen"])
        self.refuse("--bn", "batch", "--batch-size", "1", ["one image"])
        self.refuse("--split", "both", ["--split both"])
        self.refuse("--over", "nothing.h5", ["nothing.h5"])
        self.refuse("--output", "nowhere/c.h5", ["nowhere/c.h5"])
        self.assert_refused([programs.landscape, "coherence"], "no model given")
        self.assert_refused(self.coherence("c.h5", models=["a.safetensors", "a.safetensors"]),
                            "the same network")
        self.assert_refused(self.coherence("c.h5", "--over", "s.h5",
                                           models=["a.safetensors", "b.safetensors"]),
                            "one model at a time")

    def test_another_command_s_file(self):
        self.run_ok(self.coherence("c.h5"))
        self.refuse("--seed", "2", ["another command", "seed"])
        self.refuse("--batches", "5", ["another command", "batches"])
        self.assert_refused(self.coherence("c.h5", models=["b.safetensors"]), "another command",
                            "a.safetensors")
        self.run_ok(self.surface("s.h5"))
        self.assert_refused(self.coherence("s.h5"), "s.h5", "not a file of landscape coherence")
        self.assert_refused(self.coherence("s.h5", "--over", "s.h5"), "--over", "s.h5")
        self.run_ok(self.coherence("b.h5", models=["b.safetensors"]))
        self.assert_refused(self.coherence("o.h5", "--over", "s.h5", models=["b.safetensors"]),
                            "another network")


if __name__ == "__main__":
    programs.main()
