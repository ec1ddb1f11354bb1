#!/usr/bin/env python3
"""`landscape` as a user runs it: the files and pictures it makes, the spellings it takes, the data it
reads."""

import os
import re
import shutil
import statistics
import xml.etree.ElementTree

import programs
from landscape_test import LandscapeTest
from programs import doubles, run


class Surfaces(LandscapeTest):
    def test_what_is_written(self):
        printed = self.run_ok(self.surface("s.h5"))
        self.assertRegex(printed, r"\As.h5: 15 points, train loss \S+ at the lowest, "
                                  r"\(\S+, \S+\); \d+ images/s\n\Z")
        found = self.planes("s.h5")
        self.assertEqual(doubles(found["xcoordinates"]), [-1, -0.5, 0, 0.5, 1])
        self.assertEqual(doubles(found["ycoordinates"]), [-1, 0, 1])
        self.assertEqual(doubles(found["done"]), [1] * 15)
        self.assertEqual(set(found), {"xcoordinates", "ycoordinates", "done", "train_loss",
                                      "train_acc", "train_correct", "train_loss_se"})
        for accuracy, correct in zip(doubles(found["train_acc"]), doubles(found["train_correct"])):
            self.assertTrue(0 <= accuracy <= 100)
            self.assertEqual(accuracy, 100 * correct / 50)

    def check_receipt(self, precision, tolerance, *more):
        """The surface and its receipt agree with f32 to `tolerance`; returns the losses."""
        self.run_ok(self.surface("f32.h5", *more))
        printed = self.run_ok(self.surface("s.h5", "--precision", precision, *more))
        receipt = re.search(rf"^{precision}, (\d+) points again in f32: train_loss differs by up to "
                            r"(\S+), at \(\S+, \S+\), by (\S+) in the median$", printed, re.M)
        self.assertIsNotNone(receipt, printed)
        self.assertTrue(6 <= int(receipt.group(1)) <= 15)
        exact, found = (doubles(self.planes(f)["train_loss"]) for f in ("f32.h5", "s.h5"))
        largest = max(abs(a - b) for a, b in zip(exact, found))
        self.assertLess(largest, tolerance)
        self.assertGreater(largest, 0)
        self.assertLessEqual(float(receipt.group(2)), largest * 1.001)
        self.assertLessEqual(float(receipt.group(3)), float(receipt.group(2)))
        with open(self.path("s.h5"), "rb") as file:
            self.assertIn(receipt.group(0).split(", ", 1)[1].encode(), file.read())
        again = self.run_ok(self.surface("s.h5", "--precision", precision, *more),
                            stderr="landscape: continuing s.h5: 15 of 15 points are done\n")
        self.assertEqual(again.splitlines()[1], receipt.group(0))
        for name in ("f32.h5", "s.h5"):
            os.remove(self.path(name))
        return found

    def test_other_precisions_say_how_far_they_are_from_f32(self):
        self.check_receipt("f64", 1e-5)
        emulated = ["--device", "simt", "--images", "10"]
        self.assertEqual(self.check_receipt("tf32", 2e-3, *emulated),
                         self.check_receipt("bf16x3", 2e-3, *emulated))
        self.check_receipt("bf16", 0.3, *emulated)
        with open("/proc/cpuinfo") as info:
            tiles = "amx_bf16" in info.read()
        if tiles:
            self.check_receipt("bf16x3", 2e-3)
            self.check_receipt("bf16", 0.3)
        else:
            self.assert_refused(self.surface("s.h5", "--precision", "bf16"), "no tile unit")

    def test_the_middle_is_the_network_itself(self):
        self.run_ok(self.surface("s.h5", "--split", "both"))
        found = self.planes("s.h5")
        for split, limit in (("train", "--train-images"), ("test", "--test-images")):
            loss, accuracy = self.evaluate("a.safetensors", "--split", split, limit, "50")
            self.assertAlmostEqual(doubles(found[f"{split}_loss"])[7], loss, delta=1e-5 * loss)
            self.assertAlmostEqual(doubles(found[f"{split}_acc"])[7], accuracy, places=3)

    def test_grid_that_is_not_square(self):
        """Rows are y: the plane's cut along each axis is that axis's line."""
        self.run_ok(self.surface("s.h5", "--x=-1:0.5:7", "--y=-0.25:0.5:4", "--dir-file", "d.h5"))
        found = self.planes("s.h5")
        self.assertEqual(found["train_loss"][0], (4, 7))
        self.assertEqual(found["train_acc"][0], (4, 7))
        loss = doubles(found["train_loss"])
        self.assertEqual(len(set(loss)), 28)
        self.run_ok(self.surface("x.h5", "--x=-1:0.5:7", "--y=0.25:0.25:1"))
        self.assertEqual(doubles(self.planes("x.h5")["train_loss"]), loss[14:21])
        self.run_ok(self.surface("y.h5", "--x=0.25:0.25:1", "--y=-0.25:0.5:4"))
        self.assertEqual(doubles(self.planes("y.h5")["train_loss"]), loss[5::7])
        # The line along x is the row y = 0.
        self.run_ok(self.line("l.h5", "--x=-1:0.5:7"))
        self.assertEqual(doubles(self.planes("l.h5")["train_loss"]), loss[7:14])

    def test_same_bits_with_any_number_of_threads(self):
        for threads in (1, 2, 3):
            self.run_ok(self.surface(f"s{threads}.h5", "--split", "both", "--threads", threads))
        self.assert_same_planes("s2.h5", "s1.h5")
        self.assert_same_planes("s3.h5", "s1.h5")

    def test_directions_from_a_file_give_the_same_bits(self):
        for kind in ("weights", "states"):
            with self.subTest(kind):
                flags = ["--dir-file", f"{kind}.h5", "--dir-type", kind]
                self.run_ok(self.surface(f"{kind}_written.h5", *flags), stderr=None)  # states stay put by default
                self.assertTrue(os.path.exists(self.path(f"{kind}.h5")))
                # The seed no longer matters: the file decides.
                self.run_ok(self.surface(f"{kind}_read.h5", "--seed", "77", *flags))
                self.assert_same_planes(f"{kind}_read.h5", f"{kind}_written.h5")

    def test_seeds_and_indices_give_other_directions(self):
        results = []
        for name, flags in [("0", []), ("idx1", ["--idx", "1"]), ("idx2", ["--idx", "2"]),
                            ("seed2", ["--seed", "2"])]:
            self.run_ok(self.surface(f"{name}.h5", *flags))
            results.append(self.planes(f"{name}.h5")["train_loss"])
        self.assertEqual(len(set(results)), 4)

    def test_the_same_direction_twice(self):
        self.run_ok(self.surface("s.h5", "--same-dir", "--x=0:1:2", "--y=0:1:2"))
        loss = doubles(self.planes("s.h5")["train_loss"])
        self.assertEqual(loss[1], loss[2])

    def test_parts_of_the_images(self):
        for part in (0, 1):
            self.run_ok(self.surface(f"s{part}.h5", "--data-split", "2", "--split-idx", part))
        self.run_ok(self.surface("s.h5"))
        halves = [doubles(self.planes(f"s{part}.h5")["train_loss"]) for part in (0, 1)]
        self.assertNotEqual(halves[0], halves[1])
        for a, b, whole in zip(*halves, doubles(self.planes("s.h5")["train_loss"])):
            self.assertAlmostEqual((a + b) / 2, whole, delta=1e-6 * abs(whole))

    def test_a_stratified_choice_of_images(self):
        """The first 50 images of the folder are of one class; of a stratified 48 each class has 12."""
        self.run_ok(self.surface("first.h5"))
        flags = ["--images", "48", "--subset", "stratified"]
        self.run_ok(self.surface("s1.h5", *flags))
        self.run_ok(self.surface("s2.h5", *flags, "--subset-seed", "2"))
        self.run_ok(self.surface("again.h5", *flags, "--subset-seed", "1"))
        self.assert_same_planes("again.h5", "s1.h5")
        self.assertNotEqual(self.planes("s2.h5")["train_loss"], self.planes("s1.h5")["train_loss"])
        # All of them, in another order: the same mean within rounding.
        self.run_ok(self.surface("all.h5", "--images", "0"))
        self.run_ok(self.surface("ordered.h5", "--images", "0", "--subset", "stratified"))
        for a, b in zip(*(doubles(self.planes(f"{name}.h5")["train_loss"])
                          for name in ("all", "ordered"))):
            self.assertAlmostEqual(a, b, delta=1e-12 * abs(a))

    def test_points_stop_at_a_standard_error(self):
        """Stages of 2048, 4096, 8192 and all 10,000 images, of the stratified order: a point stops
        at the second in a row that meets the target."""
        self.run_ok([programs.train, *programs.TINY_NET, *programs.TINY_DATA, "--epochs", "4",
                     "--batch-size", "50", "--lr", "0.02", "--output", "run"])
        model = "run/model.safetensors"

        def line(output, *more, threads=2):
            self.run_ok([programs.landscape, "line", model, "--data", "synthetic",
                         "--x=-1:1:3", "--no-pictures", "--threads", threads, "--subset", "stratified",
                         "--output", output, *more])
            return {name: doubles(values) for name, values in self.planes(output).items()}

        sizes = (2048, 4096, 8192, 10000)
        fixed = {n: line(f"{n}.h5", "--images", n) for n in sizes}
        self.assertEqual(fixed[10000]["train_loss_se"], [0] * 3)  # of the set: all of it
        kind = line("kind.h5", "--images", "10000", "--population", "kind")
        self.assertGreater(min(kind["train_loss_se"]), 0)
        self.assertEqual(kind["train_loss"], fixed[10000]["train_loss"])
        never = line("never.h5", "--images", "0", "--split", "both", "--target-se", "1e-9")
        self.assertEqual(never["train_n"], [10000] * 3)
        self.assertEqual(never["test_n"], [2000] * 3)
        self.assertEqual(never["train_loss"], fixed[10000]["train_loss"])
        target = sorted(fixed[2048]["train_loss_se"])[1]

        def images(point):
            met = [fixed[n]["train_loss_se"][point] <= target for n in sizes]
            return next((n for k, n in enumerate(sizes) if k > 0 and met[k] and met[k - 1]), 10000)

        some = line("s.h5", "--images", "0", "--target-se", target)
        again = line("t.h5", "--images", "0", "--target-se", target, threads=1)
        self.assertEqual(some, again)
        counts = [images(point) for point in range(3)]
        self.assertEqual(some["train_n"], counts)
        self.assertGreater(len(set(counts)), 1)
        for point, count in enumerate(counts):
            for name in ("train_loss", "train_acc", "train_loss_se", "train_correct"):
                self.assertEqual(some[name][point], fixed[count][name][point])
        for flags, words in ((["--target-se", "0.5"], ("target_se", "0.5")),
                             (["--target-se", target, "--population", "kind"], ("population",))):
            self.assert_refused([programs.landscape, "line", model, "--data", "synthetic",
                                 "--x=-1:1:3", "--no-pictures", "--images", "0",
                                 "--output", "s.h5", *flags], "another command", *words)

    def test_several_seeds(self):
        """Each seed's plane is that seed's own surface; beside them their mean and spread."""
        for command in (self.surface, self.line):
            flags = ["--split", "both", "--loss", "cross_entropy,mse"]
            self.run_ok(command("three.h5", *flags, "--seed", "5", "--seeds", "3"))
            three = self.planes("three.h5")
            singles = []
            for seed in (5, 6, 7):
                self.run_ok(command(f"{seed}.h5", *flags, "--seed", seed))
                singles.append(self.planes(f"{seed}.h5"))
                for loss in ("train_loss", "test_loss", "train_loss_mse", "test_loss_mse"):
                    self.assertEqual(three[f"{loss}_seed{seed}"], singles[-1][loss], loss)
            for name in (name for name in singles[0] if "train" in name or "test" in name):
                values = list(zip(*(doubles(single[name]) for single in singles)))
                for found, of_point in zip(doubles(three[name]), values):
                    self.assertAlmostEqual(found, statistics.mean(of_point), places=12)
                if "loss" in name and not name.endswith("_se"):
                    for found, of_point in zip(doubles(three[f"{name}_sd"]), values):
                        self.assertAlmostEqual(found, statistics.stdev(of_point), places=12)
            self.assert_refused(command("three.h5", *flags, "--seed", "5", "--seeds", "4"),
                                "three.h5", "seeds", "has 3", "4")
            for name in ("three", "5", "6", "7"):
                os.remove(self.path(f"{name}.h5"))

    def test_batchnorm_s_statistics(self):
        self.run_ok(self.surface("frozen.h5"))
        self.run_ok(self.surface("said.h5", "--bn", "frozen"))
        self.assert_same_planes("said.h5", "frozen.h5")
        self.run_ok(self.surface("states.h5", "--bn", "states", "--ignore", "none"))
        self.run_ok(self.surface("type.h5", "--dir-type", "states", "--ignore", "none"))
        self.assert_same_planes("states.h5", "type.h5")
        results = [self.planes("frozen.h5")["train_loss"], self.planes("states.h5")["train_loss"]]
        for mode in ("recompute", "batch"):
            for threads in (1, 3):
                self.run_ok(self.surface(f"{mode}{threads}.h5", "--bn", mode, "--bn-batch", "16",
                                         "--images", "60", "--threads", threads))
            self.assert_same_planes(f"{mode}1.h5", f"{mode}3.h5")
            results.append(self.planes(f"{mode}1.h5")["train_loss"])
            self.assert_refused(self.surface(f"{mode}1.h5", "--bn", mode, "--bn-batch", "20",
                                             "--images", "60"), "bn_mode", "batches of 20")
        self.assertEqual(len(set(results)), 4)

    def test_statistics_of_the_network_itself_are_found_again(self):
        """At the network's own point, recomputed statistics give about the loss that it had."""
        for mode in ("frozen", "recompute"):
            self.run_ok(self.surface(f"{mode}.h5", "--bn", mode, "--images", "0"))
        frozen, recomputed = (doubles(self.planes(f"{mode}.h5")["train_loss"])
                              for mode in ("frozen", "recompute"))
        self.assertLess(abs(recomputed[7] - frozen[7]), 0.5 * frozen[7])
        self.assertLess(max(recomputed), max(frozen))  # what far weights break is put right

    def test_losses(self):
        self.run_ok(self.surface("cross.h5"))
        self.run_ok(self.surface("alias.h5", "--loss", "crossentropy"))
        self.run_ok(self.surface("mse.h5", "--loss", "mse"))
        self.assert_same_planes("alias.h5", "cross.h5")
        self.assertTrue(all(0 <= x <= 0.5 for x in doubles(self.planes("mse.h5")["train_loss"])))

    def test_several_losses_in_one_pass(self):
        self.run_ok(self.surface("cross.h5", "--split", "both"))
        self.run_ok(self.surface("mse.h5", "--split", "both", "--loss", "mse"))
        self.run_ok(self.surface("two.h5", "--split", "both", "--loss", "crossentropy,mse"))
        cross, mse, two = (self.planes(f"{name}.h5") for name in ("cross", "mse", "two"))
        for split in ("train", "test"):
            for quantity in ("", "_se"):
                self.assertEqual(two.pop(f"{split}_loss_mse{quantity}"),
                                 mse[f"{split}_loss{quantity}"])
        self.assertEqual(two, cross)
        self.assert_refused(self.surface("two.h5", "--split", "both", "--loss", "mse,cross_entropy"),
                            "two.h5", "loss", "cross_entropy,mse")


