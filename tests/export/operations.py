"""Every operation that apps/export_torch.py knows, each alone: a convolution, the operation, a linear layer over all
elements that come out. Odd sizes, so that no axis can be taken for another.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from probes import OPERATIONS, Call, Parametrised, on_tokens, on_vectors, probe, probes, tokens, vector

__all__ = ["OPERATIONS"]



class MemoryEfficientSwish(torch.autograd.Function):
    """A function with a gradient of its own, which is that of what it computes."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        gate = torch.sigmoid(x)
        return dy * gate * (1 + x * (1 - gate))


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


def log_sum_exp(x):
    x = x.flatten(2)
    most, _ = torch.max(x, dim=2, keepdim=True)
    return most + (x - most).exp().sum(dim=2, keepdim=True).log()


def normalised_by_hand(x, axes):
    less = x - x.mean(axes, keepdim=True)
    return less / torch.sqrt(less.pow(2).mean(axes, keepdim=True) + 1e-3)


def normalised_by(x, variance, mean):
    return (x - mean) / torch.sqrt(variance + 1e-3)


def involution(x):
    """Li et al., 2021, Involution: weights of each pixel's window, made of the pixel."""
    weights = x[:, :1].sigmoid().expand(-1, 9, -1, -1) * x.tanh().mean(1, keepdim=True)
    windows = F.unfold(x, 3, padding=1).view(x.shape[0], 6, 9, 5, 7)
    return (weights.unsqueeze(1) * windows).sum(dim=2)


def attention_in_heads(x):
    """Three heads of two channels; queries, keys and values by a permutation that puts them first."""
    q, k, v = torch.stack([x, x.tanh(), x.sigmoid()], 1).flatten(3).view(x.shape[0], 3, 3, 2, 35).permute(1, 0, 2, 4, 3)
    return ((q @ k.transpose(-2, -1)) * 0.7).softmax(dim=-1) @ v


def setting(x, key, value):
    y = 1.5 * x
    y[key] = value
    return y


def adding_to_channels(x):
    y = 1.5 * x
    y[:, 1:3] += x[:, 3:5]
    return y


def shifted_channels(x):
    out = torch.zeros_like(x)
    out[:, :2, :, :-1] = x[:, :2, :, 1:]
    out[:, 2:4, 1:, :] = x[:, 2:4, :-1, :]
    out[:, 4:] = x[:, 4:]
    return out


# --- Activations -----------------------------------------------------------------------------

