#!/usr/bin/env python3
"""Wrong input to `train`: one line that names the culprit and says what to do; nothing left
behind."""

import os
import random
import shutil
import subprocess
import tempfile

import programs
from programs import TINY_DATA, TINY_NET, EndToEndTest, limit_file_size

QUICK = TINY_NET + TINY_DATA + ["--epochs", "1", "--batch-size", "100"]
RECORD = 1 + 3 * 32 * 32
BATCHES = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]


class WrongFlags(EndToEndTest):
    def refuse(self, flags, *words):
        self.assert_refused([programs.train] + QUICK + ["--output", "run"] + flags, *words)

    def test_unknown_model(self):
        self.refuse(["--model", "resnet21"], "resnet21", "6n + 2")
        self.refuse(["--model", ""], "unknown model")
        self.refuse(["--model", "alexnet"], "alexnet", "resnet20")

    def test_unknown_flag(self):
        self.refuse(["--epoch", "3"], "epoch", "--help")
        self.refuse(["-z"], "z", "--help")
        self.refuse(["cifar10"], "cifar10", "--help")

    def test_a_flag_without_its_value(self):
        self.refuse(["--lr"], "lr", "--help")

    def test_counts_out_of_range(self):
        for flag, value in [("batch-size", "0"), ("batch-size", "-5"), ("threads", "-1"),
                            ("threads", "100000"), ("epochs", "0"), ("epochs", "-1"),
                            ("checkpoint-every", "-1"), ("train-images", "-1"),
                            ("test-images", "-1"), ("save-seconds", "-1")]:
            with self.subTest(flag=flag, value=value):
                self.refuse([f"--{flag}", value], flag, value)

    def test_numbers_that_are_none(self):
        for flag, value in [("lr", "nan"), ("lr", "inf"), ("lr", "fast"), ("momentum", "nan"),
                            ("weight-decay", "-inf"), ("epochs", "2.5"), ("epochs", "three"),
                            ("seed", "-1"), ("seed", "99999999999999999999"),
                            ("batch-size", "99999999999999999999"), ("batch-size", "1e3"),
                            ("lr", "0.1x"), ("lr", "")]:
            with self.subTest(flag=flag, value=value):
                self.refuse([f"--{flag}={value}"], f"--{flag}", value)

    def test_rates_out_of_range(self):
        for flag, value in [("lr", "-0.1"), ("momentum", "1.5"), ("momentum", "-0.5"),
                            ("weight-decay", "-1"), ("lr-factor", "2"), ("warmup", "7"),
                            ("label-smoothing", "1"), ("label-smoothing", "-0.1"), ("ema", "1"),
                            ("ema", "0"), ("ema", "1.5"), ("swa-start", "0"), ("swa-start", "2")]:
            with self.subTest(flag=flag, value=value):
                self.refuse([f"--{flag}", value], flag, value)

    def test_choices(self):
        for flag, choices in [("optimizer", "sgd"), ("schedule", "cosine"), ("loss", "mse"),
                              ("shortcut", "A or B"), ("activation", "relu"), ("precision", "bf16x3"),
                              ("init", "kaiming_fan_in"), ("decay-scope", "all or weights"),
                              ("recipe", "resnet20-fast")]:
            with self.subTest(flag=flag):
                self.refuse([f"--{flag}", "nonsense"], "nonsense", choices)

    def test_flags_that_contradict_each_other(self):
        adam, cosine = ["--optimizer", "adam"], ["--schedule", "cosine"]
        for flags, idle, choice, owner in [
                (["--beta1", "0.9"], "--beta1", "sgd", "adam"),
                (["--beta2", "0.9"], "--beta2", "sgd", "adamw"),
                (["--epsilon", "1e-8"], "--epsilon", "sgd", "adam"),
                (adam + ["--momentum", "0.9"], "--momentum", "adam", "sgd"),
                (adam + ["--no-nesterov"], "--no-nesterov", "adam", "sgd"),
                (cosine + ["--lr-drops", "3"], "--lr-drops", "cosine", "step"),
                (cosine + ["--lr-factor", "0.3"], "--lr-factor", "cosine", "step"),
                (cosine + ["--pct-start", "0.3"], "--pct-start", "cosine", "one_cycle"),
                (["--div-factor", "3"], "--div-factor", "step", "one_cycle"),
                (["--final-div-factor", "3"], "--final-div-factor", "step", "one_cycle"),
                (["--lr-power", "2"], "--lr-power", "step", "polynomial"),
                (["--loss", "mse", "--label-smoothing", "0.1"], "--label-smoothing", "mse",
                 "cross_entropy"),
                (["--recipe", "vgg9-adam-small-batch", "--momentum", "0.9"], "--momentum", "adam",
                 "sgd")]:
            with self.subTest(flags=flags):
                self.refuse(flags, idle, choice, "it is for", owner)
        self.refuse(["--momentum", "0"], "--momentum 0", "--no-nesterov")

    def test_adam_out_of_range(self):
        for flag, value in [("beta1", "1"), ("beta2", "1"), ("beta1", "-0.1"), ("epsilon", "-1")]:
            with self.subTest(flag=flag, value=value):
                self.refuse(["--optimizer", "adam", f"--{flag}", value], flag, value)

    def test_one_cycle_out_of_range(self):
        for flag, value in [("pct-start", "1.5"), ("div-factor", "0"), ("final-div-factor", "0")]:
            with self.subTest(flag=flag, value=value):
                self.refuse(["--schedule", "one_cycle", f"--{flag}", value], flag, value)
        self.refuse(["--schedule", "polynomial", "--lr-power", "-1"], "lr-power", "-1")

    def test_lr_drops(self):
        self.refuse(["--lr-drops", "1,x"], "lr-drops", "'x'")
        self.refuse(["--lr-drops", "1;2"], "lr-drops", "1;2")
        self.refuse(["--lr-drops", "nan"], "lr-drops", "nan")

    def test_sizes_that_no_machine_has(self):
        for flag, value in [("image-size", "0"), ("image-size", "-12"), ("image-size", "11"),
                            ("image-size", "100000000"), ("width", "0"), ("width", "-4"),
                            ("width", "1000000000000")]:
            with self.subTest(flag=flag, value=value):
                self.refuse([f"--{flag}", value], value)

    def test_a_batch_that_no_memory_holds(self):
        self.refuse(["--model", "resnet110", "--width", "512", "--train-images", "10000",
                     "--batch-size", "10000"], "GiB", "choose --batch-size")

    def test_tensor_cores_without_a_gpu(self):
        self.refuse(["--device", "cpu", "--precision", "bf16"], "bf16", "simt")

    def test_more_images_than_there_are(self):
        self.refuse(["--train-images", "10001"], "10001", "10000")
        self.refuse(["--test-images", "2001"], "2001", "2000")

    def test_implementation_without_a_name(self):
        self.refuse(["--impl", "conv2d"], "conv2d", "operation=name")

    def test_implementation_that_is_not_there(self):
        self.refuse(["--impl", "gemm=wrong"], "--impl gemm=wrong", "reference")
        self.refuse(["--impl", "nosuch=reference"], "nosuch", "conv2d_forward", "gemm")
        self.refuse(["--impl", "conv=reference"], "no operation is called conv", "conv2d_forward")
        self.refuse(["--impl", "gemm=cublas", "--device", "cpu"], "gemm=cublas", "on cpu")


