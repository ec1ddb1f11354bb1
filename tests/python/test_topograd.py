#!/usr/bin/python3
"""The package topograd: what the programs compute, from Python.

    PYTHONPATH=build/checks/python tests/python/test_topograd.py [build/checks/bin/landscape]

Without the path of the program, as for an installed package, what is compared with it is left out.
"""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings

try:
    import numpy
    import topograd
except ImportError as error:
    print(f"SKIPPED: {error}")
    sys.exit(77)

LANDSCAPE = None


def some_images(count=96, seed=0, channels_first=False):
    rng = numpy.random.default_rng(seed)
    shape = (count, 3, 16, 16) if channels_first else (count, 16, 16, 3)
    return rng.integers(0, 256, shape, dtype=numpy.uint8), rng.integers(0, 10, count)


def small_network(seed=1, name="resnet8"):
    return topograd.zoo(name, image_size=16, width=4, seed=seed, normalisation="cifar10")


class Package(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.network = small_network()
        self.images, self.labels = some_images()
        warnings.simplefilter("ignore", topograd.NoteWarning)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def surface(self, **options):
        options = {"x": (-1, 1, 5), "y": (-1, 1, 3), "threads": 2, **options}
        return topograd.surface(self.network, self.images, self.labels, **options)


class Surfaces(Package):
    def test_a_surface_has_its_axes_losses_errors_and_provenance(self):
        s = self.surface(population="kind", seed=7)
        self.assertEqual(s.loss.shape, (3, 5))
        self.assertEqual(list(s.x), [-1, -0.5, 0, 0.5, 1])
        self.assertTrue(numpy.isfinite(s.loss).all() and (s.standard_error > 0).all() and s.done.all())
        self.assertEqual(s.provenance["seed"], "7")
        self.assertEqual(s.provenance["network"], "resnet8")
        self.assertTrue(numpy.array_equal(numpy.asarray(s), s.loss))
        x, y, loss = s.minimum()
        self.assertEqual(loss, s.loss.min())
        self.assertEqual(s.loss[list(s.y).index(y), list(s.x).index(x)], loss)

    def test_it_is_the_program_s_to_the_bit(self):
        if LANDSCAPE is None:
            self.skipTest("no program to compare with")
        self.network.save(self.path("net.safetensors"))
        numpy.savez(self.path("data.npz"), x_train=self.images, y_train=self.labels, x_test=self.images,
                    y_test=self.labels)
        for threads in ("1", "3"):
            output = self.path(f"program{threads}.h5")
            subprocess.run([LANDSCAPE, "surface", self.path("net.safetensors"), "--data", self.path("data.npz"),
                            "--x", "-1:1:5", "--y", "-1:1:3", "--threads", threads, "--no-pictures", "-o", output],
                           check=True, capture_output=True)
            self.assertEqual(topograd.load(output).loss.tobytes(), self.surface().loss.tobytes())

    def test_orders_of_axes_and_kinds_of_arrays_give_the_same(self):
        expected = self.surface().loss
        first = numpy.ascontiguousarray(self.images.transpose(0, 3, 1, 2))
        for images in (first, self.images[:, :, :, :], numpy.asfortranarray(self.images), self.images.tolist()):
            images = numpy.asarray(images, dtype=numpy.uint8) if isinstance(images, list) else images
            got = topograd.surface(self.network, images, self.labels.astype(numpy.int16), x=(-1, 1, 5), y=(-1, 1, 3))
            self.assertEqual(got.loss.tobytes(), expected.tobytes())

    def test_numbers_go_in_as_a_network_takes_them(self):
        mean, std = (numpy.array(v) for v in self.network.normalisation)
        numbers = self.images / 255.0
        got = topograd.surface(self.network, numbers, self.labels, x=(0, 0, 1), y=(0, 0, 1))
        expected = self.surface(x=(0, 0, 1), y=(0, 0, 1))
        self.assertAlmostEqual(got.loss[0, 0], expected.loss[0, 0], delta=1e-5 * expected.loss[0, 0])
        self.assertEqual(len(mean), len(std))

    def test_a_batch_loader_is_read_whole(self):
        loader = [(self.images[:50], self.labels[:50]), (self.images[50:], self.labels[50:])]
        got = topograd.surface(self.network, loader, x=(-1, 1, 5), y=(-1, 1, 3))
        self.assertEqual(got.loss.tobytes(), self.surface().loss.tobytes())

    def test_other_types_are_taken_or_refused(self):
        expected = self.surface().loss
        numbers = self.images / 255.0
        for images in (numbers.astype(">f8"), numbers.astype(numpy.float16)):
            got = topograd.surface(self.network, images, list(self.labels), x=(-1, 1, 5), y=(-1, 1, 3))
            self.assertLess(abs(got.loss / expected - 1).max(), 2e-3)
        for images, labels, kind in ((self.images.astype(numpy.int8), self.labels, topograd.Error),
                                     (numbers * numpy.nan, self.labels, topograd.Error),
                                     (self.images[:0], self.labels[:0], topograd.Error),
                                     (numpy.ma.array(numbers, mask=numbers > 0.5), self.labels, topograd.Error),
                                     (self.images, ["a"] * 96, topograd.Error), ((x for x in ()), None, topograd.Error),
                                     (iter([1]), None, TypeError), (self.images, self.labels + 90, topograd.Error)):
            with self.assertRaises(kind) as caught:
                topograd.surface(self.network, images, labels, x=(0, 0, 1), y=(0, 0, 1))
            self.assertEqual(len(str(caught.exception).splitlines()), 1)

    def test_images_may_be_kept(self):
        kept = topograd.Images(self.images, self.labels, test=(self.images[:32], self.labels[:32]))
        self.assertEqual((len(kept), kept.classes), (96, 10))
        s = topograd.surface(self.network, kept, x=(-1, 1, 5), y=(-1, 1, 3), split="both")
        self.assertEqual(s.loss.tobytes(), self.surface().loss.tobytes())
        self.assertIn("test_loss", s)
        self.assertTrue(topograd.verify(s))
        self.assertIn("images", s.provenance["data"])
        gone = self.surface()
        with self.assertRaisesRegex(topograd.Error, "no longer in memory.*data="):
            topograd.verify(gone)
        self.assertTrue(topograd.verify(gone, data=(self.images, self.labels)))
        self.assertIn("chance", topograd.doctor(self.network, kept))

    def test_classes_that_no_label_has_are_the_network_s(self):
        s = topograd.surface(self.network, self.images, numpy.zeros(96, int), x=(0, 0, 1), y=(0, 0, 1))
        self.assertEqual(s.loss.shape, (1, 1))

    def test_a_file_is_continued(self):
        path = self.path("s.h5")
        whole = self.surface()
        asked = []

        def stop(_stage, done, _total, _detail):
            asked.append(done)
            if done >= 2:
                raise KeyboardInterrupt

        many = {"x": (-1, 1, 41), "y": (-1, 1, 41)}
        with self.assertRaises(topograd.Interrupted) as caught:
            self.surface(output=path, progress=stop, **many)
        part = caught.exception.result
        self.assertTrue(0 < part.done.sum() < 41 * 41)
        finished = self.surface(output=path, **many)
        self.assertTrue(finished.done.all())
        self.assertEqual(finished.loss.tobytes(), self.surface(**many).loss.tobytes())
        self.assertEqual(whole.loss[1, 2], finished.loss[20, 20])

    def test_a_function_that_fails_stops_and_is_told(self):
        def fail(*_):
            raise ValueError("of the caller's own")
        with self.assertRaisesRegex(ValueError, "of the caller's own"):
            self.surface(x=(-1, 1, 201), y=(-1, 1, 201), progress=fail)

    def test_a_signal_stops_and_what_is_done_is_kept(self):
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        began = time.monotonic()
        with self.assertRaises(topograd.Interrupted) as caught:
            self.surface(x=(-1, 1, 301), y=(-1, 1, 301))
        self.assertLess(time.monotonic() - began, 20)
        self.assertTrue(caught.exception.result.done.any())

    def test_the_interpreter_goes_on_meanwhile(self):
        counted = []
        stop = threading.Event()

        def count():
            while not stop.wait(0.001):
                counted.append(1)

        thread = threading.Thread(target=count)
        thread.start()
        self.surface(x=(-1, 1, 31), y=(-1, 1, 31))
        stop.set()
        thread.join()
        self.assertGreater(len(counted), 10)


class Results(Package):
    def test_results_are_saved_loaded_pickled_and_drawn(self):
        s = self.surface()
        s.save(self.path("s.h5"))
        for again in (topograd.load(self.path("s.h5")), pickle.loads(pickle.dumps(s))):
            self.assertIsInstance(again, topograd.Surface)
            self.assertEqual(again.loss.tobytes(), s.loss.tobytes())
            self.assertEqual(again.provenance, s.provenance)
        self.assertEqual(s.plot(self.path("s.svg")), [self.path("s.svg")])
        self.assertEqual(s.plot(self.path("r.png"), kind="surface", log=True), [self.path("r.png")])
        self.assertIn("<svg", self.read("s.svg"))
        self.assertIn("data:image/svg+xml;base64,", s._repr_html_())
        s.export(self.path("s.npz"))
        self.assertEqual(numpy.load(self.path("s.npz"))["train_loss"].tobytes(), s.loss.tobytes())

    def test_temporary_files_go_with_their_results(self):
        s = self.surface()
        kept = s._file
        self.assertIsNone(s.file)
        self.assertTrue(os.path.exists(kept))
        del s
        self.assertFalse(os.path.exists(kept))

    def test_a_line_between_networks_has_a_barrier(self):
        line = topograd.line(self.network, small_network(2), self.images, self.labels, x=(0, 1, 5))
        self.assertIsNone(line.y)
        self.assertEqual(line.loss.shape, (5,))
        self.assertIn("train_loss_barrier", line.provenance)
        self.assertTrue(line.plot(self.path("line.svg")))

    def test_a_plane_through_three(self):
        with self.assertRaisesRegex(topograd.Error, "three networks"):
            topograd.plane([self.network] * 2, self.images, self.labels)
        networks = [small_network(seed) for seed in (1, 2, 3)]
        s = topograd.plane(networks, self.images, self.labels, x=(0, 1, 2), y=(0, 1, 2))
        alone = topograd.surface(networks[1], self.images, self.labels, x=(0, 0, 1), y=(0, 0, 1))
        self.assertAlmostEqual(s.loss[0, 1], alone.loss[0, 0], delta=1e-5 * alone.loss[0, 0])

    def test_curvature(self):
        h = topograd.hessian(self.network, self.images, self.labels, largest=2, smallest=1, tolerance=1e-5,
                             max_products=5000)
        matrix = topograd.hessian_operator(self.network, self.images, self.labels)
        n = self.network.parameters
        self.assertEqual(matrix.shape, (n, n))
        rng = numpy.random.default_rng(1)
        u, v = rng.standard_normal((2, n)).astype(numpy.float32)
        self.assertAlmostEqual(u @ matrix.matvec(v), v @ matrix.matvec(u), delta=1e-3 * numpy.linalg.norm(matrix @ u) *
                               numpy.linalg.norm(v))
        loss, gradient = matrix.gradient()
        self.assertAlmostEqual(loss, h["loss"], delta=1e-6 * loss)
        self.assertAlmostEqual(numpy.linalg.norm(gradient), h["gradient_norm"], delta=1e-4 * h["gradient_norm"])
        try:
            from scipy.sparse.linalg import aslinearoperator, eigsh
        except ImportError:
            self.skipTest("no scipy")
        largest = eigsh(aslinearoperator(matrix), k=2, which="LA", return_eigenvectors=False, tol=1e-6)
        for ours, scipys in zip(sorted(h["largest/values"]), sorted(largest)):
            self.assertAlmostEqual(ours, scipys, delta=1e-5 * abs(scipys))

    def test_sharpness_coherence_and_paths(self):
        panel = topograd.sharpness(self.network, self.images, self.labels, measures=["gradient_norm", "sam"])
        self.assertEqual(panel.kind, "sharpness")
        c = topograd.coherence([self.network, small_network(2)], self.images, self.labels, batches=4, batch_size=16)
        self.assertTrue(len(c) > 3)
        paths = topograd.connect(self.network, small_network(2), self.images, self.labels, points=3)
        self.assertEqual(paths.kind, "paths")

    def test_two_are_compared(self):
        s, t = self.surface(), self.surface(images=48)
        found = topograd.compare(s, t)["train_loss"]
        self.assertAlmostEqual(found["largest_difference"], abs(s.loss - t.loss).max())
        self.assertEqual(topograd.compare(s, s)["train_loss"]["largest_difference"], 0)
        with self.assertRaisesRegex(topograd.Error, "different points"):
            topograd.compare(s, self.surface(x=(-1, 1, 7)))

    def test_a_report_of_several(self):
        self.assertEqual(topograd.report([self.surface(), self.surface(seed=2)], self.path("r.html"), title="Two"),
                         self.path("r.html"))
        self.assertEqual(len(self.read("r.html").split("<title>Two")), 2)


class Networks(Package):
    def test_numbers_go_out_and_in_again(self):
        tensors = self.network.state_dict()
        self.assertEqual(tensors["conv1.weight"].shape, (4, 3, 3, 3))
        again = self.network.with_state_dict(tensors)
        for name, value in again.state_dict().items():
            self.assertEqual(value.tobytes(), tensors[name].tobytes(), name)
        with self.assertRaisesRegex(topograd.Error, "conv1.weight"):
            self.network.with_state_dict({**tensors, "conv1.weight": numpy.zeros((4, 3, 3))})
        pickled = pickle.loads(pickle.dumps(self.network))
        self.assertEqual(pickled.state_dict()["conv1.weight"].tobytes(), tensors["conv1.weight"].tobytes())

    def test_the_network_at_a_point_has_that_point_s_loss(self):
        s = self.surface()
        there = self.network.at(s, s.x[4], s.y[0])
        alone = topograd.surface(there, self.images, self.labels, x=(0, 0, 1), y=(0, 0, 1))
        self.assertAlmostEqual(alone.loss[0, 0], s.loss[0, 4], delta=1e-6 * s.loss[0, 4])

    def test_a_training_is_run_continued_and_mapped(self):
        options = {"test": (self.images[:32], self.labels[:32]), "output": self.path("run"), "batch_size": 32,
                   "width": 4, "checkpoint_every": 1, "threads": 2}
        topograd.train("resnet8", self.images, self.labels, epochs=2, **options)
        run = topograd.train("resnet8", self.images, self.labels, epochs=3, **options)
        self.assertEqual(list(run.log["epoch"]), [1, 2, 3])
        self.assertEqual(len(run.checkpoints), 4)
        path, plane = topograd.trajectory(run, self.images, self.labels, x=(-1, 1, 3), y=(-1, 1, 3))
        self.assertEqual((path.kind, plane.loss.shape), ("trajectory", (3, 3)))
        on = topograd.train(run.network, self.images, self.labels, test=options["test"], epochs=1, batch_size=32)
        self.assertEqual(on.network.parameters, run.network.parameters)


class Mistakes(Package):
    def test_mistakes_are_one_line_in_the_caller_s_words(self):
        cases = [
            (lambda: self.surface(target_se=-1), topograd.Error, "^target_se= -1"),
            (lambda: self.surface(tarket_se=1), TypeError, "did you mean 'target_se'"),
            (lambda: self.surface(images=1000), topograd.Error, "^images= 1000"),
            (lambda: topograd.surface(self.network, self.images), TypeError, "labels"),
            (lambda: topograd.surface(self.network, self.images, self.labels[:5]), topograd.Error, "y_train"),
            (lambda: topograd.surface(self.network, self.images[:, :8], self.labels), topograd.Error, "8x16x3"),
            (lambda: topograd.surface(self.network, self.images.astype(int), self.labels), topograd.Error, "uint8"),
            (lambda: topograd.surface(self.network), topograd.Error, "data="),
            (lambda: topograd.surface("nowhere.safetensors", self.images, self.labels), topograd.Error, "nowhere"),
            (lambda: self.surface(output=self.folder.name), topograd.Error, self.folder.name),
            (lambda: self.surface(split="both"), topograd.Error, "no test images.*split= train"),
            (lambda: topograd.load(__file__), topograd.Error, "test_topograd.py"),
            (lambda: topograd.train("resnet8", self.images, self.labels), topograd.Error, "test="),
            (lambda: topograd.zoo("resnet7"), topograd.Error, "resnet7"),
            (lambda: self.surface().plot(self.path("s.svg"), kind="nonsense"), topograd.Error, "nonsense"),
        ]
        for call, kind, words in cases:
            with self.subTest(words):
                with self.assertRaisesRegex(kind, words) as caught:
                    call()
                self.assertEqual(len(str(caught.exception).splitlines()), 1)

    def test_notes_are_warnings(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            topograd.surface(topograd.zoo("resnet8", image_size=16, width=4, activation="silu"), self.images,
                             self.labels, x=(0, 0, 1), y=(0, 0, 1))
        self.assertTrue(any(issubclass(w.category, topograd.NoteWarning) and "ReLU" in str(w.message) for w in caught))

    def test_every_option_has_a_line(self):
        for command in ("surface", "line", "plane", "hessian", "sharpness", "coherence", "connect", "plot", "train"):
            self.assertIn("threads=" if command != "plot" else "kind=", topograd.options(command))


class Processes(Package):
    def test_threads_may_call_at_once(self):
        expected = [self.surface(seed=seed).loss.tobytes() for seed in range(4)]
        got = [None] * 4

        def compute(i):
            got[i] = self.surface(seed=i, output=self.path(f"{i}.h5"), threads=1).loss.tobytes()

        threads = [threading.Thread(target=compute, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(got, expected)

    def test_the_interpreter_ends_beside_a_daemon_s_computation(self):
        program = ("import os, threading, time, topograd\n"
                   "def compute():\n    topograd.surface(%r, 'synthetic', images=100, x=(-1, 1, 301), y=(-1, 1, 301),"
                   " output=%r)\n"
                   "threading.Thread(target=compute, daemon=True).start()\n"
                   "while not os.path.exists(%r): time.sleep(0.01)\n")
        network = topograd.zoo("resnet8", width=4)
        network.save(self.path("net.safetensors"))
        program %= (self.path("net.safetensors"), *[self.path("s.h5")] * 2)
        done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(topograd.load(self.path("s.h5")).loss.shape, (301, 301))

    def test_a_fork_may_compute(self):
        expected = self.surface().loss.tobytes()
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            try:
                os.write(write, self.surface().loss.tobytes())
            finally:
                os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            self.assertEqual(pipe.read(), expected)
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_an_operator_stays_in_its_process(self):
        matrix = topograd.hessian_operator(self.network, self.images, self.labels)
        vector = numpy.ones(matrix.shape[0])
        child = os.fork()
        if child == 0:
            signal.alarm(30)  # it must not wait for threads that are not there
            status = 1
            try:
                matrix.matvec(vector)
            except topograd.Error:
                del matrix
                status = 0
            os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(matrix.matvec(vector).shape, vector.shape)

    def test_a_fork_beside_a_computation_may_compute(self):
        expected = self.surface().loss.tobytes()
        other = threading.Thread(target=lambda: self.surface(x=(-1, 1, 41), y=(-1, 1, 41), output=self.path("o.h5"),
                                                             save_seconds=0))
        other.start()
        for _ in range(5):
            child = os.fork()
            if child == 0:
                signal.alarm(30)
                os._exit(int(self.surface().loss.tobytes() != expected))
            self.assertEqual(os.waitpid(child, 0)[1], 0)
        other.join()

    def test_a_spawned_process_may_compute(self):
        import multiprocessing
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            got = pool.apply(surface_of_a_network, (self.network, self.images, self.labels))
        self.assertEqual(got.loss.tobytes(), self.surface().loss.tobytes())

    def test_many_surfaces_leave_no_memory_behind(self):
        def resident():
            with open("/proc/self/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        def several(count):
            for seed in range(count):
                self.surface(x=(0, 0, 1), y=(0, 0, 1), seed=seed)

        several(20)  # caches of libraries
        before = resident()
        several(60)
        self.assertLess(resident() - before, 8 << 20)


def surface_of_a_network(network, images, labels):
    return topograd.surface(network, images, labels, x=(-1, 1, 5), y=(-1, 1, 3))


if __name__ == "__main__":
    if len(sys.argv) > 1 and os.path.exists(sys.argv[1]):
        LANDSCAPE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