probes("activation", {
    "ReLU": nn.ReLU(),
    "ReLU in place": nn.ReLU(inplace=True),
    "relu": torch.relu,
    "F.relu_": F.relu_,
    "x.relu()": lambda x: x.relu(),
    "clamp(min=0)": lambda x: x.clamp(min=0),
    "clamp_min": lambda x: torch.clamp_min(x, 0),
    "ReLU6": nn.ReLU6(),
    "F.relu6": F.relu6,
    "Hardtanh(0, 6)": nn.Hardtanh(0., 6.),
    "clamp(0, 6)": lambda x: torch.clamp(x, 0, 6),
    "LeakyReLU": nn.LeakyReLU(),
    "LeakyReLU(0.2)": nn.LeakyReLU(0.2, inplace=True),
    "leaky_relu(0.3)": lambda x: F.leaky_relu(x, 0.3),
    "leaky_relu(negative_slope)": lambda x: F.leaky_relu(x, negative_slope=0.05, inplace=True),
    "ELU": nn.ELU(),
    "ELU(0.7)": nn.ELU(alpha=0.7),
    "elu(1.5)": lambda x: F.elu(x, 1.5),
    "GELU": nn.GELU(),
    "gelu": F.gelu,
    "GELU by tanh": nn.GELU(approximate="tanh"),
    "gelu by tanh": lambda x: F.gelu(x, approximate="tanh"),
    "SiLU": nn.SiLU(inplace=True),
    "silu": F.silu,
    "swish by hand": lambda x: x * torch.sigmoid(x),
    "swish in place": lambda x: x.mul_(x.sigmoid()),
    "Mish": nn.Mish(),
    "mish by hand": lambda x: x * torch.tanh(F.softplus(x)),
    "Softplus": nn.Softplus(),
    "Softplus(2, 0.5)": nn.Softplus(beta=2, threshold=0.5),
    "softplus(3)": lambda x: F.softplus(x, 3),
    "Sigmoid": nn.Sigmoid(),
    "sigmoid_": lambda x: x.sigmoid_(),
    "Tanh": nn.Tanh(),
    "x.tanh()": lambda x: x.tanh(),
    "Hardswish": nn.Hardswish(),
    "hardswish": F.hardswish,
    "hardswish by hand": lambda x: x * F.relu6(x + 3) / 6,
    "Hardsigmoid": nn.Hardsigmoid(),
    "hardsigmoid": lambda x: F.hardsigmoid(x),
    "hardsigmoid by hand": lambda x: F.relu6(x + 3., inplace=True) * 0.16666667,
    "SELU": nn.SELU(),
    "CELU(2)": nn.CELU(2.0),  # PyTorch 1.13 has 1 / alpha in single precision
    "LogSigmoid": nn.LogSigmoid(),
    "Tanhshrink": nn.Tanhshrink(),
    "GLU": nn.GLU(dim=1),
    "of a vector": on_vectors(nn.SiLU()),
    "of tokens": on_tokens(nn.GELU(), nn.ELU()),
    "gelu by erf": lambda x: x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0))),
    "gelu by erf, of a multiple": lambda x: (3 * x) * 0.5 * (1.0 + torch.erf((3 * x) / math.sqrt(2.0))),
    "gelu by erf, otherwise": lambda x: 0.5 * (1 + (x / 1.41421356237).erf()) * x,
    "exp": lambda x: torch.exp(x / 3),
    "log": lambda x: (x * x + 0.2).log(),
    "mish by hand, without softplus": lambda x: x * torch.tanh(torch.log(1 + torch.exp(x))),
    "PReLU of channels": nn.PReLU(6),
    "PReLU of all": nn.PReLU(),
    "PReLU of vectors": on_vectors(nn.PReLU(6)),
    "PReLU twice": nn.Sequential(*[nn.PReLU(6)] * 2),
    "abs": lambda x: torch.abs(x) + x.abs() / 2,
    "Softsign": nn.Softsign(),
    "clamp on both sides": lambda x: x.clamp(-0.6, 0.7),
    "Hardtanh": nn.Hardtanh(),
    "clamp from below": lambda x: torch.clamp(x, min=-0.3),
    "clamp from above": lambda x: x.clamp_max(0.4),
    "memory-efficient swish": MemoryEfficientSwish.apply,
})
probes("softmax", {
    "of channels": lambda x: F.softmax(x, dim=1) * x,
    "of rows": lambda x: x.softmax(2),
    "of two branches": lambda x: torch.softmax(x.unflatten(1, (2, 3)), 1).flatten(1, 2) * x,
    "of three branches": lambda x: torch.softmax(x.unflatten(1, (3, 2)).mean((3, 4)), 1).flatten(1),
    "of places": lambda x: F.softmax(x.flatten(2), dim=-1).view_as(x) * x,
    "of vectors": on_vectors(nn.Softmax(dim=1)),
    "Softmax2d": nn.Softmax2d(),
    "Softmin": nn.Softmin(dim=1),
    "of far numbers": lambda x: torch.softmax(90 * x.tanh(), 1),
    "logsumexp": lambda x: torch.logsumexp(x, (2, 3)),
    "logsumexp by hand": log_sum_exp,
    "of stacked branches": lambda x: (torch.stack([x.tanh(), x.sigmoid()]) * torch.stack([x, -x]).softmax(0)).sum(0),
})

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

# --- Arithmetic ------------------------------------------------------------------------------

