"""What calls of PyTorch's functions amount to, as nodes of a graph: layers, pools, normalisations, padding,
concatenation, resizing. Part of export_torch.py.

Each handler gets the tracer, the result that PyTorch computed, and the call's arguments; it returns what the result is.
"""

import torch

from .torch_arithmetic import arithmetic, combined, constant_value, parameter_value, placed, scaled
from .torch_functions import ALONG_AXES, handles
from .torch_values import Computed, Parameter, Value, brief, image_index, numel, pair, same


@handles("conv2d")
def conv2d(tracer, _result, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, row=False):
    """`row`: of images of one row, with the weight [filters, channels, width] of a conv1d."""
    value = tracer.require_image(x, "conv2d")
    if tracer.of(weight) is None and bias is None and not isinstance(padding, str):
        return filtered(tracer, _result, x, weight, pair(stride), pair(padding), pair(dilation), groups)
    node, shape = tracer.as_image(value)
    name, weights = tracer.parameters("conv1d" if row else "conv2d", weight, bias)
    if row:
        weights[0] = (weights[0][0], weights[0][1].unsqueeze(2), weights[0][2])
    filters, _, height, width = weights[0][1].shape
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


MOST_TAPS = 64


def filtered(tracer, result, x, weight, stride, padding, dilation, groups):
    """A filter of constants, of each channel by itself, as of a blur: the sum of its taps."""
    filters, channels, height, width = weight.shape
    taps = [(i, j) for i in range(height) for j in range(width) if bool((weight[:, 0, i, j] != 0).any())]
    if channels != 1 or groups != filters or filters != x.shape[1] or not 0 < len(taps) <= MOST_TAPS:
        raise tracer.failure(f"a convolution with constants {list(weight.shape)} (a buffer?): a filter of each channel "
                             f"by itself, of at most {MOST_TAPS} taps, or a parameter")
    if any(padding):
        x = placed(tracer, pad(tracer, None, x, [padding[1], padding[1], padding[0], padding[0]]))
    value, total = tracer.of(x), None
    for i, j in taps:
        begins = [place * step for place, step in zip((i, j), dilation)]
        rows, columns = (slice(begin, begin + (extent - 1) * step + 1, step)
                         for begin, extent, step in zip(begins, result.shape[2:], stride))
        tap = placed(tracer, tracer.whole(Value(value.node, value.shape, value.index[:, rows, columns])))
        tap = arithmetic(tracer, "multiply", tap, tap, weight[:, 0, i, j].view(1, -1, 1, 1))
        total = tap if total is None else combined(tracer, "add", total, tap)
    return total


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
    several = len(value.shape) == 3 and value.shape[:2] != (1, 1)
    image = several and same(value.index, image_index(value.shape).flatten())
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


def pooled_over(tracer, value, axes, operation):
    """A value's mean or maximum over axes of its index: those as an image's rows, all others as its channels."""
    kept = [axis for axis in range(value.index.dim()) if axis not in axes]
    extents = [value.index.shape[axis] for axis in kept]
    rows, features = value.index.numel() // numel(extents), numel(extents)
    if rows == 1:
        return Value(value.node, value.shape, value.index.reshape(extents))
    moved = value.index.permute(list(axes) + kept)
    if len(value.shape) == 3 and value.shape[-1] == features and same(moved.flatten(), torch.arange(value.size)):
        node = value.node
    else:
        node = tracer.rearranged(value, moved, (rows, 1, features))
    made = tracer.add(operation, [node], (features,))
    return Value(made, (features,), torch.arange(features).view(extents))


def axes_of(tracer, what, rank, dim):
    """The axes that a call names, counted without the images', in order."""
    dims = tuple(range(rank)) if dim is None or dim == () else (dim,) if isinstance(dim, int) else tuple(dim)
    axes = sorted(d % rank for d in dims)
    if 0 in axes:
        raise tracer.failure(f"{what} over the images of a batch")
    return [axis - 1 for axis in axes]


