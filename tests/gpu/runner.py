"""What the steps of tests/gpu/run.sh stand on: where the programs are, and running them in time."""
import glob
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ["bin/train", "bin/landscape", "bin/bench", "tests/test_core", "tests/test_ops",
            "tests/test_published", "tests/gpu/bench_ops", "tests/gpu/gemm_ceiling"]
LIBRARY_FOLDERS = ["/usr/local/cuda*/lib64", "/usr/local/cuda*/lib", "/usr/lib/x86_64-linux-gnu",
                   "/usr/lib64"]


class Failed(Exception):
    """What went wrong, in one line."""


class Skipped(Exception):
    """What is missing here, in one line."""


class Runner:
    """Runs programs of one build, each step's output in a log of its own."""

    def __init__(self, binaries, output, device, rehearsal):
        self.binaries = pathlib.Path(binaries).resolve()
        self.output = pathlib.Path(output).resolve()
        self.device = device  # that stands where cuda would
        self.rehearsal = rehearsal
        self.libraries = library_path(self.binaries)
        self.scratch = self.output / "scratch"
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.log = None  # a path, while a step runs
        self.deadline = None

    def program(self, name):
        path = self.binaries / name
        if not path.exists():
            raise Skipped(f"{path} is not there")
        return path

    def seconds_left(self):
        return self.deadline - time.monotonic()

    def run(self, words, environment=None, limit=None, libraries=True):
        """Standard output and error of a command that has to succeed before the step's time, or
        `limit` seconds, are over. `libraries`: it is one of ours, or starts one."""
        words = [str(word) for word in words]
        variables = {**os.environ, **(environment or {})}
        if libraries and self.libraries:
            variables["LD_LIBRARY_PATH"] = self.libraries
        limit = min(limit or 1e9, self.seconds_left())
        with open(self.log, "a+", errors="replace") as log:
            log.write("$ " + " ".join(words) + "\n")
            log.flush()
            begin = log.tell()
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=subprocess.STDOUT, env=variables, cwd=ROOT,
                                       start_new_session=True)
            try:
                status = process.wait(max(limit, 1))
            except subprocess.TimeoutExpired:
                status = None
            finally:  # Ctrl-C too
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            log.seek(begin)
            output = log.read()
        name = os.path.basename(words[0])
        if status is None:
            raise Failed(f"{name} did not end within {limit:.0f} s; see {self.log.name}")
        if status != 0:
            raise Failed(f"{name} ended with status {status}: {last_line(output)}")
        return output


def last_line(output):
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no output"


def library_path(binaries):
    """LD_LIBRARY_PATH for the programs: the pack's libraries, and where NVIDIA's are found if the
    loader does not find them (a Python package brings them, say). Empty where nothing is needed."""
    folders = [str(binaries / "lib")] if (binaries / "lib").is_dir() else []
    present = [binaries / name for name in PROGRAMS if (binaries / name).exists()]
    for name in missing_libraries(present, folders):
        found = [os.path.dirname(path) for folder in LIBRARY_FOLDERS + python_libraries()
                 for path in glob.glob(os.path.join(folder, name))]
        folders += [folder for folder in found[:1] if folder not in folders]
    inherited = os.environ.get("LD_LIBRARY_PATH", "")
    return ":".join(folders + ([inherited] if folders and inherited else []))


def missing_libraries(programs, folders):
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(
        folders + [os.environ.get("LD_LIBRARY_PATH", "")])}
    missing = []
    for program in programs:
        listed = subprocess.run(["ldd", str(program)], capture_output=True, text=True,
                                env=environment).stdout
        missing += [name for name in re.findall(r"(\S+) => not found", listed)
                    if name not in missing]
    return missing


def python_libraries():
    """Folders in which Python packages keep NVIDIA's libraries."""
    found = subprocess.run(["python3", "-c", "import sys; print('\\n'.join(sys.path))"],
                           capture_output=True, text=True).stdout.split("\n")
    return [os.path.join(folder, "nvidia", "*", "lib") for folder in found if folder]


def find_tool(name):
    """A tool of the CUDA toolkit; None where it is not installed."""
    installed = [path for folder in ("bin", "compute-sanitizer")
                 for path in sorted(glob.glob(f"/usr/local/cuda*/{folder}/{name}"))]
    return shutil.which(name) or (installed[-1] if installed else None)


def build_programs():
    """Builds what is run, without a limit on its time: that is no part of the ten minutes."""
    for names, needed in ((PROGRAMS[:-1], True), (PROGRAMS[-1:], False)):  # the last needs cuBLAS
        targets = [os.path.basename(name) for name in names]
        subprocess.run([str(ROOT / "apps" / "build.sh"), "release", *targets], check=needed)


def find_shared(binaries, prepare=True):
    """The variables that tests of published networks read; {} where the files are nowhere. With
    `prepare`, also where they have to be unpacked and converted first."""
    packed = pathlib.Path(binaries) / "shared"
    if packed.is_dir():
        return {"TOPOGRAD_SHARED": str(packed), "TOPOGRAD_CIFAR10": str(packed / "cifar10"),
                "TOPOGRAD_WEIGHTS": str(packed / "networks")}
    names = ("TOPOGRAD_SHARED", "TOPOGRAD_CIFAR10", "TOPOGRAD_WEIGHTS")
    if all(name in os.environ for name in names):
        return {name: os.environ[name] for name in names}
    if not prepare:
        return {}
    for folder in (os.environ.get("TOPOGRAD_SHARED"), ROOT / "shared", ROOT.parent / "shared"):
        if folder and all((pathlib.Path(folder) / part).is_dir()
                          for part in ("data/cifar10", "weights", "golden")):
            return prepared(folder)
    return {}


def prepared(folder):
    done = subprocess.run(
        ["bash", "-c", "set -eu; . tests/prepare_shared.sh; prepare_shared >&2; env"], cwd=ROOT,
        env={**os.environ, "TOPOGRAD_SHARED": str(folder)}, capture_output=True, text=True)
    if done.returncode != 0:
        raise Skipped(f"{folder} cannot be prepared: {last_line(done.stderr)}")
    return dict(re.findall(r"^(TOPOGRAD_(?:SHARED|CIFAR10|WEIGHTS))=(.*)$", done.stdout, re.M))
