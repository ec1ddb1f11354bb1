#!/usr/bin/env python3
"""`landscape plane` and `landscape line` between networks, as a user runs them."""

import os
import re
import shutil

import programs
from landscape_test import LandscapeTest
from programs import doubles


class PlaneTest(LandscapeTest):
    """Three networks: a, b and c; and one without kinks."""

    MODELS = {**LandscapeTest.MODELS, "c": ["--seed", "7"], "smooth": ["--seed", "0", "--activation", "tanh"]}

    def plane(self, output, *more, models=("a",)):
        return [programs.landscape, "plane", *(f"{name}.safetensors" for name in models), "--data",
                programs.images, "--images", "50", "--x=-1:1:3", "--y=-1:1:3", "--no-pictures",
                "--threads", "2", "--output", output, *more]

    def values(self, output, plane="train_loss"):
        with programs.Hdf5(self.path(output)) as file:
            return doubles(file.read(plane))

    def loss(self, model, *more):
        return self.evaluate(f"{model}.safetensors", "--split", "train", "--train-images", "50")[0]

    def hessian(self, *more, model="a"):
        self.run_ok([programs.landscape, "hessian", f"{model}.safetensors", "--data", programs.images,
                     "--images", "50", "--output", "h.h5", "--largest", "2", "--smallest", "1",
                     "--tolerance", "1e-5", *more])


class ThroughNetworks(PlaneTest):
    def test_they_lie_at_the_corners(self):
        printed = self.run_ok(self.plane("p.h5", "--x=0:1:2", "--y=0:1:2", models="abc"))
        self.assertIn("a at (0, 0)\nb at (1, 0)\nc at (0, 1)\n", printed)
        found = self.values("p.h5")
        for model, i in (("a", 0), ("b", 1), ("c", 2)):
            loss = self.loss(model)
            self.assertAlmostEqual(found[i], loss, delta=1e-5 * loss)
        self.run_ok(self.surface("s.h5", "--to", "b.safetensors", "--model-file3", "c.safetensors",
                                 "--x=0:1:2", "--y=0:1:2"))
        self.assert_same_planes("s.h5", "p.h5")

    def test_orthonormal(self):
        printed = self.run_ok(self.plane("p.h5", "--orthonormal", models="abc"))
        self.assertRegex(printed, r"a at \(0, 0\)\nb at \(\S+, 0\)\nc at \(\S+, \S+\)\n")
        with open(self.path("p.h5"), "rb") as file:
            kept = re.search(rb"a 0 0\nb (\S+) 0\nc (\S+) (\S+)\n", file.read())
        b, cx, cy = (float(word) for word in kept.groups())
        for model, x, y in (("b", b, 0.0), ("c", cx, cy)):
            self.run_ok(self.plane(f"{model}.h5", "--orthonormal", f"--x={x!r}:{x!r}:1",
                                   f"--y={y!r}:{y!r}:1", models="abc"))
            loss = self.loss(model)
            self.assertAlmostEqual(self.values(f"{model}.h5")[0], loss, delta=1e-4 * loss)

    def test_a_default_grid_and_its_pictures(self):
        command = [word for word in self.plane("p.h5", "--images", "4", models="abc")
                   if not word.startswith(("--x", "--y", "--no"))]
        printed = self.run_ok(command)
        self.assertEqual(printed.splitlines()[-6:],
                         ["p_contours.svg", "p_contours.png", "p_heat.svg", "p_heat.png",
                          "p_surface.svg", "p_surface.png"])
        x = self.values("p.h5", "xcoordinates")
        self.assertEqual((x[0], x[-1], len(x)), (-0.5, 1.5, 41))

    def test_refused(self):
        for flags, models, words in (
                ([], "ab", ["a line, not a plane"]), ([], "a", ["--eigenvectors", "--gradient"]),
                ([], "", ["no model given"]), (["--gradient"], "abc", ["too much"]),
                (["--norm", "filter"], "abc", ["--norm"]), (["--seed", "2"], "abc", ["--seed"]),
                ([], "abca", ["too many"])):
            with self.subTest(flags=flags, models=models):
                self.assert_refused(self.plane("p.h5", *flags, models=models), *words)
        shutil.copyfile(self.path("b.safetensors"), self.path("d.safetensors"))
        self.assert_refused(self.plane("p.h5", models="abd"), "one line")
        self.assert_refused(self.plane("p.h5", models="aab"), "one and the same")
        self.assert_refused(self.plane("p.h5", models="abx"), "x.safetensors")

    def test_another_command_s_file(self):
        self.run_ok(self.plane("p.h5", models="abc"))
        self.assert_refused(self.plane("p.h5", models="acb"), "p.h5", "direction_hash")


