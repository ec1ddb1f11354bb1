#!/usr/bin/env python3
"""The same commands on every device that is there: the CPU's weights and surface within rounding."""

import math
import struct

import programs
from programs import TINY_NET, EndToEndTest, doubles, planes, run, safetensors

# Six steps, with a last batch that is smaller than the others.
TRAIN = TINY_NET + ["--epochs", "1", "--batch-size", "17", "--train-images", "96", "--test-images",
                    "30", "--lr", "0.02"]


def devices(folder):
    """Devices other than the CPU on this machine; a GPU is not missed where there is none."""
    done = run([programs.train, "--device", "cuda", "--evaluate", "absent"], folder)
    return ["simt"] if "no GPU" in done.stderr or "no device cuda" in done.stderr else ["simt", "cuda"]


class Devices(EndToEndTest):
    def train(self, device, *more, stderr=""):
        return self.run_ok([programs.train, "--data", programs.images, "--device", device,
                            "--output", device] + TRAIN + list(more), stderr=stderr)

    def weights(self, folder, name="model"):
        tensors = safetensors(self.path(folder, f"{name}.safetensors"))[1]
        return [value for _, data in (tensors[name] for name in sorted(tensors))
                for value in struct.unpack(f"<{len(data) // 4}f", data)]

    def test_training_lands_on_the_cpu_s_weights_within_rounding(self):
        self.train("cpu", "--output", "start", "--lr", "0", "--weight-decay", "0")
        self.train("cpu")
        expected, start = self.weights("cpu"), self.weights("start")
        moved = math.dist(expected, start)
        self.assertGreater(moved, 0.1)
        for device in devices(self.folder):
            self.train(device)
            # f32 sums in another order, and Winograd's on the CPU: 1e-6 of a gradient, which six
            # steps through BatchNorm's divisions make a few times larger.
            self.assertLess(math.dist(self.weights(device), expected), 1e-4 * moved, device)

    def test_training_in_bf16_stays_near_f32(self):
        self.train("cpu", "--output", "start", "--lr", "0", "--weight-decay", "0")
        start = self.weights("start")
        for device in devices(self.folder):
            self.train(device, "--output", "f32")
            expected = self.weights("f32")
            moved = math.dist(expected, start)
            # An operand has 8 bits, or 16: 4e-3 and 2e-5 of a product, before steps magnify them.
            for precision, tolerance in (("bf16", 0.2), ("bf16x3", 2e-3)):
                self.train(device, "--output", precision, "--precision", precision)
                off = math.dist(self.weights(precision), expected)
                self.assertLess(off, tolerance * moved, f"{precision} on {device}")
                self.assertGreater(off, 1e-6 * moved, f"{precision} on {device}")

    def test_averages_and_masked_decay_are_the_cpu_s_within_rounding(self):
        more = ["--ema", "0.7", "--swa-start", "1", "--decay-scope", "weights", "--weight-decay",
                "0.5", "--label-smoothing", "0.2"]
        self.train("cpu", *more)
        for device in devices(self.folder):
            self.train(device, *more)
            for name in ("model", "ema", "swa"):
                expected = self.weights("cpu", name)
                self.assertLess(math.dist(self.weights(device, name), expected),
                                1e-4 * math.hypot(*expected), f"{name} on {device}")

    def test_training_continues_on_a_device_to_the_same_bits(self):
        for device in devices(self.folder):
            self.train(device, "--epochs", "2", "--output", "whole")
            self.train(device, "--epochs", "2", "--output", "whole2")
            whole = safetensors(self.path("whole", "model.safetensors"))[1]
            self.assertEqual(whole, safetensors(self.path("whole2", "model.safetensors"))[1])

    def test_surfaces_are_the_cpu_s_within_rounding(self):
        self.train("cpu")
        command = [programs.landscape, "surface", "cpu/model.safetensors", "--data",
                   programs.images, "--split", "both", "--images", "37", "--x=-1:1:3",
                   "--y=-0.5:0.5:3", "--loss", "mse,cross_entropy", "--no-pictures"]
        self.run_ok(command + ["--device", "cpu", "--output", "cpu.h5"])
        expected = planes(self.path("cpu.h5"))
        for device in devices(self.folder):
            self.run_ok(command + ["--device", device, "--output", f"{device}.h5"])
            found = planes(self.path(f"{device}.h5"))
            self.assertEqual(set(found), set(expected))
            for name in expected:
                if "loss" not in name:
                    self.assertEqual(doubles(found[name]), doubles(expected[name]), name)
            for name in (name for name in expected if "loss" in name):
                for a, b in zip(doubles(found[name]), doubles(expected[name])):
                    self.assertLess(abs(a - b), 1e-5 * abs(b), f"{name} on {device}")

    def test_points_stop_at_a_standard_error(self):
        # The emulator, which would take minutes for so many images, has the evaluator's own test.
        others = [device for device in devices(self.folder) if device != "simt"]
        self.run_ok([programs.train, *programs.TINY_NET, *programs.TINY_DATA, "--epochs", "4",
                     "--batch-size", "50", "--lr", "0.02", "--output", "cpu"])
        command = [programs.landscape, "line", "cpu/model.safetensors", "--data", "synthetic",
                   "--x=-1:1:5", "--split", "both", "--no-pictures"]
        self.run_ok(command + ["--images", "0", "--target-se", "100", "--device", "cpu",
                               "--output", "first.h5"])
        errors = sorted(doubles(planes(self.path("first.h5"))["train_loss_se"]))
        command += ["--target-se", (errors[2] + errors[3]) / 2]  # a rounding decides nothing
        self.run_ok(command + ["--device", "cpu", "--output", "cpu.h5"])
        expected = planes(self.path("cpu.h5"))
        self.assertGreater(len(set(doubles(expected["train_n"]))), 1)
        for device in others:
            self.run_ok(command + ["--device", device, "--output", f"{device}.h5"])
            found = planes(self.path(f"{device}.h5"))
            for name in ("train_n", "test_n", "train_correct", "test_correct"):
                self.assertEqual(doubles(found[name]), doubles(expected[name]), name)
            for a, b in zip(doubles(found["train_loss"]), doubles(expected["train_loss"])):
                self.assertLess(abs(a - b), 1e-5 * abs(b), device)

    def test_several_seeds_are_each_seed_s_own_surface(self):
        self.train("cpu")
        for device in devices(self.folder):
            command = [programs.landscape, "surface", "cpu/model.safetensors", "--data",
                       programs.images, "--images", "20", "--x=-1:1:3", "--y=-1:1:2",
                       "--no-pictures", "--device", device]
            self.run_ok(command + ["--seeds", "3", "--output", f"{device}.h5"])
            found = planes(self.path(f"{device}.h5"))
            for seed in (1, 2, 3):
                self.run_ok(command + ["--seed", seed, "--output", f"{device}{seed}.h5"])
                self.assertEqual(planes(self.path(f"{device}{seed}.h5"))["train_loss"],
                                 found[f"train_loss_seed{seed}"], device)

    def test_a_surface_of_another_device_is_not_continued(self):
        self.train("cpu")
        command = [programs.landscape, "line", "cpu/model.safetensors", "--data", programs.images,
                   "--images", "10", "--x=0:1:2", "--no-pictures", "--output", "line.h5"]
        self.run_ok(command + ["--device", "cpu"])
        self.assert_refused(command + ["--device", "simt"], "line.h5", "device", "simt")

    def test_a_device_that_is_not_there_is_refused(self):
        self.assert_refused([programs.train, "--device", "tpu"], "--device tpu", "simt")
        if "cuda" not in devices(self.folder):
            self.assert_refused([programs.train, "--device", "cuda", "--output", "run"], "cuda")


if __name__ == "__main__":
    programs.main()
