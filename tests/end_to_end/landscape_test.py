"""What the tests of `landscape` share: two small networks, and the commands that map them."""

import re

import programs
from programs import ModelTest, planes


class LandscapeTest(ModelTest):
    """Two networks of one kind: a.safetensors and b.safetensors."""

    MODELS = {"a": ["--seed", "0"], "b": ["--seed", "1"]}

    def surface(self, output, *more):
        return [programs.landscape, "surface", "a.safetensors", "--data", programs.images,
                "--images", "50", "--x=-1:1:5", "--y=-1:1:3", "--no-pictures", "--threads", "1",
                "--output", output, *more]

    def line(self, output, *more):
        return [programs.landscape, "line", "a.safetensors", "--data", programs.images, "--images",
                "50", "--x=0:1:3", "--no-pictures", "--threads", "1", "--output", output, *more]

    def planes(self, name):
        return planes(self.path(name))

    def assert_same_planes(self, one, other):
        self.assertEqual(self.planes(one), self.planes(other))

    def evaluate(self, model, *more):
        """Returns (loss, accuracy) as `train --evaluate` prints them."""
        return self.evaluate_on(programs.images, model, *more)

    def evaluate_on(self, data, model, *more):
        printed = self.run_ok([programs.train, "--evaluate", model, "--data", data, *more])
        found = re.search(r"loss (\S+) .*error (\S+) %", printed)
        return float(found.group(1)), 100 - float(found.group(2))
