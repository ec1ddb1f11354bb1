"""ONNX files written byte by byte, without protobuf: what apps/exporter/onnx_file.py is tested with beside PyTorch's own. The
numbers of the fields are those of the public onnx.proto.
"""

import os
import struct

import numpy

FLOAT, INT32, INT64, BOOL, FLOAT16, DOUBLE, BFLOAT16 = 1, 6, 7, 9, 10, 11, 16
TYPES = {"float32": FLOAT, "int32": INT32, "int64": INT64, "bool": BOOL, "float16": FLOAT16, "float64": DOUBLE,
         "uint8": 2, "int8": 3}


def varint(number):
    number &= (1 << 64) - 1
    data = b""
    while number > 127:
        data, number = data + bytes([number & 127 | 128]), number >> 7
    return data + bytes([number])


def field(number, value):
    """One field: a number, a text, bytes, or a message that is bytes already."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(number, values):
    return b"".join(field(number, value) for value in values)


def tensor(array, name="", form="raw", kind=None, folder=None):
    """A TensorProto. `form`: "raw"; "typed", numbers of their kind; "external", a file in `folder` called as the
    tensor."""
    array = numpy.asarray(array)
    kind = kind or TYPES[str(array.dtype)]
    if kind == BFLOAT16:
        array = (array.astype("<f4").view("<u4") >> 16).astype("<u2")
    data = fields(1, array.shape) + field(2, kind) + field(8, name)
    if form == "raw":
        return data + field(9, array.tobytes())
    if form == "external":
        with open(os.path.join(folder, name), "wb") as file:
            file.write(b"before" + array.tobytes())
        entries = {"location": name, "offset": "6", "length": str(array.nbytes)}
        return data + external(entries)
    flat = array.flatten()
    if kind == FLOAT:
        return data + field(4, struct.pack(f"<{flat.size}f", *flat))
    if kind == DOUBLE:
        return data + field(10, struct.pack(f"<{flat.size}d", *flat))
    if kind == INT64:
        return data + field(7, b"".join(varint(int(v)) for v in flat))
    if kind == FLOAT16:
        flat = flat.view("<u2")
    return data + fields(5, [int(v) for v in flat])  # one by one, not packed


def external(entries):
    return b"".join(field(13, field(1, key) + field(2, value)) for key, value in entries.items()) + field(14, 1)


def attribute(name, value):
    data = field(1, name)
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, Graph):
        return data + field(6, value.message()) + field(20, 5)
    if isinstance(value, numpy.ndarray):
        return data + field(5, tensor(value)) + field(20, 4)
    if isinstance(value, float):
        return data + field(2, value) + field(20, 1)
    if isinstance(value, int):
        return data + field(3, value) + field(20, 2)
    if isinstance(value, str):
        return data + field(4, value) + field(20, 3)
    if value and isinstance(value[0], float):
        return data + fields(7, value) + field(20, 6)
    return data + fields(8, value) + field(20, 7)


def value_info(name, extents, kind=FLOAT):
    """A name of a tensor of these extents, each a number or a symbol; None: of extents that are not told."""
    shape = b"".join(field(1, field(1, e) if isinstance(e, int) else field(2, e)) for e in extents or ())
    return field(1, name) + field(2, field(1, field(1, kind) + (b"" if extents is None else field(2, shape))))


class Graph:
    """Nodes and initializers, in the order in which they are made."""

    def __init__(self, prefix=""):
        self.nodes, self.initializers, self.inputs, self.outputs = [], [], [], []
        self.prefix, self.count = prefix, 0

    def weight(self, name, array, **form):
        self.initializers.append(tensor(array, name, **form))
        return name

    def node(self, op, *inputs, outputs=1, domain="", name=None, **attributes):
        """Appends a node and returns the name of its output, or the names."""
        self.count += 1
        name = f"{self.prefix}{op}_{self.count}" if name is None else name
        made = [f"{self.prefix}{op}_{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(fields(1, inputs) + fields(2, made) + field(3, name) + field(4, op) + field(7, domain)
                          + b"".join(field(5, attribute(key, value)) for key, value in attributes.items()))
        return made[0] if outputs == 1 else made

    def constant(self, array):
        return self.node("Constant", value=numpy.asarray(array))

    def message(self):
        return (fields(1, self.nodes) + field(2, "g") + fields(5, self.initializers) + fields(11, self.inputs)
                + fields(12, self.outputs))

    def model(self, opset=17, producer="by hand", more=b""):
        return (field(1, 8) + field(2, producer) + field(7, self.message())
                + field(8, field(1, "") + field(2, opset)) + more)
