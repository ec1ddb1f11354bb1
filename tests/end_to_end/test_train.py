#!/usr/bin/env python3
"""`train` as a user runs it: what it prints and writes, of which images and labels, and the same bits whatever the
number of threads."""

import json
import os
import re
import signal

import programs
from programs import TINY_NET, run, safetensors, start, stop
from train_test import FIRST_LINES, TrainTest


class Results(TrainTest):
    def test_what_is_written(self):
        printed = self.run_ok(self.command("run", "--checkpoint-every", "2"))
        self.assertEqual(set(os.listdir(self.path("run"))),
                         {"log.csv", "last.safetensors", "model.safetensors", "epoch_0.safetensors",
                          "epoch_2.safetensors", "epoch_3.safetensors", "curves.png", "curves.svg"})
        self.assertEqual(len(re.findall("^epoch ", printed, re.M)), 3, printed)
        self.assertNotIn("\r", printed)
        self.assertNotIn("\033", printed)
        header = self.read("run/log.csv").splitlines()[0]
        self.assertEqual(header, "epoch,learning_rate,train_loss,train_accuracy,test_loss,"
                                 "test_accuracy,images_per_second,seconds,"
                                 "gradient_norm,weight_norm")
        for row in self.log("run"):
            self.assertGreater(float(row["gradient_norm"]), 0)
            self.assertGreater(float(row["weight_norm"]), 1)
        metadata, tensors = safetensors(self.path("run", "model.safetensors"))
        self.assertEqual(metadata["format"], "topograd-checkpoint-1")
        self.assertEqual(tensors["conv1.weight"][0], [4, 3, 3, 3])
        self.assertFalse([name for name in tensors if name.startswith("optimizer.")])
        self.assertEqual(tensors, safetensors(self.path("run", "epoch_3.safetensors"))[1])

    def test_evaluate_gives_the_log_s_last_test_loss(self):
        self.run_ok(self.command("run"))
        printed = self.run_ok([programs.train, "--evaluate", "run/model.safetensors", "--data",
                                programs.images])
        last = self.log("run")[-1]
        loss = re.search(r"test: loss (\S+) ", printed).group(1)
        error = re.search(r"error (\S+) %", printed).group(1)
        self.assertEqual(loss, last["test_loss"])
        self.assertAlmostEqual(100 - float(error), float(last["test_accuracy"]), places=3)

    def test_same_bits_with_any_number_of_threads(self):
        for threads in (1, 2, 3):
            self.run_ok(self.command(f"run{threads}", "--threads", threads))
        self.assert_same_run("run2", "run1")
        self.assert_same_run("run3", "run1")

    def test_another_seed_gives_other_bits(self):
        self.run_ok(self.command("one"))
        self.run_ok(self.command("two", "--seed", "2"))
        self.assertNotEqual(self.tensors("one"), self.tensors("two"))
        self.assertNotEqual(self.log("one"), self.log("two"))

    def test_the_network_learns(self):
        self.run_ok(self.command("run"))
        log = self.log("run")
        self.assertLess(float(log[-1]["train_loss"]), float(log[0]["train_loss"]))

    def test_other_recipes_run(self):
        for name, flags in [("adam", ["--optimizer", "adam", "--schedule", "cosine"]),
                            ("mse", ["--loss", "mse", "--activation", "tanh", "--no-augment"]),
                            ("old", ["--loss", "crossentropy", "--no-nesterov", "--warmup", "1"]),
                            ("a", ["--shortcut", "A", "--lr-drops", "1,2", "--lr-factor", "0.5"])]:
            with self.subTest(name):
                self.run_ok(self.command(name, *flags))
                self.assertEqual(len(self.log(name)), 3)
        self.assertEqual([row["learning_rate"] for row in self.log("a")], ["0.1", "0.05", "0.025"])

    def test_schedules_and_losses_run(self):
        for name, flags in [("adamw", ["--optimizer", "adamw", "--beta1", "0.8", "--beta2", "0.99",
                                       "--epsilon", "1e-6", "--decay-scope", "weights"]),
                            ("cycle", ["--schedule", "one_cycle", "--pct-start", "0.4",
                                       "--div-factor", "10", "--final-div-factor", "100"]),
                            ("linear", ["--schedule", "polynomial", "--lr", "0.08"]),
                            ("smooth", ["--label-smoothing", "0.1", "--init", "kaiming_fan_out"]),
                            ("xavier", ["--init", "xavier", "--decay-scope", "weights"]),
                            ("torch", ["--init", "pytorch"])]:
            with self.subTest(name):
                self.run_ok(self.command(name, *flags))
                self.assertEqual(len(self.log(name)), 3)
        self.assertEqual(self.log("cycle")[-1]["learning_rate"], "0.0001")  # 0.1 / 10 / 100
        rates = [float(row["learning_rate"]) for row in self.log("linear")]
        # The last of 8 steps an epoch: (1 - 7/24), ...
        for rate, step in zip(rates, (7, 15, 23)):
            self.assertAlmostEqual(rate, 0.08 * (1 - step / 24), places=6)

    def test_label_smoothing_is_not_in_the_test_loss(self):
        self.run_ok(self.command("run", "--label-smoothing", "0.3"))
        printed = self.run_ok([programs.train, "--evaluate", "run/model.safetensors", "--data",
                                programs.images])
        self.assertIn(f"loss {self.log('run')[-1]['test_loss']} ", printed)

    def test_averages_are_written_and_their_worth_is_printed(self):
        printed = self.run_ok(self.command("run", "--ema", "0.9", "--swa-start", "2"))
        plain = self.tensors("run")
        for name in ("ema", "swa"):
            with self.subTest(name):
                file = f"run/{name}.safetensors"
                line = re.search(rf"(?m)^{name}  test loss (\S+) accuracy (\S+) %  wrote {file}$",
                                 printed)
                self.assertTrue(line, printed)
                evaluated = self.run_ok([programs.train, "--evaluate", file, "--data",
                                         programs.images])
                loss = float(re.search(r"test: loss (\S+) ", evaluated).group(1))
                self.assertAlmostEqual(loss, float(line.group(1)), delta=6e-5)
                average = safetensors(self.path("run", f"{name}.safetensors"))[1]
                self.assertEqual(average.keys(), plain.keys())
                for tensor in plain:
                    self.assertNotEqual(average[tensor], plain[tensor], tensor)
        self.run_ok(self.command("without"))
        self.assertEqual(self.tensors("without"), plain)

    def test_swa_of_the_last_epoch_alone_has_its_weights(self):
        self.run_ok(self.command("run", "--swa-start", "3"))
        swa, plain = (safetensors(self.path("run", f"{name}.safetensors"))[1]
                      for name in ("swa", "model"))
        for name, tensor in plain.items():
            if "running" not in name:
                self.assertEqual(swa[name], tensor, name)
            else:  # seen without augmentation, and counted by batches alike
                self.assertNotEqual(swa[name], tensor, name)

    def test_recipes(self):
        listed = self.run_ok([programs.train, "--list-recipes"])
        for name in ("vgg9-small-batch", "vgg9-adam-large-batch-decay", "resnet56-noshort",
                     "resnet20-fast", "wrn56-2"):
            self.assertRegex(listed, rf"(?m)^{name}: ")
        models = self.run_ok([programs.train, "--list-models"])
        for model in re.findall(r"--model (\S+)", listed):
            self.assertRegex(models, rf"(?m)^{model} ")
        large = re.search(r"(?m)^vgg9-large-batch: .*\n    (.*)$", listed).group(1)
        self.assertEqual(large, "--model vgg9 --optimizer sgd --lr 0.1 --batch-size 8192 "
                                "--weight-decay 0 --epochs 300 --schedule step")
        small = ["--epochs", "2", "--batch-size", "50", "--model", "resnet8", "--width", "4"]
        data = ["--data", programs.images]
        self.run_ok([programs.train, "--recipe", "vgg9-adam-small-batch", "--output", "named"] +
                    data + small)
        self.run_ok([programs.train, "--optimizer", "adam", "--lr", "0.001", "--weight-decay", "0",
                     "--schedule", "step", "--output", "spelt"] + data + small)
        self.assertEqual(self.config("named"), self.config("spelt"))
        self.assertEqual(self.tensors("named"), self.tensors("spelt"))
        self.assertEqual(self.config("named")["weight_decay"], 0)
        self.assertNotIn("vgg9", json.dumps(self.config("named")))

    def test_settings_at_their_defaults_are_not_in_the_configuration(self):
        self.run_ok(self.command("run", "--init", "kaiming_fan_in", "--label-smoothing", "0"))
        self.assertEqual(set(self.config("run")),
                         {"model", "data_hash", "epochs", "batch_size", "optimizer",
                          "learning_rate", "schedule", "lr_drops", "lr_factor", "warmup",
                          "momentum", "nesterov", "weight_decay", "augment", "loss", "seed"})
        for name, settings in [
                ("averages", {"ema": 0.9, "swa_start": 3, "init": "xavier",
                              "decay_scope": "weights", "label_smoothing": 0.2}),
                ("adamw", {"optimizer": "adamw", "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-5}),
                ("polynomial", {"schedule": "polynomial", "lr_power": 2}),
                ("cycle", {"schedule": "one_cycle", "pct_start": 0.2, "div_factor": 5,
                           "final_div_factor": 50})]:
            with self.subTest(name):
                flags = [f"--{key}={value}" for key, value in settings.items()]
                self.run_ok(self.command(name, *flags))
                found = {key: value for key, value in self.config(name).items()
                         if key in settings or key not in self.config("run")}
                self.assertEqual(found, settings)

    def test_a_run_that_diverges_says_so(self):
        done = run(self.command("run", "--lr", "1e6"), self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("diverged", done.stderr)
        self.assertIn("smaller learning rate", done.stderr)
        self.assertRegex(done.stderr, r"last\.safetensors holds the run as of epoch 1, step \d")

    def test_a_last_step_that_diverges_is_seen_in_the_test_loss(self):
        done = run([programs.train, "--model", "mlp9", "--data", "synthetic", "--image-size", "12", "--train-images",
                    "400", "--test-images", "100", "--epochs", "1", "--batch-size", "400", "--lr", "1e6",
                    "--weight-decay", "1e6", "--loss", "mse", "--init", "kaiming_fan_out", "--output", "run"],
                   self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("train: training diverged: after epoch 1 the test images' loss is ", done.stderr)
        self.assertEqual(os.listdir(self.path("run")), ["last.safetensors"])


class ImageFolder(TrainTest):
    def test_a_folder_of_images_trains(self):
        colours = {"blue": (0, 0, 100), "red": (100, 0, 0), "grün": (0, 100, 0)}
        for split, count in (("train", 6), ("test", 2)):
            for name, colour in colours.items():
                for i in range(count):
                    self.write(f"images/{split}/{name}/{i} .png", programs.png(12, 12, colour))
        printed = self.run_ok([programs.train] + TINY_NET + ["--data", "images", "--epochs", "2",
                                                             "--output", "run"])
        self.assertIn("18 training and 6 test images", printed)
        tensors = safetensors(self.path("run", "model.safetensors"))[1]
        self.assertEqual(tensors["linear.weight"][0], [3, 16])
        self.run_ok([programs.train, "--evaluate", "run/model.safetensors", "--data", "images"])


class Normalisation(TrainTest):
    """Constants that images are normalised by: chosen, kept with the model, part of the run."""

    MEAN, STD = [0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.201]
    NUMBERS = ["--mean", "0.4914,0.4822,0.4465", "--std", "0.2023,0.1994,0.2010"]

    def normalisation(self, folder):
        metadata = safetensors(self.path(folder, "model.safetensors"))[0]
        return json.loads(metadata["normalisation"])

    def evaluate(self, *more):
        return self.run_ok([programs.train, "--evaluate", "run/model.safetensors", "--data",
                            programs.images, *more])

    def test_chosen_constants_are_the_model_s(self):
        self.run_ok(self.command("run", *self.NUMBERS))
        self.run_ok(self.command("named", "--normalisation", "kuangliu"))
        self.run_ok(self.command("usual"))
        self.assertEqual(self.normalisation("run"), {"mean": self.MEAN, "std": self.STD})
        self.assertEqual(self.config("run")["normalisation"], self.normalisation("run"))
        self.assertEqual(self.tensors("run"), self.tensors("named"))
        self.assertNotEqual(self.tensors("run"), self.tensors("usual"))
        self.assertNotIn("normalisation", self.config("usual"))
        # What was trained with them is evaluated with them, unless others are chosen.
        loss = self.log("run")[-1]["test_loss"]
        self.assertIn(f"loss {loss} ", self.evaluate())
        self.assertIn(f"loss {loss} ", self.evaluate(*self.NUMBERS))
        other = self.evaluate("--normalisation", "none")
        self.assertNotIn(f"loss {loss} ", other)
        self.assertIn("normalised by mean 0,0,0 std 1,1,1 in place of the model's mean 0.4914", other)

    def test_none_and_a_number_for_all_channels(self):
        self.run_ok(self.command("none", "--normalisation", "none"))
        self.run_ok(self.command("half", "--mean", "0.5", "--std", "0.5"))
        self.assertEqual(self.normalisation("none"), {"mean": [0, 0, 0], "std": [1, 1, 1]})
        self.assertEqual(self.normalisation("half"), {"mean": [0.5] * 3, "std": [0.5] * 3})

    def test_the_data_set_s_own_constants_are_no_choice(self):
        self.run_ok(self.command("run"))
        own = self.normalisation("run")
        self.run_ok(self.command("same", "--mean", ",".join(map(repr, own["mean"])), "--std",
                                 ",".join(map(repr, own["std"]))))
        self.assertEqual(self.config("same"), self.config("run"))
        self.assertEqual(self.tensors("same"), self.tensors("run"))

    def test_a_run_goes_on_with_its_own_alone(self):
        self.run_ok(self.command("run", *self.NUMBERS))
        self.assert_refused(self.command("run", "--resume"), "normalisation was", "0.4914",
                            "now not given")
        self.assert_refused(self.command("run", "--resume", "--normalisation", "imagenet"),
                            "normalisation was", "0.4914", "0.485")
        self.run_ok(self.command("run", "--resume", *self.NUMBERS))

    def test_constants_that_make_no_sense(self):
        for flags, *words in [
                (["--mean", "0.5"], "--mean and --std belong together"),
                (["--std", "0.5"], "--mean and --std belong together"),
                (["--mean", "0.5,0.5", "--std", "0.5"], "--mean has 2 values, --std 1"),
                (["--mean", "0.5,0.5", "--std", "0.5,0.5"], "2 means", "3 channels"),
                (["--mean", "125.3,123,113.9", "--std", "63,62.1,66.7"], "--mean 125.3", "0 to 1"),
                (["--mean", "0.5", "--std", "0"], "--std 0"),
                (["--mean", "nan", "--std", "1"], "--mean", "nan"),
                (["--mean", "0.5", "--std", "0.5", "--normalisation", "none"], "contradict"),
                (["--normalisation", "svhn"], "svhn", "kuangliu")]:
            with self.subTest(flags):
                self.assert_refused(self.command("run", *flags), *words)


class GreyImages(TrainTest):
    """MNIST's files: one channel, 28x28 pixels."""

    def setUp(self):
        super().setUp()
        programs.write_idx(self.path("digits"), {"train": 200, "t10k": 60})

    def train(self, output, *more):
        return [programs.train, "--data", "digits", "--epochs", "2", "--batch-size", "50", "--output",
                output, *more]

    def test_they_train(self):
        for model in (["resnet8", "--width", "4"], ["mlp", "--width", "16"], ["lenet"]):
            with self.subTest(model):
                printed = self.run_ok(self.train(model[0], "--model", *model))
                self.assertIn("200 training and 60 test images", printed)
                metadata, _ = safetensors(self.path(model[0], "model.safetensors"))
                spec = json.loads(metadata["model"])
                self.assertEqual([spec[key] for key in ("image_size", "channels", "classes")],
                                 [28, 1, 10])
                self.assertEqual(metadata["data"], "idx")
                self.assertIs(json.loads(metadata["config"])["flip"], False)
                printed = self.run_ok([programs.train, "--evaluate",
                                       f"{model[0]}/model.safetensors", "--data", "digits"])
                self.assertIn(f"test: loss {self.log(model[0])[-1]['test_loss']} ", printed)

    def test_they_resume_to_the_same_bits(self):
        tiny = ["--model", "resnet8", "--width", "4", "--save-seconds", "0"]
        self.run_ok(self.train("whole", *tiny))
        process, seen = start(self.train("run", *tiny), self.folder, FIRST_LINES)
        said = stop(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130, (seen, said))
        self.run_ok(self.train("run", "--resume", "--threads", "3", *tiny))
        self.assertEqual(self.tensors("run"), self.tensors("whole"))

    def test_networks_and_data_that_do_not_fit(self):
        self.run_ok(self.train("run", "--model", "resnet8", "--width", "2"))
        self.assert_refused([programs.train, "--evaluate", "run/model.safetensors", "--data",
                             programs.images], "12x12x3", "28x28x1")
        os.remove(self.path("digits", "t10k-labels-idx1-ubyte"))
        self.assert_refused(self.train("two"), "digits/t10k-labels-idx1-ubyte", "missing", "gunzip")


class LabelNoise(TrainTest):
    def config(self, folder):
        return json.loads(safetensors(self.path(folder, "last.safetensors"))[0]["config"])

    def test_noise_is_the_run_s_own(self):
        self.run_ok(self.command("clean"))
        printed = self.run_ok(self.command("noisy", "--label-noise", "0.5"))
        self.assertIn("400 training and 100 test images, label noise 0.5;", printed)
        self.run_ok(self.command("again", "--label-noise", "0.5", "--threads", "3"))
        self.assertNotEqual(self.tensors("noisy"), self.tensors("clean"))
        self.assert_same_run("again", "noisy")
        self.assertNotIn("label_noise", self.config("clean"))
        self.assertEqual(self.config("noisy")["label_noise"], {"fraction": 0.5, "images": 400})
        self.assertEqual(self.config("noisy")["data_hash"], self.config("clean")["data_hash"])

    def test_only_training_labels(self):
        """A constant network: what is measured on the test images is as without noise."""
        self.run_ok(self.command("clean", "--lr", "0"))
        self.run_ok(self.command("noisy", "--lr", "0", "--label-noise", "1"))
        clean, noisy = self.log("clean"), self.log("noisy")
        self.assertEqual([row["test_loss"] for row in noisy], [row["test_loss"] for row in clean])
        self.assertNotEqual([row["train_loss"] for row in noisy],
                            [row["train_loss"] for row in clean])

    def test_resumed(self):
        noise = ["--label-noise", "0.3"]
        self.run_ok(self.command("whole", *noise))
        process, seen = start(self.command("run", *noise), self.folder, FIRST_LINES)
        said = stop(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130, (seen, said))
        self.assert_refused(self.command("run", "--resume"), "another run", "label_noise was",
                            "0.3", "now not given")
        self.assert_refused(self.command("run", "--resume", "--label-noise", "0.2"), "another run",
                            "0.3", "0.2")
        self.run_ok(self.command("run", "--resume", *noise))
        self.assert_same_run("run", "whole")

    def test_evaluated_on_noisy_labels(self):
        """A network that knows 60 random labels by heart: they, and no others, are the noisy ones."""
        self.run_ok([programs.train, "--model", "resnet8", "--width", "8", "--data", programs.images,
                     "--no-augment", "--optimizer", "adam", "--lr", "0.01", "--schedule", "cosine",
                     "--weight-decay", "0", "--epochs", "40", "--batch-size", "20",
                     "--train-images", "60", "--label-noise", "1", "--seed", "3",
                     "--output", "run"])
        evaluate = [programs.train, "--evaluate", "run/model.safetensors", "--data", programs.images,
                    "--split", "train"]
        clean = self.run_ok(evaluate + ["--train-images", "60"],
                            "train: note: run/model.safetensors was trained with label noise 1; "
                            "these are the clean labels, --noisy-labels takes the noisy ones\n")
        noisy = self.run_ok(evaluate + ["--noisy-labels"])
        wrong = [int(re.search(r"\((\d+) of 60 wrong", text).group(1)) for text in (clean, noisy)]
        self.assertGreater(wrong[0], 30)  # three in four random labels of four classes are wrong
        self.assertLess(wrong[1], 5)
        self.run_ok(evaluate[:-1] + ["test"])  # has nothing to note
        self.assert_refused(evaluate[:-1] + ["test", "--noisy-labels"], "only training labels",
                            "--split train")

    def test_wrong_noise(self):
        for value in ("1.1", "-0.1", "nan", "half"):
            self.assert_refused(self.command("run", "--label-noise", value), "label-noise", value)
        self.run_ok(self.command("run"))
        self.assert_refused([programs.train, "--evaluate", "run/model.safetensors", "--data",
                             programs.images, "--split", "train", "--noisy-labels"],
                            "run/model.safetensors", "not trained", "--label-noise")


class Help(TrainTest):
    def test_help(self):
        printed = self.run_ok([programs.train, "--help"])
        flags = """from model shortcut width activation list-models data train-images test-images
            image-size normalisation mean std no-augment label-noise noisy-labels epochs batch-size optimizer lr schedule
            lr-drops lr-factor warmup lr-power pct-start div-factor final-div-factor momentum
            no-nesterov beta1 beta2 epsilon weight-decay decay-scope loss label-smoothing init ema
            swa-start recipe list-recipes precision seed output resume checkpoint-every save-seconds
            threads impl evaluate split help version"""
        self.assertEqual(set(flags.split()) - programs.mentioned_flags(printed), set())
        self.assertIn("Examples", printed)

    def test_version(self):
        self.assertRegex(self.run_ok([programs.train, "--version"]), r"^train \d+\.\d+\.\d+\n$")

    def test_list_of_models(self):
        printed = self.run_ok([programs.train, "--list-models"])
        for name, parameters in [("resnet20", 272474), ("resnet56", 855770), ("resnet110", 1730714),
                                 ("resnet20_noshort", 269722), ("resnet56_noshort", 853018)]:
            self.assertRegex(printed, rf"(?m)^{name} +{parameters} ")


if __name__ == "__main__":
    programs.main()
