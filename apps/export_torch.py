#!/usr/bin/python3
"""Turn a PyTorch module, or an ONNX file, into a checkpoint of Topograd's: its graph and its weights in one safetensors
file.

    apps/export_torch.py 'net.py:Net(classes=10)' --weights net.pth --normalisation cifar10 -o net.safetensors
    apps/export_torch.py net.onnx --normalisation cifar10 -o net.safetensors

or, from Python, with a module that is there already:

    from export_torch import export
    export(module, (32, 32, 3), "net.safetensors", mean=[0.49, 0.48, 0.45], std=[0.25, 0.24, 0.26])

The module runs once on example images, in evaluation mode, and what it computes is written down
(exporter/torch_graph.py); what a graph cannot say is refused by its name and line. Then `train` computes the logits of the same images from the
file, in double and in single precision, and the largest differences from the module's are printed: the file is
right, or is not left behind. Works with PyTorch from 1.13 on.
"""

import argparse
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import unittest.mock

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
from exporter.checkpoint_writer import add_normalisation_options, normalisation  # noqa: E402
from exporter.torch_checkpoint import ImportFailure, find_state_dict, load, require_torch  # noqa: E402


def program(given):
    """The path of `train`: what was given, or what was built or installed beside this file."""
    if given:
        return given
    for path in (os.path.join(HERE, "..", "build", "release", "bin", "train"),
                 os.path.join(HERE, "..", "..", "bin", "train")):
        if os.path.exists(path):
            return os.path.realpath(path)
    found = shutil.which("train")
    if not found:
        raise ImportFailure("the program train, which checks the file, is not built (apps/build.sh release), nor in "
                            "the PATH: say where it is with --train")
    return found


def checked_by(train):
    """A function that compares a checkpoint with expected logits by the program `train`."""
    def check(checkpoint, expected):
        result = subprocess.run([program(train), "--evaluate", checkpoint, "--compare", expected], capture_output=True,
                                text=True, check=False)
        if result.returncode:
            last = (result.stderr.strip().splitlines() or [f"train ended with status {result.returncode}"])[-1]
            raise ImportFailure(f"the graph is not the module: {last.replace(checkpoint, 'the graph')}")
        return result.stdout.strip()
    return check


def export(module, image, output, mean=(0.0,), std=(1.0,), name=None, source="", train=None):
    """Writes a module as exporter.module_export.export() does, checked by the program `train`."""
    from exporter import module_export
    return module_export.export(module, image, output, mean, std, name, source, check=checked_by(train))


def loaded(path):
    """The user's program, run: a file by itself, or, where it imports its neighbours (from .layers import ...), as a
    module of the packages whose folders it lies in."""
    path = os.path.realpath(path)
    folder, stem = os.path.dirname(path), os.path.splitext(os.path.basename(path))[0]
    sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(stem, path)
    program_of_user = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = program_of_user
    try:
        spec.loader.exec_module(program_of_user)
        return program_of_user
    except ImportError as error:
        if "relative import" not in str(error):
            raise
    del sys.modules[spec.name]
    names = [stem]
    while len(names) < 3 or os.path.exists(os.path.join(folder, "__init__.py")):
        names.insert(0, os.path.basename(folder))
        folder = os.path.dirname(folder)
    sys.path[0] = folder
    return importlib.import_module(".".join(names))


def module_of(text):
    """The module that `FILE.py:EXPRESSION` makes."""
    import torch
    from exporter.module_export import without_gpu
    path, separator, expression = text.partition(":")
    if not separator or not path.endswith(".py"):
        raise ImportFailure(f"'{text}': write the program's file and what makes the module, as net.py:Net(classes=10)")
    if not os.path.isfile(path):
        raise ImportFailure(f"{path}: there is no such file")
    try:
        with without_gpu(), unittest.mock.patch.object(sys, "argv", [path]):  # it may read a command line
            program = vars(loaded(path))
            module = eval(expression, program)  # the user's own program, as if it were typed in it
    except (Exception, SystemExit) as error:
        told = (str(error).splitlines() or [""])[0]
        raise ImportFailure(f"{text}: {type(error).__name__}: {told}") from error
    if not isinstance(module, torch.nn.Module):
        raise ImportFailure(f"{text} makes a {type(module).__name__}, not a module of PyTorch; of a function, call it: "
                            f"{text}()")
    return module


