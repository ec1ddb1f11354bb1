#!/usr/bin/env python3
"""`landscape sharpness` and `landscape compare` on its files, as a user runs them: held against the
numbers of the other commands, continued, refused."""

import json
import os
import re
import signal

import programs
from programs import ModelTest, doubles, planes, start, stop

QUICK = ["--directions", "2", "--tolerance", "0.05", "--trace-products", "9", "--keskar-steps", "3"]


class SharpnessTest(ModelTest):
    """Three networks: a.safetensors, b.safetensors and c.safetensors."""

    MODELS = {name: ["--seed", seed, "--epochs", seed + 1] for seed, name in enumerate("abc")}

    def sharpness(self, *more, models=("a.safetensors",)):
        return [programs.landscape, "sharpness", *models, "--data", programs.images, "--images",
                "50", "--threads", "2", *QUICK, *more]

    def landscape(self, command, *more):
        return self.run_ok([programs.landscape, command, "a.safetensors", "--data",
                            programs.images, "--images", "50", "--threads", "2", *more])

    def values(self, name):
        return {key: doubles(value) for key, value in
                self.numbers(self.path(name)).items()}

    def numbers(self, path):
        with programs.Hdf5(path) as file:
            return {name[:-len("/value")]: file.read(name) for name in file.names()
                    if name.endswith("/value") and name.count("/") == 1}


class Results(SharpnessTest):
    def test_the_panel(self):
        printed = self.run_ok(self.sharpness("--output", "s.h5"))
        self.assertTrue(printed.startswith("s.h5: resnet8"), printed)
        self.assertIn("over 50 ", printed.splitlines()[0])
        found = self.values("s.h5")
        for name in ("loss", "error", "test_loss", "test_error", "gap", "gradient_norm", "keskar",
                     "sam", "asam", "expected_sharpness", "pac_bayes_sigma",
                     "pac_bayes_sigma_magnitude", "critical_sharpness", "mean_curvature",
                     "basin_width", "lambda_max", "trace"):
            self.assertRegex(printed, rf"\n{name} +\S", name)
            self.assertEqual(len(found[name]), 1, name)
        self.assertNotIn("non_convex_share", found)
        self.assertGreaterEqual(found["keskar"][0], 0)
        self.assertAlmostEqual(found["gap"][0], found["test_error"][0] - found["error"][0])
        with programs.Hdf5(self.path("s.h5")) as file:
            for name in ("error", "test_error", "gap"):
                low, high, error = (doubles(file.read(f"{name}/{end}"))[0]
                                    for end in ("low", "high", "standard_error"))
                self.assertLessEqual(low, found[name][0])
                self.assertLessEqual(found[name][0], high)
                self.assertAlmostEqual(error, (high - low) / 3.92, delta=1e-3 * error)
                self.assertGreater(error, 0, name)

    def test_numbers_are_those_of_the_other_commands(self):
        self.run_ok(self.sharpness("--output", "s.h5", "--directions", "1", "--sigma", "0.25"))
        found = {name: value[0] for name, value in self.values("s.h5").items()}
        self.landscape("line", "--x=0:0.25:2", "--no-pictures", "--output", "l.h5")
        loss = doubles(planes(self.path("l.h5"))["train_loss"])
        self.assertAlmostEqual(found["loss"], loss[0], places=6)
        self.assertAlmostEqual(found["expected_sharpness"], loss[1] - loss[0], places=6)
        self.landscape("hessian", "--trace", "9", "--largest", "1", "--smallest", "0",
                       "--tolerance", "1e-3", "--output", "h.h5")
        hessian = {name: doubles(value)[0] for name, value in
                   planes_with(self.path("h.h5"), "gradient_norm", "trace/value",
                               "largest/values").items()}
        self.assertAlmostEqual(found["gradient_norm"], hessian["gradient_norm"], places=5)
        self.assertAlmostEqual(found["trace"] / hessian["trace/value"], 1, places=4)
        self.assertAlmostEqual(found["lambda_max"] / hessian["largest/values"], 1, places=2)
        printed = self.run_ok([programs.train, "--evaluate", "a.safetensors", "--data",
                               programs.images])
        error = float(re.search(r"error (\S+) %", printed).group(1))
        self.assertAlmostEqual(found["test_error"], error, places=2)

    def test_basins_end_where_the_loss_has_risen(self):
        self.run_ok(self.sharpness("--output", "s.h5", "--measures", "loss,basin_width",
                                   "--directions", "1", "--tolerance", "1e-4", "--rise", "0.3"))
        found = {name: value[0] for name, value in self.values("s.h5").items()}
        self.landscape("line", "--x=-4:4:801", "--no-pictures", "--output", "l.h5")
        inside = [value <= found["loss"] + 0.3
                  for value in doubles(planes(self.path("l.h5"))["train_loss"])]
        left, right = 400, 400
        while left > 0 and inside[left - 1]:
            left -= 1
        while right < 800 and inside[right + 1]:
            right += 1
        self.assertLess(abs(found["basin_width"] - (right - left) * 0.01), 0.021)

    def test_a_surface_s_share_that_is_not_convex(self):
        self.landscape("surface", "--x=-1:1:5", "--y=-1:1:4", "--no-pictures", "--output", "p.h5")
        printed = self.run_ok(self.sharpness("--surface", "p.h5", "--measures", "loss",
                                             "--output", "s.h5"))
        self.assertIn("6 points of 5x4", printed)
        share = self.values("s.h5")["non_convex_share"][0]
        self.assertAlmostEqual(share * 6, round(share * 6))
        self.assert_refused(self.sharpness("--surface", "p.h5", "--output", "b.h5",
                                           models=["b.safetensors"]), "p.h5", "another network")

    def test_threads_decide_nothing(self):
        for threads in "12":
            self.run_ok(self.sharpness("--output", f"s{threads}.h5", "--threads", threads))
        self.assertEqual(self.numbers(self.path("s1.h5")), self.numbers(self.path("s2.h5")))

    def test_json(self):
        self.run_ok(self.sharpness("--measures", "loss,sam", "--json", "s.json"))
        with open(self.path("s.json")) as file:
            (network,) = json.load(file)
        values = {name: array["values"] for name, array in network["arrays"].items()}
        self.assertEqual(values["measure"], ["loss", "sam"])
        self.assertEqual(values["settings"][1], "rho 0.05, 1 step")
        self.assertEqual(values["value"][1], self.values("a_sharpness.h5")["sam"][0])
        self.assertEqual(network["provenance"]["bn_mode"], "frozen")

    def test_help(self):
        printed = self.run_ok([programs.landscape, "sharpness", "--help"])
        for word in ("--keskar-epsilon", "--reparametrisation-test", "--images", "pac_bayes_sigma ",
                     "docs/measures.md", "[a rescaling moves it]"):
            self.assertIn(word, printed)


