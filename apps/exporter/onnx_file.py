"""ONNX files as nodes, names and arrays of NumPy's: what onnx_module.py runs. Part of export_torch.py.

An ONNX file is a message of Google's protobuf. The fields that are needed of it stand below, with their numbers from
the public onnx.proto, so that neither protoc nor the package onnx is needed: python3-protobuf reads the bytes. Nothing
in a file runs, and no number in it is believed before it is held against the bytes that are there.
"""

import heapq
import os
import re
import warnings

import numpy

from .torch_checkpoint import ImportFailure

# Of each message the fields: number, and kind. A kind in capitals is another message; a star says that there may be
# several. Texts are read as bytes, which need not be UTF-8.
FIELDS = {
    "MODEL": {"ir_version": (1, "int64"), "producer_name": (2, "bytes"), "graph": (7, "GRAPH"),
              "opset_import": (8, "OPSET*"), "functions": (25, "FUNCTION*")},
    "OPSET": {"domain": (1, "bytes"), "version": (2, "int64")},
    "FUNCTION": {"name": (1, "bytes"), "domain": (10, "bytes")},
    "GRAPH": {"node": (1, "NODE*"), "name": (2, "bytes"), "initializer": (5, "TENSOR*"), "input": (11, "VALUE*"),
              "output": (12, "VALUE*"), "sparse_initializer": (15, "SPARSE*")},
    "NODE": {"input": (1, "bytes*"), "output": (2, "bytes*"), "name": (3, "bytes"), "op_type": (4, "bytes"),
             "attribute": (5, "ATTRIBUTE*"), "domain": (7, "bytes")},
    "ATTRIBUTE": {"name": (1, "bytes"), "f": (2, "float"), "i": (3, "int64"), "s": (4, "bytes"), "t": (5, "TENSOR"),
                  "g": (6, "GRAPH"), "floats": (7, "float*"), "ints": (8, "int64*"), "strings": (9, "bytes*"),
                  "type": (20, "int32")},
    "TENSOR": {"dims": (1, "int64*"), "data_type": (2, "int32"), "float_data": (4, "float*"),
               "int32_data": (5, "int32*"), "int64_data": (7, "int64*"), "name": (8, "bytes"), "raw_data": (9, "bytes"),
               "double_data": (10, "double*"), "uint64_data": (11, "uint64*"), "external_data": (13, "ENTRY*"),
               "data_location": (14, "int32")},
    "SPARSE": {},
    "ENTRY": {"key": (1, "bytes"), "value": (2, "bytes")},
    "VALUE": {"name": (1, "bytes"), "type": (2, "TYPE")},
    "TYPE": {"tensor_type": (1, "TENSORTYPE")},
    "TENSORTYPE": {"elem_type": (1, "int32"), "shape": (2, "SHAPE")},
    "SHAPE": {"dim": (1, "DIMENSION*")},
    "DIMENSION": {"dim_value": (1, "int64"), "dim_param": (2, "bytes")},
}

FLOAT, BFLOAT16 = 1, 16
# Of each kind of numbers: NumPy's, and the field that may hold them instead of raw_data.
NUMBERS = {1: ("<f4", "float_data"), 2: ("|u1", "int32_data"), 3: ("|i1", "int32_data"), 4: ("<u2", "int32_data"),
           5: ("<i2", "int32_data"), 6: ("<i4", "int32_data"), 7: ("<i8", "int64_data"), 9: ("|u1", "int32_data"),
           10: ("<f2", "int32_data"), 11: ("<f8", "double_data"), 12: ("<u4", "uint64_data"),
           13: ("<u8", "uint64_data"), BFLOAT16: ("<u2", "int32_data")}
KINDS = {1: "float", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool",
         10: "float16", 11: "double", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
         17: "float8", 18: "float8", 19: "float8", 20: "float8", 21: "uint4", 22: "int4", 23: "float4"}
FLOATING = (1, 10, 11, BFLOAT16)


