#!/usr/bin/python3
"""apps/export_torch.py on networks as users write them, each operation alone, and what it has to refuse.

Graphs are held against the modules that they were made of, in double precision and in single: the logits, the gradient
of the mean cross-entropy, and the product of its Hessian with a random direction, which PyTorch computes by
differentiating twice.

    tests/export/test_export_torch.py build/bin/train [Architectures.test_densenet ...]

A push compares every architecture and operation so on two images; TOPOGRAD_TEST_EVERY_EXPORT=1 with other weights and
images, too. Exit status 77: skipped, PyTorch is missing."""

import contextlib
import copy
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import warnings

from export_test import EVERY, REPORT, program_on_the_command_line  # first: it finds the rest

import numpy
import torch

import export_torch
from architectures import ARCHITECTURES
from exporter.checkpoint_writer import write_checkpoint, write_safetensors
from operations import OPERATIONS
from probes import randomise
from refused import REFUSED
from exporter.torch_checkpoint import ImportFailure
from exporter.torch_graph import ExportFailure, graph_of, logits_in

TRAIN = program_on_the_command_line() if __name__ == "__main__" else None
warnings.filterwarnings("ignore", message="Using padding='same'")

# Largest differences, as parts of the largest number, in double and in single precision.
TOLERANCES = {"logits": (1e-9, 1e-5), "gradients": (1e-8, 1e-4), "products with the Hessian": (1e-8, 1e-4)}


def running_statistics(module):
    return {name: tensor for name, tensor in module.named_buffers()
            if name.rsplit(".", 1)[-1] in ("running_mean", "running_var")}


def with_places(module):
    """Returns a copy of a module whose parameters and running statistics hold the places of their elements, counted
    through all of them; and these tensors' names, in order."""
    numbered = copy.deepcopy(module)
    names, count = [], 0
    with torch.no_grad():
        for name, tensor in [*numbered.named_parameters(), *running_statistics(numbered).items()]:
            tensor.copy_(torch.arange(count, count + tensor.numel()).view(tensor.shape))
            names.append(name)
            count += tensor.numel()
    assert count < 1 << 24  # beyond, floats are not all integers
    return numbered, names


def flat(tensors, names):
    return numpy.concatenate([tensors[name].detach().numpy().ravel() for name in names])


# Functions as they are for the reference: those that PyTorch 1.13 does not differentiate twice, written out, and the
# log_softmax that a graph leaves out at its end.
REPLACED = {
    "log_softmax": lambda x, *_args, **_kwargs: x,
    "hardsigmoid": lambda x, inplace=False: torch.nn.functional.relu6(x + 3) / 6,
    "channel_shuffle": lambda x, groups: x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2),
}


class Reference:
    """What PyTorch computes of random images with a module's weights in double precision: logits, and of the mean
    cross-entropy the gradient and the product of its Hessian with a random direction, by the parameters' order."""

    def __init__(self, module, image, count, seed):
        self.module = copy.deepcopy(module).double().eval()
        self.names, self.parameters = zip(*self.module.named_parameters())
        generator = torch.Generator().manual_seed(seed)
        self.images = torch.randn(count, image[2], image[0], image[1], generator=generator, dtype=torch.float64)
        self.direction = [torch.randn(p.shape, generator=generator, dtype=torch.float64) for p in self.parameters]
        self.logits = self.computed()
        self.labels = torch.randint(self.logits.shape[1], (count,), generator=generator)
        self.gradient = self.derivative(torch.nn.functional.cross_entropy(self.logits, self.labels))
        self.product = self.derivative(sum((g * v).sum() for g, v in zip(self.gradient, self.direction)))

    def computed(self):
        with unittest.mock.patch.multiple(torch.nn.functional, **REPLACED):
            return logits_in(self.module(self.images.clone()))[0]

    def derivative(self, value):
        found = [None] * len(self.parameters)
        if value.requires_grad:
            found = torch.autograd.grad(value, self.parameters, create_graph=True, allow_unused=True)
        return [torch.zeros_like(p) if d is None else d for d, p in zip(found, self.parameters)]

    def is_smooth(self, step=1e-6):
        """Whether a small step either way along the direction changes the gradient as the product says: no unit is so
        near to a kink, and no two maxima so alike, that rounding in single precision may choose the other side."""
        largest = max(g.abs().max() for g in self.gradient)
        for signed in (step, -step):
            self.move(signed)
            moved = self.derivative(torch.nn.functional.cross_entropy(self.computed(), self.labels))
            self.move(-signed)
            if any((m - g - signed * p).abs().max() > 1e-5 * largest
                   for m, g, p in zip(moved, self.gradient, self.product)):
                return False
        return True

    def move(self, step):
        with torch.no_grad():
            for parameter, v in zip(self.parameters, self.direction):
                parameter += step * v

    def arrays(self, names, places):
        """The arrays of a file for train --compare; `places` are those of with_places, which counts through `names`."""
        arrays = {"images": self.images.permute(0, 2, 3, 1).contiguous().numpy(),
                  "logits": self.logits.detach().numpy(), "labels": self.labels.numpy().astype("<i4")}
        for what in ("gradient", "direction", "product"):
            tensors = {**running_statistics(self.module), **dict(zip(self.names, getattr(self, what)))}
            values = flat(tensors, names)
            arrays.update({f"{what}.{name}": values[index] for name, index in places.items()
                           if ".running_" not in name})
        return arrays


