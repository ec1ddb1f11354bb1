#!/usr/bin/env python3
"""Every command that writes, with one of its system calls made to fail (tests/faults/failing_calls.cpp).

Whatever call it is: one line and status 1, or status 0 and the right files; each file old or new; nothing else
left in the folder; and the command, repeated, ends with the same bits. Of every command some calls, or, with
TOPOGRAD_TEST_EVERY_CALL=1, all of them in turn, which takes an hour; then the counts are printed. An allocation is
one of C++'s; of those, fifty.
"""

import os
import shutil
import unittest

import programs
from landscape_test import LandscapeTest
from programs import TINY_NET, files_below, run

LIBRARY = os.environ.get("TOPOGRAD_FAILING_CALLS") and os.path.abspath(os.environ["TOPOGRAD_FAILING_CALLS"])
EVERY_CALL = os.environ.get("TOPOGRAD_TEST_EVERY_CALL")  # 1, or one of HOW alone
HOW = ("EIO", "ENOSPC", "EINTR", "short", "memory")
SOME = (0.75,)  # which of a command's calls a push tries, as shares of all
FEW_IMAGES = ["--images", "20", "--threads", "1"]
# A push draws along with lines alone.
PICTURES = [] if EVERY_CALL else ["--no-pictures"]
# Saved as it goes, so that an unfinished one is new, too.
CONTINUED = (".h5", ".safetensors", ".csv")


class Command:
    def __init__(self, words, old=(), changing=()):
        self.words = words
        self.old = old  # outputs that were there before, and are replaced
        self.changing = changing  # outputs that hold times: their bits are not compared


def in_a_push(name, how):
    return how == "EIO" or name == "export" or (name, how) == ("surface", "ENOSPC")


