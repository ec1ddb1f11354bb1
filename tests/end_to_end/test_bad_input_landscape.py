#!/usr/bin/env python3
"""Wrong input to `landscape`: one line that names the culprit and says what to do; nothing left
behind."""

import os
import random

import programs
from programs import TINY_NET, ModelTest, limit_file_size, run

SMALL = ["--x=-1:1:3", "--y=-1:1:2", "--images", "20", "--no-pictures"]


class LandscapeTest(ModelTest):
    """a.safetensors and b.safetensors (of one network), other.safetensors (of another one)."""

    MODELS = {"a": ["--seed", "1"], "b": ["--seed", "2"], "other": ["--model", "resnet14"]}
    TRAINING = TINY_NET + ["--epochs", "1", "--batch-size", "100"]

    def setUp(self):
        super().setUp()
        small = SMALL + ["--data", programs.images]
        self.surface = [programs.landscape, "surface", "a.safetensors", *small, "--output", "s.h5"]
        self.line = [programs.landscape, "line", "a.safetensors", *small[1:], "--x=0:1:2",
                     "--output", "l.h5"]
        self.line.remove("--y=-1:1:2")

    def refuse(self, flags, *words, **more):
        return self.assert_refused(self.surface + flags, *words, **more)


class WrongCommands(LandscapeTest):
    def test_no_such_command(self):
        self.assert_refused([programs.landscape, "volume"], "volume", "surface, line", "--help")
        self.assert_refused([programs.landscape, "a.safetensors"], "a.safetensors", "--help")

    def test_no_model(self):
        self.assert_refused([programs.landscape, "surface"], "no model given", "landscape surface MODEL")
        self.assert_refused([programs.landscape, "line"], "no model given", "landscape line MODEL")

    def test_two_models(self):
        self.refuse(["b.safetensors"], "b.safetensors")

    def test_unknown_flags(self):
        self.refuse(["--resolution", "3"], "resolution", "--help")
        self.refuse(["--Y=0:1:2"], "Y", "--help")
        self.assert_refused(self.line + ["--y=0:1:2"], "y", "--help")
        self.assert_refused(self.line + ["--model-file3", "b.safetensors"], "model-file3", "--help")


class WrongAxes(LandscapeTest):
    def test_axes(self):
        for axis, words in [("1:-1:51", ["runs backwards", "-1:1:51"]), ("-1:1:0", ["no points"]),
                            ("-1:1:-5", ["no points"]), ("junk", ["FROM:TO:POINTS", "-1:1:51"]),
                            ("0:0:5", ["same point", "0:0:1"]), ("0:1:1", ["0:1:2"]),
                            ("", ["FROM:TO:POINTS"]), ("-1:1", ["FROM:TO:POINTS"]),
                            ("-1:1:5:5", ["5:5"]), ("nan:1:5", ["nan"]), ("-1:inf:5", ["inf"]),
                            ("-1:1:5.5", ["5.5"]), ("-1:1:1000001", ["1000000"]),
                            ("-1:1:99999999999999999999", ["1000000"]), ("-1,1,5", ["-1,1,5"])]:
            for letter in "xy":
                with self.subTest(axis=axis, letter=letter):
                    self.refuse([f"--{letter}={axis}"], f"--{letter}", *words)

    def test_axes_as_a_word_of_their_own(self):
        self.refuse(["--x", "1:-1:51"], "--x", "runs backwards")
        self.refuse(["--x", "-1:1:0"], "--x", "no points")
        self.refuse(["--x", "junk"], "--x", "junk")

    def test_a_grid_that_no_machine_has(self):
        self.refuse(["--x=0:1:1000000", "--y=0:1:1000000"], "points")