probes("arithmetic", {
    "sum": lambda x: x + torch.tanh(x),
    "sum in place": lambda x: (2 * x).add_(x.tanh()),
    "difference": lambda x: x - torch.tanh(x),
    "torch.sub": lambda x: torch.sub(torch.sigmoid(x), x),
    "product": lambda x: x * torch.tanh(x),
    "product in place": lambda x: (2 * x).mul_(x.tanh()),
    "square": lambda x: x * x,
    "torch.square": torch.square,
    "pow(2)": lambda x: x.pow(2),
    "power of 2": lambda x: x ** 2,
    "twice": lambda x: x + x,
    "difference of slices": lambda x: x[:, :3] - x[:, 3:],
    "torch.add": lambda x: torch.add(x, torch.tanh(x)),
    "torch.add with alpha": lambda x: torch.add(x, torch.tanh(x), alpha=0.5),
    "torch.sub with alpha": lambda x: torch.sub(x.tanh(), 2, alpha=0.3),
    "torch.mul": lambda x: torch.mul(x, 0.3),
    "by keywords": lambda x: torch.add(input=x, other=torch.mean(input=x, dim=1, keepdim=True)),
    "sum of three": lambda x: sum([x, x.tanh(), x.sigmoid()]),
    "numbers": lambda x: 2.5 * x + 1,
    "one less x": lambda x: 1 - x,
    "one less sigmoid": lambda x: (1.0 - torch.sigmoid(x)) * x,
    "less a number": lambda x: x - 0.5,
    "half": lambda x: x / 2,
    "a third, in place": lambda x: x.div_(3),
    "negative": lambda x: -x,
    "torch.neg": torch.neg,
    "numbers in place": lambda x: x.add_(0.1).mul_(1.1),
    "a tensor of one number": lambda x: x * torch.tensor(0.75, dtype=x.dtype),
    "quotient": lambda x: x / (1 + torch.sigmoid(x)),
    "quotient in place": lambda x: (2 * x).div_(x.exp() + 1),
    "number by x": lambda x: 1.5 / (x * x + 0.5),
    "reciprocal": lambda x: torch.reciprocal(x.exp()),
    "quotient by a gate": lambda x: x / (1 + x.mean(1, keepdim=True) ** 2),
    "quotient of a gate": lambda x: x.mean((2, 3), keepdim=True) / (x ** 2 + 1),
    "root": lambda x: torch.sqrt(x * x + 1),
    "rsqrt": lambda x: x * (x * x + 0.1).rsqrt(),
    "cube": lambda x: x.pow(3),
    "power of 1.5": lambda x: (x * x + 0.1) ** 1.5,
    "power of -0.75": lambda x: torch.pow(x * x + 0.1, -0.75),
    "constants of channels": lambda x: (x - x.new_tensor([1, 2, 2, 3, 0, -1]).view(1, -1, 1, 1)) / torch.tensor(
        [1, 2, 2, 4, 4, 5.], dtype=x.dtype).view(-1, 1, 1),
    "constants of columns": lambda x: torch.tensor([1, 2, 3, 4, 3, 2, 1.], dtype=x.dtype) - x,
    "rows by columns": lambda x: x.mean(2, keepdim=True) * x.mean(3, keepdim=True),
    "channels by places, expanded": lambda x: 1 + torch.sigmoid(
        vector(x)[..., None, None].expand_as(x) * x.mean(1, keepdim=True).expand_as(x)),
    "of five axes": lambda x: x.unflatten(1, (2, 3)) * x.unflatten(1, (2, 3)).mean((1, 3), keepdim=True),
})
probes("gate", {
    "of channels": lambda x: x * torch.sigmoid(x.mean((2, 3), keepdim=True)),
    "of channels, first": lambda x: torch.sigmoid(F.adaptive_avg_pool2d(x, 1)) * x,
    "of channels, expanded": lambda x: x * x.mean((2, 3)).view(x.size(0), -1, 1, 1).expand_as(x),
    "of channels, added": lambda x: x + x.mean((2, 3))[:, :, None, None],
    "of channels, subtracted": lambda x: F.adaptive_max_pool2d(x, 1) - x,
    "of places": lambda x: x * torch.sigmoid(x.mean(1, keepdim=True)),
    "of places, by a slice": lambda x: x * x[:, :1],
    "of places, added": lambda x: x[:, 2:3] + x,
    "of places, subtracted": lambda x: x[:, 2:3] - x,
    "of rows": lambda x: x * torch.sigmoid(x.mean(3, keepdim=True)),
    "of columns": lambda x: x * torch.sigmoid(x.mean((1, 2), keepdim=True)),
    "of tokens": lambda x: tokens(x) * tokens(x).mean(-1, keepdim=True),
    "of the channels of tokens": lambda x: tokens(x) * tokens(x).mean(1, keepdim=True).tanh(),
    "of groups of channels": lambda x: x.unflatten(1, (2, 3)) * x.mean((2, 3)).sigmoid().view(x.size(0), 2, 3, 1, 1),
    "of tokens, subtracted": lambda x: tokens(x).mean(1, keepdim=True) - tokens(x),
    "of halves": lambda x: x[:, :3] * torch.sigmoid(x[:, 3:]),
})
probes("parameter", {
    "[C, 1, 1]": Parametrised((6, 1, 1), lambda x, p: p * x),
    "[1, C, 1, 1]": Parametrised((1, 6, 1, 1), lambda x, p: x * p),
    "[C], channels last": Parametrised((6,), lambda x, p: p * x.permute(0, 2, 3, 1)),
    "[C], with axes by None": Parametrised((6,), lambda x, p: x * p[None, :, None, None]),
    "[H, W], with an axis by None": Parametrised((5, 7), lambda x, p: x * p[None]),
    "[C], viewed": Parametrised((6,), lambda x, p: x + p.view(1, -1, 1, 1)),
    "[C], of tokens": Parametrised((6,), lambda x, p: tokens(x) * p),
    "[C], of vectors": Parametrised((6,), lambda x, p: x.mean((2, 3)) * p),
    "scalar": Parametrised((), lambda x, p: p * x.tanh() + x),
    "[1]": Parametrised((1,), lambda x, p: x + p),
    "[C, H, W]": Parametrised((6, 5, 7), lambda x, p: x * p),
    "[1, C, H, W], added": Parametrised((1, 6, 5, 7), lambda x, p: x.tanh() + p),
    "[C, H, W], multiplied in place": Parametrised((6, 5, 7), lambda x, p: x.mul_(p)),
    "[1, 1, H, W]": Parametrised((1, 1, 5, 7), lambda x, p: x * p),
    "[H, 1]": Parametrised((5, 1), lambda x, p: x * p),
    "[W]": Parametrised((7,), lambda x, p: x + p),
    "[1, T, C], position embedding": Parametrised((1, 35, 6), lambda x, p: tokens(x).tanh() + p),
    "[H, W, C], channels last": Parametrised((5, 7, 6), lambda x, p: x.permute(0, 2, 3, 1) * p),
    "[T, C]": Parametrised((35, 6), lambda x, p: tokens(x) * p),
    "subtracted": Parametrised((6, 1, 1), lambda x, p: x - p),
    "subtracted from": Parametrised((6, 1, 1), lambda x, p: p - x.tanh()),
    "twice the same": Parametrised((6, 1, 1), lambda x, p: (x * p).tanh() * p),
    "a part": Parametrised((8, 1, 1), lambda x, p: x * p[1:7]),
    "picked by places": Parametrised((4,), lambda x, p: x.tanh() + p[torch.tensor([0, 1, 1, 3, 2, 0])].view(6, 1, 1)),
    "multiplied and added": Parametrised((6, 1, 1), lambda x, p: (x * p).tanh() + p),
    "divided by": Parametrised((6, 1, 1), lambda x, p: x / p),
    "divided": Parametrised((1, 6, 1, 1), lambda x, p: p / (1 + x.mean((1, 2, 3), keepdim=True) ** 2)),
    "larger": Parametrised((6, 5, 7), lambda x, p: x.mean((2, 3), keepdim=True) * p),
    "exponential": Parametrised((6,), lambda x, p: x * p.exp().view(1, -1, 1, 1)),
    "gate of a number": Parametrised((2,), lambda x, p: torch.sigmoid(p[0]) * x + (1 - torch.sigmoid(p[1])) * x.tanh()),
    "weights of branches by a softmax": Parametrised((3,), lambda x, p: sum(
        weight * branch for weight, branch in zip(F.softmax(p, 0), (x, x.tanh(), x.sigmoid())))),
    "weights of branches, normalised": Parametrised((2,), lambda x, p: (F.relu(p)[0] * x + F.relu(p)[1] * x.tanh()) / (
        F.relu(p).sum() + 1e-4)),
    "generalised mean": Parametrised((1,), lambda x, p: x.clamp(min=0.01).pow(p).mean((2, 3)).pow(1. / p)),
    "less a softplus": Parametrised((6, 1, 1), lambda x, p: F.softplus(p) - x),
    "class token": Parametrised((1, 1, 6), lambda x, p: torch.cat([p.expand(x.shape[0], -1, -1), tokens(x)], 1)),
    "many class tokens": Parametrised((1, 40, 6), lambda x, p: torch.cat([tokens(x), p.expand(x.shape[0], -1, -1)], 1)),
})

