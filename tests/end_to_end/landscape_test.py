"""What the tests of `landscape` share: two small networks, and the commands that map them."""

import os
import re
import shutil
import tempfile

import programs
from programs import TINY_NET, EndToEndTest, planes, run


class LandscapeTest(EndToEndTest):
    """Two networks of one kind: a.safetensors and b.safetensors."""

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix="topograd_models_")
        cls.addClassCleanup(shutil.rmtree, cls.shared)
        for seed, name in enumerate(["a", "b"]):
            done = run([programs.train] + TINY_NET + ["--data", programs.images, "--epochs", "2",
                       "--batch-size", "50", "--output", name, "--seed", seed], cls.shared)
            assert done.returncode == 0, done.stderr

    def setUp(self):
        super().setUp()
        for name in ("a", "b"):
            shutil.copyfile(os.path.join(self.shared, name, "model.safetensors"),
                            self.path(f"{name}.safetensors"))

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
        """(loss, accuracy) as `train --evaluate` prints them."""
        return self.evaluate_on(programs.images, model, *more)

    def evaluate_on(self, data, model, *more):
        printed = self.run_ok([programs.train, "--evaluate", model, "--data", data, *more])
        found = re.search(r"loss (\S+) .*error (\S+) %", printed)
        return float(found.group(1)), 100 - float(found.group(2))
