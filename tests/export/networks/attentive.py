"""Networks whose parts weigh one another: softmax over branches, maxima, quotients, products of two tensors."""

import torch
from torch import nn
from torch.nn import functional as F


def conv_norm_relu(channels, filters, kernel=3, stride=1, groups=1):
    return nn.Sequential(nn.Conv2d(channels, filters, kernel, stride, kernel // 2, groups=groups, bias=False),
                         nn.BatchNorm2d(filters), nn.ReLU(inplace=True))


class Classifier(nn.Sequential):
    """A stem, blocks, a mean over the image and a linear layer."""

    def __init__(self, *blocks, width=12, classes=7):
        super().__init__(conv_norm_relu(3, width, stride=2), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(width, classes))


class SelectiveKernel(nn.Module):
    """Li et al., 2019, Selective Kernel Networks."""

    def __init__(self, channels, branches=3):
        super().__init__()
        self.branches = nn.ModuleList(conv_norm_relu(channels, channels, 1 + 2 * i, groups=2) for i in range(branches))
        self.squeeze = nn.Linear(channels, 8)
        self.excite = nn.ModuleList(nn.Linear(8, channels) for _ in range(branches))

    def forward(self, x):
        features = torch.stack([branch(x) for branch in self.branches], dim=1)
        pooled = features.sum(1).mean(-1).mean(-1)
        weights = torch.cat([layer(F.relu(self.squeeze(pooled))).unsqueeze_(1) for layer in self.excite], 1)
        return (features * weights.softmax(1)[..., None, None]).sum(1)


class SplitAttention(nn.Module):
    """Zhang et al., 2020, ResNeSt: Split-Attention Networks."""

    def __init__(self, channels, radix=2, groups=2):
        super().__init__()
        self.radix, self.groups = radix, groups
        self.conv = conv_norm_relu(channels, channels * radix, groups=groups * radix)
        self.first = nn.Conv2d(channels, 8, 1, groups=groups)
        self.second = nn.Conv2d(8, channels * radix, 1, groups=groups)

    def forward(self, x):
        batch = x.size(0)
        parts = torch.split(self.conv(x), x.size(1), dim=1)
        weights = self.second(F.relu(self.first(F.adaptive_avg_pool2d(sum(parts), 1))))
        weights = F.softmax(weights.view(batch, self.groups, self.radix, -1).transpose(1, 2), dim=1).reshape(batch, -1)
        weights = torch.split(weights.view(batch, -1, 1, 1), x.size(1), dim=1)
        return sum(weight * part for weight, part in zip(weights, parts)) + x


class ECA(nn.Module):
    """Wang et al., 2020, ECA-Net: Efficient Channel Attention."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1, bias=False)

    def forward(self, x):
        gate = self.conv(F.adaptive_avg_pool2d(x, 1).squeeze(-1).transpose(-1, -2)).transpose(-1, -2).unsqueeze(-1)
        return x * torch.sigmoid(gate).expand_as(x)


class Bottlenecked(nn.Module):
    """Park et al., 2018, BAM: Bottleneck Attention Module, with the spatial maxima of Woo et al., 2018, CBAM."""

    def __init__(self, channels):
        super().__init__()
        self.channel = nn.Sequential(nn.Flatten(), nn.Linear(channels, 4), nn.BatchNorm1d(4), nn.ReLU(),
                                     nn.Linear(4, channels))
        self.place = nn.Conv2d(2, 1, 5, padding=2)

    def forward(self, x):
        of_channels = self.channel(F.avg_pool2d(x, x.shape[2:]))[:, :, None, None].expand_as(x)
        places = torch.cat((torch.max(x, 1)[0].unsqueeze(1), torch.mean(x, 1).unsqueeze(1)), dim=1)
        return x * (1 + torch.sigmoid(of_channels * self.place(places).expand_as(x)))


class Coordinates(nn.Module):
    """Hou et al., 2021, Coordinate Attention for Efficient Mobile Network Design."""

    def __init__(self, channels):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(channels, 8, 1), nn.BatchNorm2d(8)
        self.rows, self.columns = nn.Conv2d(8, channels, 1), nn.Conv2d(8, channels, 1)

    def forward(self, x):
        _, _, height, width = x.size()
        both = torch.cat([x.mean(3, keepdim=True), x.mean(2, keepdim=True).permute(0, 1, 3, 2)], dim=2)
        rows, columns = F.hardswish(self.norm(self.conv(both))).split([height, width], dim=2)
        return x * self.rows(rows).sigmoid() * self.columns(columns.permute(0, 1, 3, 2)).sigmoid()


def attention_modules():
    return Classifier(SelectiveKernel(12), SplitAttention(12), ECA(), Bottlenecked(12), Coordinates(12))


class ResidualAttention(nn.Module):
    """Wang et al., 2017, Residual Attention Network for Image Classification; its mask's units run twice."""

    def __init__(self, channels):
        super().__init__()
        self.trunk = conv_norm_relu(channels, channels)
        self.unit = nn.Sequential(conv_norm_relu(channels, channels), nn.Conv2d(channels, channels, 1))
        self.mask = nn.Sequential(nn.BatchNorm2d(channels), nn.Conv2d(channels, channels, 1), nn.Sigmoid())

    def forward(self, x):
        half = self.unit(F.max_pool2d(x, 3, 2, 1))
        quarter = self.unit(F.max_pool2d(half, 3, 2, 1))
        up = F.interpolate(quarter, size=half.shape[2:])
        up += half
        mask = self.mask(F.interpolate(up, size=x.shape[2:]))
        return (1 + mask) * self.trunk(x)


def residual_attention():
    return Classifier(ResidualAttention(12), ResidualAttention(12))


class Fractal(nn.Module):
    """Larsson et al., 2017, FractalNet: columns that are joined by their mean."""

    def __init__(self, channels):
        super().__init__()
        self.short = conv_norm_relu(channels, channels)
        self.long = nn.ModuleList(conv_norm_relu(channels, channels) for _ in range(2))

    def forward(self, x):
        return torch.stack([self.short(x), self.long[1](self.long[0](x))]).mean(dim=0)


class MaxFeatureMap(nn.Module):
    """Wu et al., 2018, A Light CNN for Deep Face Representation with Noisy Labels."""

    def __init__(self, channels, classes=7):
        super().__init__()
        self.conv = nn.Conv2d(channels, 2 * channels, 3, padding=1)
        self.slope = nn.PReLU(channels)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = torch.max(*torch.split(self.conv(x), x.shape[1], 1))
        features = self.slope(x).mean((2, 3))
        return self.fc(features), features


class FractalMaxout(nn.Sequential):
    """Columns, maxima of feature maps, and features that are returned beside the logits."""

    def __init__(self):
        super().__init__(conv_norm_relu(3, 8, stride=2), Fractal(8), nn.MaxPool2d(2), Fractal(8), MaxFeatureMap(8))


class OldAlexNet(nn.Module):
    """Krizhevsky et al., 2012, ImageNet Classification with Deep Convolutional Neural Networks: local response
    normalisation, and a softmax at the end."""

    def __init__(self, classes=7):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 12, 5, padding=2), nn.ReLU(), nn.LocalResponseNorm(5, alpha=1e-2, k=2),
            nn.MaxPool2d(3, 2), nn.Conv2d(12, 16, 3, padding=1, groups=2), nn.ReLU(),
            nn.LocalResponseNorm(4, alpha=0.1), nn.MaxPool2d(3, 2))
        self.fc = nn.Linear(16 * 7 * 7, classes)

    def forward(self, x):
        x = self.features(torch.autograd.Variable(x))
        return F.softmax(self.fc(x.view(-1, 16 * 7 * 7)), dim=1)