@unittest.skipUnless(LIBRARY, "SKIPPED: the sanitizers' library has to be the first one")
class FailingCalls(LandscapeTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        landscape, shared = programs.landscape, cls.shared
        cls.data = ["--data", programs.images, *FEW_IMAGES]
        cls.a, cls.b = (os.path.join(shared, name, "model.safetensors") for name in "ab")
        cls.surface = os.path.join(shared, "s.h5")
        cls.panels = [os.path.join(shared, f"{name}.h5") for name in "ab"]
        for words in ([landscape, "surface", cls.a, *cls.data, "--x=-1:1:3", "--y=-1:1:3", "--no-pictures", "-o",
                       cls.surface],
                      *([landscape, "sharpness", model, *cls.data, "--measures", "test_loss,test_error", "-o", panel]
                        for model, panel in zip((cls.a, cls.b), cls.panels)),
                      [programs.train, *TINY_NET, "--data", programs.images, "--epochs", "3", "--batch-size", "100",
                       "--checkpoint-every", "1", "--output", "run"]):
            done = run(words, shared)
            assert done.returncode == 0, done.stderr
        cls.checkpoints = os.path.join(shared, "run")

    def setUp(self):
        super().setUp()
        self.work = self.path("work")
        self.report = self.path("report")

    def environment(self, how, at, for_ever):
        settings = {"LD_PRELOAD": LIBRARY, "FAULT_HOW": how, "FAULT_AT": str(at), "FAULT_FOLDER": self.work,
                    "FAULT_REPORT": self.report}
        return {**os.environ, **settings, **({"FAULT_FOR_EVER": "1"} if for_ever else {})}

    def begin(self, command):
        shutil.rmtree(self.work, ignore_errors=True)
        os.mkdir(self.work)
        for name in command.old:
            with open(os.path.join(self.work, name), "wb") as file:
                file.write(b"old\n")
        if os.path.exists(self.report):
            os.remove(self.report)

    def contents(self):
        found = {}
        for name in files_below(self.work):
            if os.path.isfile(os.path.join(self.work, name)):
                with open(os.path.join(self.work, name), "rb") as file:
                    found[name] = file.read()
        return found

    def reported(self):
        """Returns which call failed, and how many there were; None where there was none, or no end."""
        failed = count = None
        if os.path.exists(self.report):
            with open(self.report) as file:
                for line in file:
                    call, what = line.rstrip("\n").split(" ", 1)
                    if call == "counted":
                        count = int(what)
                    elif failed is None:
                        failed = f"{call} {what}"
        return failed, count

    def assert_as_before_or_after(self, command, failed, shown):
        """Every file is old or new, and nothing lies beside them. A file that could not be removed stays."""
        for name, bits in self.contents().items():
            if failed.startswith("unlink ") and (".lock" in name or ".tmp." in name):
                continue
            self.assertIn(name, self.wanted, shown)
            if name in command.changing or bits == self.wanted[name] or name.endswith(CONTINUED):
                continue
            self.assertTrue(name in command.old and bits == b"old\n", f"{name} is neither old nor new: {shown}")

    def assert_final(self, command, shown):
        found = self.contents()
        self.assertEqual(sorted(found), sorted(self.wanted), shown)
        for name, bits in self.wanted.items():
            if name not in command.changing:
                self.assertEqual(found[name], bits, f"{name}: {shown}")

    def one_fault(self, command, how, at, for_ever=False):
        """Runs a command with one fault, and again without; returns which call it was, and the status."""
        self.begin(command)
        done = run(command.words, self.work, env=self.environment(how, at, for_ever))
        failed, _ = self.reported()
        shown = f"{how} {at} {failed} of {' '.join(command.words)}\nstatus {done.returncode}: {done.stderr}"
        if failed is None:
            self.assertEqual(done.returncode, 0, shown)
            return None, 0
        if how in ("EINTR", "short"):
            self.assertEqual((done.returncode, done.stderr), (0, ""), shown)
        self.assertIn(done.returncode, (0, 1), shown)
        if done.returncode == 1:
            last = done.stderr.splitlines()[-1:] or [""]
            self.assertTrue(last[0].startswith(os.path.basename(command.words[0]) + ": "), shown)
            self.assertEqual(len(done.stderr.splitlines()), 1, shown)
            if "could not go on" not in done.stderr:  # there the next writer sweeps up, as after a kill
                self.assert_as_before_or_after(command, failed, shown)
        elif not failed.startswith("unlink "):
            self.assert_final(command, shown)
        again = run(command.words, self.work)
        self.assertEqual(again.returncode, 0, f"repeated after {shown}\n{again.stderr}")
        if not failed.startswith("unlink "):
            self.assert_final(command, f"repeated after {shown}")
        return failed, done.returncode

    def try_calls(self, name, command):
        self.wanted = None
        for how in HOW:
            if EVERY_CALL in ("1", how) or (not EVERY_CALL and in_a_push(name, how)):
                self.try_calls_of(name, command, how)

    def try_calls_of(self, name, command, how):
        self.begin(command)  # nothing fails yet: calls are counted
        done = run(command.words, self.work, env=self.environment(how, 10 ** 9, False))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wanted = self.wanted or self.contents()
        count = self.reported()[1]
        self.assertTrue(count, f"no call was counted: {how} {command.words}")
        chosen = [1 + int(share * count) for share in SOME]
        if EVERY_CALL and how == "memory":  # allocations are too many: these, spread over all
            chosen = sorted({1 + int(count * (i + 0.5) / 50) for i in range(50)})
        elif EVERY_CALL:
            chosen = range(1, count + 20)
        tried, statuses = 0, [0, 0]
        for at in chosen:
            failed, status = self.one_fault(command, how, at, for_ever=how == "ENOSPC")
            if failed is None:
                break
            tried += 1
            statuses[status] += 1
        if EVERY_CALL:
            print(f"{name} {how}: {tried} of {count} failed, {statuses[0]} times it did not matter", flush=True)

    def test_train(self):
        self.try_calls("train", Command(
            [programs.train, *TINY_NET, "--data", programs.images, "--epochs", "2", "--batch-size", "100", "--threads",
             "1", "--output", "run", "--resume"],
            changing=["run/log.csv", "run/curves.svg", "run/curves.png", "run/last.safetensors"]))

    def test_surface(self):
        self.try_calls("surface", Command([programs.landscape, "surface", self.a, *self.data, "--x=-1:1:3",
                                           "--y=-1:1:3", *PICTURES, "-o", "out.h5"]))

    def test_line(self):
        self.try_calls("line", Command([programs.landscape, "line", self.a, *self.data, "--x=0:1:3", "-o", "out.h5"]))

    def test_plane(self):
        self.try_calls("plane", Command([programs.landscape, "plane", self.a, "--gradient", *self.data, "--x=0:1:3",
                                         "--y=0:1:3", "--no-pictures", "-o", "out.h5"]))

    def test_hessian(self):
        self.try_calls("hessian", Command([programs.landscape, "hessian", self.a, *self.data, "--density", "1",
                                           "--density-steps", "5", "--tolerance", "0.1", "-o", "out.h5"]))

    def test_sharpness(self):
        self.try_calls("sharpness", Command([programs.landscape, "sharpness", self.a, *self.data, "--measures",
                                             "sam,keskar", "--json", "out.json", "-o", "out.h5"]))

    def test_trajectory(self):
        self.try_calls("trajectory", Command([programs.landscape, "trajectory", self.checkpoints, *self.data,
                                              "--x=-1:1:3", "--y=-1:1:3", *PICTURES, "-o", "out.h5"]))

    def test_connect(self):
        self.try_calls("connect", Command([programs.landscape, "connect", self.a, self.b, *self.data, "--points", "3",
                                           "--save-aligned", "aligned.safetensors", "-o", "out.h5"]))

    def test_coherence(self):
        self.try_calls("coherence", Command([programs.landscape, "coherence", self.a, *self.data, "--batches", "2",
                                             "--batch-size", "5", "-o", "out.h5"]))

    def test_export(self):
        self.try_calls("export", Command([programs.landscape, "export", self.surface, "--format",
                                          "vti,vtr,vtp,npz,json,csv,obj,stl,h5", "-o", "out"]))

    def test_export_over_an_old_file(self):
        self.try_calls("export", Command([programs.landscape, "export", self.surface, "-o", "out.json"],
                                         old=["out.json"]))

    def test_plot(self):
        self.try_calls("plot", Command([programs.landscape, "plot", self.surface, "--kind", "heat", "--type",
                                        "svg,png,pdf", "-o", "out"], old=["out_heat.png"], changing=["out_heat.pdf"]))

    def test_report(self):
        self.try_calls("report", Command([programs.landscape, "report", self.surface, "-o", "out.html"],
                                         old=["out.html"]))

    def test_animate(self):
        self.try_calls("animate", Command([programs.landscape, "animate", self.surface, self.surface, "--kind", "heat",
                                           "--type", "gif,html,png", "-o", "out"], old=["out.gif"]))

    def test_compare(self):
        self.try_calls("compare", Command([programs.landscape, "compare", *self.panels, "--json", "out.json"],
                                          old=["out.json"]))


if __name__ == "__main__":
    programs.main()
