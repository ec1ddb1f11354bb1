#!/usr/bin/env python3
"""`landscape trajectory` as a user runs it: what it writes, against principal components computed
here, and how it is continued."""

import os
import re
import shutil
import signal
import struct
import tempfile

import programs
from programs import TINY_NET, EndToEndTest, doubles, planes, run, safetensors, start, stop
from test_ranks import why_not, with_ranks

EPOCHS = 6


def parameters(path):
    """All parameters of a checkpoint, as one list."""
    values = []
    for name, (_, data) in safetensors(path)[1].items():
        if "running" not in name:
            values += struct.unpack(f"<{len(data) // 4}f", data)
    return values


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def eigenvalues(matrix):
    """Returns a small symmetric matrix's eigenpairs by Jacobi's rotations: (values, vectors as columns), the largest
    first."""
    n = len(matrix)
    a = [row[:] for row in matrix]
    v = [[float(i == j) for j in range(n)] for i in range(n)]
    for _ in range(60):
        for p in range(n):
            for q in range(p + 1, n):
                if abs(a[p][q]) < 1e-300:
                    continue
                theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
                t = (1 if theta >= 0 else -1) / (abs(theta) + (theta * theta + 1) ** 0.5)
                c = 1 / (t * t + 1) ** 0.5
                s = t * c
                for k in range(n):
                    a[k][p], a[k][q] = c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]
                for k in range(n):
                    a[p][k], a[q][k] = c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]
                for k in range(n):
                    v[k][p], v[k][q] = c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q]
    order = sorted(range(n), key=lambda i: -a[i][i])
    return [a[i][i] for i in order], [[v[k][i] for k in range(n)] for i in order]


class TrajectoryTest(EndToEndTest):
    """A run with a checkpoint of every epoch: run/epoch_0 ... epoch_6."""

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix="topograd_models_")
        cls.addClassCleanup(shutil.rmtree, cls.shared)
        done = run([programs.train] + TINY_NET + ["--data", programs.images, "--epochs", EPOCHS,
                   "--batch-size", "50", "--lr-drops", "3", "--checkpoint-every", "1", "--output",
                   "run"], cls.shared)
        assert done.returncode == 0, done.stderr

    def setUp(self):
        super().setUp()
        shutil.copytree(os.path.join(self.shared, "run"), self.path("run"))

    def epoch(self, e):
        return os.path.join("run", f"epoch_{e}.safetensors")

    def trajectory(self, output, *more, runs=("run",)):
        return [programs.landscape, "trajectory", *runs, "--data", programs.images, "--images",
                "40", "--threads", "2", "--no-pictures", "--output", output, *more]

    def small(self, output, *more, **other):
        return self.trajectory(output, "--x=-1:1:3", "--y=-1:1:2", *more, **other)

    def read_all(self, name):
        return planes(self.path(name))

    def numbers(self, name, dataset):
        return doubles(self.read_all(name)[dataset])


