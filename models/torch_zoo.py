"""The zoo a second time, in PyTorch: what tests and benchmarks hold Topograd's networks against.

Written after the papers and the landscape paper's code, with torch.nn alone; the parameters come in
the order of Topograd's.

    network("resnet56", shortcut="A")     network("vgg9", image_size=32)
"""

import re

import torch
from torch import nn
from torch.nn import functional as F


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


# --- By name --------------------------------------------------------------------------------------

FOUR_STAGES = {18: (BasicBlock, (2, 2, 2, 2)), 34: (BasicBlock, (3, 4, 6, 3)),
               50: (Bottleneck, (3, 4, 6, 3)), 101: (Bottleneck, (3, 4, 23, 3)),
               152: (Bottleneck, (3, 8, 36, 3))}
DENSENETS = {121: ((6, 12, 24, 16), 32), 161: ((6, 12, 36, 24), 48), 169: ((6, 12, 32, 32), 32),
             201: ((6, 12, 48, 32), 32)}


def network(name, image_size=32, shortcut="B"):
    """The network of that name, for images of three channels and ten classes."""
    kind = "none" if name.endswith("_noshort") else shortcut
    parts = re.fullmatch(r"([a-z]+)(\d*)(?:_(\d+))?", name.replace("_noshort", ""))
    family, *numbers = parts.groups()
    depth, multiple = (int(number) if number else 0 for number in numbers)
    if family == "resnet" and depth in FOUR_STAGES:
        block, blocks = FOUR_STAGES[depth]
        return ResNet(block, blocks, 64, kind)
    if family == "wrn" and depth % 6 == 4:
        return WideResNet(depth, multiple)
    if family in ("resnet", "wrn"):
        return ResNet(BasicBlock, ((depth - 2) // 6,) * 3, 16 * (multiple or 1), kind)
    if family == "vgg":
        return Vgg(depth, image_size)
    if family == "densenet":
        return DenseNet(*DENSENETS[depth])
    if family == "densenetbc":
        return DenseNet(((depth - 4) // 6,) * 3, multiple)
    return {"mlp": mlp, "lenet": lenet}[name](image_size)