def load_weights(module, path, key):
    from exporter.torch_checkpoint import unwrapped
    tensors = find_state_dict(load(path), path, key)
    names = module.state_dict().keys()
    if not set(tensors) <= set(names):
        renamed = unwrapped(list(tensors))
        tensors = {renamed[name]: tensor for name, tensor in tensors.items()}
    missing = [name for name in names if name not in tensors and not name.endswith("num_batches_tracked")]
    unknown = [name for name in tensors if name not in names]
    if missing or unknown:
        raise ImportFailure(f"{path} " + " and ".join(
            [f"lacks {', '.join(missing[:3])}{' ...' * (len(missing) > 3)}"] * bool(missing)
            + [f"has {', '.join(unknown[:3])}{' ...' * (len(unknown) > 3)}, which the module has not"] * bool(unknown)))
    try:
        module.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise ImportFailure(f"{path}: {str(error).splitlines()[-1].strip()}") from error


def image_shape(text):
    try:
        shape = tuple(int(word) for word in text.split(","))
    except ValueError:
        shape = ()
    if len(shape) != 3 or min(shape) < 1:
        raise ImportFailure(f"--image {text}: write height,width,channels, as 32,32,3")
    return shape


def run(args):
    require_torch()
    image = image_shape(args.image) if args.image else None
    if args.module.endswith(".onnx"):
        if args.weights or args.key:
            raise ImportFailure(f"--weights: {args.module} has weights of its own")
        from exporter.onnx_module import OnnxModule
        module, source = OnnxModule(args.module, image), os.path.basename(args.module)
        image, name = module.image, args.name or os.path.splitext(source)[0]
        constants = normalisation(args, image[2])
    else:
        image, name = image or (32, 32, 3), args.name
        constants = normalisation(args, image[2])
        module, source = module_of(args.module), args.module
        if args.weights:
            load_weights(module, args.weights, args.key)
            source += f" {os.path.basename(args.weights)}"
    for line in export(module, image, args.output, constants["mean"], constants["std"], name, source, args.train):
        print(line)


def main():
    parser = argparse.ArgumentParser(description="Turn a PyTorch module, or an ONNX file, into a Topograd checkpoint: "
                                     "graph and weights.")
    parser.add_argument("module", metavar="FILE.py:EXPRESSION|FILE.onnx", help="a program and what makes the module in "
                        "it, as 'net.py:Net(classes=10)', which runs; or an ONNX file")
    parser.add_argument("--weights", metavar="FILE", help="checkpoint of PyTorch or safetensors to load into it; "
                        "default: the weights that it begins with")
    parser.add_argument("--key", help="the entry of that file that holds the weights, as state_dict_ema")
    parser.add_argument("--image", metavar="H,W,C", help="default: 32,32,3, or what the ONNX file says")
    parser.add_argument("--name", help="what to call the network; default: the module's class, or the ONNX file's name")
    add_normalisation_options(parser)
    parser.add_argument("-o", "--output", required=True, help="the checkpoint to write")
    parser.add_argument("--train", metavar="PROGRAM", help="the program train, which checks the result; default: the "
                        "one that was built or installed")
    args = parser.parse_args()
    os.environ.setdefault("PYTORCH_JIT", "0")  # before PyTorch is imported: calls of compiled functions are not seen
    from exporter.module_export import FAILURES
    try:
        run(args)
    except FAILURES as error:
        sys.exit(f"export_torch.py: {error}")
    except OSError as error:
        sys.exit(f"export_torch.py: {error.filename}: {error.strerror}")


if __name__ == "__main__":
    main()
