#!/usr/bin/python3
"""`landscape export` as a user runs it: every file is opened by what it is meant for.

Python's csv, json and xml; NumPy and h5py; VTK (python3-vtk9) where it is installed; the scripts of
the paper's authors where TOPOGRAD_REFERENCE names a checkout of them."""

import base64
import collections
import csv
import importlib.util
import json
import math
import os
import struct
import sys
import unittest
import xml.etree.ElementTree

import programs
from landscape_test import LandscapeTest
from programs import TINY_NET, EndToEndTest, run

try:
    import h5py
    import numpy
except ImportError:
    h5py = numpy = None
try:
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy
except ImportError:
    vtk = None

needs_numpy = unittest.skipUnless(numpy, "SKIPPED: python3-numpy and python3-h5py are missing")
needs_vtk = unittest.skipUnless(vtk, "SKIPPED: python3-vtk9 is missing: VTK opens no file here")

X = [-1, -0.3, 0.4, 2]  # not evenly spaced, and not as many as on y
Y = [0.5, 1, 1.5]
GRID = ["vtr", "vtp", "npz", "json", "csv", "obj", "stl", "h5"]


def loss_at(x, y):
    """A plane of values that are all different, and linear: a mesh of it has a known volume."""
    return 0.1 + 2 * (x + 1) + 3 * (y - 0.5)


def export(*words):
    return [programs.landscape, "export", *words]


def xml_arrays(path):
    """({name: numbers}, {tag: attributes}) of a VTK file, read by Python alone."""
    letters = {"Float64": "d", "UInt8": "B", "Int64": "q"}
    found, tags = {}, {}
    for element in xml.etree.ElementTree.parse(path).iter():
        tags.setdefault(element.tag, element.attrib)
        if element.tag == "DataArray" and element.get("format") == "binary":
            data = base64.b64decode(element.text, validate=True)
            size, = struct.unpack("<Q", data[:8])
            assert size == len(data) - 8
            letter = letters[element.get("type")]
            values = struct.unpack(f"<{size // struct.calcsize(letter)}{letter}", data[8:])
            found[element.get("Name")] = list(values)
        elif element.tag == "DataArray":
            codes = [int(code) for code in element.text.split()]
            assert codes[-1] == 0
            found[element.get("Name")] = bytes(codes[:-1]).decode()
    return found, tags


def triangles(path):
    """[(normal, three corners)] of a binary STL."""
    with open(path, "rb") as file:
        data = file.read()
    count, = struct.unpack("<I", data[80:84])
    assert len(data) == 84 + 50 * count
    numbers = [struct.unpack("<12f", data[84 + 50 * i:132 + 50 * i]) for i in range(count)]
    return [(n[:3], (n[3:6], n[6:9], n[9:12])) for n in numbers]


def cross(a, b, c):
    u, v = ([q - p for p, q in zip(a, other)] for other in (b, c))
    return (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])


class ExportTest(EndToEndTest):
    def make_theirs(self, name="theirs.h5", x=X, y=Y, holes=(), scrambled=False):
        """A surface as the authors' tools write it: values go to a flat array in the order of
        numpy.meshgrid(x, y), which they label [x][y]. `scrambled` False: [y][x], as it is read."""
        loss = [loss_at(a, b) for b in y for a in x]
        accuracy = [90 - 5 * i for i in range(len(loss))]
        for place, value in holes:
            loss[place] = value
        shape = (len(x), len(y)) if scrambled else (len(y), len(x))
        with h5py.File(self.path(name), "w") as file:
            file["dir_file"] = "d.h5"
            file["xcoordinates"] = numpy.array(x, float)
            file["ycoordinates"] = numpy.array(y, float)
            file["train_loss"] = numpy.array(loss, float).reshape(shape)
            file["train_acc"] = numpy.array(accuracy, float).reshape(shape)
        return loss

    def json_of(self, name):
        return json.loads(self.read(name))

    def table(self, name):
        with open(self.path(name), newline="") as file:
            return list(csv.DictReader(file))