class Results(TrajectoryTest):
    def test_principal_components_and_projections(self):
        """Everything that follows from the checkpoints alone, computed here once more."""
        printed = self.run_ok(self.small("t.h5"))
        networks = [parameters(self.path(self.epoch(e))) for e in range(EPOCHS + 1)]
        n = len(networks)
        steps = [[a - b for a, b in zip(network, networks[-1])] for network in networks]
        mean = [sum(column) / n for column in zip(*steps)]
        centred = [[a - m for a, m in zip(step, mean)] for step in steps]
        gram = [[dot(a, b) for b in centred] for a in centred]
        values, vectors = eigenvalues(gram)
        found = self.read_all("t.h5")
        total = sum(values)
        explained = doubles(found["explained_variance_ratio_"])
        self.assertEqual(len(explained), n - 1)
        for share, value in zip(explained, values):
            self.assertAlmostEqual(share, value / total, delta=1e-5)
        in_plane = doubles(found["variance_in_plane"])[0]
        self.assertAlmostEqual(in_plane, (values[0] + values[1]) / total, delta=1e-5)
        coordinates = []
        for k, name in enumerate(("proj_xcoord", "proj_ycoord")):
            direction = [dot(column, vectors[k]) / values[k] ** 0.5 for column in zip(*centred)]
            expected = [dot(step, direction) for step in steps]
            sign = 1 if vectors[k][-1] > 0 else -1  # the end lies further right than the mean
            got = doubles(found[name])
            coordinates.append(got)
            for a, b in zip(got, expected):
                self.assertAlmostEqual(a, sign * b, delta=1e-4)
        for e, step in enumerate(steps):
            length = doubles(found["length"])[e]
            self.assertAlmostEqual(length, dot(step, step) ** 0.5, delta=1e-4)
            rest = length ** 2 - coordinates[0][e] ** 2 - coordinates[1][e] ** 2
            self.assertAlmostEqual(doubles(found["distance"])[e], max(rest, 0) ** 0.5, delta=2e-3)
        self.assertEqual(doubles(found["epoch"]), list(range(n)))
        self.assertIn(f"the plane holds {100 * in_plane:.1f} % of the variance of the 7 "
                      "checkpoints\n", printed)
        # A random walk of 7 points: 1 / (2 - 2 cos(pi k / 7)), in all (7^2 - 1) / 6 = 8.
        self.assertIn("of a random walk     they explain 63.1, 16.6, ", printed)
        self.assertEqual(len(re.findall(r"^\d .*\d$", printed, re.M)), n, printed)

    def test_losses_of_checkpoints_and_of_their_projections(self):
        self.run_ok(self.small("t.h5", "--split", "both"))
        found = self.read_all("t.h5")
        for e in (0, 3, EPOCHS):
            for split in ("train", "test"):
                printed = self.run_ok([programs.landscape, "surface", self.epoch(e), "--data",
                                       programs.images, "--images", "40", "--x=0:0:1", "--y=0:0:1",
                                       "--split", split, "--no-pictures", "--output",
                                       f"{split}{e}.h5"])
                self.assertIn("1 points", printed)
                self.assertEqual(doubles(found[f"{split}_loss"])[e],
                                 self.numbers(f"{split}{e}.h5", f"{split}_loss")[0])
            x, y = (doubles(found[name])[e] for name in ("proj_xcoord", "proj_ycoord"))
            self.run_ok([programs.landscape, "surface", self.epoch(EPOCHS), "--data",
                         programs.images, "--images", "40", "--dir-file", "t_directions.h5",
                         f"--x={x!r}:{x!r}:1", f"--y={y!r}:{y!r}:1", "--no-pictures", "--output",
                         f"p{e}.h5"])
            self.assertEqual(doubles(found["projected_train_loss"])[e],
                             self.numbers(f"p{e}.h5", "train_loss")[0])
        for name in ("train_loss", "test_loss", "test_acc", "train_loss_se"):
            self.assertEqual(doubles(found[name])[-1], doubles(found["projected_" + name])[-1])

    def test_the_surface_is_that_of_the_directions(self):
        self.run_ok(self.small("t.h5"))
        self.run_ok([programs.landscape, "surface", self.epoch(EPOCHS), "--data", programs.images,
                     "--images", "40", "--dir-file", "t_directions.h5", "--x=-1:1:3", "--y=-1:1:2",
                     "--no-pictures", "--output", "s.h5"])
        self.assertEqual(self.read_all("s.h5"), self.read_all("t_surface.h5"))

    def test_the_grid_covers_the_path(self):
        self.run_ok(self.trajectory("t.h5", "--images", "10"))
        surface, found = self.read_all("t_surface.h5"), self.read_all("t.h5")
        for axis, name in (("xcoordinates", "proj_xcoord"), ("ycoordinates", "proj_ycoord")):
            along, at = doubles(surface[axis]), doubles(found[name])
            self.assertEqual(len(along), 31)
            margin = 0.19 * (max(at) - min(at))
            self.assertLess(along[0], min(at) - margin)
            self.assertGreater(along[-1], max(at) + margin)

    def test_same_bits_with_any_number_of_threads_and_ranks(self):
        self.run_ok(self.small("one.h5", "--threads", "1"))
        self.run_ok(self.small("three.h5", "--threads", "3"))
        names = ["", "_surface", "_directions"]
        for name in names[:2]:
            self.assertEqual(self.read_all(f"one{name}.h5"), self.read_all(f"three{name}.h5"))
        if why_not():
            return
        self.run_ok(with_ranks(3, self.small("ranks.h5", "--threads", "1")), stderr=None)
        for name in names[:2]:
            self.assertEqual(self.read_all(f"one{name}.h5"), self.read_all(f"ranks{name}.h5"))

    def test_on_another_device(self):
        """The same plane; losses within rounding."""
        self.run_ok(self.small("cpu.h5", "--images", "8"))
        self.run_ok(self.small("simt.h5", "--images", "8", "--device", "simt", "--threads", "1"))
        for name in ("proj_xcoord", "proj_ycoord", "distance"):
            self.assertEqual(self.numbers("cpu.h5", name), self.numbers("simt.h5", name))
        for name in ("train_loss", "projected_train_loss"):
            for a, b in zip(self.numbers("cpu.h5", name), self.numbers("simt.h5", name)):
                self.assertAlmostEqual(a, b, delta=1e-4)

    def test_a_list_of_files_is_as_good_as_their_folder(self):
        self.run_ok(self.small("folder.h5", "--save-epoch", "2"))
        self.run_ok(self.small("list.h5", runs=[self.epoch(e) for e in (0, 2, 4, 6)]))
        self.assertEqual(self.read_all("folder.h5"), self.read_all("list.h5"))
        self.assertEqual(self.numbers("list.h5", "epoch"), [0, 2, 4, 6])
        self.run_ok(self.small("part.h5", "--start-epoch", "1", "--max-epoch", "4"))
        self.assertEqual(self.numbers("part.h5", "epoch"), [1, 2, 3, 4])

    def test_biases_and_batchnorm_left_out(self):
        self.run_ok(self.small("all.h5"))
        self.run_ok(self.small("weights.h5", "--ignore", "biasbn"))
        for name, some in (("all", True), ("weights", False)):
            with programs.Hdf5(self.path(f"{name}_directions.h5")) as file:
                self.assertEqual(any(doubles(file.read("xdirection/1"))), some)  # bn1.weight
                self.assertTrue(any(doubles(file.read("xdirection/0"))))
                self.assertEqual(len(doubles(file.read("explained_variance_ratio_"))), 2)
        self.assertNotEqual(self.numbers("all.h5", "distance"),
                            self.numbers("weights.h5", "distance"))

    def test_batchnorm_s_statistics_on_the_way(self):
        for name, flags in (("states", ["--dir-type", "states"]), ("frozen", []),
                            ("recompute", ["--bn", "recompute", "--bn-batch", "20"])):
            self.run_ok(self.small(f"{name}.h5", *flags))
            losses = [self.numbers(f"{name}.h5", f"{which}train_loss")
                      for which in ("", "projected_")]
            self.assertAlmostEqual(losses[0][-1], losses[1][-1], delta=1e-6)
        self.assertNotEqual(self.numbers("states.h5", "proj_xcoord"),
                            self.numbers("frozen.h5", "proj_xcoord"))

    def test_on_a_plane_of_random_directions(self):
        """A training hardly moves in two random directions."""
        self.run_ok([programs.landscape, "surface", self.epoch(EPOCHS), "--data", programs.images,
                     "--images", "10", "--dir-file", "d.h5", "--x=0:0:1", "--y=0:0:1",
                     "--no-pictures", "--output", "s.h5"])
        before = self.read("d.h5", "rb")
        printed = self.run_ok(self.small("t.h5", "--dir-file", "d.h5"))
        self.assertNotIn("random walk", printed)
        self.assertEqual(self.read("d.h5", "rb"), before)
        self.assertFalse(os.path.exists(self.path("t_directions.h5")))
        self.assertLess(self.numbers("t.h5", "variance_in_plane")[0], 0.05)

    def test_pictures(self):
        command = [word for word in self.small("t.h5") if word != "--no-pictures"]
        printed = self.run_ok(command)
        names = ["t_contours.svg", "t_contours.png", "t_heat.svg", "t_heat.png",
                 "t_surface.svg", "t_surface.png", "t_losses.svg", "t_losses.png"]
        self.assertEqual(printed.splitlines()[-8:], names)
        for name in names:
            self.assertGreater(os.path.getsize(self.path(name)), 2000)

    def test_help(self):
        printed = self.run_ok([programs.landscape, "trajectory", "--help"])
        for word in ("--ignore", "--dir-file", "--start-epoch", "--images", "--precision", "RUN"):
            self.assertIn(word, printed)


