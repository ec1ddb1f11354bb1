"""Activation functions of PyTorch's, as nodes of a graph. Part of export_torch.py.

Each handler gets the tracer, the result that PyTorch computed, and the call's arguments; it returns what the result is.
"""

import torch

from .torch_arithmetic import scaled
from .torch_functions import ELEMENTWISE, handles
from .torch_values import Value


def elementwise(operation, **named):
    def handler(tracer, _result, x, *args, **kwargs):
        value = tracer.whole(tracer.of(x))
        attributes = {}
        for position, (ours, (theirs, default)) in enumerate(named.items()):
            given = args[position] if position < len(args) else kwargs.get(theirs, default)
            attributes[ours] = float(given)
        return Value(tracer.add(operation, [value.node], value.shape, **attributes), value.shape, value.index)
    return handler


for _names, _operation, _named in [
        (("relu", "clamp_min_zero"), "relu", {}),
        (("relu6",), "relu6", {}),
        (("tanh",), "tanh", {}),
        (("sigmoid",), "sigmoid", {}),
        (("silu",), "silu", {}),
        (("hardswish",), "hardswish", {}),
        (("hardsigmoid",), "hardsigmoid", {}),
        (("leaky_relu",), "leaky_relu", {"slope": ("negative_slope", 0.01)}),
        (("elu",), "elu", {"alpha": ("alpha", 1.0)}),
        (("softplus",), "softplus", {"beta": ("beta", 1.0), "threshold": ("threshold", 20.0)}),
        (("exp",), "exp", {}),
        (("log",), "log", {})]:
    handles(*_names, of=ELEMENTWISE)(elementwise(_operation, **_named))


@handles("gelu", of=ELEMENTWISE)
def gelu(tracer, result, x, approximate="none"):
    return elementwise("gelu" if approximate == "none" else "gelu_tanh")(tracer, result, x)


@handles("hardtanh", "clamp", "clip", of=ELEMENTWISE)
def clamp(tracer, result, x, low=None, high=None, **kwargs):
    low = kwargs.get("min_val", kwargs.get("min", low))
    high = kwargs.get("max_val", kwargs.get("max", high))
    if low == 0 and high == 6:
        return elementwise("relu6")(tracer, result, x)
    if low == 0 and high is None:
        return elementwise("relu")(tracer, result, x)
    if any(isinstance(end, torch.Tensor) for end in (low, high)):
        raise tracer.failure("clamps to tensors: to numbers alone")
    value = tracer.whole(tracer.of(x))
    if low is not None:  # low + relu(x - low)
        value = scaled(tracer, bent(tracer, scaled(tracer, value, constant=-float(low)), "relu"), constant=float(low))
    if high is not None:  # high - relu(high - x)
        value = bent(tracer, scaled(tracer, value, factor=-1.0, constant=float(high)), "relu")
        value = scaled(tracer, value, factor=-1.0, constant=float(high))
    return value


@handles("clamp_min", of=ELEMENTWISE)
def clamp_min(tracer, result, x, low=None, **kwargs):
    return clamp(tracer, result, x, kwargs.get("min", low))


@handles("clamp_max", of=ELEMENTWISE)
def clamp_max(tracer, result, x, high=None, **kwargs):
    return clamp(tracer, result, x, None, kwargs.get("max", high))


@handles("threshold", "_threshold")
def threshold(tracer, result, x, low, value, *_more):
    if float(low) != 0 or float(value) != 0:
        raise tracer.failure(f"sets what is below {low} to {value}: below 0 to 0 (ReLU) alone")
    return elementwise("relu")(tracer, result, x)


@handles("mish")
def mish(tracer, result, x):
    value = tracer.whole(tracer.of(x))
    factor = bent(tracer, bent(tracer, value, "softplus"), "tanh")
    return Value(tracer.add("multiply", [value.node, factor.node], value.shape), value.shape, value.index)


def bent(tracer, value, operation, **attributes):
    return Value(tracer.add(operation, [value.node], value.shape, **attributes), value.shape, value.index)


@handles("selu")
def selu(tracer, _result, x):
    value = bent(tracer, tracer.whole(tracer.of(x)), "elu", alpha=1.6732632423543772)
    return scaled(tracer, value, factor=1.0507009873554805)


@handles("celu")
def celu(tracer, _result, x, alpha=1.0):
    inside = scaled(tracer, tracer.whole(tracer.of(x)), factor=1 / alpha)
    return scaled(tracer, bent(tracer, inside, "elu", alpha=1.0), factor=float(alpha))


@handles("log_sigmoid", "logsigmoid")
def log_sigmoid(tracer, _result, x):
    negative = scaled(tracer, tracer.whole(tracer.of(x)), factor=-1.0)
    return scaled(tracer, bent(tracer, negative, "softplus"), factor=-1.0)


@handles("tanhshrink")
def tanhshrink(tracer, _result, x):
    value = tracer.whole(tracer.of(x))
    less = tracer.add("subtract", [value.node, bent(tracer, value, "tanh").node], value.shape)
    return Value(less, value.shape, value.index)


@handles("glu")
def glu(tracer, _result, x, dim=-1):
    value = tracer.of(x)
    halves = value.index.chunk(2, dim % x.dim() - 1)
    first, second = (tracer.whole(Value(value.node, value.shape, half)) for half in halves)
    gate = bent(tracer, second, "sigmoid")
    return Value(tracer.add("multiply", [first.node, gate.node], first.shape), first.shape, first.index)
