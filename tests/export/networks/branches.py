"""Networks of several branches that are concatenated."""

import torch
from torch import nn
from torch.nn import functional as F


class Fire(nn.Module):
    def __init__(self, inplanes, squeeze_planes, expand_planes):
        super().__init__()
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, kernel_size=1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand_planes, kernel_size=1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand_planes, kernel_size=3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.squeeze_activation(self.squeeze(x))
        return torch.cat([
            self.expand1x1_activation(self.expand1x1(x)),
            self.expand3x3_activation(self.expand3x3(x))
        ], 1)


class SqueezeNet(nn.Module):
    """Iandola et al., 2016, SqueezeNet: AlexNet-level accuracy with 50x fewer parameters."""

    def __init__(self, num_classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 12, kernel_size=3, stride=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True),
            Fire(12, 4, 8),
            Fire(16, 4, 8),
            nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True),
            Fire(16, 6, 12),
        )
        final_conv = nn.Conv2d(24, num_classes, kernel_size=1)
        self.classifier = nn.Sequential(
            nn.Dropout(p=0.5), final_conv, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1))
        )

    def forward(self, x):
        x = self.features(x)
        x = self.classifier(x)
        return torch.flatten(x, 1)


class GoogLeNet(nn.Module):
    """Szegedy et al., 2015, Going Deeper with Convolutions; its auxiliary classifiers are for training alone."""

    class Inception(nn.Module):
        def __init__(self, in_planes, n1x1, n3x3red, n3x3, n5x5red, n5x5, pool_planes):
            super().__init__()

            def unit(inputs, outputs, kernel):
                return [nn.Conv2d(inputs, outputs, kernel_size=kernel, padding=kernel // 2), nn.BatchNorm2d(outputs),
                        nn.ReLU(True)]

            self.b1 = nn.Sequential(*unit(in_planes, n1x1, 1))
            self.b2 = nn.Sequential(*unit(in_planes, n3x3red, 1), *unit(n3x3red, n3x3, 3))
            self.b3 = nn.Sequential(*unit(in_planes, n5x5red, 1), *unit(n5x5red, n5x5, 3), *unit(n5x5, n5x5, 3))
            self.b4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), *unit(in_planes, pool_planes, 1))

        def forward(self, x):
            y1 = self.b1(x)
            y2 = self.b2(x)
            y3 = self.b3(x)
            y4 = self.b4(x)
            return torch.cat([y1, y2, y3, y4], 1)

    class Auxiliary(nn.Module):
        def __init__(self, inputs):
            super().__init__()
            self.conv = nn.Conv2d(inputs, 8, 1)
            self.fc1 = nn.Linear(8 * 4 * 4, 16)
            self.fc2 = nn.Linear(16, 10)

        def forward(self, x):
            x = F.adaptive_avg_pool2d(x, (4, 4))
            x = F.relu(self.conv(x))
            x = torch.flatten(x, 1)
            x = F.relu(self.fc1(x), inplace=True)
            return self.fc2(F.dropout(x, 0.7, training=self.training))

    def __init__(self):
        super().__init__()
        self.pre_layers = nn.Sequential(
            nn.Conv2d(3, 12, kernel_size=3, stride=2, padding=1), nn.BatchNorm2d(12), nn.ReLU(True))
        self.a3 = self.Inception(12, 4, 4, 6, 2, 2, 4)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.a4 = self.Inception(16, 6, 4, 8, 2, 4, 6)
        self.aux1 = self.Auxiliary(16)
        self.aux2 = self.Auxiliary(24)
        self.avgpool = nn.AvgPool2d(8, stride=1)
        self.dropout = nn.Dropout(0.2)
        self.linear = nn.Linear(24, 10)

    def forward(self, x):
        out = self.pre_layers(x)
        out = self.a3(out)
        aux1 = self.aux1(out) if self.training else None
        out = self.maxpool(out)
        out = self.a4(out)
        aux2 = self.aux2(out) if self.training else None
        out = self.avgpool(out)
        out = self.dropout(out.view(out.size(0), -1))
        out = self.linear(out)
        if self.training:
            return out, aux2, aux1
        return out


class BasicConv2d(nn.Module):
    def __init__(self, in_channels, out_channels, **kwargs):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **kwargs)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x):
        x = self.conv(x)
        x = self.bn(x)
        return F.relu(x, inplace=True)


class InceptionA(nn.Module):
    def __init__(self, in_channels, pool_features):
        super().__init__()
        self.branch1x1 = BasicConv2d(in_channels, 4, kernel_size=1)
        self.branch5x5_1 = BasicConv2d(in_channels, 3, kernel_size=1)
        self.branch5x5_2 = BasicConv2d(3, 4, kernel_size=5, padding=2)
        self.branch3x3dbl_1 = BasicConv2d(in_channels, 4, kernel_size=1)
        self.branch3x3dbl_2 = BasicConv2d(4, 6, kernel_size=3, padding=1)
        self.branch3x3dbl_3 = BasicConv2d(6, 6, kernel_size=3, padding=1)
        self.branch_pool = BasicConv2d(in_channels, pool_features, kernel_size=1)

    def _forward(self, x):
        branch1x1 = self.branch1x1(x)
        branch5x5 = self.branch5x5_1(x)
        branch5x5 = self.branch5x5_2(branch5x5)
        branch3x3dbl = self.branch3x3dbl_1(x)
        branch3x3dbl = self.branch3x3dbl_2(branch3x3dbl)
        branch3x3dbl = self.branch3x3dbl_3(branch3x3dbl)
        branch_pool = F.avg_pool2d(x, kernel_size=3, stride=1, padding=1, count_include_pad=False)
        branch_pool = self.branch_pool(branch_pool)
        return [branch1x1, branch5x5, branch3x3dbl, branch_pool]

    def forward(self, x):
        outputs = self._forward(x)
        return torch.cat(outputs, 1)