class ReferenceSpellings(LandscapeTest):
    def test_a_surface(self):
        """The command line of the authors' README, as it is."""
        self.run_ok([programs.landscape, "surface", "--model", "resnet8", "--model_file",
                     "a.safetensors", "--x=-1:1:5", "--y=-1:1:3", "--xnorm", "filter", "--xignore",
                     "biasbn", "--ynorm", "filter", "--yignore", "biasbn", "--dir_type", "weights",
                     "--dataset", "cifar10", "--datapath", programs.images, "--loss_name",
                     "crossentropy", "--images", "50", "--surf_file", "s.h5", "--dir_file", "d.h5",
                     "--no_pictures"])
        self.run_ok(self.surface("mine.h5"))
        self.assert_same_planes("s.h5", "mine.h5")

    def test_their_flags_for_parts_and_indices(self):
        self.run_ok(self.surface("s.h5", "--data_split", "2", "--split_idx", "1", "--idx", "1"))
        self.run_ok(self.surface("t.h5", "--data-split", "2", "--split-idx", "1", "--idx", "2"))
        self.assertNotEqual(self.planes("s.h5")["train_loss"], self.planes("t.h5")["train_loss"])

    def test_norms_of_one_axis(self):
        self.run_ok(self.surface("both.h5", "--norm", "layer"))
        self.run_ok(self.surface("each.h5", "--xnorm", "layer", "--ynorm", "layer"))
        self.run_ok(self.surface("x.h5", "--xnorm", "layer"))
        self.assert_same_planes("each.h5", "both.h5")
        self.assertNotEqual(self.planes("x.h5")["train_loss"], self.planes("both.h5")["train_loss"])

    def test_flags_without_effect_are_noted(self):
        done = run(self.surface("s.h5", "--mpi", "--cuda", "--ngpu", "4", "--plot"), self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(re.findall("(?m)^landscape: note: .* has no effect", done.stderr)), 4)
        self.assertEqual(len(done.stderr.splitlines()), 4, done.stderr)


