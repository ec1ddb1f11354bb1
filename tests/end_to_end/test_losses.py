#!/usr/bin/env python3
"""Losses other than the cross-entropy, targets that are numbers, and measures beside the loss."""

import csv
import json
import math
import re
import zipfile

import programs
from programs import EndToEndTest, run
from test_own_network import npy

TRAIN = ["--model", "mlp", "--width", "8", "--no-augment", "--threads", "1"]
GRID = ["--x=-1:1:3", "--y=-1:1:3", "--no-pictures", "--threads", "1"]


def brightnesses(count, classes=3):
    """Images of one grey each, 12x12, and their brightness in each of so many channels, from 0 to 1."""
    shades = [[(37 * n + 91 * c) % 251 / 250 for c in range(classes)] for n in range(count)]
    pixels = [round(255 * shade) for row in shades for _ in range(144) for shade in row]
    return pixels, shades


class Losses(EndToEndTest):
    def save(self, name, targets, kind="f"):
        """Arrays whose targets are made of an image's brightnesses."""
        with zipfile.ZipFile(self.path(name), "w") as archive:
            for split, count in (("train", 60), ("test", 20)):
                pixels, shades = brightnesses(count)
                rows = [targets(row) for row in shades]
                lists = isinstance(rows[0], list)
                values = [v for row in rows for v in row] if lists else rows
                shape = [count, len(rows[0])] if lists else [count]
                archive.writestr(f"x_{split}.npy", npy(pixels, "B", [count, 12, 12, 3]))
                archive.writestr(f"y_{split}.npy", npy(values, kind, shape))

    def train(self, data, folder, *flags, epochs=3):
        return self.run_ok([programs.train, *TRAIN, "--data", data, "--output", folder, "--lr", "0.01", "--epochs",
                            str(epochs), *flags])

    def planes(self, path):
        """The planes of a surface, by name."""
        return {name: programs.doubles(plane) for name, plane in programs.planes(self.path(path)).items()}

    def test_numbers_are_trained_on_and_mapped_without_an_accuracy(self):
        self.save("quantities.npz", lambda row: [3 * row[0] - 1, row[1]])
        printed = self.train("quantities.npz", "run", "--loss", "huber:0.5", epochs=8)
        self.assertNotIn("accuracy", printed)
        with open(self.path("run", "log.csv"), newline="") as lines:
            log = list(csv.DictReader(lines))
        self.assertLess(float(log[-1]["train_loss"]), float(log[0]["train_loss"]))
        self.assertTrue(math.isnan(float(log[-1]["test_accuracy"])))
        evaluated = self.run_ok([programs.train, "--evaluate", "run/model.safetensors"])
        self.assertIn(f"loss {log[-1]['test_loss']} ", evaluated)  # of the loss that it was trained with
        self.assertNotIn("error,", evaluated)
        self.run_ok([programs.landscape, "surface", "run", *GRID, "-o", "s.h5"])
        planes = self.planes("s.h5")
        self.assertFalse([name for name in planes if name.endswith(("_acc", "_correct"))])
        for command in (["hessian", "run"], ["sharpness", "run", "--images", "30"], ["coherence", "run"],
                        ["plot", "run/log.csv"], ["plot", "s.h5"], ["report", "run", "-o", "r.html"], ["ls", "run"],
                        ["doctor", "run", "--images", "60"]):
            with self.subTest(command[0]):
                result = run([programs.landscape, *command], cwd=self.folder)
                self.assertEqual(result.stderr, "")
                self.assertNotIn("nan", result.stdout.lower())

    def test_several_labels_an_image_are_right_where_all_are(self):
        self.save("several.npz", lambda row: [int(shade > 0.5) for shade in row], "B")
        self.train("several.npz", "run", "--loss", "bce", "--optimizer", "adam", epochs=60)
        evaluated = self.run_ok([programs.train, "--evaluate", "run/model.safetensors", "--split", "train"])
        error = float(re.search(r"error (\S+) %", evaluated).group(1))
        self.assertLess(error, 50)  # by chance 7 of 8 are wrong
        self.run_ok([programs.landscape, "surface", "run", *GRID, "-o", "s.h5", "--loss", "bce,focal"])
        planes = self.planes("s.h5")
        self.assertAlmostEqual(planes["train_acc"][4], 100 - error, places=2)
        self.assertGreater(planes["train_loss"][4], planes["train_loss_focal"][4])

    def test_losses_of_classes_train_and_are_what_commands_take(self):
        self.save("classes.npz", lambda row: row.index(max(row)), "q")
        for name, flags in (("focal", ["--loss", "focal"]), ("hinge", ["--loss", "squared_hinge:2"]),
                            ("weighted", ["--class-weights", "balanced"]),
                            ("given", ["--class-weights", "1,0.5,2", "--label-smoothing", "0.1"])):
            with self.subTest(name):
                self.train("classes.npz", name, *flags)
                evaluated = self.run_ok([programs.train, "--evaluate", f"{name}/model.safetensors"])
                with open(self.path(name, "log.csv"), newline="") as lines:
                    last = list(csv.DictReader(lines))[-1]["test_loss"]
                self.assertIn(f"loss {last} ", evaluated)
        told = self.run_ok([programs.landscape, "hessian", "hinge", "--largest", "1"])
        self.assertIn("loss", told)
        result = self.run_ok([programs.landscape, "export", "hinge/model_hessian.h5", "--format", "json", "-o", "h.json"])
        self.assertEqual(json.loads(self.read("h.json"))["provenance"]["loss"], "squared_hinge:2", result)

    def test_a_run_with_another_loss_is_not_continued(self):
        self.save("classes.npz", lambda row: row.index(max(row)), "q")
        self.train("classes.npz", "run", "--class-weights", "1,2,3", epochs=2)
        self.assert_refused([programs.train, *TRAIN, "--data", "classes.npz", "--output", "run", "--lr", "0.01",
                           "--epochs", "3", "--class-weights", "1,2,4", "--resume"], "loss")

    def test_measures_stand_beside_the_loss(self):
        self.save("classes.npz", lambda row: row.index(max(row)), "q")
        self.train("classes.npz", "run")
        self.run_ok([programs.landscape, "surface", "run", *GRID, "-o", "s.h5", "--measures",
                     "top1,top2,confidence,margin,calibration"])
        planes = self.planes("s.h5")
        self.assertEqual(planes["train_top1_acc"], planes["train_acc"])
        for top1, top2, confidence, calibration in zip(*(planes[f"train_{name}"] for name in (
                "top1_acc", "top2_acc", "confidence", "calibration_error"))):
            self.assertLessEqual(top1, top2)
            self.assertTrue(1 / 3 <= confidence <= 1)
            # The triangle inequality over the bins.
            self.assertGreaterEqual(calibration, abs(confidence - top1 / 100) - 1e-6)
            self.assertLessEqual(calibration, 1)
        self.assertIn("train_margin_se", planes)
        self.assertNotIn("train_calibration_error_se", planes)  # biased: no error is stated

    def test_arrays_of_safetensors_are_those_of_numpy(self):
        self.save("quantities.npz", lambda row: [3 * row[0] - 1, row[1]])
        tensors, parts, end = {}, [], 0
        with zipfile.ZipFile(self.path("quantities.npz")) as archive:
            for name in archive.namelist():
                contents = archive.read(name)[128:]
                count = 60 if "train" in name else 20
                tensors[name[:-4]] = {"dtype": "U8" if name[0] == "x" else "F32",
                                      "shape": [count, 12, 12, 3] if name[0] == "x" else [count, 2],
                                      "data_offsets": [end, end + len(contents)]}
                end += len(contents)
                parts.append(contents)
        header = json.dumps(tensors).encode()
        self.write("quantities.safetensors", len(header).to_bytes(8, "little") + header + b"".join(parts))
        for kind in ("npz", "safetensors"):
            self.train(f"quantities.{kind}", kind, "--loss", "squared_error", epochs=1)
        self.assertEqual(*(programs.safetensors(self.path(kind, "model.safetensors"))[1]
                           for kind in ("npz", "safetensors")))

    def test_what_is_wrong_is_one_line(self):
        self.save("classes.npz", lambda row: row.index(max(row)), "q")
        self.save("quantities.npz", lambda row: [3 * row[0] - 1, row[1]])
        classes, quantities = (["--data", f"{name}.npz", "--output", "x"] for name in ("classes", "quantities"))
        for flags, words in ((classes + ["--loss", "hing"], "unknown loss 'hing'"),
                             (classes + ["--loss", "huber:0"], "delta"),
                             (classes + ["--loss", "mse", "--class-weights", "balanced"], "takes no class weights"),
                             (classes + ["--class-weights", "1,2"], "2 numbers"),
                             (classes + ["--class-weights", "1,x,2"], "class weights"),
                             (classes + ["--loss", "cross_entropy:0.1", "--label-smoothing", "0.2"], "label smoothing"),
                             (quantities, "squared_error, absolute_error or huber for quantities"),
                             (quantities + ["--loss", "bce"], "from 0 to 1"),
                             (quantities + ["--loss", "focal"], "0 or 1"),
                             (quantities + ["--loss", "hinge"], "a class each"),
                             (quantities + ["--loss", "huber", "--label-noise", "0.1"], "label noise"),
                             (quantities + ["--loss", "huber", "--class-weights", "balanced"], "balanced")):
            with self.subTest(" ".join(flags)):
                self.assert_refused([programs.train, *TRAIN, *flags], words)
        self.save("holes.npz", lambda row: [row[0], math.nan])
        self.assert_refused([programs.train, *TRAIN, "--data", "holes.npz", "--output", "x", "--loss", "huber"],
                            "holes.npz", "'y_train' holds numbers that are not finite")
        self.train("quantities.npz", "run", "--loss", "squared_error", epochs=1)
        for flags, words in ((["--measures", "top5"], "leave out --measures"), (["--measures", "ece"], "unknown measure"),
                             (["--subset", "stratified", "--images", "10"], "choose --subset first"),
                             (["--loss", "bce,bce"], "twice"), (["--loss", "margin"], "unknown loss")):
            with self.subTest(" ".join(flags)):
                self.assert_refused([programs.landscape, "surface", "run", *GRID, *flags], words)


if __name__ == "__main__":
    programs.main()
