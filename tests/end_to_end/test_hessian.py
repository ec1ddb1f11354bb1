#!/usr/bin/env python3
"""`landscape hessian` as a user runs it: what it prints and writes, and how it is continued."""

import os
import re
import signal

import programs
from programs import ModelTest, doubles, planes, start, stop


class HessianTest(ModelTest):
    MODELS = {"a": [], "b": ["--seed", "5"]}

    def hessian(self, output, *more):
        return [programs.landscape, "hessian", "a.safetensors", "--data", programs.images,
                "--images", "50", "--threads", "2", "--output", output, *more]

    def values(self, output):
        return planes(self.path(output))


class Results(HessianTest):
    def test_what_is_printed_and_written(self):
        printed = self.run_ok(self.hessian("h.h5", "--largest", "3", "--smallest", "2",
                                           "--tolerance", "1e-4"))
        self.assertRegex(printed, r"\Ah.h5: hessian of the train loss over 50 images, all "
                                  r"parameters of resnet8 .*; loss \S+, \|gradient\| \S+\n"
                                  r"largest eigenvalues \(residuals\): \S+ \(\S+\), \S+ \(\S+\), "
                                  r"\S+ \(\S+\)\n"
                                  r"smallest eigenvalues \(residuals\): \S+ \(\S+\), \S+ "
                                  r"\(\S+\)\n\Z")
        found = self.values("h.h5")
        largest, smallest = doubles(found["largest/values"]), doubles(found["smallest/values"])
        self.assertEqual(largest, sorted(largest, reverse=True))
        self.assertEqual(smallest, sorted(smallest))
        self.assertGreater(largest[0], 0)
        scale = max(map(abs, largest + smallest))
        for residual in doubles(found["largest/residuals"]) + doubles(found["smallest/residuals"]):
            self.assertLessEqual(residual, 1e-4 * scale)
        loss = re.search(r"loss (\S+),", printed).group(1)
        self.assertAlmostEqual(doubles(found["loss"])[0], float(loss), places=4)

    def test_what_is_lacking_is_added(self):
        self.run_ok(self.hessian("h.h5", "--largest", "2"))
        before = self.values("h.h5")
        self.run_ok(self.hessian("h.h5", "--largest", "2", "--trace", "12", "--density", "2",
                                 "--density-steps", "10"))
        after = self.values("h.h5")
        for name, value in before.items():
            self.assertEqual(after[name], value)
        self.assertIn("trace/value", after)
        self.assertIn("density/at", after)
        self.run_ok(self.hessian("whole.h5", "--largest", "2", "--trace", "12", "--density", "2",
                                 "--density-steps", "10", "--threads", "1"))
        self.assertEqual(self.values("whole.h5"), after)

    def test_what_is_coarser_than_asked_for_is_computed_again(self):
        coarse = ["--largest", "2", "--tolerance", "0.1", "--trace", "12", "--density", "2",
                  "--density-steps", "5"]
        fine = ["--largest", "2", "--tolerance", "1e-4", "--trace", "24", "--density", "2",
                "--density-steps", "20"]
        self.run_ok(self.hessian("h.h5", *coarse))
        self.run_ok(self.hessian("fresh.h5", *fine))
        printed = self.run_ok(self.hessian("h.h5", *fine), stderr=None)
        fresh = self.values("fresh.h5")
        self.assertEqual(self.values("h.h5"), fresh)
        self.assertEqual(doubles(fresh["search/tolerance"]), [1e-4])
        self.assertEqual(doubles(fresh["density/steps"]), [20])
        self.assertRegex(printed, r"\neigenvalues below 0: \S+ \(\+- \S+\) to \S+ \(\+- \S+\) %, "
                                  r"below -\S+: .* standard errors over 2 probes")
        # What is finer than asked for stays.
        self.run_ok(self.hessian("h.h5", *coarse))
        self.assertEqual(self.values("h.h5"), fresh)
        # A search that ended above its tolerance is not repeated, but another one is made.
        short = ["--tolerance", "1e-7", "--trace", "12", "--max-products"]
        self.run_ok(self.hessian("s.h5", *short, "20"), stderr=None)
        self.run_ok(self.hessian("s.h5", *short, "20"))
        self.assertEqual(doubles(self.values("s.h5")["search/products"]), [20])
        self.run_ok(self.hessian("s.h5", *short, "40"), stderr=None)
        self.assertGreater(doubles(self.values("s.h5")["search/products"])[0], 20)

    def test_gauss_newton_is_never_negative(self):
        self.run_ok(self.hessian("h.h5", "--curvature", "gauss-newton"))
        found = self.values("h.h5")
        self.assertGreater(doubles(found["smallest/values"])[0],
                           -1e-4 * doubles(found["largest/values"])[0])

    def test_some_layers_and_weights_alone(self):
        for flags in (["--layers", "linear"], ["--layers", "layer1,linear", "--parameters", "weights"],
                      ["--bn", "batch", "--bn-batch", "25"], ["--split", "test"],
                      ["--loss", "mse"]):
            with self.subTest(flags=flags):
                printed = self.run_ok(self.hessian("h.h5", "--largest", "1", *flags))
                self.assertIn("largest eigenvalues", printed)
                os.remove(self.path("h.h5"))

    def test_help(self):
        printed = self.run_ok([programs.landscape, "hessian", "--help"])
        for word in ("--largest", "--trace", "--density", "--layers", "--curvature", "--images"):
            self.assertIn(word, printed)


