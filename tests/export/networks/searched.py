"""Networks found by search, or scaled by a rule."""

import math
from collections import OrderedDict
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from networks.residual import DropPath, StochasticDepth


class EfficientNet(nn.Module):
    """Tan and Le, 2019, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, as torchvision writes
    it."""

    class MBConv(nn.Module):
        def __init__(self, inputs, outputs, expand_ratio, kernel, stride, stochastic_depth_prob):
            super().__init__()
            self.use_res_connect = stride == 1 and inputs == outputs
            layers = []
            expanded = inputs * expand_ratio
            if expanded != inputs:
                layers.append(EfficientNet.unit(inputs, expanded, 1))
            layers.append(EfficientNet.unit(expanded, expanded, kernel, stride, expanded))
            layers.append(EfficientNet.SqueezeExcitation(expanded, max(1, inputs // 4)))
            layers.append(EfficientNet.unit(expanded, outputs, 1, activation=None))
            self.block = nn.Sequential(*layers)
            self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

        def forward(self, input):
            result = self.block(input)
            if self.use_res_connect:
                result = self.stochastic_depth(result)
                result += input
            return result

    class SqueezeExcitation(nn.Module):
        def __init__(self, input_channels, squeeze_channels):
            super().__init__()
            self.avgpool = nn.AdaptiveAvgPool2d(1)
            self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
            self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
            self.activation = nn.SiLU(inplace=True)
            self.scale_activation = torch.nn.Sigmoid()

        def forward(self, input):
            scale = self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(input)))))
            return scale * input

    @staticmethod
    def unit(inputs, outputs, kernel, stride=1, groups=1, activation=nn.SiLU):
        layers = [nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
                  nn.BatchNorm2d(outputs)]
        return nn.Sequential(*layers + ([activation(inplace=True)] if activation else []))

    def __init__(self, dropout=0.2, stochastic_depth_prob=0.2, num_classes=10):
        super().__init__()
        # expand, kernel, stride, in, out, layers
        settings = [(1, 3, 1, 8, 4, 1), (6, 3, 2, 4, 6, 2), (6, 5, 2, 6, 8, 1)]
        layers = [self.unit(3, 8, 3, 2)]
        total, block_id = sum(s[-1] for s in settings), 0
        for expand, kernel, stride, inputs, outputs, count in settings:
            stage = []
            for i in range(count):
                stage.append(self.MBConv(outputs if i else inputs, outputs, expand, kernel, 1 if i else stride,
                                         stochastic_depth_prob * block_id / total))
                block_id += 1
            layers.append(nn.Sequential(*stage))
        layers.append(self.unit(8, 32, 1))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout, inplace=True), nn.Linear(32, num_classes))

    def forward(self, x):
        x = self.features(x)
        x = self.avgpool(x)
        x = torch.flatten(x, 1)
        return self.classifier(x)


