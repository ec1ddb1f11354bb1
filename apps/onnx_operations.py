"""Operators of ONNX on tensors that depend on the images, as calls of torch's functions. Part of export_torch.py, beside
which it lies.

Each handler gets the network (onnx_module.py), the node and its inputs, Images or constants; it returns a tensor, Images,
or a list of them. What a handler lets through is not yet a graph: the exporter that sees torch's calls has the last word.
"""

import math

import numpy
import torch
from torch.nn import functional as F

from onnx_constants import (Refusal, along, bounds, check_size, flattened, given, integers, parts, reshaped, shape_part,
                            slices, squeezed, unsqueezed)
from onnx_file import FLOATING, KINDS
from onnx_geometry import outputs, padded, pool, resize, window
from onnx_patterns import FINAL_SOFTMAX, SPELLED_LAYER_NORM
from onnx_values import Constant, Images


HANDLERS = {}
# Those that work element by element, with numbers or with tensors of the same shape.
ELEMENTWISE = {"Add", "Sub", "Mul", "Div", "Pow", "Neg", "Abs", "Sqrt", "Exp", "Log", "Erf", "Reciprocal", "Tanh", "Sigmoid",
               "Relu", "Softplus", "Max", "Min", "Sum", "Mean", "Clip", "HardSigmoid", "LeakyRelu"}

QUANTISED = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul",
             "MatMulInteger", "ConvInteger"}
REFUSALS = {
    "Softmax": "softmax is no operation of a graph, but at the end of the network, where the loss computes it",
    "LogSoftmax": "log_softmax is no operation of a graph, but at the end of the network, where the loss computes it",
    "Loop": "loops are no operations of a graph: export it with fixed sizes", "Scan": "loops are no operations of a graph",
    "Attention": "attention is no operation of a graph",
    "LRN": "local response normalisation is no operation of a graph",
    "Sqrt": "a square root that is no LayerNorm's",
    "Exp": "exp that is part of no activation function that is known",
    "Erf": "erf that is part of no GELU",
    "RandomUniformLike": "random numbers: export the network in evaluation mode",
    "RandomNormalLike": "random numbers: export the network in evaluation mode",
    "Bernoulli": "random numbers: export the network in evaluation mode",
}


def refusal_of(op):
    if op in QUANTISED or op.split(".")[-1].startswith("QLinear"):
        return "the network is quantised: export it in floating point, before quantisation"
    return REFUSALS.get(op) or (f"{op} is no operator that is taken here: docs/own-network.md lists those that are")


def handles(*names):
    def register(function):
        for name in names:
            HANDLERS[name] = function
        return function
    return register


# --- Shapes as the file has them -------------------------------------------------------------


def extents(run, value):
    """The extents that a value has in the file."""
    shape = list(value.tensor.shape)
    return [run.declared * shape[1], *shape[2:]] if value.merged else [run.declared, *shape[1:]]


def shape_of(run, node, value):
    if value.tensor is None:
        raise Refusal(f"of what another node computes: {value.refusal}")
    if node.op == "Size":
        return numpy.array(math.prod(extents(run, value)), numpy.int64)
    return shape_part(node, extents(run, value))