class Maps(HessianTest):
    """`--over`: the curvature at every point of a surface."""

    def setUp(self):
        super().setUp()
        self.run_ok([programs.landscape, "surface", "a.safetensors", "--data", programs.images,
                     "--images", "50", "--output", "s.h5", "--x=-0.5:0.5:3", "--y=-0.5:0.5:3",
                     "--no-pictures", "--seed", "3"])

    def over(self, output, *more):
        return self.hessian(output, "--over", "s.h5", "--tolerance", "3e-4", *more)

    def test_planes_and_pictures(self):
        printed = self.run_ok(self.over("h.h5", "--trace", "30"))
        self.assertIn("h.h5: 9 points, hessian of the train loss over 50 images", printed)
        for name in ("ratio", "max", "min", "gradient", "trace"):
            self.assertIn(f"h_{name}.png", printed)
            self.assertTrue(os.path.exists(self.path(f"h_{name}.svg")))
        found = {name: doubles(plane) for name, plane in self.values("h.h5").items()}
        surface = {name: doubles(plane) for name, plane in self.values("s.h5").items()}
        for loss, expected in zip(found["curvature_loss"], surface["train_loss"]):
            self.assertAlmostEqual(loss, expected, delta=1e-4 * expected)
        for least, most, ratio in zip(found["lambda_min"], found["lambda_max"],
                                      found["lambda_ratio"]):
            self.assertLess(least, most)
            self.assertAlmostEqual(ratio, abs(least / most), places=12)
        self.assertLessEqual(max(found["lambda_residual"]), 3e-4)

    def test_over_surfaces_in_a_folder_with_a_blank(self):
        """What a surface's file says of its directions makes them again, whatever its paths hold."""
        folder = "my networks"
        os.mkdir(self.path(folder))
        for name in "ab":
            os.rename(self.path(f"{name}.safetensors"), self.path(f"{folder}/{name}.safetensors"))
        a, b = (f"{folder}/{name}.safetensors" for name in "ab")
        same = ["--data", programs.images, "--images", "20", "--threads", "2"]
        self.run_ok([programs.landscape, "hessian", a, *same, "--output", f"{folder}/v.h5"])
        for kind in (["surface", a], ["surface", a, "--to", b], ["line", a, b],
                     ["plane", a, "--gradient"],
                     ["plane", a, "--eigenvectors", f"{folder}/v.h5"]):
            with self.subTest(kind=kind):
                more = ["--x=0:0.1:2"] + (["--y=0:0.1:2"] if kind[0] != "line" else [])
                surface = f"{folder}/s.h5"
                self.run_ok([programs.landscape, *kind, *same, *more, "--no-pictures", "--output",
                             surface], stderr=None)
                for command, flags in (("hessian", []), ("coherence", ["--batches", "2",
                                                                       "--batch-size", "10"])):
                    output = f"{folder}/{command}.h5"
                    self.run_ok([programs.landscape, command, a, *same, *flags, "--over", surface,
                                 "--no-pictures", "--output", output], stderr=None)
                    found, expected = self.values(output), self.values(surface)
                    loss = "curvature_loss" if command == "hessian" else "coherence_loss"
                    for got, there in zip(doubles(found[loss]), doubles(expected["train_loss"])):
                        self.assertAlmostEqual(got, there, delta=1e-4 * there)
                    os.remove(self.path(output))
                os.remove(self.path(surface))

    def test_the_middle_is_the_network_itself(self):
        self.run_ok(self.over("h.h5", "--no-pictures"))
        self.run_ok(self.hessian("one.h5", "--largest", "1", "--tolerance", "3e-4"))
        found, one = self.values("h.h5"), self.values("one.h5")
        for plane, value in (("lambda_max", "largest/values"), ("lambda_min", "smallest/values"),
                             ("gradient_norm", "gradient_norm"), ("curvature_loss", "loss")):
            expected = doubles(one[value])[0]
            self.assertAlmostEqual(doubles(found[plane])[4], expected, delta=1e-4 * abs(expected))

    def test_an_interrupted_map_continues(self):
        self.run_ok(self.over("whole.h5", "--no-pictures"))
        process, _ = start(self.over("h.h5", "--no-pictures", "--save-seconds", "0"), self.folder,
                           None)
        programs.wait_for_saves(self.path("h.h5"), process, 3)
        said = stop(process, signal.SIGINT)
        if process.returncode != 0:  # it may have been faster
            self.assertEqual(process.returncode, 130, said)
            self.assertRegex(said, r"interrupted; \d of 9 points are saved in h.h5")
        self.run_ok(self.over("h.h5", "--no-pictures"), stderr=None)
        found, whole = self.values("h.h5"), self.values("whole.h5")
        self.assertEqual(doubles(found["done"]), [1] * 9)
        self.assertEqual(found["gradient_norm"], whole["gradient_norm"])
        for plane in ("lambda_max", "lambda_min"):
            scale = max(map(abs, doubles(whole["lambda_max"])))
            for a, b in zip(doubles(found[plane]), doubles(whole[plane])):
                self.assertAlmostEqual(a, b, delta=1e-4 * scale)

    def test_what_does_not_fit_is_refused(self):
        def refuse(*flags):
            self.assert_refused(self.over("h.h5", *flags[:-1]), *flags[-1])

        refuse("--density", "2", ["--density", "--over"])
        refuse("--over", "none.h5", ["none.h5"])
        refuse("--output", "s.h5", ["s.h5", "another name"])
        refuse("--dir-file", "none_d.h5", ["none_d.h5"])
        self.assert_refused([programs.landscape, "hessian", "b.safetensors", "--data",
                             programs.images, "--images", "50", "--over", "s.h5"],
                            "s.h5", "another network")
        self.run_ok(self.over("h.h5", "--no-pictures"))
        refuse("--seed", "9", ["another command", "seed"])
        refuse("--tolerance", "1e-4", ["another command", "tolerance"])
        refuse("--max-products", "50", ["another command", "max_products"])


