#!/usr/bin/env python3
"""Writes what the harnesses begin with: make_corpus.py TRAIN LANDSCAPE FOLDER (needs h5py).

A few small files of every kind into FOLDER/<harness>/: the programs' own results of a network of some hundred
parameters, and images, logs and JSON made by hand. tests/fuzz/corpus holds these, and what was once a fault.
"""
import io
import json
import os
import struct
import subprocess
import sys
import tempfile

import h5py
import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "end_to_end"))
import programs


def segment(marker, contents):
    return bytes([0xFF, marker]) + struct.pack(">H", len(contents) + 2) + contents


def jpeg(components=1, progressive=False, restart=False, subsampled=False):
    """A grey image of 16x16 pixels: every code of one bit is that of the symbol 0, "no change" or "end of block"."""
    parts = [segment(0xDB, bytes([0] + [1] * 64))]
    sampling = [0x22 if subsampled and i == 0 else 0x11 for i in range(components)]
    parts.append(segment(0xC2 if progressive else 0xC0, bytes([8, 0, 16, 0, 16, components])
                         + b"".join(bytes([i + 1, sampling[i], 0]) for i in range(components))))
    for table in (0x00, 0x10):
        parts.append(segment(0xC4, bytes([table, 1] + [0] * 15 + [0])))
    if restart:
        parts.append(segment(0xDD, b"\0\2"))
    blocks = 4 * components if not subsampled else 4 + components - 1
    bits = "0" * (blocks if progressive else 2 * blocks)
    all_components = bytes([components]) + b"".join(bytes([i + 1, 0]) for i in range(components))
    parts.append(segment(0xDA, all_components + bytes([0, 0 if progressive else 63, 0])))
    data = b"\0" * (len(bits) // 8) + bytes([0xFF >> len(bits) % 8])
    parts.append(data[:1] + b"\xff\xd0" + data if restart else data)
    if progressive:
        for component in range(components):
            parts.append(segment(0xDA, bytes([1, component + 1, 0, 1, 63, 0])) + b"\x0f")
    return b"\xff\xd8" + b"".join(parts) + b"\xff\xd9"


def entries(path):
    """The bytes that fuzz_hdf5.cpp makes this HDF5 file of."""
    def named(kind, name):
        return bytes([kind, len(name)]) + name.encode()

    found = []

    def add(name, item):
        if not isinstance(item, h5py.Dataset):
            return
        if item.dtype.kind not in "fiu":
            text = item[()] if item.shape == () else b""
            text = text if isinstance(text, bytes) else str(text).encode()
            found.append(named(3, name) + bytes([min(255, len(text))]) + text[:255])
            return
        values = numpy.asarray(item)[tuple(slice(40) for _ in item.shape)]
        kind = {"float32": 1, "uint8": 2}.get(str(values.dtype), 0)
        values = values.astype(["<f8", "<f4", "u1"][kind])
        found.append(named(kind, name) + bytes([values.ndim, *values.shape]) + values.tobytes())

    with h5py.File(path, "r") as file:
        for name, value in file.attrs.items():
            if isinstance(value, (bytes, str)):
                value = value if isinstance(value, bytes) else value.encode()
                found.append(named(4, name) + bytes([min(255, len(value))]) + value[:255])
            else:
                found.append(named(5, name) + b"\xff" + struct.pack("<d", float(value)))
        file.visititems(add)
    return b"".join(found)


class Corpus:
    def __init__(self, folder):
        self.folder = folder

    def write(self, harness, name, contents):
        os.makedirs(os.path.join(self.folder, harness), exist_ok=True)
        with open(os.path.join(self.folder, harness, name), "wb") as file:
            file.write(contents)

    def copy(self, harness, path, name=None):
        with open(path, "rb") as file:
            self.write(harness, name or os.path.basename(path), file.read())


def without_checksum(path):
    """Removes a result's checksum, which no change of its bytes would get past."""
    with h5py.File(path, "r+") as file:
        del file.attrs["checksum"]


def make_results(run, train, landscape):
    """Lets `run` run the commands; returns the names of the results."""
    programs.write_images("images", {"train": 10, "test": 5})
    data = ["--data", "images"]
    for name, seed in ("a", 0), ("b", 1):
        run(train, "--model", "resnet8", "--width", 1, "--epochs", 3, "--batch-size", 20, *data, "--output", name,
            "--seed", seed, "--checkpoint-every", 1)
    few, quiet = [*data, "--images", 20], ["--threads", 1]
    model, other = "a/model.safetensors", "b/model.safetensors"
    run(landscape, "surface", model, *few, *quiet, "--x=-1:1:3", "--y=-1:1:3",
        "--no-pictures", "--output", "surface.h5")
    run(landscape, "line", model, *few, *quiet, "--x=0:1:3", "--no-pictures", "--output", "line.h5")
    run(landscape, "hessian", model, *few, *quiet, "--largest", 1, "--smallest", 1, "--density", 1,
        "--density-steps", 4, "--trace", 6, "--no-pictures", "--output", "hessian.h5")
    run(landscape, "sharpness", model, *few, *quiet, "--directions", 2, "--trace-products", 6,
        "--reparametrisation-test", "--no-pictures", "--output", "sharpness.h5")
    run(landscape, "coherence", model, *few, *quiet, "--batches", 2, "--batch-size", 5,
        "--no-pictures", "--output", "coherence.h5")
    run(landscape, "connect", model, other, *few, *quiet, "--points", 3, "--align",
        "--no-pictures", "--output", "paths.h5")
    run(landscape, "trajectory", "a", *few, *quiet, "--x=-1:1:3", "--y=-1:1:2", "--no-pictures",
        "--output", "trajectory.h5")
    return [name + ".h5" for name in
            ("surface", "line", "hessian", "sharpness", "coherence", "paths", "trajectory")]


def graph_of_many_operations():
    """A graph's file with most operations and attributes, for images of 8x6x2."""
    nodes = []

    def add(op, *inputs, **attributes):
        nodes.append({"name": f"n{len(nodes)}", "op": op, "inputs": list(inputs), **attributes})
        return nodes[-1]["name"]

    x = add("conv2d", "input", filters=4, kernel=[3, 1], stride=[1, 2], padding=[1, 0], dilation=1, groups=2, bias=True)
    shared = add("conv2d", x, filters=4, kernel=3, padding=1)
    x = add("conv2d", add("leaky_relu", shared, slope=0.2), filters=4, kernel=3, padding=1, parameters_of=shared)
    x = add("batchnorm", x, epsilon=0.001, momentum=0.2, affine=False)
    x = add("dropout", add("softplus", x, beta=2, threshold=3), probability=0.3, unit="image")
    gate = add("sigmoid", add("linear", add("global_average_pool", x), outputs=4, bias=False))
    x = add("subtract", add("multiply", x, gate), x, reversed=True)
    x = add("multiply_parameter", add("add_parameter", x, shape=[4]), shape=[8, 1, 4], initial=0.5)
    x = add("concat", x, add("mean", x, over_channels=True), add("scaled", x, factor=2, constant=-1))
    x = add("zero_pad", add("slice_channels", x, begin=0, end=8), top=1, left=-1)
    x = add("group_norm", add("channel_shuffle", x, groups=2), groups=4)
    x = add("resize_bilinear", add("max_pool", x, kernel=2, ceil_mode=True), height=4, width=4, align_corners=True)
    x = add("conv_transpose2d", x, filters=4, kernel=3, stride=2, padding=1, output_padding=1)
    x = add("rearrange", x, shape=[8, 8, 4], extents=[8, 8, 4], strides=[32, 4, 1], begins=[0, 1, 0], ends=[8, 8, 4])
    x = add("adaptive_average_pool", add("layer_norm", x, over="image"), height=3, width=2)
    add("linear", add("flatten", add("gelu_tanh", x), origin="net.py:12"), outputs=3)
    return {"format": "topograd-graph-1", "name": "many", "image": [8, 6, 2], "nodes": nodes}


def write_arrays(corpus):
    """Arrays in each form of fuzz_arrays.cpp: classes of bytes, of Keras's [N, 1], and numbers."""
    classes = {"x_train": numpy.arange(24, dtype="u1").reshape(2, 2, 2, 3), "y_train": numpy.array([[1], [0]], "i8"),
               "x_test": numpy.arange(12, dtype="u1").reshape(1, 2, 2, 3), "y_test": numpy.array([[1]], "i8")}
    numbers = {"train_images": numpy.ones((2, 1, 3, 3), "f4"), "train_labels": numpy.array([0.5, 2], "f8"),
               "test_images": numpy.zeros((1, 1, 3, 3), "f4"), "test_labels": numpy.array([1.5], "f8")}
    for name, save, chosen in (("stored.npz", numpy.savez, classes), ("packed.npz", numpy.savez_compressed, numbers)):
        file = io.BytesIO()
        save(file, **chosen)
        corpus.write("arrays", name, b"\0" + file.getvalue())
    header, data = {}, b""
    for name, array in numbers.items():
        header[name] = {"dtype": {"f4": "F32", "f8": "F64"}[array.dtype.str[1:]], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    words = json.dumps(header).encode()
    corpus.write("arrays", "numbers.safetensors", b"\1" + struct.pack("<Q", len(words)) + words + data)
    folder = b"\2"
    for name in ("x_train", "y_train", "x_test", "y_test"):
        file = io.BytesIO()
        numpy.save(file, classes[name])
        folder += (b"" if name == "y_test" else struct.pack("<H", len(file.getvalue()))) + file.getvalue()
    corpus.write("arrays", "folder", folder)
    # Nothing, of extents whose product overflows before it is 0.
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({2 ** 40}, {2 ** 40}, 0), }}\n".encode()
    vast = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header
    corpus.write("arrays", "vast_shape", b"\2" + struct.pack("<H", len(vast)) + vast)


