#!/usr/bin/python3
"""apps/import_torch.py on checkpoints made here, and `train`, if its path is given, on what comes out.

    tests/apps/test_import_torch.py [build/bin/train]

Exit status 77: skipped, PyTorch is missing."""

import contextlib
import importlib.util
import io
import json
import os
import pickle
import struct
import subprocess
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
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "models"))
from exporter import torch_checkpoint  # noqa: E402
import torch_zoo  # noqa: E402

TRAIN = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 and os.path.isfile(sys.argv[1]) else None
# Every family: name, side of the images, shortcut, width.
NETWORKS = [("resnet8", 16, "B", 4), ("resnet14", 16, "A", 16), ("resnet20_noshort", 16, "B", 16),
            ("resnet18", 16, "B", 4), ("resnet50", 16, "B", 4), ("wrn14_2", 16, "B", 16), ("wrn10_2", 16, "B", 4),
            ("wrn16_1", 16, "A", 4), ("vgg9", 16, "B", 4), ("vgg11", 32, "B", 4), ("densenet121", 16, "B", 4),
            ("densenetbc10_6", 16, "B", 0), ("mlp2", 12, "B", 9), ("mlp", 12, "B", 9), ("lenet", 16, "B", 0)]


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

    def test_every_family_is_what_train_loads(self):
        for name, size, shortcut, width in NETWORKS:
            with self.subTest(name):
                state = torch_zoo.network(name, size, shortcut, width).state_dict()
                # Names and shapes leave no doubt, but where layers have no parameters.
                needs_name = name.startswith(("mlp", "lenet")) or shortcut == "A" or name.endswith("noshort")
                model = self.converted(state, "--image-size", str(size), *(["--model", name] * needs_name))[0]
                self.assertEqual((model["name"], model["classes"], model["image_size"], model["width"]),
                                 (name, 10, size, width))
                if TRAIN:
                    done = subprocess.run([TRAIN, "--evaluate", self.output, "--data", "synthetic", "--test-images", "20"],
                                          cwd=self.folder.name, capture_output=True, text=True)
                    self.assertIn(f"{name} (", done.stdout, done.stderr)

    def test_grey_images(self):
        state = torch_zoo.network("resnet8", 8, "B", 4, channels=1).state_dict()
        self.assertEqual(self.converted(state, "--normalisation", "mnist")[0]["channels"], 1)
        state = torch_zoo.network("mlp2", 5, "B", 4, channels=1).state_dict()
        self.assertEqual(self.converted(state, "--normalisation", "mnist", "--model", "mlp2", "--image-size",
                                        "5")[0]["channels"], 1)

    def test_wrappers(self):
        state = resnet(projection=True)
        for before in ("module.", "_orig_mod.", "model.", "net.", "module._orig_mod.", "model.net.", "my_name.",
                       "a.b.c."):
            with self.subTest(before):
                tensors = self.converted({before + name: value for name, value in state.items()})[2]
                numpy.testing.assert_array_equal(tensors["conv1.weight"], state["conv1.weight"].numpy())
        lightning = {"model." + name: value for name, value in state.items()}
        self.assertEqual(self.converted({"state_dict": lightning, "epoch": 3})[0]["name"], "resnet20")
        averaged = {"n_averaged": torch.tensor(3), **{"module." + name: value for name, value in state.items()}}
        self.assertEqual(self.converted(averaged)[0]["name"], "resnet20")
        vgg = torch_zoo.network("vgg9", 8, width=4).state_dict()
        inside = {name.replace("features.", "features.module."): value for name, value in vgg.items()}
        self.assertEqual(self.converted(inside, "--image-size", "8")[0]["name"], "vgg9")

    def test_key(self):
        one, other = resnet(projection=True), resnet(projection=True)
        saved = {"state_dict": one, "state_dict_ema": other, "deep": {"er": other}}
        for key, chosen in [((), one), (("--key", "state_dict_ema"), other), (("--key", "deep.er"), other)]:
            numpy.testing.assert_array_equal(self.converted(saved, *key)[2]["conv1.weight"],
                                             chosen["conv1.weight"].numpy())
        both = {**{"student." + name: value for name, value in one.items()},
                **{"teacher." + name: value for name, value in other.items()}}
        numpy.testing.assert_array_equal(self.converted(both, "--key", "teacher")[2]["conv1.weight"],
                                         other["conv1.weight"].numpy())
        os.remove(self.output)
        self.refused("--key ema: ", saved, "--key", "ema")
        self.refused("state_dict, state_dict_ema, deep", saved, "--key", "ema")
        both = {name.replace("student", "model").replace("teacher", "net"): value for name, value in both.items()}
        self.refused("choose by --key model or --key net", both)

    def test_safetensors_of_others(self):
        state = resnet(projection=True)
        arrays = {"model." + name: value.numpy() for name, value in state.items()}
        for kind in ("F32", "F16", "F64", "BF16"):
            with self.subTest(kind):
                path = os.path.join(self.folder.name, "theirs.safetensors")
                header, body = {"__metadata__": {"format": "pt"}}, b""
                for name, array in arrays.items():
                    if array.dtype.kind == "i":
                        kind_here, raw = "I64", array.tobytes()
                    elif kind == "BF16":
                        kind_here, raw = kind, (array.view("<u4") >> 16).astype("<u2").tobytes()
                    else:
                        kind_here, raw = kind, array.astype(torch_checkpoint.DTYPES[kind]).tobytes()
                    header[name] = {"dtype": kind_here, "shape": list(array.shape),
                                    "data_offsets": [len(body), len(body) + len(raw)]}
                    body += raw
                text = json.dumps(header).encode()
                with open(path, "wb") as file:
                    file.write(struct.pack("<Q", len(text)) + text + body)
                self.assertEqual(self.run_on(path, "--normalisation", "none", "--output", self.output), (0, ""))
                metadata, tensors = read_safetensors(self.output)
                self.assertEqual(json.loads(metadata["model"])["name"], "resnet20")
                numpy.testing.assert_allclose(tensors["conv1.weight"], arrays["model.conv1.weight"], rtol=1e-2)
        with open(path, "rb") as file:
            whole = file.read()
        for damaged in (whole[:-1], whole[:9], whole[:8] + b"{" * 5000, struct.pack("<Q", 1 << 60) + whole[8:]):
            with open(path, "wb") as file:
                file.write(damaged)
            status, error = self.run_on(path, "--normalisation", "none", "--output", self.output)
            self.assertEqual(status, 1)
            self.assertIn("damaged safetensors file", error)
            self.assertNotIn("\n", error)

    def test_what_is_no_checkpoint(self):
        for contents, words in [(b"<!DOCTYPE html><html>", "page of the web"), (b"\n <html>", "page of the web"),
                                (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
                                (b"\x89HDF\r\n", "HDF5"), (b"\x1f\x8b\x08", "gunzip"), (b"", "is empty")]:
            with self.subTest(contents):
                with open(self.checkpoint, "wb") as file:
                    file.write(contents)
                status, error = self.run_on(self.checkpoint, "--normalisation", "none")
                self.assertEqual(status, 1)
                self.assertIn(words, error)

    def test_names_and_shapes_are_the_network_s(self):
        state = resnet(projection=True)

        def changed(change):
            other = dict(state)
            change(other)
            return other

        for words, saved, options in [
                ("lacks layer1.0.bn1.weight of resnet20 of width 16", changed(lambda s: s.pop("layer1.0.bn1.weight")), []),
                ("BatchNorm statistics are missing (bn1.running_mean, bn1.running_var, layer1.0.bn1.running_mean and ",
                 {n: v for n, v in state.items() if ".running_" not in n}, []),
                ("has head.weight, which is none of its", {**state, "head.weight": torch.rand(3, 3)}, []),
                ("layer2.1.conv1.weight is of shape [32, 32, 5, 5]",
                 {**state, "layer2.1.conv1.weight": torch.rand(32, 32, 5, 5)}, []),
                ("layer1.0.bn1.running_var has negative variances",
                 {**state, "layer1.0.bn1.running_var": -torch.ones(16)}, []),
                ("conv1.weight has numbers that are not finite",
                 {**state, "conv1.weight": torch.full((16, 3, 3, 3), float("nan"))}, []),
                ("three stages of bottlenecks", {**state, "layer1.0.conv3.weight": torch.rand(64, 16, 1, 1)}, []),
                ("no network of Topograd's is called resnet21", state, ["--model", "resnet21"]),
                ("no network of Topograd's is called nosuch", state, ["--model", "nosuch"]),
                ("of width 16", state, ["--model", "resnet26"])]:
            with self.subTest(words):
                self.refused(words, saved, *options)
        vgg = torch_zoo.network("vgg9", 16, width=4).state_dict()
        self.refused("--image-size says", vgg)
        for head in ("fc.0.weight", "fc.0.bias", "fc.1.weight", "fc.1.bias", "fc.1.running_mean", "fc.1.running_var"):
            del vgg[head]
        self.refused("lacks fc.0.weight, fc.0.bias, fc.1.weight and 3 more of vgg9", vgg)

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