def smooth_reference(module, image, count, seed):
    """The first of these that is smooth."""
    for attempt in range(20):
        reference = Reference(module, image, count, seed + 1000 * attempt)
        if reference.is_smooth():
            return reference
    raise AssertionError("of twenty draws of images all lie at a kink")


class Exports(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.output = os.path.join(self.folder.name, "net.safetensors")

    def compare(self, make, image, seed, exported=False, count=2):
        """Exports a module with random weights and compares what its graph computes; returns the graph."""
        torch.manual_seed(seed)
        module = randomise(make(), image, seed)
        numbered, names = with_places(module)
        graph, tensors, _ = graph_of(numbered, image, "net")
        places = {name: tensor.detach().numpy().astype(numpy.int64) for name, tensor in tensors.items()}
        if exported:
            export_torch.export(module, image, self.output, name="net", train=TRAIN)
        else:
            values = flat(module.state_dict(), names)
            write_checkpoint(self.output, {name: values[index] for name, index in places.items()}, {"graph": graph},
                             {"mean": [0.0] * image[2], "std": [1.0] * image[2]}, "")
        expected = os.path.join(self.folder.name, "expected.safetensors")
        write_safetensors(expected, smooth_reference(module, image, count, seed).arrays(names, places), {})
        done = subprocess.run([TRAIN, "--evaluate", self.output, "--compare", expected], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = re.findall(r"^(.+) differ by (\S+) in f64, (\S+) in f32, of the largest$", done.stdout, re.M)
        self.assertEqual([what for what, *_ in found], list(TOLERANCES), done.stdout)
        if REPORT:
            print(f"{self.id().split('.test_')[-1]} | " + " | ".join(" ".join(pair) for _, *pair in found))
        for what, *differences in found:
            for difference, tolerance in zip(differences, TOLERANCES[what]):
                self.assertLessEqual(float(difference), tolerance, done.stdout)

    def compare_all(self, make, image, **more):
        for seed in (1, 2, 3) if EVERY else (1,):
            with self.subTest(seed=seed):
                self.compare(make, image, seed, **more)


class Architectures(Exports):
    """A test for each architecture, by its name."""


class Operations(Exports):
    """A test for each operation, by its name."""


class Refusals(Exports):
    """A test for each module that has to be refused."""


class CommandLine(Exports):
    """The program as a user calls it, in this process: PyTorch starts slowly."""

    PROGRAM = """
import torch
from torch import nn

def lazy():
    return nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5))

class Net(nn.Sequential):
    def __init__(self, classes=10):
        super().__init__(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(4, classes))

class Broken(nn.Module):
    def forward(self, x):
        return x.mean((2, 3)) + missing

def net():
    return Net(3)

weights = torch.zeros(3)
"""

    def setUp(self):
        super().setUp()
        self.program = os.path.join(self.folder.name, "net.py")
        with open(self.program, "w", encoding="utf-8") as file:
            file.write(self.PROGRAM)

    def call(self, *arguments):
        """The exit status, what is printed, and the message of an error."""
        printed = io.StringIO()
        with unittest.mock.patch.object(sys, "argv", ["export_torch.py", *arguments, "--train", TRAIN]):
            with contextlib.redirect_stdout(printed):
                try:
                    export_torch.main()
                except SystemExit as exit_:
                    return 1, printed.getvalue(), exit_.code
        return 0, printed.getvalue(), ""

    def assert_refused(self, words, module, *options):
        before = sorted(os.listdir(self.folder.name))
        status, printed, error = self.call(os.path.join(self.folder.name, module), *options, "-o", self.output)
        self.assertEqual((status, printed), (1, ""))
        self.assertIn(words, error)
        self.assertNotIn("\n", error)
        self.assertEqual(sorted(os.listdir(self.folder.name)), before)

    def checkpoint(self):
        with open(self.output, "rb") as file:
            data = file.read()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8:8 + length])
        return header.pop("__metadata__"), {
            name: numpy.frombuffer(data[8 + length:][slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
            for name, entry in header.items()}

    def test_a_program_and_its_weights(self):
        sys.path.insert(0, self.folder.name)
        self.addCleanup(sys.path.remove, self.folder.name)
        import net
        self.addCleanup(sys.modules.pop, "net")
        module = randomise(net.Net(classes=7), (9, 8, 3), 3)
        state = module.state_dict()
        wrapped = {"epoch": 3, "state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}
        weights = os.path.join(self.folder.name, "net.pth")
        torch.save(wrapped, weights)
        status, printed, error = self.call(f"{self.program}:Net(classes=7)", "--weights", weights, "--image", "9,8,3",
                                           "--normalisation", "kuangliu", "--name", "mine", "-o", self.output)
        self.assertEqual((status, error), (0, ""))
        self.assertIn("mine, 5 nodes, 155 parameters, images 9x8x3", printed)
        metadata, tensors = self.checkpoint()
        self.assertEqual(set(tensors), {name for name in state if not name.endswith("num_batches_tracked")})
        for name, tensor in tensors.items():
            numpy.testing.assert_array_equal(tensor, state[name].numpy())
        graph = json.loads(metadata["model"])["graph"]
        self.assertEqual((graph["name"], graph["image"]), ("mine", [9, 8, 3]))
        self.assertEqual([node["name"] for node in graph["nodes"]][:3], ["0", "1", "2"])
        self.assertEqual(json.loads(metadata["normalisation"])["mean"], [0.4914, 0.4822, 0.4465])

    def test_without_weights(self):
        status, printed, error = self.call(f"{self.program}:net()", "--normalisation", "none", "-o", self.output)
        self.assertEqual((status, error), (0, ""))
        self.assertIn("Net, 5 nodes", printed)

    def test_a_module_that_has_no_sizes_yet(self):
        status, printed, error = self.call(f"{self.program}:lazy()", "--image", "6,5,2", "--normalisation", "none", "-o",
                                           self.output)
        self.assertEqual((status, error), (0, ""))
        self.assertIn("3 nodes, 321 parameters", printed)

    def test_wrong_input(self):
        other = os.path.join(self.folder.name, "other.pth")
        torch.save({"0.weight": torch.zeros(4, 3, 3, 3), "head": torch.zeros(1)}, other)
        with open(os.path.join(self.folder.name, "broken.py"), "w", encoding="utf-8") as file:
            file.write("def net(:")
        normalised = ["--normalisation", "none"]
        for words, module, *options in [
                ("which normalisation", "net.py:net()"),
                ("there is no such file", "nosuch.py:net()", *normalised),
                ("write the program's file", "net.py", *normalised),
                ("write the program's file", "net:net()", *normalised),
                ("SyntaxError", "broken.py:net()", *normalised),
                ("NameError", "net.py:nosuch()", *normalised),
                ("TypeError", "net.py:Net(colours=3)", *normalised),
                ("makes a function, not a module", "net.py:net", *normalised),
                ("makes a type, not a module", "net.py:Net", *normalised),
                ("makes a Tensor, not a module", "net.py:weights", *normalised),
                ("height,width,channels", "net.py:net()", "--image", "32", *normalised),
                ("height,width,channels", "net.py:net()", "--image", "32,32,x", *normalised),
                ("height,width,channels", "net.py:net()", "--image", "0,32,3", *normalised),
                ("lacks 0.bias, 1.weight, 1.bias ... and has head", "net.py:net()", "--weights", other, *normalised),
                ("No such file", "net.py:net()", "--weights", "nosuch.pth", *normalised)]:
            with self.subTest(words=words, module=module):
                self.assert_refused(words, module, *options)

    NEIGHBOUR = """
from torch import nn
norm = nn.BatchNorm2d
"""
    AS_IT_IS = """
import argparse
import torch
from torch import nn
from ..layers import norm

args = argparse.ArgumentParser()
args.add_argument("--width", type=int, default=4)
args = args.parse_args()

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(3, args.width, 3), norm(args.width).cuda(), nn.Linear(6, 5)

    def forward(self, x):
        x = self.norm(self.conv(x)).tanh()
        x = torch.cat([x, torch.cuda.FloatTensor(x.size(0), 2, *x.shape[2:]).fill_(0)], 1)
        return {"features": x, "logits": self.fc(x.cuda().mean((2, 3))).float()}

class Compiled(torch.jit.ScriptModule):
    @torch.jit.script_method
    def forward(self, x):
        return x.mean((2, 3))
"""

    @unittest.skipIf(torch.cuda.is_available(), "there is a GPU")
    def test_a_program_of_a_package_that_reads_a_command_line_and_asks_for_a_gpu(self):
        os.makedirs(os.path.join(self.folder.name, "package", "nets"))
        for name, text in (("layers.py", self.NEIGHBOUR), ("nets/as_it_is.py", self.AS_IT_IS)):
            with open(os.path.join(self.folder.name, "package", name), "w", encoding="utf-8") as file:
                file.write(text)
        program = os.path.join(self.folder.name, "package", "nets", "as_it_is.py")
        options = ["--image", "8,7,3", "--normalisation", "none", "-o", self.output]
        status, printed, error = self.call(f"{program}:Net()", *options)
        self.assertEqual((status, error), (0, ""))
        self.assertIn("of the dictionary that the module returns, 'logits' is taken", printed)
        status, _, error = self.call(f"{program}:nn.Sequential(Compiled(), nn.Linear(3, 5))", *options)
        self.assertEqual(status, 1)
        self.assertIn("'0' is compiled by torch.jit", error)

    def test_modules_that_fail(self):
        for words, module, *options in [("3 channels", "net.py:net()", "--image", "32,32,1"),
                                        ("'missing' is not defined", "net.py:Broken()")]:
            with self.subTest(words=words, module=module):
                self.assert_refused(words, module, *options, "--normalisation", "none")


def name_of_test(name):
    return "test_" + re.sub(r"\W+", "_", name).strip("_")


def enter(group, name, test):
    assert not hasattr(group, name_of_test(name)), name
    setattr(group, name_of_test(name), test)


for _name, (_make, _image) in ARCHITECTURES.items():
    def architecture(self, make=_make, image=_image):
        self.compare_all(make, image, exported=True, count=4 if EVERY else 2)
    enter(Architectures, _name, architecture)

for _name, (_make, _image) in OPERATIONS.items():
    def operation(self, make=_make, image=_image):
        self.compare_all(make, image)
    enter(Operations, _name, operation)

for _name, (_make, _image, _words) in REFUSED.items():
    def refusal(self, make=_make, image=_image, words=_words):
        with self.assertRaises((ExportFailure, ImportFailure)) as raised:
            export_torch.export(make(), image, self.output, train=TRAIN)
        self.assertIn(words, str(raised.exception))
        self.assertNotIn("\n", str(raised.exception))
        self.assertNotRegex(str(raised.exception), r"torch_\w+\.py")  # the line is the user's
        self.assertEqual(os.listdir(self.folder.name), [])
    enter(Refusals, _name, refusal)


if __name__ == "__main__":
    if not TRAIN:
        sys.exit("usage: test_export_torch.py TRAIN [TEST...]: the path of the program train")
    unittest.main()
