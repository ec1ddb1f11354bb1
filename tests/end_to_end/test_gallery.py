#!/usr/bin/python3
"""docs/gallery.md: its pictures are those that the programs draw, and none is missing.

The commands of the page run once, as docs/gallery/make.py runs them; the report's page in a browser is left out.
"""

import glob
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import programs

try:
    import pictures
except ImportError:  # of numpy
    pictures = None

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PICTURES = os.path.join(ROOT, "docs", "gallery")

loader = importlib.util.spec_from_file_location("make", os.path.join(PICTURES, "make.py"))
make = importlib.util.module_from_spec(loader)
loader.loader.exec_module(make)


def plots(text):
    """Returns the words of every `landscape plot` of the document."""
    joined = [block.replace("\\\n", " ") for block in make.commands(text)]
    return [line.split()[2:] for block in joined for line in block.splitlines()
            if line.startswith("landscape plot ")]


class Page(unittest.TestCase):
    """The document alone: nothing is computed."""

    def test_what_is_committed_is_what_is_shown(self):
        text = make.document()
        shown = make.pictures(text)
        self.assertEqual(len(shown), len(set(shown)))
        there = {name for name in os.listdir(PICTURES) if name not in ("make.py", "__pycache__")}
        self.assertEqual(there, set(shown))
        self.assertLess(sum(os.path.getsize(os.path.join(PICTURES, name)) for name in there), 1.5e6)

    def test_every_picture_follows_the_command_that_makes_it(self):
        text = make.document()
        for name in [*make.pictures(text), *make.texts(text)]:
            before = text[:text.index(f"gallery/{name}")]
            made = [block for block in make.commands(text) if f"gallery/{name}" in block]
            if not made:  # one of several of a command
                stem = name.rsplit("_", 1)[0] if name.count("_") < 2 else name.split("_")[0]
                made = [block for block in make.commands(text) if re.search(rf"gallery/{stem}\n", block)]
            self.assertEqual(len(made), 1, name)
            self.assertTrue(f"gallery/{name}" in made[0] or made[0] in before, name)

    def test_every_kind_that_plot_knows_is_shown(self):
        refused = programs.run([programs.landscape, "plot", "x.h5", "--kind", "cake"], ROOT).stderr
        kinds = re.search(r"choose (.*)", refused).group(1).replace(" or ", ", ").split(", ")
        self.assertIn("slices", kinds)
        drawn = {kind for words in plots(make.document()) if "--kind" in words
                 for kind in words[words.index("--kind") + 1].split(",")}
        self.assertEqual(set(kinds) - {"curves"}, drawn)  # curves: a line's, without a word


@unittest.skipUnless(pictures, "SKIPPED: python3-numpy is missing")
@unittest.skipUnless(shutil.which("rsvg-convert"), "SKIPPED: without rsvg-convert (librsvg2-bin)")
class Made(unittest.TestCase):
    """What the commands make, beside what is committed."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="topograd_gallery_")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.text = make.document()
        make.run(make.commands(cls.text), os.path.dirname(programs.landscape), cls.folder, ["chromium"])

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def test_pictures_are_those_of_the_programs(self):
        made = [name for name in make.pictures(self.text) if os.path.exists(self.path("gallery", name))]
        self.assertEqual(set(make.pictures(self.text)) - set(made), {"report.png"})
        for name in made:
            largest, mean = pictures.difference(self.path("gallery", name), os.path.join(PICTURES, name))
            with self.subTest(name=name, largest=largest, mean=mean):
                self.assertLessEqual(largest, pictures.LARGEST)
                self.assertLessEqual(mean, pictures.MEAN)
        for name, contents in make.texts(self.text).items():
            with open(self.path("gallery", name)) as file:
                now = file.read()
            differ = sum(a != b for a, b in zip(now, contents)) + abs(len(now) - len(contents))
            self.assertLess(differ, 0.05 * len(now), name)

    def test_all_that_is_drawn_is_shown(self):
        self.assertEqual(set(os.listdir(self.path("gallery"))) | {"report.png"},
                         {*make.pictures(self.text), *make.texts(self.text)})

    def test_every_kind_of_result_is_drawn(self):
        with open(os.path.join(ROOT, "landscape", "plots", "result_plots.cpp")) as file:
            table = re.search(r"constexpr KindPlots kPlots\[\] = \{(.*?)\n\};", file.read(), re.S).group(1)
        known = set(re.findall(r'^    \{"(\w+)"', table, re.M))
        self.assertIn("coherence", known)
        drawn, lines = set(), 0
        for words in plots(self.text):
            for word in words[:next(i for i, word in enumerate(words) if word[0] == "-")]:
                done = programs.run([programs.landscape, "export", word, "--format", "json", "-o", "exported"],
                                    self.folder)
                self.assertEqual(done.returncode, 0, done.stderr)
                record, = glob.glob(self.path("exported", "*.json"))
                with open(record) as file:
                    contents = json.load(file)
                os.remove(record)
                drawn.add(contents["kind"])
                lines += contents["kind"] == "surface" and "y" not in contents["arrays"]
        self.assertEqual(drawn, known | {"damping"})  # and one of a kind that has no plots of its own
        self.assertGreater(lines, 0)

    def altered(self, name, pattern, replacement):
        """Returns a copy of a picture that is changed in one place."""
        with open(self.path("gallery", name)) as file:
            svg = file.read()
        changed, count = re.subn(pattern, replacement, svg, count=1)
        self.assertEqual(count, 1, pattern)
        with open(self.path("altered.svg"), "w") as file:
            file.write(changed)
        return self.path("altered.svg")

    def test_changes_are_seen_and_rounding_is_not(self):
        contours = self.path("gallery", "contours.svg")

        def drawn(*words):
            subprocess.run([programs.landscape, "plot", "runs/first/model_surface.h5", "--kind", "contours", "--footer",
                            "off", "-o", "other.svg", *words], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
            return self.path("other.svg")

        self.assertEqual(pictures.difference(drawn(), contours), (0, 0))
        for words in (["--colours", "plasma"], ["--log"], ["--vmax", "2"], ["--title", "other"]):
            self.assertFalse(pictures.look_alike(drawn(*words), contours), words)
        # The star of theta*, a label of an axis, one number beside it.
        for what, with_what in ((r'<path d="[^"]*" fill="#cc0d1a"/>\n', ""),
                                (r'(<text transform="translate\([\d.]+ )([\d.]+)(\)" [^>]*>alpha)',
                                 lambda found: f"{found[1]}{float(found[2]) + 5}{found[3]}"),
                                (r">−1.0</text>", "></text>")):
            self.assertFalse(pictures.look_alike(self.altered("contours.svg", what, with_what), contours), what)
        # The last digit of a number, the last bits of a line.
        digit = self.altered("contours.svg", r"(θ\* and minimum: [\d.]*)(\d)<",
                             lambda found: f"{found[1]}{(int(found[2]) + 1) % 10}<")
        self.assertTrue(pictures.look_alike(digit, contours), pictures.difference(digit, contours))
        self.assertTrue(pictures.look_alike(drawn("--vmin", "0.0001"), drawn("--vmin", "0.000100001")))


if __name__ == "__main__":
    programs.main()
