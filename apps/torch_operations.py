"""What calls of PyTorch's functions amount to, as nodes of a graph. Part of export_torch.py, beside which it lies.

Each handler gets the tracer, the result that PyTorch computed, and the call's arguments; it returns what the result is.
"""

import torch
from torch.overrides import TorchFunctionMode

from torch_arithmetic import scaled
from torch_tracer import function_name, handles
from torch_values import Computed, Parameter, Value, brief, image_index, numel, pair, same


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
        (("softplus",), "softplus", {"beta": ("beta", 1.0), "threshold": ("threshold", 20.0)})]:
    handles(*_names)(elementwise(_operation, **_named))


@handles("gelu")
def gelu(tracer, result, x, approximate="none"):
    return elementwise("gelu" if approximate == "none" else "gelu_tanh")(tracer, result, x)


@handles("hardtanh", "clamp", "clip", "hardtanh_")
def clamp(tracer, result, x, low=None, high=None, **kwargs):
    low = kwargs.get("min_val", kwargs.get("min", low))
    high = kwargs.get("max_val", kwargs.get("max", high))
    if low == 0 and high == 6:
        return elementwise("relu6")(tracer, result, x)
    if low == 0 and high is None:
        return elementwise("relu")(tracer, result, x)
    raise tracer.failure(f"clamps to {low} ... {high}: 0 ... 6 (ReLU6) and 0 ... (ReLU) alone")


@handles("clamp_min", "threshold", "_threshold")
def clamp_min(tracer, result, x, low, *more):
    if float(low) != 0 or (more and float(more[0]) != 0):
        raise tracer.failure(f"clamps from {low} on: from 0 on (ReLU) alone")
    return elementwise("relu")(tracer, result, x)


@handles("mish")
def mish(tracer, result, x):
    value = tracer.whole(tracer.of(x))
    soft = tracer.add("softplus", [value.node], value.shape)
    bent = tracer.add("tanh", [soft], value.shape)
    return Value(tracer.add("multiply", [value.node, bent], value.shape), value.shape, value.index)


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


@handles("square")
def square(tracer, _result, x):
    value = tracer.whole(tracer.of(x))
    return Value(tracer.add("multiply", [value.node, value.node], value.shape), value.shape, value.index)


@handles("pow", "__pow__", "float_power")
def power(tracer, result, x, exponent):
    if exponent != 2:
        raise tracer.failure(f"the power of {exponent}: of 2 alone")
    return square(tracer, result, x)


