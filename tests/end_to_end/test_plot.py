#!/usr/bin/env python3
"""`landscape plot` as a user runs it: figures of every kind of result, and of what is none."""

import csv
import math
import re
import shutil
import subprocess
import xml.etree.ElementTree

import programs
from landscape_test import LandscapeTest
from programs import TINY_NET, planes, run


def words(svg):
    """The texts of an SVG, in its order."""
    found = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    return [text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for text in found]


class TextBox:
    """The box around a text of an SVG, from its capitals' feet to their heads."""

    def __init__(self, element, origin, factor):
        numbers = [float(number) for number in
                   re.findall(r"-?[\d.]+", element.get("transform"))]
        x, y, angle = numbers[0], numbers[1], math.radians(numbers[2] if len(numbers) > 2 else 0)
        width, size = float(element.get("textLength")), float(element.get("font-size"))
        left, half = float(element.get("x")), 0.5 * 0.73 * size
        self.words = element.text
        self.size = factor * size
        self.corners = [(origin[0] + factor * (x + u * math.cos(angle) - v * math.sin(angle)),
                         origin[1] + factor * (y + u * math.sin(angle) + v * math.cos(angle)))
                        for u, v in ((left, -half), (left + width, -half), (left + width, half),
                                     (left, half))]
        xs, ys = zip(*self.corners)
        self.left, self.right, self.top, self.bottom = min(xs), max(xs), min(ys), max(ys)

    def overlaps(self, other):
        """Whether no line along a side of one of them parts the two boxes."""
        if (self.right <= other.left or other.right <= self.left or self.bottom <= other.top
                or other.bottom <= self.top):
            return False  # most of them, at once
        for one in (self, other):
            for (ax, ay), (bx, by) in zip(one.corners, one.corners[1:]):
                ranges = [[(bx - ax) * x + (by - ay) * y for x, y in box.corners]
                          for box in (self, other)]
                length = math.hypot(bx - ax, by - ay)
                if (max(ranges[0]) <= min(ranges[1]) + 0.05 * length or
                        max(ranges[1]) <= min(ranges[0]) + 0.05 * length):
                    return False
        return True


