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
# Of other packages numpy's types alone are read: PyTorch's would take a minute.
SETTINGS = """[mypy]
strict = True
exclude = exporter/
follow_imports = silent
ignore_missing_imports = True
""" + "".join(f"[mypy-{name}.*]\nfollow_imports = skip\n[mypy-{name}]\nfollow_imports = skip\n"
              for name in ("torch", "scipy", "IPython"))
with tempfile.TemporaryDirectory() as scratch:
    with open(os.path.join(scratch, "mypy.ini"), "w", encoding="utf-8") as file:
        file.write(SETTINGS)
    done = subprocess.run([sys.executable, "-m", "mypy", "--config-file", os.path.join(scratch, "mypy.ini"),
                           "--cache-dir", os.path.join(scratch, "cache"), "-p", "topograd"], check=False,
                          cwd=os.path.dirname(folder))
sys.exit(done.returncode)
