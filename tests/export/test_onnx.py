#!/usr/bin/python3
"""apps/export_torch.py on ONNX files: PyTorch's own of the architectures, held against the modules that they are of,
and files written byte by byte as other programs write them (onnx_files.py, onnx_operators.py), held against formulas.

    tests/export/test_onnx.py build/bin/train [Architectures.test_densenet ...]

A push sees some architectures in one form each; TOPOGRAD_TEST_EVERY_EXPORT=1 all of them in every form, and each
operation alone. Exit status 77: skipped, PyTorch or protobuf is missing."""

import contextlib
import copy
import io
import json
import os
import random
import sys
import tempfile
import unittest
import unittest.mock
import warnings

from export_test import EVERY, REPORT, program_on_the_command_line, require  # first: it finds the rest

require("google.protobuf", "python3-protobuf")
import torch  # noqa: E402

import export_torch  # noqa: E402
import onnx_files  # noqa: E402, F401, as onnx_operators: they enter what they have
import onnx_operators  # noqa: E402, F401
from architectures import ARCHITECTURES  # noqa: E402
from exporter.onnx_module import OnnxModule  # noqa: E402
from onnx_net import FILES  # noqa: E402
from onnx_refused import REFUSED  # noqa: E402
from operations import OPERATIONS  # noqa: E402
from probes import randomise  # noqa: E402
from exporter.torch_checkpoint import ImportFailure  # noqa: E402
from exporter.torch_graph import AsItsGraph, ExportFailure, graph_of  # noqa: E402

TRAIN = program_on_the_command_line()
warnings.simplefilter("ignore")

# How torch.onnx.export is called: version of the operators, mode, whether the batch is a symbol, whether constants are
# folded. In EVAL mode BatchNorms are folded into the convolutions in single precision.
MODES = torch.onnx.TrainingMode
FORMS = {"preserved": (17, MODES.PRESERVE, True, False), "old": (9, MODES.EVAL, False, True),
         "fixed": (13, MODES.PRESERVE, False, True), "evaluated": (11, MODES.EVAL, True, True),
         "training": (14, MODES.TRAINING, True, False), "old preserved": (10, MODES.PRESERVE, False, False)}
SOME = {"convnext": "preserved", "efficientnet_same": "old", "gmlp": "fixed", "mnist_example": "evaluated",
        "mobilenet_v3_hard": "old preserved", "perceptron": "preserved", "resnet": "training",
        "resnet_group_norm": "fixed", "shufflenet_v2": "evaluated", "unet_bilinear": "preserved"}
# PyTorch 1.13 exports these in no form: adaptive pools of uneven windows, a shape as a kernel, padding='same'.
NEVER_EXPORTED = {"alexnet_not_square", "wide_resnet_option_a", "convmixer"}
# What PyTorch 1.13 writes is not what these compute: a threshold is left out, windows are too many. And a sequence.
EXPORTED_OTHERWISE = {"activation: Softplus(2, 0.5)", "average pool: ceil_mode that begins no window in the padding",
                      "parts: tensor_split"}


def in_double(module):
    return copy.deepcopy(module).double().eval()


class OnnxTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, "net.onnx")
        self.output = os.path.join(self.folder.name, "net.safetensors")

    def difference(self, module, expected, count=3):
        """Of logits of random images, as a part of the largest."""
        height, width, channels = module.image
        images = torch.randn(count, channels, height, width, dtype=torch.float64)
        with torch.no_grad(), AsItsGraph():
            made, wanted = in_double(module)(images), expected(images)
        self.assertEqual(made.shape, wanted.shape)
        return float((made - wanted).abs().max() / wanted.abs().max())

    def written_by_pytorch(self, module, image, form):
        """Writes the file; returns whether PyTorch could."""
        opset, mode, symbol, folded = FORMS[form]
        module.train(mode == MODES.TRAINING)
        try:
            torch.onnx.export(module, torch.randn(1, image[2], image[0], image[1]), self.file, opset_version=opset,
                              training=mode, do_constant_folding=folded, input_names=["images"],
                              dynamic_axes={"images": {0: "N"}} if symbol else None)
        except Exception:  # PyTorch's, of many kinds
            return False
        finally:
            module.eval()
        return True

    def compare(self, make, image, form, tolerance=1e-13):
        """Whether the file could be written; if so, what it computes has to be what the module does."""
        torch.manual_seed(1)
        module = randomise(make(), image, 1).eval()
        if not self.written_by_pytorch(module, image, form):
            return False
        read = OnnxModule(self.file)
        difference = self.difference(read, in_double(module))
        folded = FORMS[form][1] == MODES.EVAL
        if REPORT:
            print(f"{self.id().split('.test_')[-1]} | {form} | {difference:.1e}")
        self.assertLessEqual(difference, 2e-6 if folded else tolerance, form)
        graph, tensors, _ = graph_of(read, image, "net")
        direct_graph, direct, _ = graph_of(module, image, "net")
        if not folded and FORMS[form][3] is False:
            self.assertEqual(set(tensors), set(direct), form)
            for name, tensor in direct.items():
                torch.testing.assert_close(tensors[name].flatten(), tensor.flatten(), rtol=0, atol=0)
            self.assertLessEqual(len(graph["nodes"]), len(direct_graph["nodes"]) + 4)
        return True


