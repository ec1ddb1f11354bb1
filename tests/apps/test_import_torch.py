#!/usr/bin/python3
"""apps/import_torch.py on checkpoints made here. Exit status 77: skipped, PyTorch is missing."""

import contextlib
import importlib.util
import io
import json
import os
import pickle
import struct
import sys
import tempfile
import types
import unittest
import unittest.mock

try:
    import numpy
    import torch
except ImportError as error:
    print(f"SKIPPED: {error}; install python3-torch to test apps/import_torch.py")
    sys.exit(77)

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "apps", "import_torch.py")
spec = importlib.util.spec_from_file_location("import_torch", SCRIPT)
import_torch = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True  # no __pycache__ beside the script
spec.loader.exec_module(import_torch)


def resnet(projection, depth=20, width=16):
    """A state_dict with the names and shapes of a CIFAR ResNet, filled with random numbers."""
    state = {}

    def batchnorm(name, channels):
        for suffix in ("weight", "bias", "running_mean", "running_var"):
            state[f"{name}.{suffix}"] = torch.rand(channels)
        state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    state["conv1.weight"] = torch.randn(width, 3, 3, 3)
    batchnorm("bn1", width)
    channels = width
    for stage in (1, 2, 3):
        for block in range((depth - 2) // 6):
            name, out = f"layer{stage}.{block}", width << (stage - 1)
            state[f"{name}.conv1.weight"] = torch.randn(out, channels, 3, 3)
            batchnorm(f"{name}.bn1", out)
            state[f"{name}.conv2.weight"] = torch.randn(out, out, 3, 3)
            batchnorm(f"{name}.bn2", out)
            if projection and channels != out:
                state[f"{name}.shortcut.0.weight"] = torch.randn(out, channels, 1, 1)
                batchnorm(f"{name}.shortcut.1", out)
            channels = out
    state["linear.weight"] = torch.randn(10, channels)
    state["linear.bias"] = torch.randn(10)
    return state


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = numpy.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
    return metadata, tensors


class MakesFolderWhenLoaded:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (self.path,))


