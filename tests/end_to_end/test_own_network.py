#!/usr/bin/env python3
"""Networks and data sets of one's own: graphs in files, and arrays of numpy, trained and mapped."""

import array
import itertools
import json
import zipfile

import programs
from programs import EndToEndTest, run

CONV = {"name": "conv1", "op": "conv2d", "inputs": ["input"], "filters": 4, "kernel": 3, "stride": 2}
GRAPH = {"format": "topograd-graph-1", "name": "small", "image": [12, 12, 3], "nodes": [
    CONV, {"name": "relu1", "op": "relu", "inputs": ["conv1"]},
    {"name": "again", "op": "conv2d", "inputs": ["relu1"], "filters": 4, "kernel": 3, "padding": 1},
    {"name": "pool1", "op": "max_pool", "inputs": ["again"]},
    {"name": "fc", "op": "linear", "inputs": ["pool1"], "outputs": 10}]}
DATA = ["--data", "synthetic", "--train-images", "100", "--test-images", "50"]


def npy(values, kind, shape, order=False):
    """A .npy file of numbers of a kind of `array`: "B", "f", "q"."""
    types = {"B": "|u1", "f": "<f4", "d": "<f8", "q": "<i8", "i": "<i4"}
    header = f"{{'descr': '{types[kind]}', 'fortran_order': {order}, 'shape': {tuple(shape)}, }}".ljust(117) + "\n"
    numbers = array.array(kind, values).tobytes()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + numbers


def pixels(count, order):
    """Images of 6x5 pixels and 3 channels whose brightness is their class, as lists of bytes in this order of axes."""
    sizes = {"h": 6, "w": 5, "c": 3}
    values = []
    for n in range(count):
        for place in itertools.product(*(range(sizes[axis]) for axis in order)):
            at = dict(zip(order, place))
            values.append(40 * (n % 4) + 3 * at["h"] + 2 * at["w"] + at["c"])
    return values


