"""What the tests of `train` share: a small training, and what it leaves."""

import csv
import json

import programs
from programs import TINY_NET, EndToEndTest, safetensors

# 8 steps an epoch, and a save after every one of them.
COMMAND = TINY_NET + ["--epochs", "3", "--batch-size", "50", "--save-seconds", "0",
                      "--threads", "1"]
FIRST_LINES = ("resnet8: ", "resumed ")  # printed when the first step begins


class TrainTest(EndToEndTest):
    def command(self, output, *more):
        return [programs.train, "--data", programs.images] + COMMAND + ["--output", output, *more]

    def tensors(self, folder):
        return safetensors(self.path(folder, "model.safetensors"))[1]

    def config(self, folder):
        return json.loads(safetensors(self.path(folder, "model.safetensors"))[0]["config"])

    def log(self, folder):
        """log.csv's rows, without what the clock says."""
        with open(self.path(folder, "log.csv")) as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            del row["images_per_second"], row["seconds"]
        return rows

    def assert_same_run(self, folder, expected):
        self.assertEqual([row["epoch"] for row in self.log(folder)], ["1", "2", "3"])
        self.assertEqual(self.log(folder), self.log(expected))
        self.assertEqual(self.tensors(folder), self.tensors(expected))