class WrongData(EndToEndTest):
    @classmethod
    def setUpClass(cls):
        """CIFAR-10's six files, holding noise: sparse copies of one file, so that it is quick."""
        cls.shared = tempfile.mkdtemp(prefix="topograd_cifar_")
        cls.addClassCleanup(shutil.rmtree, cls.shared)
        noise = random.Random(1).randbytes(RECORD - 1)
        contents = b"".join(bytes([i % 10]) + noise for i in range(10000))
        for name in BATCHES:
            with open(os.path.join(cls.shared, name), "wb") as file:
                file.write(contents)

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("cifar"))
        for name in BATCHES:  # links: a test replaces the file that it breaks
            os.link(os.path.join(self.shared, name), self.path("cifar", name))

    def train(self, data):
        return [programs.train, "--data", data, "--train-images", "100", "--test-images", "100",
                "--epochs", "1", "--model", "resnet8", "--width", "2", "--output", "run"]

    def refuse(self, *words, data="cifar"):
        self.assert_refused(self.train(data), *words)

    def replace(self, name, contents):
        os.remove(self.path("cifar", name))
        self.write(os.path.join("cifar", name), contents)

    def test_the_intact_folder_trains(self):
        self.run_ok(self.train("cifar"))

    def test_the_subfolder_of_the_archive_is_found(self):
        os.mkdir(self.path("outer"))
        os.rename(self.path("cifar"), self.path("outer", "cifar-10-batches-bin"))
        self.run_ok(self.train("outer"))

    def test_truncated_file(self):
        self.replace("data_batch_3.bin", b"\1" * 12345)
        self.refuse("data_batch_3.bin", "12345", str(10000 * RECORD), "download_cifar10.sh")

    def test_empty_file(self):
        self.replace("data_batch_5.bin", b"")
        self.refuse("data_batch_5.bin", " 0 bytes")

    def test_file_too_long(self):
        self.replace("test_batch.bin", bytes(10000 * RECORD + 1))
        self.refuse("test_batch.bin", str(10000 * RECORD + 1))

    def test_label_above_nine(self):
        contents = bytearray(10000 * RECORD)
        contents[77 * RECORD] = 10
        self.replace("data_batch_2.bin", contents)
        self.refuse("data_batch_2.bin", "image 77", "label 10", "0 to 9")

    def test_missing_file(self):
        os.remove(self.path("cifar", "data_batch_4.bin"))
        self.refuse("data_batch_4.bin", "missing", "download_cifar10.sh")

    def test_folder_in_place_of_a_file(self):
        os.remove(self.path("cifar", "data_batch_4.bin"))
        os.mkdir(self.path("cifar", "data_batch_4.bin"))
        self.refuse("data_batch_4.bin")

    def test_absent_folder(self):
        self.refuse("nowhere", "download_cifar10.sh", data="nowhere")

    def test_file_in_place_of_the_folder(self):
        self.refuse("data_batch_1.bin", data="cifar/data_batch_1.bin")

    def test_empty_folder(self):
        os.mkdir(self.path("empty"))
        self.refuse("empty", "download_cifar10.sh", data="empty")

    def test_no_name(self):
        self.refuse("data", data="")


