"""A network in an ONNX file that is written byte by byte, and the list of all such files.

FILES: names, and for each a function that makes the file in a folder and returns what the logits have to be: a function
of images [N, C, H, W] in double precision.
"""

import os

import numpy
import torch
from torch.nn import functional as F

from onnx_writer import Graph, value_info

CLASSES = 3
FILES = {}


class Net(Graph):
    """A network whose weights are random numbers, and what a file of it is called."""

    def __init__(self, folder, image=(5, 7, 3), batch="N", nhwc=False, opset=17, producer="by hand", dims=None):
        super().__init__()
        self.folder, self.image, self.opset, self.producer = folder, image, opset, producer
        self.functions = b""
        self.generator = numpy.random.default_rng(len(folder) + 7)
        height, width, channels = image
        own = (height, width, channels) if nhwc else (channels, height, width)
        self.inputs.append(value_info("images", [batch, *(own if dims is None else dims)]))
        self.arrays = {}

    def random(self, name, *shape, positive=False, **form):
        """Enters an initializer of random numbers, and returns its name."""
        array = self.generator.standard_normal(shape).astype("<f4")
        array = abs(array) + 0.5 if positive else array
        self.arrays[name] = torch.from_numpy(array.astype("f8"))
        return self.weight(name, array, **form)

    def numbers(self, name, values, kind="<i8"):
        return self.weight(name, numpy.array(values, kind))

    def save(self, output, expected):
        """Writes the file: a linear layer over all elements of `output`, which `expected` computes of images and
        arrays by their names."""
        height, width, channels = self.image
        images = torch.randn(2, channels, height, width, dtype=torch.float64)
        features = expected(images, self.arrays).flatten(1).shape[1]
        self.random("head.weight", CLASSES, features)
        self.random("head.bias", CLASSES)
        flat = self.node("Flatten", output, axis=1)
        self.finish(self.node("Gemm", flat, "head.weight", "head.bias", transB=1))
        arrays = self.arrays
        return lambda x: F.linear(expected(x, arrays).flatten(1), arrays["head.weight"], arrays["head.bias"])

    def finish(self, logits, *more):
        self.outputs += [value_info(name, ["N", CLASSES]) for name in (logits, *more)]
        with open(os.path.join(self.folder, "net.onnx"), "wb") as file:
            file.write(self.model(self.opset, self.producer, self.functions))


def entered(function):
    FILES[function.__name__] = function
    return function


def operator(name, build, expected, **settings):
    """Enters a file of one operator, or of some. `build` gets the network and the images' name."""

    def make(folder):
        net = Net(folder, **settings)
        return net.save(build(net, "images"), expected)

    assert name not in FILES, name
    FILES[name] = make
