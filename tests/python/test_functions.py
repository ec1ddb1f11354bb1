#!/usr/bin/python3
"""Surfaces of functions of Python: surface_of.

    PYTHONPATH=build/checks/python tests/python/test_functions.py
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import warnings

try:
    import numpy
    import topograd
except ImportError as error:
    print(f"SKIPPED: {error}")
    sys.exit(77)


def rosenbrock(theta):
    a, b = theta["ab"]
    return (1 - a) ** 2 + 100 * (b - a * a) ** 2


ALONG = ({"ab": numpy.array([1.0, 0.0])}, {"ab": numpy.array([0.0, 1.0])})
MINIMUM = {"ab": numpy.array([1.0, 1.0])}


class Functions(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        warnings.simplefilter("ignore", topograd.NoteWarning)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def rosenbrock(self, **options):
        options = {"x": (-2, 2, 5), "y": (-1, 3, 5), **options}
        return topograd.surface_of(rosenbrock, MINIMUM, directions=ALONG, **options)

    def test_rosenbrock_is_its_closed_form(self):
        s = self.rosenbrock()
        a, b = 1 + s.x[None, :], 1 + s.y[:, None]
        self.assertEqual(s.loss.tobytes(), ((1 - a) ** 2 + 100 * (b - a * a) ** 2).tobytes())
        self.assertEqual(s.minimum(), (0, 0, 0))

    def test_processes_give_the_same(self):
        self.assertEqual(self.rosenbrock(processes=3).loss.tobytes(), self.rosenbrock().loss.tobytes())

    def test_a_line_one_array_and_several_quantities(self):
        s = topograd.surface_of(lambda theta: {"loss": theta @ theta, "loss_se": 0.5, "acc": theta[0]},
                                numpy.array([3.0, 4.0]), x=(-1, 1, 3), y=None, directions=(numpy.array([1.0, 0.0]),),
                                quantities=("loss", "loss_se", "acc"))
        self.assertIsNone(s.y)
        self.assertEqual(list(s.loss), [20, 25, 32])
        self.assertEqual(list(s.standard_error), [0.5] * 3)
        self.assertEqual(list(s.accuracy), [2, 3, 4])

    def test_a_killed_run_goes_on_to_the_same_bits(self):
        path = self.path("s.h5")
        program = ("import sys, time, topograd; sys.path.insert(0, %r); from test_functions import *\n"
                   "def slow(theta):\n    time.sleep(0.002)\n    return rosenbrock(theta)\n"
                   "topograd.surface_of(slow, MINIMUM, directions=ALONG, x=(-2, 2, 21), y=(-1, 3, 21), output=%r,"
                   " save_seconds=0.05, identity='rosenbrock', progress=%s)\n")
        here = os.path.dirname(os.path.realpath(__file__))
        kill = "lambda stage, done, total, text: done > 100 and __import__('os').kill(__import__('os').getpid(), 9)"
        done = subprocess.run([sys.executable, "-c", program % (here, path, kill)], check=False)
        self.assertEqual(done.returncode, -signal.SIGKILL)
        self.assertTrue(0 < topograd.load(path).done.sum() < 441)
        subprocess.run([sys.executable, "-c", program % (here, path, "False")], check=True)
        again = topograd.load(path)
        self.assertEqual(again.loss.tobytes(), self.rosenbrock(x=(-2, 2, 21), y=(-1, 3, 21)).loss.tobytes())

    def test_ctrl_c_keeps_what_is_done(self):
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()

        def slow(theta):
            threading.Event().wait(0.01)
            return rosenbrock(theta)

        for processes in (1, 2):
            if processes == 2:
                threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
            with self.assertRaises(topograd.Interrupted) as caught:
                topograd.surface_of(slow, MINIMUM, directions=ALONG, x=(-2, 2, 101), y=(-1, 3, 101),
                                    processes=processes)
            self.assertTrue(0 < caught.exception.result.done.sum() < 101 * 101)

    def test_what_the_function_raises_comes_through_and_the_file_has_the_rest(self):
        calls = []

        def fails(theta):
            calls.append(1)
            if len(calls) > 5:
                raise ArithmeticError("of the function's own")
            return rosenbrock(theta)

        with self.assertRaisesRegex(ArithmeticError, "own"):
            topograd.surface_of(fails, MINIMUM, directions=ALONG, x=(-2, 2, 5), y=(-1, 3, 5), output=self.path("s.h5"))
        self.assertEqual(topograd.load(self.path("s.h5")).done.sum(), 5)

    def test_another_function_does_not_continue_a_file(self):
        self.rosenbrock(output=self.path("s.h5"), facts={"data": "a"})
        with self.assertRaisesRegex(topograd.Error, "function"):
            topograd.surface_of(lambda theta: 0.0, MINIMUM, directions=ALONG, x=(-2, 2, 5), y=(-1, 3, 5),
                                output=self.path("s.h5"))
        with self.assertRaisesRegex(topograd.Error, "data"):
            self.rosenbrock(output=self.path("s.h5"), facts={"data": "b"})

    def test_what_a_function_holds_is_part_of_it(self):
        import functools

        def times(k):
            return lambda theta: float(theta.sum() * k)

        class Held:
            def __init__(self, k):
                self.k = k

            def __call__(self, theta):
                return float(theta.sum() * self.k)

            def method(self, theta):
                return self(theta)

        def scaled(k, theta):
            return float(theta.sum() * k)

        grid = {"x": (0, 1, 2), "y": None}
        for i, (one, other) in enumerate(((times(1), times(2)), (Held(1), Held(2)), (Held(1).method, Held(2).method),
                                          (functools.partial(scaled, 1), functools.partial(scaled, 2)),
                                          (times(numpy.float64(1)), times(numpy.float64(2))))):
            path = self.path(f"{i}.h5")
            theta = numpy.ones((2, 2))
            for _ in range(2):  # the same again
                topograd.surface_of(one, theta, output=path, **grid)
            with self.assertRaisesRegex(topograd.Error, "function"):
                topograd.surface_of(other, theta, output=path, **grid)

    def test_a_process_that_ends_is_told(self):
        def ends(theta):
            if theta["ab"][0] > 2:
                os._exit(3)
            return rosenbrock(theta)

        def stops(_theta):
            raise StopIteration

        with self.assertRaisesRegex(topograd.Error, "ended before its time"):
            topograd.surface_of(ends, MINIMUM, directions=ALONG, x=(-2, 2, 5), y=(-1, 3, 5), processes=2)
        for processes in (1, 2):
            with self.assertRaisesRegex(RuntimeError, "StopIteration"):
                topograd.surface_of(stops, MINIMUM, directions=ALONG, processes=processes)

    def test_its_surface_is_drawn_reported_compared_and_not_verified(self):
        s = self.rosenbrock(name="Rosenbrock")
        self.assertEqual(s.title, "Rosenbrock")
        self.assertTrue(s.plot(self.path("s.svg"), log=True))
        topograd.report([s], self.path("r.html"))
        self.assertEqual(topograd.compare(s, s)["train_loss"]["largest_difference"], 0)
        with self.assertRaisesRegex(topograd.Error, "made by a function"):
            topograd.verify(s)

    def test_mistakes_are_one_line(self):
        for call, words in (
                (lambda: topograd.surface_of(rosenbrock, {"ab": numpy.array([1, 1])}), "whole numbers"),
                (lambda: self.rosenbrock(processes=0), "processes= 0"),
                (lambda: topograd.surface_of(rosenbrock, MINIMUM, directions=({"c": numpy.ones(2)},) * 2), "has c"),
                (lambda: topograd.surface_of(rosenbrock, MINIMUM, directions=({"ab": numpy.ones(3)},) * 2), "ab"),
                (lambda: topograd.surface_of(lambda theta: {"acc": 1.0}, MINIMUM, directions=ALONG), "returned acc"),
                (lambda: topograd.surface_of(lambda theta: None, MINIMUM, directions=ALONG), "NoneType"),
                (lambda: topograd.surface_of(lambda theta: 1.0, numpy.ones(3), ignore="none"), "one direction"),
                (lambda: self.rosenbrock(x=(-1, 1)), "first, last, points"),
                (lambda: topograd.surface_of(rosenbrock, MINIMUM), "zero")):
            with self.subTest(words), self.assertRaisesRegex((topograd.Error, TypeError), words) as caught:
                call()
            self.assertEqual(len(str(caught.exception).splitlines()), 1)

    def test_least_squares_of_scipy(self):
        try:
            from scipy.optimize import least_squares
        except ImportError:
            self.skipTest("no scipy")
        t = numpy.linspace(0, 3, 40)
        y = 2 * numpy.exp(-1.3 * t) + 0.01 * numpy.sin(40 * t)

        def residuals(p):
            return p[0] * numpy.exp(-p[1] * t) - y

        fit = least_squares(residuals, [1.0, 1.0])
        s = topograd.surface_of(lambda p: 0.5 * float(residuals(p) @ residuals(p)), fit.x, x=(-0.5, 0.5, 11),
                                y=(-0.5, 0.5, 11), directions=(numpy.array([1.0, 0.0]), numpy.array([0.0, 1.0])))
        self.assertEqual(s.minimum()[:2], (0, 0))
        self.assertAlmostEqual(s.minimum()[2], fit.cost, delta=1e-12)


class Modules(unittest.TestCase):
    """What no graph holds: a recurrent classifier of sequences of words."""

    @classmethod
    def setUpClass(cls):
        try:
            import torch
        except ImportError:
            raise unittest.SkipTest("no torch") from None

        class Classifier(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding = torch.nn.Embedding(50, 8)
                self.lstm = torch.nn.LSTM(8, 12, batch_first=True)
                self.head = torch.nn.Linear(12, 2)

            def forward(self, words):
                return self.head(self.lstm(self.embedding(words))[0][:, -1])

        torch.manual_seed(3)
        cls.words = torch.randint(0, 50, (64, 10))
        cls.sentiment = (cls.words < 25).sum(1).gt(5).long()
        cls.module = Classifier()
        optimiser = torch.optim.Adam(cls.module.parameters(), 0.02)
        for _ in range(60):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(cls.module(cls.words), cls.sentiment).backward()
            optimiser.step()

    def loss(self, module):
        import torch
        with torch.no_grad():
            logits = module(self.words)
            return {"loss": torch.nn.functional.cross_entropy(logits, self.sentiment).item(),
                    "acc": 100 * logits.argmax(1).eq(self.sentiment).float().mean().item()}

    def test_a_recurrent_classifier(self):
        import torch
        before = {name: value.clone() for name, value in self.module.state_dict().items()}
        options = {"x": (-1, 1, 5), "y": (-1, 1, 5), "quantities": ("loss", "acc"), "seed": 4}
        s = topograd.surface_of(self.loss, self.module, **options)
        self.assertEqual(s.loss[2, 2], self.loss(self.module)["loss"])
        self.assertEqual(s.minimum()[:2], (0, 0))
        for name, value in self.module.state_dict().items():
            self.assertTrue(torch.equal(value, before[name]), name)
        forked = topograd.surface_of(self.loss, self.module, processes=2, **options)
        self.assertLess(abs(forked.loss - s.loss).max(), 1e-5)  # a child has one thread of PyTorch's

    def test_its_directions_are_filter_normalised(self):
        import torch
        lengths = []

        def measured(module):
            lengths.append([(p - q).flatten(1).norm(dim=1) / q.flatten(1).norm(dim=1) if p.dim() > 1 else (p - q).abs()
                            for p, q in zip(module.parameters(), origin)])
            return 0.0

        origin = [p.detach().clone() for p in self.module.parameters()]
        with torch.no_grad():
            topograd.surface_of(measured, self.module, x=(1, 1, 1), y=None)
        for of in lengths[0]:
            self.assertTrue(torch.all(of == 0) or torch.allclose(of, torch.ones(()), atol=1e-4))

    def test_a_network_s_own_function_gives_its_surface(self):
        import torch
        from torch import nn
        torch.manual_seed(1)
        module = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                               nn.Linear(6, 4)).eval()
        images, labels = torch.randn(32, 3, 8, 8), torch.randint(0, 4, (32,))

        def loss(moved):
            with torch.no_grad():
                return nn.functional.cross_entropy(moved(images), labels).item()

        grid = {"x": (-1, 1, 3), "y": (-1, 1, 3), "seed": 5}
        ours = topograd.surface(topograd.from_torch(module, images[:1]), images, labels, **grid)
        theirs = topograd.surface_of(loss, module, **grid)
        self.assertLess(abs(theirs.loss / ours.loss - 1).max(), 1e-5)


if __name__ == "__main__":
    unittest.main()