class WrongImageFolder(EndToEndTest):
    def setUp(self):
        super().setUp()
        for split in ("train", "test"):
            for name in ("blue", "red"):
                self.write(f"images/{split}/{name}/1.png", programs.png(12, 12, (9, 9, 100)))

    def refuse(self, *words):
        self.assert_refused([programs.train, "--model", "resnet8", "--width", "2", "--epochs", "1",
                             "--data", "images", "--output", "run"], *words)

    def test_damaged_image(self):
        self.write("images/train/red/2.png", programs.png(12, 12, (1, 2, 3))[:60])
        self.refuse("images/train/red/2.png")

    def test_text_with_an_image_s_name(self):
        self.write("images/train/red/2.png", b"no picture\n")
        self.refuse("images/train/red/2.png")

    def test_image_of_another_size(self):
        self.write("images/test/red/2.png", programs.png(13, 12, (1, 2, 3)))
        self.refuse("images/test/red/2.png", "13x12", "12x12")

    def test_class_in_one_split_only(self):
        self.write("images/train/green/1.png", programs.png(12, 12, (1, 100, 3)))
        self.refuse("'green'", "test")

    def test_no_test_split(self):
        shutil.rmtree(self.path("images", "test"))
        self.refuse("images/test")

    def test_images_that_are_not_square(self):
        for split in ("train", "test"):
            for name in ("blue", "red"):
                self.write(f"images/{split}/{name}/1.png", programs.png(12, 16, (9, 9, 100)))
        self.refuse("images holds images of 12x16 pixels", "square ones; crop or scale them")