class Continuing(TrajectoryTest):
    def test_interrupted(self):
        slow = ["--x=-4:4:21", "--y=-4:4:21", "--images", "100", "--split", "both",
                "--save-seconds", "0"]
        for saved, count in (("t.h5", 5), ("t_surface.h5", 6)):
            process, _ = start(self.trajectory("t.h5", *slow), self.folder, None)
            programs.wait_for_saves(self.path(saved), process, count)
            said = stop(process, signal.SIGINT)
            self.assertEqual(process.returncode, 130, said)
            self.assertIn("repeat the command to continue", said)
        self.run_ok(self.trajectory("t.h5", *slow), stderr=None)
        self.run_ok(self.trajectory("whole.h5", *slow))
        for name in ("", "_surface"):
            self.assertEqual(self.read_all(f"t{name}.h5"), self.read_all(f"whole{name}.h5"))

    def test_what_is_finished_is_not_computed_again(self):
        self.run_ok(self.small("t.h5"))
        before = self.read_all("t.h5"), self.read_all("t_surface.h5")
        printed = self.run_ok(self.small("t.h5"), stderr=None)
        self.assertNotIn("images/s", printed)
        self.assertEqual((self.read_all("t.h5"), self.read_all("t_surface.h5")), before)

    def test_another_command_s_file(self):
        self.run_ok(self.small("t.h5"))
        for flags, words in ((["--loss", "mse"], ["loss", "mse"]),
                             (["--images", "30"], ["images", "30"]),
                             (["--ignore", "biasbn"], ["direction_hash"]),
                             (["--save-epoch", "2"], ["checkpoints_hash"])):
            with self.subTest(flags=flags):
                self.assert_refused(self.small("t.h5", *flags), "t.h5", "another command", *words)
        self.assert_refused(self.trajectory("t.h5", "--x=-1:1:4", "--y=-1:1:2"), "t_surface.h5",
                            "the grid is another one")


