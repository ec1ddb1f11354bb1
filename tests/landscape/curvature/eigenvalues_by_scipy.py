#!/usr/bin/python3
"""Eigenvalues of a network's Hessian without Topograd: PyTorch's double backward, scipy's eigsh.

    tests/landscape/curvature/eigenvalues_by_scipy.py resnet56.safetensors cifar-10-batches-bin --images 1000

Prints one line of JSON: the mean loss over the first training images, the gradient's norm, and the
largest and smallest eigenvalues of the mean loss's Hessian with BatchNorm's running statistics, to
be held against

    landscape hessian resnet56.safetensors --data cifar-10-batches-bin --images 1000

Needs python3-torch and python3-scipy. Minutes to hours: PyTorch has nothing faster on a CPU.
"""
import argparse
import json
import os
import struct
import sys

import numpy as np
import torch
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "models"))
from torch_zoo import network  # noqa: E402


def read_safetensors(path):
    """({name: array}, metadata) of a file of float32."""
    with open(path, "rb") as file:
        contents = file.read()
    length, = struct.unpack_from("<Q", contents)
    header = json.loads(contents[8:8 + length])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(contents[8 + length + begin:8 + length + end],
                                      np.float32).reshape(entry["shape"]).copy()
    return tensors, metadata


def load(path):
    """The network, ready, and (mean, std) of its images."""
    tensors, metadata = read_safetensors(path)
    spec = json.loads(metadata["model"])
    model = network(spec["name"], shortcut=spec.get("shortcut", "B"))
    expected = [k for k in model.state_dict() if not k.endswith("num_batches_tracked")]
    if set(expected) != set(tensors):
        sys.exit(f"{path}: has other parameters than {spec['name']}: "
                 f"{sorted(set(expected) ^ set(tensors))[:4]}")
    model.load_state_dict({k: torch.from_numpy(v) for k, v in tensors.items()}, strict=False)
    return model.eval(), json.loads(metadata["normalisation"])


def read_images(folder, count, normalisation):
    """The first training images of CIFAR-10's binary files, normalised, with their labels."""
    records = np.concatenate([np.fromfile(os.path.join(folder, f"data_batch_{i}.bin"), np.uint8)
                              .reshape(-1, 3073) for i in range(1, 2 + (count - 1) // 10000)])
    records = records[:count]
    images = records[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255
    mean, std = (np.asarray(normalisation[k], np.float32).reshape(3, 1, 1) for k in ("mean", "std"))
    return torch.from_numpy((images - mean) / std), torch.from_numpy(records[:, 0].astype(np.int64))


class Hessian:
    """Of the mean loss, by products in the model's precision; vectors are numpy's, in the parameters' order."""

    def __init__(self, model, images, labels, batch):
        self.model, self.images, self.labels, self.batch = model, images, labels, batch
        self.parameters = list(model.parameters())
        self.size = sum(p.numel() for p in self.parameters)
        self.products = 0

    def gradients(self, create_graph):
        """For each batch its loss and gradients, both as shares of the means over all images."""
        for images, labels in zip(self.images.split(self.batch), self.labels.split(self.batch)):
            loss = F.cross_entropy(self.model(images), labels, reduction="sum") / len(self.labels)
            yield loss, torch.autograd.grad(loss, self.parameters, create_graph=create_graph)

    def loss_and_gradient(self):
        loss, gradient = 0, torch.zeros(self.size, dtype=torch.float64)
        for part, gradients in self.gradients(False):
            loss += part.item()
            gradient += torch.cat([g.flatten() for g in gradients]).double()
        return loss, gradient.norm().item()

    def multiply(self, v):
        sizes = [p.numel() for p in self.parameters]
        vector = torch.as_tensor(np.asarray(v).ravel(), dtype=self.parameters[0].dtype)
        parts = vector.split(sizes)
        parts = [part.view_as(p) for part, p in zip(parts, self.parameters)]
        total = np.zeros(self.size)
        for _, gradients in self.gradients(True):
            product = torch.autograd.grad(gradients, self.parameters, grad_outputs=parts)
            total += torch.cat([p.flatten() for p in product]).double().numpy()
        self.products += 1
        print(f"\r{self.products} products", end="", file=sys.stderr)
        return total


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--each", type=int, default=1, help="eigenvalues at either end")
    parser.add_argument("--tolerance", type=float, default=1e-3)
    parser.add_argument("--basis", type=int, default=20,
                        help="vectors that ARPACK keeps; it looks at its residuals when they are full")
    arguments = parser.parse_args()
    from scipy.sparse.linalg import LinearOperator, eigsh  # residuals_in_double.py needs none
    torch.manual_seed(1)
    model, normalisation = load(arguments.model)
    hessian = Hessian(model, *read_images(arguments.data, arguments.images, normalisation),
                      arguments.batch)
    loss, gradient_norm = hessian.loss_and_gradient()
    matrix = LinearOperator((hessian.size, hessian.size), matvec=hessian.multiply, dtype=np.float64)
    values, vectors = eigsh(matrix, k=2 * arguments.each, which="BE", ncv=arguments.basis,
                            tol=arguments.tolerance,
                            v0=np.random.default_rng(1).standard_normal(hessian.size))
    products = hessian.products
    residuals = {value: np.linalg.norm(hessian.multiply(vector) - value * vector).item()
                 for value, vector in zip(values, vectors.T)}
    smallest = sorted(values)[:arguments.each]
    largest = sorted(values, reverse=True)[:arguments.each]
    print(file=sys.stderr)
    print(json.dumps({"loss": loss, "gradient_norm": gradient_norm, "products": products,
                      "smallest": smallest, "smallest_residuals": [residuals[v] for v in smallest],
                      "largest": largest, "largest_residuals": [residuals[v] for v in largest]}))


if __name__ == "__main__":
    main()