class EfficientNetDropPath(nn.Module):
    """The same paper as timm writes it: DropPath, and gates from means."""

    class InvertedResidual(nn.Module):
        def __init__(self, in_chs, out_chs, kernel_size=3, stride=1, exp_ratio=4, se_ratio=0.25, drop_path_rate=0.):
            super().__init__()
            mid_chs = in_chs * exp_ratio
            self.has_skip = in_chs == out_chs and stride == 1
            self.conv_pw, self.bn1 = nn.Conv2d(in_chs, mid_chs, 1, bias=False), nn.BatchNorm2d(mid_chs)
            pad = kernel_size // 2
            self.conv_dw = nn.Conv2d(mid_chs, mid_chs, kernel_size, stride, pad, groups=mid_chs, bias=False)
            self.bn2 = nn.BatchNorm2d(mid_chs)
            self.conv_reduce = nn.Conv2d(mid_chs, int(in_chs * se_ratio), 1)
            self.conv_expand = nn.Conv2d(int(in_chs * se_ratio), mid_chs, 1)
            self.conv_pwl, self.bn3 = nn.Conv2d(mid_chs, out_chs, 1, bias=False), nn.BatchNorm2d(out_chs)
            self.act = nn.SiLU(inplace=True)
            self.drop_path = DropPath(drop_path_rate) if drop_path_rate else nn.Identity()

        def forward(self, x):
            shortcut = x
            x = self.act(self.bn1(self.conv_pw(x)))
            x = self.act(self.bn2(self.conv_dw(x)))
            x_se = x.mean((2, 3), keepdim=True)
            x_se = self.conv_expand(F.silu(self.conv_reduce(x_se)))
            x = x * x_se.sigmoid()
            x = self.bn3(self.conv_pwl(x))
            if self.has_skip:
                x = self.drop_path(x) + shortcut
            return x

    def __init__(self):
        super().__init__()
        self.conv_stem, self.bn1 = nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8)
        self.blocks = nn.Sequential(
            nn.Sequential(self.InvertedResidual(8, 8, 3, 2)),
            nn.Sequential(self.InvertedResidual(8, 8, 5, 1, drop_path_rate=0.05),
                          self.InvertedResidual(8, 8, 3, 1, drop_path_rate=0.1)))
        self.conv_head, self.bn2 = nn.Conv2d(8, 24, 1, bias=False), nn.BatchNorm2d(24)
        self.classifier = nn.Linear(24, 10)
        self.drop_rate = 0.2

    def forward_features(self, x):
        x = F.silu(self.bn1(self.conv_stem(x)), inplace=True)
        x = self.blocks(x)
        return F.silu(self.bn2(self.conv_head(x)), inplace=True)

    def forward_head(self, x, pre_logits: bool = False):
        x = F.adaptive_avg_pool2d(x, 1).flatten(1)
        if self.drop_rate > 0.:
            x = F.dropout(x, p=self.drop_rate, training=self.training)
        return x if pre_logits else self.classifier(x)

    def forward(self, x):
        return self.forward_head(self.forward_features(x))