def planes_with(path, *names):
    with programs.Hdf5(path) as file:
        return {name: file.read(name) for name in names}


class Continuation(SharpnessTest):
    def test_what_is_lacking_is_added_and_what_changed_is_renewed(self):
        self.run_ok(self.sharpness("--measures", "loss,sam,keskar", "--output", "s.h5"))
        before = self.numbers(self.path("s.h5"))
        self.run_ok(self.sharpness("--measures", "sam,keskar,asam", "--rho", "0.1", "--output",
                                   "s.h5"))
        after = self.numbers(self.path("s.h5"))
        self.assertEqual(after["keskar"], before["keskar"])
        self.assertEqual(after["loss"], before["loss"])
        self.assertNotEqual(after["sam"], before["sam"])
        self.assertIn("asam", after)

    def test_what_was_finished_stays(self):
        process, _ = start(self.sharpness("--output", "s.h5", "--measures",
                                          "loss,sam,expected_sharpness", "--directions", "1000000"),
                           self.folder, None)
        programs.wait_for_saves(self.path("s.h5"), process, 3)  # begun, loss, sam
        said = stop(process, signal.SIGINT)
        self.assertEqual(process.returncode, 130, said)
        self.assertEqual(said.strip(), "landscape: interrupted; what was finished is saved in "
                                       "s.h5: repeat the command to continue")
        self.assertEqual(set(self.numbers(self.path("s.h5"))), {"loss", "sam"})


class Reparametrisation(SharpnessTest):
    def test_invariant_measures_stay_and_the_others_move(self):
        printed = self.run_ok(self.sharpness("--output", "s.h5", "--reparametrisation-test",
                                             "--directions", "3", "--tolerance", "0.005"))
        self.assertRegex(printed, r"\nrescaled: 9 layers before a BatchNorm times 10, .*\n"
                                  r"the same function: logits up to \S+ differ by at most \S+\n")
        verdicts = dict(re.findall(r"\n(\w+) .* (unchanged|moved) ", printed))
        for name in ("loss", "asam", "expected_sharpness", "mean_curvature", "basin_width",
                     "pac_bayes_sigma_magnitude"):
            self.assertEqual(verdicts[name], "unchanged", printed)
        for name in ("gradient_norm", "keskar", "sam", "pac_bayes_sigma", "critical_sharpness",
                     "lambda_max", "trace"):
            self.assertEqual(verdicts[name], "moved", printed)
        self.assertNotIn("test_error", verdicts)
        slices = planes_with(self.path("s.h5"), *(f"rescaled/slices/{kind}/{when}"
                                                  for kind in ("filter", "plain")
                                                  for when in ("before", "after")))
        slices = {name: doubles(value) for name, value in slices.items()}

        def largest_difference(kind):
            return max(abs(a - b) for a, b in zip(slices[f"rescaled/slices/{kind}/before"],
                                                  slices[f"rescaled/slices/{kind}/after"]))
        self.assertLess(largest_difference("filter"), 1e-3)
        self.assertGreater(largest_difference("plain"), 0.01)
        for kind in ("filter", "plain"):
            for suffix in ("svg", "png"):
                self.assertGreater(os.path.getsize(self.path(f"s_{kind}.{suffix}")), 1000)
        # Once more: nothing is computed again, nothing changes.
        again = self.run_ok(self.sharpness("--output", "s.h5", "--reparametrisation-test",
                                           "--directions", "3", "--tolerance", "0.005"))
        self.assertEqual(again, printed)