class Lines(LandscapeTest):
    def test_the_way_from_one_network_to_another(self):
        self.run_ok(self.line("l.h5", "--to", "b.safetensors", "--split", "both"))
        found = self.planes("l.h5")
        self.assertNotIn("ycoordinates", found)
        self.assertEqual(found["train_loss"][0], (3,))
        for model, i in (("a.safetensors", 0), ("b.safetensors", 2)):
            for split, limit in (("train", "--train-images"), ("test", "--test-images")):
                loss, accuracy = self.evaluate(model, "--split", split, limit, "50")
                self.assertAlmostEqual(doubles(found[f"{split}_loss"])[i], loss, delta=1e-5 * loss)
                self.assertAlmostEqual(doubles(found[f"{split}_acc"])[i], accuracy, places=3)

    def test_the_way_with_batchnorm_s_statistics_left_behind(self):
        self.run_ok(self.line("both.h5", "--to", "b.safetensors"))
        self.run_ok(self.line("weights.h5", "--to", "b.safetensors", "--dir_type", "weights"))
        both, weights = (doubles(self.planes(f"{name}.h5")["train_loss"])
                         for name in ("both", "weights"))
        self.assertEqual(both[0], weights[0])
        self.assertNotEqual(both[2], weights[2])

    def test_a_plane_through_two_networks(self):
        shutil.copyfile(self.path("b.safetensors"), self.path("c.safetensors"))
        self.run_ok(self.surface("s.h5", "--model-file2", "b.safetensors", "--model_file3",
                                 "c.safetensors", "--x=0:1:2", "--y=0:1:2"))
        loss = doubles(self.planes("s.h5")["train_loss"])
        self.assertEqual(loss[1], loss[2])

    def test_default_axis(self):
        self.run_ok([word for word in self.line("l.h5", "--to", "b.safetensors")
                     if not word.startswith("--x")])
        coordinates = doubles(self.planes("l.h5")["xcoordinates"])
        self.assertEqual((coordinates[0], coordinates[-1], len(coordinates)), (-0.5, 1.5, 41))


