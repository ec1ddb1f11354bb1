#!/usr/bin/python3
"""`landscape export` of what landscape and train write, as a user runs it, and what it refuses."""

import csv
import json
import os

import programs
from export_readers import ExportTest, export, h5py, needs_numpy, numpy, xml_arrays
from landscape_test import LandscapeTest
from programs import TINY_NET


@needs_numpy
class Commands(LandscapeTest, ExportTest):
    """Results of every command, in every format that makes sense of them."""

    EVERY = ["npz", "json", "csv"]

    def export_all(self, name, formats=None):
        """Returns (npz as a dict, the values in json, csv's rows) of a result."""
        self.run_ok(export(name, "--format", ",".join(formats or self.EVERY), "--output", "out"))
        stem = self.path("out", os.path.splitext(name)[0])
        with numpy.load(stem + ".npz", allow_pickle=False) as npz:
            arrays = dict(npz)
        with open(stem + ".json") as file:
            tree = json.load(file)
        with open(stem + ".csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(str(arrays["kind"]), tree["kind"])
        self.assertEqual(json.loads(str(arrays["provenance"])), tree["provenance"])
        self.assertIn("command", tree["provenance"])
        self.assertEqual(tree["format"], "topograd-record-1")
        values = {key: array["values"] for key, array in tree["arrays"].items()}
        self.assertEqual(set(values), set(arrays) - {"kind", "provenance"})
        with h5py.File(self.path(name)) as h5:  # a panel's format is the HDF5 file's own
            self.assertLessEqual(set(h5.attrs) - {"format", "checksum"}, set(tree["provenance"]))
        return arrays, values, rows

    def test_a_surface(self):
        self.run_ok(self.surface("s.h5", "--split", "both"))
        arrays, tree, rows = self.export_all(
            "s.h5", ["vti", "vtp", "npz", "json", "csv", "obj", "stl", "h5"])
        with h5py.File(self.path("s.h5")) as h5:
            for name in set(h5) - {"dir_file", "xcoordinates", "ycoordinates", "done"}:
                numpy.testing.assert_array_equal(arrays[name], h5[name])
                self.assertEqual(tree[name], h5[name][:].tolist())
                self.assertEqual([float(row[name]) for row in rows], h5[name][:].ravel().tolist())
            numpy.testing.assert_array_equal(arrays["done"], h5["done"][:].astype(bool))
            with h5py.File(self.path("out", "s_authors.h5")) as theirs:
                self.assertEqual(set(theirs), {"dir_file", "xcoordinates", "ycoordinates",
                                               "train_loss", "train_acc", "test_loss", "test_acc"})
                numpy.testing.assert_array_equal(theirs["test_loss"], h5["test_loss"])
        vtp, _ = xml_arrays(self.path("out", "s.vtp"))
        self.assertEqual(vtp["train_loss_se"], arrays["train_loss_se"].ravel().tolist())
        self.assertEqual(json.loads(vtp["provenance"]), json.loads(str(arrays["provenance"])))

    def test_what_was_exported_for_the_authors_is_read_again(self):
        self.run_ok(self.surface("s.h5"))
        self.run_ok(export("s.h5", "--output", "theirs.h5"))
        self.run_ok(export("theirs.h5", "--output", "back.csv"))
        self.run_ok(export("s.h5", "--output", "s.csv"))
        self.assertEqual([(r["x"], r["y"], r["train_loss"]) for r in self.table("back.csv")],
                         [(r["x"], r["y"], r["train_loss"]) for r in self.table("s.csv")])

    def test_a_line(self):
        self.run_ok(self.line("l.h5"))
        arrays, tree, rows = self.export_all("l.h5", self.EVERY + ["h5"])
        self.assertEqual(arrays["train_loss"].tolist(), tree["train_loss"])
        self.assertEqual([float(row["x"]) for row in rows], [0, 0.5, 1])
        self.assertNotIn("y", arrays)
        with h5py.File(self.path("out", "l_authors.h5")) as theirs:
            self.assertNotIn("ycoordinates", theirs)
            self.assertEqual(theirs["train_loss"][:].tolist(), arrays["train_loss"].tolist())
        for suffix in ("vti", "vtp", "obj", "stl"):
            self.assert_refused(export("l.h5", "--output", "l." + suffix), "l.h5 is a line",
                                "no mesh: choose npz, json, csv or h5")

    def flags(self):
        return ["--data", programs.images, "--images", "50", "--threads", "2"]

    def test_curvature_and_its_map(self):
        self.run_ok([programs.landscape, "hessian", "a.safetensors", *self.flags(), "--output",
                     "h.h5", "--largest", "2", "--trace", "9", "--density", "2"])
        arrays, tree, rows = self.export_all("h.h5")
        self.assertEqual(arrays["largest/values"].tolist(), tree["largest/values"])
        self.assertNotIn("largest/vectors", arrays)
        self.assertEqual([float(r["value"]) for r in rows if r["quantity"] == "largest/values"],
                         tree["largest/values"])
        self.assertEqual([float(r["at"]) for r in rows if r["quantity"] == "density/density"],
                         tree["density/at"])
        self.run_ok(self.surface("s.h5"))
        self.run_ok([programs.landscape, "hessian", "a.safetensors", *self.flags(), "--output",
                     "m.h5", "--over", "s.h5", "--no-pictures"])
        self.run_ok(export("m.h5", "--format", "vtp,h5", "--plane", "lambda_max"))
        with h5py.File(self.path("m_authors.h5")) as theirs:
            self.assertEqual(set(theirs), {"dir_file", "xcoordinates", "ycoordinates", "min_eig",
                                           "max_eig"})
        self.assertEqual(xml_arrays(self.path("m.vtp"))[1]["PointData"]["Scalars"], "lambda_max")

    def test_sharpness_coherence_and_paths(self):
        two = ["a.safetensors", "b.safetensors"]
        self.run_ok([programs.landscape, "sharpness", "a.safetensors", *self.flags(), "--output",
                     "p.h5", "--directions", "2", "--trace-products", "9", "--keskar-steps", "3",
                     "--tolerance", "0.05"])
        arrays, tree, rows = self.export_all("p.h5")
        self.assertEqual([row["measure"] for row in rows], tree["measure"])
        for row, value, of_npz, settings in zip(rows, tree["value"], arrays["value"],
                                                tree["settings"]):
            self.assertEqual(float(row["value"] or "nan"), of_npz)
            if isinstance(value, float):
                self.assertEqual(float(row["value"]), value)
            self.assertEqual(row["settings"], settings)
            with h5py.File(self.path("p.h5")) as h5:
                self.assertEqual(h5[row["measure"] + "/value"][()], of_npz)
        self.run_ok([programs.landscape, "coherence", *two, "--data", programs.images, "--batches",
                     "4", "--batch-size", "20", "--threads", "2", "--output", "c.h5"])
        arrays, tree, rows = self.export_all("c.h5")
        self.assertEqual([row["file"] for row in rows], two)
        self.assertEqual([float(row["cosine"]) for row in rows], tree["cosine"])
        self.assertEqual(arrays["model1/gram"].shape, (4, 4))
        self.run_ok([programs.landscape, "connect", *two, *self.flags(), "--points", "3",
                     "--no-pictures", "--output", "w.h5"])
        arrays, tree, rows = self.export_all("w.h5")
        self.assertEqual([float(row["t"]) for row in rows], [0, 0.5, 1])
        loss = "paths/line/states/train_loss"
        self.assertEqual([float(row[loss]) for row in rows], tree[loss])
        with h5py.File(self.path("w.h5")) as h5:
            self.assertEqual(h5[loss][:].tolist(), tree[loss])
            self.assertEqual(h5[loss + "_barrier"][()], tree[loss + "_barrier"])
        self.assert_refused(export("w.h5", "--output", "w.vtp"), "w.h5", "choose npz, json or csv")

    def test_a_training_and_its_trajectory(self):
        self.run_ok([programs.train, *TINY_NET, "--data", programs.images, "--epochs", "3",
                     "--batch-size", "50", "--checkpoint-every", "1", "--output", "run"])
        self.run_ok(export("run/log.csv", "--format", "npz,json"))
        with open(self.path("run", "log.csv"), newline="") as file:
            log = list(csv.DictReader(file))
        with numpy.load(self.path("run", "log.npz")) as npz:
            for name in log[0]:
                self.assertEqual(npz[name].tolist(), [float(row[name]) for row in log])
        self.assert_refused(export("run/log.csv", "--output", "l.csv"), "csv already")
        self.run_ok([programs.landscape, "trajectory", "run", *self.flags(), "--no-pictures",
                     "--x=-1:1:3", "--y=-1:1:2", "--output", "t.h5"])
        arrays, tree, rows = self.export_all("t.h5", self.EVERY + ["vtp"])
        self.assertEqual([float(row["proj_xcoord"]) for row in rows], tree["proj_xcoord"])
        vtp, tags = xml_arrays(self.path("out", "t.vtp"))
        self.assertEqual(tags["Piece"]["NumberOfLines"], "1")
        self.assertEqual(vtp["connectivity"], [0, 1, 2, 3])
        self.assertEqual(vtp["Points"][0::3], tree["proj_xcoord"])
        self.assertEqual(vtp["Points"][1::3], tree["proj_ycoord"])
        self.assertEqual(vtp["Points"][2::3], tree["projected_train_loss"])
        self.assert_refused(export("t.h5", "--output", "t.stl"), "t.h5 is a trajectory", "vtp")
        self.assert_refused(export("t.h5", "--output", "t.vtp", "--height", "3"), "--height",
                            "surfaces")

    def test_a_kind_that_is_known_nowhere(self):
        """A record in JSON is a result like any other: exported, drawn, compared, in a report."""
        at = [0, 0.5, 1]
        record = {"format": "topograd-record-1", "kind": "spectral_gap", "title": "made up",
                  "provenance": {"command": "none"}, "table": ["at"], "arrays": {
                      "gap": {"values": 0.1, "error": "gap_error", "unit": "1/|theta|"},
                      "gap_error": {"values": 1 / 3},
                      "at": {"axes": ["at"], "values": at},
                      "width": {"axes": ["at"], "values": [5e-324, None, "infinity"]},
                      "v": {"axes": ["v"], "values": [1, 2]},
                      "height": {"axes": ["v", "at"], "values": [[1, 2, 3], [4, 5, 6]]}}}
        for name, gap in (("g.json", 0.1), ("other.json", 0.4)):
            record["arrays"]["gap"]["values"] = gap
            self.write(name, json.dumps(record, separators=(",", ":")).encode())
        self.run_ok(export("g.json", "--format", "npz,json,csv", "--output", "out"))
        with open(self.path("out", "g.json")) as file:
            tree = json.load(file)
        self.assertEqual(tree["kind"], "spectral_gap")
        self.assertEqual(tree["arrays"]["gap"]["values"], 0.1)
        self.assertEqual(tree["arrays"]["width"]["values"], [5e-324, None, "infinity"])
        with numpy.load(self.path("out", "g.npz")) as npz:
            self.assertEqual(npz["height"].tolist(), [[1, 2, 3], [4, 5, 6]])
            self.assertEqual(str(npz["kind"]), "spectral_gap")
        self.assertEqual(self.read("out/g.csv"), "at,width\n0,5e-324\n0.5,\n1,inf\n")
        self.run_ok(export("out/g.json", "--output", "again.json"))
        self.assertEqual(self.read("again.json").replace('"out/g.json"', '"g.json"'),
                         self.read("out/g.json"))
        self.assert_refused(export("g.json", "--output", "g.obj"), "g.json",
                            "a result of the kind 'spectral_gap'", "npz, json or csv")
        printed = self.run_ok([programs.landscape, "plot", "g.json", "--type", "svg"])
        self.assertEqual(printed.split(), ["g_height.svg", "g_at.svg"])
        for word in ("made up", "width", "gap 0.1 ± 0.33 1/|theta|"):
            self.assertIn(word, self.read("g_at.svg"))
        self.assertNotIn("θ", self.read("g_height.svg"), "its origin is no network")
        printed = self.run_ok([programs.landscape, "compare", "g.json", "other.json"])
        gap, = (line.split() for line in printed.splitlines()
                if line.startswith("gap ") and line.split()[1] == "0.3")
        self.assertAlmostEqual(float(gap[5]), 0.3 / (2 ** 0.5 / 3), places=4)
        self.assert_refused([programs.landscape, "compare", "g.json", "a.safetensors"],
                            "a.safetensors")
        self.write("broken.json", self.read("g.json", "rb")[:-9])
        self.assert_refused(export("broken.json", "--format", "csv"), "broken.json is no record")


class WrongInput(LandscapeTest):
    def setUp(self):
        super().setUp()
        self.run_ok(self.surface("s.h5"))
        self.run_ok(self.line("l.h5"))

    def refuse(self, *words):
        *words, parts = words
        self.assert_refused(export(*words), *parts)

    def test_what_to_write_and_where(self):
        self.refuse(["nothing to export"])
        self.refuse("s.h5", ["which format", "--format"])
        self.refuse("s.h5", "--output", "out/", ["which format"])
        self.refuse("s.h5", "--format", "png", ["png", "vti, vtr, vtp, npz, json, csv, obj, stl or h5"])
        self.refuse("s.h5", "--format", "csv,csv", ["csv", "twice"])
        self.refuse("s.h5", "--output", "s.png", ["s.png", "which format"])
        self.refuse("s.h5", "--output", "s.csv", "--format", "npz", ["s.csv", "leave out --format"])
        self.refuse("s.h5", "l.h5", "--output", "s.csv", ["s.csv", "2 results need a folder"])
        self.refuse("s.h5", "--output", "s.h5", ["s.h5", "another --output"])
        self.refuse("s.h5", "--output", "nowhere/s.csv", ["nowhere/s.csv"])
        self.refuse("s.h5", "s.h5", "--format", "csv", ["both be written to s.csv"])

    def test_flags_that_nothing_heeds(self):
        self.refuse("s.h5", "--output", "s.csv", "--log", ["--log", "vtp, obj, stl"])
        self.refuse("s.h5", "--output", "s.vtp", "--base", "3", ["--base", "stl"])
        self.refuse("s.h5", "--output", "s.npz", "--comments", ["--comments", "csv"])

    def test_values(self):
        self.refuse("s.h5", "--output", "s.vtp", "--plane", "loss", ["s.h5", "loss", "train_loss"])
        self.refuse("s.h5", "--output", "s.stl", "--height", "0", ["--height"])
        self.refuse("s.h5", "--output", "s.stl", "--height", "nan", ["--height"])
        self.refuse("s.h5", "--output", "s.vtp", "--vmax", "-1", "--log", ["--vmax -1", "--log"])

    def test_files_that_are_no_results(self):
        self.refuse("none.h5", "--format", "csv", ["none.h5 cannot be opened"])
        self.refuse("a.safetensors", "--format", "csv", ["a.safetensors is a network"])
        self.write("text.h5", b"text")
        self.refuse("text.h5", "--format", "csv", ["text.h5"])
        self.write("cut.h5", self.read("s.h5", "rb")[:1000])
        self.refuse("cut.h5", "--format", "csv", ["cut.h5"])

    def test_nothing_is_written_where_one_of_several_fails(self):
        self.refuse("s.h5", "l.h5", "--format", "csv,stl", "--output", "out", ["l.h5 is a line"])
        self.refuse("s.h5", "none.h5", "--format", "csv", "--output", "out", ["none.h5"])
        self.assertFalse(os.path.exists(self.path("out")))

    def test_a_full_disk_leaves_nothing_half_written(self):
        for name in ("s.csv", "s.npz", "theirs.h5"):
            with self.subTest(name=name):
                self.assert_refused(export("s.h5", "--output", name), name,
                                    preexec_fn=programs.limit_file_size(100))

    def test_an_older_file_is_replaced(self):
        self.write("s.csv", b"old")
        self.run_ok(export("s.h5", "--output", "s.csv", "--comments"))
        self.assertTrue(self.read("s.csv").startswith("# bn_mode: frozen\n# command: "))

    def test_help(self):
        printed = self.run_ok(export("--help"))
        for word in ("--format", "--output", "--plane", "--log", "--height", "stl"):
            self.assertIn(word, printed)


if __name__ == "__main__":
    programs.main()
