#!/usr/bin/python3
"""`landscape export` of surfaces whose every value is known, in all formats: each file is opened by
what it is meant for.

Python's csv, json and xml; NumPy and h5py; VTK (python3-vtk9) where it is installed; the scripts of
the paper's authors where TOPOGRAD_REFERENCE names a checkout of them."""

import collections
import importlib.util
import json
import math
import os
import sys
import unittest
import warnings
import xml.etree.ElementTree

import programs
from export_readers import (X, Y, ExportTest, cross, export, h5py, loss_at, needs_numpy, numpy,
                            triangles, xml_arrays)

try:
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy
except ImportError:
    vtk = None

needs_vtk = unittest.skipUnless(vtk, "SKIPPED: python3-vtk9 is missing: VTK opens no file here")

GRID = ["vtr", "vtp", "npz", "json", "csv", "obj", "stl", "h5"]


@needs_numpy
class Surfaces(ExportTest):
    """Exports of a surface of the authors' tools, whose input and output are both known."""

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
        found = self.json_of("out/theirs.json")["arrays"]
        self.assertEqual((found["x"]["values"], found["y"]["values"]), (X, Y))
        self.assertEqual(found["train_loss"]["values"], rows)
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
        x = [-1, -0.75, -0.5, -0.25]
        loss = self.make_theirs("even.h5", x)
        self.make_theirs()
        printed = self.run_ok(export("even.h5", "theirs.h5", "--format", "vti", "--output", "out"))
        self.assertEqual(printed, "out/even.vti: 4 x 3 points\nout/theirs.vtr: 4 x 3 points; vtr in "
                                  "place of vti: its points are not evenly spaced\n")
        arrays, tags = xml_arrays(self.path("out", "even.vti"))
        self.assertEqual(arrays["train_loss"], loss)
        self.assertEqual(tags["ImageData"], {"WholeExtent": "0 3 0 2 0 0", "Origin": "-1 0.5 0",
                                             "Spacing": "0.25 0.5 1"})
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
        losses = sum(self.json_of("theirs.json")["arrays"]["train_loss"]["values"], [])
        self.assertEqual((losses[0], losses[7], losses[9]), ("infinity", None, None))
        self.assertEqual(sum(self.json_of("theirs.json")["arrays"]["done"]["values"], []), [i != 9 for i in range(12)])
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
        even = self.make_theirs("even.h5", [-1, -0.75, -0.5, -0.25])
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
        self.assertEqual(image.GetBounds(), (-1, -0.25, 0.5, 1.5, 0, 0))
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
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import matplotlib
                matplotlib.use("Agg")
                spec.loader.exec_module(module)
        except ImportError as error:
            self.skipTest(f"SKIPPED: {name}.py of the authors: {error}")
        return module

    def quietly(self, function, *arguments, **more):
        with open(os.devnull, "w") as nowhere, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about Pythons younger than the scripts
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
        self.quietly(self.script("plot_2D").plot_2d_contour, self.path("s_authors.h5"))
        for picture in ("2dcontour", "2dcontourf", "2dheat", "3dsurface"):
            name = self.path(f"s_authors.h5_train_loss_{picture}.pdf")
            self.assertGreater(os.path.getsize(name), 0)

    def test_their_line_plotter_reads_our_file(self):
        with h5py.File(self.path("l.h5"), "w") as file:
            file["xcoordinates"] = [0.0, 0.5, 1.0]
            file["train_loss"], file["train_acc"] = [2.0, 1.0, 3.0], [10.0, 20.0, 30.0]
        self.run_ok(export("l.h5", "--format", "h5"))
        self.quietly(self.script("plot_1D").plot_1d_loss_err, self.path("l_authors.h5"))
        self.assertTrue(os.path.getsize(self.path("l_authors.h5_1d_loss_acc.pdf")) > 0)


if __name__ == "__main__":
    programs.main()