class Pictures(LandscapeTest):
    def assert_pictures(self, printed, *names):
        self.assertEqual(printed.splitlines()[1:], list(names))
        for name in names:
            if name.endswith(".png"):
                data = self.read(name, "rb")
                self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
                self.assertEqual(data[-8:-4], b"IEND")
                self.assertGreater(int.from_bytes(data[16:20], "big"), 200)
            else:
                root = xml.etree.ElementTree.parse(self.path(name)).getroot()
                self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")

    def command(self, command, *more):
        return [word for word in command if word != "--no-pictures"] + list(more)

    def test_of_a_surface(self):
        names = ["s_contours.svg", "s_contours.png", "s_heat.svg", "s_heat.png", "s_surface.svg", "s_surface.png"]
        for flags in ([], ["--log"], ["--vmin", "1", "--vmax", "4"], ["--title", "<a & b> \"ü\""]):
            with self.subTest(flags=flags):
                printed = self.run_ok(self.command(self.surface("s.h5"), *flags), stderr=None)
                self.assert_pictures(printed, *names)

    def test_of_a_line(self):
        for flags in ([], ["--log"]):
            with self.subTest(flags=flags):
                printed = self.run_ok(self.command(self.line("l.h5", "--split", "both"), *flags),
                                      stderr=None)
                self.assert_pictures(printed, "l_curves.svg", "l_curves.png")

    def test_of_several_seeds(self):
        self.assert_pictures(self.run_ok(self.command(self.line("l.h5", "--seeds", "4"))),
                             "l_curves.svg", "l_curves.png")
        self.assertEqual(self.read("l_curves.svg").count("stroke-opacity=\"0.35\""), 4)

    def test_beside_the_surface(self):
        os.mkdir(self.path("deep down"))
        printed = self.run_ok(self.command(self.line("deep down/l.h5")))
        self.assert_pictures(printed, "deep down/l_curves.svg", "deep down/l_curves.png")

    def test_of_one_point(self):
        for command in (self.surface("s.h5", "--x=0:0:1", "--y=0:0:1"),
                        self.line("l.h5", "--x=0:0:1")):
            self.run_ok(self.command(command), stderr="landscape: note: no pictures: they need two "
                                                      "points along each axis\n")


