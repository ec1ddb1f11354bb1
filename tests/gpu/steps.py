"""The steps of tests/gpu/run.sh, in the order in which they run."""
import csv
import json
import os
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Callable

from runner import ROOT, Failed, Skipped, find_shared, find_tool, last_line

sys.path.insert(0, str(ROOT / "tests" / "end_to_end"))
import programs  # noqa: E402  reads surfaces

# Libraries' implementations, which tools that watch every access are not meant for.
VENDOR_IMPLEMENTATIONS = "cudnn,cublas"
# The operations' tests in portions of some seconds each, by the beginnings of their names: most
# worth checking first, for racecheck is slow. The last portion is whatever the others leave.
PORTIONS = ["fused_conv*", "gemm*", "conv2d*", "batchnorm*,loss*",
            "dot*,filter_norm*,bias_gradient*,add*,sum_rows*,axpy*,vector*",
            "pool*,global_average_pool*,perturb*,augment*", "*"]


@dataclass
class Result:
    """What a step found, filled while it runs: what is there when it fails counts."""
    figures: list = field(default_factory=list)  # {"group", "op", "implementation", "case", unit: value...}
    notes: list = field(default_factory=list)
    partial: bool = False  # it ran out of time before it was through, without a failure

    def add(self, group, op, case, **values):
        self.figures.append({"group": group, "op": op, "implementation": "", "case": case, **values})

    def read(self, path):
        """Figures that a program wrote; whole files only, so what is there is right."""
        if os.path.exists(path):
            with open(path) as file:
                self.figures += json.load(file)


@dataclass
class Step:
    name: str
    about: str
    seconds: float  # after which it is stopped
    run: Callable


def doctest(runner, result, program, arguments=(), environment=None, limit=None, wrapper=()):
    """Runs a test program and notes how many cases passed."""
    output = runner.run([*wrapper, runner.program(program), *arguments], environment, limit)
    cases = re.search(r"test cases:\s*(\d+) \|\s*(\d+) passed", output)
    if not cases or cases[1] == "0":
        raise Failed(f"{program} {' '.join(arguments)} ran no test case")
    result.notes.append(f"{os.path.basename(program)}: {cases[2]} of {cases[1]} cases passed")
    return output


# --- is it right? ---------------------------------------------------------------------------------


def need_device(runner):
    """Tests pass over a device that does not work; here it has to."""
    runner.run([runner.program("tests/gpu/bench_ops"), "--device", runner.device, "--quick",
                "--only", "ceilings"])


def operations(runner, result):
    # All devices in one process: tests that promise the same bits everywhere compare the GPU's
    # with the emulator's and the CPU's there; the others hold each against the same f64 reference.
    # A portion after the other: a kernel that fails takes the GPU from its own process alone.
    if runner.rehearsal:
        doctest(runner, result, "tests/test_ops", ["-tc=perturb:*,dot*"],
                {"TOPOGRAD_TEST_DEVICES": "cpu,simt"})
        return
    need_device(runner)
    failures = []
    runs = [("tests/test_ops", cases_of(portion)) for portion in PORTIONS] + [("tests/test_core", [])]
    for program, arguments in runs:
        try:
            doctest(runner, result, program, arguments)
        except Failed as failure:
            failures.append(f"{' '.join([program, *arguments])}: {failure}")
            if runner.seconds_left() < 1:
                break
    if failures:
        raise Failed(" | ".join(failures))


def devices(runner, result):
    need_device(runner)
    test = ["Devices.test_surfaces_are_the_cpu_s_within_rounding"] if runner.rehearsal else []
    output = runner.run([sys.executable, ROOT / "tests/end_to_end/test_devices.py",
                         runner.program("bin/train"), runner.program("bin/landscape"), *test])
    result.notes.append(re.search(r"Ran \d+ tests?", output)[0])


def published(runner, result):
    shared = find_shared(runner.binaries, prepare=not runner.rehearsal)
    if not shared:
        raise Skipped("CIFAR-10 and the published networks are neither in the pack, nor in "
                      "TOPOGRAD_SHARED, shared/ or ../shared")
    emulated = "*emulated*"
    output = doctest(runner, result, "tests/test_published",
                     [("-tc=" if runner.rehearsal else "-tce=") + emulated],
                     {**shared, "TOPOGRAD_TEST_DEVICES": runner.device})
    for line in re.findall(r"SKIPPED.*", output):
        result.partial = True
        result.notes.append(line)
    found = re.findall(rf"\S+ on {runner.device}: .*(?:largest|wrong).*", output)
    result.notes += found
    if not found and not result.partial:
        raise Failed(f"nothing ran on {runner.device}")


