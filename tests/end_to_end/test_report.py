#!/usr/bin/env python3
"""`landscape report` as a user runs it: what it takes, what it refuses, what it writes.

What the page shows is tested in tests/report."""

import json
import os
import re

import programs
from landscape_test import LandscapeTest
from programs import doubles


def report_in(page):
    """The JSON that stands in a page."""
    found = re.search(r'<script type="application/json" id="report-data">(.*?)</script>', page,
                      re.DOTALL)
    return json.loads(found.group(1))


class ReportTest(LandscapeTest):
    def setUp(self):
        super().setUp()
        done = programs.run([programs.landscape, "report", "absent.h5"], self.folder)
        if "built without the report's page" in done.stderr:
            self.skipTest("SKIPPED: built without Node.js")

    def report(self, *files):
        return [programs.landscape, "report", *files]

    def results(self, *names):
        """Makes results of these kinds; returns their files."""
        on_data = ["--data", programs.images, "--images", "50", "--threads", "1"]
        commands = {
            "s.h5": self.surface("s.h5", "--seed", "3"),
            "l.h5": self.line("l.h5"),
            "h.h5": [programs.landscape, "hessian", "a.safetensors", *on_data, "--output", "h.h5",
                     "--largest", "2", "--trace", "6", "--density", "1", "--density-steps", "6"],
            "over.h5": [programs.landscape, "hessian", "a.safetensors", *on_data, "--output",
                        "over.h5", "--over", "s.h5", "--tolerance", "0.05", "--no-pictures"],
            "sharp.h5": [programs.landscape, "sharpness", "a.safetensors", *on_data, "--output",
                         "sharp.h5", "--measures", "sam,expected_sharpness"],
            "coherence.h5": [programs.landscape, "coherence", "a.safetensors", *on_data, "--output",
                             "coherence.h5", "--batches", "4", "--batch-size", "10"],
            "paths.h5": [programs.landscape, "connect", "a.safetensors", "b.safetensors", *on_data,
                         "--output", "paths.h5", "--points", "5"],
        }
        for name in names:
            self.run_ok(commands[name], stderr=None)
        return list(names)