class EfficientNetSame(nn.Module):
    """The same paper with TensorFlow's "same" padding, which is larger below and to the right, and swish
    written out."""

    class Conv2dDynamicSamePadding(nn.Conv2d):
        def forward(self, x):
            ih, iw = x.size()[-2:]
            kh, kw = self.weight.size()[-2:]
            sh, sw = self.stride
            oh, ow = math.ceil(ih / sh), math.ceil(iw / sw)
            pad_h = max((oh - 1) * self.stride[0] + (kh - 1) * self.dilation[0] + 1 - ih, 0)
            pad_w = max((ow - 1) * self.stride[1] + (kw - 1) * self.dilation[1] + 1 - iw, 0)
            if pad_h > 0 or pad_w > 0:
                x = F.pad(x, [pad_w // 2, pad_w - pad_w // 2, pad_h // 2, pad_h - pad_h // 2])
            return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    class Swish(nn.Module):
        def forward(self, x):
            return x * torch.sigmoid(x)

    class MBConvBlock(nn.Module):
        def __init__(self, inputs, outputs, expand, kernel, stride):
            super().__init__()
            Conv2d, bn = EfficientNetSame.Conv2dDynamicSamePadding, partial(nn.BatchNorm2d, momentum=0.01, eps=1e-3)
            oup = inputs * expand
            self.id_skip = stride == 1 and inputs == outputs
            self._expand_conv, self._bn0 = Conv2d(inputs, oup, kernel_size=1, bias=False), bn(oup)
            self._depthwise_conv = Conv2d(oup, oup, groups=oup, kernel_size=kernel, stride=stride, bias=False)
            self._bn1 = bn(oup)
            self._se_reduce = Conv2d(oup, max(1, inputs // 4), kernel_size=1)
            self._se_expand = Conv2d(max(1, inputs // 4), oup, kernel_size=1)
            self._project_conv, self._bn2 = Conv2d(oup, outputs, kernel_size=1, bias=False), bn(outputs)
            self._swish = EfficientNetSame.Swish()

        def forward(self, inputs, drop_connect_rate=None):
            x = self._swish(self._bn0(self._expand_conv(inputs)))
            x = self._swish(self._bn1(self._depthwise_conv(x)))
            x_squeezed = F.adaptive_avg_pool2d(x, 1)
            x_squeezed = self._se_expand(self._swish(self._se_reduce(x_squeezed)))
            x = torch.sigmoid(x_squeezed) * x
            x = self._bn2(self._project_conv(x))
            if self.id_skip:
                if drop_connect_rate and self.training:
                    keep = torch.rand([x.shape[0], 1, 1, 1], dtype=x.dtype, device=x.device) < 1 - drop_connect_rate
                    x = x / (1 - drop_connect_rate) * keep
                x = x + inputs
            return x

    def __init__(self):
        super().__init__()
        self._conv_stem = self.Conv2dDynamicSamePadding(3, 8, kernel_size=3, stride=2, bias=False)
        self._bn0 = nn.BatchNorm2d(8, eps=1e-3)
        self._blocks = nn.ModuleList([self.MBConvBlock(8, 6, 3, 3, 2), self.MBConvBlock(6, 6, 3, 5, 1),
                                      self.MBConvBlock(6, 8, 3, 5, 2)])
        self._swish, self._dropout, self._fc = self.Swish(), nn.Dropout(0.2), nn.Linear(8, 10)

    def forward(self, inputs):
        x = self._swish(self._bn0(self._conv_stem(inputs)))
        for idx, block in enumerate(self._blocks):
            x = block(x, drop_connect_rate=0.2 * float(idx) / len(self._blocks))
        x = F.adaptive_avg_pool2d(x, 1).squeeze(3).squeeze(2)
        return self._fc(self._dropout(x))


class RegNet(nn.Module):
    """Radosavovic et al., 2020, Designing Network Design Spaces: X, and with gates Y."""

    class SE(nn.Module):
        def __init__(self, in_planes, se_planes):
            super().__init__()
            self.se1 = nn.Conv2d(in_planes, se_planes, kernel_size=1, bias=True)
            self.se2 = nn.Conv2d(se_planes, in_planes, kernel_size=1, bias=True)

        def forward(self, x):
            out = F.adaptive_avg_pool2d(x, (1, 1))
            out = F.relu(self.se1(out))
            out = self.se2(out).sigmoid()
            out = x * out
            return out

    class Block(nn.Module):
        def __init__(self, w_in, w_out, stride, group_width, bottleneck_ratio, se_ratio):
            super().__init__()
            w_b = int(round(w_out * bottleneck_ratio))
            self.conv1, self.bn1 = nn.Conv2d(w_in, w_b, kernel_size=1, bias=False), nn.BatchNorm2d(w_b)
            self.conv2 = nn.Conv2d(w_b, w_b, 3, stride=stride, padding=1, groups=w_b // group_width, bias=False)
            self.bn2 = nn.BatchNorm2d(w_b)
            self.with_se = se_ratio > 0
            if self.with_se:
                self.se = RegNet.SE(w_b, int(round(w_in * se_ratio)))
            self.conv3, self.bn3 = nn.Conv2d(w_b, w_out, kernel_size=1, bias=False), nn.BatchNorm2d(w_out)
            self.shortcut = nn.Sequential()
            if stride != 1 or w_in != w_out:
                self.shortcut = nn.Sequential(nn.Conv2d(w_in, w_out, kernel_size=1, stride=stride, bias=False),
                                              nn.BatchNorm2d(w_out))

        def forward(self, x):
            out = F.relu(self.bn1(self.conv1(x)))
            out = F.relu(self.bn2(self.conv2(out)))
            if self.with_se:
                out = self.se(out)
            out = self.bn3(self.conv3(out))
            out += self.shortcut(x)
            out = F.relu(out)
            return out

    def __init__(self, se_ratio=0.0):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8)
        self.layer1 = nn.Sequential(self.Block(8, 8, 1, 4, 1, se_ratio))
        self.layer2 = nn.Sequential(self.Block(8, 16, 2, 4, 1, se_ratio), self.Block(16, 16, 1, 4, 1, se_ratio))
        self.linear = nn.Linear(16, 10)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.layer2(self.layer1(out))
        out = F.adaptive_avg_pool2d(out, (1, 1))
        out = out.view(out.size(0), -1)
        out = self.linear(out)
        return out


class NASNet(nn.Module):
    """Zoph et al., 2018, Learning Transferable Architectures for Scalable Image Recognition: cells that read two
    cells before them."""

    class SeparableTwice(nn.Module):
        def __init__(self, inputs, outputs, kernel, stride=1):
            super().__init__()
            pad = kernel // 2
            norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.1)
            self.relu = nn.ReLU()
            self.dw1 = nn.Conv2d(inputs, inputs, kernel, stride, pad, groups=inputs, bias=False)
            self.pw1, self.bn1 = nn.Conv2d(inputs, outputs, 1, bias=False), norm(outputs)
            self.relu1 = nn.ReLU()
            self.dw2 = nn.Conv2d(outputs, outputs, kernel, 1, pad, groups=outputs, bias=False)
            self.pw2, self.bn2 = nn.Conv2d(outputs, outputs, 1, bias=False), norm(outputs)

        def forward(self, x):
            x = self.relu(x)
            x = self.bn1(self.pw1(self.dw1(x)))
            x = self.relu1(x)
            return self.bn2(self.pw2(self.dw2(x)))

    class FactorizedReduction(nn.Module):
        """Halves an image along two paths, one of them from the second row and column on."""

        def __init__(self, inputs, outputs):
            super().__init__()
            self.relu = nn.ReLU()
            self.path_1 = nn.Sequential(OrderedDict([
                ("avgpool", nn.AvgPool2d(1, stride=2, count_include_pad=False)),
                ("conv", nn.Conv2d(inputs, outputs // 2, 1, bias=False))]))
            self.path_2 = nn.ModuleList([nn.ZeroPad2d((0, 1, 0, 1)), nn.AvgPool2d(1, stride=2, count_include_pad=False),
                                         nn.Conv2d(inputs, outputs - outputs // 2, 1, bias=False)])
            self.final_path_bn = nn.BatchNorm2d(outputs, eps=0.001)

        def forward(self, x):
            x = self.relu(x)
            x_path1 = self.path_1(x)
            x_path2 = self.path_2[0](x)
            x_path2 = x_path2[:, :, 1:, 1:]
            x_path2 = self.path_2[2](self.path_2[1](x_path2))
            return self.final_path_bn(torch.cat([x_path1, x_path2], 1))

    class Cell(nn.Module):
        def __init__(self, left, right, filters, reduction, left_is_larger):
            super().__init__()
            Separable, s = NASNet.SeparableTwice, 2 if reduction else 1
            self.reduction = reduction
            self.conv_1x1 = self.unit(right, filters)
            adjust = NASNet.FactorizedReduction if left_is_larger else self.unit
            self.conv_prev_1x1 = adjust(left, filters)
            kernels = (5, 7, 7, 5, 3) if reduction else (5, 3, 5, 3, 3)
            self.separable = nn.ModuleList(
                [Separable(filters, filters, k, 1 if i == 4 else s) for i, k in enumerate(kernels)])
            self.avg = nn.AvgPool2d(3, stride=s, padding=1, count_include_pad=False)
            self.max = nn.MaxPool2d(3, stride=s, padding=1)
            self.avg_same = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)

        @staticmethod
        def unit(inputs, outputs):
            return nn.Sequential(nn.ReLU(), nn.Conv2d(inputs, outputs, 1, bias=False),
                                 nn.BatchNorm2d(outputs, eps=0.001))

        def forward(self, x, x_prev):
            left, right = self.conv_prev_1x1(x_prev), self.conv_1x1(x)
            a, b, c, d, e = self.separable
            if self.reduction:
                comb0 = a(right) + b(left)
                comb1 = self.max(right) + c(left)
                comb2 = self.avg(right) + d(left)
                comb3 = self.avg_same(comb0) + comb1
                comb4 = e(comb0) + self.max(right)
                return torch.cat([comb1, comb2, comb3, comb4], 1)
            combs = [a(right) + b(left), c(left) + d(left), self.avg(right) + left, self.avg(left) + self.avg(left),
                     e(right) + right]
            return torch.cat([left] + combs, 1)

    def __init__(self):
        super().__init__()
        self.conv0 = nn.Sequential(OrderedDict([("conv", nn.Conv2d(3, 8, 3, padding=0, stride=2, bias=False)),
                                                ("bn", nn.BatchNorm2d(8, eps=0.001))]))
        self.cell_0 = self.Cell(8, 8, 4, True, False)
        self.cell_1 = self.Cell(8, 16, 4, False, True)
        self.cell_2 = self.Cell(16, 24, 4, False, False)
        self.last_linear = nn.Linear(24, 10)

    def forward(self, input):
        x_stem = self.conv0(input)
        x_0 = self.cell_0(x_stem, x_stem)
        x_1 = self.cell_1(x_0, x_stem)
        x_2 = self.cell_2(x_1, x_0)
        x = F.relu(x_2)
        x = F.avg_pool2d(x, kernel_size=x.shape[-2:])
        return self.last_linear(x.flatten(1))


class PNASNet(nn.Module):
    """Liu et al., 2018, Progressive Neural Architecture Search, with TensorFlow's asymmetric padding: zeros above
    and to the left, and their row and column cut off again."""

    class MaxPool(nn.Module):
        def __init__(self, kernel_size, stride=1, padding=1, zero_pad=False):
            super().__init__()
            self.zero_pad = nn.ZeroPad2d((1, 0, 1, 0)) if zero_pad else None
            self.pool = nn.MaxPool2d(kernel_size, stride=stride, padding=padding)

        def forward(self, x):
            if self.zero_pad:
                x = self.zero_pad(x)
            x = self.pool(x)
            if self.zero_pad:
                x = x[:, :, 1:, 1:]
            return x

    class SepConv(nn.Module):
        def __init__(self, in_planes, out_planes, kernel_size, stride, zero_pad=False):
            super().__init__()
            self.zero_pad = nn.ZeroPad2d((1, 0, 1, 0)) if zero_pad else None
            self.conv1 = nn.Conv2d(in_planes, out_planes, kernel_size, stride, padding=(kernel_size - 1) // 2,
                                   bias=False, groups=math.gcd(in_planes, out_planes))
            self.bn1 = nn.BatchNorm2d(out_planes)

        def forward(self, x):
            if self.zero_pad:
                x = self.zero_pad(x)
                return self.bn1(self.conv1(x)[:, :, 1:, 1:].contiguous())
            return self.bn1(self.conv1(x))

    class Cell(nn.Module):
        def __init__(self, in_planes, out_planes, stride):
            super().__init__()
            self.stride, pad = stride, stride == 2
            self.sep_conv1 = PNASNet.SepConv(in_planes, out_planes, 7, stride, pad)
            self.sep_conv2 = PNASNet.SepConv(in_planes, out_planes, 3, stride)
            self.sep_conv3 = PNASNet.SepConv(in_planes, out_planes, 5, stride, pad)
            self.pool1 = PNASNet.MaxPool(3, stride, 1, pad)
            self.pool2 = nn.MaxPool2d(2, stride, ceil_mode=True) if pad else nn.MaxPool2d(3, 1, 1)
            if stride == 2:
                self.conv1, self.bn1 = nn.Conv2d(in_planes, out_planes, 1, 1, 0, bias=False), nn.BatchNorm2d(out_planes)
                self.bn2 = nn.BatchNorm2d(out_planes)
            self.conv2, self.bn3 = nn.Conv2d(2 * out_planes, out_planes, 1, bias=False), nn.BatchNorm2d(out_planes)

        def forward(self, x):
            y1, y3 = self.sep_conv1(x), self.sep_conv3(x)
            y2, y4 = self.pool1(x), self.pool2(x)
            if self.stride == 2:
                y2, y4 = self.bn1(self.conv1(y2)), self.bn2(self.conv1(y4))
            b1 = F.relu(y1 + y2)
            b2 = F.relu(self.sep_conv2(x) + y3 + y4)
            y = torch.cat([b1, b2], 1)
            return F.relu(self.bn3(self.conv2(y)))

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8)
        self.layers = nn.Sequential(self.Cell(8, 8, 1), self.Cell(8, 16, 2), self.Cell(16, 16, 1))
        self.linear = nn.Linear(16, 10)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.layers(out)
        out = F.avg_pool2d(out, 8)
        out = self.linear(out.view(out.size(0), -1))
        return out
