"""Networks for small devices."""

import math
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F


class MobileNetV1(nn.Module):
    """Howard et al., 2017, MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications."""

    def __init__(self):
        super().__init__()

        def conv_bn(inp, oup, stride):
            return nn.Sequential(
                nn.Conv2d(inp, oup, 3, stride, 1, bias=False),
                nn.BatchNorm2d(oup),
                nn.ReLU(inplace=True)
            )

        def conv_dw(inp, oup, stride):
            return nn.Sequential(
                nn.Conv2d(inp, inp, 3, stride, 1, groups=inp, bias=False),
                nn.BatchNorm2d(inp),
                nn.ReLU(inplace=True),
                nn.Conv2d(inp, oup, 1, 1, 0, bias=False),
                nn.BatchNorm2d(oup),
                nn.ReLU(inplace=True),
            )

        self.model = nn.Sequential(
            conv_bn(3, 8, 2),
            conv_dw(8, 12, 1),
            conv_dw(12, 16, 2),
            conv_dw(16, 16, 1),
            conv_dw(16, 24, 2),
            nn.AvgPool2d(4),
        )
        self.fc = nn.Linear(24, 10)

    def forward(self, x):
        x = self.model(x)
        x = x.view(-1, 24)
        x = self.fc(x)
        return x


class InvertedResidual(nn.Module):
    def __init__(self, inp, oup, stride, expand_ratio):
        super().__init__()
        self.use_res_connect = stride == 1 and inp == oup
        hidden_dim = int(round(inp * expand_ratio))
        layers = []
        if expand_ratio != 1:
            layers.append(ConvBNReLU(inp, hidden_dim, kernel_size=1))
        layers.extend([ConvBNReLU(hidden_dim, hidden_dim, stride=stride, groups=hidden_dim),
                       nn.Conv2d(hidden_dim, oup, 1, 1, 0, bias=False), nn.BatchNorm2d(oup)])
        self.conv = nn.Sequential(*layers)

    def forward(self, x):
        if self.use_res_connect:
            return x + self.conv(x)
        return self.conv(x)


class ConvBNReLU(nn.Sequential):
    def __init__(self, in_planes, out_planes, kernel_size=3, stride=1, groups=1):
        padding = (kernel_size - 1) // 2
        super().__init__(nn.Conv2d(in_planes, out_planes, kernel_size, stride, padding, groups=groups, bias=False),
                         nn.BatchNorm2d(out_planes), nn.ReLU6(inplace=True))