class WrongOutput(EndToEndTest):
    def refuse(self, output, *words, **more):
        return self.assert_refused([programs.train] + QUICK + ["--output", output], *words, **more)

    def test_folder_below_a_regular_file(self):
        self.write("file", b"mine")
        self.refuse("file/run", "file/run", "Not a directory")

    def test_no_name(self):
        self.refuse("", "--output is empty")

    def test_a_file_s_name(self):
        self.refuse("run.h5", "run.h5 is a file's name", "leave out .h5")

    def test_file_in_place_of_the_folder(self):
        self.write("file", b"mine")
        self.refuse("file", "file")
        self.assertEqual(self.read("file"), "mine")

    def test_folder_that_nobody_can_write(self):
        self.refuse("/proc/topograd", "/proc/topograd")

    def test_folder_without_permission(self):
        if os.geteuid() == 0:
            self.skipTest("SKIPPED: root may write everywhere")
        os.mkdir(self.path("locked"), 0o555)
        self.refuse("locked", "locked", "permission")
        self.refuse("locked/run", "locked/run", "ermission")

    def test_folder_in_place_of_the_checkpoint(self):
        os.makedirs(self.path("run", "last.safetensors"))
        self.refuse("run", "last.safetensors", stdout=None)

    def test_full_disk(self):
        """A limit on the size of files stands for the disk: the write fails in its middle."""
        self.refuse("run", "cannot write run/last.safetensors", stdout=None,
                    preexec_fn=limit_file_size(20000))

    def test_full_file_system(self):
        self.mount_small("16k")
        self.refuse("small", "cannot write small/last.safetensors", "No space left", "free some",
                    stdout=None)

    def test_standard_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([programs.train, "--list-models"], stdout=full, text=True,
                                  stderr=subprocess.PIPE, timeout=programs.TIMEOUT)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