class Compare(SharpnessTest):
    def setUp(self):
        super().setUp()
        models = [f"{name}.safetensors" for name in "abc"]
        self.printed = self.run_ok(self.sharpness("--measures", "loss,test_error,sam,asam",
                                                  "--output", "all", models=models))
        self.files = [os.path.join("all", f"{name}_sharpness.h5") for name in "abc"]

    def compare(self, *more):
        return [programs.landscape, "compare", *more]

    def test_networks_side_by_side(self):
        printed = self.run_ok(self.compare(*self.files))
        header = next(line for line in printed.splitlines() if line.startswith("measure"))
        self.assertEqual(header.split()[:4], ["measure", "a", "b", "c"])
        self.assertIn("rank correlation with test_error", printed)
        self.assertIn("of 3 networks no p is below 0.33", printed)
        row = next(line.split() for line in printed.splitlines() if line.startswith("sam ")
                   and line.split()[1] == "3")
        errors = [self.values(file)["test_error"][0] for file in self.files]
        sharp = [self.values(file)["sam"][0] for file in self.files]
        if len(set(errors)) == 3:  # no ties: 1 - 6 sum d^2 / (n (n^2 - 1))
            d = [sorted(errors).index(e) - sorted(sharp).index(s) for e, s in zip(errors, sharp)]
            self.assertAlmostEqual(float(row[2]), 1 - sum(x * x for x in d) / 4, places=2)
        # What sharpness printed of the three at once.
        self.assertEqual(printed[printed.index("measure"):],
                         self.printed[self.printed.index("measure"):])
        self.assertIn("rank correlation with loss", self.run_ok(
            self.compare(*self.files, "--against", "loss", "--json", "n.json")))
        with open(self.path("n.json")) as file:
            self.assertEqual([network["title"] for network in json.load(file)], list("abc"))

    def test_two_have_no_correlation(self):
        self.assertIn("need three networks", self.run_ok(self.compare(*self.files[:2])))

    def test_what_was_measured_otherwise(self):
        self.run_ok(self.sharpness("--measures", "loss,sam", "--images", "40", "--output", "d.h5"))
        self.assert_refused(self.compare(self.files[0], "d.h5"), "d was not measured as a", "images",
                            "40", "50")
        self.run_ok(self.sharpness("--measures", "loss,sam", "--rho", "1", "--output", "e.h5"))
        printed = self.run_ok(self.compare(*self.files[1:], "e.h5", "--against", "loss"))
        self.assertIn("settings differ", printed)

    def test_other_files(self):
        self.landscape("surface", "--x=-1:1:3", "--y=-1:1:3", "--no-pictures", "--output", "p.h5")
        self.assert_refused(self.compare(self.files[0], "p.h5"), "p.h5", "landscape sharpness")
        self.assert_refused(self.compare("a.safetensors", "b.safetensors"), "a.safetensors",
                            "landscape sharpness")
        self.assert_refused(self.compare("p.h5", "p.h5", "--against", "loss"), "--against", "p.h5")
        self.assert_refused(self.compare(*self.files, "--against", "beauty"), "beauty", "asam")


class WrongInput(SharpnessTest):
    def refuse(self, *flags):
        *flags, words = flags
        self.assert_refused(self.sharpness(*flags), *words)

    def test_flags(self):
        self.refuse("--measures", "sam,beauty", ["beauty", "asam"])
        self.refuse("--measures", "", ["--measures"])
        self.refuse("--rho", "0", ["--rho"])
        self.refuse("--sigma", "nan", ["--sigma"])
        self.refuse("--directions", "0", ["--directions"])
        self.refuse("--target", "1.5", ["--target", "below 1"])
        self.refuse("--target-of", "hope", ["hope", "error"])
        self.refuse("--trace-products", "3", ["--trace-products"])
        self.refuse("--factor", "1", ["--factor"])
        self.refuse("--split", "both", ["--split both"])
        self.refuse("--output", "nowhere/s.h5", ["nowhere/s.h5"])
        self.refuse("--output", "", ["--output"])
        self.refuse("--surface", "a.h5", "--surface", "b.h5", ["--surface", "2", "1"])
        self.assert_refused(self.sharpness("--output", "s.h5", models=["a.safetensors", "b.safetensors"]),
                            "s.h5 is a file's name, and a folder is needed: leave out .h5")
        self.assert_refused([programs.landscape, "sharpness"], "no model given")
        self.assert_refused(self.sharpness(models=["a.safetensors", "a.safetensors"]), "one file")

    def test_another_command_s_file(self):
        self.run_ok(self.sharpness("--measures", "loss", "--output", "s.h5"))
        self.refuse("--loss", "mse", "--output", "s.h5", ["another command", "loss"])
        self.refuse("--images", "40", "--output", "s.h5", ["another command", "images"])
        self.assert_refused(self.sharpness("--output", "s.h5", models=["b.safetensors"]),
                            "another command", "model_hash")


if __name__ == "__main__":
    programs.main()