class Architectures(OnnxTest):
    """A test for each architecture, by its name."""


class Operations(OnnxTest):
    """A test for each operation, by its name."""


class Files(OnnxTest):
    """A test for each file that is written byte by byte, by its name."""


class Refusals(OnnxTest):
    """A test for each file that has to be refused."""

    def refusal(self, path):
        with self.assertRaises((ImportFailure, ExportFailure)) as raised:
            module = OnnxModule(path)
            export_torch.export(module, module.image, self.output, train=TRAIN)
        self.assertNotIn("\n", str(raised.exception))
        self.assertFalse(os.path.exists(self.output))
        return str(raised.exception)

    def test_files_that_end_early(self):
        FILES["of_tensorflow"](self.folder.name)
        with open(self.file, "rb") as file:
            data = file.read()
        for length in {*range(0, len(data), 37), *range(40)}:
            with open(self.file, "wb") as file:
                file.write(data[:length])
            self.assertIn("net.onnx", self.refusal(self.file))

    def test_damaged_files(self):
        """Any bytes: they are read, or told to be wrong in one line."""
        for name in ("shapes that are computed", "of_tensorflow", "a_branch_that_is_taken"):
            with self.subTest(name):
                FILES[name](self.folder.name)
                self.damage(2000 if EVERY else 80)

    def damage(self, count):
        with open(self.file, "rb") as file:
            data = file.read()
        generator = random.Random(1)
        for _ in range(count):
            damaged = bytearray(data)
            for _ in range(generator.choice((1, 1, 3))):
                damaged[generator.randrange(len(data))] = generator.randrange(256)
            with open(self.file, "wb") as file:
                file.write(damaged)
            try:
                OnnxModule(self.file)
            except ImportFailure as error:
                self.assertNotIn("\n", str(error))

    def test_files_of_other_kinds(self):
        for data in (b"", b"\x89HDF\r\n", b"<html>", b"{}", b"\x08\x08", os.urandom(4096)):
            with open(self.file, "wb") as file:
                file.write(data)
            self.assertIn("is no ONNX file, or a damaged one", self.refusal(self.file))


