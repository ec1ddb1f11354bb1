#!/usr/bin/python3
"""Runs every network of the zoo in PyTorch, in double precision, and writes what came out.

    tests/models/make_oracle.py              # renews tests/models/oracle.safetensors, some minutes
    tests/models/make_oracle.py --curvature  # renews tests/models/curvature.safetensors, seconds

The networks are those of models/torch_zoo.py. Weights and images come from formulas that
tests/models/test_oracle.cpp has too, so the file holds results alone; for each network, with three
images, under "<name>:<side of the images>" ("<name>/A:..." with shortcut A, "<name>/frozen:..." with
the running statistics throughout):

    loss       the mean cross-entropy with the batch's statistics
    logits     with the batch's statistics, then with the running ones
    gradient   for each parameter, the product of its gradient with uniform numbers

The curvature of some of them, by PyTorch's double backward, likewise:

    product         for each parameter, the product with uniform numbers of its part of H v, H the
                    Hessian of the loss with the batch's statistics, v uniform numbers
    frozen_product  with the running statistics
"""

import json
import os
import struct
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "models"))
from torch_zoo import network as make  # noqa: E402

IMAGES = 3
PARAMETERS, STATES, PIXELS, PROBES, DIRECTION = range(5)


# Every layer of the zoo: few enough parameters and layers for a second-order oracle.
CURVED = [("lenet", 16, "B"), ("mlp", 8, "B"), ("vgg9", 8, "B"), ("resnet20", 8, "A"),
          ("resnet20", 8, "B"), ("resnet20_noshort", 8, "B"), ("resnet56", 8, "A"),
          ("wrn56_2", 8, "B"), ("densenetbc100_12", 8, "B")]


def uniform(substream, indices):
    """SplitMix64 (G. Steele, D. Lea and C. Flood, 2014) of the index, as a number in [0, 1)."""
    z = np.asarray(indices, dtype=np.uint64) + np.uint64(substream << 40)
    z = z * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53


# Without shortcuts, and with statistics of three images, a hundred bottlenecks' layers make noise of
# any rounding: these are run with the running statistics alone.
FROZEN = ("resnet101_noshort", "resnet152_noshort")


def zoo():
    """(key in the file, name, side of the images, shortcut) of every network."""
    names = ["mlp"] + [f"vgg{depth}" for depth in (9, 11, 13, 16, 19)] + ["lenet"]
    residual = ([f"resnet{depth}" for depth in (20, 32, 44, 56, 110, 18, 34, 50, 101, 152)] +
                ["wrn56_2", "wrn56_4", "wrn56_8", "wrn110_2", "wrn110_4"])
    names += residual + [name + "_noshort" for name in residual] + ["wrn28_10"]
    names += ["densenet121", "densenet161", "densenet169", "densenet201", "densenetbc100_12"]
    sides = {"lenet": 16, "vgg11": 32, "vgg13": 32, "vgg16": 32, "vgg19": 32}
    for name in names:
        side = sides.get(name, 8)
        yield f"{name}{'/frozen' if name in FROZEN else ''}:{side}", name, side, "B"
    for name in ("resnet20", "resnet32", "resnet44", "resnet56", "resnet110", "resnet18",
                 "resnet50", "wrn56_2"):
        yield f"{name}/A:8", name, 8, "A"


def numbers(substream, start, shape, centre, spread):
    """float32(centre + spread * (2 u - 1)), u uniform, from index `start` on."""
    u = uniform(substream, np.arange(start, start + np.prod(shape, dtype=np.int64)))
    values = (centre + spread * (2 * u - 1)).astype(np.float32)
    return torch.from_numpy(values.astype(np.float64).reshape(shape))