# --- The order of elements -------------------------------------------------------------------

probes("order", {
    "flatten": nn.Flatten(),
    "flatten by keywords": lambda x: torch.flatten(input=x, start_dim=1),
    "view": lambda x: x.view(x.size(0), -1),
    "reshape": lambda x: x.reshape(-1, 210),
    "flatten of channels last": lambda x: x.permute(0, 2, 3, 1).flatten(1),
    "permute, convolved": nn.Sequential(Call(lambda x: x.permute(0, 2, 1, 3)), nn.Conv2d(5, 4, 3)),
    "transposed image": nn.Sequential(Call(lambda x: x.transpose(2, 3)), nn.Conv2d(6, 4, 3)),
    "width as channels": nn.Sequential(Call(lambda x: x.permute(0, 3, 1, 2).contiguous()), nn.Conv2d(7, 4, 3)),
    "channel shuffle": nn.Sequential(nn.ChannelShuffle(3), nn.Conv2d(6, 4, 3)),
    "channel shuffle by views": nn.Sequential(
        Call(lambda x: x.view(x.shape[0], 2, 3, 5, 7).transpose(1, 2).contiguous().view(x.shape[0], -1, 5, 7)),
        nn.Conv2d(6, 4, 3)),
    "unflatten": nn.Sequential(nn.Flatten(), nn.Unflatten(1, (6, 5, 7)), nn.Conv2d(6, 4, 3)),
    "reinterpreted": nn.Sequential(Call(lambda x: x.reshape(x.shape[0], 5, 6, 7)), nn.Conv2d(5, 4, 3)),
    "tokens and back": nn.Sequential(Call(lambda x: tokens(x).tanh().transpose(1, 2).reshape(x.shape)),
                                     nn.Conv2d(6, 4, 3)),
    "flip": nn.Sequential(Call(lambda x: torch.flip(x, [3])), nn.Conv2d(6, 4, 3)),
    "flip of two axes, added": lambda x: x.tanh() + x.flip(2, 3),
    "squeezed": lambda x: F.adaptive_avg_pool2d(x, 1).squeeze(),
    "every second pixel": lambda x: x[:, :, ::2, ::2],
    "from the second pixel on": lambda x: x[:, :, 1:, 1:].tanh(),
    "every second pixel from the second on": lambda x: x[..., 1::2, 1::3],
    "the last channels": lambda x: x[:, -2:],
    "every third channel": nn.Sequential(Call(lambda x: x[:, 1::3]), nn.Conv2d(2, 4, 3)),
    "one channel": lambda x: x[:, 2],
    "one row": lambda x: x[:, :, 2],
    "narrow": lambda x: x.narrow(1, 1, 4).sigmoid(),
    "select": lambda x: torch.select(x, 1, 3).tanh(),
    "windows by F.unfold": lambda x: F.unfold(x, 3, padding=1, stride=2).tanh(),
    "windows by nn.Unfold, (2, 3)": nn.Unfold((2, 3), dilation=(1, 2)),
    "windows by x.unfold": lambda x: x.unfold(2, 2, 2).unfold(3, 3, 2).contiguous().flatten(1, 3).tanh(),
    "involution": involution,
    "channels picked by places": nn.Sequential(Call(lambda x: x[:, torch.tensor([0, 2, 1, 3, 3, 5])]),
                                               nn.Conv2d(6, 4, 3)),
    "index_select": lambda x: torch.index_select(x, 1, torch.tensor([5, 0, 1, 4])).tanh(),
    "roll of rows": lambda x: F.max_pool2d(torch.roll(x, 1, 2), 2),
    "roll of rows and columns": nn.Sequential(Call(lambda x: torch.roll(x, (1, -2), (2, 3))), nn.Conv2d(6, 4, 3)),
    "repeat": nn.Sequential(Call(lambda x: x.repeat(1, 2, 1, 1)), nn.Conv2d(12, 4, 3)),
    "repeat_interleave": nn.Sequential(Call(lambda x: x.repeat_interleave(2, 1)), nn.Conv2d(12, 4, 3)),
    "expand, convolved": nn.Sequential(Call(lambda x: x[:, :1].expand(-1, 4, -1, -1)), nn.Conv2d(4, 3, 3)),
    "squeeze_ and unsqueeze_": lambda x: (x.mean((2, 3), keepdim=True).squeeze_(3).squeeze_(2).unsqueeze_(1) * 2
                                          ).tanh(),
    "elements set to a number": lambda x: setting(x, (slice(None), slice(None), 0), 0.5),
    "channels set": lambda x: setting(x, (slice(None), slice(1, 3)), x[:, 4:].sigmoid()),
    "channels added to": adding_to_channels,
    "channels moved by one pixel": shifted_channels,
    "patches by views": nn.Sequential(
        Call(lambda x: x[:, :, :4, :6].reshape(x.shape[0], 6, 2, 2, 3, 2).permute(0, 2, 4, 3, 5, 1).reshape(
            x.shape[0], 6, 24)),
        nn.Linear(24, 5), nn.GELU()),
})
probe("order: space to depth", nn.Sequential(
    Call(lambda x: torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)),
    nn.Conv2d(24, 4, 3, padding=1)), image=(4, 6, 3))