class MobileNetV2(nn.Module):
    """Sandler et al., 2018, MobileNetV2: Inverted Residuals and Linear Bottlenecks."""

    def __init__(self, num_classes=10):
        super().__init__()
        setting = [  # t, c, n, s
            [1, 4, 1, 1],
            [4, 6, 2, 2],
            [4, 8, 2, 2],
        ]
        input_channel = 8
        features = [ConvBNReLU(3, input_channel, stride=2)]
        for t, c, n, s in setting:
            for i in range(n):
                features.append(InvertedResidual(input_channel, c, s if i == 0 else 1, expand_ratio=t))
                input_channel = c
        features.append(ConvBNReLU(input_channel, 32, kernel_size=1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(32, num_classes))

    def forward(self, x):
        x = self.features(x)
        x = x.mean([2, 3])
        x = self.classifier(x)
        return x


class MobileNetV3(nn.Module):
    """Howard et al., 2019, Searching for MobileNetV3, with its activations written by ReLU6."""

    class HSwish(nn.Module):
        def forward(self, x):
            return x * F.relu6(x + 3, inplace=True) / 6

    class HSigmoid(nn.Module):
        def forward(self, x):
            return F.relu6(x + 3., inplace=True) / 6.

    class SE(nn.Module):
        def __init__(self, in_size, reduction=2):
            super().__init__()
            self.se = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(in_size, in_size // reduction, 1, bias=False),
                                    nn.BatchNorm2d(in_size // reduction), nn.ReLU(inplace=True),
                                    nn.Conv2d(in_size // reduction, in_size, 1, bias=False), nn.BatchNorm2d(in_size),
                                    MobileNetV3.HSigmoid())

        def forward(self, x):
            return x * self.se(x)

    class Block(nn.Module):
        def __init__(self, kernel_size, in_size, expand_size, out_size, nolinear, se, stride):
            super().__init__()
            self.stride = stride
            self.se = se
            self.conv1, self.bn1 = nn.Conv2d(in_size, expand_size, 1, bias=False), nn.BatchNorm2d(expand_size)
            self.nolinear1 = nolinear
            self.conv2 = nn.Conv2d(expand_size, expand_size, kernel_size, stride, kernel_size // 2, groups=expand_size,
                                   bias=False)
            self.bn2, self.nolinear2 = nn.BatchNorm2d(expand_size), nolinear
            self.conv3, self.bn3 = nn.Conv2d(expand_size, out_size, 1, bias=False), nn.BatchNorm2d(out_size)
            self.shortcut = nn.Sequential()
            if stride == 1 and in_size != out_size:
                self.shortcut = nn.Sequential(nn.Conv2d(in_size, out_size, 1, bias=False), nn.BatchNorm2d(out_size))

        def forward(self, x):
            out = self.nolinear1(self.bn1(self.conv1(x)))
            out = self.nolinear2(self.bn2(self.conv2(out)))
            out = self.bn3(self.conv3(out))
            if self.se != None:  # noqa: E711
                out = self.se(out)
            out = out + self.shortcut(x) if self.stride == 1 else out
            return out

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1, self.hs1 = nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), self.HSwish()
        self.bneck = nn.Sequential(
            self.Block(3, 8, 8, 8, nn.ReLU(inplace=True), self.SE(8), 2),
            self.Block(3, 8, 16, 12, nn.ReLU(inplace=True), None, 1),
            self.Block(5, 12, 24, 12, self.HSwish(), self.SE(12), 1),
            self.Block(5, 12, 24, 16, self.HSwish(), self.SE(16), 2))
        self.conv2, self.bn2, self.hs2 = nn.Conv2d(16, 32, 1, bias=False), nn.BatchNorm2d(32), self.HSwish()
        self.linear3, self.bn3, self.hs3 = nn.Linear(32, 24), nn.BatchNorm1d(24), self.HSwish()
        self.linear4 = nn.Linear(24, 10)

    def forward(self, x):
        out = self.hs1(self.bn1(self.conv1(x)))
        out = self.bneck(out)
        out = self.hs2(self.bn2(self.conv2(out)))
        out = F.avg_pool2d(out, 4)
        out = out.view(out.size(0), -1)
        out = self.hs3(self.bn3(self.linear3(out)))
        return self.linear4(out)


class MobileNetV3Hard(nn.Module):
    """The same paper, with nn.Hardswish and nn.Hardsigmoid and BatchNorms of other constants, as torchvision writes
    it."""

    class SqueezeExcitation(nn.Module):
        def __init__(self, input_channels, squeeze_channels):
            super().__init__()
            self.avgpool = nn.AdaptiveAvgPool2d(1)
            self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
            self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
            self.activation, self.scale_activation = nn.ReLU(), nn.Hardsigmoid()

        def _scale(self, input):
            scale = self.avgpool(input)
            scale = self.fc1(scale)
            scale = self.activation(scale)
            scale = self.fc2(scale)
            return self.scale_activation(scale)

        def forward(self, input):
            scale = self._scale(input)
            return scale * input

    @staticmethod
    def unit(inputs, outputs, kernel=3, stride=1, groups=1, activation=nn.Hardswish, dilation=1):
        norm_layer = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
        padding = (kernel - 1) // 2 * dilation
        layers = [nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias=False),
                  norm_layer(outputs)]
        if activation is not None:
            layers.append(activation(inplace=True))
        return nn.Sequential(*layers)

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            self.unit(3, 8, stride=2),
            nn.Sequential(self.unit(8, 8, 3, 2, 8, nn.ReLU), self.SqueezeExcitation(8, 8),
                          self.unit(8, 8, 1, activation=None)),
            nn.Sequential(self.unit(8, 24, 1), self.unit(24, 24, 5, 1, 24, dilation=2), self.SqueezeExcitation(24, 8),
                          self.unit(24, 12, 1, activation=None)),
            self.unit(12, 32, 1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Linear(32, 24), nn.Hardswish(inplace=True), nn.Dropout(p=0.2, inplace=True),
                                        nn.Linear(24, 10))

    def forward(self, x):
        x = self.features(x)
        x = self.avgpool(x)
        x = torch.flatten(x, 1)
        return self.classifier(x)


class ShuffleNetV1(nn.Module):
    """Zhang et al., 2018, ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices."""

    class ShuffleBlock(nn.Module):
        def __init__(self, groups):
            super().__init__()
            self.groups = groups

        def forward(self, x):
            """Channel shuffle: [N,C,H,W] -> [N,g,C/g,H,W] -> [N,C/g,g,H,w] -> [N,C,H,W]"""
            N, C, H, W = x.size()
            g = self.groups
            return x.view(N, g, C // g, H, W).permute(0, 2, 1, 3, 4).reshape(N, C, H, W)

    class Bottleneck(nn.Module):
        def __init__(self, in_planes, out_planes, stride, groups):
            super().__init__()
            self.stride = stride
            mid_planes = out_planes // 4
            g = 1 if in_planes == 12 else groups
            self.conv1 = nn.Conv2d(in_planes, mid_planes, kernel_size=1, groups=g, bias=False)
            self.bn1 = nn.BatchNorm2d(mid_planes)
            self.shuffle1 = ShuffleNetV1.ShuffleBlock(groups=g)
            self.conv2 = nn.Conv2d(mid_planes, mid_planes, 3, stride=stride, padding=1, groups=mid_planes, bias=False)
            self.bn2 = nn.BatchNorm2d(mid_planes)
            self.conv3 = nn.Conv2d(mid_planes, out_planes, kernel_size=1, groups=groups, bias=False)
            self.bn3 = nn.BatchNorm2d(out_planes)
            self.shortcut = nn.Sequential()
            if stride == 2:
                self.shortcut = nn.Sequential(nn.AvgPool2d(3, stride=2, padding=1))

        def forward(self, x):
            out = F.relu(self.bn1(self.conv1(x)))
            out = self.shuffle1(out)
            out = F.relu(self.bn2(self.conv2(out)))
            out = self.bn3(self.conv3(out))
            res = self.shortcut(x)
            return F.relu(torch.cat([out, res], 1)) if self.stride == 2 else F.relu(out + res)

    def __init__(self, groups=3):
        super().__init__()
        self.in_planes = 12
        self.conv1 = nn.Conv2d(3, 12, kernel_size=3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(12)
        self.layer1 = self._make_layer(24, 2, groups)
        self.layer2 = self._make_layer(48, 2, groups)
        self.linear = nn.Linear(48, 10)

    def _make_layer(self, out_planes, num_blocks, groups):
        layers = []
        for i in range(num_blocks):
            stride = 2 if i == 0 else 1
            cat_planes = self.in_planes if i == 0 else 0
            layers.append(self.Bottleneck(self.in_planes, out_planes - cat_planes, stride=stride, groups=groups))
            self.in_planes = out_planes
        return nn.Sequential(*layers)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.layer1(out)
        out = self.layer2(out)
        out = F.avg_pool2d(out, 4)
        out = out.view(out.size(0), -1)
        return self.linear(out)


def channel_shuffle(x, groups):
    batchsize, num_channels, height, width = x.size()
    channels_per_group = num_channels // groups
    x = x.view(batchsize, groups, channels_per_group, height, width)
    x = torch.transpose(x, 1, 2).contiguous()
    x = x.view(batchsize, -1, height, width)
    return x


class ShuffleNetV2(nn.Module):
    """Ma et al., 2018, ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design; half of the channels
    pass each block as they are."""

    class Block(nn.Module):
        def __init__(self, inp, oup, stride):
            super().__init__()
            self.stride = stride
            half = oup // 2
            self.branch1 = nn.Sequential()
            if stride > 1:
                self.branch1 = nn.Sequential(self.depthwise_conv(inp, inp, 3, stride, 1), nn.BatchNorm2d(inp),
                                             nn.Conv2d(inp, half, 1, bias=False), nn.BatchNorm2d(half),
                                             nn.ReLU(inplace=True))
            first = inp if stride > 1 else half
            self.branch2 = nn.Sequential(
                nn.Conv2d(first, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(inplace=True),
                self.depthwise_conv(half, half, 3, stride, 1), nn.BatchNorm2d(half),
                nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(inplace=True))

        @staticmethod
        def depthwise_conv(i, o, kernel_size, stride=1, padding=0, bias=False):
            return nn.Conv2d(i, o, kernel_size, stride, padding, bias=bias, groups=i)

        def forward(self, x):
            if self.stride == 1:
                x1, x2 = x.chunk(2, dim=1)
                out = torch.cat((x1, self.branch2(x2)), dim=1)
            else:
                out = torch.cat((self.branch1(x), self.branch2(x)), dim=1)
            return channel_shuffle(out, 2)

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for i, (inputs, outputs) in enumerate(((8, 16), (16, 24))):
            stage = nn.Sequential(self.Block(inputs, outputs, 2), self.Block(outputs, outputs, 1))
            setattr(self, f"stage{i + 2}", stage)
        self.conv5 = nn.Sequential(nn.Conv2d(24, 32, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(inplace=True))
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        x = self.maxpool(self.conv1(x))
        x = self.stage3(self.stage2(x))
        x = self.conv5(x)
        x = x.mean([2, 3])  # globalpool
        return self.fc(x)


class ShuffleNetV2Split(nn.Module):
    """The same paper, with channels split by slices of a ratio and every second one taken by a stride."""

    class Block(nn.Module):
        def __init__(self, channels, ratio=0.5):
            super().__init__()
            self.split = int(channels * ratio)
            rest = channels - self.split
            self.conv1, self.bn1 = nn.Conv2d(rest, rest, 1, bias=False), nn.BatchNorm2d(rest)
            self.conv2, self.bn2 = nn.Conv2d(rest, rest, 3, 1, 1, groups=rest, bias=False), nn.BatchNorm2d(rest)
            self.conv3, self.bn3 = nn.Conv2d(rest, rest, 1, bias=False), nn.BatchNorm2d(rest)

        def forward(self, x):
            x1, x2 = x[:, :self.split], x[:, self.split:]
            out = F.relu(self.bn1(self.conv1(x2)))
            out = self.bn2(self.conv2(out))
            out = F.relu(self.bn3(self.conv3(out)))
            out = torch.cat([x1, out], 1)
            return torch.cat([out[:, ::2], out[:, 1::2]], 1)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 3, 4, 1)
        self.blocks = nn.Sequential(self.Block(12), self.Block(12, 0.25))
        self.linear = nn.Linear(12, 10)

    def forward(self, x):
        out = self.blocks(F.relu_(self.conv(x)))
        return self.linear(out.mean(3).mean(2))


class GhostNet(nn.Module):
    """Han et al., 2020, GhostNet: More Features from Cheap Operations; surplus channels are cut off."""

    class GhostModule(nn.Module):
        def __init__(self, inp, oup, ratio=2, dw_size=3, relu=True):
            super().__init__()
            self.oup = oup
            init_channels = math.ceil(oup / ratio)
            new_channels = init_channels * (ratio - 1)
            self.primary_conv = nn.Sequential(
                nn.Conv2d(inp, init_channels, 1, bias=False), nn.BatchNorm2d(init_channels),
                nn.ReLU(inplace=True) if relu else nn.Sequential())
            self.cheap_operation = nn.Sequential(
                nn.Conv2d(init_channels, new_channels, dw_size, 1, dw_size // 2, groups=init_channels, bias=False),
                nn.BatchNorm2d(new_channels), nn.ReLU(inplace=True) if relu else nn.Sequential())

        def forward(self, x):
            x1 = self.primary_conv(x)
            x2 = self.cheap_operation(x1)
            out = torch.cat([x1, x2], dim=1)
            return out[:, :self.oup, :, :]

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 10, 3, 2, 1, bias=False), nn.BatchNorm2d(10), nn.ReLU(inplace=True))
        self.ghost1 = self.GhostModule(10, 23)
        self.ghost2 = self.GhostModule(23, 10, relu=False)
        self.head = nn.Conv2d(10, 10, 1)

    def forward(self, x):
        x = F.max_pool2d(self.stem(x), 2)
        x = x + self.ghost2(self.ghost1(x))
        x = self.head(F.adaptive_avg_pool2d(x, (1, 1)))
        return x.view(x.size(0), -1)
