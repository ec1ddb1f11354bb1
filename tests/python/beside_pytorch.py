#!/usr/bin/python3
"""Times a surface of a ResNet-18 of torchvision's layout, by topograd and by PyTorch in the same run.

    PYTHONPATH=build/release/python tests/python/beside_pytorch.py [--images 256] [--size 64] [--points 5] [--rounds 3]

PyTorch's side is what one writes without a tool: for every point the weights are set, and the images go through the
module in inference mode, in batches, in the faster of its two layouts.
"""

import argparse
import statistics
import time
import warnings

import numpy
import topograd
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))) + identity)


class ResNet18(nn.Module):
    """As torchvision lays it out: a 7x7 stem of stride 2, a pool, four stages of two blocks."""

    def __init__(self, classes=10):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(Block(64, 64, 1), Block(64, 64, 1))
        self.layer2 = nn.Sequential(Block(64, 128, 2), Block(128, 128, 1))
        self.layer3 = nn.Sequential(Block(128, 256, 2), Block(256, 256, 1))
        self.layer4 = nn.Sequential(Block(256, 512, 2), Block(512, 512, 1))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(512, classes)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def by_pytorch(module, images, labels, axis, directions, batch):
    """The losses on the grid, [y, x]."""
    centre = [p.detach().clone() for p in module.parameters()]
    losses = numpy.empty((len(axis), len(axis)))
    with torch.inference_mode():
        for j, beta in enumerate(axis):
            for i, alpha in enumerate(axis):
                for p, w, d, e in zip(module.parameters(), centre, *directions):
                    p.copy_(w + alpha * d + beta * e)
                total = 0.0
                for k in range(0, len(images), batch):
                    total += nn.functional.cross_entropy(module(images[k:k + batch]), labels[k:k + batch],
                                                         reduction="sum").item()
                losses[j, i] = total / len(images)
        for p, w in zip(module.parameters(), centre):
            p.copy_(w)
    return losses


def main():
    parser = argparse.ArgumentParser()
    for name, default in (("images", 256), ("size", 64), ("points", 5), ("rounds", 3), ("threads", 2), ("batch", 64)):
        parser.add_argument("--" + name, type=int, default=default)
    args = parser.parse_args()
    warnings.simplefilter("ignore", topograd.NoteWarning)
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    module = ResNet18().eval()
    images = torch.randn(args.images, 3, args.size, args.size)
    labels = torch.randint(0, 10, (args.images,))
    network = topograd.from_torch(module, images[:1])
    axis = numpy.linspace(-0.5, 0.5, args.points)
    grid = (-0.5, 0.5, args.points)
    # The same directions on both sides: where the network is at (1, 0) and (0, 1).
    s = topograd.surface(network, images, labels, x=grid, y=grid, threads=args.threads)
    names = [name for name, _ in module.named_parameters()]
    origin = network.state_dict()
    directions = []
    for x, y in ((1, 0), (0, 1)):
        there = network.at(s, x, y).state_dict()
        directions.append([torch.from_numpy(there[name] - origin[name]) for name in names])
    times = {"topograd": [], "pytorch": [], "pytorch, channels last": []}
    for _ in range(args.rounds):
        began = time.perf_counter()
        s = topograd.surface(network, images, labels, x=grid, y=grid, threads=args.threads, progress=False)
        times["topograd"].append(time.perf_counter() - began)
        for name, layout in (("pytorch", torch.contiguous_format), ("pytorch, channels last", torch.channels_last)):
            module.to(memory_format=layout)
            laid_out = [[d.contiguous(memory_format=layout) if d.dim() == 4 else d for d in of] for of in directions]
            began = time.perf_counter()
            theirs = by_pytorch(module, images.contiguous(memory_format=layout), labels, axis, laid_out, args.batch)
            times[name].append(time.perf_counter() - began)
    print(f"largest relative difference of a loss: {numpy.abs(theirs / s.loss - 1).max():.1e}")
    for name, seconds in times.items():
        print(f"{name}: {statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})")
    fastest = min(statistics.median(seconds) for name, seconds in times.items() if name != "topograd")
    print(f"ratio {fastest / statistics.median(times['topograd']):.2f}")


if __name__ == "__main__":
    main()