probes("pixel shuffle", {
    "2": nn.PixelShuffle(2),
    "2, convolved": nn.Sequential(nn.PixelShuffle(2), nn.Conv2d(2, 3, 3)),
    "functional": lambda x: F.pixel_shuffle(x, 2),
}, channels=8)
probe("pixel unshuffle: 2", nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(20, 3, 2)), 5, (4, 6, 3))
probes("parts", {
    "chunk": lambda x: x[:, 1:].chunk(2, 1)[1] * x[:, 1:].chunk(2, 1)[0],
    "chunk, uneven": lambda x: torch.cat([part.tanh() for part in torch.chunk(x, 4, dim=1)][::-1], 1),
    "split": lambda x: torch.cat(torch.split(x, 2, dim=1)[::-1], 1),
    "split, uneven": lambda x: torch.cat([part.sigmoid() for part in torch.split(x, [1, 3, 3], dim=1)], 1),
    "unbind": lambda x: x.unbind(1)[0] * x.unbind(1)[3],
    "tensor_split": lambda x: torch.tensor_split(x, 3, dim=1)[2].tanh(),
    "chunk of columns": lambda x: x.chunk(2, 3)[1].tanh(),
    "added to a part": lambda x: torch.cat([x[:, :2] + x[:, 2:4], x[:, 4:]], 1),
}, channels=7)
probes("concatenation", {
    "of two": lambda x: torch.cat([x, x.tanh()], 1),
    "of three": lambda x: torch.cat((x.sigmoid(), x, x[:, :2].tanh()), dim=1),
    "of one and the same": lambda x: torch.cat([x, x], 1),
    "of one": lambda x: torch.cat([x.tanh()], 1),
    "of vectors": lambda x: torch.cat([x.mean((2, 3)), F.adaptive_max_pool2d(x, 1).flatten(1)], dim=1),
    "of vectors, convolved": nn.Sequential(
        Call(lambda x: torch.cat([F.adaptive_avg_pool2d(x, 1), F.adaptive_max_pool2d(x, 1)], 1)), nn.Conv2d(12, 4, 1)),
    "of tokens, along the channels": lambda x: torch.cat([tokens(x), tokens(x).tanh()], -1),
    "with coordinates": lambda x: torch.cat([x, torch.linspace(-1, 1, 7).expand(x.shape[0], 1, 5, 7)], 1),
    "with zeros": lambda x: torch.cat([x.tanh(), torch.zeros_like(x[:, :2])], 1),
    "with zeros before": lambda x: torch.cat([x.new_zeros(x.shape[0], 3, 5, 7), x], 1),
    "of rows": lambda x: torch.cat([x, x.tanh()], 2),
    "of columns": lambda x: torch.cat([x[..., 3:], x[..., :3].tanh()], 3),
    "stack": lambda x: torch.stack([x, x.tanh()], 1),
    "stack, shuffled": nn.Sequential(Call(lambda x: torch.stack([x, x.tanh()], 2).flatten(1, 2)), nn.Conv2d(12, 4, 3)),
})
probes("padding", {
    "of one pixel": nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(6, 4, 3)),
    "asymmetric": nn.ZeroPad2d((0, 1, 2, 0)),
    "negative": nn.ZeroPad2d((-1, -2, -1, 0)),
    "of both signs": lambda x: F.pad(x, (1, -1, -2, 3)),
    "of channels": lambda x: F.pad(x.tanh(), (0, 0, 0, 0, 1, 2)),
    "of channels behind": nn.Sequential(Call(lambda x: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 3), "constant", 0)),
                                        nn.Conv2d(9, 4, 2)),
    "of channels, cut": lambda x: F.pad(x, (0, 0, 0, 0, -1, -2)),
    "of the batch by nothing": lambda x: F.pad(x, (1, 1)),
    "ConstantPad2d of zeros": nn.ConstantPad2d((1, 0, 0, 2), 0.),
    "of vectors": lambda x: F.pad(x.mean((2, 3)), (1, 2)),
    "of a number": nn.ConstantPad2d((1, 0, 2, 1), 0.7),
    "reflection": nn.Sequential(nn.ReflectionPad2d((1, 2, 3, 1)), nn.Conv2d(6, 4, 3)),
    "replication": nn.ReplicationPad2d(2),
    "circular": nn.Conv2d(6, 4, 3, padding=1, padding_mode="circular"),
    "reflection of a convolution": nn.Conv2d(6, 4, 3, padding=1, padding_mode="reflect"),
})
probes("resize", {
    "nearest, by 2": nn.Upsample(scale_factor=2),
    "nearest, by (3, 2)": nn.Upsample(scale_factor=(3, 2), mode="nearest"),
    "nearest, to a size": lambda x: F.interpolate(x, size=(9, 8)),
    "nearest, smaller": lambda x: F.interpolate(x, size=(3, 4), mode="nearest"),
    "nearest, to one size": lambda x: F.interpolate(x, 6),
    "nearest, by 1.5": lambda x: F.interpolate(x, scale_factor=1.5),
    "nearest, by 0.5": lambda x: F.interpolate(x, scale_factor=0.5, recompute_scale_factor=True),
    "bilinear, by 2": nn.Upsample(scale_factor=2, mode="bilinear"),
    "bilinear, by 2, corners aligned": nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
    "bilinear, to a size": lambda x: F.interpolate(x, size=(8, 11), mode="bilinear", align_corners=False),
    "bilinear, to a size, corners aligned": lambda x: F.interpolate(x, (4, 9), mode="bilinear", align_corners=True),
    "bilinear, smaller": lambda x: F.interpolate(x, size=(3, 4), mode="bilinear"),
    "bilinear, UpsamplingBilinear2d": nn.UpsamplingBilinear2d(scale_factor=2),
    "nearest, UpsamplingNearest2d": nn.UpsamplingNearest2d(size=(10, 14)),
    "nearest-exact, by 2": lambda x: F.interpolate(x, scale_factor=2, mode="nearest-exact"),
    "area": lambda x: F.interpolate(x, size=(3, 2), mode="area"),
})