@handles("amax", of=ALONG_AXES)
def amax(tracer, result, x, dim=(), keepdim=False):
    value = tracer.of(x)
    largest = pooled_over(tracer, value, axes_of(tracer, "the maximum", x.dim(), dim), "global_max_pool")
    return Value(largest.node, largest.shape, largest.index.view(tuple(result.shape[1:])))


@handles("mean", of=ALONG_AXES)
def mean(tracer, result, x, dim=None, keepdim=False, **_kwargs):
    value = tracer.of(x)
    rank = value.index.dim() + 1
    axes = [axis + 1 for axis in axes_of(tracer, "mean", rank, dim)]
    kept = [a for a in range(1, rank) if a not in axes]
    order = torch.arange(1)
    if len(kept) == 1 and axes:  # one axis is left: the mean over a whole image of that many channels
        channels = value.index.shape[kept[0] - 1]
        moved = value.index.movedim(kept[0] - 1, -1)
        node, shape = tracer.as_rows(Value(value.node, value.shape, moved))
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
    average = pooled_over(tracer, value, [axis - 1 for axis in axes], "global_average_pool")
    return Value(average.node, average.shape, average.index.view(tuple(result.shape[1:])))


@handles("sum", of=ALONG_AXES)
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
    if value.index.dim() == 2:  # [N, C, L]: an image of one row
        row = batch_norm(tracer, _result, placed(tracer, Value(value.node, value.shape, value.index.unsqueeze(1))),
                         running_mean, running_var, weight, bias, training, momentum, eps)
        return Value(row.node, row.shape, row.index.squeeze(1))
    if value.index.dim() not in (1, 3):
        raise tracer.failure(f"BatchNorm of a tensor of {value.index.dim() + 1} axes")
    node, shape = tracer.as_image(value) if value.index.dim() == 3 else tracer.as_rows(value)
    mean_name = tracer.buffer_names.get(id(running_mean))
    if mean_name is None:
        raise tracer.failure("a BatchNorm whose statistics are no buffers of the module")
    name, weights = tracer.parameters("batch_norm", weight, bias)
    name = name or mean_name.rsplit(".", 1)[0]
    attributes = {"epsilon": eps if eps != 1e-5 else None,
                  "momentum": momentum if momentum not in (None, 0.1) else None}
    statistics = [("running_mean", running_mean, running_mean), ("running_var", running_var, running_var)]
    calls = tracer.norm_calls[name] = tracer.norm_calls.get(name, 0) + 1
    if name in tracer.shared_norms:
        made = shared_batch_norm(tracer, node, shape, name, weights, statistics, attributes)
    elif calls == 1:
        made = tracer.add("batchnorm", [node], shape, name=name, weights=weights + statistics, **attributes,
                          affine=None if weight is not None else False)
    else:
        made = node  # of a run that is made again, now that it is known
    return Value(made, shape, image_index(shape) if len(shape) == 3 else torch.arange(shape[0]))


def shared_batch_norm(tracer, node, shape, name, weights, statistics, attributes):
    """A BatchNorm that runs more than once: statistics of each place's own, the same gamma and beta."""
    made = tracer.add("batchnorm", [node], shape, name=name, affine=False, **attributes)
    for last, tensor, _ in statistics:
        tracer.weights[f"{made}.{last}"] = tensor
    for operation, (_, tensor, source) in zip(("multiply_parameter", "add_parameter"), weights):
        made = tracer.add(operation, [made], shape, name=tracer.parameter_names[id(source)],
                          weights=[(None, tensor, source)], shape=[shape[-1]])
    return made


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


@handles("alpha_dropout", "feature_alpha_dropout")
def alpha_dropout(tracer, _result, x, p=0.5, training=False, **_kwargs):
    if training:
        raise tracer.failure("dropout that is active in evaluation, too: give it training=self.training")
    tracer.notes.append("alpha dropout is left out: there is none here")
    return tracer.of(x)


