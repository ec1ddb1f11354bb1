#!/usr/bin/env python3
"""landscape doctor, and the notes of landscape surface: what misleads is said, a sound network is left in peace."""

import json
import re
import struct

import programs
from landscape_test import LandscapeTest
from programs import run


class Doctor(LandscapeTest):
    MODELS = {"a": ["--seed", "0", "--epochs", "12"], "untrained": ["--seed", "0", "--lr", "1e-9"]}

    def doctor(self, model, status, *more):
        done = run([programs.landscape, "doctor", model, "--data", programs.images, "--images", "200", "--threads", "1",
                    *more], self.folder)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(done.stderr, "")
        return dict(re.findall(r"^  (?:fine|WARNING) +(\w+): (.*)$", done.stdout, re.M)), set(
            re.findall(r"^  WARNING  (\w+):", done.stdout, re.M))

    def change(self, output, wanted, change):
        """Writes a copy of the network with the numbers of some tensors changed."""
        whole = self.read("a.safetensors", "rb")
        size, = struct.unpack("<Q", whole[:8])
        data = bytearray(whole[8 + size:])
        for name, entry in json.loads(whole[8:8 + size]).items():
            if name == "__metadata__" or not re.search(wanted, name):
                continue
            begin, end = entry["data_offsets"]
            numbers = struct.unpack(f"<{(end - begin) // 4}f", data[begin:end])
            data[begin:end] = struct.pack(f"<{len(numbers)}f", *map(change, numbers))
        self.write(output, whole[:8 + size] + bytes(data))

    def test_a_sound_network(self):
        findings, warnings = self.doctor("a.safetensors", 0)
        self.assertEqual(list(findings), ["weights", "accuracy", "range", "BatchNorm", "minimum"])
        self.assertEqual(warnings, set())
        self.assertIn("by chance 25 %", findings["accuracy"])

    def test_an_untrained_network(self):
        findings, warnings = self.doctor("untrained.safetensors", 1)
        self.assertIn("accuracy", warnings)
        self.assertIn("what chance gives (25 %): another data set, another normalisation", findings["accuracy"])

    def test_stale_statistics(self):
        self.change("stale.safetensors", "running_var", lambda x: 9 * x + 1)
        findings, warnings = self.doctor("stale.safetensors", 1)
        self.assertIn("BatchNorm", warnings)
        self.assertIn("--bn recompute estimates them anew", findings["BatchNorm"])

    def test_a_network_that_is_not_at_a_minimum(self):
        self.change("slope.safetensors", r"^(fc|linear)\.weight$", lambda x: x / 8)
        findings, warnings = self.doctor("slope.safetensors", 1)
        self.assertIn("minimum", warnings)
        self.assertIn("lowers the loss from", findings["minimum"])
        self.assertNotIn("accuracy", warnings)

    def test_weights_that_are_not_finite(self):
        self.change("nan.safetensors", "running_mean", lambda x: float("nan"))
        findings, warnings = self.doctor("nan.safetensors", 1)
        self.assertEqual(list(findings), ["weights"])
        self.assertIn("NaN or infinite", findings["weights"])

    def test_two_sets_are_not_one(self):
        self.assert_refused([programs.landscape, "doctor", "a.safetensors", "--data", programs.images, "--split",
                             "both"], "choose train or test")

    def notes(self, *words):
        done = run(self.surface("s.h5", *words), self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return "\n".join(re.findall("^note: .*$", done.stdout, re.M))

    def test_a_surface_that_shows_nothing(self):
        self.assertEqual(self.notes(), "")

    def test_a_range_too_wide(self):
        self.assertRegex(self.notes("--x=-90:90:7", "--y=-90:90:7"),
                         r"note: at \d+ of 49 points the train accuracy is chance: the picture is mostly that plateau")

    def test_a_result_is_examined_as_when_it_was_computed(self):
        notes = self.notes("--x=-90:90:7", "--y=-90:90:7")
        done = run([programs.landscape, "doctor", "s.h5"], self.folder)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertIn(notes, done.stdout)
        self.assertIn("a surface of a, 49 of 49 values", done.stdout)
        self.run_ok(self.surface("fine.h5"), stderr=None)
        self.assertIn("nothing that its picture would hide", self.run_ok([programs.landscape, "doctor", "fine.h5"]))
        with programs.Hdf5(self.path("fine.h5"), writable=True) as file:
            file.write("done", [0, *list(programs.doubles(file.read("done")))[1:]])
        done = run([programs.landscape, "doctor", "fine.h5"], self.folder)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("note: it is not finished; landscape ls fine.h5 says how to continue", done.stdout)

    def test_a_range_too_narrow(self):
        self.assertIn("hardly move the network; choose a wider range", self.notes("--x=-1e-6:1e-6:3", "--y=-1e-6:1e-6:3"))

    def test_a_surface_of_the_wrong_data(self):
        done = run([programs.landscape, "surface", "untrained.safetensors", "--data", programs.images, "--images", "50",
                    "--x=-1:1:3", "--y=-1:1:3", "--no-pictures", "--threads", "1", "--output", "u.h5"], self.folder)
        self.assertIn("is what chance gives: landscape doctor says more", done.stdout)

    def test_sharpness_of_the_wrong_data(self):
        done = run([programs.landscape, "sharpness", "untrained.safetensors", "a.safetensors", "--data", programs.images,
                    "--images", "50", "--measures", "error", "--threads", "1", "--output", "both"], self.folder)
        self.assertRegex(done.stdout, r"^both/untrained_sharpness.h5: .*\nnote: the train accuracy at the network itself, "
                                      r"\S+ %, is what chance gives: landscape doctor says more\n")
        self.assertEqual(done.stdout.count("note: "), 1, done.stdout)


if __name__ == "__main__":
    programs.main()
