"""Operations that apps/export_torch.py knows, each alone: activations and arithmetic."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from probes import Parametrised, on_tokens, on_vectors, probes, tokens, vector


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


def log_sum_exp(x):
    x = x.flatten(2)
    most, _ = torch.max(x, dim=2, keepdim=True)
    return most + (x - most).exp().sum(dim=2, keepdim=True).log()


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
