"""Residual networks, and what is made of their blocks."""

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F


def conv3x3(in_planes, out_planes, stride=1):
    return nn.Conv2d(in_planes, out_planes, kernel_size=3, stride=stride, padding=1, bias=False)


class LambdaLayer(nn.Module):
    def __init__(self, lambd):
        super().__init__()
        self.lambd = lambd

    def forward(self, x):
        return self.lambd(x)


class WideResNet(nn.Module):
    """Zagoruyko and Komodakis, 2016, Wide Residual Networks; with He et al.'s shortcut of option A, as a
    lambda that takes every second pixel and pads channels."""

    class Block(nn.Module):
        def __init__(self, in_planes, planes, stride, dropout=0.3):
            super().__init__()
            self.bn1 = nn.BatchNorm2d(in_planes)
            self.conv1 = conv3x3(in_planes, planes, stride)
            self.bn2 = nn.BatchNorm2d(planes)
            self.conv2 = conv3x3(planes, planes)
            self.droprate = dropout
            self.shortcut = nn.Sequential()
            if stride != 1 or in_planes != planes:
                more = planes - in_planes
                pads = (0, 0, 0, 0, more // 2, more - more // 2)
                self.shortcut = LambdaLayer(lambda x: F.pad(x[:, :, ::stride, ::stride], pads, "constant", 0))

        def forward(self, x):
            out = self.conv1(F.relu(self.bn1(x)))
            out = F.dropout(out, p=self.droprate, training=self.training)
            out = self.conv2(F.relu(self.bn2(out)))
            return out + self.shortcut(x)

    def __init__(self, widen=2):
        super().__init__()
        widths = [4] + [w * widen for w in (4, 6, 8)]
        self.conv1 = conv3x3(3, 4)
        self.layers = nn.Sequential(*[self.Block(a, b, stride) for a, b, stride in zip(widths, widths[1:], (2, 2, 2))])
        self.bn = nn.BatchNorm2d(widths[-1])
        self.fc = nn.Linear(widths[-1], 10)

    def forward(self, x):
        out = self.layers(self.conv1(x))
        out = F.relu(self.bn(out), inplace=True)
        out = F.avg_pool2d(out, out.size()[3])
        out = out.view(out.size(0), -1)
        return self.fc(out)


class BasicBlock(nn.Module):
    """He et al., 2016, with any normalisation, and with what drops the residual."""

    expansion = 1

    def __init__(self, inplanes, planes, stride=1, norm_layer=nn.BatchNorm2d, drop=None):
        super().__init__()
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm_layer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm_layer(planes)
        self.drop = drop
        self.downsample = None
        if stride != 1 or inplanes != planes:
            self.downsample = nn.Sequential(nn.Conv2d(inplanes, planes, 1, stride, bias=False), norm_layer(planes))

    def forward(self, x):
        identity = x
        out = self.conv1(x)
        out = self.bn1(out)
        out = self.relu(out)
        out = self.conv2(out)
        out = self.bn2(out)
        if self.drop is not None:
            out = self.drop(out)
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        out = self.relu(out)
        return out


class Bottleneck(nn.Module):
    """He et al., 2016, with grouped convolutions (Xie et al., 2017) and an average pool in the shortcut (He et al.,
    2019, Bag of Tricks, "D")."""

    expansion = 2

    def __init__(self, inplanes, planes, stride=1, norm_layer=nn.BatchNorm2d, groups=1, avg_down=False):
        super().__init__()
        out = planes * self.expansion
        self.conv1, self.bn1 = nn.Conv2d(inplanes, planes, 1, bias=False), norm_layer(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, 1, groups=groups, bias=False)
        self.bn2 = norm_layer(planes)
        self.conv3, self.bn3 = nn.Conv2d(planes, out, 1, bias=False), norm_layer(out)
        self.relu = nn.ReLU(inplace=True)
        if stride == 1 and inplanes == out:
            self.downsample = None
        elif avg_down:
            pool = nn.Identity() if stride == 1 else nn.AvgPool2d(2, stride, ceil_mode=True, count_include_pad=False)
            self.downsample = nn.Sequential(pool, nn.Conv2d(inplanes, out, 1, bias=False), norm_layer(out))
        else:
            self.downsample = nn.Sequential(nn.Conv2d(inplanes, out, 1, stride, bias=False), norm_layer(out))

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        identity = x if self.downsample is None else self.downsample(x)
        return self.relu(out.add_(identity))


class ResNet(nn.Module):
    """He et al., 2016, Deep Residual Learning for Image Recognition, as torchvision writes it."""

    def __init__(self, block, layers, widths=(8, 12, 16), num_classes=10, norm_layer=nn.BatchNorm2d, deep_stem=False,
                 **options):
        super().__init__()
        self.inplanes = widths[0]
        if deep_stem:
            self.conv1 = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1, bias=False), norm_layer(4), nn.ReLU(inplace=True),
                                       nn.Conv2d(4, 8, 3, 1, 1, bias=False))
        else:
            self.conv1 = nn.Conv2d(3, self.inplanes, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = norm_layer(self.inplanes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=1, padding=1)
        self.layer1 = self._make_layer(block, widths[0], layers[0], 1, norm_layer, options)
        self.layer2 = self._make_layer(block, widths[1], layers[1], 2, norm_layer, options)
        self.layer3 = self._make_layer(block, widths[2], layers[2], 2, norm_layer, options)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(widths[2] * block.expansion, num_classes)

    def _make_layer(self, block, planes, blocks, stride, norm_layer, options):
        layers = [block(self.inplanes, planes, stride, norm_layer=norm_layer, **options)]
        self.inplanes = planes * block.expansion
        for _ in range(1, blocks):
            layers.append(block(self.inplanes, planes, norm_layer=norm_layer, **options))
        return nn.Sequential(*layers)

    def _forward_impl(self, x):
        x = self.conv1(x)
        x = self.bn1(x)
        x = self.relu(x)
        x = self.maxpool(x)
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.avgpool(x)
        x = torch.flatten(x, 1)
        x = self.fc(x)
        return x

    def forward(self, x):
        return self._forward_impl(x)


def resnet():
    return ResNet(BasicBlock, [1, 1, 2])


def resnet_d():
    return ResNet(Bottleneck, [1, 1, 1], (8, 8, 10), deep_stem=True, avg_down=True)


def resnext():
    """Xie et al., 2017, Aggregated Residual Transformations for Deep Neural Networks."""
    return ResNet(Bottleneck, [1, 1, 1], (8, 12, 16), groups=4)


def resnet_group_norm():
    """Wu and He, 2018, Group Normalization."""
    return ResNet(BasicBlock, [1, 1, 1], norm_layer=partial(nn.GroupNorm, 4))


def resnet_instance_norm():
    """Ulyanov et al., 2016, Instance Normalization, with weights and without."""
    net = ResNet(BasicBlock, [1, 1, 1], norm_layer=partial(nn.InstanceNorm2d, affine=True))
    net.bn1 = nn.InstanceNorm2d(8)
    return net


def resnet_grey():
    """A ResNet for images of one channel, whose first layer was put in place of another."""
    net = ResNet(BasicBlock, [1, 1, 1], (6, 8, 12))
    net.conv1 = nn.Conv2d(1, 6, 3, 1, 1, bias=False)
    net.maxpool = nn.MaxPool2d(2)
    return net


class StochasticDepth(nn.Module):
    """Huang et al., 2016, Deep Networks with Stochastic Depth, as torchvision's class."""

    def __init__(self, p, mode):
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, input):
        return self.stochastic_depth(input, self.p, self.mode, self.training)

    @staticmethod
    def stochastic_depth(input, p, mode, training=True):
        if p < 0.0 or p > 1.0:
            raise ValueError(f"drop probability has to be between 0 and 1, but got {p}")
        if not training or p == 0.0:
            return input
        survival_rate = 1.0 - p
        size = [input.shape[0]] + [1] * (input.ndim - 1) if mode == "row" else [1] * input.ndim
        noise = torch.empty(size, dtype=input.dtype, device=input.device).bernoulli_(survival_rate)
        if survival_rate > 0.0:
            noise.div_(survival_rate)
        return input * noise


