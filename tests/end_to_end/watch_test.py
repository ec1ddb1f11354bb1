"""What the tests of `landscape watch` share: files in the making, and a watch on them."""

import os
import shutil

import programs
from landscape_test import LandscapeTest
from programs import Hdf5, doubles, planes, run, start

ESCAPE = "\033"


class WatchTest(LandscapeTest):
    @classmethod
    def setUpClass(cls):
        """One surface of 5x3 points and one line of 3, for all tests."""
        super().setUpClass()
        cls.made = os.path.join(cls.shared, "made")
        os.mkdir(cls.made)
        shutil.copyfile(os.path.join(cls.shared, "a", "model.safetensors"),
                        os.path.join(cls.made, "a.safetensors"))
        for command in (cls.surface(cls, "s.h5"), cls.line(cls, "l.h5")):
            done = run(command, cls.made)
            assert done.returncode == 0, done.stderr

    def put(self, done, name="s.h5", changes=(), of="s.h5"):
        """Puts a surface of which `done` points are done in place, by renaming, as landscape
        does; `changes` are (point, train loss)."""
        beside = self.path("beside.h5")
        shutil.copyfile(os.path.join(self.made, of), beside)
        losses = doubles(planes(beside)["train_loss"])
        for point, loss in changes:
            losses[point] = loss
        with Hdf5(beside, writable=True) as file:
            file.write("train_loss", [loss if i < done else -1 for i, loss in enumerate(losses)])
            file.write("done", [float(i < done) for i in range(len(losses))])
        os.rename(beside, self.path(name))
        return losses

    def watch(self, *more):
        return [programs.landscape, "watch", *more]

    def watching(self, *more, ready=None):
        """Starts a watch; it is ended with the test."""
        process, seen = start(self.watch(*more), self.folder, ready)

        def end():
            if process.poll() is None:
                process.kill()
            process.stdout.close()
            process.wait()
        self.addCleanup(end)
        return process, seen
