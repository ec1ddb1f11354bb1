#!/usr/bin/python3
"""The residuals that `landscape hessian` states, beside the true ones: PyTorch's double backward in double precision.

    landscape hessian resnet20.safetensors --data cifar10 --images 100 --largest 3 --output h.h5
    tests/landscape/curvature/residuals_in_double.py resnet20.safetensors cifar10 h.h5

Prints a line for each eigenvalue of the file, and fails where a stated residual is less than half of the true one.
Needs python3-torch and python3-h5py. Seconds to minutes for each eigenvalue.
"""
import argparse
import sys

import h5py
import numpy as np
import torch

from eigenvalues_by_scipy import Hessian, load, read_images


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("results")
    parser.add_argument("--batch", type=int, default=50)
    arguments = parser.parse_args()
    with h5py.File(arguments.results) as file:
        images = int(file.attrs["images"])
        pairs = [(end, *pair) for end in ("largest", "smallest") if f"{end}/vectors" in file
                 for pair in zip(*(file[f"{end}/{part}"][:]
                                   for part in ("values", "residuals", "vectors")))]
    model, normalisation = load(arguments.model)
    pixels, labels = read_images(arguments.data, images, {"mean": [0, 0, 0], "std": [1, 1, 1]})
    mean, std = (torch.tensor(normalisation[k], dtype=torch.float64).view(3, 1, 1)
                 for k in ("mean", "std"))
    pixels = (torch.round(pixels.double() * 255) / 255 - mean) / std
    hessian = Hessian(model.double(), pixels, labels, arguments.batch)
    wrong = 0
    for end, value, stated, vector in pairs:
        x = vector.astype(np.float64)
        product = hessian.multiply(x)
        true = np.linalg.norm(product - value * x) / np.linalg.norm(x)
        quotient = x @ product / (x @ x)
        wrong += not stated >= true / 2
        print(f"{end} {value:.7g}  stated {stated:.3g}  true {true:.3g}  "
              f"stated / true {stated / true:.3g}  Rayleigh quotient in double {quotient:.7g}",
              flush=True)
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
