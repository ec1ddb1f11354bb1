"""What the tests of `landscape watch` share: files in the making, and a watch on them."""

import http.client
import json
import os
import re
import shutil
import time

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


class ServedTest(WatchTest):
    """A watch with its server: address "http://127.0.0.1:8642/1f...c4/", port, and its process."""

    def serving(self, *more):
        arguments = more or ("s.h5", "--serve=0")
        process, seen = self.watching(*arguments, ready=f"{arguments[0]}: serving")
        self.address, port = re.search(r"(http://127\.0\.0\.1:(\d+)/\w+/)", seen[-1]).groups()
        self.port = int(port)
        return process

    def get(self, path, host=None, method="GET", root=False):
        """Returns (status, type, text) of the answer for a path below the address, or (root) below
        the server's own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=programs.TIMEOUT)
        token = "" if root else "/" + self.address.split("/")[3]
        connection.request(method, token + path, headers={"Host": host or f"localhost:{self.port}"})
        answer = connection.getresponse()
        self.headers = answer.headers
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers.get_content_type(), text

    def state(self, wanted=None):
        """The state, once it is as `wanted` says."""
        end = time.monotonic() + programs.TIMEOUT
        while True:
            status, kind, text = self.get("/state")
            self.assertEqual((status, kind), (200, "application/json"))
            state = json.loads(text)
            if wanted is None or wanted(state) or time.monotonic() > end:
                return state
            time.sleep(0.02)
