#!/usr/bin/env python3
"""Networks that are none of the zoo: graphs in files, trained and mapped."""

import json

import programs
from programs import EndToEndTest, run

CONV = {"name": "conv1", "op": "conv2d", "inputs": ["input"], "filters": 4, "kernel": 3, "stride": 2}
GRAPH = {"format": "topograd-graph-1", "name": "small", "image": [12, 12, 3], "nodes": [
    CONV, {"name": "relu1", "op": "relu", "inputs": ["conv1"]},
    {"name": "again", "op": "conv2d", "inputs": ["relu1"], "filters": 4, "kernel": 3, "padding": 1},
    {"name": "pool1", "op": "max_pool", "inputs": ["again"]},
    {"name": "fc", "op": "linear", "inputs": ["pool1"], "outputs": 10}]}
DATA = ["--data", "synthetic", "--train-images", "100", "--test-images", "50"]


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
        self.assertEqual(self.read("run/model.safetensors", "rb")[-200:], self.read("same/model.safetensors", "rb")[-200:])

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
