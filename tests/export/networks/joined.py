"""Networks that join what several layers made, by more than a sum: dual paths, trees, dense blocks,
branches, attention."""

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F

from networks.residual import BasicBlock, conv3x3


class DPN(nn.Module):
    """Chen et al., 2017, Dual Path Networks: some channels are added, some concatenated."""

    class Bottleneck(nn.Module):
        def __init__(self, last_planes, in_planes, out_planes, dense_depth, stride, first_layer):
            super().__init__()
            self.out_planes = out_planes
            self.conv1 = nn.Conv2d(last_planes, in_planes, kernel_size=1, bias=False)
            self.bn1 = nn.BatchNorm2d(in_planes)
            self.conv2 = nn.Conv2d(in_planes, in_planes, kernel_size=3, stride=stride, padding=1, groups=4, bias=False)
            self.bn2 = nn.BatchNorm2d(in_planes)
            self.conv3 = nn.Conv2d(in_planes, out_planes + dense_depth, kernel_size=1, bias=False)
            self.bn3 = nn.BatchNorm2d(out_planes + dense_depth)
            self.shortcut = nn.Sequential()
            if first_layer:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(last_planes, out_planes + dense_depth, kernel_size=1, stride=stride, bias=False),
                    nn.BatchNorm2d(out_planes + dense_depth))

        def forward(self, x):
            out = F.relu(self.bn1(self.conv1(x)))
            out = F.relu(self.bn2(self.conv2(out)))
            out = self.bn3(self.conv3(out))
            x = self.shortcut(x)
            d = self.out_planes
            out = torch.cat([x[:, :d, :, :] + out[:, :d, :, :], x[:, d:, :, :], out[:, d:, :, :]], 1)
            return F.relu(out)

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, kernel_size=3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        last, layers = 8, []
        for in_planes, out_planes, dense_depth, stride in ((8, 10, 2, 1), (12, 14, 3, 2)):
            for first in (True, False):
                layers.append(self.Bottleneck(last, in_planes, out_planes, dense_depth, stride if first else 1, first))
                last = out_planes + (2 if first else 3) * dense_depth
        self.layers = nn.Sequential(*layers)
        self.linear = nn.Linear(last, 10)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.layers(out)
        out = F.avg_pool2d(out, 8)
        out = out.view(out.size(0), -1)
        return self.linear(out)


class Root(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, xs):
        return F.relu(self.bn(self.conv(torch.cat(xs, 1))))


class Tree(nn.Module):
    """What hierarchical deep aggregation of a level computes; subtrees are attributes named by numbers."""

    def __init__(self, inputs, outputs, level=1, stride=1):
        super().__init__()
        self.level = level
        self.root = Root((2 if level == 1 else level + 2) * outputs, outputs)
        if level > 1:
            for i in reversed(range(1, level)):
                setattr(self, "level_%d" % i, Tree(inputs, outputs, i, stride))
            self.prev_root = BasicBlock(inputs, outputs, stride)
            inputs, stride = outputs, 1
        self.left_node = BasicBlock(inputs, outputs, stride)
        self.right_node = BasicBlock(outputs, outputs)

    def forward(self, x):
        xs = [self.prev_root(x)] if self.level > 1 else []
        for i in reversed(range(1, self.level)):
            x = getattr(self, "level_%d" % i)(x)
            xs.append(x)
        for node in (self.left_node, self.right_node):
            x = node(x)
            xs.append(x)
        return self.root(xs)


class DLA(nn.Module):
    """Yu et al., 2018, Deep Layer Aggregation."""

    def __init__(self):
        super().__init__()
        self.base = nn.Sequential(conv3x3(3, 6, 2), nn.BatchNorm2d(6), nn.ReLU(True))
        self.layer3 = Tree(6, 8, level=1, stride=2)
        self.layer4 = Tree(8, 10, level=2, stride=2)
        self.linear = nn.Linear(10, 10)

    def forward(self, x):
        out = self.layer4(self.layer3(self.base(x)))
        out = F.avg_pool2d(out, 4)
        return self.linear(out.view(out.size(0), -1))