def regrouped(run, value, wanted):
    """A value in these extents of the file's: the images stay the first axis, or a part of it."""
    tensor, first = value.tensor, wanted[0] if wanted else 0
    if first == run.declared:
        return tensor.reshape(run.count, *wanted[1:])
    if first > 0 and first % run.declared == 0:
        return Images(tensor.reshape(run.count, first // run.declared, *wanted[1:]), merged=True)
    raise Refusal(f"makes a tensor {extents(run, value)} one of {list(wanted)}, in which images are no axis")


def plain(value, role="its input"):
    """The tensor of a value whose first axis are the images."""
    if not isinstance(value, Images):
        raise Refusal(f"{role} does not depend on the images, and another of its inputs does")
    if value.merged:
        raise Refusal(f"{role} has the images and another axis as one")
    return value.tensor


def fixed(value, role):
    """The array of a constant, which a layer's weights and an operator's sizes are."""
    if isinstance(value, Images):
        raise Refusal(f"its {role} depends on the images")
    return value


def image(value, op):
    tensor = plain(value)
    if tensor.dim() != 4:
        raise Refusal(f"{op} of a tensor of {tensor.dim()} axes: images [N, C, H, W] alone")
    return tensor


@handles("Reshape")
def reshape(run, _node, x, shape):
    had = extents(run, x)
    wanted = reshaped(_node, had, integers(fixed(shape, "shape").array), math.prod(had))
    return regrouped(run, x, wanted)


@handles("Flatten")
def flatten(run, node, x):
    return regrouped(run, x, flattened(node, extents(run, x)))


@handles("Squeeze")
def squeeze(run, node, x, *inputs):
    arrays = [None, *(fixed(value, "axes").array for value in inputs)]
    axes = given(node, arrays, 1, "axes")
    if axes is None and run.declared == 1 and not x.merged:  # not the images' own axis, as a network for more would
        return x.tensor.reshape(run.count, *(extent for extent in x.tensor.shape[1:] if extent != 1))
    return regrouped(run, x, squeezed(node, arrays, extents(run, x)))


@handles("Unsqueeze")
def unsqueeze(run, node, x, *inputs):
    return regrouped(run, x, unsqueezed(node, [None, *(fixed(value, "axes").array for value in inputs)],
                                        extents(run, x)))


@handles("Transpose")
def transpose(_run, node, x):
    rank = x.tensor.dim() - x.merged
    order = node.attributes.get("perm", list(range(rank))[::-1])
    if sorted(order) != list(range(rank)) or order[0] != 0:
        raise Refusal(f"permutes the axes of a tensor to {order}: the first, the images', has to stay")
    if x.merged:
        return Images(x.tensor.permute(0, 1, *(axis + 1 for axis in order[1:])), merged=True)
    return x.tensor.permute(order)


@handles("Identity", "Cast", "CastLike")
def identity(_run, node, x, *_inputs):
    kind = node.attributes.get("to", 1)
    if kind not in FLOATING:
        raise Refusal(f"casts the images' numbers to {KINDS.get(kind, kind)}: a graph has floating-point numbers alone")
    return x


@handles("Expand")
def expand(run, _node, x, shape):
    tensor, wanted = plain(x), integers(fixed(shape, "shape").array)
    had = extents(run, x)
    wanted = [1] * (len(had) - len(wanted)) + wanted
    if len(wanted) != len(had) or wanted[0] not in (1, run.declared):
        raise Refusal(f"expands {had} to {wanted}: the images' axis has to stay the first")
    return tensor.expand(run.count, *check_size([max(a, b) if a and b else 0 for a, b in zip(had[1:], wanted[1:])]))


@handles("Tile")
def tile(_run, _node, x, repeats):
    tensor, times = plain(x), integers(fixed(repeats, "repeats").array)
    if len(times) != tensor.dim() or times[0] != 1:
        raise Refusal(f"repeats a tensor {times} times: the images not at all")
    check_size([a * b for a, b in zip(tensor.shape, times)])
    return tensor.repeat(*times)


@handles("Concat")
def concat(run, node, *values):
    shown = next(value for value in values if isinstance(value, Images))
    rank = plain(shown).dim()
    axis = along(node, rank)
    if axis == 0:
        raise Refusal("joins tensors along the axis of the images")
    tensors = []
    for value in values:
        if isinstance(value, Images):
            tensors.append(plain(value))
            continue
        array = value.array
        if array.any():
            raise Refusal(f"joins the images with a constant {list(array.shape)} that is not zero")
        if array.ndim != rank or array.shape[0] not in (1, run.declared):
            raise Refusal(f"joins the images with zeros {list(array.shape)}")
        tensors.append(torch.zeros(run.count, *array.shape[1:], dtype=shown.tensor.dtype))
    check_size([run.count, sum(math.prod(tensor.shape[1:]) for tensor in tensors)])
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors, axis)


@handles("Split")
def split(_run, node, x, *inputs):
    tensor = plain(x)
    axis = along(node, tensor.dim())
    if axis == 0:
        raise Refusal("splits the axis of the images")
    arrays = [None, *(fixed(value, "sizes").array for value in inputs)]
    return list(torch.split(tensor, parts(node, arrays, tensor.shape[axis]), axis))


@handles("Slice")
def slice_of(run, node, x, *inputs):
    tensor = plain(x)
    arrays = [None, *(None if value is None else fixed(value, "places").array for value in inputs)]
    ranges = slices(node, arrays, extents(run, x))
    if ranges[0] != (0, run.declared, 1):
        raise Refusal("takes a part of the images")
    backwards = [axis for axis, (*_, step) in enumerate(ranges) if step < 0]
    index = [slice(None)]
    for axis, (begin, end, step) in list(enumerate(ranges))[1:]:
        if step < 0:
            extent = tensor.shape[axis]
            begin, end, step = extent - 1 - begin, extent - 1 - end, -step
        index.append(slice(begin, end, step))
    if backwards:
        tensor = torch.flip(tensor, backwards)
    whole = all(part == slice(0, extent, 1) for part, extent in zip(index[1:], tensor.shape[1:]))
    return tensor if whole else tensor[tuple(index)]


@handles("Gather")
def gather(_run, node, x, indices):
    tensor, array = plain(x), fixed(indices, "places").array
    axis = along(node, tensor.dim())
    places = [place + tensor.shape[axis] if place < 0 else place for place in integers(array)]
    if axis == 0 or array.ndim > 1 or not all(0 <= place < tensor.shape[axis] for place in places):
        raise Refusal(f"picks {integers(array)[:4]} along axis {axis} of {list(tensor.shape)}: a list of places, along "
                      "another axis than the images'")
    if array.ndim == 0:
        return tensor.select(axis, places[0])
    return tensor.index_select(axis, torch.tensor(places))


# --- Arithmetic ------------------------------------------------------------------------------


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
    other, array = run.number(constant), constant.array
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


@handles("Softmax", "LogSoftmax", "LRN")
def refused(_run, node, *_inputs):
    raise Refusal(refusal_of(node.op))


@handles("Dropout")
def dropout(run, node, x, ratio=None, _training=None):
    rate = node.attributes.get("ratio", 0.5) if ratio is None else run.number(fixed(ratio, "ratio"))
    return Images(F.dropout(x.tensor, float(rate), training=False), x.merged)


# --- Layers ----------------------------------------------------------------------------------


def added_bias(run, node, features, places):
    """A bias that the next node alone adds to a layer's output: the constant, and that node. `places` is how many axes
    come behind that of the features."""
    reader = run.sole_reader(node.outputs[0], "Add")
    if reader is None:
        return None, None
    name = reader.inputs[1] if reader.inputs[0] == node.outputs[0] else reader.inputs[0]
    constant = run.values.get(name)
    if not isinstance(constant, Constant) or constant.origin == "numbers" or run.number(constant) is not None:
        return None, None
    shape = (1,) * 8 + constant.array.shape
    if constant.array.size != features or constant.array.ndim > places + 2 or shape[-1 - places] != features:
        return None, None
    return constant, reader


def bias_parameter(run, node, constant, features):
    if constant is None:
        return None
    if constant.array.size == 1 != features:
        raise Refusal(f"a bias of one number for {features} outputs")
    return run.parameter(node, "bias", constant, constant.array.reshape(features))


def finished(run, value, *nodes):
    """Gives a value to the output of the last of these later nodes, all of which it includes, too."""
    nodes = [node for node in nodes if node is not None]
    for node in nodes:
        run.values[node.outputs[0]] = value if node is nodes[-1] else None
    return value


@handles("Conv")
def conv(run, node, x, weight, bias=None):
    tensor, constant = image(x, node.op), fixed(weight, "weight")
    array = constant.array
    if array.ndim != 4 or node.attributes.get("kernel_shape", list(array.shape[2:])) != list(array.shape[2:]):
        raise Refusal(f"a weight {list(array.shape)}: of two axes of pixels")
    groups = node.attributes.get("group", 1)
    if groups < 1 or array.shape[1] * groups != tensor.shape[1] or array.shape[0] % groups or not array.shape[0]:
        raise Refusal(f"a weight {list(array.shape)} in {groups} groups for {tensor.shape[1]} channels")
    kernel = list(array.shape[2:])
    strides, dilations, before, after = window(node, tensor.shape[2:], kernel)
    check_size([run.count, array.shape[0], *(outputs(*axis, False) for axis in zip(
        tensor.shape[2:], kernel, strides, dilations, before, after))])
    parameter = run.parameter(node, "weight", constant, array)
    reader = None
    if bias is None:
        bias, reader = added_bias(run, node, array.shape[0], 2)
    else:
        bias = fixed(bias, "bias")
    if before != after:
        tensor, before = padded(tensor, before, after), [0, 0]
    made = F.conv2d(tensor, parameter, bias_parameter(run, node, bias, array.shape[0]), tuple(strides), tuple(before),
                    tuple(dilations), groups)
    return finished(run, Images(made), reader)


@handles("ConvTranspose")
def conv_transpose(run, node, x, weight, bias=None):
    tensor, constant = image(x, node.op), fixed(weight, "weight")
    array, attributes = constant.array, node.attributes
    groups = attributes.get("group", 1)
    if array.ndim != 4 or groups < 1 or array.shape[0] != tensor.shape[1] or array.shape[0] % groups:
        raise Refusal(f"a weight {list(array.shape)} in {groups} groups for {tensor.shape[1]} channels: of images")
    strides, dilations = attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1])
    extra = attributes.get("output_padding", [0, 0])
    if min(len(strides), len(dilations), len(extra)) != 2 or min(*strides, *dilations) < 1 or min(extra) < 0:
        raise Refusal(f"strides {strides}, dilations {dilations}, output_padding {extra}")
    whole = [stride * (extent - 1) + more + (size - 1) * dilation + 1 for extent, stride, more, size, dilation in zip(
        tensor.shape[2:], strides, extra, array.shape[2:], dilations)]
    check_size([run.count, array.shape[1] * groups, *whole])
    before, after = transposed_pads(attributes, whole, tensor.shape[2:], strides)
    parameter = run.parameter(node, "weight", constant, array)
    features = array.shape[1] * groups
    made = F.conv_transpose2d(tensor, parameter, bias_parameter(run, node, fixed(bias, "bias") if bias else None, features),
                              tuple(strides), tuple(min(pair) for pair in zip(before, after)), tuple(extra), groups,
                              tuple(dilations))
    index = [slice(None), slice(None)]
    for b, a, extent in zip(before, after, made.shape[2:]):
        index.append(slice(b - min(a, b), extent - (a - min(a, b))))
    return made[tuple(index)] if before != after else made


