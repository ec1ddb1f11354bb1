#!/usr/bin/python3
"""Runs every network of the zoo in PyTorch, in double precision, and writes what came out.

    tests/models/make_oracle.py            # renews tests/models/oracle.safetensors, some minutes

The networks are written here a second time, with torch.nn, after the papers and the landscape
paper's code. Weights and images come from Philox by formulas that tests/models/test_oracle.cpp has
too, so the file holds results alone; for each network, with three images:

    <name>/loss       the mean cross-entropy with the batch's statistics
    <name>/logits     with the batch's statistics, then with the running ones
    <name>/gradient   for each parameter, the product of its gradient with uniform numbers
"""

import json
import os
import struct

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

IMAGES = 3
PARAMETERS, STATES, PIXELS, PROBES = range(4)  # Philox substreams
TEST_STREAM = 6


def philox_uniform(substream, indices):
    """kernels/core/philox.h's Philox(0, RandomStream::test, substream).uniform(index)."""
    index = np.asarray(indices, dtype=np.uint64)
    mask, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    c = [index & mask, index >> shift, np.full_like(index, substream),
         np.full_like(index, TEST_STREAM)]
    key = [np.uint64(0), np.uint64(0)]
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> shift) ^ c[1] ^ key[0], p1 & mask, (p0 >> shift) ^ c[3] ^ key[1], p0 & mask]
        key = [(key[0] + np.uint64(0x9E3779B9)) & mask, (key[1] + np.uint64(0xBB67AE85)) & mask]
    return ((c[1] << shift | c[0]) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def conv(inputs, outputs, kernel=3, stride=1, **options):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False, **options)


# --- ResNets ---------------------------------------------------------------------------------

class PadShortcut(nn.Module):
    """Option A: every second pixel, and as many channels of zeros in front as behind."""

    def __init__(self, outputs, stride):
        super().__init__()
        self.outputs, self.stride = outputs, stride

    def forward(self, x):
        x = x[:, :, ::self.stride, ::self.stride]
        missing = self.outputs - x.shape[1]
        return F.pad(x, (0, 0, 0, 0, missing // 2, missing - missing // 2))


def shortcut(inputs, outputs, stride, kind):
    if inputs == outputs and stride == 1:
        return nn.Identity()
    if kind == "A":
        return PadShortcut(outputs, stride)
    return nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inputs, width, stride, kind):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width), nn.BatchNorm2d(width)
        self.shortcut = None if kind == "none" else shortcut(inputs, width, stride, kind)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y if self.shortcut is None else y + self.shortcut(x))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inputs, width, stride, kind):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = conv(width, 4 * width, 1), nn.BatchNorm2d(4 * width)
        self.shortcut = None if kind == "none" else shortcut(inputs, 4 * width, stride, kind)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(y)))))
        return F.relu(y if self.shortcut is None else y + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, block, blocks, width, kind):
        super().__init__()
        self.conv1, self.bn1 = conv(3, width), nn.BatchNorm2d(width)
        self.stages, channels = len(blocks), width
        for stage, count in enumerate(blocks):
            layers = []
            for i in range(count):
                layers.append(block(channels, width << stage, 2 if stage and not i else 1, kind))
                channels = (width << stage) * block.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.linear = nn.Linear(channels, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.linear(x.mean((2, 3)))


class PreactivationBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, outputs, 3, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(outputs), conv(outputs, outputs)
        self.convShortcut = None if inputs == outputs else conv(inputs, outputs, 1, stride)

    def forward(self, x):
        before = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(before))))
        return y + (x if self.convShortcut is None else self.convShortcut(before))


class WideResNet(nn.Module):
    """S. Zagoruyko's own, of the depth 6n + 4."""

    def __init__(self, depth, widening):
        super().__init__()
        self.conv1, channels, blocks = conv(3, 16), 16, []
        for stage in range(3):
            for i in range((depth - 4) // 6):
                outputs = (16 * widening) << stage
                blocks.append(PreactivationBlock(channels, outputs, 2 if stage and not i else 1))
                channels = outputs
        self.blocks, self.bn1 = nn.Sequential(*blocks), nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, 10)

    def forward(self, x):
        return self.fc(F.relu(self.bn1(self.blocks(self.conv1(x)))).mean((2, 3)))


# --- VGG, DenseNet, the first lesson ------------------------------------------------------------

VGG = {9: "64 64 M 128 128 M 256 256 256 M",
       11: "64 M 128 M 256 256 M 512 512 M 512 512 M",
       13: "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M",
       16: "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
       19: "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M"}


class Vgg(nn.Module):
    def __init__(self, depth, image_size):
        super().__init__()
        layers, channels = [], 3
        for what in VGG[depth].split():
            if what == "M":
                layers.append(nn.MaxPool2d(2))
                image_size //= 2
            else:
                layers += [nn.Conv2d(channels, int(what), 3, padding=1), nn.BatchNorm2d(int(what)),
                           nn.ReLU()]
                channels = int(what)
        self.features = nn.Sequential(*layers)
        self.fc = nn.Sequential(nn.Linear(channels * image_size**2, channels),
                                nn.BatchNorm1d(channels), nn.ReLU())
        self.classifier = nn.Linear(channels, 10)

    def forward(self, x):
        return self.classifier(self.fc(self.features(x).flatten(1)))


