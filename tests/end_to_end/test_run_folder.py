#!/usr/bin/env python3
"""A training's folder as what commands are given, and what they say of data that nobody named."""

import json
import os
import shutil
import tempfile

import programs
from programs import EndToEndTest, run
from terminal import Terminal

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
    ABOUT = r"; about (\d+:)?\d+:\d\d with \d+ threads?"

    def planned(self, *command):
        """What a dry run says: a line for each result."""
        done = run([programs.landscape, *command, "--dry-run"], self.folder)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        return done.stderr

    def test_a_dry_run_says_what_would_be_done_and_writes_nothing(self):
        self.landscape("surface", "runs/one", *SMALL, "-o", "s.h5", stderr=None)
        before = programs.files_below(self.folder)
        few = [*SMALL[:2], *SMALL[4:]]
        at_one = "one, resnet8 (option B, width 4), "
        for command, words in [
                (["surface", "runs/one", "--x=-1:1:9", "--y=-1:1:7"], "runs/one/model_surface.h5: 9x7 points around one, "),
                (["line", "runs/one", "runs/two", "--x=0:1:5", "--split", "both"], "model_line.h5: 5 points around one, "),
                (["surface", "runs/one", *SMALL, "--dir-file", "d.h5"], "each over 40 folder training images; about "),
                (["hessian", "runs/one", *few[:2], "--trace", "6", "--density", "2", "--density-steps", "5"],
                 "runs/one/model_hessian.h5: 5 largest and 1 smallest eigenvalues, trace (6 products), density (2x5 products) of "
                 f"the Hessian at {at_one}over 40 folder training images; about "),
                (["hessian", "runs/one", "--over", "s.h5", *few[:2], "--max-products", "40"],
                 f"s_hessian.h5: the Hessian's extreme eigenvalues at the 9 points of s.h5, {at_one}each over 40 "),
                (["sharpness", "runs/one", *few[:2], "--measures", "loss,sam,test_error", "--test-images", "30"],
                 f"model_sharpness.h5: 3 measures of {at_one}over 40 folder training images and 30 test images; about "),
                (["coherence", "runs/one", *few[:2]], "model_coherence.h5: gradients of 4 minibatches of 10 images at one, "),
                (["coherence", "runs/one", "--over", "s.h5", "--batches", "2", "--batch-size", "8"],
                 "s_coherence.h5: gradients of 2 minibatches of 8 images at the 9 points of s.h5, one, "),
                (["connect", "runs/one", "runs/two", *few[:2], "--points", "3", "--epochs", "2"],
                 "runs/one/model_to_two_connect.h5: paths from one to two, resnet8 (option B, width 4): 9 points, each over 80 "
                 "folder training and test images, and a curve of 2 epochs on 40 training images, 2 steps ahead; about ")]:
            with self.subTest(command=command):
                said = self.planned(*command)
                self.assertIn(words, said)
                self.assertRegex(said, self.ABOUT)
                self.assertEqual(said.count("\n"), 1, said)
        self.assertRegex(self.planned("hessian", "runs/one", *few[:2]), r"threads?, at most \d+:\d\d \(--max-products 1000\)\n$")
        said = self.planned("sharpness", "runs/one", "runs/two", *few[:2], "--measures", "loss,gradient_norm", "-o", "folder")
        self.assertRegex(said, r"folder/one_sharpness.h5: (.*\n).*folder/two_sharpness.h5: (.*\n).*together about \d+:\d\d\n$")
        printed = self.run_ok(self.training("runs/three", "--epochs", "30", "--dry-run"))
        self.assertRegex(printed, rf"runs/three: 30 epochs of \d+ steps{self.ABOUT}\n$")
        self.assertEqual(programs.files_below(self.folder), before)

    def test_what_is_done_is_taken_off(self):
        few = [*SMALL[:2], *SMALL[4:]]
        surface = ["surface", "runs/one", *SMALL]
        hessian = ["hessian", "runs/one", *few[:2], *few[3:], "--largest", "1", "--smallest", "0"]
        sharpness = ["sharpness", "runs/one", *few[:2], *few[3:], "--measures", "loss,sam"]
        coherence = ["coherence", "runs/one", *few, "--batches", "2"]
        over = ["coherence", "runs/one", "--over", "runs/one/model_surface.h5", *few, "--batches", "2", "-o", "o.h5"]
        connect = ["connect", "runs/one", "runs/two", *few, "--points", "3", "--epochs", "1"]
        for command, words in ((surface, "3x3 points around one, resnet8 (option B, width 4), 9 done, "),
                               (hessian, "nothing left to do of the Hessian at one, "),
                               (sharpness, "0 measures of one, "), (coherence, "at one, resnet8 (option B, width 4), 1 done, "),
                               (over, "9 points of runs/one/model_surface.h5, 9 done, "),
                               (connect, "9 points, 9 done, each over 80 folder training and test images, and a curve of 1 epochs "
                                         "on 40 training images, 0 steps ahead")):
            with self.subTest(command=command):
                self.landscape(*command, stderr=None)
                said = self.planned(*command)
                self.assertIn(words, said)
                self.assertIn("; about 0:00 with 1 thread", said)
        # Half of it: a measure more, a network more, the trace beside the eigenvalue.
        self.assertIn("1 measure of one, ", self.planned(*sharpness[:-1], "loss,sam,gradient_norm"))
        self.assertIn("trace (6 products) of the Hessian at one, ", self.planned(*hessian, "--trace", "6"))

    def test_a_file_of_another_command_is_refused_before_it_begins(self):
        few = [*SMALL[:2], *SMALL[4:]]
        self.landscape("surface", "runs/one", *SMALL, stderr=None)
        self.landscape("coherence", "runs/one", *few, stderr=None)
        for command in (["surface", "runs/one", *SMALL, "--seed", "2"], ["coherence", "runs/one", *few, "--seed", "2"]):
            self.refused([*command, "--dry-run"], "belongs to another command (seed" if command[0] == "coherence" else
                         "belongs to another command (direction_hash")

    def test_what_takes_long_says_so_in_a_terminal(self):
        terminal = Terminal(rows=20, columns=200)
        self.addCleanup(terminal.close)
        for command, words in ((["hessian", "runs/one", "--density", "100000", "--density-steps", "100"], "density (100000x100 "),
                               (["sharpness", "runs/one", "--directions", "100000", "--measures", "mean_curvature"], "1 measure of "),
                               (["connect", "runs/one", "runs/two", "--epochs", "100000"], "a curve of 100000 epochs on ")):
            process = terminal.start([programs.landscape, *command], self.folder)
            self.assertIn(words, terminal.read(process, "; about "))
            process.kill()
            process.wait()


