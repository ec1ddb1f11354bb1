#!/usr/bin/python3
"""The wheel: made of a build folder, installed, and tested by itself.

    tests/python/test_wheel.py build/checks

It is unpacked as pip does it; what it is linked to has to lie in it, or belong to every system.
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.join(HERE, "..", "..")
if not shutil.which("patchelf"):
    print("SKIPPED: no patchelf")
    sys.exit(77)


class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        done = subprocess.run([os.path.join(ROOT, "apps/python/make_wheel.py"), BUILD, cls.folder.name, "1"],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        cls.wheel = glob.glob(os.path.join(cls.folder.name, "*.whl"))[0]
        cls.site = os.path.join(cls.folder.name, "site")
        with zipfile.ZipFile(cls.wheel) as archive:
            archive.extractall(cls.site)

    def run_alone(self, *command):
        """Runs a command that finds the wheel's files, and nothing of the build."""
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder.name,
                              env={"PYTHONPATH": self.site, "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"})

    def test_what_it_needs_lies_in_it_or_is_the_system_s(self):
        files = glob.glob(os.path.join(self.site, "topograd", "_core.*")) + glob.glob(
            os.path.join(self.site, "topograd.libs", "*"))
        self.assertGreater(len(files), 5)
        for file in files:
            for line in self.run_alone("ldd", file).stdout.splitlines():
                name, arrow, path = line.strip().partition(" => ")
                if arrow and os.path.exists(os.path.join(self.site, "topograd.libs", name)):
                    self.assertTrue(path.startswith(self.site), f"{os.path.basename(file)}: {line}")
                self.assertNotIn("not found", line, file)

    def test_it_says_what_it_is(self):
        with zipfile.ZipFile(self.wheel) as archive:
            names = archive.namelist()
            info = next(name for name in names if name.endswith("/METADATA"))
            self.assertIn("Requires-Dist: numpy", archive.read(info).decode())
            record = archive.read(info.replace("METADATA", "RECORD")).decode().splitlines()
            self.assertEqual(len(record), len(names))
        self.assertRegex(os.path.basename(self.wheel), r"^topograd-[0-9.]+-cp3\d+-cp3\d+-manylinux_2_\d+_\w+\.whl$")

    def test_pip_installs_it(self):
        target = os.path.join(self.folder.name, "target")
        tag = os.path.basename(self.wheel).split("-")[2]
        if tag != f"cp{sys.version_info[0]}{sys.version_info[1]}":
            self.skipTest("another Python's")
        done = self.run_alone("/usr/bin/python3", "-m", "pip", "install", "--no-index", "--no-deps", "--target", target,
                              self.wheel)
        if "No module named pip" in done.stderr:
            self.skipTest("no pip")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(os.path.exists(os.path.join(target, "topograd", "__init__.py")))

    def test_the_package_s_own_tests_pass_on_it(self):
        done = self.run_alone("/usr/bin/python3", os.path.join(HERE, "test_topograd.py"), "Mistakes",
                              "Surfaces.test_orders_of_axes_and_kinds_of_arrays_give_the_same")
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