class DenseNet(nn.Module):
    """Huang et al., 2017, Densely Connected Convolutional Networks, with bottlenecks and compression."""

    class Layer(nn.Module):
        def __init__(self, inputs, growth):
            super().__init__()
            self.norm1 = nn.BatchNorm2d(inputs)
            self.relu1 = nn.ReLU(inplace=True)
            self.conv1 = nn.Conv2d(inputs, 2 * growth, kernel_size=1, stride=1, bias=False)
            self.norm2 = nn.BatchNorm2d(2 * growth)
            self.relu2 = nn.ReLU(inplace=True)
            self.conv2 = conv3x3(2 * growth, growth)

        def forward(self, *features):
            bottleneck = self.conv1(self.relu1(self.norm1(torch.cat(features, 1))))
            return self.conv2(self.relu2(self.norm2(bottleneck)))

    class Block(nn.ModuleDict):
        def __init__(self, count, inputs, growth):
            super().__init__()
            for i in range(count):
                self.add_module("denselayer%d" % (i + 1), DenseNet.Layer(inputs + i * growth, growth))

        def forward(self, init_features):
            features = [init_features]
            for name, layer in self.items():
                features.append(layer(*features))
            return torch.cat(features, 1)

    def __init__(self, growth=4, blocks=(2, 2, 2), width=8):
        super().__init__()
        self.features = nn.Sequential(OrderedDict([("conv0", nn.Conv2d(3, width, 3, 2, 1, bias=False))]))
        for i, count in enumerate(blocks):
            self.features.add_module("denseblock%d" % (i + 1), self.Block(count, width, growth))
            width += count * growth
            if i + 1 < len(blocks):
                self.features.add_module("transition%d" % (i + 1), nn.Sequential(OrderedDict([
                    ("norm", nn.BatchNorm2d(width)), ("relu", nn.ReLU(inplace=True)),
                    ("conv", nn.Conv2d(width, width // 2, 1, bias=False)), ("pool", nn.AvgPool2d(2, 2))])))
                width //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(width))
        self.classifier = nn.Linear(width, 10)

    def forward(self, x):
        features = self.features(x)
        out = F.relu(features, inplace=True)
        out = F.adaptive_avg_pool2d(out, (1, 1))
        out = torch.flatten(out, 1)
        return self.classifier(out)


class RepVGG(nn.Module):
    """Ding et al., 2021, RepVGG: Making VGG-style ConvNets Great Again, in its form for training: three branches
    are added."""

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride=1):
            super().__init__()
            self.rbr_identity = nn.BatchNorm2d(inputs) if outputs == inputs and stride == 1 else None
            self.rbr_dense = nn.Sequential(conv3x3(inputs, outputs, stride), nn.BatchNorm2d(outputs))
            self.rbr_1x1 = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, 0, bias=False), nn.BatchNorm2d(outputs))

        def forward(self, inputs):
            id_out = 0 if self.rbr_identity is None else self.rbr_identity(inputs)
            return F.relu(self.rbr_dense(inputs) + self.rbr_1x1(inputs) + id_out)

    def __init__(self):
        super().__init__()
        self.stages = nn.Sequential(self.Block(3, 8, 2), self.Block(8, 8), self.Block(8, 12, 2), self.Block(12, 12))
        self.gap = nn.AdaptiveAvgPool2d(output_size=1)
        self.linear = nn.Linear(12, 10)

    def forward(self, x):
        out = self.gap(self.stages(x))
        return self.linear(out.view(out.size(0), -1))


class CBAMNet(nn.Module):
    """Woo et al., 2018, CBAM: Convolutional Block Attention Module, with the average for both of its attentions and one
    perceptron for two pools."""

    class ChannelGate(nn.Module):
        def __init__(self, channels, reduction=4):
            super().__init__()
            self.mlp = nn.Sequential(nn.Flatten(), nn.Linear(channels, channels // reduction), nn.ReLU(),
                                     nn.Linear(channels // reduction, channels))

        def forward(self, x):
            channel_att_sum = None
            for pool in (F.avg_pool2d, F.max_pool2d):
                pooled = pool(x, (x.size(2), x.size(3)), stride=(x.size(2), x.size(3)))
                att = self.mlp(pooled)
                channel_att_sum = att if channel_att_sum is None else channel_att_sum + att
            scale = torch.sigmoid(channel_att_sum).unsqueeze(2).unsqueeze(3).expand_as(x)
            return x * scale

    class SpatialGate(nn.Module):
        def __init__(self, kernel_size=5):
            super().__init__()
            self.conv = nn.Conv2d(1, 1, kernel_size, padding=(kernel_size - 1) // 2)

        def forward(self, x):
            return x * torch.sigmoid(self.conv(torch.mean(x, 1).unsqueeze(1)))

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU(True))
        self.conv = nn.Sequential(conv3x3(12, 12, 2), nn.BatchNorm2d(12))
        self.down = nn.Conv2d(12, 12, 1, 2)
        self.channel_gate = self.ChannelGate(12)
        self.spatial_gate = self.SpatialGate()
        self.fc = nn.Linear(12, 10)

    def forward(self, x):
        x = self.stem(x)
        out = self.spatial_gate(self.channel_gate(self.conv(x)))
        return self.fc(F.relu(out + self.down(x)).mean((2, 3)))