class DenseLayer(nn.Module):
    def __init__(self, inputs, growth):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, 4 * growth, 1)
        self.bn2, self.conv2 = nn.BatchNorm2d(4 * growth), conv(4 * growth, growth)

    def forward(self, x):
        y = self.conv2(F.relu(self.bn2(self.conv1(F.relu(self.bn1(x))))))
        return torch.cat([y, x], 1)


class Transition(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.bn, self.conv = nn.BatchNorm2d(inputs), conv(inputs, inputs // 2, 1)

    def forward(self, x):
        return F.avg_pool2d(self.conv(F.relu(self.bn(x))), 2)


class DenseNet(nn.Module):
    def __init__(self, blocks, growth):
        super().__init__()
        channels = 2 * growth
        self.conv1, layers = conv(3, channels), []
        for block, count in enumerate(blocks):
            for _ in range(count):
                layers.append(DenseLayer(channels, growth))
                channels += growth
            if block + 1 < len(blocks):
                layers.append(Transition(channels))
                channels //= 2
        self.layers, self.bn = nn.Sequential(*layers), nn.BatchNorm2d(channels)
        self.linear = nn.Linear(channels, 10)

    def forward(self, x):
        return self.linear(F.relu(self.bn(self.layers(self.conv1(x)))).mean((2, 3)))


def mlp(image_size):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * image_size**2, 256), nn.ReLU(),
                         nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))


def lenet(image_size):
    extent = ((image_size - 4) // 2 - 4) // 2
    return nn.Sequential(nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5),
                         nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(16 * extent**2, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
                         nn.Linear(84, 10))


# --- The zoo ------------------------------------------------------------------------------------

FOUR_STAGES = {18: (BasicBlock, (2, 2, 2, 2)), 34: (BasicBlock, (3, 4, 6, 3)),
               50: (Bottleneck, (3, 4, 6, 3)), 101: (Bottleneck, (3, 4, 23, 3)),
               152: (Bottleneck, (3, 8, 36, 3))}
DENSENETS = {121: ((6, 12, 24, 16), 32), 161: ((6, 12, 36, 24), 48), 169: ((6, 12, 32, 32), 32),
             201: ((6, 12, 48, 32), 32)}


def cifar_resnet(depth, width, kind):
    return lambda _: ResNet(BasicBlock, ((depth - 2) // 6,) * 3, width, kind)


def zoo():
    """{name in the file: (side of the images, function of it that makes the network)}."""
    networks = {"mlp": (8, mlp), "lenet": (16, lenet)}
    for depth in VGG:
        size = 8 if depth == 9 else 32
        networks[f"vgg{depth}"] = (size, lambda side, depth=depth: Vgg(depth, side))
    for suffix, kind in (("", "B"), ("_noshort", "none"), ("/A", "A")):
        for depth in (20, 32, 44, 56, 110):
            networks[f"resnet{depth}{suffix}"] = (8, cifar_resnet(depth, 16, kind))
        for depth, (block, blocks) in FOUR_STAGES.items():
            networks[f"resnet{depth}{suffix}"] = (
                8, lambda _, b=block, n=blocks, k=kind: ResNet(b, n, 64, k))
        for depth, widening in ((56, 2), (56, 4), (56, 8), (110, 2), (110, 4)):
            networks[f"wrn{depth}_{widening}{suffix}"] = (
                8, cifar_resnet(depth, 16 * widening, kind))
    networks["wrn28_10"] = (8, lambda _: WideResNet(28, 10))
    for depth, (blocks, growth) in DENSENETS.items():
        networks[f"densenet{depth}"] = (8, lambda _, b=blocks, k=growth: DenseNet(b, k))
    networks["densenetbc100_12"] = (8, lambda _: DenseNet((16, 16, 16), 12))
    return networks


def numbers(substream, start, shape, centre, spread):
    """float32(centre + spread * (2 u - 1)), u uniform, from index `start` on."""
    u = philox_uniform(substream, np.arange(start, start + np.prod(shape, dtype=np.int64)))
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


def run(network, size):
    set_weights(network)
    x = numbers(PIXELS, 0, (IMAGES, size, size, 3), 0.0, 1.7).permute(0, 3, 1, 2)
    labels = torch.arange(IMAGES) * 3
    network.eval()
    with torch.no_grad():
        frozen = network(x)
    network.train()
    logits = network(x)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    start, probes = 0, []
    for parameter in network.parameters():
        direction = numbers(PROBES, start, tuple(parameter.shape), 0.0, 1.0)
        probes.append((parameter.grad * direction).sum().item())
        start += parameter.numel()
    return {"loss": np.array([loss.item()]),
            "logits": torch.stack([logits.detach(), frozen]).numpy(), "gradient": np.array(probes)}


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


def main():
    torch.set_default_dtype(torch.float64)
    results = {}
    for name, (size, make) in zoo().items():
        network = make(size)
        for what, array in run(network, size).items():
            results[f"{name}:{size}/{what}"] = array
        parameters = sum(p.numel() for p in network.parameters())
        print(f"{name:20} {parameters:12,} parameters, loss {results[f'{name}:{size}/loss'][0]:.6f}",
              flush=True)
    write_safetensors(os.path.join(os.path.dirname(__file__), "oracle.safetensors"), results)


if __name__ == "__main__":
    main()