def schema():
    """The class of protobuf that reads a model, and its error."""
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise ImportFailure(f"Google's protobuf is missing ({error}), which reads ONNX files: install the package "
                            "python3-protobuf and run this with /usr/bin/python3") from error
    file = descriptor_pb2.FileDescriptorProto(name="onnx_file.proto", package="onnx_file", syntax="proto2")
    field_types = descriptor_pb2.FieldDescriptorProto
    for message, fields in FIELDS.items():
        described = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            field = described.field.add(name=name, number=number)
            field.label = field_types.LABEL_REPEATED if kind.endswith("*") else field_types.LABEL_OPTIONAL
            kind = kind.rstrip("*")
            if kind.isupper():
                field.type, field.type_name = field_types.TYPE_MESSAGE, f".onnx_file.{kind}"
            else:
                field.type = getattr(field_types, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    model = pool.FindMessageTypeByName("onnx_file.MODEL")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(model), DecodeError
    return message_factory.MessageFactory(pool).GetPrototype(model), DecodeError  # before protobuf 4.22


def text(data):
    """A name as one line that can be printed."""
    return "".join(c if c.isprintable() else "_" for c in data.decode("utf-8", "replace"))


class Node:
    """A call of an operator: its name, which is the node's own, names of values, and attributes by their names:
    numbers, texts, lists of them, arrays, graphs."""

    def __init__(self, name, op, inputs, outputs, attributes):
        self.name, self.op, self.inputs, self.outputs, self.attributes = name, op, inputs, outputs, attributes

    def reads(self):
        """Names that it reads, and that its graphs read from outside of themselves."""
        names = [name for name in self.inputs if name]
        for graph in self.graphs():
            made = {*graph.initializers, *(output for node in graph.nodes for output in node.outputs)}
            read = [name for node in graph.nodes for name in node.reads()] + [name for name, *_ in graph.outputs]
            names += [name for name in read if name not in made]
        return names

    def graphs(self):
        return [value for value in self.attributes.values() if isinstance(value, Graph)]


class Graph:
    """Nodes in an order in which they can run; inputs and outputs as triples of name, kind of numbers, and extents,
    each a number or None; arrays by name."""

    def __init__(self, nodes, inputs, outputs, initializers):
        self.nodes, self.inputs, self.outputs, self.initializers = nodes, inputs, outputs, initializers


def every_node(nodes):
    """These nodes and those of their graphs."""
    for node in nodes:
        yield node
        for graph in node.graphs():
            yield from every_node(graph.nodes)


class Reader:
    """Makes Graphs of messages."""

    def __init__(self, path):
        self.path, self.folder = path, os.path.dirname(os.path.realpath(path))
        self.names, self.counts = set(), {}
        self.made = set()  # names of values
        self.functions = set()

    def failure(self, told):
        return ImportFailure(f"{self.path}: {told}")

    def graph(self, message, outside=frozenset()):
        if message.sparse_initializer:
            raise self.failure("it has sparse initializers: dense ones alone are read")
        initializers = {}
        for tensor in message.initializer:
            name = text(tensor.name)
            self.enter(name, "an initializer")
            initializers[name] = self.array(tensor, f"the initializer '{name}'")
        inputs = [self.value(value) for value in message.input]
        for name, *_ in inputs:
            if name not in initializers:
                self.enter(name, "an input")
        outputs = [self.value(value) for value in message.output]
        known = {*outside, *initializers, *(name for name, *_ in inputs)}
        made = [text(name) for node in message.node for name in node.output if name]
        nodes = [self.node(node, {*known, *made}) for node in message.node]
        return Graph(self.ordered(nodes, known), inputs, outputs, initializers)

    def enter(self, name, what):
        if name in self.made:
            raise self.failure(f"the name '{name}' of {what} is another value's, too")
        self.made.add(name)

    def value(self, message):
        kind = message.type.tensor_type
        extents = None
        if kind.HasField("shape"):
            extents = [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in kind.shape.dim]
        return text(message.name), kind.elem_type, extents

    def node(self, message, known):
        op, domain = text(message.op_type), text(message.domain)
        count = self.counts[op] = self.counts.get(op, -1) + 1
        name = text(message.name) or f"{op}_{count}"
        while name in self.names:
            name += "_"
        self.names.add(name)
        if (domain, op) in self.functions:
            raise self.failure(f"the node '{name}' calls the function {op}, which the file defines: write it without "
                               "functions (onnx.inliner.inline_local_functions)")
        if domain not in ("", "ai.onnx"):
            op = f"{domain}.{op}"
        outputs = [text(output) for output in message.output]
        for output in outputs:
            if output:
                self.enter(output, f"the node '{name}'")
        attributes = {text(a.name): self.attribute(a, name, known) for a in message.attribute}
        return Node(name, op, [text(i) for i in message.input], outputs, attributes)

    def attribute(self, message, node, known):
        kind = message.type or next((number for number, field in ((1, "f"), (2, "i"), (3, "s"), (4, "t"), (5, "g"))
                                     if message.HasField(field)), 0)
        if kind in (0, 6, 7, 8):  # before the type was written
            kind = kind or (6 if message.floats else 8 if message.strings else 7)
            return {6: [decimal(f) for f in message.floats], 7: list(message.ints),
                    8: [text(s) for s in message.strings]}[kind]
        if kind == 1:
            return decimal(message.f)
        if kind == 2:
            return message.i
        if kind == 3:
            return text(message.s)
        if kind == 4:
            return self.array(message.t, f"the attribute '{text(message.name)}' of '{node}'")
        if kind == 5:
            return self.graph(message.g, known)
        raise self.failure(f"the attribute '{text(message.name)}' of the node '{node}' is of a kind that is not read")

    def array(self, message, what):
        """A tensor's numbers: its extents and its data have to agree."""
        if message.data_type not in NUMBERS:
            raise self.failure(f"{what} is of the kind {KINDS.get(message.data_type, message.data_type)}: numbers of 8 "
                               "to 64 bits alone are read")
        kind, field = NUMBERS[message.data_type]
        kind = numpy.dtype(kind)
        count = 1
        for extent in message.dims:
            if extent < 0:
                raise self.failure(f"{what} has the extent {extent}")
            count *= extent
        if message.data_location == 1:
            data = self.external(message, what, count * kind.itemsize)
            values = numpy.frombuffer(data, kind)
        elif message.HasField("raw_data"):
            if len(message.raw_data) != count * kind.itemsize:
                raise self.failure(f"{what} has {len(message.raw_data)} bytes, its extents {list(message.dims)} are "
                                   f"{count * kind.itemsize}: a damaged file")
            values = numpy.frombuffer(message.raw_data, kind)
        else:
            listed = getattr(message, field)
            if len(listed) != count:
                raise self.failure(f"{what} has {len(listed)} numbers, its extents {list(message.dims)} are {count}: a "
                                   "damaged file")
            if message.data_type in (10, BFLOAT16):  # the bits of each, as a number
                values = numpy.array(listed, "<i4").astype("<u2").view(kind)
            else:
                values = numpy.array(listed, kind if field != "int32_data" else "<i4").astype(kind)
        if message.data_type == BFLOAT16:
            values = (values.astype("<u4") << 16).view("<f4")
        if message.data_type == 9:
            values = values != 0
        return values.reshape(list(message.dims))

    def external(self, message, what, size):
        """Bytes of another file, which has to lie in this file's folder."""
        entries = {text(entry.key): text(entry.value) for entry in message.external_data}
        location = entries.get("location", "")
        where = os.path.realpath(os.path.join(self.folder, location))
        if not location or os.path.isabs(location) or ".." in re.split(r"[/\\]", location) or not where.startswith(
                os.path.join(self.folder, "")):
            raise self.failure(f"{what} lies in '{location}': external data are read from the file's own folder alone")
        numbers = [entries.get("offset", "0"), entries.get("length", str(size))]
        if not all(re.fullmatch(r"\d{1,18}", number) for number in numbers) or int(numbers[1]) != size:
            raise self.failure(f"{what} lies in '{location}' at {numbers[0]}, {numbers[1]} bytes: its extents "
                               f"{list(message.dims)} are {size}")
        if not os.path.isfile(where):
            raise self.failure(f"{what} lies in '{location}', and there is no such file")
        with open(where, "rb") as file:
            if os.fstat(file.fileno()).st_size < int(numbers[0]) + size:
                raise self.failure(f"{what} lies beyond the end of '{location}'")
            file.seek(int(numbers[0]))
            return file.read(size)

    def ordered(self, nodes, known):
        """The nodes, each behind those whose values it reads; as they are where that is their order."""
        maker = {output: place for place, node in enumerate(nodes) for output in node.outputs}
        waits, readers = [set() for _ in nodes], [[] for _ in nodes]
        for place, node in enumerate(nodes):
            for name in node.reads():
                if name in maker:
                    waits[place].add(maker[name])
                elif name not in known:
                    raise self.failure(f"the node '{node.name}' ({node.op}) reads '{name}', which is no initializer, "
                                       "no input and no node's output")
            for before in waits[place]:
                readers[before].append(place)
        ready, result = [place for place, before in enumerate(waits) if not before], []
        while ready:
            place = heapq.heappop(ready)
            result.append(nodes[place])
            for reader in readers[place]:
                waits[reader].discard(place)
                if not waits[reader]:
                    heapq.heappush(ready, reader)
        if len(result) < len(nodes):
            circle = [f"'{node.name}'" for node, before in zip(nodes, waits) if before]
            raise self.failure(f"nodes wait for each other in a circle: {', '.join(circle[:3])}"
                               + " ..." * (len(circle) > 3))
        return result


def decimal(number):
    """The shortest decimal number that is this one in single precision, as which a file has it: 0.01, not
    0.009999999776."""
    return float(str(numpy.float32(number)))


class Model:
    """What a file holds: its graph, the version of the operators, and the program that wrote it."""

    def __init__(self, path):
        model, decode_error = schema()
        message = model()
        if not os.path.isfile(path):
            raise ImportFailure(f"{path}: there is no such file")
        if os.path.getsize(path) >= 1 << 31:
            raise ImportFailure(f"{path} has more than 2 GB: save its weights as external data")
        with open(path, "rb") as file:
            data = file.read()
        try:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                message.ParseFromString(data)
            if told:  # of an end that comes early
                raise ValueError(told[0].message)
        except (decode_error, ValueError, RecursionError) as error:
            raise ImportFailure(f"{path} is no ONNX file, or a damaged one") from error
        if not message.HasField("graph") or not message.graph.node:
            raise ImportFailure(f"{path} is no ONNX file, or a damaged one: it has no nodes")
        versions = [opset.version for opset in message.opset_import if text(opset.domain) in ("", "ai.onnx")]
        if len(versions) != 1 or not 7 <= versions[0] <= 24:
            raise ImportFailure(f"{path} is of the operators' version {versions[0] if versions else 'none'}: those of "
                                "7 to 24 are read (opset_version of torch.onnx.export)")
        self.path, self.opset, self.producer = path, versions[0], text(message.producer_name)
        reader = Reader(path)
        reader.functions = {(text(f.domain), text(f.name)) for f in message.functions}
        self.graph = reader.graph(message.graph)
