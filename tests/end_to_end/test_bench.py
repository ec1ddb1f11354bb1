#!/usr/bin/env python3
"""`bench` as a developer runs it, in a moment: its figures are held against the clock and the memory that this test
itself sees, and what it prints against its JSON. How fast the machine is is not judged."""

import json
import os
import re
import resource
import statistics
import sys
import time

import programs
from programs import EndToEndTest

ROUNDS = 2


class Bench(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.program = os.path.join(os.path.dirname(programs.train), "bench")

    def bench(self, what, *more, **options):
        """Runs a benchmark; what it prints, its rows by (model, competitor), and the seconds it took."""
        begin = time.monotonic()
        printed = self.run_ok([self.program, what, "--rounds", ROUNDS, "--threads", "2", "--json", "b.json", *more],
                              stderr=None, **options)
        elapsed = time.monotonic() - begin
        rows = {}
        for row in json.loads(self.read("b.json")):
            self.assertEqual(set(row), {"model", "competitor", "images_per_second", "peak_mib"})
            self.assertEqual(len(row["images_per_second"]), ROUNDS)
            rows[row["model"], row["competitor"]] = row
        self.assert_table_is(printed, rows)
        return printed, rows, elapsed

    def assert_table_is(self, printed, rows):
        """Every row's median, smallest and largest round, and its memory."""
        for (model, competitor), row in rows.items():
            figures = row["images_per_second"]
            expected = [f"{value:.1f}" for value in (statistics.median(figures), min(figures), max(figures))]
            if row["peak_mib"] > 0:
                expected.append(f"{row['peak_mib']:.0f}")
            line = rf"^{re.escape(model)} +{re.escape(competitor)} +{' +'.join(map(re.escape, expected))} *$"
            self.assertRegex(printed, re.compile(line, re.MULTILINE))

    def assert_ratios(self, printed, words, ours, theirs):
        """The median, the smallest and the largest of the rounds' ratios, to the rounding of two digits."""
        ratios = [a / b for a, b in zip(ours["images_per_second"], theirs["images_per_second"])]
        found = re.search(words + r" \(rounds: ([\d.]+) to ([\d.]+)\)", printed)
        self.assertIsNotNone(found, printed)
        for value, expected in zip(found.groups(), (statistics.median(ratios), min(ratios), max(ratios))):
            self.assertLessEqual(abs(float(value) - expected), 0.0051 + 1e-6 * expected)

    def assert_clock(self, images, rows, elapsed, least):
        """The seconds that the figures stand for passed while the program ran, and were `least` of its time: a rate
        in other units, or for more or fewer images than were timed, is not so."""
        claimed = sum(images / rate for row in rows for rate in row["images_per_second"])
        self.assertLessEqual(claimed, elapsed)
        self.assertGreaterEqual(claimed, least * elapsed)

    def assert_memory(self, rows):
        """A process of its own took so much: more than the program's code, no more than the largest of ours."""
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        for row in rows.values():
            self.assertGreater(row["peak_mib"], 5)
            self.assertLessEqual(row["peak_mib"], most)

    def test_training(self):
        printed, rows, elapsed = self.bench("training", "--no-torch", "--models", "resnet8", "--batch-size", "16",
                                            "--steps", "60")
        self.assertEqual(set(rows), {("resnet8", "topograd")})
        self.assertIn("Training step, batch 16, 2 threads", printed)
        # A round's figure is its median step's, where a busy machine's slowest steps do not count.
        self.assert_clock(16 * 60, rows.values(), elapsed, 0.1)
        self.assert_memory(rows)

    def test_a_smaller_network_takes_less_memory_and_time(self):
        _, rows, _ = self.bench("training", "--no-torch", "--models", "mlp,resnet20", "--batch-size", "8", "--steps",
                                "3")
        small, large = rows["mlp", "topograd"], rows["resnet20", "topograd"]
        self.assertGreater(max(small["images_per_second"]), min(large["images_per_second"]))
        self.assertLess(small["peak_mib"], large["peak_mib"])

    def test_pytorch_s_script_is_there(self):
        told = self.run_ok([self.program, "surfaces", "--help"])
        script = re.search(r"--torch-script FILE .*?\(default:\s+(\S+)\)", told, re.DOTALL).group(1)
        self.assertTrue(os.path.exists(script), script)

    def test_a_network_in_a_file(self):
        graph = {"format": "topograd-graph-1", "name": "small", "image": [8, 8, 3], "nodes": [
            {"name": "fc", "op": "linear", "inputs": ["input"], "outputs": 10}]}
        self.write("net.json", json.dumps(graph).encode())
        _, rows, _ = self.bench("curvature", "--no-torch", "--models", "net.json", "--batch-size", "4", "--steps", "2")
        self.assertEqual(set(rows), {("net", "topograd")})

    def test_surfaces(self):
        printed, rows, elapsed = self.bench("surfaces", "--no-torch", "--models", "resnet8", "--precisions", "f32",
                                            "--images", "100", "--points", "20", "--scaling")
        two, one = rows["resnet8", "topograd f32"], rows["resnet8", "topograd f32, 1 thread"]
        self.assertEqual(len(rows), 2)
        self.assert_clock(100 * 20, rows.values(), elapsed, 0.1)
        self.assert_ratios(printed, r"resnet8: topograd f32 ([\d.]+)x one thread", two, one)

    def test_curvature(self):
        printed, rows, elapsed = self.bench("curvature", "--no-torch", "--models", "resnet8", "--batch-size", "8",
                                            "--steps", "20")
        self.assertEqual(set(rows), {("resnet8", "topograd")})
        self.assertIn("BatchNorm frozen, batch 8, 2 threads", printed)
        self.assert_clock(8 * 20, rows.values(), elapsed, 0.05)

    def test_beside_a_script_that_stands_for_pytorch(self):
        self.write("torch.py", b"")
        script = self.write("stand_in.py", b'print(\'{"torch eager NCHW": {"images_per_second": 50, "peak_mib": 2}, '
                                           b'"torch eager NHWC": {"images_per_second": 100, "peak_mib": 3}}\')\n')
        printed, rows, _ = self.bench("surfaces", "--models", "resnet8", "--precisions", "f32", "--images", "20",
                                      "--points", "1", "--python", sys.executable, "--torch-script", script,
                                      env={**os.environ, "PYTHONPATH": self.folder})
        ours, faster = rows["resnet8", "topograd f32"], rows["resnet8", "torch eager NHWC"]
        self.assertEqual(rows["resnet8", "torch eager NCHW"]["images_per_second"], [50] * ROUNDS)
        self.assertEqual(faster["images_per_second"], [100] * ROUNDS)
        self.assertEqual(faster["peak_mib"], 3)
        self.assert_ratios(printed, r"topograd f32 ([\d.]+)x PyTorch's faster eager layout", ours, faster)

    def test_wrong_words(self):
        bench = self.program
        self.assert_refused([bench, "speed"], "speed", "training, surfaces or curvature")
        self.assert_refused([bench, "surfaces", "--points", "0"], "--points")
        self.assert_refused([bench, "surfaces", "--precisions", "f8"], "f8", "bf16x3")
        self.assert_refused([bench, "training", "nonsense"], "nonsense", "bench training --help")


if __name__ == "__main__":
    programs.main()