class Interruption(HessianTest):
    def test_what_was_finished_stays(self):
        process, _ = start(self.hessian("h.h5", "--density", "500"), self.folder, None)
        programs.wait_for_saves(self.path("h.h5"), process, 3)  # begun, gradient, eigenvalues
        said = stop(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130, said)
        self.assertEqual(said.strip(), "landscape: interrupted; what was finished is saved in "
                                       "h.h5: repeat the command to continue")
        found = self.values("h.h5")
        self.assertIn("largest/values", found)
        self.assertNotIn("density/at", found)
        self.run_ok(self.hessian("h.h5"))
        self.assertEqual(self.values("h.h5"), found)


class WrongInput(HessianTest):
    def refuse(self, *flags):
        *flags, words = flags
        self.assert_refused(self.hessian("h.h5", *flags), *words)

    def test_flags(self):
        self.refuse("--largest", "-1", ["--largest"])
        self.refuse("--trace", "3", ["--trace", "6"])
        self.refuse("--max-products", "12", ["--max-products 12", "at least 13"])
        self.refuse("--curvature", "sharp", ["sharp", "gauss-newton"])
        self.refuse("--bn", "states", ["states", "frozen"])
        self.refuse("--split", "both", ["--split both", "train or test"])
        self.refuse("--layers", "nonsense", ["nonsense", "conv1.weight"])
        self.refuse("--parameters", "some", ["some", "weights"])
        self.refuse("--output", "nowhere/h.h5", ["nowhere/h.h5"])
        self.assert_refused([programs.landscape, "hessian"], "no model given")

    def test_another_command_s_file(self):
        self.run_ok(self.hessian("h.h5", "--largest", "1"))
        self.refuse("--seed", "2", ["another command", "seed"])
        self.refuse("--loss", "mse", ["another command", "loss"])


if __name__ == "__main__":
    programs.main()