class SettingsFiles(RunFolderTest):
    def test_options_in_a_file_count_like_typed_ones_and_less(self):
        self.write("small.txt", b"# a look\nimages = 40\n--x = -1:1:3\ny=-1:1:5   # rows\n\nno-pictures\nthreads = 1\n")
        self.landscape("surface", "runs/one", "--y=-1:1:3", "--config", "small.txt", stderr=None)
        self.landscape("surface", "runs/one", *SMALL, "-o", "typed.h5", stderr=None)
        self.assertEqual(programs.planes(self.path("runs/one/model_surface.h5")), programs.planes(self.path("typed.h5")))
        # The result says all of it, whatever becomes of the file.
        self.run_ok([programs.landscape, "export", "runs/one/model_surface.h5", "--format", "json"])
        command = json.loads(self.read("runs/one/model_surface.json"))["provenance"]["command"]
        self.assertIn("surface --images=40 --x=-1:1:3 --y=-1:1:5 --no-pictures --threads=1 runs/one --y=-1:1:3", command)
        self.write("training.txt", b"epochs = 1\nbatch-size = 50\n")
        printed = self.run_ok(self.training("runs/three", "--config=training.txt", "--dry-run"))
        self.assertIn("1 epoch of ", printed)

    def test_what_is_no_setting_is_refused_with_its_line(self):
        for line, words in ((b"two words", "bad.txt:2: 'two words' is no setting"), (b"= 3", "bad.txt:2: '= 3' is no setting"),
                            (b"config = more.txt", "is no setting"), (b"imagse = 3", "--imagse is not an option; did you mean --images?"),
                            (b"images", "--images ")):
            self.write("bad.txt", b"threads = 1\n" + line + b"\n")
            self.refused(["surface", "runs/one", *SMALL, "--config", "bad.txt"], words)
        self.refused(["surface", "runs/one", "--config", "none.txt"], "--config none.txt cannot be opened")
        self.refused(["surface", "runs/one", "--config"], "--config lacks its value")


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
        self.refused(["ls", "nowhere"], "nowhere is not there")
        printed = self.landscape("ls", "runs/one/model_surface.h5", "runs/two/model.safetensors")
        self.assertRegex(printed, r"to continue: \S*landscape surface runs/one .*\n")
        self.assertRegex(printed, r"model\.safetensors +resnet8 \(option B, width 4\) +of folder, 1 epoch")
        self.assertNotIn("log", printed)
        os.mkdir(self.path("empty"))
        self.assertIn("neither a network nor a result", self.landscape("ls", "empty"))

    def test_results_are_called_what_they_are(self):
        few = [*SMALL[:2], *SMALL[4:]]
        self.landscape("line", "runs/one", "--x=-1:1:3", *few, "-o", "runs/one/l.h5", stderr=None)
        self.landscape("line", "runs/one", "runs/two", "--x=0:1:3", *few, "-o", "runs/one/to.h5", stderr=None)
        self.landscape("plane", "runs/one", "--gradient", *SMALL, "-o", "runs/one/g.h5", stderr=None)
        self.landscape("surface", "runs/one", "--to", "runs/two/model.safetensors", *SMALL, "-o", "runs/one/s.h5", stderr=None)
        self.landscape("hessian", "runs/one", "--over", "runs/one/l.h5", *few, "--max-products", "9", "-o", "runs/one/map.h5",
                       stderr=None)
        printed = self.landscape("ls", "runs/one")
        for name, words in (("l.h5", "a line of one"), ("to.h5", "a line between networks of one"),
                            ("g.h5", "a plane along the gradient of one"), ("s.h5", "a surface of one"),
                            ("map.h5", "a map of the curvature along a line of one"), ("log.csv", "a training's log")):
            self.assertRegex(printed, rf"(?m)^ *{name} +{words}(  |$)")
        self.refused(["export", "runs/one/to.h5", "--format", "stl"], "runs/one/to.h5 is a line between networks, which has no mesh")
        self.refused(["compare", "runs/one/l.h5", "runs/one/log.csv"], "a training's log", "a line")
        self.landscape("report", "runs/one/l.h5", "runs/one/g.h5", "-o", "r.html")
        self.assertIn('"phrases":["a line","a plane along the gradient"]', self.read("r.html"))

    def test_a_training_that_can_be_continued(self):
        process, _ = programs.start(self.training("long", "--epochs", "500"), self.folder, ("resnet8: ",))
        programs.stop(process, 2)
        self.assert_refused([programs.train, "--output", "long", "--resume"], "the whole command that began it",
                            "--epochs 500\n", status=(1,))
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
        done = run([programs.landscape, "plot", "runs/one", "runs/two", "--kind", "contours", "--title", "a;b", "-o",
                    "both.svg"], self.folder)
        self.assertEqual((done.returncode, done.stdout), (0, "both.svg\n"), done.stderr)
        self.assertEqual(done.stderr, "landscape plot: note: --kind draws grids: 2 other results of these folders left out\n")
        self.refused(["plot", "runs/one", "--kind", "contours,heat", "-o", "both.svg"], "is one file for 2 figures")
        self.assertIn("all_heat.svg", os.listdir(self.folder))
        printed = self.landscape("compare", "runs/one", "runs/two")
        self.assertIn("runs/one/model_surface.h5 | runs/two/model_surface.h5", printed)
        self.refused(["compare", "runs/one", "runs/two/log.csv"], "folders alone")
        shutil.copytree(self.path("runs/two"), self.path("runs/three"))
        shutil.copytree(self.path("runs/two"), self.path("runs/four"))
        logs, surfaces = self.landscape("compare", *(f"runs/{name}" for name in ("one", "two", "three", "four"))).split("\n\n")
        losses = [min(programs.doubles(programs.planes(self.path(f"runs/{name}/model_surface.h5"))["train_loss"]))
                  for name in ("one", "two")]
        rows = [line.split() for line in surfaces.splitlines()]
        self.assertEqual([row[0] for row in rows[1:]],
                         [f"runs/{name}/model_surface.h5" for name in ("one", "two", "three", "four")])
        self.assertEqual(rows[1][3], "1")  # the correlation with itself
        self.assertEqual(rows[2][1:], rows[3][1:])
        for row, loss in zip(rows[1:], losses):
            self.assertAlmostEqual(float(row[1]), loss, delta=1e-5 * loss)
        self.assertIn("test_accuracy max", logs)
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
