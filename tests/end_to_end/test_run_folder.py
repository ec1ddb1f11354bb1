#!/usr/bin/env python3
"""A training's folder as what commands are given, and what they say of data that nobody named."""

import os
import shutil
import tempfile

import programs
from programs import EndToEndTest, run

SMALL = ["--images", "40", "--x=-1:1:3", "--y=-1:1:3", "--no-pictures", "--threads", "1"]


class RunFolderTest(EndToEndTest):
    """Two finished trainings, runs/one and runs/two."""

    trained = None

    def setUp(self):
        super().setUp()
        if RunFolderTest.trained is None:
            RunFolderTest.trained = tempfile.TemporaryDirectory()
            for name, seed in (("one", "1"), ("two", "2")):
                done = run(self.training(f"runs/{name}", "--seed", seed), RunFolderTest.trained.name)
                self.assertEqual(done.returncode, 0, done.stderr)
        shutil.copytree(os.path.join(RunFolderTest.trained.name, "runs"), self.path("runs"))

    def training(self, output, *more):
        return [programs.train, "--data", programs.images, *programs.TINY_NET, "--epochs", "1", "--batch-size", "50",
                "--threads", "1", "--output", output, *more]

    def landscape(self, *words, **how):
        return self.run_ok([programs.landscape, *words], **how)

    def refused(self, command, *words):
        self.assert_refused([programs.landscape, *command], *words)


class Networks(RunFolderTest):
    def test_a_folder_is_its_network_and_results_lie_beside_it(self):
        printed = self.landscape("surface", "runs/one", *SMALL, stderr=None)
        self.assertIn("runs/one/model_surface.h5: 9 points", printed)
        self.landscape("surface", "runs/one/model.safetensors", *SMALL, "-o", "same.h5", stderr=None)
        self.assertEqual(programs.planes(self.path("runs/one/model_surface.h5")), programs.planes(self.path("same.h5")))
        self.landscape("line", "runs/one/", "runs/two", "--x=0:1:3", *SMALL[:2], *SMALL[4:], stderr=None)
        self.assertTrue(os.path.exists(self.path("runs/one/model_line.h5")))
        self.landscape("hessian", "runs/two", *SMALL[:2], *SMALL[4:], "--largest", "1", "--smallest", "0", stderr=None)
        self.assertTrue(os.path.exists(self.path("runs/two/model_hessian.h5")))
        self.landscape("connect", "runs/one", "runs/two", *SMALL[:2], *SMALL[4:], "--points", "3", stderr=None)
        self.assertTrue(os.path.exists(self.path("runs/one/model_to_two_connect.h5")))

    def test_a_training_that_has_not_finished(self):
        os.remove(self.path("runs/one/model.safetensors"))
        self.refused(["surface", "runs/one", *SMALL], "has not finished", "--resume", "runs/one/last.safetensors")
        os.remove(self.path("runs/one/last.safetensors"))
        self.refused(["hessian", "runs/one"], "runs/one is a folder without model.safetensors")