def train(runner, device, folder, *more):
    """The last line of the log of a run from scratch."""
    tiny = ["--model", "resnet8", "--width", "4", "--image-size", "12", "--train-images", "64"]
    full = ["--model", "resnet20", "--train-images", "1024"]
    output = runner.scratch / folder
    runner.run(["rm", "-rf", output])
    runner.run([runner.program("bin/train"), "--device", device, "--data", "synthetic",
                "--test-images", "200", "--epochs", "1", "--lr", "0.02", "--output", output,
                *(tiny if runner.rehearsal else full), *more])
    with open(output / "log.csv") as log:
        return {name: float(value) for name, value in list(csv.DictReader(log))[-1].items()}


def training(runner, result):
    there, here = train(runner, runner.device, "train_device"), train(runner, "cpu", "train_cpu")
    for name in ("train_loss", "test_loss"):
        # Eight steps; the first ones' rounding, 1e-6 of a gradient, grows with every BatchNorm.
        difference = abs(there[name] / here[name] - 1)
        result.notes.append(f"{name} {there[name]:.6f}, on the CPU {here[name]:.6f}")
        if not difference <= 1e-3:
            raise Failed(f"{name} differs from the CPU's by {difference:.2g} of it")


def surface_command(runner, model, data, device, images, side, output):
    return [runner.program("bin/landscape"), "surface", model, "--data", data, "--split", "test",
            "--images", images, f"--x=-1:1:{side}", f"--y=-1:1:{side}", "--no-pictures", "--device",
            device, "--output", output]


def surface_model(runner):
    """(model, data): the authors' ResNet-56 on CIFAR-10; where these are not, a ResNet-56 at its
    beginning, on synthetic images."""
    shared = {} if runner.rehearsal else find_shared(runner.binaries)
    if shared:
        return (f"{shared['TOPOGRAD_WEIGHTS']}/losslandscape_resnet56.safetensors",
                shared["TOPOGRAD_CIFAR10"])
    model = [] if runner.rehearsal else ["--model", "resnet56", "--train-images", "128"]
    train(runner, runner.device, "surface_model", *model)
    return runner.scratch / "surface_model" / "model.safetensors", "synthetic"


def compare_surfaces(runner, model, data):
    """Nine points here and there: every value within rounding."""
    surfaces = {}
    for device in ("cpu", runner.device):
        output = runner.scratch / f"surface_{device}.h5"
        runner.run(["rm", "-f", output])
        runner.run(surface_command(runner, model, data, device, 10 if runner.rehearsal else 250, 3,
                                   output))
        surfaces[device] = programs.planes(str(output))
    here, there = surfaces["cpu"], surfaces[runner.device]
    worst = 0
    for a, b in zip(programs.doubles(here["test_loss"]), programs.doubles(there["test_loss"])):
        worst = max(worst, abs(a - b) / abs(a))
    if not worst <= 1e-4:
        raise Failed(f"a loss differs from the CPU's by {worst:.2g} of it")
    return worst


def surface(runner, result):
    programs.landscape = str(runner.program("bin/landscape"))
    model, data = surface_model(runner)
    result.notes.append(f"data: {data}")
    worst = compare_surfaces(runner, model, data)
    result.notes.append(f"largest relative difference of a loss from the CPU's: {worst:.2g}")
    images, side = (10, 2) if runner.rehearsal else (10_000, 15)
    output = runner.scratch / "surface_timed.h5"
    runner.run(["rm", "-f", output])
    begin = time.monotonic()
    runner.run(surface_command(runner, model, data, runner.device, images, side, output))
    seconds = time.monotonic() - begin
    rate = side * side * images / seconds
    result.add("whole networks", "landscape surface", f"{side}x{side} points, {images} images, "
               "from start to file", **{"s": seconds, "images/s": rate})
    result.notes.append(f"at this rate 51x51 points over 50,000 images take "
                        f"{51 * 51 * 50_000 / rate:.0f} s")


# --- how fast is it? ------------------------------------------------------------------------------


def note_clocks(runner, result):
    """What heat and power have made of the GPU's clock by now."""
    query = "clocks.sm,temperature.gpu,power.draw"
    if not runner.rehearsal:
        output = runner.run(["nvidia-smi", "--query-gpu=" + query, "--format=csv,noheader",
                             "--id=0"])
        result.notes.append(f"afterwards {last_line(output)}")


def ceilings(runner, result):
    if runner.rehearsal:
        raise Skipped("cuBLAS needs a GPU")
    output = runner.run([runner.program("tests/gpu/gemm_ceiling")])
    result.figures += json.loads(output[output.index("["):])


def kernels(runner, result):
    path = runner.output / "bench_ops.json"
    path.unlink(missing_ok=True)
    try:
        runner.run([runner.program("tests/gpu/bench_ops"), "--device", runner.device, "--output",
                    path] + (["--quick"] if runner.rehearsal else []))
    finally:
        result.read(path)
    result.notes.append(f"{len(result.figures)} figures")
    note_clocks(runner, result)


