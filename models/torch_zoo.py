"""The zoo a second time, in PyTorch: what tests and benchmarks hold Topograd's networks against, and
what apps/import_torch.py holds checkpoints against.

Written after the papers and the landscape paper's code, with torch.nn alone. Parameters and
statistics have the names and shapes of Topograd's, and come in their order: a checkpoint of train
loads by load_state_dict().

    network("resnet56", shortcut="A")     network("vgg9", image_size=32)
"""

import re
from typing import NamedTuple

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
    def __init__(self, block, blocks, width, kind, images):
        super().__init__()
        self.conv1, self.bn1 = conv(images.channels, width), nn.BatchNorm2d(width)
        self.stages, channels = len(blocks), width
        for stage, count in enumerate(blocks):
            layers = []
            for i in range(count):
                layers.append(block(channels, width << stage, 2 if stage and not i else 1, kind))
                channels = (width << stage) * block.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.linear = nn.Linear(channels, images.classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.linear(x.mean((2, 3)))


class PreactivationBlock(nn.Module):
    def __init__(self, inputs, outputs, stride, kind):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, outputs, 3, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(outputs), conv(outputs, outputs)
        self.kind, self.same = kind, inputs == outputs and stride == 1
        if kind == "B" and not self.same:
            self.convShortcut = conv(inputs, outputs, 1, stride)
        self.padded = PadShortcut(outputs, stride)

    def forward(self, x):
        before = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(before))))
        if self.kind == "none":
            return y
        if self.same:
            return y + x
        return y + (self.convShortcut if self.kind == "B" else self.padded)(before)