class Compare(LandscapeTest):
    def compare(self, *files, **more):
        return self.run_ok([programs.landscape, "compare", *files], **more)

    def test_of_three_surfaces(self):
        self.run_ok(self.surface("a.h5"))
        self.run_ok(self.surface("b.h5", "--images", "40", "--loss", "cross_entropy,mse"))
        self.run_ok(self.surface("c.h5"))
        printed = self.compare("a.h5", "b.h5", "c.h5")
        first, second = printed.split("\n\n")
        a, b = (doubles(self.planes(f"{name}.h5")["train_loss"]) for name in "ab")
        row, differences = (line.split() for line in first.splitlines()
                            if line.startswith("train_loss "))
        for shown, value in zip(row[1:7], (min(a), min(b), max(a), max(b), statistics.mean(a),
                                           statistics.mean(b))):
            self.assertAlmostEqual(float(shown), value, delta=1e-5 * value)
        largest = max(range(15), key=lambda i: abs(a[i] - b[i]))
        self.assertAlmostEqual(float(differences[1]), abs(a[largest] - b[largest]), places=5)
        self.assertEqual(differences[2:4], [f"({(-1, -0.5, 0, 0.5, 1)[largest % 5]:g},",
                                     f"{(-1, 0, 1)[largest // 5]})"])
        self.assertIn("train_correct", first)
        self.assertNotIn("train_loss_mse", first)
        for line in ("images: 50 | 40", "loss: cross_entropy | cross_entropy,mse"):
            self.assertIn(f"\n  {line}\n", printed)
        self.assertIn("the same provenance", second)
        self.assertTrue(second.splitlines()[2].startswith("train_acc"))

    def test_files_that_cannot_be_compared(self):
        self.run_ok(self.surface("a.h5"))
        self.run_ok(self.surface("b.h5", "--x=-1:1:3"))
        self.run_ok(self.line("l.h5"))
        for other in ("b.h5", "l.h5"):
            self.assert_refused([programs.landscape, "compare", "a.h5", other], other,
                                "other points than a.h5", "in 5 points", stdout="")
        for files in ([], ["a.h5"]):
            self.assert_refused([programs.landscape, "compare", *files], "FIRST.h5 OTHER.h5")
        self.assert_refused([programs.landscape, "compare", "a.h5", "absent.h5"], "absent.h5")
        self.assert_refused([programs.landscape, "compare", "a.h5", "a.safetensors"],
                            "a.safetensors")


