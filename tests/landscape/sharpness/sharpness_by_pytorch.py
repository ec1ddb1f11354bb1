#!/usr/bin/python3
"""Measures of sharpness in PyTorch, in double precision: what `landscape sharpness` should print.

    tests/landscape/sharpness/sharpness_by_pytorch.py MODEL.safetensors CIFAR10_FOLDER IMAGES

Run by hand, on a checkpoint of a CIFAR-10 network with its default flags and the first IMAGES
training images. Those measures that need no random directions, written anew from the papers.
"""

import json
import os
import struct
import sys

import numpy as np
import torch
from torch.nn import functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "models"))
from torch_zoo import network as make  # noqa: E402


def load(path):
    """(network in double, evaluating; mean; std) of a checkpoint."""
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    meta = header.pop("__metadata__")
    spec, norm = json.loads(meta["model"]), json.loads(meta["normalisation"])
    network = make(spec["name"], spec["image_size"], spec["shortcut"])
    state = network.state_dict()
    for name in state:
        if name in header:
            begin, end = (8 + length + offset for offset in header[name]["data_offsets"])
            values = np.frombuffer(data[begin:end], dtype="<f4").reshape(header[name]["shape"])
            state[name] = torch.tensor(values)
    network.load_state_dict(state)
    return network.double().eval(), norm["mean"], norm["std"]


def images_of(folder, count, mean, std):
    with open(os.path.join(folder, "data_batch_1.bin"), "rb") as file:
        rows = np.frombuffer(file.read(3073 * count), dtype=np.uint8).reshape(count, 3073)
    pixels = torch.tensor(rows[:, 1:].reshape(count, 3, 32, 32) / 255.0)
    mean, std = (torch.tensor(x, dtype=torch.float64).reshape(3, 1, 1) for x in (mean, std))
    return (pixels - mean) / std, torch.tensor(rows[:, 0].astype(np.int64))


class Loss:
    def __init__(self, network, x, labels):
        self.network, self.x, self.labels = network, x, labels
        self.parameters = list(network.parameters())
        self.theta = torch.cat([p.detach().flatten() for p in self.parameters])

    def put(self, theta):
        at = 0
        for p in self.parameters:
            p.data.copy_(theta[at:at + p.numel()].reshape(p.shape))
            at += p.numel()

    def __call__(self, theta):
        self.put(theta)
        with torch.no_grad():
            return F.cross_entropy(self.network(self.x), self.labels).item()

    def gradient(self, theta):
        self.put(theta)
        loss = F.cross_entropy(self.network(self.x), self.labels)
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss, self.parameters)])


def keskar(loss, epsilon=1e-3, steps=10):
    half = epsilon * (loss.theta.abs() + 1)
    y, highest = torch.zeros_like(half), loss(loss.theta)
    for _ in range(steps):
        step = 2.5 / steps * half * loss.gradient(loss.theta + y).sign()
        y = torch.minimum(torch.maximum(y + step, -half), half)
        highest = max(highest, loss(loss.theta + y))
    start = loss(loss.theta)
    return 100 * (highest - start) / (1 + start)


def critical(loss):
    """By small steps up, then bisection."""
    g, start = loss.gradient(loss.theta), loss(loss.theta)
    low, high = 0, 1e-4
    while loss(loss.theta - high * g) <= start:
        low, high = high, high * 1.3
    for _ in range(30):
        middle = (low + high) / 2
        if loss(loss.theta - middle * g) <= start:
            low = middle
        else:
            high = middle
    return 2 / high


def main():
    path, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    network, mean, std = load(path)
    loss = Loss(network, *images_of(folder, count, mean, std))
    theta, start, g = loss.theta, loss(loss.theta), loss.gradient(loss.theta)
    t = theta.abs()
    print("loss", start)
    print("gradient_norm", g.norm().item())
    print("keskar", keskar(loss))
    print("sam", loss(theta + 0.05 * g / g.norm()) - start)
    print("asam", loss(theta + 0.5 * t * t * g / (t * g).norm()) - start)
    print("critical_sharpness", critical(loss))


if __name__ == "__main__":
    main()