def dropped(tracer, unit, x, rate, training):
    if training:
        raise tracer.failure("dropout that is active in evaluation, too: give it training=self.training")
    value = tracer.of(x)
    if rate == 0:
        return value
    value = tracer.whole(value)
    made = tracer.add("dropout", [value.node], value.shape, probability=float(rate), unit=unit)
    return Value(made, value.shape, value.index)


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
    if mode != "constant":
        return padded_by_itself(tracer, tracer.of(x), list(pads), mode)
    if (value or 0) != 0:  # zeros around x - value, and value back
        shifted = placed(tracer, scaled(tracer, tracer.whole(tracer.of(x)), constant=-float(value)))
        return scaled(tracer, tracer.whole(pad(tracer, _result, shifted, pads)), constant=float(value))
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


def padded_by_itself(tracer, value, pads, mode):
    """Elements of the value around it: mirrored, those of the edge, or those of the other side."""
    for position, (before, after) in enumerate(zip(pads[::2], pads[1::2])):
        axis = value.index.dim() - 1 - position
        extent = value.index.shape[axis]
        places = torch.arange(-before, extent + after)
        if mode == "reflect":
            places = (extent - 1) - ((extent - 1) - places.abs()).abs()
        elif mode == "replicate":
            places = places.clamp(0, extent - 1)
        elif mode == "circular":
            places = places % extent
        else:
            raise tracer.failure(f"pads by {mode}: constant, reflect, replicate and circular alone")
        if before or after:
            value = tracer.whole(Value(value.node, value.shape, value.index.index_select(axis, places)))
    return value


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
            elif isinstance(value, Parameter):
                tracer.keep(tensor, Parameter(value.name, value.tensor, value.index.movedim(dim, -1)))
            elif value is not None:
                raise tracer.failure("torch.cat with a tensor that is neither of the images nor constant")
        value = cat(tracer, _result, moved, -1)
        return Value(value.node, value.shape, value.index.movedim(-1, dim - 1))
    before = after = 0
    inputs, shapes = [], []
    for tensor in tensors:
        value = tracer.of(tensor)
        if isinstance(value, Parameter) and tensor.dim() == rank and bool(
                (value.index == value.index[:1]).all()):  # the same for all images, as a class token
            first = torch.empty(value.index.shape[1:])
            tracer.keep(first, Parameter(value.name, value.tensor, value.index[0]))
            value = parameter_value(tracer, first)
        if not isinstance(value, Value):
            if isinstance(value, (Parameter, Computed)):
                raise tracer.failure("torch.cat with a tensor that is neither of the images nor constant")
            if bool((tensor != 0).any()):  # constants along one axis, as coordinates
                zeros = placed(tracer, constant_value(tracer, tuple(tensor.shape[1:]), 0.0))
                value = arithmetic(tracer, "add", zeros, zeros, tensor)
        if not isinstance(value, Value):
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
        with torch._C.DisableTorchFunction():
            moved = result.movedim(0, 1)
        value = stack(tracer, moved, tensors, 1)
        return Value(value.node, value.shape, value.index, 1)
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
    if mode == "area":
        return adaptive(tracer, "adaptive_average_pool", result, x)
    if mode == "nearest-exact" and all(after % before == 0 for after, before in zip(result.shape[2:], x.shape[2:])):
        mode = "nearest"  # the same where every pixel is repeated equally often
    if mode not in ("nearest", "bilinear") or antialias:
        raise tracer.failure(f"interpolate of mode '{mode}': nearest, bilinear and area alone")
    shape = (result.shape[2], result.shape[3], result.shape[1])
    if size is None and not recompute_scale_factor:
        given = scale_factor if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * 2
        attributes = {"scale_h": float(given[0]), "scale_w": float(given[1])}
    else:
        attributes = {"height": shape[0], "width": shape[1]}
    if mode == "bilinear":
        attributes["align_corners"] = True if align_corners else None
    return tracer.image_value(tracer.add(f"resize_{mode}", [node], shape, **attributes), shape)