class WrongValues(LandscapeTest):
    def test_counts(self):
        for flag, value in [("threads", "-1"), ("images", "-1"), ("idx", "-1"), ("data-split", "0"),
                            ("data-split", "21"), ("split-idx", "-1"), ("save-seconds", "-1")]:
            with self.subTest(flag=flag, value=value):
                more = ["--data-split", "2"] if flag == "split-idx" else []
                self.refuse([f"--{flag}", value] + more, flag, value)

    def test_split_index_beyond_the_parts(self):
        self.refuse(["--data-split", "2", "--split-idx", "2"], "split-idx", "2")

    def test_numbers_that_are_none(self):
        for flag, value in [("seed", "-1"), ("seed", "x"), ("images", "1.5"), ("threads", "two"),
                            ("vmin", "nan"), ("vmax", "high")]:
            with self.subTest(flag=flag, value=value):
                self.refuse([f"--{flag}={value}"], f"--{flag}", value)

    def test_choices(self):
        for flag, choice in [("norm", "filter"), ("xnorm", "filter"), ("ynorm", "filter"),
                             ("ignore", "biasbn"), ("xignore", "biasbn"), ("dir-type", "states"),
                             ("loss", "mse"), ("split", "both"), ("model", "resnet8"),
                             ("subset", "stratified"), ("bn", "recompute"), ("dataset", "cifar10"),
                             ("precision", "bf16x3")]:
            with self.subTest(flag=flag):
                self.refuse([f"--{flag}", "nonsense"], "nonsense", choice)

    def test_precisions_that_do_not_go_with_the_rest(self):
        self.refuse(["--precision", "f64", "--device", "simt"], "--precision f64", "--device cpu")
        for bn in ("recompute", "batch"):
            self.refuse(["--precision", "bf16", "--bn", bn], "--precision bf16", "--bn")

    def test_losses(self):
        self.refuse(["--loss", "mse,mse"], "--loss", "mse", "twice")
        for losses in ("mse,", ",mse", "", "mse;cross_entropy"):
            with self.subTest(losses):
                self.refuse([f"--loss={losses}"], "loss", "cross_entropy", "mse")

    def test_images_beyond_the_split(self):
        self.refuse(["--images", "401"], "401", "400", "train")
        self.refuse(["--images", "101", "--split", "test"], "101", "100", "test")
        self.refuse(["--images", "101", "--split", "both"], "101", "100", "test")

    def test_choices_of_images_that_exclude_each_other(self):
        self.refuse(["--subset", "stratified", "--data-split", "2"], "--subset", "--data-split")
        self.refuse(["--target-se", "1", "--data-split", "2"], "--target-se", "--data-split")
        for value in ("0", "-1", "nan", "small"):
            self.refuse([f"--target-se={value}"], "--target-se", value)
        self.refuse(["--subset-seed", "2"], "--subset-seed", "--subset stratified")
        self.refuse(["--subset", "stratified", "--subset-seed", "x"], "--subset-seed", "x")

    def test_data(self):
        self.refuse(["--data", "nowhere"], "nowhere", "download_cifar10.sh")


class WrongModels(LandscapeTest):
    def test_model_of_another_kind(self):
        self.refuse(["--model", "resnet20"], "a.safetensors", "resnet8", "resnet20")

    def test_absent_or_damaged_model(self):
        whole = self.read("a.safetensors", "rb")
        self.write("cut.safetensors", whole[:-1])
        self.write("text.safetensors", b"no network\n")
        for name in ("absent", "cut", "text"):
            with self.subTest(name):
                self.assert_refused([programs.landscape, "surface", f"{name}.safetensors"] + SMALL,
                                    f"{name}.safetensors")

    def test_line_to_another_network(self):
        self.assert_refused(self.line + ["--to", "other.safetensors"], "other.safetensors",
                            "resnet14", "resnet8", "no line joins them")

    def test_line_to_nothing(self):
        self.assert_refused(self.line + ["--to", "absent.safetensors"], "absent.safetensors")