class InceptionB(nn.Module):
    def __init__(self, in_channels):
        super().__init__()
        self.branch3x3 = BasicConv2d(in_channels, 8, kernel_size=3, stride=2)
        self.branch3x3dbl_1 = BasicConv2d(in_channels, 4, kernel_size=1)
        self.branch3x3dbl_2 = BasicConv2d(4, 6, kernel_size=3, padding=1)
        self.branch3x3dbl_3 = BasicConv2d(6, 6, kernel_size=3, stride=2)

    def forward(self, x):
        branch3x3dbl = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), branch3x3dbl, F.max_pool2d(x, kernel_size=3, stride=2)], 1)


class InceptionC(nn.Module):
    def __init__(self, in_channels, c7):
        super().__init__()
        conv = BasicConv2d
        self.branch1x1 = conv(in_channels, 8, kernel_size=1)
        self.branch7x7_1 = conv(in_channels, c7, kernel_size=1)
        self.branch7x7_2 = conv(c7, c7, kernel_size=(1, 7), padding=(0, 3))
        self.branch7x7_3 = conv(c7, 8, kernel_size=(7, 1), padding=(3, 0))
        self.branch_pool = conv(in_channels, 8, kernel_size=1)

    def forward(self, x):
        branch7x7 = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        branch_pool = self.branch_pool(F.avg_pool2d(x, kernel_size=3, stride=1, padding=1, count_include_pad=False))
        return torch.cat((self.branch1x1(x), branch7x7, branch_pool), dim=1)


class InceptionE(nn.Module):
    def __init__(self, in_channels):
        super().__init__()
        self.branch1x1 = BasicConv2d(in_channels, 8, kernel_size=1)
        self.branch3x3_1 = BasicConv2d(in_channels, 8, kernel_size=1)
        self.branch3x3_2a = BasicConv2d(8, 8, kernel_size=(1, 3), padding=(0, 1))
        self.branch3x3_2b = BasicConv2d(8, 8, kernel_size=(3, 1), padding=(1, 0))

    def forward(self, x):
        branch3x3 = self.branch3x3_1(x)
        branch3x3 = [
            self.branch3x3_2a(branch3x3),
            self.branch3x3_2b(branch3x3),
        ]
        branch3x3 = torch.cat(branch3x3, 1)
        return torch.cat([self.branch1x1(x), branch3x3], 1)


class InceptionV3(nn.Module):
    """Szegedy et al., 2016, Rethinking the Inception Architecture for Computer Vision: convolutions of 1x7 and 7x1, and
    averages that do not count the padding."""

    def __init__(self):
        super().__init__()
        self.Conv2d_1a_3x3 = BasicConv2d(3, 8, kernel_size=3, stride=2)
        self.Mixed_5b = InceptionA(8, pool_features=4)
        self.Mixed_6a = InceptionB(18)
        self.Mixed_6b = InceptionC(32, c7=6)
        self.Mixed_7b = InceptionE(24)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(24, 10)

    def forward(self, x):
        for name, child in self.named_children():
            if name == "fc":
                break
            x = child(x)
        return self.fc(torch.flatten(x, start_dim=1))


class Xception(nn.Module):
    """Chollet, 2017, Xception: Deep Learning with Depthwise Separable Convolutions."""

    class Block(nn.Module):
        def __init__(self, in_filters, out_filters, reps, strides=1, start_with_relu=True, grow_first=True):
            super().__init__()
            if out_filters != in_filters or strides != 1:
                self.skip = nn.Conv2d(in_filters, out_filters, 1, stride=strides, bias=False)
                self.skipbn = nn.BatchNorm2d(out_filters)
            else:
                self.skip = None
            rep = []
            filters = in_filters
            for i in range(reps):
                outputs = out_filters if grow_first or i == reps - 1 else filters
                rep.append(nn.ReLU(inplace=True))
                rep.append(nn.Conv2d(filters, filters, 3, 1, 1, groups=filters, bias=False))
                rep.append(nn.Conv2d(filters, outputs, 1, bias=False))
                rep.append(nn.BatchNorm2d(outputs))
                filters = outputs
            if not start_with_relu:
                rep = rep[1:]
            else:
                rep[0] = nn.ReLU(inplace=False)
            if strides != 1:
                rep.append(nn.MaxPool2d(3, strides, 1))
            self.rep = nn.Sequential(*rep)

        def forward(self, inp):
            x = self.rep(inp)
            if self.skip is not None:
                skip = self.skip(inp)
                skip = self.skipbn(skip)
            else:
                skip = inp
            x += skip
            return x

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, 2, 0, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.block1 = self.Block(8, 12, 2, 2, start_with_relu=False, grow_first=True)
        self.block2 = self.Block(12, 12, 3, 1, start_with_relu=True, grow_first=True)
        self.block3 = self.Block(12, 16, 2, 2, start_with_relu=True, grow_first=False)
        self.last_linear = nn.Linear(16, 10)

    def features(self, input):
        x = F.relu(self.bn1(self.conv1(input)), True)
        for i in (1, 2, 3):
            x = getattr(self, f"block{i}")(x)
        return x

    def logits(self, features):
        x = nn.ReLU(inplace=True)(features)
        x = F.adaptive_avg_pool2d(x, (1, 1))
        x = x.view(x.size(0), -1)
        return self.last_linear(x)

    def forward(self, input):
        return self.logits(self.features(input))
