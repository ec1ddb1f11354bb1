"""Activation functions that a file spells out, GELU by Erf, Swish by Sigmoid and Mul, recognised by their values. Part
of export_torch.py.

A curve is the values, at the points of GRID, of a function of one number: what a chain of element-wise operators with
numbers computes. However a file writes a function, its curve is the same.
"""

import numpy
import torch
from torch.nn import functional as F

# Small arguments, where activations differ, and large ones, where clipping would.
_POSITIVE = numpy.concatenate([numpy.linspace(0.03, 12, 97), numpy.logspace(-8, -2, 7), numpy.logspace(1.2, 30, 41)])
GRID = numpy.sort(numpy.concatenate([-_POSITIVE, [0.0], _POSITIVE]))
TOLERANCE = 2e-6  # numbers in a file are in single precision

KNOWN = {
    "relu": F.relu,
    "relu6": F.relu6,
    "gelu": F.gelu,
    "gelu by tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "mish": F.mish,
    "softplus": F.softplus,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "elu": F.elu,
    "selu": F.selu,
    "log_sigmoid": F.logsigmoid,
    "square": lambda x: x * x,
}


def curve_of(function):
    return function(torch.from_numpy(GRID)).numpy()


CURVES = {name: curve_of(function) for name, function in KNOWN.items()}


def alike(curve, other):
    """Whether two curves agree wherever both are finite; the files' own overflow where exp does."""
    both = numpy.isfinite(curve) & numpy.isfinite(other)
    middle = abs(GRID) < 12
    if not both[middle].all():
        return False
    return bool((abs(curve - other)[both] <= TOLERANCE * numpy.maximum(1, abs(other[both]))).all())


def recognised(curve):
    """The function of torch's that has this curve, or None."""
    for name, other in CURVES.items():
        if alike(curve, other):
            return KNOWN[name]
    place = numpy.searchsorted(GRID, -1.0)
    leaky = float(str(numpy.float32(curve[place] / GRID[place])))
    if 0 < leaky < 1 and alike(curve, numpy.where(GRID < 0, leaky * GRID, GRID)):
        return lambda x: F.leaky_relu(x, leaky)
    return None
