"""Arithmetic and activation functions of ONNX, as calls of torch's functions. Part of export_torch.py."""

import math

import torch
from torch.nn import functional as F

from .onnx_constants import Refusal, bounds
from .onnx_patterns import FINAL_SOFTMAX
from .onnx_values import Constant, Images, extents, fixed, handles, plain

# Those that work element by element, with numbers or with tensors of the same shape.
ELEMENTWISE = {"Add", "Sub", "Mul", "Div", "Pow", "Neg", "Abs", "Sqrt", "Exp", "Log", "Erf", "Reciprocal", "Tanh",
               "Sigmoid", "Relu", "Softplus", "Max", "Min", "Sum", "Mean", "Clip", "HardSigmoid", "LeakyRelu"}


def aligned(run, a, b):
    """Two values' tensors with the same axes, and whether the result is merged."""
    if a.merged == b.merged and a.tensor.dim() == b.tensor.dim():
        if a.merged and run.declared != 1 and a.tensor.shape[1] != b.tensor.shape[1]:
            raise Refusal(f"combines tensors {extents(run, a)} and {extents(run, b)}")
        return a.tensor, b.tensor, a.merged
    if run.declared != 1:
        raise Refusal(f"combines tensors {extents(run, a)} and {extents(run, b)}, whose axes of images do not meet")
    ranks = [value.tensor.dim() - value.merged for value in (a, b)]
    merged = all(value.merged for value, rank in zip((a, b), ranks) if rank == max(ranks))
    tensors = []
    for value in (a, b):
        own = list(value.tensor.shape[1:])
        tensors.append(value.tensor.reshape(run.count, *[1] * (max(ranks) - (not merged) - len(own)), *own))
    return (*tensors, merged)


def combined(run, node, a, b, function):
    """What a function makes of two values, one of which may be a number or a parameter."""
    if isinstance(a, Images) and isinstance(b, Images):
        first, second, merged = aligned(run, a, b)
        return Images(function(first, second), merged)
    x, constant = (a, b) if isinstance(a, Images) else (b, a)
    rank = x.tensor.dim() - x.merged
    other, array = run.number(constant, noted=True), constant.array
    if array.ndim > rank or (array.ndim == rank and array.shape[0] != 1 and run.declared != 1):
        raise Refusal(f"combines a tensor {extents(run, x)} and a constant {list(array.shape)}")
    if other is None:
        other = run.loose_parameter(node, constant)
    elif any(extent not in (1, had) for extent, had in zip(array.shape[::-1], extents(run, x)[::-1])):
        raise Refusal(f"repeats a tensor {extents(run, x)} for a constant {list(array.shape)}")
    return Images(function(x.tensor, other) if x is a else function(other, x.tensor), x.merged)


@handles("Add")
def add(run, node, a, b):
    return combined(run, node, a, b, lambda x, y: x + y)


@handles("Sub")
def subtract(run, node, a, b):
    return combined(run, node, a, b, lambda x, y: x - y)


@handles("Mul")
def multiply(run, node, a, b):
    return combined(run, node, a, b, lambda x, y: x * y)


@handles("Div")
def divide(run, node, a, b):
    if isinstance(b, Images):
        raise Refusal("divides by a tensor of the images: by a number alone, or as a LayerNorm")
    if run.number(b) is None:
        array = b.array
        if array.dtype.kind != "f" or not array.all():
            raise Refusal("divides by zero")
        inverse = Constant(1 / array, b.origin, b.source)
        run.note_once(f"'{node.name}' divides by '{b.source or node.inputs[1]}': the graph's parameter is its inverse")
        return combined(run, node, a, inverse, lambda x, y: x * y)
    return combined(run, node, a, b, lambda x, y: x / y)


@handles("Sum")
def total(run, node, *values):
    result = values[0]
    for value in values[1:]:
        result = add(run, node, result, value)
    return result


@handles("Mean")
def mean_of(run, node, *values):
    result = total(run, node, *values)
    return Images(result.tensor / len(values), result.merged) if len(values) > 1 else result


@handles("Neg")
def negate(_run, _node, x):
    return Images(-x.tensor, x.merged)


@handles("Pow")
def power(run, _node, x, exponent):
    number = run.number(exponent) if not isinstance(exponent, Images) and isinstance(x, Images) else None
    if number not in (1, 2, 3, 4):
        raise Refusal("a power: of 2, 3 and 4 alone")
    result = x.tensor
    for _ in range(int(number) - 1):
        result = result * x.tensor
    return Images(result, x.merged)


# --- Activations -----------------------------------------------------------------------------


