"""Operations that apps/export_torch.py knows, each alone: convolutions, linear layers, pools, normalisation."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from probes import Call, Parametrised, on_tokens, on_vectors, probes, tokens, vector


class Blur(nn.Module):
    """Zhang, 2019, Making Convolutional Networks Shift-Invariant Again: a fixed filter of each channel."""

    def __init__(self, channels, size, stride, padding):
        super().__init__()
        row = torch.tensor([math.comb(size - 1, k) / 2 ** (size - 1) for k in range(size)])
        self.register_buffer("filter", (row[:, None] * row)[None, None].repeat(channels, 1, 1, 1))
        self.stride, self.padding, self.channels = stride, padding, channels

    def forward(self, x):
        return F.conv2d(x, self.filter, stride=self.stride, padding=self.padding, groups=self.channels)


class SharedByPools(nn.Module):
    """Woo et al., 2018, CBAM: one perceptron for two pools, one of which leaves an image."""

    def __init__(self):
        super().__init__()
        self.mlp = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 6))

    def forward(self, x):
        return self.mlp(F.avg_pool2d(x, x.shape[2:])) + self.mlp(x.flatten(2).logsumexp(2))


class Attending(nn.MultiheadAttention):
    def forward(self, x):
        return super().forward(x, x, x, need_weights=False)[0]


def normalised_by_hand(x, axes):
    less = x - x.mean(axes, keepdim=True)
    return less / torch.sqrt(less.pow(2).mean(axes, keepdim=True) + 1e-3)


def normalised_by(x, variance, mean):
    return (x - mean) / torch.sqrt(variance + 1e-3)


def attention_in_heads(x):
    """Three heads of two channels; queries, keys and values by a permutation that puts them first."""
    q, k, v = torch.stack([x, x.tanh(), x.sigmoid()], 1).flatten(3).view(x.shape[0], 3, 3, 2, 35).permute(1, 0, 2, 4, 3)
    return ((q @ k.transpose(-2, -1)) * 0.7).softmax(dim=-1) @ v


# --- Convolutions and linear layers ----------------------------------------------------------

probes("convolution", {
    "3": nn.Conv2d(6, 4, 3),
    "1x1": nn.Conv2d(6, 4, 1),
    "1x1, stride 2": nn.Conv2d(6, 4, 1, stride=2, bias=False),
    "(1, 7)": nn.Conv2d(6, 4, (1, 7), padding=(0, 3)),
    "(3, 1)": nn.Conv2d(6, 4, (3, 1), padding=(1, 0), bias=False),
    "(2, 4), even": nn.Conv2d(6, 4, (2, 4), padding=1),
    "padding (0, 3)": nn.Conv2d(6, 4, 3, padding=(0, 3)),
    "padding above the kernel": nn.Conv2d(6, 4, 3, padding=4),
    "stride (2, 1)": nn.Conv2d(6, 4, 3, stride=(2, 1), padding=1),
    "stride above the kernel": nn.Conv2d(6, 4, 2, stride=3),
    "dilation 2": nn.Conv2d(6, 4, 3, padding=2, dilation=2),
    "dilation (1, 3)": nn.Conv2d(6, 4, 3, padding=(1, 3), dilation=(1, 3), bias=False),
    "2 groups": nn.Conv2d(6, 4, 3, padding=1, groups=2),
    "3 groups, stride 2": nn.Conv2d(6, 9, 3, stride=2, padding=1, groups=3, bias=False),
    "3 groups of 1x1": nn.Conv2d(6, 3, 1, groups=3),
    "depthwise": nn.Conv2d(6, 6, 3, padding=1, groups=6),
    "depthwise, stride 2, dilation 2": nn.Conv2d(6, 6, 3, 2, 2, 2, groups=6, bias=False),
    "depthwise with a multiplier": nn.Conv2d(6, 12, (3, 2), padding=1, groups=6),
    "same": nn.Conv2d(6, 4, 3, padding="same"),
    "same, even, dilated": nn.Conv2d(6, 4, (2, 4), padding="same", dilation=(1, 3)),
    "same, even along the width": nn.Conv2d(6, 4, (3, 2), padding="same", bias=False),
    "valid": nn.Conv2d(6, 4, 3, padding="valid"),
    "functional": Parametrised((4, 6, 3, 3), lambda x, w: F.conv2d(x, w, None, 2, 1)),
    "functional with groups": Parametrised((6, 1, 3, 3), lambda x, w: torch.conv2d(x, w, stride=(1, 2), groups=6)),
    "twice the same": nn.Sequential(*[nn.Conv2d(6, 6, 3, padding=1)] * 2),
    "with a filter of constants, a blur": Blur(6, 3, 2, 1),
    "with a filter of constants, padded by itself": nn.Sequential(nn.ReflectionPad2d(1), Blur(6, 4, 1, 0)),
    "with a weight that is viewed": Parametrised((4, 6), lambda x, w: F.conv2d(x, w.view(4, 6, 1, 1))),
})
probes("sequence", {
    "ECA's conv1d over channels": nn.Sequential(Call(lambda x: F.adaptive_avg_pool2d(x, 1).squeeze(-1).transpose(1, 2)),
                                                nn.Conv1d(1, 1, 3, padding=1, bias=False), nn.Sigmoid()),
    "conv1d": nn.Sequential(nn.Flatten(2), nn.Conv1d(6, 4, 4, stride=3, padding=2, dilation=2)),
    "conv1d in groups": nn.Sequential(nn.Flatten(2), nn.Conv1d(6, 6, 3, groups=3, bias=False)),
    "batchnorm": nn.Sequential(nn.Flatten(2), nn.BatchNorm1d(6)),
    "max pool": nn.Sequential(nn.Flatten(2), nn.MaxPool1d(3, 2, 1)),
    "average pool": nn.Sequential(nn.Flatten(2), nn.AvgPool1d(4, 3)),
    "adaptive average pool": nn.Sequential(nn.Flatten(2), nn.AdaptiveAvgPool1d(4)),
    "adaptive max pool": nn.Sequential(nn.Flatten(2), nn.AdaptiveMaxPool1d(1)),
})
probes("transposed convolution", {
    "2, stride 2": nn.ConvTranspose2d(6, 4, 2, stride=2),
    "3, stride 2, output padding": nn.ConvTranspose2d(6, 4, 3, 2, 1, output_padding=1),
    "stride (2, 3), output padding (0, 2)": nn.ConvTranspose2d(6, 4, 3, (2, 3), 1, output_padding=(0, 2), bias=False),
    "kernel (1, 4), padding (0, 2)": nn.ConvTranspose2d(6, 4, (1, 4), padding=(0, 2)),
    "3 groups": nn.ConvTranspose2d(6, 9, 3, 2, groups=3),
    "depthwise": nn.ConvTranspose2d(6, 6, 4, 2, 1, groups=6, bias=False),
    "dilation 2": nn.ConvTranspose2d(6, 4, 3, stride=2, padding=2, dilation=2, output_padding=1),
    "stride 1": nn.ConvTranspose2d(6, 4, 3),
})
probes("linear", {
    "of a flattened image": nn.Sequential(nn.Flatten(), nn.Linear(6 * 35, 8)),
    "without bias": nn.Sequential(nn.Flatten(), nn.Linear(6 * 35, 8, bias=False)),
    "of a vector": on_vectors(nn.Linear(6, 8), nn.Tanh()),
    "of tokens": on_tokens(nn.Linear(6, 4)),
    "of tokens, without bias": on_tokens(nn.Linear(6, 4, bias=False)),
    "over tokens": nn.Sequential(nn.Flatten(2), nn.Linear(35, 3)),
    "of an image, channels last": nn.Sequential(Call(lambda x: x.permute(0, 2, 3, 1)), nn.Linear(6, 4)),
    "over the width": nn.Linear(7, 4),
    "functional": Parametrised((4, 6), lambda x, w: F.linear(x.mean((2, 3)), w)),
    "of one row": on_tokens(Call(lambda x: x[:, 3]), nn.Linear(6, 4)),
    "of the last row, flattened by hand": nn.Sequential(Call(lambda x: x[:, :, -1].reshape(x.shape[0], -1)),
                                                        nn.Linear(42, 6)),
    "shared by two places": nn.Sequential(Call(vector), *[nn.Linear(6, 6)] * 2),
    "shared by an image of one pixel and a vector": SharedByPools(),
    "matmul with a parameter": Parametrised((6, 4), lambda x, w: vector(x) @ w),
    "matmul of tokens with a parameter": Parametrised((6, 4), lambda x, w: torch.matmul(tokens(x), w)),
    "matmul with a parameter transposed": Parametrised((4, 6), lambda x, w: tokens(x) @ w.t()),
    "mm": Parametrised((6, 4), lambda x, w: torch.mm(vector(x), w)),
})
probes("product of two", {
    "bmm": lambda x: torch.bmm(x.flatten(2), tokens(x).tanh()),
    "attention by hand": lambda x: (x.flatten(2) @ tokens(x) / 6).softmax(-1) @ x.flatten(2),
    "attention in heads": attention_in_heads,
    "einsum of two": lambda x: torch.einsum("nchw,ndhw->ncd", x, x.tanh()),
    "einsum of two, nothing summed": lambda x: torch.einsum("nchw,nc->nwhc", x, vector(x)),
    "einsum with a matrix": Parametrised((6, 4), lambda x, w: torch.einsum("b c h w, c d -> b d h w", x, w)),
    "einsum with a matrix first": Parametrised((4, 6), lambda x, w: torch.einsum("dc,bchw->bhwd", w, x)),
    "MultiheadAttention": on_tokens(Attending(6, 3, batch_first=True)),
    "MultiheadAttention, tokens first, without bias": nn.Sequential(
        Call(lambda x: x.flatten(2).permute(2, 0, 1)), Attending(6, 2, bias=False), Call(lambda x: x.transpose(0, 1))),
    "TransformerEncoderLayer": on_tokens(nn.TransformerEncoderLayer(6, 2, 8, batch_first=True)),
    "global context": lambda x: torch.matmul(x.flatten(2), x[:, :1].flatten(2).softmax(-1).transpose(1, 2)),
})

# --- Pools -----------------------------------------------------------------------------------

probes("max pool", {
    "2": nn.MaxPool2d(2),
    "3, stride 2, padding 1": nn.MaxPool2d(3, 2, 1),
    "3, stride 1, overlapping": nn.MaxPool2d(3, 1),
    "ceil_mode": nn.MaxPool2d(2, ceil_mode=True),
    "ceil_mode with padding": nn.MaxPool2d(3, 2, 1, ceil_mode=True),
    "ceil_mode that begins no window in the padding": nn.MaxPool2d(2, 3, 1, ceil_mode=True),
    "(3, 2), stride (1, 2), padding (1, 0)": nn.MaxPool2d((3, 2), (1, 2), (1, 0)),
    "dilation 2": nn.MaxPool2d(3, 1, 1, dilation=2),
    "dilation (1, 2)": nn.MaxPool2d(2, (2, 1), dilation=(1, 2)),
    "functional": lambda x: F.max_pool2d(x, 3, 2, 1),
    "functional, rectangular": lambda x: F.max_pool2d(x, kernel_size=(1, 3), stride=(1, 2)),
    "of the whole image": lambda x: F.max_pool2d(x, x.shape[2:]),
    "adaptive, 3x2": nn.AdaptiveMaxPool2d((3, 2)),
    "adaptive, 1": nn.AdaptiveMaxPool2d(1),
    "adaptive, 5": nn.AdaptiveMaxPool2d(5),
    "adaptive, functional": lambda x: F.adaptive_max_pool2d(x, (2, 3)),
    "adaptive, larger than the image": nn.AdaptiveMaxPool2d((6, 9)),
    "amax": lambda x: x.amax((2, 3)),
    "amax of tokens, kept": lambda x: tokens(x).amax(1, keepdim=True),
    "of channels": lambda x: torch.max(x, 1)[0],
    "of channels, kept": lambda x: x.max(dim=1, keepdim=True).values,
    "of channels by amax": lambda x: x.amax(1, keepdim=True) * x,
    "of rows": lambda x: x.max(2)[0],
    "maxout": lambda x: x.view(x.size(0), 3, 2, 5, 7).max(2)[0],
    "of the smallest": lambda x: x.min(1, keepdim=True)[0],
    "of two": lambda x: torch.max(x[:, :3], x[:, 3:]),
    "of a tensor and zeros": lambda x: torch.max(x, torch.zeros(1).to(x)) + torch.max(torch.zeros_like(x) - 0.5, -x),
    "maximum": lambda x: torch.maximum(x, x.tanh() / 2),
    "minimum": lambda x: torch.minimum(x, -x.tanh()),
    "of two by split": lambda x: torch.max(*torch.split(x, 3, 1)),
})
probes("average pool", {
    "2": nn.AvgPool2d(2),
    "3, stride 2, padding 1": nn.AvgPool2d(3, 2, 1),
    "count_include_pad=False": nn.AvgPool2d(3, 1, 1, count_include_pad=False),
    "ceil_mode": nn.AvgPool2d(2, ceil_mode=True),
    "ceil_mode with padding": nn.AvgPool2d(3, 2, 1, ceil_mode=True),
    "ceil_mode, padding not counted": nn.AvgPool2d((2, 3), 2, (1, 1), ceil_mode=True, count_include_pad=False),
    "ceil_mode that begins no window in the padding": nn.AvgPool2d(2, 3, 1, ceil_mode=True),
    "1, stride 2": nn.AvgPool2d(1, stride=2),
    "(3, 2), stride (1, 2), padding (1, 0)": nn.AvgPool2d((3, 2), (1, 2), (1, 0)),
    "functional": lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False),
    "of the whole image": lambda x: F.avg_pool2d(x, (x.size(2), x.size(3))),
    "adaptive, 3x2": nn.AdaptiveAvgPool2d((3, 2)),
    "adaptive, 1": nn.AdaptiveAvgPool2d((1, 1)),
    "adaptive, 5": nn.AdaptiveAvgPool2d(5),
    "adaptive, one extent as it is": nn.AdaptiveAvgPool2d((None, 2)),
    "adaptive, larger than the image": nn.AdaptiveAvgPool2d((6, 9)),
    "adaptive, functional": lambda x: F.adaptive_avg_pool2d(x, (2, 3)),
    "divisor_override": nn.AvgPool2d(2, divisor_override=3),
})
probes("mean", {
    "of channels": lambda x: x.mean(1),
    "of channels, kept": lambda x: x.mean(1, keepdim=True),
    "of rows": lambda x: x.mean(2),
    "of rows, kept": lambda x: torch.mean(x, dim=2, keepdim=True),
    "of columns": lambda x: x.mean(-1),
    "of columns, kept": lambda x: x.mean(dim=3, keepdim=True),
    "of the image": lambda x: x.mean([2, 3]),
    "of the image, kept": lambda x: x.mean((-2, -1), keepdim=True),
    "of the image, one axis after the other": lambda x: x.mean(3).mean(2),
    "of channels and rows": lambda x: x.mean((1, 2)),
    "of channels and columns": lambda x: x.mean((1, 3)),
    "of tokens": lambda x: tokens(x).mean(1),
    "of the channels of tokens": lambda x: tokens(x).mean(-1),
    "of a flattened image": lambda x: x.view(x.size(0), x.size(1), -1).mean(-1),
    "sum": lambda x: x.sum((2, 3)),
    "sum of channels": lambda x: x.sum(dim=1, keepdim=True),
    "of vectors": lambda x: x - vector(x).mean(1)[:, None, None, None],
    "of vectors, kept": lambda x: vector(x) - vector(x).mean(1, keepdim=True),
    "of everything": lambda x: x * x.mean((1, 2, 3), keepdim=True),
    "sum of branches": lambda x: x.unflatten(1, (2, 3)).sum(1),
    "of groups of channels": lambda x: x.unflatten(1, (3, 2)).mean(2),
    "of stacked branches": lambda x: torch.stack([x, x.tanh(), x.sigmoid()]).mean(0),
    "sum of stacked branches, gated": lambda x: (torch.stack([x, x.tanh()], 0) * x.sigmoid().unsqueeze(0)).sum(0),
    "of what is permuted": lambda x: x.permute(1, 0, 2, 3).tanh().mean(3).permute(1, 0, 2),
    "variance": lambda x: x.var((2, 3)),
    "variance of channels, biased": lambda x: x.var(1, unbiased=False, keepdim=True),
    "variance and mean": lambda x: normalised_by(x, *torch.var_mean(x, (2, 3), keepdim=True)),
    "deviation": lambda x: x / (x.std((2, 3), keepdim=True) + 0.1),
    "norm": lambda x: x.norm(2, dim=1),
    "norm, torch": lambda x: torch.norm(x, p=2, dim=(2, 3), keepdim=True) * x,
    "norm of order 1": lambda x: x.norm(1, dim=1),
    "normalize": lambda x: F.normalize(x, dim=1),
    "normalize of vectors": lambda x: F.normalize(vector(x)),
    "lp_pool2d": lambda x: F.lp_pool2d(x, 2, (5, 7), stride=(5, 7)),
})

# --- Normalisation ---------------------------------------------------------------------------

probes("batchnorm", {
    "with its defaults": nn.BatchNorm2d(6),
    "momentum and eps": nn.BatchNorm2d(6, eps=0.03, momentum=0.3),
    "without weights": nn.BatchNorm2d(6, affine=False),
    "after a ReLU": nn.Sequential(nn.ReLU(), nn.BatchNorm2d(6), nn.ReLU()),
    "of vectors": on_vectors(nn.BatchNorm1d(6, eps=1e-3)),
    "of vectors, without weights": on_vectors(nn.BatchNorm1d(6, affine=False)),
    "before the linear layer": nn.Sequential(nn.Flatten(), nn.BatchNorm1d(210)),
    "twice the same": nn.Sequential(*[nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU()] * 2),
    "twice the same, without weights": nn.Sequential(*[nn.Conv2d(6, 6, 3), nn.BatchNorm2d(6, affine=False)] * 2),
    "three times the same, of vectors": nn.Sequential(Call(vector), *[nn.Linear(6, 6), nn.BatchNorm1d(6)] * 3),
})
probes("local response norm", {
    "of 5 channels": nn.LocalResponseNorm(5, alpha=0.3),
    "of 2 channels": nn.LocalResponseNorm(2, alpha=0.5, beta=0.6, k=2.0),
    "functional": lambda x: F.local_response_norm(x, 3, 0.2),
    "by avg_pool3d": lambda x: x.div(nn.AvgPool3d((3, 1, 1), 1, (1, 0, 0))(x.pow(2).unsqueeze(1)).squeeze(1).mul(
        0.3).add(1.0).pow(0.75)),
})
probes("group norm", {
    "2 groups": nn.GroupNorm(2, 6),
    "1 group": nn.GroupNorm(1, 6, eps=0.02),
    "as many groups as channels": nn.GroupNorm(6, 6),
    "without weights": nn.GroupNorm(3, 6, affine=False),
    "functional": lambda x: F.group_norm(x, 3),
})
probes("instance norm", {
    "with its defaults": nn.InstanceNorm2d(6),
    "affine": nn.InstanceNorm2d(6, affine=True, eps=0.01),
    "functional": F.instance_norm,
})
probes("layer norm", {
    "of tokens": on_tokens(nn.LayerNorm(6)),
    "of tokens, eps": on_tokens(nn.LayerNorm(6, eps=0.05)),
    "of tokens, without weights": on_tokens(nn.LayerNorm(6, elementwise_affine=False)),
    "of vectors": on_vectors(nn.LayerNorm(6)),
    "of images, channels last": nn.Sequential(Call(lambda x: x.permute(0, 2, 3, 1)), nn.LayerNorm(6)),
    "of channels first, by permuting": nn.Sequential(Call(lambda x: x.permute(0, 2, 3, 1)), nn.LayerNorm(6),
                                                     Call(lambda x: x.permute(0, 3, 1, 2)), nn.Conv2d(6, 3, 3)),
    "of whole images": nn.LayerNorm([6, 5, 7]),
    "of whole images, without weights": nn.LayerNorm([6, 5, 7], elementwise_affine=False, eps=1e-3),
    "functional": lambda x: F.layer_norm(x, x.shape[1:]),
    "over the width": nn.LayerNorm(7),
})
probes("normalisation with a mean by hand", {
    "less the mean of channels": lambda x: x - x.mean(1, keepdim=True),
    "less the mean of the image": lambda x: x - x.mean((2, 3), keepdim=True),
    "of rows": lambda x: normalised_by_hand(x, 2),
    "of images": lambda x: normalised_by_hand(x, (2, 3)),
    "global response": lambda x: x * (
        x.norm(2, (2, 3), keepdim=True) / (x.norm(2, (2, 3), keepdim=True).mean(1, True) + 1e-6)),
    "SimAM": lambda x: x * torch.sigmoid((x - x.mean((2, 3), keepdim=True)).pow(2) / (
        4 * (x.var((2, 3), keepdim=True) + 1e-4)) + 0.5),
})
