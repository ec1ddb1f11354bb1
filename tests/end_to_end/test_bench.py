#!/usr/bin/env python3
"""`bench` as a developer runs it, in no time: that it measures, and what it says. No figure is
judged."""

import json
import os
import sys

import programs
from programs import EndToEndTest


class Bench(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.program = os.path.join(os.path.dirname(programs.train), "bench")

    def bench(self, what, *more):
        return [self.program, what, "--rounds", "2", "--threads", "2", "--json", "b.json", *more]

    def rows(self):
        with open(self.path("b.json"), encoding="utf-8") as file:
            rows = json.load(file)
        for row in rows:
            self.assertEqual(len(row["images_per_second"]), 2)
            self.assertGreater(min(row["images_per_second"]), 0)
        return {(row["model"], row["competitor"]) for row in rows}

    def test_training(self):
        printed = self.run_ok(self.bench("training", "--no-torch", "--models", "mlp,resnet8",
                                         "--batch-size", "8", "--steps", "1"), stderr=None)
        self.assertEqual(self.rows(), {("mlp", "topograd"), ("resnet8", "topograd")})
        self.assertIn("Training step, batch 8, 2 threads", printed)

    def test_surfaces(self):
        printed = self.run_ok(self.bench("surfaces", "--no-torch", "--models", "resnet8",
                                         "--precisions", "f32", "--images", "20", "--points", "1",
                                         "--scaling"), stderr=None)
        self.assertEqual(self.rows(), {("resnet8", "topograd f32"),
                                       ("resnet8", "topograd f32, 1 thread")})
        self.assertRegex(printed, r"resnet8: topograd f32 \d+\.\d+x one thread \(rounds: ")

    def test_curvature(self):
        printed = self.run_ok(self.bench("curvature", "--no-torch", "--models", "resnet8",
                                         "--batch-size", "8", "--steps", "1"), stderr=None)
        self.assertEqual(self.rows(), {("resnet8", "topograd")})
        self.assertIn("BatchNorm frozen, batch 8, 2 threads", printed)

    def test_beside_a_script_that_stands_for_pytorch(self):
        self.write("torch.py", b"")
        script = self.write("stand_in.py", b'print(\'{"torch eager NCHW": '
                                           b'{"images_per_second": 1, "peak_mib": 2}}\')\n')
        printed = self.run_ok(self.bench("surfaces", "--models", "resnet8", "--precisions", "f32",
                                         "--images", "20", "--points", "1", "--python",
                                         sys.executable, "--torch-script", script), stderr=None,
                              env={**os.environ, "PYTHONPATH": self.folder})
        self.assertEqual(self.rows(), {("resnet8", "topograd f32"),
                                       ("resnet8", "torch eager NCHW")})
        self.assertRegex(printed, r"topograd f32 \d+\.\d+x PyTorch's faster eager layout")

    def test_wrong_words(self):
        bench = self.program
        self.assert_refused([bench, "speed"], "speed", "training, surfaces or curvature")
        self.assert_refused([bench, "surfaces", "--points", "0"], "--points")
        self.assert_refused([bench, "surfaces", "--precisions", "f8"], "f8", "bf16x3")
        self.assert_refused([bench, "training", "nonsense"], "nonsense", "bench training --help")


if __name__ == "__main__":
    programs.main()