class Data(RunFolderTest):
    def test_the_data_are_those_of_the_training(self):
        named = self.landscape("surface", "runs/one", *SMALL, "--data", programs.images, "-o", "named.h5", stderr=None)
        own = self.landscape("surface", "runs/one", *SMALL, "-o", "own.h5", stderr=None)
        self.assertEqual(named.split(";")[0].replace("named", "own"), own.split(";")[0])
        self.assertEqual(programs.planes(self.path("own.h5")), programs.planes(self.path("named.h5")))
        printed = self.run_ok([programs.train, "--evaluate", "runs/one/model.safetensors"])
        self.assertEqual(printed, self.run_ok([programs.train, "--evaluate", "runs/one/model.safetensors", "--data",
                                               programs.images]))
        self.assertIn("folder test: loss", printed)

    def test_data_that_moved_or_changed(self):
        shutil.copytree(programs.images, self.path("images"))
        self.run_ok(self.training("here", "--data", "images"), stderr=None)
        os.rename(self.path("images"), self.path("elsewhere"))
        self.refused(["surface", "here", *SMALL], "was trained on the images of images, which is not here", "--data")
        os.rename(self.path("elsewhere"), self.path("images"))
        self.landscape("surface", "here", *SMALL, "-o", "before.h5", stderr=None)
        folder = self.path("images/train/class 0")
        os.remove(os.path.join(folder, sorted(os.listdir(folder))[0]))
        self.refused(["surface", "here", *SMALL], "was trained on other images than images holds now")
        self.assert_refused([programs.train, "--evaluate", "here/model.safetensors"], "other images")
        # Named, they are what is asked for.
        self.landscape("surface", "here", *SMALL, "--data", "images", "-o", "named.h5", stderr=None)

    def test_a_network_that_does_not_say(self):
        whole = self.read("runs/one/model.safetensors", "rb")
        self.write("foreign.safetensors", programs.with_metadata(whole, data_source=None))
        self.refused(["surface", "foreign.safetensors", *SMALL], "does not say which images it was trained on", "--data")

    def test_training_needs_data_and_alone_shows_its_help(self):
        self.assert_refused([programs.train, *programs.TINY_NET], "--data", "synthetic")
        self.assertIn("Usage", self.run_ok([programs.train]))
        self.assertEqual(sorted(os.listdir(self.folder)), ["runs"])


class BeforeALongRun(RunFolderTest):
    def test_a_dry_run_says_what_would_be_done_and_writes_nothing(self):
        before = programs.files_below(self.folder)
        for command, words in [
                (["surface", "runs/one", "--x=-1:1:9", "--y=-1:1:7"], "runs/one/model_surface.h5: 9x7 points around one, "),
                (["line", "runs/one", "runs/two", "--x=0:1:5", "--split", "both"], "model_line.h5: 5 points around one, "),
                (["surface", "runs/one", *SMALL, "--dir-file", "d.h5"], "each over 40 folder training images; about ")]:
            done = run([programs.landscape, *command, "--dry-run"], self.folder)
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
            self.assertIn(words, done.stderr)
            self.assertRegex(done.stderr, r"; about (\d+:)?\d+:\d\d with \d+ threads?\n$")
        printed = self.run_ok(self.training("runs/three", "--epochs", "30", "--dry-run"))
        self.assertRegex(printed, r"30 epochs of \d+ steps into runs/three; about (\d+:)?\d+:\d\d\n$")
        self.assertEqual(programs.files_below(self.folder), before)

    def test_what_is_done_is_taken_off(self):
        self.landscape("surface", "runs/one", *SMALL, stderr=None)
        done = run([programs.landscape, "surface", "runs/one", *SMALL, "--dry-run"], self.folder)
        self.assertIn("3x3 points around one, resnet8 (option B, width 4), 9 done, ", done.stderr)
        self.assertIn("about 0:00", done.stderr)


class Notes(RunFolderTest):
    def test_points_without_a_finite_loss(self):
        printed = self.landscape("line", "runs/one", "runs/two", "--x=-20:20:5", *SMALL[:2], *SMALL[4:], stderr=None)
        self.assertRegex(printed, r"note: at \d of 5 points the train loss is not finite: .* --bn recompute")
        planes = programs.planes(self.path("runs/one/model_line.h5"))
        losses, accuracies = (programs.doubles(planes[name]) for name in ("train_loss", "train_acc"))
        self.assertTrue(any(loss != loss for loss in losses))
        self.assertEqual([a != a for a in accuracies], [loss != loss for loss in losses])

    def test_images_of_a_target(self):
        printed = self.landscape("surface", "runs/one", *SMALL[2:], "--target-se", "1e-9", "--population", "kind", stderr=None)
        self.assertRegex(printed, r"note: points took \d+ to \d+ train images, \d+ in the median; at \d of 9 all of them "
                                  r"were too few for --target-se 1e-09")

    def test_statistics_that_stay_put(self):
        done = run([programs.landscape, "surface", "runs/one", *SMALL, "--bn", "states"], self.folder)
        self.assertIn("note: BatchNorm's statistics stay where they are: --ignore biasbn", done.stderr)
        done = run([programs.landscape, "surface", "runs/two", *SMALL, "--bn", "states", "--ignore", "none"], self.folder)
        self.assertNotIn("stay where", done.stderr)

    def test_both_losses(self):
        self.landscape("surface", "runs/one", *SMALL, "--loss", "both", stderr=None)
        self.assertIn("train_loss_mse", programs.planes(self.path("runs/one/model_surface.h5")))


