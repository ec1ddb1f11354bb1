"""What the tests of apps/export_torch.py share: where its modules lie, what they need, and what the environment and the
command line say. Exit status 77: skipped, something is missing."""

import importlib
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
APPS = os.path.join(HERE, "..", "..", "apps")
REPORT = bool(os.environ.get("TOPOGRAD_REPORT"))  # prints the differences
EVERY = bool(os.environ.get("TOPOGRAD_TEST_EVERY_EXPORT"))


def require(module, package):
    """Ends the tests as skipped where a module of Python is missing, which a package of Debian's has."""
    try:
        importlib.import_module(module)
    except ImportError as error:
        print(f"SKIPPED: {error}; install {package} to test apps/export_torch.py")
        sys.exit(77)


def program_on_the_command_line():
    """The path of `train`, taken off the command line; None where there is none."""
    return os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else None


require("torch", "python3-torch")
sys.dont_write_bytecode = True  # no __pycache__ beside the scripts
sys.path[:0] = [HERE, APPS]
importlib.import_module("torch").set_num_threads(1)  # small tensors: threads would wait for one another