class WideResNet(nn.Module):
    """S. Zagoruyko's own, of the depth 6n + 4."""

    def __init__(self, depth, widening, width, kind, images):
        super().__init__()
        self.conv1, channels = conv(images.channels, width), width
        for stage in range(3):
            blocks = []
            for i in range((depth - 4) // 6):
                outputs = (width * widening) << stage
                blocks.append(PreactivationBlock(channels, outputs, 2 if stage and not i else 1, kind))
                channels = outputs
            named = nn.Module()
            named.layer = nn.Sequential(*blocks)
            setattr(self, f"block{stage + 1}", named)
        self.bn1, self.linear = nn.BatchNorm2d(channels), nn.Linear(channels, images.classes)

    def forward(self, x):
        x = self.conv1(x)
        for stage in (self.block1, self.block2, self.block3):
            x = stage.layer(x)
        return self.linear(F.relu(self.bn1(x)).mean((2, 3)))


# --- VGG, DenseNet, the first lesson ------------------------------------------------------------

# Channels of the convolutions, in units of the first one's; M: pooling.
VGG = {9: "1 1 M 2 2 M 4 4 4 M",
       11: "1 M 2 M 4 4 M 8 8 M 8 8 M",
       13: "1 1 M 2 2 M 4 4 M 8 8 M 8 8 M",
       16: "1 1 M 2 2 M 4 4 4 M 8 8 8 M 8 8 8 M",
       19: "1 1 M 2 2 M 4 4 4 4 M 8 8 8 8 M 8 8 8 8 M"}


class Vgg(nn.Module):
    def __init__(self, depth, width, images):
        super().__init__()
        layers, channels, size = [], images.channels, images.size
        for what in VGG[depth].split():
            if what == "M":
                layers.append(nn.MaxPool2d(2))
                size //= 2
            else:
                outputs = width * int(what)
                layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
                channels = outputs
        self.features = nn.Sequential(*layers)
        self.fc = nn.Sequential(nn.Linear(channels * size**2, channels), nn.BatchNorm1d(channels), nn.ReLU())
        self.classifier = nn.Linear(channels, images.classes)

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
    def __init__(self, blocks, growth, images):
        super().__init__()
        channels = 2 * growth
        self.conv1, self.order = conv(images.channels, channels), []
        for block, count in enumerate(blocks):
            layers = []
            for _ in range(count):
                layers.append(DenseLayer(channels, growth))
                channels += growth
            self.append(f"dense{block + 1}", nn.Sequential(*layers))
            if block + 1 < len(blocks):
                self.append(f"trans{block + 1}", Transition(channels))
                channels //= 2
        self.bn, self.linear = nn.BatchNorm2d(channels), nn.Linear(channels, images.classes)

    def append(self, name, module):
        setattr(self, name, module)
        self.order.append(name)

    def forward(self, x):
        x = self.conv1(x)
        for name in self.order:
            x = getattr(self, name)(x)
        return self.linear(F.relu(self.bn(x)).mean((2, 3)))


class Mlp(nn.Module):
    def __init__(self, layers, width, images):
        super().__init__()
        inputs, self.layers = images.channels * images.size**2, layers
        for i in range(1, layers + 1):
            outputs = width if i < layers else images.classes
            setattr(self, f"fc{i}", nn.Linear(inputs, outputs))
            inputs = outputs

    def forward(self, x):
        x = x.flatten(1)
        for i in range(1, self.layers):
            x = F.relu(getattr(self, f"fc{i}")(x))
        return getattr(self, f"fc{self.layers}")(x)


class LeNet(nn.Module):
    def __init__(self, images):
        super().__init__()
        extent = ((images.size - 4) // 2 - 4) // 2
        self.conv1, self.conv2 = nn.Conv2d(images.channels, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2 = nn.Linear(16 * extent**2, 120), nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, images.classes)

    def forward(self, x):
        for layer in (self.conv1, self.conv2):
            x = F.max_pool2d(F.relu(layer(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


# --- By name --------------------------------------------------------------------------------------

FOUR_STAGES = {18: (BasicBlock, (2, 2, 2, 2)), 34: (BasicBlock, (3, 4, 6, 3)),
               50: (Bottleneck, (3, 4, 6, 3)), 101: (Bottleneck, (3, 4, 23, 3)),
               152: (Bottleneck, (3, 8, 36, 3))}
DENSENETS = {121: ((6, 12, 24, 16), 32), 161: ((6, 12, 36, 24), 48), 169: ((6, 12, 32, 32), 32),
             201: ((6, 12, 48, 32), 32)}


class Images(NamedTuple):
    """What a network is for: square images of so many channels, in so many classes."""
    size: int
    channels: int
    classes: int


def network(name, image_size=32, shortcut="B", width=0, classes=10, channels=3):
    """The network of that name. Its width is what Topograd's checkpoints call so; 0: the published
    network's. Raises KeyError or ValueError where there is none."""
    images = Images(image_size, channels, classes)
    kind = "none" if name.endswith("_noshort") else shortcut
    parts = re.fullmatch(r"([a-z]+)([1-9]\d*)?(?:_([1-9]\d*))?", name.removesuffix("_noshort"))
    if not parts:
        raise ValueError(f"no network is called {name}")
    family, *numbers = parts.groups()
    depth, multiple = (int(number) if number else 0 for number in numbers)
    if (multiple > 0) != (family in ("wrn", "densenetbc")):
        raise ValueError(f"{name}: only wrn and densenetbc have a second number")
    if family == "resnet" and depth in FOUR_STAGES:
        block, blocks = FOUR_STAGES[depth]
        return ResNet(block, blocks, width or 64, kind, images)
    if family == "wrn" and depth % 6 == 4:
        return WideResNet(depth, multiple, width or 16, kind, images)
    if family in ("resnet", "wrn"):
        if depth < 8 or depth % 6 != 2:
            raise ValueError(f"no {family} has {depth} layers")
        return ResNet(BasicBlock, ((depth - 2) // 6,) * 3, (width or 16) * (multiple or 1), kind, images)
    if family == "vgg":
        return Vgg(depth, width or 64, images)
    if family == "densenet":
        blocks, growth = DENSENETS[depth]
        return DenseNet(blocks, width or growth, images)
    if family == "densenetbc":
        return DenseNet(((depth - 4) // 6,) * 3, multiple, images)
    if family == "mlp":
        return Mlp(depth or 3, width or 256, images)
    return {"lenet": LeNet}[name](images)