class OwnData(EndToEndTest):
    """Data sets as arrays of numpy."""

    def setUp(self):
        super().setUp()
        self.write("net.json", json.dumps({**GRAPH, "image": [6, 5, 3], "nodes": [
            {"name": "fc", "op": "linear", "inputs": ["input"], "outputs": 4}]}).encode())

    def save(self, place, order="hwc", kind="B", scale=1, **changes):
        """Four arrays, in a folder or in an archive."""
        sizes = {"h": 6, "w": 5, "c": 3}
        arrays = {}
        for split, count in (("train", 24), ("test", 8)):
            values = [v if scale == 1 else v * scale for v in pixels(count, order)]
            arrays[f"x_{split}"] = npy(values, kind, [count] + [sizes[axis] for axis in order])
            arrays[f"y_{split}"] = npy([n % 4 for n in range(count)], "q", [count])
        arrays.update(changes)
        if not place.endswith(".npz"):
            for name, contents in arrays.items():
                self.write(f"{place}/{name}.npy", contents)
        else:
            with zipfile.ZipFile(self.path(place), "w", zipfile.ZIP_DEFLATED) as archive:
                for name, contents in arrays.items():
                    if contents is not None:
                        archive.writestr(f"{name}.npy", contents)
        return place

    def train(self, data, output="run", *words):
        return [programs.train, "--model", "net.json", "--data", data, "--epochs", "2", "--batch-size", "8",
                "--no-augment", "--output", output, *words]

    def last_losses(self, data, output, *words):
        done = run(self.train(data, output, *words), self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return self.read(f"{output}/log.csv").splitlines()[-1].split(",")[2:6]

    def test_any_order_of_axes_and_any_container_are_the_same_images(self):
        first = self.last_losses(self.save("folder"), "folder_run")
        self.assertEqual(self.last_losses(self.save("last.npz"), "last_run"), first)
        self.assertEqual(self.last_losses(self.save("first.npz", "chw"), "first_run"), first)

    def test_numbers_are_taken_as_they_are(self):
        bytes_ = self.last_losses(self.save("bytes.npz"), "bytes_run", "--normalisation", "none")
        numbers = self.last_losses(self.save("numbers.npz", kind="f", scale=1 / 255), "numbers_run")
        for a, b in zip(bytes_, numbers):
            self.assertAlmostEqual(float(a), float(b), places=4)
        done = run([programs.landscape, "line", "numbers_run", "--x=-1:1:3", "--no-pictures"], self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_is_wrong_with_arrays_is_one_line(self):
        def refuse(message, **changes):
            self.assert_refused(self.train(self.save("bad.npz", **changes)), f"bad.npz{'' if message.startswith('has') else ':'} {message}")
        refuse("it has neither 'y_test' nor 'test_labels'", y_test=None)
        refuse("'y_test' has to be a label for each of 8 images, [N]", y_test=npy(range(7), "q", [7]))
        refuse("has 1 numbers an image, the model's outputs are 4", y_train=npy([0.5] * 24, "f", [24]))
        refuse("'y_train' has to be a class, [N], or numbers", y_train=npy([0.5] * 24, "f", [24, 1, 1]))
        refuse("'y_train' has the label -1", y_train=npy([-1] * 24, "q", [24]))
        refuse("'x_train' holds numbers that are not finite", kind="f",
               x_train=npy([float("nan")] * 2160, "f", [24, 6, 5, 3]))
        refuse("'x_train' holds whole numbers of type i8", x_train=npy(range(2160), "q", [24, 6, 5, 3]))
        refuse("'x_train' has 2 axes", x_train=npy(range(24), "B", [24, 1]))
        refuse("'x_train' is [N, 3, 5, 3], which leaves open", x_train=npy([1] * 1080, "B", [24, 3, 5, 3]))
        refuse("it is in Fortran's order", x_train=npy([1] * 2160, "B", [24, 6, 5, 3], order=True))
        refuse("it has 100 bytes of numbers, not 2160", x_train=npy([1] * 100, "B", [24, 6, 5, 3]))
        refuse("it is no array of numpy", x_train=b"hello, this is a text")
        with open(self.path("bad.npz"), "r+b") as file:
            file.truncate(300)
        self.assert_refused(self.train("bad.npz"), "bad.npz: it is no ZIP archive, or damaged")


class OwnNetwork(EndToEndTest):
    def graph(self, **changes):
        self.write("net.json", json.dumps({**GRAPH, **changes}).encode())
        return "net.json"

    def train(self, *words):
        return [programs.train, "--model", self.graph(), *DATA, "--epochs", "1", "--output", "run", *words]

    def test_a_graph_is_trained_mapped_and_trained_again(self):
        done = run(self.train(), self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn("small: 422 parameters", done.stdout)
        for words in (["surface", "run", "--x=-1:1:3", "--y=-1:1:3", "--images", "20", "--no-pictures"],
                      ["hessian", "run", "--images", "20", "--largest", "1", "--smallest", "0"]):
            done = run([programs.landscape, *words], self.folder)
            self.assertEqual(done.returncode, 0, done.stderr)
        done = run([programs.train, "--model", "run/model.safetensors", *DATA, "--epochs", "1", "--output", "same"],
                   self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        last = [self.read(f"{name}/model.safetensors", "rb")[-200:] for name in ("run", "same")]
        self.assertEqual(*last)

    def test_the_zoo_s_networks_can_be_printed_and_are_the_same(self):
        for name in ("lenet", "mlp2"):
            printed = run([programs.train, "--print-model", "--model", name], self.folder)
            self.assertEqual((printed.returncode, printed.stderr), (0, ""))
            graph = json.loads(printed.stdout)
            self.assertEqual((graph["format"], graph["name"]), ("topograd-graph-1", name))
            self.write(f"{name}.json", printed.stdout.encode())
            for model, output in ((name, "zoo"), (f"{name}.json", "file")):
                done = run([programs.train, "--model", model, *DATA, "--epochs", "1", "--output", f"{output}_{name}"],
                           self.folder)
                self.assertEqual(done.returncode, 0, done.stderr)
            log = [self.read(f"{output}_{name}/log.csv").splitlines()[-1].split(",")[1:5]
                   for output in ("zoo", "file")]
            self.assertEqual(*log)

    def test_what_is_wrong_with_a_graph_is_one_line(self):
        def refuse(message, **changes):
            words = [programs.train, "--model", self.graph(**changes), *DATA, "--output", "run"]
            self.assert_refused(words, f"net.json: {message}")
        refuse("node 'conv1': unknown operation 'attention'", nodes=[{**CONV, "op": "attention"}])
        refuse("a network's output is one vector of logits", nodes=[CONV])
        refuse("its format is \"2\"", format="2")
        self.write("net.json", b"{")
        self.assert_refused([programs.train, "--model", "net.json", *DATA, "--output", "run"], "net.json: ")
        self.assert_refused([programs.train, "--model", "gone.json", *DATA, "--output", "run"], "gone.json is missing")

    def test_options_of_the_zoo_are_refused(self):
        self.assert_refused(self.train("--width", "3"), "--width is for the networks of --list-models")

    def test_data_that_do_not_fit(self):
        self.assert_refused(self.train("--image-size", "16"), "16x16x3", "the model takes 12x12x3")
        nodes = GRAPH["nodes"][:-1] + [{**GRAPH["nodes"][-1], "outputs": 7}]
        self.assert_refused([programs.train, "--model", self.graph(nodes=nodes), *DATA, "--output", "run"],
                            "10 classes, the model 7")


if __name__ == "__main__":
    programs.main()