def activation(*names, function):
    @handles(*names)
    def handler(_run, node, x):
        return Images(function(x.tensor, node.attributes), x.merged)


def hard_sigmoid(x, attributes):
    slope, offset = attributes.get("alpha", 0.2), attributes.get("beta", 0.5)
    if abs(slope - 1 / 6) < 1e-7 and offset == 0.5:
        return F.hardsigmoid(x)
    return F.relu6((x * slope + offset) * 6) / 6


def elu(x, attributes):
    return F.elu(x, attributes.get("alpha", 1.0))


def selu(x, attributes):
    alpha, gamma = attributes.get("alpha", 1.67326319), attributes.get("gamma", 1.05070102)
    if abs(alpha - 1.67326319) < 1e-5 and abs(gamma - 1.05070102) < 1e-5:
        return F.selu(x)
    return F.elu(x, alpha) * gamma


for _name, _function in {
        "Relu": lambda x, _: F.relu(x),
        "Sigmoid": lambda x, _: torch.sigmoid(x),
        "Tanh": lambda x, _: torch.tanh(x),
        "Softplus": lambda x, _: F.softplus(x),
        "HardSwish": lambda x, _: F.hardswish(x),
        "Mish": lambda x, _: F.mish(x),
        "LeakyRelu": lambda x, given_: F.leaky_relu(x, given_.get("alpha", 0.01)),
        "Celu": lambda x, given_: F.celu(x, given_.get("alpha", 1.0)),
        "Gelu": lambda x, given_: F.gelu(x, approximate=given_.get("approximate", "none")),
        "Elu": elu, "Selu": selu, "HardSigmoid": hard_sigmoid}.items():
    activation(_name, function=_function)


@handles("Swish")
def swish(_run, node, x):
    if node.attributes.get("alpha", 1.0) != 1:
        raise Refusal(f"Swish of alpha {node.attributes['alpha']}: 1 alone")
    return Images(F.silu(x.tensor), x.merged)


@handles("PRelu")
def prelu(run, node, x, slope):
    """relu(x) - p relu(-x), p the slopes."""
    constant = fixed(slope, "slope")
    tensor = plain(x)
    array = constant.array
    if array.ndim == 1 and array.size > 1 and array.size == tensor.shape[1] != tensor.shape[-1]:
        array = array.reshape(-1, *[1] * (tensor.dim() - 2))
    slope = run.parameter(node, "slope", constant, array)
    return F.relu(tensor) - F.relu(-tensor) * slope


@handles("Clip")
def clip(run, node, x, low=None, high=None):
    numbers = []
    for value in (low, high):
        numbers.append(None if value is None else run.number(fixed(value, "bound")))
    low, high = bounds(node, *numbers)
    return Images(clamped(x.tensor, low, high), x.merged)


def clamped(x, low, high):
    if low == 0 and high == math.inf:
        return F.relu(x)
    if low == 0 and high == 6:
        return F.relu6(x)
    if low > high:
        raise Refusal(f"clamps to {low} ... {high}")
    if high == math.inf:
        return F.relu(x - low) + low if low > -math.inf else x
    if low == -math.inf:
        return high - F.relu(high - x)
    if low == high:
        raise Refusal(f"clamps to {low} ... {high}: a constant")
    return F.relu6((x - low) * (6 / (high - low))) * ((high - low) / 6) + low


def limited(run, node, values, lower):
    """Max and Min with a number."""
    numbers = [value for value in values if not isinstance(value, Images)]
    if len(values) != 2 or len(numbers) != 1 or run.number(numbers[0]) is None:
        raise Refusal(f"{node.op} of tensors: of a tensor and a number alone")
    x, number = next(value for value in values if isinstance(value, Images)), run.number(numbers[0])
    return Images(clamped(x.tensor, *((number, math.inf) if lower else (-math.inf, number))), x.merged)


@handles("Max")
def maximum(run, node, *values):
    return limited(run, node, values, True)


@handles("Min")
def minimum(run, node, *values):
    return limited(run, node, values, False)


@handles(FINAL_SOFTMAX)
def final_softmax(run, node, x):
    tensor = x.tensor
    axis = node.attributes.get("axis", -1 if run.opset >= 13 else 1) % (tensor.dim() - x.merged) + x.merged
    if math.prod(tensor.shape[1:]) != tensor.shape[axis]:
        raise Refusal(f"softmax over axis {axis} of {list(tensor.shape)} ends the network: over the classes alone")
    run.note_once(f"{'softmax' if node.attributes['of'] == 'Softmax' else 'log_softmax'} at the end is left out: the "
                  "cross-entropy computes it")
    return x