def drop_path(x, drop_prob=0., training=False, scale_by_keep=True):
    if drop_prob == 0. or not training:
        return x
    keep_prob = 1 - drop_prob
    shape = (x.shape[0],) + (1,) * (x.ndim - 1)
    random_tensor = x.new_empty(shape).bernoulli_(keep_prob)
    if keep_prob > 0.0 and scale_by_keep:
        random_tensor.div_(keep_prob)
    return x * random_tensor


class DropPath(nn.Module):
    """The same as timm's class."""

    def __init__(self, drop_prob=0., scale_by_keep=True):
        super(DropPath, self).__init__()
        self.drop_prob = drop_prob
        self.scale_by_keep = scale_by_keep

    def forward(self, x):
        return drop_path(x, self.drop_prob, self.training, self.scale_by_keep)


def stochastic_depth_resnet():
    """Huang et al., 2016: every residual is dropped with a probability that grows with depth."""
    net = ResNet(BasicBlock, [1, 2, 1])
    blocks = [m for m in net.modules() if isinstance(m, BasicBlock)]
    for rate, block in zip(torch.linspace(0, 0.3, len(blocks)).tolist(), blocks):
        block.drop = DropPath(rate) if rate > 0 else nn.Identity()
    return net


class PreActBlock(nn.Module):
    """Pre-activation version of the BasicBlock."""

    def __init__(self, in_planes, planes, stride=1):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_planes)
        self.conv1 = conv3x3(in_planes, planes, stride)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv2 = conv3x3(planes, planes)
        if stride != 1 or in_planes != planes:
            self.shortcut = nn.Sequential(nn.Conv2d(in_planes, planes, kernel_size=1, stride=stride, bias=False))

    def forward(self, x):
        out = F.relu(self.bn1(x))
        shortcut = self.shortcut(out) if hasattr(self, "shortcut") else x
        out = self.conv1(out)
        out = self.conv2(F.relu(self.bn2(out)))
        out += shortcut
        return out


