#!/usr/bin/env python3
"""Trainings that go on: after an interruption to the same bits, for more epochs, from the weights of another."""

import json
import os
import random
import signal

import programs
from programs import safetensors, start, stop
from train_test import FIRST_LINES, TrainTest


class Interruption(TrainTest):
    def setUp(self):
        super().setUp()
        self.run_ok(self.command("whole"))

    def finish(self, folder):
        self.run_ok(self.command(folder, "--resume"))
        self.assert_same_run(folder, "whole")

    def test_killed_again_and_again(self):
        """kill -9 after a few steps and a random moment; the folder continues every time.

        TOPOGRAD_TEST_KILLS times, 6 unless it says so.
        """
        seed = random.randrange(1 << 30)
        moments = random.Random(seed)
        resumed = 0
        for _ in range(int(os.environ.get("TOPOGRAD_TEST_KILLS", "6"))):
            process, seen = start(self.command("run", "--resume"), self.folder, FIRST_LINES)
            programs.wait_for_saves(self.path("run", "last.safetensors"), process,
                                    moments.randint(1, 4))
            programs.pause(process, moments.uniform(0, 0.004))
            stop(process, signal.SIGKILL)
            self.assertIn(process.returncode, (0, -signal.SIGKILL), (seed, seen))
            resumed += seen[-1].startswith("resumed ")
        self.assertGreater(resumed, 0, seed)
        self.finish("run")

    def test_killed_at_any_moment_of_the_start(self):
        seed = random.randrange(1 << 30)
        moments = random.Random(seed)
        for _ in range(3):
            process, _ = start(self.command("run", "--resume"), self.folder, None)
            programs.pause(process, moments.uniform(0, 0.2))
            stop(process, signal.SIGKILL)
        self.finish("run")

    def test_interrupted(self):
        """Ctrl-C in the middle of an epoch: a message, status 130, and nothing lost."""
        long = [word if word != "3" else "200" for word in self.command("run")]
        for how in (signal.SIGINT, signal.SIGTERM):
            resume = ["--resume"] if os.path.exists(self.path("run")) else []
            process, seen = start(long + resume, self.folder, FIRST_LINES)
            programs.pause(process, 0.05)
            said = stop(process, how)
            self.assertEqual(process.returncode, 130, said)
            self.assertIn("interrupted", said)
            self.assertIn("--resume", said)
            self.assertFalse([name for name in os.listdir(self.path("run")) if ".tmp." in name])
        self.assertTrue(seen[-1].startswith("resumed "), seen)

    def test_interrupted_in_the_first_epoch(self):
        """There is no log yet, and nothing to draw."""
        process, seen = start([programs.train] + programs.TINY_NET + [
            "--data", "synthetic", "--image-size", "12", "--batch-size", "2", "--output", "first"],
            self.folder, FIRST_LINES)
        said = stop(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130, (seen, said))
        self.assertEqual(os.listdir(self.path("first")), ["last.safetensors"])

    def test_interrupted_and_resumed_gives_the_same_bits(self):
        process, seen = start(self.command("run"), self.folder, FIRST_LINES)
        said = stop(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130, (seen, said))
        self.finish("run")

    def test_resumed_with_another_number_of_threads(self):
        process, _ = start(self.command("run", "--threads", "1"), self.folder, FIRST_LINES)
        stop(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130)
        self.run_ok(self.command("run", "--resume", "--threads", "3"))
        self.assert_same_run("run", "whole")

    def test_adam_resumes(self):
        adam = ["--optimizer", "adam"]
        self.run_ok(self.command("adam", *adam))
        process, _ = start(self.command("run", *adam), self.folder, FIRST_LINES)
        stop(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130)
        self.run_ok(self.command("run", "--resume", *adam))
        self.assert_same_run("run", "adam")

    def test_averages_resume(self):
        averages = ["--ema", "0.9", "--swa-start", "1"]
        self.run_ok(self.command("averaged", *averages))
        command = self.command("run", "--resume", *averages)
        process, _ = start(command, self.folder, FIRST_LINES)
        programs.wait_for_saves(self.path("run", "last.safetensors"), process, 10)
        stop(process, signal.SIGKILL)
        self.run_ok(command)
        self.assert_same_run("run", "averaged")
        for name in ("ema", "swa", "last"):
            one, other = (safetensors(self.path(folder, f"{name}.safetensors"))[1]
                          for folder in ("run", "averaged"))
            self.assertEqual(one, other, name)
        self.assertIn("average.swa.conv1.weight", one)

    def test_a_finished_run_resumes_to_itself(self):
        self.run_ok(self.command("run"))
        self.finish("run")