# --- What is of training alone, or of nothing ------------------------------------------------

probes("dropout", {
    "of elements": nn.Dropout(0.3),
    "of channels": nn.Dropout2d(0.2),
    "of a vector": on_vectors(nn.Dropout(0.5, inplace=True)),
    "of tokens": on_tokens(nn.Dropout(0.1)),
    "functional, in training": lambda x: F.dropout(x, 0.5, training=False),
    "of rate 0": nn.Dropout(0.0),
    "alpha dropout, left out": nn.AlphaDropout(0.2),
})
probes("no operation", {
    "Identity": nn.Identity(),
    "an empty Sequential": nn.Sequential(),
    "clone": lambda x: x.clone().relu_() + x.tanh(),
    "a slice of everything": lambda x: x[:].tanh(),
    "an ellipsis": lambda x: x[...].tanh(),
    "contiguous": lambda x: x.contiguous(memory_format=torch.channels_last),
    "contiguous, changed in place": lambda x: F.relu(x.contiguous(), inplace=True) + x,
    "to": lambda x: x.to(x.dtype),
    "sizes of data": lambda x: x.view(x.data.size(0), -1, x.detach().shape[3]).tanh(),
    "a shape that is asserted": lambda x: x if x.shape[1:] == (6, 5, 7) and x.dim() == 4 and len(x) else None,
})
