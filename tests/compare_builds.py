#!/usr/bin/python3
"""The same bits from two builds: ten commands, run by each, and their files compared number by number.

    tests/compare_builds.py OLD_BUILD/bin NEW_BUILD/bin [--keep FOLDER] [--data CIFAR10]

Compares every data set of HDF5 files, every tensor of checkpoints and the columns of logs that are no times. What the
files say of their making (version, command) may differ. Exits with 1 where a number does.
"""

import argparse
import csv
import glob
import os
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np

TRAIN = ["--model", "resnet20", "--width", "4", "--epochs", "3", "--train-images", "512", "--test-images", "256",
         "--batch-size", "64", "--image-size", "16", "--checkpoint-every", "1", "--seed", "3"]
GRID = ["--x", "-1:1:5", "--y", "-1:1:5", "--images", "200", "--no-pictures"]
TIMES = {"images_per_second", "seconds"}


def commands(data):
    source = ["--data", data or "synthetic"]
    net, other = "run/model.safetensors", "other/model.safetensors"
    train = TRAIN + source if not data else [w for w in TRAIN if w not in ("--image-size", "16")] + source
    images = ["--images", "128", *source]
    return [
        ["train", *train, "--output", "run"],
        ["train", *train, "--output", "other", "--optimizer", "adamw", "--seed", "4"],
        ["landscape", "surface", net, *GRID, *source, "-o", "surface.h5"],
        ["landscape", "surface", net, *GRID, *source, "--bn", "recompute", "--loss", "mse", "-o", "recompute.h5"],
        ["landscape", "line", net, other, "--images", "200", "--x", "0:1:7", "--split", "both", "--no-pictures",
         *source, "-o", "line.h5"],
        ["landscape", "trajectory", "run", *GRID, *source, "-o", "trajectory.h5"],
        ["landscape", "hessian", net, *images, "--largest", "2", "--trace", "12", "--density", "2",
         "--density-steps", "10", "-o", "hessian.h5"],
        ["landscape", "plane", net, "--eigenvectors", "hessian.h5", *GRID, *source, "-o", "plane.h5"],
        ["landscape", "sharpness", net, *images, "-o", "sharpness.h5"],
        ["landscape", "coherence", net, "--batches", "4", "--batch-size", "32", *source, "-o", "coherence.h5"],
        ["landscape", "connect", net, other, *images, "--align", "--no-pictures", "-o", "connect.h5"],
    ]


def run_all(binaries, folder, data):
    for command in commands(data):
        subprocess.run([os.path.join(binaries, command[0]), *command[1:]], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def numbers_of_hdf5(path):
    found = {}
    with h5py.File(path) as file:
        def take(name, item):
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiub":
                found[name] = item[()]
        file.visititems(take)
    return found


def numbers_of_checkpoint(path):
    import json
    import struct
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        body = file.read()
    header.pop("__metadata__", None)
    return {name: np.frombuffer(body[slice(*entry["data_offsets"])], np.uint8) for name, entry in header.items()}


def numbers_of_log(path):
    with open(path, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {key: np.array([row[key] for row in rows]) for key in rows[0] if key not in TIMES}


READERS = {".h5": numbers_of_hdf5, ".safetensors": numbers_of_checkpoint, ".csv": numbers_of_log}


def same_bits(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def compare(old, new):
    """The files that differ, and how many numbers were compared."""
    problems, count = [], 0
    names = {os.path.relpath(path, root) for root in (old, new)
             for path in glob.glob(os.path.join(root, "**", "*"), recursive=True)
             if os.path.splitext(path)[1] in READERS}
    for name in sorted(names):
        paths = [os.path.join(root, name) for root in (old, new)]
        missing = [path for path in paths if not os.path.exists(path)]
        if missing:
            problems.append(f"{name}: only one build wrote it")
            continue
        ours, theirs = (READERS[os.path.splitext(name)[1]](path) for path in paths)
        if ours.keys() != theirs.keys():
            problems.append(f"{name}: other contents: {sorted(ours.keys() ^ theirs.keys())}")
        for key in ours.keys() & theirs.keys():
            count += np.size(ours[key])
            if not same_bits(ours[key], theirs[key]):
                problems.append(f"{name}: {key} differs")
    return problems, count, len(names)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--keep", help="leave the files there")
    parser.add_argument("--data", help="a folder with CIFAR-10; default: synthetic images")
    args = parser.parse_args()
    folder = args.keep or tempfile.mkdtemp()
    try:
        for name, binaries in (("old", args.old), ("new", args.new)):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
            run_all(os.path.abspath(binaries), os.path.join(folder, name), args.data)
        problems, count, files = compare(os.path.join(folder, "old"), os.path.join(folder, "new"))
    finally:
        if not args.keep:
            shutil.rmtree(folder)
    for problem in problems:
        print(problem)
    print(f"{len(commands(args.data))} commands, {files} files, {count} numbers: {len(problems)} differences")
    sys.exit(1 if problems or count == 0 else 0)


if __name__ == "__main__":
    main()