class Help(LandscapeTest):
    DIRECTIONS = "norm ignore seed seeds idx bn bn-batch dir-type dir-file to model-file2 xnorm xignore"
    OTHERS = """data datapath split population noisy-labels images subset subset-seed target-se data-split split-idx loss loss-name output surf-file log
        vmin vmax loss-max title no-pictures threads save-seconds impl model-file model help
        normalisation mean std dataset mpi cuda ngpu batch-size raw-data vlevel show plot x"""

    def test_help(self):
        printed = self.run_ok([programs.landscape, "--help"])
        self.assertEqual(printed, self.run_ok([programs.landscape]))
        for word in ("surface", "line", "compare", "--version", "Examples"):
            self.assertIn(word, printed)

    def test_help_of_the_commands(self):
        for command, more in (("surface", "y ynorm yignore model-file3 same-dir"), ("line", "")):
            with self.subTest(command):
                printed = self.run_ok([programs.landscape, command, "--help"])
                flags = set((self.DIRECTIONS + " " + self.OTHERS + " " + more).split())
                self.assertEqual(flags - programs.mentioned_flags(printed), set())

    def test_help_of_compare(self):
        self.assertIn("standard error", self.run_ok([programs.landscape, "compare", "--help"]))

    def test_version(self):
        self.assertRegex(self.run_ok([programs.landscape, "--version"]),
                         r"^landscape \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    programs.main()
