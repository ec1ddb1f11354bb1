"""Networks of five kinds in PyTorch, in the forms that are usual for images of 32x32, at full width: what `bench --module`
measures beside Topograd. Written from the papers; sizes in brackets are parameters.

    MobileNetV2    Sandler et al., 2018 (2.3 M): inverted residuals, depthwise 3x3
    ShuffleNetV2   Ma et al., 2018, 1x (1.3 M): halves of the channels, shuffled
    ResNeXt29      Xie et al., 2017, 32x4d (4.8 M): convolutions of 32 groups
    EfficientNetB0 Tan and Le, 2019 (4.0 M): depthwise 3x3 and 5x5, squeeze and excitation, SiLU
    ConvNeXt       Liu et al., 2022, femto's widths of Wightman (4.8 M): depthwise 7x7, LayerNorm, GELU

settled(ResNeXt29()) has the sizes of numbers that a trained network has.
"""

import torch
from torch import nn
from torch.nn import functional as F


def settled(module):
    """The module with BatchNorm statistics of noise. With those that they begin with, numbers of a deep network shrink
    from layer to layer, until their products are less than what a processor works on at full speed."""
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the mean over all batches
    module.train()
    with torch.no_grad():
        for seed in range(4):
            module(torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(seed)))
    for norm in norms:
        norm.momentum = 0.1
    return module.eval()


def conv(inputs, outputs, kernel, stride=1, groups=1, activation=None):
    """A convolution, its BatchNorm and what follows."""
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
              nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([activation()] if activation else []))


def classifier(channels, classes=10):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


class Excitation(nn.Module):
    def __init__(self, channels, inner):
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, channels, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.expand(F.silu(self.reduce(x.mean((2, 3), keepdim=True)))))


class InvertedResidual(nn.Module):
    """Wider by 1x1, depthwise, narrower by 1x1; MobileNetV2's, and with an excitation EfficientNet's."""

    def __init__(self, inputs, outputs, expansion, stride, kernel=3, activation=nn.ReLU6, excited=False):
        super().__init__()
        wide = inputs * expansion
        layers = [conv(inputs, wide, 1, activation=activation)] if expansion > 1 else []
        layers.append(conv(wide, wide, kernel, stride, groups=wide, activation=activation))
        if excited:
            layers.append(Excitation(wide, max(1, inputs // 4)))
        self.layers = nn.Sequential(*layers, conv(wide, outputs, 1))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.layers(x) if self.adds else self.layers(x)


def MobileNetV2():
    layers, channels = [conv(3, 32, 3, activation=nn.ReLU6)], 32
    for expansion, outputs, blocks, stride in ((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2),
                                               (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(blocks):
            layers.append(InvertedResidual(channels, outputs, expansion, stride if i == 0 else 1))
            channels = outputs
    return nn.Sequential(*layers, conv(320, 1280, 1, activation=nn.ReLU6), classifier(1280))


class ShuffleUnit(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        half = outputs // 2
        self.stride, own = stride, inputs if stride > 1 else inputs // 2
        self.left = nn.Sequential(conv(own, own, 3, stride, groups=own), conv(own, half, 1, activation=nn.ReLU)) \
            if stride > 1 else nn.Identity()
        self.right = nn.Sequential(conv(own, half, 1, activation=nn.ReLU), conv(half, half, 3, stride, groups=half),
                                   conv(half, half, 1, activation=nn.ReLU))

    def forward(self, x):
        left, right = (x, x) if self.stride > 1 else x.chunk(2, 1)
        y = torch.cat((self.left(left), self.right(right)), 1)
        n, c, h, w = y.shape
        return y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


def ShuffleNetV2():
    layers, channels = [conv(3, 24, 3, activation=nn.ReLU)], 24
    for outputs, blocks in ((116, 4), (232, 8), (464, 4)):
        for i in range(blocks):
            layers.append(ShuffleUnit(channels, outputs, 2 if i == 0 else 1))
            channels = outputs
    return nn.Sequential(*layers, conv(464, 1024, 1, activation=nn.ReLU), classifier(1024))


class Bottleneck(nn.Module):
    def __init__(self, inputs, inner, outputs, stride, groups):
        super().__init__()
        self.layers = nn.Sequential(conv(inputs, inner, 1, activation=nn.ReLU),
                                    conv(inner, inner, 3, stride, groups, activation=nn.ReLU), conv(inner, outputs, 1))
        self.shortcut = conv(inputs, outputs, 1, stride) if inputs != outputs else nn.Identity()

    def forward(self, x):
        return F.relu(self.layers(x) + self.shortcut(x))


def ResNeXt29(groups=32, width=4):
    layers, channels = [conv(3, 64, 3, activation=nn.ReLU)], 64
    for stage in range(3):
        inner = groups * width * 2 ** stage
        for i in range(3):
            layers.append(Bottleneck(channels, inner, 2 * inner, 2 if stage > 0 and i == 0 else 1, groups))
            channels = 2 * inner
    return nn.Sequential(*layers, classifier(channels))


def EfficientNetB0():
    layers, channels = [conv(3, 32, 3, activation=nn.SiLU)], 32
    for expansion, outputs, blocks, kernel, stride in ((1, 16, 1, 3, 1), (6, 24, 2, 3, 2), (6, 40, 2, 5, 2),
                                                       (6, 80, 3, 3, 2), (6, 112, 3, 5, 1), (6, 192, 4, 5, 2),
                                                       (6, 320, 1, 3, 1)):
        for i in range(blocks):
            layers.append(InvertedResidual(channels, outputs, expansion, stride if i == 0 else 1, kernel, nn.SiLU, True))
            channels = outputs
    return nn.Sequential(*layers, conv(320, 1280, 1, activation=nn.SiLU), classifier(1280))


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of an image."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.wide, self.narrow = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x):
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        return x + (self.scale * self.narrow(F.gelu(self.wide(y)))).permute(0, 3, 1, 2)


def ConvNeXt(widths=(48, 96, 192, 384), depths=(2, 2, 6, 2)):
    layers = [nn.Conv2d(3, widths[0], 2, 2), ChannelNorm(widths[0], eps=1e-6)]
    for stage, (width, depth) in enumerate(zip(widths, depths)):
        if stage > 0:
            layers += [ChannelNorm(widths[stage - 1], eps=1e-6), nn.Conv2d(widths[stage - 1], width, 2, 2)]
        layers += [ConvNeXtBlock(width) for _ in range(depth)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(widths[-1], eps=1e-6),
                         nn.Linear(widths[-1], 10))