class ImportTorch(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.checkpoint = os.path.join(self.folder.name, "net.pth")
        self.output = os.path.join(self.folder.name, "net.safetensors")

    def run_script(self, saved, *options, **save_options):
        torch.save(saved, self.checkpoint, **save_options)
        return self.run_on(self.checkpoint, "--normalisation", "cifar10", *options)

    def run_on(self, *arguments):
        """The script's exit status and error message. In this process: PyTorch starts slowly."""
        with unittest.mock.patch.object(sys, "argv", [SCRIPT, *arguments]):
            with contextlib.redirect_stdout(io.StringIO()):
                try:
                    import_torch.main()
                except SystemExit as exit_:
                    return 1, exit_.code
        return 0, ""

    def converted(self, saved, *options, **save_options):
        status, error = self.run_script(saved, *options, **save_options)
        self.assertEqual(status, 0, error)
        metadata, tensors = read_safetensors(self.output)
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["net.pth", "net.safetensors"])
        return json.loads(metadata["model"]), metadata, tensors

    def refused(self, message, saved, *options):
        status, error = self.run_script(saved, *options)
        self.assertEqual(status, 1)
        self.assertIn(message, error)
        self.assertNotIn("\n", error)
        self.assertEqual(os.listdir(self.folder.name), ["net.pth"])

    def test_normalisations(self):
        torch.save(resnet(projection=True), self.checkpoint)
        for options, mean, deviation in [
                (["--normalisation", "kuangliu"], [0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010]),
                (["--normalisation", "none"], [0] * 3, [1] * 3),
                (["--mean", "0.5", "--std", "0.5"], [0.5] * 3, [0.5] * 3),
                (["--mean", "0.1,0.2,0.3", "--std", "0.4,0.5,0.6"], [0.1, 0.2, 0.3], [0.4, 0.5, 0.6])]:
            with self.subTest(options):
                self.assertEqual(self.run_on(self.checkpoint, *options), (0, ""))
                metadata, _ = read_safetensors(self.output)
                self.assertEqual(json.loads(metadata["normalisation"]), {"mean": mean, "std": deviation})
        for options, message in [
                ([], "which normalisation"), (["--mean", "0.5"], "--mean R,G,B --std R,G,B"),
                (["--mean", "125,123,113", "--std", "1"], "from 0 to 1"),
                (["--mean", "0.5", "--std", "0"], "from 0 to 1"),
                (["--mean", "nan", "--std", "1"], "from 0 to 1"),
                (["--mean", "0.1,0.2", "--std", "1"], "3 channels"),
                (["--normalisation", "mnist", "--mean", "0.5", "--std", "0.5"], "contradict")]:
            with self.subTest(options):
                status, error = self.run_on(self.checkpoint, *options)
                self.assertEqual(status, 1)
                self.assertIn(message, error)

    def test_state_dict(self):
        state = resnet(projection=True)
        model, metadata, tensors = self.converted(state)
        self.assertEqual(model, {"name": "resnet20", "shortcut": "B", "classes": 10, "width": 16,
                                 "image_size": 32, "activation": "relu"})
        self.assertEqual(metadata["format"], "topograd-checkpoint-1")
        self.assertAlmostEqual(json.loads(metadata["normalisation"])["std"][2], 66.7 / 255)
        self.assertRegex(metadata["source"], r"^net\.pth sha256:[0-9a-f]{64}$")
        expected = {name for name in state if not name.endswith("num_batches_tracked")}
        self.assertEqual(set(tensors), expected)
        for name in expected:
            numpy.testing.assert_array_equal(tensors[name], state[name].numpy())

    def test_nested_prefixed_half_legacy(self):
        state = {f"module.{name}": value.half() if value.is_floating_point() else value
                 for name, value in resnet(projection=True).items()}
        saved = {"net": state, "acc": 91.5, "best": numpy.float64(3),
                 "args": types.SimpleNamespace(lr=1)}
        for zipped in (True, False):
            model, _, tensors = self.converted(saved, _use_new_zipfile_serialization=zipped)
            self.assertEqual(model["name"], "resnet20")
            numpy.testing.assert_array_equal(tensors["conv1.weight"],
                                             state["module.conv1.weight"].float().numpy())

    def test_parameters_and_optimizer(self):
        state = {name: torch.nn.Parameter(value) if value.is_floating_point() else value
                 for name, value in resnet(projection=True).items()}
        optimizer = torch.optim.SGD([state["conv1.weight"]], lr=0.1, momentum=0.9)
        saved = {"model_state_dict": state, "optimizer": optimizer, "state": optimizer.state_dict()}
        self.assertEqual(self.converted(saved)[0]["name"], "resnet20")

    def test_option_a_and_noshort_must_be_told(self):
        state = resnet(projection=False)
        self.refused("--model resnet20 or --model resnet20_noshort", state)
        self.assertEqual(self.converted(state, "--model", "resnet20")[0]["shortcut"], "A")
        self.assertEqual(self.converted(state, "--model", "resnet20_noshort")[0]["shortcut"], "B")

    def test_contradictions(self):
        self.refused("--shortcut A, but", resnet(projection=True), "--shortcut", "A")
        self.refused("it has skip connections", resnet(projection=True), "--model",
                     "resnet20_noshort")
        self.refused("--shortcut B, but", resnet(projection=False), "--model", "resnet20",
                     "--shortcut", "B")

    def test_wide(self):
        model = self.converted(resnet(projection=True, depth=14, width=32))[0]
        self.assertEqual((model["name"], model["width"]), ("wrn14_2", 16))

    def test_vgg9(self):
        channels = [3, 64, 64, 128, 128, 256, 256, 256]
        state = {f"features.{i}.weight": torch.randn(out, before, 3, 3)
                 for i, (before, out) in enumerate(zip(channels, channels[1:]))}
        state["fc.0.weight"] = torch.randn(256, 4096)
        state["classifier.weight"] = torch.randn(7, 256)
        model = self.converted(state)[0]
        self.assertEqual((model["name"], model["classes"]), ("vgg9", 7))

    def test_original_wide(self):
        state = {"conv1.weight": torch.randn(16, 3, 3, 3), "linear.weight": torch.randn(10, 128)}
        for stage in (1, 2, 3):
            for block in range(2):
                state[f"block{stage}.layer.{block}.conv1.weight"] = torch.randn(32, 16, 3, 3)
        model = self.converted(state)[0]
        self.assertEqual((model["name"], model["width"]), ("wrn16_2", 16))

    def test_densenets(self):
        def densenet(blocks, growth):
            state = {"conv1.weight": torch.randn(2 * growth, 3, 3, 3),
                     "linear.weight": torch.randn(10, 4)}
            for block, layers in enumerate(blocks):
                for layer in range(layers):
                    state[f"dense{block + 1}.{layer}.conv2.weight"] = torch.randn(growth, 4, 3, 3)
            return state
        model = self.converted(densenet((6, 12, 48, 32), 32))[0]
        self.assertEqual((model["name"], model["width"]), ("densenet201", 32))
        model = self.converted(densenet((16, 16, 16), 12))[0]
        self.assertEqual((model["name"], model["width"]), ("densenetbc100_12", 0))

    def test_first_lesson(self):
        state = {"fc1.weight": torch.randn(9, 48), "fc2.weight": torch.randn(10, 9)}
        model = self.converted(state, "--model", "mlp2", "--image-size", "4")[0]
        self.assertEqual((model["name"], model["width"], model["image_size"]), ("mlp2", 9, 4))

    def test_torchvision_names(self):
        state = {name.replace("shortcut", "downsample").replace("linear", "fc"): value
                 for name, value in resnet(projection=True).items()}
        self.assertIn("linear.weight", self.converted(state)[2])

    def test_refusals(self):
        self.refused("holds no tensors", {"epoch": 3})
        self.refused("holds a int, not a state_dict", 3)
        self.refused("no network that Topograd knows", {"a.weight": torch.randn(3, 3)})
        self.refused("whole pickled module", torch.nn.Linear(3, 3))
        self.refused("for ImageNet", {**resnet(projection=True),
                                      "conv1.weight": torch.randn(16, 3, 7, 7)})
        self.refused("no convolution, so it is no vgg9", {"a.weight": torch.randn(3, 3)},
                     "--model", "vgg9")
        self.refused("weights are floating point", {"a.weight": torch.arange(4)})

    def test_a_pickle_cannot_run_code(self):
        trace = os.path.join(self.folder.name, "trace")
        saved = {"state_dict": resnet(projection=True), "x": MakesFolderWhenLoaded(trace)}
        for zipped in (True, False):
            self.assertEqual(self.run_script(saved, _use_new_zipfile_serialization=zipped), (0, ""))
            self.assertFalse(os.path.exists(trace))

    def test_torchscript_is_a_program(self):
        class Doubles(torch.nn.Module):
            def forward(self, x):
                return 2 * x

        torch.jit.save(torch.jit.script(Doubles()), self.checkpoint)
        status, error = self.run_on(self.checkpoint, "--normalisation", "cifar10")
        self.assertEqual(status, 1)
        self.assertIn("is a TorchScript archive", error)
        self.assertEqual(os.listdir(self.folder.name), ["net.pth"])

    def test_the_output_is_the_checkpoint(self):
        torch.save(resnet(projection=True), self.checkpoint)
        os.symlink("net.pth", os.path.join(self.folder.name, "link"))
        for output in (self.checkpoint, os.path.join(self.folder.name, "link")):
            status, error = self.run_on(self.checkpoint, "--normalisation", "cifar10", "--output", output)
            self.assertEqual((status, error),
                             (1, f"import_torch.py: {output} is the checkpoint itself: choose another --output"))
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["link", "net.pth"])

    def test_links_are_followed_and_modes_kept(self):
        torch.save(resnet(projection=True), self.checkpoint)
        target = os.path.join(self.folder.name, "target")
        with open(target, "wb"):
            os.chmod(target, 0o600)
        os.symlink("target", self.output)
        self.assertEqual(self.run_on(self.checkpoint, "--normalisation", "cifar10"), (0, ""))
        self.assertTrue(os.path.islink(self.output))
        self.assertEqual(os.stat(target).st_mode & 0o777, 0o600)
        read_safetensors(target)
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["net.pth", "net.safetensors", "target"])

    def test_no_checkpoint(self):
        with open(self.checkpoint, "wb") as file:
            pickle.dump("text", file)
        self.assertIn("does not load as a PyTorch checkpoint",
                      self.run_on(self.checkpoint, "--normalisation", "imagenet")[1])
        self.assertEqual(self.run_on("/nonexistent.pth", "--normalisation", "imagenet")[1],
                         "import_torch.py: /nonexistent.pth: No such file or directory")


if __name__ == "__main__":
    unittest.main()
