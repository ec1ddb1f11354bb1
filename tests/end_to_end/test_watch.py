#!/usr/bin/env python3
"""`landscape watch` as a user runs it: on files that are half done, that grow, come, go and are
none. test_watch_terminal.py has it in a terminal, test_watch_server.py as a server."""

import math
import os
import re
import signal
import time

import programs
from programs import stop
from watch_test import ESCAPE, WatchTest


class OnceTest(WatchTest):
    def test_half_done_without_colours(self):
        losses = self.put(7)
        printed = self.run_ok(self.watch("s.h5", "--once"))
        self.assertNotIn(ESCAPE, printed)
        lines = printed.splitlines()
        self.assertLessEqual(len(lines), 23)
        self.assertTrue(all(len(line) <= 80 for line in lines))
        self.assertRegex(lines[0], r"^s\.h5  train_loss \(cross-entropy\)  5x3 points$")
        self.assertIn("7 of 15 points, 46 %", printed)
        self.assertIn("· to do", lines[-1])
        best = min(range(7), key=lambda i: losses[i])
        found = re.search(r"^smallest (\S+) at alpha (\S+), beta (\S+)$", printed, re.MULTILINE)
        for text, number in zip(found.groups(), (losses[best], best % 5 / 2 - 1, best // 5 - 1)):
            self.assertAlmostEqual(float(text), number, places=4)
        # Rows from below: 5 points, 2 and 3 to do, 5 to do.
        picture = lines[1:-4]
        self.assertEqual(set(picture[0]), {"·"})
        self.assertNotIn("·", picture[-1])
        middle = picture[len(picture) // 2]
        self.assertTrue("·" in middle and set(middle) != {"·"}, middle)

    def test_colours(self):
        self.put(7)
        shown = {}
        for depth in ("truecolor", "", "24bit"):
            shown[depth] = self.run_ok(self.watch("s.h5", "--once", "--colour", "always"),
                                       env={**os.environ, "COLORTERM": depth, "NO_COLOR": "1"})
        self.assertIn("▀", shown[""])
        self.assertRegex(shown[""], r"\033\[0;38;5;\d+;48;5;\d+m")
        self.assertNotIn("38;2;", shown[""])
        self.assertRegex(shown["24bit"], r"\033\[0;38;2;\d+;\d+;\d+;48;2;\d+;\d+;\d+m")
        self.assertEqual(shown["24bit"], shown["truecolor"])
        for line in shown["24bit"].splitlines():  # no line leaves a colour behind
            self.assertIn((re.findall(r"\033\[[^m]*m", line) or ["\033[0m"])[-1], ["\033[0m"])
        self.assertNotEqual(self.run_ok(self.watch("s.h5", "--once", "--colour", "always",
                                                   "--colours", "magma")), shown[""])

    def test_size_is_that_of_the_terminal(self):
        self.put(15)
        for columns, lines in ((120, 50), (33, 11), (8, 4), (1, 1)):
            with self.subTest(columns=columns, lines=lines):
                printed = self.run_ok(self.watch("s.h5", "--once"), env={
                    **os.environ, "COLUMNS": str(columns), "LINES": str(lines)}).splitlines()
                self.assertLessEqual(len(printed), max(lines - 1, 1))
                self.assertLessEqual(max(map(len, printed)), columns)

    def test_what_is_not_finite(self):
        self.put(14, changes=[(2, math.nan), (13, math.inf)])
        printed = self.run_ok(self.watch("s.h5", "--once"))
        self.assertIn("· to do  ? NaN  ! infinite", printed)
        for letter in "·?!":
            self.assertIn(letter, "".join(printed.splitlines()[1:-4]))
        self.put(3, changes=[(i, math.nan) for i in range(3)])
        self.assertIn("no finite value yet", self.run_ok(self.watch("s.h5", "--once")))
        self.put(0)
        self.assertIn("0 of 15 points, 0 %", self.run_ok(self.watch("s.h5", "--once")))

    def test_other_values_and_scales(self):
        self.put(15, changes=[(0, 1e6)])
        self.assertIn(" log\n", self.run_ok(self.watch("s.h5", "--once")))
        self.assertNotIn(" log\n", self.run_ok(self.watch("s.h5", "--once", "--linear")))
        self.assertIn("^ above the scale", self.run_ok(self.watch("s.h5", "--once", "--vmax", "9")))
        self.assertIn("train_acc (train accuracy (%))",
                      self.run_ok(self.watch("s.h5", "--once", "--values", "train_acc")))

    def test_a_line_is_a_curve(self):
        self.put(2, "l.h5", of="l.h5")
        printed = self.run_ok(self.watch("l.h5", "--once"))
        self.assertIn("2 of 3 points, 66 %", printed)
        self.assertRegex(printed, r"smallest \S+ at alpha \S+\n")
        self.assertTrue(set("".join(printed.splitlines()[1:-4])) <= set(" ▁▂▃▄▅▆▇█·"), printed)

    def test_a_map_over_a_surface(self):
        self.run_ok(self.surface("s.h5"))
        self.run_ok([programs.landscape, "coherence", "a.safetensors", "--data", programs.images,
                     "--images", "40", "--batches", "4", "--batch-size", "10", "--over", "s.h5",
                     "--output", "m.h5", "--no-pictures", "--threads", "1"], stderr=None)
        self.assertIn("coherence_cosine (mean cosine",
                      self.run_ok(self.watch("m.h5", "--once")))

    def test_refusals(self):
        self.put(15)
        whole = self.read("s.h5", "rb")
        self.write("cut.h5", whole[:len(whole) // 2])
        self.write("text.h5", b"hello")
        self.write("nothing.h5", b"")
        self.write("log.csv", b"epoch,learning_rate,train_loss\n")
        for arguments, word in (
                (["missing.h5", "--once"], "missing.h5"), (["cut.h5", "--once"], "cut.h5"),
                (["cut.h5"], "cut.h5"), (["text.h5"], "text.h5"), (["nothing.h5"], "empty"),
                (["log.csv"], "a training's log"), (["a.safetensors"], "is a network"),
                (["."], "folder"), ([], "name the surface"), (["s.h5", "l.h5"], "one surface"),
                (["s.h5", "--values", "beauty"], "train_acc"),
                (["s.h5", "--colours", "jet"], "jet"), (["s.h5", "--colour", "red"], "red"),
                (["s.h5", "--serve=x"], "port"), (["s.h5", "--serve=70000"], "port"),
                (["s.h5", "--once", "--serve"], "--serve"), (["s.h5", "--once", "--stay"], "--stay"),
                (["s.h5", "--log", "--linear"], "--linear")):
            with self.subTest(arguments=arguments):
                self.assert_refused(self.watch(*arguments), word)

    def test_help(self):
        printed = self.run_ok(self.watch("--help"))
        for flag in ("--once", "--serve", "--stay", "--colour", "--values"):
            self.assertIn(flag, printed)
        self.assertIn("landscape watch", self.run_ok([programs.landscape, "--help"]))


class GrowingTest(WatchTest):
    def line_of(self, process):
        line = process.stdout.readline()
        self.assertNotIn(ESCAPE, line)
        return line

    def test_a_line_for_every_change(self):
        process, _ = self.watching("s.h5")
        self.assertIn("s.h5: not there yet: waiting", self.line_of(process))
        self.put(4)
        self.assertIn("s.h5: 4 of 15 points, 26 %, smallest", self.line_of(process))
        self.put(9)
        self.assertRegex(self.line_of(process),
                         r"9 of 15 points, 60 %, \S+ points/s, \S+ left, smallest")
        os.remove(self.path("s.h5"))
        self.assertIn("the file is gone", self.line_of(process))
        self.put(15)
        self.assertIn("15 of 15 points, 100 %, finished", self.line_of(process))
        self.assertEqual(process.stdout.read(), "")
        self.assertEqual(process.wait(programs.TIMEOUT), 0)

    def test_beside_a_computation(self):
        process, _ = self.watching("new.h5", ready="new.h5")
        self.run_ok(self.surface("new.h5", "--save-seconds", "0"))
        said = process.stdout.read()
        self.assertEqual(process.wait(programs.TIMEOUT), 0, said)
        self.assertIn("15 of 15 points, 100 %, finished", said)

    def test_replacing_is_never_an_error(self):
        """The file is another one several hundred times, a second long."""
        self.put(3)
        whole = self.read("s.h5", "rb")
        process, _ = self.watching("s.h5", ready="s.h5")
        end = time.monotonic() + 1
        while time.monotonic() < end:
            os.rename(self.write("beside.h5", whole), self.path("s.h5"))
        self.assertIsNone(process.poll())
        self.put(15)
        self.assertTrue(process.stdout.read().endswith("\n"))
        self.assertEqual(process.wait(programs.TIMEOUT), 0)

    def test_interrupted_and_staying(self):
        self.put(15)
        process, seen = self.watching("s.h5", "--stay", ready="s.h5")
        self.assertIn("finished", seen[0])
        self.assertEqual(stop(process, signal.SIGINT), "")
        self.assertEqual(process.returncode, 130)

    def test_broken_while_it_is_watched(self):
        self.put(4)
        process, _ = self.watching("s.h5", ready="s.h5")
        self.write("s.h5", self.read("s.h5", "rb")[:1000])
        self.assertRegex(process.stdout.read(), r"\Alandscape: [^\n]*s\.h5[^\n]*\n\Z")
        self.assertEqual(process.wait(programs.TIMEOUT), 1)


if __name__ == "__main__":
    programs.main()