class Pages(ReportTest):
    def test_every_kind_of_result(self):
        files = self.results("s.h5", "l.h5", "h.h5", "over.h5", "sharp.h5", "coherence.h5",
                             "paths.h5")
        self.run_ok([programs.train, *self.TRAINING, "--data", programs.images, "--output", "run",
                     "--checkpoint-every", "1"], stderr=None)
        self.run_ok([programs.landscape, "trajectory", "run", "--data", programs.images, "--images",
                     "50", "--x=-1:1:3", "--y=-1:1:3", "--output", "t.h5", "--no-pictures"],
                    stderr=None)
        files += ["run/log.csv", "t.h5", "t_surface.h5"]
        printed = self.run_ok(self.report(*files, "-o", "page.html"))
        self.assertRegex(printed, r"\Apage\.html: 10 results, \d\.\d MB\n\Z")
        report = report_in(self.read("page.html"))
        self.assertEqual([result["kind"] for result in report["results"]],
                         ["surface", "surface", "curvature", "surface", "sharpness", "coherence",
                          "paths", "training_log", "trajectory", "surface"])
        self.assertEqual([result["file"] for result in report["results"]], files)

    def test_a_surfaces_values_are_the_files(self):
        self.results("s.h5")
        self.run_ok(self.report("s.h5"))
        shown, = report_in(self.read("report.html"))["results"]
        found = self.planes("s.h5")
        arrays = shown["arrays"]
        self.assertEqual(arrays["x"]["values"], doubles(found["xcoordinates"]))
        self.assertEqual(arrays["y"]["values"], doubles(found["ycoordinates"]))
        self.assertEqual(sum(arrays["done"]["values"], []), 15 * [True])
        for name in ("train_loss", "train_acc", "train_loss_se", "train_correct"):
            self.assertEqual(sum(arrays[name]["values"], []), doubles(found[name]))
        self.assertIn("model_hash", shown["provenance"])

    def test_points_to_do_and_losses_that_are_not_finite(self):
        self.results("s.h5")
        with programs.Hdf5(self.path("s.h5"), writable=True) as file:
            loss, done = (programs.doubles(file.read(name)) for name in ("train_loss", "done"))
            file.write("train_loss", [float("nan"), float("inf"), -1, *loss[3:]])
            file.write("done", [*done[:2], 0, *done[3:]])
        self.run_ok(self.report("s.h5"))
        shown, = report_in(self.read("report.html"))["results"]
        arrays = shown["arrays"]
        self.assertEqual(arrays["train_loss"]["values"][0][:3], [None, "infinity", None])
        self.assertEqual(sum(arrays["done"]["values"], []), [True, True, False] + 12 * [True])

    def test_the_numbers_are_those_of_export(self):
        """One JSON format: a result in a page is what landscape export writes of it."""
        self.results("s.h5", "h.h5")
        self.run_ok(self.report("s.h5", "h.h5"))
        self.run_ok([programs.landscape, "export", "s.h5", "h.h5", "--format", "json"])
        for name, shown in zip("sh", report_in(self.read("report.html"))["results"]):
            self.assertEqual(shown, json.loads(self.read(f"{name}.json")))

    def test_titles(self):
        self.results("s.h5")
        self.run_ok(self.report("s.h5"))
        self.assertRegex(self.read("report.html"), r"<title>resnet8 .*</title>")
        title = "</script><b> & <!-- \u00e9"
        self.run_ok(self.report("s.h5", "--title", title, "--plane", "train_acc"))
        page = self.read("report.html")
        self.assertIn("<title>&lt;/script&gt;&lt;b&gt; &amp; &lt;!-- \u00e9</title>", page)
        self.assertNotIn("</script><b>", page)
        self.assertEqual(report_in(page)["title"], title)
        self.assertEqual(report_in(page)["plane"], "train_acc")

    def test_nothing_is_fetched(self):
        self.results("s.h5")
        self.run_ok(self.report("s.h5"))
        page = self.read("report.html")
        self.assertIn("default-src 'none'", page)
        self.assertIsNone(re.search(r"<(script|link|img)[^>]*(src|href)=[\"']?(http|//)", page))

    def test_help(self):
        printed = self.run_ok(self.report("--help"))
        for word in ("--output", "--title", "--plane"):
            self.assertIn(word, printed)
        self.assertIn("landscape report", self.run_ok([programs.landscape, "--help"]))


class Refusals(ReportTest):
    def test_what_is_no_result(self):
        self.results("s.h5")
        whole = self.read("s.h5", "rb")
        self.write("truncated.h5", whole[:len(whole) // 2])
        self.write("text.h5", b"not HDF5 at all\n")
        self.write("empty.h5", b"")
        for name in ("truncated.h5", "text.h5", "empty.h5", "absent.h5", "a.safetensors"):
            with self.subTest(name=name):
                self.assert_refused(self.report("s.h5", name), name)

    def test_a_broken_log(self):
        self.write("log.csv", b"epoch,learning_rate,\n1,")
        self.assert_refused(self.report("log.csv"), "log.csv")

    def test_wrong_flags(self):
        self.assert_refused(self.report(), "nothing to show", "landscape report")
        self.results("s.h5")
        self.assert_refused(self.report("s.h5", "--no-such-flag"), "no-such-flag")
        self.assert_refused(self.report("s.h5", "--plane", "lambda_max"), "lambda_max",
                            "train_loss")

    def test_where_the_page_cannot_go(self):
        self.results("s.h5")
        os.mkdir(self.path("folder"))
        self.assert_refused(self.report("s.h5", "-o", "absent/page.html"), "absent/page.html")
        self.assert_refused(self.report("s.h5", "-o", "folder"), "folder")
        self.assert_refused(self.report("s.h5", "-o", "s.h5"), "s.h5", "another output")
        self.assert_refused(self.report("s.h5", "-o", "full.html"), "full.html",
                            preexec_fn=programs.limit_file_size(100000))


if __name__ == "__main__":
    programs.main()
