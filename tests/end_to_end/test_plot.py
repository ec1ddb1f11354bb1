#!/usr/bin/env python3
"""`landscape plot` as a user runs it: figures of every kind of result, and of what is none."""

import re
import shutil
import subprocess

import programs
from landscape_test import LandscapeTest
from programs import TINY_NET, run


def words(svg):
    """The texts of an SVG, in its order."""
    found = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    return [text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for text in found]


class PlotTest(LandscapeTest):
    def plot(self, *more):
        return [programs.landscape, "plot", *more]

    def grid(self, name="s.h5", *more):
        self.run_ok(self.surface(name, *more))
        return name

    def test_a_grid_as_every_kind_and_type(self):
        self.grid()
        printed = self.run_ok(self.plot("s.h5", "--kind", "contours,lines,heat,surface", "--type",
                                        "svg,png,pdf"))
        expected = [f"s_{kind}.{kind_of_file}" for kind in ("contours", "lines", "heat", "surface")
                    for kind_of_file in ("svg", "png", "pdf")]
        self.assertEqual(printed.split(), expected)
        for name in expected:
            begin = self.read(name, "rb")[:5]
            self.assertIn(begin, (b"<?xml", b"\x89PNG\r", b"%PDF-"), name)

    def test_text_stays_text(self):
        self.grid()
        self.run_ok(self.plot("s.h5", "--kind", "contours", "--title", "a <b> & c", "--type",
                              "svg,pdf"))
        found = words(self.read("s_contours.svg"))
        self.assertIn("a <b> & c", found)
        self.assertIn("alpha (filter-normalised random direction)", found)
        self.assertIn("resnet8 (option B, width 4): cross-entropy over 50 folder training images", found)
        self.assertTrue(any("Topograd" in text for text in found))
        if not shutil.which("pdftotext"):
            self.skipTest("SKIPPED: the PDF's text, without pdftotext (poppler-utils)")
        text = subprocess.run(["pdftotext", self.path("s_contours.pdf"), "-"], capture_output=True,
                              text=True, check=True).stdout
        self.assertIn("a <b> & c", text)

    def test_svg_is_drawn_by_others_as_the_png_is(self):
        if not shutil.which("rsvg-convert"):
            self.skipTest("SKIPPED: without rsvg-convert (librsvg2-bin)")
        self.grid()
        self.run_ok(self.plot("s.h5", "--kind", "heat", "--width", "400", "--height", "320"))
        self.run_ok(["rsvg-convert", "-z", "2", "s_heat.svg", "-o", "theirs.png"])
        ours, theirs = (programs.png_pixels(self.read(name, "rb"))
                        for name in ("s_heat.png", "theirs.png"))
        self.assertEqual(ours[:2], theirs[:2])
        different = sum(abs(a - b) > 40 for a, b in zip(ours[2], theirs[2]))
        # Letters' edges, 2 %; a field that is turned over would be 20 %.
        self.assertLess(different, 0.04 * len(ours[2]))

    def test_one_scale_for_all(self):
        self.grid("a.h5")
        self.run_ok([w if w != "a.safetensors" else "b.safetensors" for w in self.surface("b.h5")])
        for flags, same in ((["--same-scale"], True), ([], False)):
            self.run_ok(self.plot("a.h5", "b.h5", "--kind", "heat", "-o", "both.svg", *flags))
            svg = self.read("both.svg")
            left, right = (self.bar(part) for part in svg.split("<g transform=\"translate(700 0)\">"))
            self.assertTrue(left)
            self.assertEqual(left == right, same)

    @staticmethod
    def bar(part):
        """Returns the levels of a colour bar: the only texts that begin beside it."""
        return re.findall(r'translate\(6\d\d\.?\d* [\d.]+\)" x="0"[^>]*>([^<]*)<', part) or \
            re.findall(r'x="0"[^>]*>([\d.]+)</text>', part)

    def test_a_line_and_its_flags(self):
        self.run_ok(self.line("l.h5", "--split", "both"))
        self.assertEqual(self.run_ok(self.plot("l.h5", "--type", "svg")).split(), ["l_curves.svg"])
        self.assertIn("test accuracy", words(self.read("l_curves.svg")))

    def test_other_values_than_the_loss(self):
        self.grid()
        self.run_ok(self.plot("s.h5", "--values", "train_acc", "--kind", "heat", "--colours",
                              "cividis"))
        self.assertIn("train accuracy (%)", words(self.read("s_train_acc_heat.svg")))
        self.fails_with(self.plot("s.h5", "--values", "beauty"), "train_acc")

    def test_a_trajectory_has_its_path(self):
        self.run_ok([programs.train, *TINY_NET, "--data", programs.images, "--epochs", "3",
                     "--checkpoint-every", "1", "--output", "run", "--threads", "1"])
        self.run_ok([programs.landscape, "trajectory", "run", "--data", programs.images, "--images",
                     "50", "--x=-1:1:4", "--y=-1:1:3", "--output", "t.h5", "--no-pictures"])
        self.run_ok(self.plot("t.h5", "--type", "svg"))
        for name in ("t_losses.svg", "t_contours.svg", "t_surface.svg"):
            self.assertTrue(any("the plane holds" in text for text in words(self.read(name))), name)
        self.assertIn("start", words(self.read("t_contours.svg")))
        self.run_ok(self.plot("t_surface.h5", "--kind", "contours", "-o", "alone.svg"))
        self.assertIn("start", words(self.read("alone.svg")))
        self.run_ok(self.plot("run/log.csv", "-o", "log.svg"))
        self.assertIn("test loss", words(self.read("log.svg")))

    def test_a_density(self):
        self.run_ok([programs.landscape, "hessian", "a.safetensors", "--data", programs.images,
                     "--images", "40", "--largest", "1", "--smallest", "1", "--density", "2",
                     "--density-steps", "8", "--output", "h.h5"])
        self.assertEqual(self.run_ok(self.plot("h.h5", "--type", "svg")).split(),
                         ["h_density.svg"])
        found = words(self.read("h_density.svg"))
        self.assertTrue(any(text.startswith("largest eigenvalue") for text in found), found)

    def test_a_scale_that_all_values_lie_beyond_is_noted(self):
        self.grid()
        self.run_ok(self.plot("s.h5", "--kind", "heat", "--vmax", "0.001", "-o", "low.svg", "--linear"))
        self.assertIn("every value lies above 0.001, the highest of this scale", words(self.read("low.svg")))
        self.run_ok(self.plot("s.h5", "--kind", "heat", "--vmin", "1e6", "-o", "high.svg"))
        self.assertTrue(any("every value lies below" in text for text in words(self.read("high.svg"))))

    def test_a_title_with_a_semicolon_is_that_of_one_file(self):
        self.grid()
        self.run_ok(self.plot("s.h5", "--kind", "heat", "--title", "before; after", "-o", "titled.svg"))
        self.assertIn("before; after", words(self.read("titled.svg")))

    def fails_with(self, command, word):
        before = programs.files_below(self.folder)
        done = run(command, self.folder)
        self.assertEqual(done.returncode in (1, 2), True, done)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertIn(word, done.stderr)
        self.assertEqual(programs.files_below(self.folder), before)

    def test_wrong_input_is_one_line(self):
        self.grid()
        whole = self.read("s.h5", "rb")
        self.write("cut.h5", whole[:len(whole) // 2])
        self.write("text.h5", b"hello")
        self.write("nothing.h5", b"")
        for arguments, word in ((["missing.h5"], "missing.h5"), (["cut.h5"], "cut.h5"),
                                (["text.h5"], "text.h5"), (["nothing.h5"], "empty"),
                                (["a.safetensors"], "is a network"), ([], "name the results"),
                                (["s.h5", "--kind", "cake"], "cake"),
                                (["s.h5", "--kind", "curves"], "grid"),
                                (["s.h5", "--type", "gif"], "gif"),
                                (["s.h5", "--colours", "jet"], "jet"),
                                (["s.h5", "--elevation", "2"], "elevation"),
                                (["s.h5", "s.h5", "--title", "a;b;c"], "3 titles for 2 files"),
                                (["s.h5", "-o", "one.pdf"], "--kind"),
                                (["s.h5", "--log", "--vmin", "0"], "--log has no place for --vmin 0"),
                                (["s.h5", "--log", "--vmax", "-1"], "--log has no place for --vmax -1"),
                                (["s.h5", "--kind", "heat", "-o", "no/where.svg"], "no/where.svg"),
                                (["s.h5", "--nonsense"], "nonsense")):
            with self.subTest(arguments=arguments):
                self.fails_with(self.plot(*arguments), word)


if __name__ == "__main__":
    programs.main()
