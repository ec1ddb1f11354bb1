"""What the tests of `landscape export` share: surfaces of the authors' tools, and readers of the files
that Python has none for."""

import base64
import csv
import json
import struct
import unittest
import xml.etree.ElementTree

import programs
from programs import EndToEndTest

try:
    import h5py
    import numpy
except ImportError:
    h5py = numpy = None

needs_numpy = unittest.skipUnless(numpy, "SKIPPED: python3-numpy and python3-h5py are missing")

X = [-1, -0.3, 0.4, 2]  # not evenly spaced, and not as many as on y
Y = [0.5, 1, 1.5]


def loss_at(x, y):
    """A plane of values that are all different, and linear: a mesh of it has a known volume."""
    return 0.1 + 2 * (x + 1) + 3 * (y - 0.5)


def export(*words):
    return [programs.landscape, "export", *words]


def xml_arrays(path):
    """Returns ({name: numbers}, {tag: attributes}) of a VTK file, read by Python alone."""
    letters = {"Float64": "d", "UInt8": "B", "Int64": "q"}
    found, tags = {}, {}
    for element in xml.etree.ElementTree.parse(path).iter():
        tags.setdefault(element.tag, element.attrib)
        if element.tag == "DataArray" and element.get("format") == "binary":
            data = base64.b64decode(element.text, validate=True)
            size, = struct.unpack("<Q", data[:8])
            assert size == len(data) - 8
            letter = letters[element.get("type")]
            values = struct.unpack(f"<{size // struct.calcsize(letter)}{letter}", data[8:])
            found[element.get("Name")] = list(values)
        elif element.tag == "DataArray":
            codes = [int(code) for code in element.text.split()]
            assert codes[-1] == 0
            found[element.get("Name")] = bytes(codes[:-1]).decode()
    return found, tags


def triangles(path):
    """Returns [(normal, three corners)] of a binary STL."""
    with open(path, "rb") as file:
        data = file.read()
    count, = struct.unpack("<I", data[80:84])
    assert len(data) == 84 + 50 * count
    numbers = [struct.unpack("<12f", data[84 + 50 * i:132 + 50 * i]) for i in range(count)]
    return [(n[:3], (n[3:6], n[6:9], n[9:12])) for n in numbers]


def cross(a, b, c):
    u, v = ([q - p for p, q in zip(a, other)] for other in (b, c))
    return (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])


class ExportTest(EndToEndTest):
    """A test with surfaces as the authors' tools write them."""

    def make_theirs(self, name="theirs.h5", x=X, y=Y, holes=(), scrambled=False):
        """A surface as the authors' tools write it: values go to a flat array in the order of
        numpy.meshgrid(x, y), which they label [x][y]. `scrambled` False: [y][x], as it is read."""
        loss = [loss_at(a, b) for b in y for a in x]
        accuracy = [90 - 5 * i for i in range(len(loss))]
        for place, value in holes:
            loss[place] = value
        shape = (len(x), len(y)) if scrambled else (len(y), len(x))
        with h5py.File(self.path(name), "w") as file:
            file["dir_file"] = "d.h5"
            file["xcoordinates"] = numpy.array(x, float)
            file["ycoordinates"] = numpy.array(y, float)
            file["train_loss"] = numpy.array(loss, float).reshape(shape)
            file["train_acc"] = numpy.array(accuracy, float).reshape(shape)
        return loss

    def json_of(self, name):
        return json.loads(self.read(name))

    def table(self, name):
        with open(self.path(name), newline="") as file:
            return list(csv.DictReader(file))