class Results(RunFolderTest):
    def test_ls(self):
        self.landscape("surface", "runs/one", *SMALL, stderr=None)
        printed = self.landscape("ls", "runs/one")
        for words in ("runs/one:", "model.safetensors", "resnet8 (option B, width 4)", "of folder", "1 epoch", "% test error",
                      "a training's log", "a surface of one", "9 of 9 values"):
            self.assertIn(words, printed)
        self.assertNotIn("to continue", printed)
        with programs.Hdf5(self.path("runs/one/model_surface.h5"), writable=True) as file:
            done = list(programs.doubles(file.read("done")))
            file.write("done", done[:-2] + [0, 0])
        self.write("runs/one/note.txt", b"mine")
        self.write("runs/one/broken.safetensors", b"mine")
        printed = self.landscape("ls", "runs/one", "runs/two")
        self.assertIn("7 of 9 values", printed)
        self.assertRegex(printed, r"to continue: \S*landscape surface runs/one .*\n")
        self.assertRegex(printed, r"broken\.safetensors +cannot be read")
        self.assertIn("runs/two:", printed)
        self.assertNotIn("note.txt", printed)
        self.refused(["ls", "nowhere"], "nowhere is no folder")
        os.mkdir(self.path("empty"))
        self.assertIn("neither a network nor a result", self.landscape("ls", "empty"))

    def test_a_training_that_can_be_continued(self):
        process, _ = programs.start(self.training("long", "--epochs", "500"), self.folder, ("resnet8: ",))
        programs.stop(process, 2)
        self.assertRegex(self.landscape("ls", "long"), r"training after \d+ of 500 epochs\n(.*\n)* +to continue: .*--resume")

    def test_folders_of_results(self):
        self.landscape("surface", "runs/one", *SMALL, "--dir-file", "runs/one/d.h5", stderr=None)
        self.landscape("surface", "runs/two", *SMALL, stderr=None)
        self.assertIn("4 results", self.landscape("report", "runs/one", "runs/two", "-o", "r.html"))
        done = run([programs.landscape, "plot", "runs/one", "-o", "all", "--type", "svg"], self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "landscape plot: note: runs/one/log.csv: a curve needs two epochs, there are 1: it is "
                                      "left out\n")
        self.refused(["plot", "runs/one/log.csv"], "two epochs")
        self.assertIn("all_heat.svg", os.listdir(self.folder))
        printed = self.landscape("compare", "runs/one", "runs/two")
        self.assertIn("runs/one/model_surface.h5 | runs/two/model_surface.h5", printed)
        self.refused(["compare", "runs/one", "runs/two/log.csv"], "folders alone")
        os.mkdir(self.path("empty"))
        self.refused(["plot", "empty"], "empty holds no results")

    def test_directions_among_results_are_left_out_with_a_note(self):
        self.landscape("surface", "runs/one", *SMALL, "--dir-file", "runs/one/d.h5", stderr=None)
        done = run([programs.landscape, "report", "runs/one/d.h5", "runs/one/model_surface.h5", "-o", "r.html"],
                   self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("note: runs/one/d.h5 holds directions, not results", done.stderr)
        self.refused(["report", "runs/one/d.h5"], "holds directions, not results")

    def test_figures_are_titled_by_the_run_s_name(self):
        self.landscape("surface", "runs/two", *[word for word in SMALL if word != "--no-pictures"], stderr=None)
        picture = self.read("runs/two/model_surface_heat.svg")
        self.assertRegex(picture, r">two</text>")
        self.assertIn("resnet8 (option B, width 4): cross-entropy over 40 folder training images", picture)


if __name__ == "__main__":
    programs.main()