def transposed_pads(attributes, whole, shape, strides):
    """What is cut off before and behind the output of a transposed convolution."""
    pads, automatic = attributes.get("pads", [0, 0, 0, 0]), attributes.get("auto_pad", "NOTSET")
    wanted = attributes.get("output_shape")
    if wanted is None and automatic in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [extent * stride for extent, stride in zip(shape, strides)]
    if wanted is None:
        if len(pads) != 4 or min(pads) < 0:
            raise Refusal(f"pads {pads}: none below 0")
        return (pads[:2], pads[2:]) if automatic in ("NOTSET", "") else ([0, 0], [0, 0])
    total = [extent - w for extent, w in zip(whole, wanted[-2:])]
    if min(total) < 0:
        raise Refusal(f"an output of {wanted} pixels, more than the windows reach")
    half = [t // 2 for t in total]
    rest = [t - h for t, h in zip(total, half)]
    return (half, rest) if automatic == "SAME_UPPER" else (rest, half)


def linear(run, node, x, array, constant, bias):
    """x W^T + b over the last axis; W is [outputs, inputs]."""
    if array.shape[1] != x.tensor.shape[-1] or x.tensor.dim() < 2:
        raise Refusal(f"a weight {list(array.shape)} for vectors of {x.tensor.shape[-1]} numbers")
    check_size([*x.tensor.shape[:-1], array.shape[0]])
    parameter, reader = run.parameter(node, "weight", constant, array), None
    if bias is None:
        bias, reader = added_bias(run, node, array.shape[0], 0)
    made = F.linear(x.tensor, parameter, bias_parameter(run, node, bias, array.shape[0]))
    return finished(run, Images(made, x.merged), reader)


@handles("Gemm")
def gemm(run, node, x, weight, bias=None):
    attributes = node.attributes
    constant = fixed(weight, "second factor")
    if not isinstance(x, Images) or attributes.get("transA") or constant.array.ndim != 2 or x.tensor.dim() - x.merged != 2:
        raise Refusal("a product of other than vectors of the images and a matrix of weights")
    array = constant.array if attributes.get("transB") else constant.array.T
    if attributes.get("alpha", 1.0) != 1:
        constant, array = Constant(array, "weights"), array * numpy.float32(attributes["alpha"])
    if bias is not None:
        bias = fixed(bias, "bias")
        if attributes.get("beta", 1.0) != 1:
            bias = Constant(bias.array * numpy.float32(attributes["beta"]), "weights")
        if bias.array.size not in (1, array.shape[0]) or bias.array.shape[-1:] not in ((), (1,), (array.shape[0],)):
            raise Refusal(f"a bias {list(bias.array.shape)} for {array.shape[0]} outputs")
    return linear(run, node, x, array, constant, bias)


@handles("MatMul")
def matmul(run, node, a, b):
    if isinstance(a, Images) and isinstance(b, Images):
        raise Refusal("the product of two tensors that both depend on the images (attention) is no operation of a graph")
    constant = b if isinstance(a, Images) else a
    if constant.array.ndim != 2:
        raise Refusal(f"a product with a constant {list(constant.array.shape)}: with a matrix alone")
    if isinstance(a, Images):
        return linear(run, node, a, constant.array.T, constant, None)
    x = plain(b)
    if x.dim() < 3 or constant.array.shape[1] != x.shape[-2]:
        raise Refusal(f"a product of a matrix {list(constant.array.shape)} and a tensor {list(x.shape)}")
    parameter = run.parameter(node, "weight", constant, constant.array)
    return F.linear(x.transpose(-1, -2), parameter).transpose(-1, -2)


def affine(run, node, scale, shift, features):
    """Weight and bias of a normalisation; neither where both are what an exporter writes for none."""
    scale, shift = fixed(scale, "scale"), fixed(shift, "bias")
    if scale.array.shape != (features,) or shift.array.shape != (features,):
        raise Refusal(f"scale {list(scale.array.shape)} and bias {list(shift.array.shape)} for {features} channels")
    if scale.origin in ("node", "numbers") and shift.origin in ("node", "numbers") and (
            scale.array == 1).all() and not shift.array.any():
        return None, None
    return run.parameter(node, "weight", scale, scale.array), run.parameter(node, "bias", shift, shift.array)


@handles("BatchNormalization")
def batch_norm(run, node, x, scale, shift, mean, variance):
    tensor, attributes = plain(x), node.attributes
    if attributes.get("spatial", 1) != 1 or tensor.dim() not in (2, 3, 4):
        raise Refusal(f"BatchNorm of a tensor of {tensor.dim()} axes")
    features = tensor.shape[1]
    weight, bias = affine(run, node, scale, shift, features)
    statistics = []
    for name, value in (("running_mean", mean), ("running_var", variance)):
        if fixed(value, name).array.shape != (features,):
            raise Refusal(f"a {name} {list(value.array.shape)} for {features} channels")
        statistics.append(run.parameter(node, name, value, value.array, buffer=True))
    momentum = float(f"{1 - attributes.get('momentum', 0.9):.7g}")
    flat = tensor.dim() == 3
    made = F.batch_norm(tensor.unsqueeze(3) if flat else tensor, *statistics, weight, bias, False, momentum,
                        attributes.get("epsilon", 1e-5))
    return made.squeeze(3) if flat else made


@handles("InstanceNormalization")
def instance_norm(run, node, x, scale, shift):
    tensor, epsilon = plain(x), node.attributes.get("epsilon", 1e-5)
    weight, bias = affine(run, node, scale, shift, tensor.shape[1])
    if tensor.dim() == 4:
        return F.instance_norm(tensor, None, None, weight, bias, True, 0.1, epsilon)
    if tensor.dim() != 3:
        raise Refusal(f"InstanceNormalization of a tensor of {tensor.dim()} axes")
    return group_norm_of(run, node, tensor, weight, bias, epsilon)


def group_norm_of(run, node, tensor, weight, bias, epsilon):
    """A GroupNorm as PyTorch writes it before version 18 of the operators: groups [N, G, pixels] are normalised, in the
    shape of the image again, and multiplied and added to."""
    groups = tensor.shape[1]
    before = next((other for other in run.nodes if other.outputs[0] == node.inputs[0] and other.op == "Reshape"), None)
    source = run.values[before.inputs[0]] if before is not None else None
    if weight is not None or not isinstance(source, Images) or source.merged or source.tensor is None or (
            source.tensor.dim() != 4 or source.tensor.shape[1] % groups):
        return F.instance_norm(tensor.unsqueeze(3), None, None, weight, bias, True, 0.1, epsilon).squeeze(3)
    image_ = source.tensor
    channels = image_.shape[1]
    back = run.sole_reader(node.outputs[0], "Reshape")
    scaled, scale = factor_behind(run, back, "Mul", channels, 2)
    moved, shift = factor_behind(run, scaled, "Add", channels, 2)
    if moved is None:
        return F.group_norm(image_, groups, None, None, epsilon).reshape(tensor.shape)
    weight = run.parameter(scaled, "weight", scale, scale.array.reshape(channels))
    bias = run.parameter(scaled, "bias", shift, shift.array.reshape(channels))
    made = F.group_norm(image_, groups, weight, bias, epsilon)
    finished(run, Images(made), back, scaled, moved)
    return made.reshape(tensor.shape)


def factor_behind(run, node, op, features, places):
    """The node of this operator that alone reads a node's output, with a constant for each feature, and the constant."""
    reader = run.sole_reader(node.outputs[0], op) if node is not None else None
    if reader is None:
        return None, None
    name = reader.inputs[1] if reader.inputs[0] == node.outputs[0] else reader.inputs[0]
    constant = run.values.get(name)
    features = [features] if isinstance(features, int) else list(features)
    if not isinstance(constant, Constant) or constant.origin not in ("initializer", "weights"):
        return None, None
    shape = [1] * 8 + list(constant.array.shape)
    wanted = features + [1] * places
    if shape[-len(wanted):] != wanted or constant.array.size != math.prod(features):
        return None, None
    return reader, constant


@handles("GroupNormalization")
def group_norm(run, node, x, scale, shift):
    tensor, groups = image(x, node.op), node.attributes["num_groups"]
    if groups < 1 or tensor.shape[1] % groups:
        raise Refusal(f"{groups} groups of {tensor.shape[1]} channels")
    if scale.array.size == groups != tensor.shape[1]:
        raise Refusal("a scale for each group, as before version 21 of the operators: one for each channel alone")
    return F.group_norm(tensor, groups, *affine(run, node, scale, shift, tensor.shape[1]),
                        node.attributes.get("epsilon", 1e-5))


@handles("LayerNormalization")
def layer_norm(run, node, x, scale, shift=None):
    rank = x.tensor.dim() - x.merged
    axis = along(node, rank, -1) + x.merged
    shape = tuple(x.tensor.shape[axis:])
    scale = fixed(scale, "scale")
    if axis == 0 or scale.array.shape != shape or (shift is not None and fixed(shift, "bias").array.shape != shape):
        raise Refusal(f"LayerNormalization over the axes from {axis} on of {list(x.tensor.shape)}, with a scale "
                      f"{list(scale.array.shape)}")
    epsilon = node.attributes.get("epsilon", 1e-5)
    if scale.origin in ("node", "numbers") and (scale.array == 1).all() and (
            shift is None or shift.origin in ("node", "numbers") and not shift.array.any()):
        return Images(F.layer_norm(x.tensor, shape, None, None, epsilon), x.merged)
    weight = run.parameter(node, "weight", scale, scale.array)
    if shift is None:
        return Images(F.layer_norm(x.tensor, shape, None, None, epsilon) * weight, x.merged)
    return Images(F.layer_norm(x.tensor, shape, weight, run.parameter(node, "bias", shift, shift.array), epsilon),
                  x.merged)


@handles(SPELLED_LAYER_NORM)
def spelled_layer_norm(run, node, x):
    rank, tensor = x.tensor.dim() - x.merged, x.tensor
    axes = sorted(axis % rank for axis in node.attributes["axes"])
    epsilon = node.attributes["epsilon"]
    if axes == [1] and rank == 4:  # of channels first
        moved = F.layer_norm(tensor.permute(0, 2, 3, 1), (tensor.shape[1],), None, None, epsilon)
        return moved.permute(0, 3, 1, 2)
    if axes != list(range(rank - len(axes), rank)) or 0 in axes:
        raise Refusal(f"a LayerNorm over the axes {axes} of {rank}: over the last ones, or the channels")
    shape = tuple(tensor.shape[axes[0] + x.merged:])
    scaled, scale = factor_behind(run, node, "Mul", shape, 0)
    moved, shift = factor_behind(run, scaled, "Add", shape, 0)
    if moved is None:
        return Images(F.layer_norm(tensor, shape, None, None, epsilon), x.merged)
    made = F.layer_norm(tensor, shape, run.parameter(scaled, "weight", scale, scale.array.reshape(shape)),
                        run.parameter(scaled, "bias", shift, shift.array.reshape(shape)), epsilon)
    return finished(run, Images(made, x.merged), scaled, moved)


# --- Pools, means, sizes ---------------------------------------------------------------------


@handles("MaxPool")
def max_pool(_run, node, x):
    return pool(node, image(x, node.op), lambda tensor, kernel, strides, before, dilations, ceil_mode: F.max_pool2d(
        tensor, tuple(kernel), tuple(strides), tuple(before), tuple(dilations), ceil_mode=ceil_mode))


@handles("AveragePool")
def average_pool(_run, node, x):
    tensor, kernel = image(x, node.op), list(node.attributes.get("kernel_shape", []))
    strides, dilations, before, after = window(node, tensor.shape[2:], kernel)
    ceiling = bool(node.attributes.get("ceil_mode", 0))
    if dilations != [1, 1]:
        raise Refusal(f"an average of pixels {dilations} apart")
    if not node.attributes.get("count_include_pad", 0) and any((*before, *after)):
        return pool(node, tensor, lambda t, _kernel, _strides, _before, _dilations, ceil_mode: F.avg_pool2d(
            t, tuple(kernel), tuple(strides), tuple(_before), ceil_mode, count_include_pad=False))
    if before != after:
        tensor, before, after = padded(tensor, before, after), [0, 0], [0, 0]
    for axis in zip(tensor.shape[2:], kernel, strides, dilations, before, after):
        outputs(*axis, ceiling)
    return F.avg_pool2d(tensor, tuple(kernel), tuple(strides), tuple(before), ceiling)


@handles("GlobalAveragePool")
def global_average_pool(_run, node, x):
    return F.adaptive_avg_pool2d(image(x, node.op), 1)


@handles("GlobalMaxPool")
def global_max_pool(_run, node, x):
    return F.adaptive_max_pool2d(image(x, node.op), 1)


@handles("ReduceMean", "ReduceSum", "ReduceMax")
def reduce(_run, node, x, axes=None):
    tensor = plain(x)
    wanted = given(node, [None, None if axes is None else fixed(axes, "axes").array], 1, "axes")
    if not wanted:
        if node.attributes.get("noop_with_empty_axes"):
            return tensor
        raise Refusal(f"{node.op} over all axes, the images' too")
    wanted = sorted(axis % tensor.dim() for axis in wanted)
    if 0 in wanted:
        raise Refusal(f"{node.op} over the axis of the images")
    kept = bool(node.attributes.get("keepdims", 1))
    if node.op == "ReduceMax":
        return tensor.amax(wanted, kept)
    return tensor.mean(wanted, kept) if node.op == "ReduceMean" else tensor.sum(wanted, kept)


@handles("Pad")
def pad(run, node, x, pads=None, value=None, axes=None):
    tensor = plain(x)
    mode = node.attributes.get("mode", "constant")
    number = node.attributes.get("value", 0.0) if value is None else run.number(fixed(value, "value"))
    if mode != "constant" or number != 0:
        raise Refusal(f"pads by {mode if mode != 'constant' else number}: zeros alone")
    sizes = node.attributes["pads"] if pads is None else integers(fixed(pads, "pads").array)
    over = list(range(tensor.dim())) if axes is None else [a % tensor.dim() for a in integers(fixed(axes, "axes").array)]
    if len(sizes) != 2 * len(over):
        raise Refusal(f"pads {sizes} for {len(over)} axes")
    pairs = {axis: (sizes[place], sizes[place + len(over)]) for place, axis in enumerate(over)}
    if any(pairs.get(0, (0, 0))):
        raise Refusal("pads the axis of the images")
    check_size([extent + sum(pairs.get(axis, (0, 0))) for axis, extent in enumerate(tensor.shape)])
    flat = [size for axis in range(tensor.dim() - 1, 0, -1) for size in pairs.get(axis, (0, 0))]
    while len(flat) > 2 and flat[-2:] == [0, 0]:
        del flat[-2:]
    return F.pad(tensor, flat) if any(flat) else tensor


@handles("Resize", "Upsample")
def resized(run, node, x, *inputs):
    return resize(run, node, image(x, node.op), [None if value is None else fixed(value, "sizes") for value in inputs])


@handles("DepthToSpace")
def depth_to_space(_run, node, x):
    tensor, size = image(x, node.op), node.attributes["blocksize"]
    count, channels, height, width = tensor.shape
    if size < 1 or channels % (size * size):
        raise Refusal(f"blocks of {size} for {channels} channels")
    if node.attributes.get("mode", "DCR") == "CRD":
        return F.pixel_shuffle(tensor, size)
    blocks = tensor.reshape(count, size, size, channels // size ** 2, height, width)
    return blocks.permute(0, 3, 4, 1, 5, 2).reshape(count, channels // size ** 2, height * size, width * size)


@handles("SpaceToDepth")
def space_to_depth(_run, node, x):
    tensor, size = image(x, node.op), node.attributes["blocksize"]
    count, channels, height, width = tensor.shape
    if size < 1 or height % size or width % size:
        raise Refusal(f"blocks of {size} for {height}x{width} pixels")
    blocks = tensor.reshape(count, channels, height // size, size, width // size, size)
    return blocks.permute(0, 3, 5, 1, 2, 4).reshape(count, channels * size ** 2, height // size, width // size)