class CommandLine(OnnxTest):
    """The program as a user calls it, in this process: PyTorch starts slowly."""

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

    def metadata(self):
        with open(self.output, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            return json.loads(file.read(length))["__metadata__"]

    def test_a_file_with_what_it_says(self):
        expected = FILES["of_tensorflow"](self.folder.name)
        status, printed, error = self.call(self.file, "--normalisation", "cifar10", "-o", self.output)
        self.assertEqual((status, error), (0, ""))
        self.assertIn("net, 7 nodes", printed)
        self.assertIn("images 8x6x3", printed)
        self.assertIn("softmax at the end is left out", printed)
        self.assertNotIn("no BatchNorm in the file", printed)
        graph = json.loads(self.metadata()["model"])["graph"]
        self.assertEqual((graph["name"], graph["image"], self.metadata()["source"]), ("net", [8, 6, 3], "net.onnx"))
        self.assertLess(self.difference(OnnxModule(self.file), expected), 1e-13)

    def test_the_size_of_images_and_a_name(self):
        REFUSED["sizes that are symbols"][0](self.folder.name)
        status, printed, error = self.call(self.file, "--normalisation", "none", "--image", "5,7,3", "--name", "mine",
                                           "-o", self.output)
        self.assertEqual((status, error), (0, ""))
        self.assertIn("mine, ", printed)

    def test_what_the_file_leaves_open_is_told(self):
        for name, words in [("folded_batchnorms", "BatchNorms are folded into 1 of 1 convolutions"),
                            ("biases", "no BatchNorm in the file, and 1 of 1 convolutions have biases"),
                            ("weights that are computed", "1 weights are computed from others in the file"),
                            ("equal_tensors_of_an_evaluated_network", "1 tensors are equal to others"),
                            ("a_constant_of_one_number", "1 tensors of one number are taken as constants"),
                            ("a_parameter_of_one_number", "1 tensors of no layer are taken as parameters: factor"),
                            ("divided by a parameter", "the graph's parameter is its inverse"),
                            ("bounds as attributes", None)]:
            with self.subTest(name):
                FILES[name](self.folder.name)
                told = " ".join(OnnxModule(self.file).notes_of_file)
                self.assertIn(words, told) if words else self.assertEqual(told, "")

    def test_momentum_is_the_weight_of_what_is_new(self):
        FILES["batchnorm_in_training_mode"](self.folder.name)  # 0.75 of what was
        module = OnnxModule(self.file)
        nodes = graph_of(module, module.image, "net")[0]["nodes"]
        self.assertEqual([node["momentum"] for node in nodes if node["op"] == "batchnorm"], [0.25])

    def test_what_is_a_parameter(self):
        head = {"head.weight", "head.bias"}
        batchnorm = {"scale", "shift"}
        for name, names in [("equal_tensors_of_an_evaluated_network", {"w", "Identity_2_0", *batchnorm}),
                            ("equal_tensors_of_a_network_in_training", {"w", *batchnorm}),
                            ("a_parameter_of_one_number", {"factor"}), ("a_constant_of_one_number", set()),
                            ("shared_weights_that_are_computed", {"Conv_3.weight", "Conv_4.weight"}),
                            ("weights_as_constants", {"Conv_2.weight"})]:
            with self.subTest(name):
                FILES[name](self.folder.name)
                self.assertEqual({key for key, _ in OnnxModule(self.file).named_parameters()}, head | names)

    def test_wrong_input(self):
        FILES["of_tensorflow"](self.folder.name)
        normalised = ["--normalisation", "none"]
        for words, *options in [("which normalisation",), ("images 32x32x3: its input 'images' takes 8x6x3", "--image",
                                                           "32,32,3", *normalised),
                                ("has weights of its own", "--weights", "net.pth", *normalised),
                                ("2 values", "--mean", "0.5,0.5", "--std", "1")]:
            with self.subTest(words):
                status, printed, error = self.call(self.file, *options, "-o", self.output)
                self.assertEqual((status, printed), (1, ""))
                self.assertIn(words, error)
                self.assertNotIn("\n", error)
                self.assertFalse(os.path.exists(self.output))
        self.assertIn("there is no such file", self.call("nosuch.onnx", *normalised, "-o", self.output)[2])

    def test_without_protobuf(self):
        FILES["of_tensorflow"](self.folder.name)
        with unittest.mock.patch.dict(sys.modules, {"google.protobuf": None}):
            status, _, error = self.call(self.file, "--normalisation", "none", "-o", self.output)
        self.assertEqual(status, 1)
        self.assertIn("install the package python3-protobuf", error)


def enter(group, name, test):
    name = "test_" + "".join(c if c.isalnum() else "_" for c in name)
    while hasattr(group, name):
        name += "_"
    setattr(group, name, test)


for _name, (_make, _image) in ARCHITECTURES.items():
    def architecture(self, name=_name, make=_make, image=_image):
        written = [self.compare(make, image, form) for form in (FORMS if EVERY else [SOME[name]])]
        self.assertEqual(any(written), name not in NEVER_EXPORTED)
    if EVERY or _name in SOME:
        enter(Architectures, _name, architecture)

for _name, (_make, _image) in OPERATIONS.items() if EVERY else ():
    def operation(self, make=_make, image=_image):
        for form in ("preserved", "evaluated"):
            self.compare(make, image, form, 1e-7)  # 0.16666667 is taken for 1 / 6
    if _name not in EXPORTED_OTHERWISE:
        enter(Operations, _name, operation)

for _name, _make in FILES.items():
    def file_of_others(self, make=_make):
        torch.manual_seed(1)
        expected = make(self.folder.name)
        module = OnnxModule(self.file)
        self.assertLessEqual(self.difference(module, expected), 2e-7 if "computed" in self.id() else 1e-13)
        if EVERY or make.__module__ == "onnx_files":  # whole networks
            export_torch.export(module, module.image, self.output, train=TRAIN)
        else:
            graph_of(module, module.image, "net")
    enter(Files, _name, file_of_others)

for _name, (_make, _words) in REFUSED.items():
    def refused(self, make=_make, words=_words):
        make(self.folder.name)
        self.assertIn(words, self.refusal(self.file))
    enter(Refusals, _name, refused)


if __name__ == "__main__":
    if not TRAIN:
        sys.exit("usage: test_onnx.py TRAIN [TEST...]: the path of the program train")
    unittest.main(warnings="ignore")
