#!/usr/bin/python3
"""Types of the package topograd, held against its code by mypy.

    tests/python/test_types.py build/checks/python/topograd
"""

import importlib.util
import os
import subprocess
import sys
import tempfile

if importlib.util.find_spec("mypy") is None:
    print("SKIPPED: no mypy")
    sys.exit(77)
folder = os.path.abspath(sys.argv[1])
with tempfile.TemporaryDirectory() as cache:
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--follow-imports=silent",
                           "--exclude", "exporter/", "--cache-dir", cache, "-p", "topograd"], check=False,
                          cwd=os.path.dirname(folder))
sys.exit(done.returncode)