class WrongInput(TrajectoryTest):
    def refuse(self, *words, runs=("run",), flags=()):
        self.assert_refused(self.small("t.h5", *flags, runs=runs), *words)

    def test_checkpoints(self):
        self.refuse("no run given", runs=())
        self.refuse("nowhere", "not there", runs=("nowhere",))
        self.refuse("one checkpoint", "three", runs=(self.epoch(0),))
        self.refuse("three", runs=(self.epoch(0), self.epoch(1)))
        self.refuse("2 such checkpoints", "train --checkpoint-every 1", flags=["--max-epoch", "1"])
        self.refuse("run is a folder", runs=("run", self.epoch(0)))
        self.refuse("--save-epoch", runs=[self.epoch(e) for e in range(3)],
                    flags=["--save-epoch", "2"])
        self.write("run/epoch_3.safetensors", b"nonsense")
        self.refuse("epoch_3.safetensors")

    def test_checkpoints_that_span_no_plane(self):
        self.refuse("dimensions", runs=[self.epoch(0), self.epoch(0), self.epoch(1)])
        self.refuse("one and the same", runs=[self.epoch(2)] * 3)

    def test_another_network(self):
        self.run_ok([programs.train, "--model", "resnet8", "--width", "8", "--data",
                     programs.images, "--epochs", "1", "--output", "other"])
        self.refuse("other/model.safetensors", "width 8", runs=(
            self.epoch(0), os.path.join("other", "model.safetensors"), self.epoch(2)))

    def test_flags(self):
        self.refuse("--x", "runs backwards", flags=["--x=1:-1:3"])
        self.refuse("nonsense", "biasbn", flags=["--ignore", "nonsense"])
        self.refuse("--log", "--linear", flags=["--log", "--linear"])
        self.refuse("nowhere/t", flags=["--output", "nowhere/t.h5"])


if __name__ == "__main__":
    programs.main()
