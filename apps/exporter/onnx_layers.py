"""Layers of ONNX, convolutions, products, normalisations, pools, as calls of torch's functions. Part of
export_torch.py."""

import math

import numpy
from torch.nn import functional as F

from .onnx_constants import Refusal, along, check_size, given
from .onnx_geometry import outputs, padded, pool, resize, window
from .onnx_patterns import SPELLED_LAYER_NORM
from .onnx_values import Constant, Images, fixed, handles, image, plain


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
    bias = bias_parameter(run, node, fixed(bias, "bias") if bias else None, features)
    both = tuple(min(pair) for pair in zip(before, after))
    made = F.conv_transpose2d(tensor, parameter, bias, tuple(strides), both, tuple(extra), groups, tuple(dilations))
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
    if not isinstance(x, Images) or attributes.get("transA") or constant.array.ndim != 2 or (
            x.tensor.dim() - x.merged != 2):
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
        raise Refusal("the product of two tensors that both depend on the images (attention) is no operation of a "
                      "graph")
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
    """The node of this operator that alone reads a node's output, with a constant for each feature, and the
    constant."""
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


@handles("Resize", "Upsample")
def resized(run, node, x, *inputs):
    return resize(run, node, image(x, node.op), [None if value is None else fixed(value, "sizes") for value in inputs])


@handles("Dropout")
def dropout(run, node, x, ratio=None, _training=None):
    rate = node.attributes.get("ratio", 0.5) if ratio is None else run.number(fixed(ratio, "ratio"))
    return Images(F.dropout(x.tensor, float(rate), training=False), x.merged)