class PreActResNet(nn.Module):
    """He et al., 2016, Identity Mappings in Deep Residual Networks."""

    def __init__(self, num_blocks=(1, 2, 1), num_classes=10):
        super(PreActResNet, self).__init__()
        self.conv1 = nn.Conv2d(3, 8, kernel_size=3, stride=2, padding=1, bias=False)
        blocks, in_planes = [], 8
        for planes, count, first in zip((8, 12, 16), num_blocks, (1, 2, 2)):
            for stride in [first] + [1] * (count - 1):
                blocks.append(PreActBlock(in_planes, planes, stride))
                in_planes = planes
        self.layers = nn.Sequential(*blocks)
        self.linear = nn.Linear(16, num_classes)

    def forward(self, x):
        out = self.layers(self.conv1(x))
        out = F.avg_pool2d(out, 4)
        out = out.view(out.size(0), -1)
        out = self.linear(out)
        return out


class SELayer(nn.Module):
    def __init__(self, channel, reduction=4):
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(nn.Linear(channel, channel // reduction, bias=False), nn.ReLU(inplace=True),
                                nn.Linear(channel // reduction, channel, bias=False), nn.Sigmoid())

    def forward(self, x):
        b, c, _, _ = x.size()
        y = self.avg_pool(x).view(b, c)
        y = self.fc(y).view(b, c, 1, 1)
        return x * y.expand_as(x)


class SEResNet(nn.Module):
    """Hu et al., 2018, Squeeze-and-Excitation Networks."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(conv3x3(3, 8, 2), nn.BatchNorm2d(8), nn.ReLU())
        self.blocks = nn.ModuleList()
        for inputs, outputs, stride in ((8, 8, 1), (8, 16, 2), (16, 16, 1)):
            shortcut = None
            if stride > 1:
                shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            residual = nn.Sequential(conv3x3(inputs, outputs, stride), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
                                     conv3x3(outputs, outputs), nn.BatchNorm2d(outputs), SELayer(outputs))
            self.blocks.append(nn.ModuleDict({"residual": residual, "shortcut": shortcut or nn.Identity()}))
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = torch.relu(block["residual"](x) + block["shortcut"](x))
        return self.head(x.mean([2, 3]))


class PyramidNet(nn.Module):
    """Han et al., 2017, Deep Pyramidal Residual Networks: widths grow by every block, and shortcuts by zeros that are
    concatenated."""

    class Block(nn.Module):
        def __init__(self, inplanes, planes, stride=1):
            super().__init__()
            self.bn1 = nn.BatchNorm2d(inplanes)
            self.conv1 = conv3x3(inplanes, planes, stride)
            self.bn2 = nn.BatchNorm2d(planes)
            self.conv2 = conv3x3(planes, planes)
            self.bn3 = nn.BatchNorm2d(planes)
            self.relu = nn.ReLU(inplace=True)
            self.downsample = nn.AvgPool2d((2, 2), stride=(2, 2), ceil_mode=True) if stride == 2 else None

        def forward(self, x):
            out = self.conv1(self.bn1(x))
            out = self.conv2(self.relu(self.bn2(out)))
            out = self.bn3(out)
            shortcut = x if self.downsample is None else self.downsample(x)
            featuremap_size = shortcut.size()[2:4]
            batch_size, residual_channel = out.size()[:2]
            shortcut_channel = shortcut.size()[1]
            if residual_channel != shortcut_channel:
                padding = torch.zeros(batch_size, residual_channel - shortcut_channel, featuremap_size[0],
                                      featuremap_size[1], dtype=x.dtype, device=x.device)
                out += torch.cat((shortcut, padding), 1)
            else:
                out += shortcut
            return out

    def __init__(self, alpha=9, depth=3):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(3, 6, 2), nn.BatchNorm2d(6)
        width, blocks = 6.0, []
        for i in range(depth):
            planes = int(round(width + alpha / depth))
            blocks.append(self.Block(int(round(width)), planes, 1 + (i > 0)))
            width += alpha / depth
        self.blocks = nn.Sequential(*blocks)
        self.bn_final = nn.BatchNorm2d(int(round(width)))
        self.fc = nn.Linear(int(round(width)), 10)

    def forward(self, x):
        x = self.blocks(self.bn1(self.conv1(x)))
        x = F.relu_(self.bn_final(x))
        return self.fc(F.avg_pool2d(x, x.shape[2:]).view(x.shape[0], -1))


class Res2Net(nn.Module):
    """Gao et al., 2019, Res2Net: A New Multi-scale Backbone Architecture: groups that hand on to the next."""

    class Block(nn.Module):
        def __init__(self, channels, width, scale=4):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(channels, width * scale, 1, bias=False), nn.BatchNorm2d(width * scale)
            self.nums, self.width = scale - 1, width
            self.convs = nn.ModuleList([conv3x3(width, width) for _ in range(self.nums)])
            self.bns = nn.ModuleList([nn.BatchNorm2d(width) for _ in range(self.nums)])
            self.conv3, self.bn3 = nn.Conv2d(width * scale, channels, 1, bias=False), nn.BatchNorm2d(channels)

        def forward(self, x):
            residual = x
            out = F.relu(self.bn1(self.conv1(x)))
            spx = torch.split(out, self.width, 1)
            sp = spx[0]
            for i in range(self.nums):
                sp = sp if i == 0 else sp + spx[i]
                sp = F.relu(self.bns[i](self.convs[i](sp)))
                out = sp if i == 0 else torch.cat((out, sp), 1)
            out = torch.cat((out, spx[self.nums]), 1)
            out = self.bn3(self.conv3(out))
            out += residual
            return F.relu(out)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 3, 2, 1)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.blocks = nn.Sequential(self.Block(12, 4), self.Block(12, 3))
        self.fc = nn.Linear(12, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv(x)))
        return self.fc(self.blocks(x).flatten(2).mean(-1))


class RecurrentResNet(nn.Module):
    """Liao and Poggio, 2016, Bridging the Gaps Between Residual Learning, Recurrent Neural Networks and Visual
    Cortex: one convolution runs several times, each time with a BatchNorm of that time."""

    def __init__(self, times=3):
        super().__init__()
        self.stem = nn.Conv2d(3, 10, 3, stride=2, padding=1)
        self.conv = nn.Conv2d(10, 10, 3, padding=1)
        self.bns = nn.ModuleList(nn.BatchNorm2d(10) for _ in range(times))
        self.fc = nn.Linear(10, 10)

    def forward(self, x):
        state = x = self.stem(x)
        for bn in self.bns:
            state = bn(self.conv(state.relu())) + x
        return self.fc(self.fc(F.adaptive_avg_pool2d(state, (1, 1)).flatten(1)).tanh())
