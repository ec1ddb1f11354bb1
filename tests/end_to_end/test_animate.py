#!/usr/bin/env python3
"""`landscape surface RUN` and `landscape animate` as a user runs them."""

import json
import os
import re
import struct
import unittest

import programs
from landscape_test import LandscapeTest
from programs import TINY_NET, run


def gif_frames(data):
    """Returns (width, height, [hundredths]) of a GIF, by its blocks."""
    assert data[:6] == b"GIF89a" and data[-1:] == b";", data[:6]
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + 3 * (2 << (flags & 7))
    delays = []

    def behind_blocks(at):
        while data[at]:
            at += data[at] + 1
        return at + 1

    while data[at:at + 1] != b";":
        if data[at] == 0x21:
            if data[at + 1] == 0xF9:
                delays.append(struct.unpack_from("<H", data, at + 4)[0])
            at = behind_blocks(at + 2)
        else:
            assert data[at] == 0x2C
            local = data[at + 9]
            assert not local & 0x80
            at = behind_blocks(at + 11)
    return width, height, delays


class AnimateTest(LandscapeTest):
    def animate(self, *more):
        return [programs.landscape, "animate", "--width", "400", "--height", "300", *more]

    def train(self, epochs="3"):
        self.run_ok([programs.train, *TINY_NET, "--data", programs.images, "--epochs", epochs,
                     "--checkpoint-every", "1", "--output", "run", "--threads", "1"])

    def around_checkpoints(self, *more):
        return [programs.landscape, "surface", "run", "--film", "--data", programs.images, "--images", "40",
                "--x=-1:1:4", "--y=-1:1:3", "--threads", "1", *more]

    def provenance(self, name):
        self.run_ok([programs.landscape, "export", name, "--format", "json"])
        return json.loads(self.read(name.replace(".h5", ".json")))["provenance"]

    def test_a_run_becomes_surfaces_on_one_plane_and_a_film(self):
        self.train()
        self.assert_refused(self.around_checkpoints("-o", "film.h5"), "film.h5 is a file's name", "leave out .h5")
        printed = self.run_ok(self.around_checkpoints())
        names = [f"run/surfaces/epoch_{e}.h5" for e in range(4)]
        self.assertEqual([line.split(":")[0] for line in printed.splitlines()], names)
        made_from = [self.provenance(name) for name in names]
        self.assertEqual(len({p["direction_hash"] for p in made_from}), 1)
        self.assertEqual(len({p["model_hash"] for p in made_from}), 4)
        self.assertIn("epoch_3", made_from[0]["x_direction"])

        # Around the last checkpoint it is the surface that it has by itself.
        self.run_ok([programs.landscape, "surface", "run/epoch_3.safetensors", "--data",
                     programs.images, "--images", "40", "--x=-1:1:4", "--y=-1:1:3", "--threads",
                     "1", "--no-pictures", "-o", "alone.h5"])
        self.assert_same_planes("alone.h5", names[3])
        self.assertNotEqual(self.planes("alone.h5"), self.planes(names[0]))

        films = self.run_ok(self.animate("run/surfaces", "--kind", "heat")).split()
        self.assertEqual([os.path.basename(f) for f in films],
                         ["surfaces_film.gif", "surfaces_film.html"])
        width, height, delays = gif_frames(self.read("run/surfaces_film.gif", "rb"))
        self.assertEqual((width, height), (400, 300))
        self.assertEqual(delays, [40, 40, 40, 160])
        page = self.read("run/surfaces_film.html")
        self.assertEqual(re.findall(r'alt="([^"]*)"', page), [f"epoch {e}" for e in range(4)])
        self.assertNotRegex(page, r"https?:")

    def test_an_interrupted_or_longer_run_is_continued(self):
        self.train("2")
        self.run_ok(self.around_checkpoints("--start-epoch", "1", "-o", "s"))
        self.assertEqual(sorted(os.listdir(self.path("s"))), ["epoch_1.h5", "epoch_2.h5"])
        result = run(self.around_checkpoints("-o", "s"), self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("continuing s/epoch_1.h5: 12 of 12 points are done", result.stderr)
        self.assertEqual(len(os.listdir(self.path("s"))), 3)
        # Other points, other surfaces.
        self.assert_refused(self.around_checkpoints("-o", "s", "--x=-1:1:5"), "s/epoch_0.h5")

    def test_maps_over_a_checkpoints_surface_find_its_plane_again(self):
        self.train("2")
        self.run_ok(self.around_checkpoints("-o", "s"))
        self.run_ok([programs.landscape, "hessian", "run/epoch_1.safetensors", "--over",
                     "s/epoch_1.h5", "--data", programs.images, "--images", "20", "--threads", "1",
                     "--no-pictures", "-o", "map.h5"])
        self.assert_refused([programs.landscape, "hessian", "run/epoch_2.safetensors", "--over",
                         "s/epoch_1.h5", "--data", programs.images, "--images", "20", "-o",
                         "other.h5"], "another network")

    def test_a_frame_apart_from_the_others_does_not_set_their_scale(self):
        for epoch in range(4):
            self.run_ok(self.surface(f"epoch_{epoch}.h5", "--no-pictures"))
        with programs.Hdf5(self.path("epoch_2.h5"), writable=True) as file:
            losses = programs.doubles(file.read("train_loss"))
            file.write("train_loss", [losses[0] * 1000, *losses[1:]])
        names = [f"epoch_{epoch}.h5" for epoch in range(4)]
        done = run(self.animate(*names, "--kind", "heat", "-o", "film.html"), self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"\Alandscape: note: epoch 2 goes from \S+ to \d\S+e\+03, off the scale of the other frames, "
                                      r"\S+ to \d\S*; --vmin and --vmax set another\n\Z")
        done = run(self.animate(*names[:2], "--kind", "heat", "-o", "two.html"), self.folder)
        self.assertEqual(done.stderr, "")

    def test_networks_on_planes_of_their_own_are_no_film(self):
        self.run_ok(self.surface("a.h5", "--no-pictures"))
        b = [word.replace("a.safetensors", "b.safetensors") for word in self.surface("b.h5", "--no-pictures")]
        self.run_ok(b)
        self.assert_refused(self.animate("a.h5", "b.h5", "-o", "film.gif"),
                            "a.h5 and b.h5 are of different networks", "--turn shows them beside one another")
        # On one plane they are: a before, b after.
        self.run_ok(self.surface("c.h5", "--no-pictures", "--dir-file", "d.h5"))
        self.run_ok([*b, "-o", "e.h5", "--dir-file", "d.h5"])
        self.run_ok(self.animate("c.h5", "e.h5", "--kind", "heat", "-o", "film.gif"))

    @unittest.skipIf("TOPOGRAD_SANITIZED" in os.environ,
                     "SKIPPED: a relief takes the sanitizers most of a minute, a turn six of them")
    def test_a_turn_has_all_surfaces_side_by_side(self):
        for name in ("a.h5", "b.h5"):
            self.run_ok(self.surface(name, "--no-pictures"))
        printed = self.run_ok(self.animate("a.h5", "b.h5", "--turn", "--frames", "3", "-o",
                                           "turn.gif", "--seconds", "0.05"))
        self.assertEqual(printed.split(), ["turn.gif"])
        width, height, delays = gif_frames(self.read("turn.gif", "rb"))
        self.assertEqual((width, height, delays), (800, 300, [5, 5, 5]))
        self.run_ok(self.animate("a.h5", "--turn=-90", "--frames", "2", "--type", "html,png", "-o",
                                 "part", "--scale", "2"))
        self.assertEqual(re.findall(r'alt="([^"]*)"', self.read("part.html")), ["35°", "-55°"])
        pixels = programs.png_pixels(self.read("part_frames/0001.png", "rb"))
        self.assertEqual(pixels[:2], (800, 600))

    def test_lines_and_heat_maps_are_filmed_on_one_scale(self):
        for seed in ("1", "2"):
            self.run_ok(self.line(f"l{seed}.h5", "--no-pictures", "--seed", seed))
            self.run_ok(self.surface(f"s{seed}.h5", "--no-pictures", "--seed", seed))
        self.run_ok(self.animate("l1.h5", "l2.h5", "-o", "lines.gif"))
        self.assertEqual(len(gif_frames(self.read("lines.gif", "rb"))[2]), 2)
        self.run_ok(self.animate("s1.h5", "s2.h5", "--kind", "heat", "-o", "heat.gif"))

    def test_what_cannot_be_filmed(self):
        self.run_ok(self.surface("s.h5", "--no-pictures"))
        self.run_ok(self.line("l.h5", "--no-pictures"))
        os.mkdir(self.path("empty"))
        with open(self.path("short.h5"), "wb") as file:
            file.write(self.read("s.h5", "rb")[:700])
        for arguments, words in ((["s.h5"], "--turn"), ([], "name the surfaces"),
                                 (["empty"], "holds no surfaces"),
                                 (["s.h5", "empty"], "is a folder"),
                                 (["s.h5", "l.h5"], "not of both"),
                                 (["l.h5", "--turn"], "not lines"),
                                 (["s.h5", "--turn", "--kind", "heat"], "--turn"),
                                 (["s.h5", "--turn", "--type", "mp4"], "mp4"),
                                 (["s.h5", "--turn", "--scale", "3"], "--scale"),
                                 (["s.h5", "short.h5"], "short.h5"),
                                 (["s.h5", "missing.h5"], "missing.h5")):
            self.assert_refused(self.animate(*arguments, "-o", "film"), words)
        self.assertFalse([n for n in os.listdir(self.folder) if n.startswith("film")])
        self.train("2")
        self.assert_refused(self.around_checkpoints("--start-epoch", "2"), "a film of surfaces needs two")


if __name__ == "__main__":
    programs.main()