class Eigenvectors(PlaneTest):
    def test_the_loss_curves_as_the_eigenvalues_say(self):
        self.hessian(model="smooth")  # where a ReLU turns on or off the loss has a kink, and no curvature
        h = 1e-4
        plane = [f"--x=-{h}:{h}:3", f"--y=-{h}:{h}:3", "--precision", "f64", "--eigenvectors", "h.h5"]
        self.run_ok(self.plane("p.h5", *plane, models=["smooth"]), stderr=None)
        loss = self.values("p.h5")
        largest = self.values("h.h5", "largest/values")
        smallest = self.values("h.h5", "smallest/values")
        self.assertAlmostEqual((loss[3] - 2 * loss[4] + loss[5]) / h ** 2, largest[0],
                               delta=0.03 * largest[0])
        self.assertAlmostEqual((loss[1] - 2 * loss[4] + loss[7]) / h ** 2, smallest[0],
                               delta=0.03 * largest[0])
        self.run_ok(self.plane("q.h5", *plane, "--vectors", "largest:2,largest", models=["smooth"]), stderr=None)
        other = self.values("q.h5")
        self.assertEqual([other[1], other[7]], [loss[3], loss[5]])
        self.assertAlmostEqual((other[3] - 2 * other[4] + other[5]) / h ** 2, largest[1],
                               delta=0.03 * largest[0])

    def test_normalised_or_not_it_is_said(self):
        self.hessian()
        for norm, words in ((None, b"unit eigenvector, largest eigenvalue "),
                            ("filter", b"filter-normalised eigenvector, largest eigenvalue ")):
            flags = ["--norm", norm] if norm else []
            self.run_ok(self.plane("p.h5", "--eigenvectors", "h.h5", *flags))
            with open(self.path("p.h5"), "rb") as file:
                self.assertIn(words, file.read())
            os.remove(self.path("p.h5"))

    def test_refused(self):
        self.hessian()
        eigen = ["--eigenvectors", "h.h5"]
        for flags, words in ((eigen + ["--vectors", "largest:3,smallest"], ["--largest 3"]),
                             (eigen + ["--vectors", "largest"], ["needs two"]),
                             (eigen + ["--vectors", "largest,largest:1"], ["twice"]),
                             (eigen + ["--vectors", "largest:0,smallest"], ["from 1"]),
                             (eigen + ["--vectors", "middle,smallest"], ["middle"]),
                             (eigen + ["--seed", "2"], ["--seed"]),
                             (eigen + ["--dir-type", "states"], ["--dir-type states"]),
                             (["--eigenvectors", "a.safetensors"], ["a.safetensors"])):
            with self.subTest(flags=flags):
                self.assert_refused(self.plane("p.h5", *flags), *words)
        self.assert_refused(self.plane("p.h5", *eigen, models="b"), "another network")


class GradientAndFiles(PlaneTest):
    def test_downhill(self):
        """The slope along x is the gradient's length times the direction's, which is y's."""
        self.hessian()
        h = 1e-3
        self.run_ok(self.plane("p.h5", "--gradient", f"--x=-{h}:{h}:3", "--precision", "f64",
                               "--seed", "5"), stderr=None)
        loss = self.values("p.h5")[3:6]
        self.run_ok(self.surface("s.h5", "--dir-file", "d.h5", "--seed", "5"))
        squares = 0
        with programs.Hdf5(self.path("d.h5")) as file:
            tensors = programs.safetensors(self.path("a.safetensors"))[1]
            for k in range(sum("running" not in name for name in tensors)):
                squares += sum(v * v for v in doubles(file.read(f"ydirection/{k}")))
        slope = -self.values("h.h5", "gradient_norm")[0] * squares ** 0.5
        self.assertAlmostEqual((loss[2] - loss[0]) / (2 * h), slope, delta=0.02 * abs(slope))

    def test_a_file_s_directions(self):
        self.run_ok(self.surface("s.h5", "--dir-file", "d.h5"))
        self.run_ok(self.plane("p.h5", "--dir-file", "d.h5", "--x=-1:1:5"))
        self.assert_same_planes("s.h5", "p.h5")
        self.assert_refused(self.plane("q.h5", "--dir-file", "nowhere.h5"), "nowhere.h5")
        self.assert_refused(self.plane("q.h5", "--dir-file", "d.h5", "--gradient"), "too much")


class Barriers(PlaneTest):
    def test_of_a_line_between_networks(self):
        line = [word for word in self.line("l.h5", "--split", "both") if not word.startswith("--x")]
        line.insert(3, "b.safetensors")
        printed = self.run_ok(line)
        x = self.values("l.h5", "xcoordinates")
        for split in ("train", "test"):
            loss = self.values("l.h5", f"{split}_loss")
            ends = [loss[x.index(end)] for end in (0.0, 1.0)]
            rises = [(l - (1 - t) * ends[0] - t * ends[1], t) for l, t in zip(loss, x)
                     if 0 <= t <= 1]
            found = re.search(rf"^{split} loss barrier (\S+) at (\S+), above (\S+) and (\S+) at "
                              "the ends$", printed, re.M)
            height, at, first, last = (float(word) for word in found.groups())
            self.assertAlmostEqual(height, max(rises)[0], places=5)
            self.assertAlmostEqual(at, max(rises)[1], places=5)
            self.assertAlmostEqual(first, ends[0], places=5)
            self.assertAlmostEqual(last, ends[1], places=5)
            self.assertGreater(height, 0)
        with open(self.path("l.h5"), "rb") as file:
            self.assertIn(b"test_loss_barrier", file.read())
        self.assertEqual(self.run_ok(line, stderr=None).splitlines()[1:], printed.splitlines()[1:])

    def test_only_where_both_ends_are_on_the_line(self):
        self.assertNotIn("barrier", self.run_ok(self.line("l.h5")))
        self.assertNotIn("barrier", self.run_ok(
            self.line("k.h5", "--to", "b.safetensors", "--x=0:0.9:3")))


if __name__ == "__main__":
    programs.main()