class WrongDirections(LandscapeTest):
    def test_direction_of_another_network(self):
        self.run_ok([programs.landscape, "surface", "other.safetensors"] + SMALL +
                    ["--data", programs.images, "--dir-file", "dir.h5", "--output", "o.h5"])
        self.refuse(["--dir-file", "dir.h5"], "dir.h5", "another network")

    def test_direction_of_another_type(self):
        self.run_ok(self.surface + ["--dir-file", "dir.h5", "--output", "o.h5"])
        self.refuse(["--dir-file", "dir.h5", "--dir-type", "states"], "dir.h5", "states")

    def test_one_direction_for_a_surface(self):
        self.run_ok(self.line + ["--dir-file", "dir.h5"])
        self.refuse(["--dir-file", "dir.h5"], "dir.h5", "one direction")

    def test_damaged_direction(self):
        self.run_ok(self.surface + ["--dir-file", "dir.h5", "--output", "o.h5"])
        whole = self.read("dir.h5", "rb")
        for name, contents in [("truncated", whole[:len(whole) // 2]), ("empty", b""),
                               ("text", b"not a direction\n"),
                               ("a surface", self.read("o.h5", "rb"))]:
            with self.subTest(name):
                self.write("dir.h5", contents)
                self.refuse(["--dir-file", "dir.h5"], "dir.h5")

    def test_one_wrong_byte_never_crashes(self):
        """It may lie where nothing is stored, or in a number; all else is an error of one line."""
        self.run_ok(self.surface + ["--dir-file", "dir.h5", "--output", "o.h5"])
        whole = self.read("dir.h5", "rb")
        seed = random.randrange(1 << 30)
        places = random.Random(seed)
        for _ in range(12):
            damaged = bytearray(whole)
            damaged[places.randrange(min(len(whole), 4000))] ^= 1 << places.randrange(8)
            self.write("dir.h5", damaged)
            done = run(self.surface + ["--dir-file", "dir.h5"], self.folder)
            self.assertIn(done.returncode, (0, 1), (seed, done.stderr))
            self.assertEqual(len(done.stderr.splitlines()), done.returncode, (seed, done.stderr))
            self.assertTrue(done.returncode == 0 or "dir.h5" in done.stderr, (seed, done.stderr))
            if done.returncode == 0:
                os.remove(self.path("s.h5"))

    def test_direction_file_that_cannot_be_written(self):
        self.refuse(["--dir-file", "nowhere/dir.h5"], "nowhere/dir.h5", "folder")


class BatchNorm(LandscapeTest):
    def test_what_contradicts_itself(self):
        self.refuse(["--bn", "frozen", "--dir-type", "states"], "--bn frozen", "--dir-type states")
        self.refuse(["--bn", "states", "--dir-type", "weights"], "--bn states", "--dir-type weights")
        self.refuse(["--bn-batch", "64"], "--bn-batch", "--bn recompute")

    def test_batches(self):
        for mode in ("recompute", "batch"):
            for value in ("0", "1", "-5", "many"):
                with self.subTest(mode=mode, value=value):
                    self.refuse(["--bn", mode, f"--bn-batch={value}"], "--bn-batch", value)
            self.refuse(["--bn", mode, "--bn-batch", "19"], "batches of 19", "one image")


class SeveralSeeds(LandscapeTest):
    def test_numbers(self):
        for value in ("0", "-2", "1001", "1.5", "many"):
            with self.subTest(value):
                self.refuse([f"--seeds={value}"], "--seeds", value)
        self.refuse(["--seeds", "2", "--seed", str(2 ** 64 - 1)], "--seed", "smaller")

    def test_where_there_is_nothing_to_draw(self):
        self.refuse(["--seeds", "2", "--dir-file", "d.h5"], "--seeds", "--dir-file")
        self.run_ok(self.surface + ["--dir-file", "d.h5", "--output", "o.h5"])
        self.refuse(["--seeds", "2", "--dir-file", "d.h5"], "--seeds", "d.h5")
        self.assert_refused(self.line + ["--seeds", "2", "--to", "b.safetensors"], "--seeds",
                            "random direction")
        self.refuse(["--seeds", "2", "--to", "b.safetensors", "--same-dir"], "--seeds")


class WrongOutput(LandscapeTest):
    def to(self, path):
        return self.surface[:-1] + [path]

    def test_folder_that_is_absent(self):
        self.assert_refused(self.to("nowhere/s.h5"), "nowhere/s.h5", "make its folder first")

    def test_no_name(self):
        self.assert_refused(self.to(""), "--output is empty")

    def test_the_directions_own_file(self):
        self.refuse(["--dir-file", "s.h5"], "--dir-file", "s.h5")

    def test_below_a_regular_file(self):
        self.write("file", b"mine")
        self.assert_refused(self.to("file/s.h5"), "file/s.h5", "Not a directory")

    def test_folder_that_nobody_can_write(self):
        self.assert_refused(self.to("/proc/s.h5"), "/proc/s.h5")

    def test_a_folder_in_place_of_the_file(self):
        os.mkdir(self.path("s.h5"))
        self.assert_refused(self.surface, "s.h5", "s a directory")

    def test_a_file_of_something_else(self):
        for name, contents in [("text", b"my notes\n"), ("empty", b""),
                               ("model", self.read("a.safetensors", "rb"))]:
            with self.subTest(name):
                self.write("s.h5", contents)
                self.assert_refused(self.surface, "s.h5")
                self.assertEqual(self.read("s.h5", "rb"), contents)

    def test_full_disk(self):
        error = self.assert_refused(self.surface, "cannot write s.h5",
                                    preexec_fn=limit_file_size(1000))
        self.assertIn("large", error)

    def test_full_file_system(self):
        self.mount_small("4k")
        self.assert_refused(self.to("small/s.h5"), "cannot write small/s.h5", "No space left")

    def test_pictures_that_cannot_be_written(self):
        """The surface itself is whole; the picture's error is still one line and a failure."""
        os.mkdir(self.path("s_contours.svg"))
        done = run([word for word in self.surface if word != "--no-pictures"], self.folder)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("s_contours.svg", done.stderr)
        self.assertEqual([name for name in os.listdir(self.folder) if ".tmp." in name], [])


class AnotherCommandsFile(LandscapeTest):
    def test_the_difference_is_named(self):
        self.run_ok(self.surface)
        for flags, words in [(["--seed", "2"], ["direction_hash"]),
                             (["--idx", "1"], ["direction_hash"]),
                             (["--norm", "layer"], ["direction_hash"]),
                             (["--images", "21"], ["images", "20", "21"]),
                             (["--loss", "mse"], ["loss", "cross_entropy", "mse"]),
                             (["--x=-1:1:5"], ["grid"]), (["--y=-2:2:2"], ["grid"]),
                             (["--split", "test"], ["data"]),
                             (["--dir-type", "states"], ["dir_type", "weights", "states"]),
                             (["--data-split", "2"], ["images", "20", "10"]),
                             (["--subset", "stratified"], ["subset", "does not say", "seed 1"])]:
            with self.subTest(flags=flags):
                self.refuse(flags, "s.h5 belongs to another command", *words, "--output")

    def test_another_choice_of_images(self):
        stratified = self.surface + ["--subset", "stratified"]
        self.run_ok(stratified)
        self.assert_refused(stratified + ["--subset-seed", "2"], "s.h5", "subset", "seed 2")
        self.assert_refused(self.surface, "s.h5", "subset", "seed 1", "none")

    def test_another_model_s_surface(self):
        self.run_ok(self.surface)
        self.assert_refused(self.surface[:2] + ["b.safetensors"] + self.surface[3:], "s.h5",
                            "model_hash")

    def test_a_line_is_no_surface(self):
        self.run_ok(self.line)
        self.assert_refused(self.surface[:-1] + ["l.h5"], "l.h5", "grid")


if __name__ == "__main__":
    programs.main()
