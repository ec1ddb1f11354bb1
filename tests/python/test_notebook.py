#!/usr/bin/python3
"""The notebook of docs/, run without Jupyter: its cells one after another, in a folder of their own.

    PYTHONPATH=build/checks/python tests/python/test_notebook.py
"""

import json
import os
import sys
import tempfile
import unittest
import warnings

try:
    import scipy  # noqa: F401
    import topograd
except ImportError as error:
    print(f"SKIPPED: {error}")
    sys.exit(77)

NOTEBOOK = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "docs", "python.ipynb")


class Notebook(unittest.TestCase):
    def test_its_cells_run_and_it_was_executed_to_its_end(self):
        with open(NOTEBOOK, encoding="utf-8") as file:
            cells = [cell for cell in json.load(file)["cells"] if cell["cell_type"] == "code"]
        self.assertEqual([cell["execution_count"] for cell in cells], list(range(1, len(cells) + 1)))
        warnings.simplefilter("ignore", topograd.NoteWarning)
        names = {}
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for cell in cells:
                exec("".join(cell["source"]), names)  # the document's own code
            os.chdir("/")
        self.assertTrue(names["s"].done.all())
        self.assertGreater(names["run"].log["test_accuracy"][-1], 90)


if __name__ == "__main__":
    unittest.main()