def set_weights(network):
    start = 0
    for parameter in network.parameters():
        shape = tuple(parameter.shape)
        norms = isinstance(owner_of(network, parameter), nn.modules.batchnorm._BatchNorm)
        if len(shape) > 1:
            centre, spread = 0.0, np.sqrt(6.0 / np.prod(shape[1:]))
        elif norms and owner_of(network, parameter).weight is parameter:
            centre, spread = 1.0, 0.5
        else:
            centre, spread = 0.0, 0.2
        parameter.data = numbers(PARAMETERS, start, shape, centre, spread)
        start += parameter.numel()
    start = 0
    for name, state in network.named_buffers():
        if name.endswith("num_batches_tracked"):
            continue
        centre, spread = (1.0, 0.5) if name.endswith("running_var") else (0.0, 0.2)
        state.copy_(numbers(STATES, start, tuple(state.shape), centre, spread))
        start += state.numel()


def owner_of(network, parameter):
    return next(module for module in network.modules()
                if any(p is parameter for p in module.parameters(recurse=False)))


def run(network, size, frozen):
    set_weights(network)
    x = numbers(PIXELS, 0, (IMAGES, size, size, 3), 0.0, 1.7).permute(0, 3, 1, 2)
    labels = torch.arange(IMAGES) * 3
    network.eval()
    with torch.no_grad():
        frozen_logits = network(x)
    network.train(not frozen)
    logits = network(x)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    start, probes = 0, []
    for parameter in network.parameters():
        direction = numbers(PROBES, start, tuple(parameter.shape), 0.0, 1.0)
        probes.append((parameter.grad * direction).sum().item())
        start += parameter.numel()
    return {"loss": np.array([loss.item()]),
            "logits": torch.stack([logits.detach(), frozen_logits]).numpy(), "gradient": np.array(probes)}


def like_parameters(network, substream):
    """Uniform numbers in [-1, 1) for every parameter, indexed over all of them."""
    start, result = 0, []
    for parameter in network.parameters():
        result.append(numbers(substream, start, tuple(parameter.shape), 0.0, 1.0))
        start += parameter.numel()
    return result


def products(network, size):
    """Of H v, with the batch's statistics and with the running ones."""
    results = {}
    labels = torch.arange(IMAGES) * 3
    x = numbers(PIXELS, 0, (IMAGES, size, size, 3), 0.0, 1.7).permute(0, 3, 1, 2)
    for what, training in (("product", True), ("frozen_product", False)):
        set_weights(network)
        network.train(training)
        parameters = list(network.parameters())
        loss = F.cross_entropy(network(x), labels)
        gradients = torch.autograd.grad(loss, parameters, create_graph=True)
        v = like_parameters(network, DIRECTION)
        slope = sum((g * d).sum() for g, d in zip(gradients, v))
        product = torch.autograd.grad(slope, parameters)
        probes = like_parameters(network, PROBES)
        results[what] = np.array([(p * d).sum().item() for p, d in zip(product, probes)])
    return results


def write_safetensors(path, arrays):
    header, offset = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F64", "shape": list(array.shape),
                        "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array, dtype="<f8").tobytes())


def make_curvature():
    results = {}
    for name, side, kind in CURVED:
        key = f"{name}{'/A' if kind == 'A' else ''}:{side}"
        for what, array in products(make(name, side, kind), side).items():
            results[f"{key}/{what}"] = array
            print(f"{key:28} {what:16} largest {np.abs(array).max():.6g}", flush=True)
    write_safetensors(os.path.join(HERE, "curvature.safetensors"), results)


def main():
    torch.set_default_dtype(torch.float64)
    if sys.argv[1:] == ["--curvature"]:
        return make_curvature()
    results = {}
    for key, name, side, shortcut in zoo():
        network = make(name, side, shortcut)
        for what, array in run(network, side, name in FROZEN).items():
            results[f"{key}/{what}"] = array
        parameters = sum(p.numel() for p in network.parameters())
        print(f"{key:28} {parameters:12,} parameters, loss {results[f'{key}/loss'][0]:.6f}",
              flush=True)
    write_safetensors(os.path.join(HERE, "oracle.safetensors"), results)


if __name__ == "__main__":
    main()