def training_speed(runner, result):
    path = runner.scratch / "bench.json"
    sizes = (["--models", "resnet8", "--batch-size", "1", "--rounds", "1", "--steps", "1"]
             if runner.rehearsal else ["--rounds", "5", "--steps", "20"])
    runner.run([runner.program("bin/bench"), "training", "--no-torch", "--device", runner.device,
                "--json", path, *sizes])
    batch = sizes[3] if runner.rehearsal else "128"
    with open(path) as file:
        for row in json.load(file):
            rounds = sorted(row["images_per_second"])
            result.add("whole networks", "training step", f"{row['model']}, batch {batch}",
                       **{"images/s": rounds[len(rounds) // 2]})


def torch(runner, result):
    python = next((path for path in ("python3", "/usr/bin/python3") if has_torch(runner, path)),
                  None)
    if python is None:
        raise Skipped("no python3 here has torch" + ("" if runner.rehearsal else " with CUDA"))
    path = runner.output / "bench_torch.json"
    path.unlink(missing_ok=True)
    words = [python, ROOT / "tests/gpu/bench_torch_gpu.py", "--output", path, "--seconds",
             int(runner.seconds_left() - 15)]
    try:
        runner.run(words + (["--device", "cpu", "--quick"] if runner.rehearsal else []),
                   libraries=False)
    finally:
        result.read(path)
    result.notes.append(f"{len(result.figures)} figures")


def has_torch(runner, python):
    needed = "True" if runner.rehearsal else "torch.cuda.is_available()"
    try:
        output = runner.run([python, "-c", f"import torch; print('torch:', {needed})"],
                            libraries=False)
    except (Failed, OSError):
        return False
    return last_line(output) == "torch: True"


# --- compute-sanitizer ----------------------------------------------------------------------------


def cases_of(portion):
    """The flags that choose a portion's test cases."""
    return ["-tc=*", "-tce=" + ",".join(PORTIONS[:-1])] if portion == "*" else [f"-tc={portion}"]


def check_portions(runner):
    for portion in PORTIONS:
        output = runner.run([runner.program("tests/test_ops"), "--count", *cases_of(portion)])
        if re.search(r"passing the current filters: 0\b", output):
            raise Failed(f"no test case is named {portion}")


def sanitizer(tool, *options):
    """A step: the own kernels under one of compute-sanitizer's tools, portion after portion until
    the time is over."""

    def run(runner, result):
        program = find_tool("compute-sanitizer")
        if program is None and not runner.rehearsal:
            raise Skipped("compute-sanitizer is not installed; it is part of the CUDA toolkit")
        wrapper = [program, "--tool", tool, "--error-exitcode", "86", *options]
        environment = {"TOPOGRAD_TEST_DEVICES": runner.device,
                       "TOPOGRAD_TEST_SKIP_IMPLEMENTATIONS": VENDOR_IMPLEMENTATIONS}
        failures = []
        if runner.rehearsal:  # without the tool, and one portion alone
            check_portions(runner)
            doctest(runner, result, "tests/test_ops", ["-tc=perturb:*"], environment)
            return
        for i, portion in enumerate(PORTIONS):
            if runner.seconds_left() < 5:
                result.partial = True
                result.notes.append("no time left for " + "; ".join(PORTIONS[i:]))
                break
            try:
                doctest(runner, result, "tests/test_ops", cases_of(portion), environment,
                        wrapper=wrapper)
            except Failed as failure:
                if runner.seconds_left() < 1:  # slow, not wrong
                    result.partial = True
                    result.notes.append("no time left for all of " + "; ".join(PORTIONS[i:]))
                    break
                failures.append(f"{portion}: {failure}")
        if failures:
            raise Failed(" | ".join(failures))

    return run


STEPS = [
    Step("operations", "every operation against its reference, on every device", 100, operations),
    Step("devices", "tiny trainings and surfaces on every device", 60, devices),
    Step("published", "published networks and golden surfaces", 90, published),
    Step("training", "a short training beside the CPU's", 40, training),
    Step("surface", "a surface beside the CPU's, and a larger one timed", 100, surface),
    Step("ceilings", "cuBLAS's largest products", 20, ceilings),
    Step("kernels", "every implementation, whole passes", 110, kernels),
    Step("training_speed", "training steps", 40, training_speed),
    Step("torch", "PyTorch on the same shapes", 90, torch),
    Step("memcheck", "compute-sanitizer: accesses out of bounds", 90, sanitizer("memcheck")),
    Step("racecheck", "compute-sanitizer: races in shared memory", 120, sanitizer("racecheck")),
    Step("synccheck", "compute-sanitizer: barriers that not all reach", 40, sanitizer("synccheck")),
    Step("initcheck", "compute-sanitizer: memory read before written", 40, sanitizer("initcheck")),
]