@needs_numpy
class Surfaces(ExportTest):
    """Of the authors' tools: what is read and what is written are both known here."""

    def check_values(self, loss):
        """npz, json, csv and h5 of theirs.h5 hold the same bits."""
        rows = [loss[i * len(X):(i + 1) * len(X)] for i in range(len(Y))]
        with numpy.load(self.path("out", "theirs.npz"), allow_pickle=False) as npz:
            self.assertEqual(set(npz), {"x", "y", "done", "train_loss", "train_acc", "kind",
                                        "provenance"})
            self.assertEqual(npz["train_loss"].shape, (3, 4))
            numpy.testing.assert_array_equal(npz["train_loss"], rows)
            self.assertEqual(npz["x"].tolist(), X)
            self.assertEqual(npz["y"].tolist(), Y)
            self.assertEqual(npz["done"].dtype, bool)
            self.assertEqual(str(npz["kind"]), "surface")
            self.assertEqual(json.loads(str(npz["provenance"])), {"dir_file": "d.h5"})
        found = self.json_of("out/theirs.json")
        self.assertEqual((found["x"], found["y"]), (X, Y))
        self.assertEqual(found["planes"]["train_loss"], rows)
        table = self.table("out/theirs.csv")
        self.assertEqual([(float(r["x"]), float(r["y"])) for r in table],
                         [(x, y) for y in Y for x in X])
        self.assertEqual([float(row["train_loss"]) for row in table], loss)
        with h5py.File(self.path("out", "theirs_authors.h5")) as h5:
            self.assertEqual(set(h5), {"dir_file", "xcoordinates", "ycoordinates", "train_loss",
                                       "train_acc"})
            self.assertEqual(len(h5.attrs), 0)
            self.assertEqual(h5["train_loss"].dtype, numpy.float64)
            numpy.testing.assert_array_equal(h5["train_loss"], rows)
            self.assertEqual(h5["dir_file"][()], b"d.h5")

    def test_every_format_of_a_grid_that_is_neither_square_nor_even(self):
        loss = self.make_theirs()
        printed = self.run_ok(export("theirs.h5", "--format", ",".join(GRID), "--output", "out"))
        self.assertEqual(len(printed.splitlines()), len(GRID))
        self.check_values(loss)
        arrays, _ = xml_arrays(self.path("out", "theirs.vtr"))
        self.assertEqual((arrays["x"], arrays["y"], arrays["train_loss"]), (X, Y, loss))

    def test_a_grid_as_their_tools_scramble_it(self):
        loss = self.make_theirs(scrambled=True)
        self.run_ok(export("theirs.h5", "--format", ",".join(GRID), "--output", "out"))
        self.check_values(loss)

    def test_vti_where_the_points_are_even_and_vtr_where_not(self):
        x = [-1, -0.5, 0, 0.5]
        loss = self.make_theirs("even.h5", x)
        self.make_theirs()
        printed = self.run_ok(export("even.h5", "theirs.h5", "--format", "vti", "--output", "out"))
        self.assertEqual(printed, "out/even.vti: 4 x 3 points\nout/theirs.vtr: 4 x 3 points; vtr in "
                                  "place of vti: its points are not evenly spaced\n")
        arrays, tags = xml_arrays(self.path("out", "even.vti"))
        self.assertEqual(arrays["train_loss"], loss)
        self.assertEqual(tags["ImageData"], {"WholeExtent": "0 3 0 2 0 0", "Origin": "-1 0.5 0",
                                             "Spacing": "0.5 0.5 1"})
        self.assert_refused(export("theirs.h5", "--output", "t.vti"), "theirs.h5", "choose vtr")

    def test_a_mesh_of_finite_points(self):
        loss = self.make_theirs(holes=[(0, math.inf), (7, math.nan), (9, -1)])  # -1: to do
        printed = self.run_ok(export("theirs.h5", "--output", "t.vtp", "--log", "--vmax", "5"))
        self.assertRegex(printed, r"\At.vtp: 4 x 3 points; height is log10\(train_loss\) from \S+ to "
                                  r"0.69897; 3 points without a finite value left out\n\Z")
        arrays, tags = xml_arrays(self.path("t.vtp"))
        self.assertEqual(tags["Piece"]["NumberOfPolys"], "1")  # of 6 cells that without a hole
        self.assertEqual(arrays["connectivity"], [1, 2, 6, 5])
        for i, value in enumerate(loss):
            x, y, z = arrays["Points"][3 * i:3 * i + 3]
            self.assertEqual((x, y), (X[i % 4], Y[i // 4]))
            if i in (0, 7, 9):
                self.assertTrue(math.isnan(arrays["train_loss"][i]))
                self.assertTrue(math.isnan(arrays["zvalue"][i]))
                self.assertEqual(z, math.log10(5))
            else:
                self.assertEqual(arrays["train_loss"][i], value)
                self.assertAlmostEqual(z, math.log10(min(value, 5)), places=14)
        self.assertEqual(arrays["done"], [int(i != 9) for i in range(12)])

    def test_what_is_not_finite_in_text(self):
        self.make_theirs(holes=[(0, math.inf), (7, math.nan), (9, -1)])
        self.run_ok(export("theirs.h5", "--format", "json,csv,h5,npz"))
        losses = sum(self.json_of("theirs.json")["planes"]["train_loss"], [])
        self.assertEqual((losses[0], losses[7], losses[9]), ("infinity", None, None))
        self.assertEqual(sum(self.json_of("theirs.json")["done"], []), [i != 9 for i in range(12)])
        rows = self.table("theirs.csv")
        self.assertEqual([rows[i]["train_loss"] for i in (0, 7, 9)], ["inf", "", ""])
        self.assertEqual([row["done"] for row in rows], [str(int(i != 9)) for i in range(12)])
        with h5py.File(self.path("theirs_authors.h5")) as h5:
            written = h5["train_loss"][:].ravel()
            self.assertEqual((written[0], written[9]), (math.inf, -1))
            self.assertTrue(math.isnan(written[7]))

    def test_golden_surfaces_of_their_tools(self):
        folder = os.path.join(os.environ.get("TOPOGRAD_SHARED", "nowhere"), "golden")
        if not os.path.isdir(folder):
            self.skipTest("SKIPPED: surfaces of the authors' own tools (TOPOGRAD_SHARED)")
        names = sorted(name for name in os.listdir(folder) if "surface" in name)
        self.assertTrue(names)
        self.run_ok(export(*(os.path.join(folder, name) for name in names), "--format",
                           "vti,vtp,npz,json,csv,obj,stl,h5", "--output", "out"))
        for name in names:
            stem = os.path.join("out", name[:-len(".h5")])
            with h5py.File(os.path.join(folder, name)) as theirs, \
                    h5py.File(self.path(stem + "_authors.h5")) as ours, \
                    numpy.load(self.path(stem + ".npz")) as npz:
                for key in ("xcoordinates", "ycoordinates", "train_loss", "train_acc"):
                    numpy.testing.assert_array_equal(theirs[key], ours[key])
                numpy.testing.assert_array_equal(npz["train_loss"], theirs["train_loss"])
            self.check_solid(self.path(stem + ".stl"))

    def check_solid(self, path):
        """Watertight: every edge has two triangles, which run along it in opposite directions.
        Returns the volume, which is above 0 where the normals point outwards."""
        edges, volume = collections.Counter(), 0
        for normal, (a, b, c) in triangles(path):
            edges.update([(a, b), (b, c), (c, a)])
            n = cross(a, b, c)
            length = math.hypot(*n)
            self.assertGreater(length, 0)
            for stated, computed in zip(normal, n):
                self.assertAlmostEqual(stated, computed / length, places=5)
            volume += sum(p * q for p, q in zip(a, cross((0, 0, 0), b, c))) / 6
        self.assertEqual(set(edges.values()), {1})
        for a, b in edges:
            self.assertIn((b, a), edges)
        return volume

    def test_a_solid_to_print(self):
        self.make_theirs()
        printed = self.run_ok(export("theirs.h5", "--output", "t.stl", "--width", "60", "--height",
                                     "30", "--base", "5"))
        self.assertIn("60 x 20 x 35 mm", printed)
        # Linear heights: the mean is the middle between the lowest and the highest corner.
        volume = self.check_solid(self.path("t.stl"))
        self.assertAlmostEqual(volume / (60 * 20 * (5 + 15)), 1, places=6)
        self.make_theirs("holes.h5", holes=[(0, math.inf), (7, math.nan), (9, -1)])
        printed = self.run_ok(export("holes.h5", "--output", "h.stl"))
        self.assertIn("3 points without a finite value at the top", printed)
        self.assertGreater(self.check_solid(self.path("h.stl")), 0)

    def test_a_surface_for_blender(self):
        self.make_theirs()
        self.run_ok(export("theirs.h5", "--output", "t.obj", "--width", "3", "--height", "9"))
        lines = [line.split() for line in self.read("t.obj").splitlines()]
        vertices = [[float(word) for word in line[1:]] for line in lines if line[0] == "v"]
        faces = [[int(word.split("/")[0]) for word in line[1:]] for line in lines if line[0] == "f"]
        self.assertEqual((len(vertices), len(faces)), (12, 6))
        for i, (x, up, back, *colour) in enumerate(vertices):
            self.assertAlmostEqual(x, X[i % 4] + 1 - 1.5, places=6)
            self.assertAlmostEqual(-back, Y[i // 4] - 0.5 - 0.5, places=6)
            self.assertAlmostEqual(up, loss_at(X[i % 4], Y[i // 4]) - 0.1, places=6)
            self.assertTrue(all(0 <= c <= 1 for c in colour) and len(colour) == 3)
        for a, b, c, _ in faces:
            self.assertGreater(cross(*(vertices[k - 1][:3] for k in (a, b, c)))[1], 0)

    @needs_vtk
    def test_vtk_reads_them(self):
        loss = self.make_theirs(holes=[(9, -1)])
        even = self.make_theirs("even.h5", [-1, -0.5, 0, 0.5])
        self.run_ok(export("theirs.h5", "--format", "vtr,vtp", "--output", "out"))
        self.run_ok(export("even.h5", "--format", "vti", "--output", "out"))

        def read(reader, name):
            reader.SetFileName(self.path("out", name))
            reader.Update()
            self.assertEqual(reader.GetErrorCode(), 0)
            return reader.GetOutput()

        def plane(data, name="train_loss"):
            return vtk_to_numpy(data.GetPointData().GetArray(name))

        image = read(vtk.vtkXMLImageDataReader(), "even.vti")
        self.assertEqual(image.GetDimensions(), (4, 3, 1))
        self.assertEqual(image.GetBounds(), (-1, 0.5, 0.5, 1.5, 0, 0))
        self.assertEqual(image.GetPointData().GetScalars().GetName(), "train_loss")
        self.assertEqual(plane(image).tolist(), even)
        grid = read(vtk.vtkXMLRectilinearGridReader(), "theirs.vtr")
        self.assertEqual(vtk_to_numpy(grid.GetXCoordinates()).tolist(), X)
        self.assertEqual(vtk_to_numpy(grid.GetYCoordinates()).tolist(), Y)
        numpy.testing.assert_array_equal(plane(grid)[:9], loss[:9])
        self.assertTrue(numpy.isnan(plane(grid)[9]))
        mesh = read(vtk.vtkXMLPolyDataReader(), "theirs.vtp")
        self.assertEqual((mesh.GetNumberOfPoints(), mesh.GetNumberOfPolys()), (12, 4))
        self.assertEqual(plane(mesh, "done").tolist(), [int(i != 9) for i in range(12)])
        for i in range(12):
            x, y, z = mesh.GetPoint(i)
            self.assertEqual((x, y), (X[i % 4], Y[i // 4]))
            if i != 9:
                self.assertEqual(z, loss[i])
        for data in (image, grid, mesh):
            provenance = data.GetFieldData().GetAbstractArray("provenance").GetValue(0)
            self.assertEqual(json.loads(provenance), {"dir_file": "d.h5"})
        normals = vtk.vtkPolyDataNormals()
        normals.SetInputData(mesh)
        normals.ConsistencyOff()
        normals.ComputePointNormalsOff()
        normals.ComputeCellNormalsOn()
        normals.Update()
        up = vtk_to_numpy(normals.GetOutput().GetCellData().GetNormals())[:, 2]
        self.assertTrue((up > 0).all())

    @needs_vtk
    def test_vtk_finds_the_solid_closed(self):
        self.make_theirs()
        self.run_ok(export("theirs.h5", "--output", "t.stl", "--width", "60", "--height", "30",
                           "--base", "5"))
        reader = vtk.vtkSTLReader()
        reader.SetFileName(self.path("t.stl"))
        open_edges = vtk.vtkFeatureEdges()
        open_edges.SetInputConnection(reader.GetOutputPort())
        open_edges.BoundaryEdgesOn()
        open_edges.NonManifoldEdgesOn()
        open_edges.FeatureEdgesOff()
        open_edges.ManifoldEdgesOff()
        open_edges.Update()
        self.assertEqual(open_edges.GetOutput().GetNumberOfCells(), 0)
        mass = vtk.vtkMassProperties()
        mass.SetInputConnection(reader.GetOutputPort())
        self.assertAlmostEqual(mass.GetVolume() / 24000, 1, places=5)
        obj = vtk.vtkOBJReader()
        self.run_ok(export("theirs.h5", "--output", "t.obj"))
        obj.SetFileName(self.path("t.obj"))
        obj.Update()
        self.assertEqual((obj.GetOutput().GetNumberOfPoints(), obj.GetOutput().GetNumberOfPolys()),
                         (12, 6))


class Authors(ExportTest):
    """Their own scripts on our files."""

    def setUp(self):
        super().setUp()
        folder = os.environ.get("TOPOGRAD_REFERENCE", "")
        if not numpy or not os.path.isfile(os.path.join(folder, "h52vtp.py")):
            self.skipTest("SKIPPED: the authors' scripts (TOPOGRAD_REFERENCE names no checkout)")
        self.reference = folder

    def script(self, name):
        """A module of theirs; skips the test where it needs what is not installed."""
        spec = importlib.util.spec_from_file_location(name,
                                                      os.path.join(self.reference, name + ".py"))
        module = importlib.util.module_from_spec(spec)
        try:
            import matplotlib
            matplotlib.use("Agg")
            spec.loader.exec_module(module)
        except ImportError as error:
            self.skipTest(f"SKIPPED: {name}.py of the authors: {error}")
        return module

    def quietly(self, function, *arguments, **more):
        with open(os.devnull, "w") as nowhere:
            said, sys.stdout = sys.stdout, nowhere
            try:
                function(*arguments, **more)
            finally:
                sys.stdout = said

    def test_their_converter_makes_the_same_mesh(self):
        x = [-1, 0, 1]  # square: it knows no other grids
        self.make_theirs("s.h5", x, x)
        self.run_ok(export("s.h5", "--format", "h5,vtp"))
        self.quietly(self.script("h52vtp").h5_to_vtp, self.path("s_authors.h5"))
        ours, _ = xml_arrays(self.path("s.vtp"))
        tree = xml.etree.ElementTree.parse(self.path("s_authors.h5_train_loss.vtp"))
        theirs = {e.get("Name"): [float(word) for word in (e.text or "").split()]
                  for e in tree.iter("DataArray") if e.text and e.text.strip()}
        self.assertEqual(theirs["Points"], ours["Points"])
        self.assertEqual(theirs["zvalue"], ours["zvalue"])
        self.assertEqual(theirs["connectivity"], ours["connectivity"])

    def test_their_plotters_read_our_file(self):
        self.make_theirs("s.h5")
        self.run_ok(export("s.h5", "--format", "h5"))
        with h5py.File(self.path("d.h5"), "w") as file:
            file["explained_variance_ratio_"] = [0.5, 0.25]
        with h5py.File(self.path("p.h5"), "w") as file:
            file["proj_xcoord"], file["proj_ycoord"] = [0.0, 1.0], [0.5, 1.0]
        self.quietly(self.script("plot_2D").plot_contour_trajectory, self.path("s_authors.h5"),
                     self.path("d.h5"), self.path("p.h5"), "train_loss")
        self.assertTrue(os.path.getsize(self.path("p.h5_train_loss_2dcontour_proj.pdf")) > 0)

    def test_their_line_plotter_reads_our_file(self):
        with h5py.File(self.path("l.h5"), "w") as file:
            file["xcoordinates"] = [0.0, 0.5, 1.0]
            file["train_loss"], file["train_acc"] = [2.0, 1.0, 3.0], [10.0, 20.0, 30.0]
        self.run_ok(export("l.h5", "--format", "h5"))
        self.quietly(self.script("plot_1D").plot_1d_loss_err, self.path("l_authors.h5"))
        self.assertTrue(os.path.getsize(self.path("l_authors.h5_1d_loss_acc.pdf")) > 0)


@needs_numpy
class Commands(LandscapeTest):
    """Results of every command, in every format that makes sense of them."""

    EVERY = ["npz", "json", "csv"]

    def export_all(self, name, formats=None):
        """(npz as a dict, json, csv's rows) of a result."""
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
        return arrays, tree, rows

    def test_a_surface(self):
        self.run_ok(self.surface("s.h5", "--split", "both"))
        arrays, tree, rows = self.export_all(
            "s.h5", ["vti", "vtp", "npz", "json", "csv", "obj", "stl", "h5"])
        with h5py.File(self.path("s.h5")) as h5:
            for name in set(h5) - {"dir_file", "xcoordinates", "ycoordinates", "done"}:
                numpy.testing.assert_array_equal(arrays[name], h5[name])
                self.assertEqual(tree["planes"][name], h5[name][:].tolist())
                self.assertEqual([float(row[name]) for row in rows], h5[name][:].ravel().tolist())
            numpy.testing.assert_array_equal(arrays["done"], h5["done"][:].astype(bool))
            for key, value in h5.attrs.items():
                self.assertIn(key, tree["provenance"])
            with h5py.File(self.path("out", "s_authors.h5")) as theirs:
                self.assertEqual(set(theirs), {"dir_file", "xcoordinates", "ycoordinates",
                                               "train_loss", "train_acc", "test_loss", "test_acc"})
                numpy.testing.assert_array_equal(theirs["test_loss"], h5["test_loss"])
        vtp, _ = xml_arrays(self.path("out", "s.vtp"))
        self.assertEqual(vtp["train_loss_se"], arrays["train_loss_se"].ravel().tolist())
        self.assertEqual(json.loads(vtp["provenance"]), tree["provenance"])

    def test_what_was_exported_for_the_authors_is_read_again(self):
        self.run_ok(self.surface("s.h5"))
        self.run_ok(export("s.h5", "--output", "theirs.h5"))
        self.run_ok(export("theirs.h5", "--output", "back.csv"))
        self.run_ok(export("s.h5", "--output", "s.csv"))
        self.assertEqual([(r["x"], r["y"], r["train_loss"]) for r in self.table("back.csv")],
                         [(r["x"], r["y"], r["train_loss"]) for r in self.table("s.csv")])

    def table(self, name):
        with open(self.path(name), newline="") as file:
            return list(csv.DictReader(file))

    def test_a_line(self):
        self.run_ok(self.line("l.h5"))
        arrays, tree, rows = self.export_all("l.h5", self.EVERY + ["h5"])
        self.assertEqual(arrays["train_loss"].tolist(), tree["planes"]["train_loss"])
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
        self.assertEqual(arrays["largest/values"].tolist(), tree["largest"]["values"])
        self.assertNotIn("largest/vectors", arrays)
        self.assertEqual([float(r["value"]) for r in rows if r["quantity"] == "largest"],
                         tree["largest"]["values"])
        self.assertEqual([float(r["at"]) for r in rows if r["quantity"] == "density"],
                         tree["density"]["at"])
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
        for row in rows:
            value = tree[row["measure"]]["value"]
            self.assertEqual(float(row["value"] or "nan"), arrays[row["measure"] + "/value"])
            if isinstance(value, float):
                self.assertEqual(float(row["value"]), value)
            self.assertEqual(row["settings"], tree[row["measure"]]["settings"])
        self.run_ok([programs.landscape, "coherence", *two, "--data", programs.images, "--batches",
                     "4", "--batch-size", "20", "--threads", "2", "--output", "c.h5"])
        arrays, tree, rows = self.export_all("c.h5")
        self.assertEqual([row["file"] for row in rows], two)
        self.assertEqual([float(row["cosine"]) for row in rows], tree["cosine"])
        self.assertEqual(arrays["model1/gram"].shape, (4, 4))
        self.run_ok([programs.landscape, "connect", *two, *self.flags(), "--points", "3",
                     "--no-pictures", "--output", "w.h5"])
        arrays, tree, rows = self.export_all("w.h5")
        line = [row for row in rows if row["path"] == "line/states"]
        self.assertEqual([float(row["t"]) for row in line], [0, 0.5, 1])
        self.assertEqual([float(row["train_loss"]) for row in line],
                         tree["paths"]["line"]["states"]["train_loss"])
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