@handles("conv2d")
def conv2d(tracer, _result, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    value = tracer.require_image(x, "conv2d")
    node, shape = tracer.as_image(value)
    name, weights = tracer.parameters("conv2d", weight, bias)
    filters, _, height, width = weight.shape
    stride, dilation = pair(stride), pair(dilation)
    if isinstance(padding, str):
        spans = [d * (k - 1) for d, k in zip(dilation, (height, width))]
        if padding == "same" and any(span % 2 for span in spans):
            top, left = spans[0] // 2, spans[1] // 2
            node, shape = zero_padded(tracer, node, shape, (top, spans[0] - top, left, spans[1] - left))
            padding = (0, 0)
        else:
            padding = tuple(span // 2 for span in spans) if padding == "same" else (0, 0)
    padding = pair(padding)
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, (height, width))]
    out = tuple((shape[i] + 2 * padding[i] - spans[i]) // stride[i] + 1 for i in (0, 1))
    made = tracer.add("conv2d", [node], out + (filters,), name=name, weights=weights, filters=filters,
                      kernel=brief((height, width)), stride=brief(stride), padding=brief(padding),
                      dilation=brief(dilation) if dilation != (1, 1) else None, groups=groups if groups != 1 else None,
                      bias=bias is not None)
    return tracer.image_value(made, out + (filters,))


@handles("conv_transpose2d")
def conv_transpose2d(tracer, result, x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    node, _ = tracer.as_image(tracer.require_image(x, "conv_transpose2d"))
    name, weights = tracer.parameters("conv_transpose2d", weight, bias)
    shape = (result.shape[2], result.shape[3], result.shape[1])
    made = tracer.add("conv_transpose2d", [node], shape, name=name, weights=weights, filters=result.shape[1],
                      kernel=brief(tuple(weight.shape[2:])), stride=brief(pair(stride)), padding=brief(pair(padding)),
                      output_padding=brief(pair(output_padding)), dilation=brief(pair(dilation)), groups=groups,
                      bias=bias is not None)
    return tracer.image_value(made, shape)


@handles("linear")
def linear(tracer, _result, x, weight, bias=None):
    value = tracer.of(x)
    name, weights = tracer.parameters("linear", weight, bias)
    outputs, inputs = weight.shape
    if value.index.dim() > 1:  # over the last axis: a convolution of one pixel
        node, shape = tracer.as_rows(value)
        weights = [(last, tensor.reshape(outputs, inputs, 1, 1) if last == "weight" else tensor, tensor)
                   for last, tensor, _ in weights]
        shape = shape[:-1] + (outputs,)
        made = tracer.add("conv2d", [node], shape, name=name, weights=weights, filters=outputs, kernel=1,
                          bias=bias is not None)
        return Value(made, shape, torch.arange(numel(shape)).view(tuple(value.index.shape[:-1]) + (outputs,)))
    image = len(value.shape) == 3 and same(value.index, image_index(value.shape).flatten())
    node = value.node if image else tracer.rearranged(value, value.index, (inputs,))
    made = tracer.add("linear", [node], (outputs,), name=name, weights=weights, outputs=outputs,
                      bias=None if bias is not None else False)
    return Value(made, (outputs,), torch.arange(outputs))


def pooled(tracer, operation, result, x, kernel, stride, padding, **more):
    node, _ = tracer.as_image(tracer.require_image(x, operation))
    shape = (result.shape[2], result.shape[3], result.shape[1])
    stride = kernel if stride is None or stride == [] else stride
    return tracer.image_value(tracer.add(operation, [node], shape, kernel=brief(pair(kernel)),
                                         stride=brief(pair(stride)), padding=brief(pair(padding)), **more), shape)


@handles("max_pool2d")
def max_pool2d(tracer, result, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
               return_indices=False):
    if return_indices:
        raise tracer.failure("max_pool2d with return_indices")
    return pooled(tracer, "max_pool", result, x, kernel_size, stride, padding, ceil_mode=bool(ceil_mode) or None,
                  dilation=brief(pair(dilation)) if pair(dilation) != (1, 1) else None)


@handles("avg_pool2d")
def avg_pool2d(tracer, result, x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
               divisor_override=None):
    return pooled(tracer, "average_pool", result, x, kernel_size, stride, padding, ceil_mode=bool(ceil_mode) or None,
                  count_include_pad=None if count_include_pad else False, divisor=divisor_override)


def adaptive(tracer, operation, result, x):
    node, _ = tracer.as_image(tracer.require_image(x, operation))
    height, width, channels = result.shape[2], result.shape[3], result.shape[1]
    if height == width == 1:
        made = tracer.add("global_average_pool" if operation == "adaptive_average_pool" else "global_max_pool", [node],
                          (channels,))
        return Value(made, (channels,), torch.arange(channels).view(channels, 1, 1))
    return tracer.image_value(tracer.add(operation, [node], (height, width, channels), height=height, width=width),
                              (height, width, channels))


@handles("adaptive_avg_pool2d")
def adaptive_avg_pool2d(tracer, result, x, _size):
    return adaptive(tracer, "adaptive_average_pool", result, x)


@handles("adaptive_max_pool2d")
def adaptive_max_pool2d(tracer, result, x, _size, return_indices=False):
    if return_indices:
        raise tracer.failure("adaptive_max_pool2d with return_indices")
    return adaptive(tracer, "adaptive_max_pool", result, x)


@handles("amax")
def amax(tracer, result, x, dim=(), keepdim=False):
    value, axes = tracer.of(x), sorted(d % x.dim() for d in ((dim,) if isinstance(dim, int) else dim))
    kept = [a for a in range(1, x.dim()) if a not in axes]
    if 0 in axes or not axes or len(kept) != 1 or x.dim() == 2:
        raise tracer.failure(f"the maximum over the axes {axes} of {x.dim()}: over all but the channels alone")
    moved = value.index.movedim(kept[0] - 1, -1)
    node, shape = tracer.as_rows(Value(value.node, value.shape, moved))
    made = tracer.add("global_max_pool", [node], shape[-1:])
    return Value(made, shape[-1:], torch.arange(shape[-1]).view(tuple(result.shape[1:])))


@handles("mean")
def mean(tracer, result, x, dim=None, keepdim=False, **_kwargs):
    value = tracer.of(x)
    rank = value.index.dim() + 1
    dims = tuple(range(rank)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    axes = sorted(d % rank for d in dims)
    if 0 in axes:
        raise tracer.failure("mean over the images of a batch")
    kept = [a for a in range(1, rank) if a not in axes]
    order = torch.arange(1)
    if len(kept) == 1:  # one axis is left: the mean over a whole image of that many channels
        channels = value.index.shape[kept[0] - 1]
        moved = value.index.movedim(kept[0] - 1, -1)
        node, shape = tracer.as_rows(Value(value.node, value.shape, moved))
        if len(shape) == 1:
            raise tracer.failure("mean of a vector")
        made, order = tracer.add("global_average_pool", [node], (channels,)), torch.arange(channels)
        return Value(made, (channels,), order.view(tuple(result.shape[1:])))
    if rank == 4 and axes == [1]:
        node, shape = tracer.as_image(value)
        out = shape[:2] + (1,)
        return Value(tracer.add("mean", [node], out, over_channels=True), out,
                     torch.arange(numel(out)).view(tuple(result.shape[1:])))
    if rank == 4 and len(axes) == 1:
        node, (height, width, channels) = tracer.as_image(value)
        over = "over_height" if axes == [2] else "over_width"
        out = (1, width, channels) if axes == [2] else (height, 1, channels)
        return Value(tracer.add("mean", [node], out, **{over: True}), out,
                     image_index(out).reshape(tuple(result.shape[1:])))
    raise tracer.failure(f"mean over the axes {list(axes)} of {rank}")


@handles("sum")
def total(tracer, result, x, dim=None, keepdim=False, **kwargs):
    value = mean(tracer, result, x, dim, keepdim)
    count = x.numel() / result.numel()
    return scaled(tracer, value, factor=count)


@handles("batch_norm")
def batch_norm(tracer, _result, x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1,
               eps=1e-5):
    value = tracer.of(x)
    if training or running_mean is None:
        raise tracer.failure("a BatchNorm without running statistics (track_running_stats=False): its images "
                             "depend on one "
                             "another in evaluation, too")
    if value.index.dim() not in (1, 3):
        raise tracer.failure(f"BatchNorm of a tensor of {value.index.dim() + 1} axes")
    node, shape = tracer.as_image(value) if value.index.dim() == 3 else tracer.as_rows(value)
    mean_name = tracer.buffer_names.get(id(running_mean))
    if mean_name is None:
        raise tracer.failure("a BatchNorm whose statistics are no buffers of the module")
    name, weights = tracer.parameters("batch_norm", weight, bias)
    name = name or mean_name.rsplit(".", 1)[0]
    if id(running_mean) in tracer.owners:
        raise tracer.failure(f"the BatchNorm '{name}' runs twice: its statistics are those of one place")
    weights += [("running_mean", running_mean, running_mean), ("running_var", running_var, running_var)]
    made = tracer.add("batchnorm", [node], shape, name=name, weights=weights, epsilon=eps if eps != 1e-5 else None,
                      momentum=momentum if momentum not in (None, 0.1) else None,
                      affine=None if weight is not None else False)
    return Value(made, shape, image_index(shape) if len(shape) == 3 else torch.arange(shape[0]))


@handles("layer_norm")
def layer_norm(tracer, _result, x, normalized_shape, weight=None, bias=None, eps=1e-5):
    value = tracer.of(x)
    name, weights = tracer.parameters("layer_norm", weight, bias)
    if weight is not None and bias is None:
        raise tracer.failure("a LayerNorm with a weight and no bias")
    attributes = {"epsilon": eps if eps != 1e-5 else None, "affine": None if weight is not None else False}
    if len(normalized_shape) == 1:
        node, shape = tracer.as_rows(value)
        if len(shape) == 1:
            index = torch.arange(shape[0])
        else:
            index = torch.arange(numel(shape)).view(value.index.shape)
        made = tracer.add("layer_norm", [node], shape, name=name, weights=weights, **attributes)
        return Value(made, shape, index)
    if value.index.dim() != 3 or len(normalized_shape) != 3:
        raise tracer.failure(f"LayerNorm over {list(normalized_shape)} of a tensor of {value.index.dim() + 1} axes")
    node, shape = tracer.as_image(value)
    made = tracer.add("layer_norm", [node], shape, name=name, weights=weights, over="image", **attributes)
    return tracer.image_value(made, shape)


@handles("group_norm")
def group_norm(tracer, _result, x, num_groups, weight=None, bias=None, eps=1e-5):
    node, shape = tracer.as_image(tracer.require_image(x, "group_norm"))
    name, weights = tracer.parameters("group_norm", weight, bias)
    made = tracer.add("group_norm", [node], shape, name=name, weights=weights, groups=num_groups,
                      epsilon=eps if eps != 1e-5 else None, affine=None if weight is not None else False)
    return tracer.image_value(made, shape)


@handles("instance_norm")
def instance_norm(tracer, result, x, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
                  momentum=0.1, eps=1e-5):
    if not use_input_stats:
        raise tracer.failure("an InstanceNorm with running statistics")
    return group_norm(tracer, result, x, result.shape[1], weight, bias, eps)


@handles("dropout")
def dropout(tracer, _result, x, p=0.5, training=True, **_kwargs):
    return dropped(tracer, "element", x, p, training)


@handles("dropout2d", "feature_dropout")
def dropout2d(tracer, _result, x, p=0.5, training=True, **_kwargs):
    return dropped(tracer, "channel", x, p, training)


def dropped(tracer, unit, x, rate, training):
    if training:
        raise tracer.failure("dropout that is active in evaluation, too: give it training=self.training")
    value = tracer.of(x)
    if rate == 0:
        return value
    value = tracer.whole(value)
    made = tracer.add("dropout", [value.node], value.shape, probability=float(rate), unit=unit)
    return Value(made, value.shape, value.index)


class WithoutLogSoftmax(TorchFunctionMode):
    """Runs a module as its graph is: without the log_softmax that ends it."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return args[0] if function_name(func) == "log_softmax" else func(*args, **(kwargs or {}))


@handles("log_softmax")
def log_softmax(tracer, result, x, *_args, **_kwargs):
    value = tracer.of(x)
    if value.index.dim() != 1:
        raise tracer.failure("log_softmax of an image")
    tracer.normalised = (result, tracer.failure("log_softmax before the end of the network"))
    tracer.notes.append("log_softmax at the end is left out: the cross-entropy computes it, and of its result "
                        "the same loss")
    return value


def zero_padded(tracer, node, shape, sides, channels=(0, 0)):
    """Rows and columns of zeros around an image, and channels of zeros before and behind its own."""
    before = (sides[0], sides[2], channels[0])
    after = (sides[1], sides[3], channels[1])
    out = tuple(b + extent + a for b, extent, a in zip(before, shape, after))
    made = tracer.add("rearrange", [node], out, name=tracer.inner_name("zero_pad"), shape=list(out), extents=list(out),
                      strides=[shape[1] * shape[2], shape[2], 1], offset=0, begins=list(before),
                      ends=[b + extent for b, extent in zip(before, shape)])
    return made, out


@handles("pad", "_pad")
def pad(tracer, _result, x, pads, mode="constant", value=0.0):
    if mode != "constant" or (value or 0) != 0:
        raise tracer.failure(f"pads by {mode if mode != 'constant' else value}: zeros alone")
    if x.dim() == 2 and len(pads) == 2 and min(pads) >= 0:
        vector = tracer.of(x)
        shape = (1, 1, x.shape[1])
        node = tracer.rearranged(vector, vector.index, shape)
        node, shape = zero_padded(tracer, node, shape, (0, 0, 0, 0), tuple(pads))
        return Value(node, shape, torch.arange(shape[2]))
    source = tracer.require_image(x, "pad")
    pads = list(pads) + [0] * (6 - len(pads))
    index = source.index
    for axis, (before, after) in enumerate(zip(pads[4::-2], pads[5::-2])):  # channels, height, width
        index = index.narrow(axis, max(0, -before), index.shape[axis] - max(0, -before) - max(0, -after))
    left, right, top, bottom, front, back = (max(0, p) for p in pads)
    node, shape = tracer.as_image(Value(source.node, source.shape, index))
    if left or right or top or bottom or front or back:
        node, shape = zero_padded(tracer, node, shape, (top, bottom, left, right), (front, back))
    return tracer.image_value(node, shape)


@handles("cat", "concat", "concatenate")
def cat(tracer, _result, tensors, dim=0, **kwargs):
    dim = kwargs.get("axis", dim)
    rank = tensors[0].dim()
    dim %= rank
    if dim == 0:
        raise tracer.failure("torch.cat along axis 0, the images of a batch")
    if not (rank == 4 and dim == 1 or dim == rank - 1):  # moved to the end, and back
        with torch._C.DisableTorchFunction():
            moved = [tensor.movedim(dim, -1) for tensor in tensors]
        for tensor, whole in zip(moved, tensors):
            value = tracer.of(whole)
            if isinstance(value, Value):
                tracer.keep(tensor, Value(value.node, value.shape, value.index.movedim(dim - 1, -1)))
            elif value is not None:
                raise tracer.failure("torch.cat with a tensor that is neither of the images nor zero")
        value = cat(tracer, _result, moved, -1)
        return Value(value.node, value.shape, value.index.movedim(-1, dim - 1))
    before = after = 0
    inputs, shapes = [], []
    for tensor in tensors:
        value = tracer.of(tensor)
        if not isinstance(value, Value):
            if isinstance(value, (Parameter, Computed)) or bool((tensor != 0).any()):
                raise tracer.failure("torch.cat with a tensor that is neither of the images nor zero")
            if inputs:
                after += tensor.shape[dim]
            else:
                before += tensor.shape[dim]
            continue
        if after:
            raise tracer.failure("torch.cat with zeros between tensors")
        node, shape = tracer.as_image(value) if rank == 4 and dim == 1 else tracer.as_rows(value)
        inputs.append(node)
        shapes.append(shape)
    shape = shapes[0][:-1] + (sum(s[-1] for s in shapes),)
    node = inputs[0] if len(inputs) == 1 else tracer.add("concat", inputs, shape)
    if before or after:
        if len(shape) == 1:
            raise tracer.failure("torch.cat of a vector with zeros")
        node, shape = zero_padded(tracer, node, shape, (0, 0, 0, 0), (before, after))
    if rank == 4 and dim == 1:
        return tracer.image_value(node, shape)
    axes = tuple(tracer.of(next(t for t in tensors if tracer.is_value(t))).index.shape[:-1]) + (shape[-1],)
    return Value(node, shape, torch.arange(numel(shape)).view(axes))


@handles("stack")
def stack(tracer, result, tensors, dim=0):
    dim %= result.dim()
    if dim == 0:
        raise tracer.failure("torch.stack along the images of a batch")
    with torch._C.DisableTorchFunction():
        longer = [tensor.unsqueeze(dim) for tensor in tensors]
    for tensor, flat in zip(longer, tensors):
        value = tracer.of(flat)
        if isinstance(value, Value):
            tracer.keep(tensor, Value(value.node, value.shape, value.index.unsqueeze(dim - 1)))
    return cat(tracer, result, longer, dim)


@handles("interpolate", "upsample")
def interpolate(tracer, result, x, size=None, scale_factor=None, mode="nearest", align_corners=None,
                recompute_scale_factor=None, antialias=False):
    node, _ = tracer.as_image(tracer.require_image(x, "interpolate"))
    if mode not in ("nearest", "bilinear") or antialias:
        raise tracer.failure(f"interpolate of mode '{mode}': nearest and bilinear alone")
    shape = (result.shape[2], result.shape[3], result.shape[1])
    if size is None and not recompute_scale_factor:
        given = scale_factor if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * 2
        attributes = {"scale_h": float(given[0]), "scale_w": float(given[1])}
    else:
        attributes = {"height": shape[0], "width": shape[1]}
    if mode == "bilinear":
        attributes["align_corners"] = True if align_corners else None
    return tracer.image_value(tracer.add(f"resize_{mode}", [node], shape, **attributes), shape)


@handles("multi_head_attention_forward", "scaled_dot_product_attention")
def attention(tracer, *_args, **_kwargs):
    raise tracer.failure("attention is no operation of a graph")