class WrongRunFolder(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.command = [programs.train] + QUICK + ["--output", "run"]
        self.run_ok(self.command)

    def test_a_finished_run_is_not_overwritten(self):
        self.assert_refused(self.command, "run already holds a run", "--resume", "--output")

    def test_resume_names_what_differs(self):
        for flags, key, was, now in [(["--lr", "0.5"], "learning_rate", "0.1", "0.5"),
                                     (["--seed", "7"], "seed", "1", "7"),
                                     (["--batch-size", "50"], "batch_size", "100", "50"),
                                     (["--epochs", "2", "--lr", "0.5"], "learning_rate", "0.1", "0.5"),
                                     (["--optimizer", "adam"], "optimizer", "sgd", "adam"),
                                     (["--train-images", "300"], "data_hash", "", ""),
                                     (["--no-augment"], "augment", "true", "false"),
                                     (["--ema", "0.5"], "ema", "not given", "0.5"),
                                     (["--init", "xavier"], "init", "not given", "xavier")]:
            with self.subTest(flags=flags):
                self.assert_refused(self.command + ["--resume"] + flags, "last.safetensors", key,
                                    was, now, "--output")

    def test_resume_names_what_is_no_longer_given(self):
        command = [programs.train] + QUICK + ["--output", "averaged"]
        self.run_ok(command + ["--ema", "0.5"])
        self.assert_refused(command + ["--resume"], "last.safetensors", "ema was 0.5",
                            "now not given", "--output")

    def test_resume_of_another_model(self):
        for flags in (["--model", "resnet14"], ["--width", "5"], ["--shortcut", "A"],
                      ["--model", "resnet8_noshort"], ["--image-size", "16"]):
            with self.subTest(flags=flags):
                self.assert_refused(self.command + ["--resume"] + flags, "last.safetensors",
                                    "--output")

    def test_damaged_run(self):
        whole = self.read("run/last.safetensors", "rb")
        for name, contents, word in [
                ("truncated", whole[:len(whole) // 2], "truncated"), ("empty", b"", "safetensors"),
                ("only weights", self.read("run/model.safetensors", "rb"), "weights only")]:
            with self.subTest(name):
                self.write("run/last.safetensors", contents)
                self.assert_refused(self.command + ["--resume"], "run/last.safetensors", word)

    def test_resume_where_there_is_nothing_begins(self):
        self.run_ok([programs.train] + QUICK + ["--output", "new", "--resume"])


class WrongCheckpoint(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.run_ok([programs.train] + QUICK + ["--output", "run"])
        self.whole = self.read("run/model.safetensors", "rb")

    def refuse(self, checkpoint, *words, flags=()):
        self.assert_refused([programs.train, "--evaluate", checkpoint] + TINY_DATA + list(flags),
                            *words)

    def test_another_model(self):
        self.refuse("run/model.safetensors", "run/model.safetensors", "resnet8", "resnet20",
                    flags=["--model", "resnet20"])

    def test_absent(self):
        self.refuse("nothing.safetensors", "nothing.safetensors", "No such file")
        self.refuse("", "checkpoint is empty")

    def test_folder(self):
        self.refuse("run", "run")

    def test_truncated(self):
        for size in (0, 4, 8, 100, len(self.whole) // 2, len(self.whole) - 1):
            with self.subTest(size=size):
                self.write("cut.safetensors", self.whole[:size])
                self.refuse("cut.safetensors", "cut.safetensors")

    def test_too_long(self):
        self.write("long.safetensors", self.whole + b"\0")
        self.refuse("long.safetensors", "long.safetensors")

    def test_other_kinds_of_file(self):
        for name, contents in [("text", b"once upon a time there was a network\n" * 9),
                               ("zip", b"PK\3\4" + bytes(200)),
                               ("hdf5", b"\x89HDF\r\n\x1a\n" + bytes(200)),
                               ("pickle", b"\x80\2}q\0." + bytes(200)), ("ones", b"\xff" * 300)]:
            with self.subTest(name):
                self.write("other.safetensors", contents)
                self.refuse("other.safetensors", "other.safetensors")

    def test_safetensors_of_other_tools(self):
        header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
        self.write("foreign.safetensors", len(header).to_bytes(8, "little") + header + bytes(4))
        self.refuse("foreign.safetensors", "foreign.safetensors", "import_torch.py")

    def test_damaged_metadata(self):
        model = programs.safetensors(self.path("run", "model.safetensors"))[0]["model"]
        for key, value in [("model", model.replace("resnet8", "resnet9")),
                           ("model", model.replace("resnet8", "resnet14")),
                           ("model", model.replace("resnet8", "vgg99")),
                           ("model", model.replace("4", "5")), ("model", model.replace("4", "-4")),
                           ("model", model.replace("4", "4e18")),
                           ("model", model.replace("4", "\"4\"")), ("model", "{"), ("model", "[]"),
                           ("model", "7"), ("model", ""), ("model", None),
                           ("model", model.replace('"B"', '""')),
                           ("model", model.replace("relu", "cubic")),
                           ("normalisation", ""), ("normalisation", "{}"), ("normalisation", None),
                           ("normalisation", '{"mean":[0,0],"std":[1,1]}'),
                           ("normalisation", '{"mean":[0,0,0],"std":[1,0,1]}'),
                           ("normalisation", '{"mean":["a",0,0],"std":[1,1,1]}'),
                           ("format", "pt"), ("format", None)]:
            with self.subTest(key=key, value=value):
                self.write("bad.safetensors", programs.with_metadata(self.whole, **{key: value}))
                self.refuse("bad.safetensors", "bad.safetensors")

    def test_damaged_tensors(self):
        for old, new in [(b"F32", b"F33"), (b"F32", b"U8"), (b"[4,3,3,3]", b"[4,3,3,4]"),
                         (b"conv1.weight", b"conv9.weight")]:
            with self.subTest(old=old, new=new):
                self.assertIn(old, self.whole)
                length = int.from_bytes(self.whole[:8], "little") + len(new) - len(old)
                self.write("bad.safetensors", length.to_bytes(8, "little") +
                           self.whole[8:].replace(old, new, 1))
                self.refuse("bad.safetensors", "bad.safetensors")

    def test_data_that_do_not_fit(self):
        self.refuse("run/model.safetensors", "16x16", "12x12", flags=["--image-size", "16"])

    def test_unknown_split(self):
        self.refuse("run/model.safetensors", "validation", "train or test",
                    flags=["--split", "validation"])


if __name__ == "__main__":
    programs.main()