def text_boxes(svg):
    """The boxes of an SVG's texts, through the groups they are in; and the page's size."""
    def inside(element, origin, factor):
        for child in element:
            tag = child.tag.split("}")[1]
            if tag == "text":
                yield TextBox(child, origin, factor)
            if tag == "g":
                transform = child.get("transform") or ""
                numbers = [float(number) for number in re.findall(r"-?[\d.]+", transform)]
                if transform.startswith("translate"):
                    moved = (origin[0] + factor * numbers[0], origin[1] + factor * numbers[1])
                    yield from inside(child, moved, factor)
                else:
                    scale = numbers[0] if transform.startswith("scale") else 1
                    yield from inside(child, origin, factor * scale)
    root = xml.etree.ElementTree.fromstring(svg)
    return (list(inside(root, (0, 0), 1)),
            (float(root.get("width")), float(root.get("height"))))


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

    def test_labels_never_overlap_in_any_style(self):
        self.grid()
        self.run_ok(self.line("l.h5", "--split", "both"))
        self.run_ok([programs.train, *TINY_NET, "--data", programs.images, "--epochs", "3",
                     "--checkpoint-every", "1", "--output", "run", "--threads", "1"])
        self.run_ok([programs.train, *TINY_NET, "--data", programs.images, "--epochs", "2",
                     "--output", "other", "--threads", "1"])
        self.run_ok([programs.landscape, "trajectory", "run", "--data", programs.images, "--images",
                     "50", "--x=-1:1:4", "--y=-1:1:3", "--output", "t.h5", "--no-pictures"])
        for name, density in (("d.h5", ["--density", "2", "--density-steps", "8"]), ("e.h5", [])):
            self.run_ok([programs.landscape, "hessian", "a.safetensors", "--data", programs.images,
                         "--images", "40", "--largest", "2", "--smallest", "1", "--output", name,
                         *density])
        kinds = ["--kind", "contours,lines,heat,surface,slices"]
        for style in ("screen", "paper", "talk"):
            drawn = []
            for arguments in (["s.h5", *kinds], ["s.h5", "--values", "train_acc", *kinds],
                              ["l.h5"], ["t.h5"], ["d.h5"], ["e.h5"], ["run/log.csv"],
                              ["run/log.csv", "other/log.csv", "-o", "both"]):
                drawn += self.run_ok(self.plot(*arguments, "--style", style, "--type",
                                               "svg")).split()
            self.assertEqual(len(drawn), 19)
            for name in drawn:
                boxes, (width, height) = text_boxes(self.read(name))
                self.assertGreater(len(boxes), 5, name)
                for i, box in enumerate(boxes):
                    for x, y in box.corners:
                        self.assertTrue(0 <= x <= width and 0 <= y <= height,
                                        (style, name, box.words))
                    for other in boxes[:i]:
                        self.assertFalse(box.overlaps(other),
                                         (style, name, box.words, other.words))

    def test_sizes_and_letters_are_those_of_the_style_or_as_typed(self):
        self.grid()

        def page(*more):
            self.run_ok(self.plot("s.h5", "--kind", "heat", "-o", "page.svg", *more))
            boxes, size = text_boxes(self.read("page.svg"))
            number = next(box for box in boxes if box.words in ("0.0", "0"))
            return [box.words for box in boxes], size[0], number.size * 72 / 96

        words_of_screen, width, size = page()
        self.assertEqual((width, round(size, 2)), (700, 8.25))
        self.assertTrue(any("Topograd" in text for text in words_of_screen))
        words_of_paper, width, size = page("--style", "paper")
        self.assertEqual((width, round(size, 2)), (322, 7))
        self.assertFalse(any("Topograd" in text or "resnet" in text for text in words_of_paper))
        for typed, expected in (("3.3in", 317), ("85mm", 322), ("240pt", 320), ("500px", 500),
                                ("500", 500)):
            self.assertEqual(page("--width", typed)[1], expected)
        self.assertEqual(round(page("--font-size", "9")[2], 2), 9)
        with_all, _, _ = page("--style", "paper", "--footer", "on", "--title", "Network")
        self.assertTrue(any("Topograd" in text or text.endswith("…") for text in with_all))
        self.assertIn("Network", with_all)
        self.assertFalse(any("Topograd" in text for text in page("--footer", "off")[0]))
        page("--font", "DejaVu Serif")
        self.assertIn("'DejaVu Serif'", self.read("page.svg"))

    def test_eps_is_one_file_and_png_has_the_resolution(self):
        self.grid()
        before = programs.files_below(self.folder)
        self.assertEqual(self.run_ok(self.plot("s.h5", "--kind", "surface", "-o", "x.eps")),
                         "x.eps\n")
        self.assertEqual(set(programs.files_below(self.folder)) - set(before), {"x.eps"})
        self.assertTrue(self.read("x.eps", "rb").startswith(b"%!PS-Adobe-3.0 EPSF"))
        for dpi, width in (("96", 700), ("300", round(700 * 300 / 96))):
            self.run_ok(self.plot("s.h5", "--kind", "heat", "-o", "x.png", "--dpi", dpi))
            header = self.read("x.png", "rb")[16:20]
            self.assertEqual(int.from_bytes(header, "big"), width)
        self.run_ok(self.plot("s.h5", "--kind", "heat", "-o", "x.svg", "--transparent"))
        self.assertNotIn('<rect width="100%"', self.read("x.svg"))
        for colours in ("magma", "plasma", "greys", "coolwarm"):
            self.run_ok(self.plot("s.h5", "--kind", "contours", "-o", "x.pdf", "--colours", colours))

    def test_pictures_for_latex(self):
        self.grid()
        self.run_ok(self.line("l.h5", "--split", "both"))
        style = ["--style", "paper", "--width", "8.5cm", "--title", r"50 % of $x_1$ & {\y}~^#"]
        names = self.run_ok(self.plot("s.h5", "--kind", "contours,lines,heat,surface,slices", "--type",
                                      "tex", *style)).split()
        names += self.run_ok(self.plot("l.h5", "-o", "l.tex", *style)).split()
        self.assertEqual(names, [f"s_{kind}.tex" for kind in ("contours", "lines", "heat", "surface", "slices")]
                         + ["l.tex"])
        for name in names:
            tex = self.read(name)
            self.assertTrue(tex.endswith("\\end{tikzpicture}%\n"), name)
            self.assertIn("{50 \\% of \\$x\\_1\\$ \\& \\{\\textbackslash{}y\\}", tex, name)
            self.assertIn("(0,0) rectangle (240.94,", tex, name)  # 8.5 cm
            self.assertRegex(tex, r"\\fontsize\{7\}\{8\.4\}", name)
            self.assertIn("$\\alpha $", tex, name)
            defined = re.findall(r"\\definecolor\{(c\d+)\}\{HTML\}\{(\w{6})\}", tex)
            self.assertEqual(len(defined), len({colour for _, colour in defined}), name)
            self.assertEqual(set(re.findall(r"[\[=](c\d+)[\],]", tex)), {name for name, _ in defined})
        self.run_ok(self.plot("s.h5", "--kind", "heat", "-o", "again.tikz", *style))
        self.assertEqual(self.read("again.tikz"), self.read("s_heat.tex"))
        if not shutil.which("pdflatex"):
            self.skipTest("SKIPPED: TeX's opinion of them, without pdflatex (texlive-latex-base, texlive-pictures)")
        pictures = "\\par\n".join(f"\\noindent\\input{{{name}}}" for name in names)
        self.write("paper.tex", ("\\documentclass{article}\\usepackage{tikz}\\textwidth8.5cm\n"
                                 f"\\begin{{document}}\n{pictures}\n\\end{{document}}\n").encode())
        said = self.run_ok(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
                           stderr=None)  # it may make fonts
        self.assertIn("Output written on paper.pdf", said)
        self.assertNotIn("Overfull", said)

    def test_the_numbers_behind_a_figure(self):
        self.grid()

        def table(name):
            return list(csv.reader(self.read(name).splitlines()))

        printed = self.run_ok(self.plot("s.h5", "--type", "svg", "--data-out", "n.csv")).split()
        self.assertEqual(printed[-1], "n.csv")  # one table for all three figures
        rows = table("n.csv")
        self.assertEqual(rows[0], ["alpha", "beta", "cross-entropy"])
        values = programs.doubles(planes(self.path("s.h5"))["train_loss"])
        self.assertEqual([float(row[2]) for row in rows[1:]], list(values))
        self.assertEqual([float(row[0]) for row in rows[1:6]], [-1, -0.5, 0, 0.5, 1])
        printed = self.run_ok(self.plot("s.h5", "--kind", "heat,slices", "--type", "svg",
                                        "--data-out", "two.csv")).split()
        self.assertEqual(printed[-2:], ["two_heat.csv", "two_slices.csv"])
        self.assertEqual(table("two_slices.csv")[0][1:3], ["along alpha", "along alpha, standard error"])

    def test_several_trainings_are_one_figure(self):
        for name, seed in (("first", "0"), ("second", "1")):
            self.run_ok([programs.train, *TINY_NET, "--data", programs.images, "--epochs", "2",
                         "--seed", seed, "--output", name, "--threads", "1"])
        self.assertEqual(self.run_ok(self.plot("first/log.csv", "second/log.csv", "-o", "l.svg",
                                               "--data-out", "l.csv")).split(), ["l.svg", "l.csv"])
        found = words(self.read("l.svg"))
        for text in ("first, train loss", "second, test accuracy"):
            self.assertIn(text, found)
        best = [text for text in found if text.startswith("highest")]
        self.assertEqual(len(best), 1)
        self.assertRegex(best[0], r"^highest (first|second), test accuracy: [\d.]+ % at [12]$")
        self.assertEqual(len(self.read("l.csv").splitlines()), 3)

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
                                (["s.h5", "-o", "one.jpg"], ".svg, .pdf, .png, .eps or .tex"),
                                (["s.h5", "--width", "8parsec"], "8.5cm"),
                                (["s.h5", "--width", "-3cm"], "--width"),
                                (["s.h5", "--style", "paper", "--width", "4cm"], "no room"),
                                (["s.h5", "--style", "poster"], "poster"),
                                (["s.h5", "--footer", "perhaps"], "on or off"),
                                (["s.h5", "--dpi", "2400", "--width", "8000"], "--dpi"),
                                (["s.h5", "--data-out", "s.h5"], ".csv"),
                                (["s.h5", "--log", "--vmin", "0"], "--log has no place for --vmin 0"),
                                (["s.h5", "--log", "--vmax", "-1"], "--log has no place for --vmax -1"),
                                (["s.h5", "--kind", "heat", "-o", "no/where.svg"], "no/where.svg"),
                                (["s.h5", "--nonsense"], "nonsense")):
            with self.subTest(arguments=arguments):
                self.fails_with(self.plot(*arguments), word)


if __name__ == "__main__":
    programs.main()