def main(train, landscape, folder):
    # Programs go by their bare names, and files by names in the folder of the moment: results keep the command that
    # made them, and what is committed must not depend on where it was made.
    search = os.pathsep.join([os.path.dirname(train), os.path.dirname(landscape), os.environ["PATH"]])
    train, landscape = os.path.basename(train), os.path.basename(landscape)

    def run(*words):
        subprocess.run([str(word) for word in words], env={**os.environ, "PATH": search}, check=True,
                       stdout=subprocess.DEVNULL)

    corpus = Corpus(folder)
    with tempfile.TemporaryDirectory() as made:
        os.chdir(made)
        results = make_results(run, train, landscape)
        run(landscape, "export", "line.h5", "--format", "json")
        corpus.copy("json", "line.json")
        with open("line.json") as file:
            record = json.load(file)
        del record["checksum"]
        corpus.write("result", "line.json", json.dumps(record).encode())
        corpus.copy("result", "surface.h5", "with_checksum.h5")
        for path in results:
            without_checksum(path)
            if os.path.getsize(path) < 16000:  # of the larger ones their entries are enough
                corpus.copy("result", path)
            corpus.write("hdf5", path[:-3], entries(path))
        for harness, path in (("result", "a/log.csv"), ("log", "a/log.csv"), ("checkpoint", "a/model.safetensors"),
                              ("checkpoint", "a/last.safetensors")):
            corpus.copy(harness, path)
        with h5py.File(results[0]) as file:
            recipe = file.attrs["direction_recipe"]
            corpus.write("json", "recipe.json", recipe if isinstance(recipe, bytes) else recipe.encode())
        with h5py.File("old.h5", "w", libver="earliest") as old:  # as the authors' tools write them
            old["xcoordinates"] = old["ycoordinates"] = [-1.0, 0.0, 1.0]
            old["train_loss"] = numpy.arange(9.0).reshape(3, 3)
            old["dir_file"] = b"directions.h5"
        corpus.copy("result", "old.h5")
        for name, version in ("old", "earliest"), ("new", "v108"):
            with h5py.File(f"{name}.h5", "w", libver=version) as file:
                for i, shape in enumerate([(2, 4), (2,), (2, 2), (2,)]):  # of fuzz_directions.cpp's network
                    file[f"xdirection/{i}"] = numpy.ones(shape, "f4")
            corpus.copy("directions", f"{name}.h5")
        os.chdir(folder)
    graph = graph_of_many_operations()
    corpus.write("json", "model_of_graph.json", json.dumps({"graph": graph}).encode())
    corpus.write("json", "graph.json", json.dumps(graph).encode())
    for name, words in {"focal": "focal:1.5:weights=1/1/2.5", "smoothed": "cross_entropy:0.1", "huber": "huber:0.5",
                        "measure": "top5", "reference_tool": "crossentropy:weights=0/1e-3"}.items():
        corpus.write("loss", name, words.encode())
    write_arrays(corpus)
    corpus.write("json", "model.json", b'{"name": "resnet8", "width": 1, "classes": 2, "image_size": 8}')
    for name, image in {"grey.jpg": jpeg(), "colour.jpg": jpeg(3), "subsampled.jpg": jpeg(3, subsampled=True),
                        "progressive.jpg": jpeg(3, progressive=True), "restart.jpg": jpeg(restart=True),
                        "four.jpg": jpeg(4), "small.png": programs.png(5, 4, (1, 2, 3)),
                        "nine_bytes.jpg": bytes.fromhex("ffd8ffc40f0000efd9")}.items():
        corpus.write("image", name, image)
    pixels, labels = bytes(range(8)), bytes([5, 0])
    images = struct.pack(">4I", 0x803, 2, 2, 2) + pixels
    corpus.write("idx", "two_images", struct.pack("<H", len(images)) + images + struct.pack(">2I", 0x801, 2) + labels)
    get = b"GET /1f2e/figure.svg?kind=heat&narrow=1 HTTP/1.1\r\nHost: 127.0.0.1:8642\r\nUser-Agent: x\r\n\r\n"
    for name, request in {"get": b"\xff" + get, "byte_by_byte": b"\0" + get,
                          "head": b"\xff" + get.replace(b"GET", b"HEAD", 1),
                          "post": b"\1POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
                          "two_hosts": b"\xffGET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
                          "no_host": b"\xffGET / HTTP/1.1\r\n\r\n", "other_version": b"\xffGET / HTTP/2.0\r\n\r\n",
                          "pipelined": b"\2" + get + get, "not_http": b"\xff\x16\3\1\2\0"}.items():
        corpus.write("http", name, request)
    grid = bytes([2, 76, 84, 92, 1, 2, 76, 84, 92, 1] + list(range(84, 120)) * 2)
    corpus.write("surface", "line", bytes([2, 76, 84, 92, 1, 0] + [90] * 8))
    corpus.write("surface", "grid", grid)
    corpus.write("relief", "grid", b"\xff" + grid)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*(os.path.abspath(word) for word in sys.argv[1:]))