class Extension(TrainTest):
    """A run that goes on for more epochs than it was begun with."""

    def extended(self, folder, *more):
        """Trains 2 epochs, then up to 4; returns what the second command prints."""
        self.run_ok(self.command(folder, "--epochs", "2", *more))
        return self.run_ok(self.command(folder, "--epochs", "4", "--resume", *more))

    def test_the_bits_of_the_longer_run_where_the_rates_are(self):
        for name, flags in [("constant", ["--schedule", "constant"]), ("step", ["--lr-drops", "1,3"]),
                            ("averaged", ["--schedule", "constant", "--ema", "0.9", "--swa-start", "1",
                                          "--warmup", "1"])]:
            with self.subTest(name):
                self.run_ok(self.command(f"{name}_whole", "--epochs", "4", *flags))
                printed = self.extended(name, *flags)
                self.assertIn("extended from 2 epochs: all is as in a run of 4 from the start", printed)
                self.assertEqual(self.tensors(name), self.tensors(f"{name}_whole"))
                self.assertEqual(self.log(name), self.log(f"{name}_whole"))
                self.assertEqual(self.config(name), self.config(f"{name}_whole"))

    def test_else_the_rate_goes_on_where_the_longer_run_s_would_be(self):
        self.run_ok(self.command("whole", "--epochs", "4", "--schedule", "cosine"))
        printed = self.extended("run", "--schedule", "cosine")
        self.assertRegex(printed, r"extended from 2 epochs: the learning rate goes on at 0\.05, as in a run "
                                  r"of 4 from the start, after 0\.0009")
        self.assertEqual([row["learning_rate"] for row in self.log("run")][2:],
                         [row["learning_rate"] for row in self.log("whole")][2:])
        self.assertNotEqual(self.tensors("run"), self.tensors("whole"))
        # Its configuration says so, and keeps saying so.
        extended = [{"epochs": 2, "lr_drops": [1], "steps": 16}]
        self.assertEqual(self.config("run")["extended"], extended)
        tensors = self.tensors("run")
        self.run_ok(self.command("run", "--epochs", "4", "--schedule", "cosine", "--resume"))
        self.assertEqual((self.config("run")["extended"], self.tensors("run")), (extended, tensors))

    def test_interrupted_after_an_extension(self):
        flags = ["--schedule", "cosine"]
        self.extended("whole", *flags)
        self.run_ok(self.command("run", "--epochs", "2", *flags))
        command = self.command("run", "--epochs", "4", "--resume", *flags)
        process, seen = start(command, self.folder, FIRST_LINES)
        said = stop(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130, (seen, said))
        self.run_ok(command)
        self.assertEqual(self.tensors("run"), self.tensors("whole"))
        self.assertEqual(self.config("run"), self.config("whole"))

    def test_more_epochs_and_nothing_else(self):
        self.run_ok(self.command("run", "--epochs", "2"))
        self.assert_refused(self.command("run", "--epochs", "4", "--resume", "--lr", "0.2"),
                            "learning_rate was 0.1, now 0.2")
        self.assert_refused(self.command("run", "--epochs", "1", "--resume"), "epochs was 2, now 1")
        self.assert_refused(self.command("run", "--epochs", "4"), "add --resume")


class OtherWeights(TrainTest):
    """A run that begins with the weights of another."""

    def begin(self, output, *more):
        return [programs.train, "--data", programs.images, "--epochs", "1", "--batch-size", "50",
                "--threads", "1", "--from", "first/model.safetensors", "--output", output, *more]

    def setUp(self):
        super().setUp()
        self.run_ok(self.command("first", "--normalisation", "imagenet"))

    def test_it_begins_with_them(self):
        printed = self.run_ok(self.begin("run", "--checkpoint-every", "1"))
        self.assertIn("resnet8 from first/model.safetensors: ", printed)
        first, begun = (safetensors(self.path(name)) for name in
                        ("first/model.safetensors", "run/epoch_0.safetensors"))
        self.assertEqual(begun[1], first[1])
        for key in ("model", "normalisation"):
            self.assertEqual(begun[0][key], first[0][key])
        self.assertEqual(begun[0]["from"], "first/model.safetensors")
        self.assertRegex(self.config("run")["from"], "^[0-9a-f]{16}$")
        self.assertNotEqual(self.tensors("run"), self.tensors("first"))

    def test_a_rate_of_zero_leaves_them(self):
        self.run_ok(self.begin("run", "--lr", "0"))
        weights = {name: value for name, value in self.tensors("first").items() if ".running_" not in name}
        self.assertEqual({name: self.tensors("run")[name] for name in weights}, weights)

    def test_the_run_goes_on_with_them_alone(self):
        self.run_ok(self.begin("run"))
        tensors = self.tensors("run")
        self.run_ok(self.begin("run", "--resume"))
        self.assertEqual(self.tensors("run"), tensors)
        self.run_ok(self.command("second", "--seed", "2"))
        self.assert_refused(self.begin("run", "--resume", "--from", "second/model.safetensors",
                                       "--normalisation", "imagenet"), "from was")

    def test_other_constants_and_what_contradicts(self):
        self.run_ok(self.begin("run", "--normalisation", "none"))
        metadata = safetensors(self.path("run", "model.safetensors"))[0]
        self.assertEqual(json.loads(metadata["normalisation"])["std"], [1, 1, 1])
        self.run_ok(self.begin("same", "--model", "resnet8", "--width", "4"))
        for flags, *words in [(["--width", "8"], "width 4", "resnet20", "leave them out"),
                              (["--init", "xavier"], "init"),
                              (["--evaluate", "first/model.safetensors"], "evaluate"),
                              (["--from", "no.safetensors"], "no.safetensors"),
                              (["--data", "synthetic", "--image-size", "32"], "32x32x3", "12x12x3"),
                              (["--output", "first"], "choose another --output")]:
            with self.subTest(flags):
                self.assert_refused(self.begin("other", *flags), *words)


if __name__ == "__main__":
    programs.main()