class GlobalResponse(nn.Module):
    """Woo et al., 2023, ConvNeXt V2."""

    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(1, 1, 1, channels))
        self.beta = nn.Parameter(torch.zeros(1, 1, 1, channels))

    def forward(self, x):
        norms = torch.norm(x, p=2, dim=(1, 2), keepdim=True)
        return self.gamma * (x * (norms / (norms.mean(dim=-1, keepdim=True) + 1e-6))) + self.beta + x


class ConvNeXtV2(nn.Module):
    def __init__(self, width=12, classes=7):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 4, 4)
        self.depthwise, self.norm = nn.Conv2d(width, width, 7, padding=3, groups=width), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 32), nn.GELU(), GlobalResponse(32), nn.Linear(32, width))
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.stem(x)
        x = x + self.mlp(self.norm(self.depthwise(x).permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        return self.head(x.mean([-2, -1]))


class SelfAttention(nn.Module):
    """Vaswani et al., 2017, Attention Is All You Need, written out."""

    def __init__(self, dim, heads):
        super().__init__()
        self.qkv, self.proj, self.heads = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim), heads

    def forward(self, x):
        batch, tokens, dim = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        weights = ((q @ k.transpose(-2, -1)) * (dim // self.heads) ** -0.5).softmax(dim=-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(batch, tokens, dim))


class VisionTransformer(nn.Module):
    """Dosovitskiy et al., 2021, An Image Is Worth 16x16 Words, of few and small tokens."""

    def __init__(self, dim=12, classes=7):
        super().__init__()
        self.embed, self.token = nn.Conv2d(3, dim, 8, 8), nn.Parameter(torch.zeros(1, 1, dim))
        self.places = nn.Parameter(torch.zeros(1, 17, dim))
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(3))
        self.attention = SelfAttention(dim, 3)
        self.mlp = nn.Sequential(nn.Linear(dim, 24), nn.GELU(), nn.Linear(24, dim))
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), dim=1) + self.places
        x = x + self.attention(self.norms[0](x))
        x = x + self.mlp(self.norms[1](x))
        return self.head(self.norms[2](x)[:, 0])
