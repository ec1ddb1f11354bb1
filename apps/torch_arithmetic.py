"""Sums, differences, products and quotients as nodes of a graph: of tensors of the images, parameters and numbers. Part
of export_torch.py, beside which it lies.
"""

import torch

from torch_tracer import handles
from torch_values import Computed, Parameter, Root, Value, image_index, numel, same


def compressed(index):
    """Returns an index with one element along the axes along which all are the same, which is what expand() makes."""
    for axis in range(index.dim()):
        if index.shape[axis] > 1 and bool((index == index.narrow(axis, 0, 1)).all()):
            index = index.narrow(axis, 0, 1)
    return index


def with_value(tracer, operation, result, a, b):
    """Two tensors of the images."""
    shape = tuple(result.shape[1:])
    rank = len(shape)
    first, second = tracer.of(a), tracer.of(b)
    if first.index.shape == second.index.shape and first.shape == second.shape:
        if same(first.index, second.index):
            whole = [tracer.whole(v) for v in (first, second)]
            if all(w is v for w, v in zip(whole, (first, second))):
                return Value(tracer.add(operation, [first.node, second.node], first.shape), first.shape, first.index)
    parts = [compressed(v.index.expand((1,) * (rank - v.index.dim()) + tuple(v.index.shape))) for v in (first, second)]
    big = 0 if tuple(parts[0].shape) == shape else 1
    if tuple(parts[big].shape) != shape:
        raise tracer.failure(f"{operation} of tensors {list(a.shape)} and {list(b.shape)}, each of which is "
                             "repeated along an "
                             "axis: one of the two has to be of the result's shape")
    if rank not in (1, 3) and parts[0].shape != parts[1].shape:
        return with_value_as_image(tracer, operation, result, a, b, (first, second), parts, big)
    if rank not in (1, 3):
        if tuple(parts[1 - big].shape) != shape:
            raise tracer.failure(f"{operation} of tensors {list(a.shape)} and {list(b.shape)}: one is repeated "
                                 "along an axis "
                                 "of no image")
        rows = [tracer.as_rows(Value(v.node, v.shape, part)) for v, part in zip((first, second), parts)]
        if rows[0][1] != rows[1][1]:
            rows = [(tracer.rearranged(Value(v.node, v.shape, part), part, (numel(shape[:-1]), 1, shape[-1])),
                     (numel(shape[:-1]), 1, shape[-1])) for v, part in zip((first, second), parts)]
        return Value(tracer.add(operation, [rows[0][0], rows[1][0]], rows[0][1]), rows[0][1],
                     torch.arange(numel(shape)).view(shape))
    values = [Value(v.node, v.shape, part) for v, part in zip((first, second), parts)]

    def make(value):
        if value.shape == tuple(value.index.shape[:1]) and same(value.index.flatten(), torch.arange(value.size)):
            return value.node, value.shape  # a vector, against an image
        return tracer.as_image(value) if rank == 3 else tracer.as_rows(value)

    nodes = [make(v) for v in values]
    made = tracer.add(operation, [nodes[big][0], nodes[1 - big][0]], nodes[big][1],
                      reversed=True if big == 1 and operation == "subtract" else None)
    return tracer_value(tracer, made, nodes[big][1])


def with_value_as_image(tracer, operation, result, a, b, values, parts, big):
    """Two tensors of the images of 2 axes, or of more than 3, one of which is repeated: neighbouring axes along which
    both are whole, or one repeated, become one; an image has three."""
    shape, small = parts[big].shape, parts[1 - big].shape
    groups = []
    for axis, extent in enumerate(shape):
        repeated = small[axis] != extent
        if groups and groups[-1][0] == repeated:
            groups[-1][1] *= extent
        else:
            groups.append([repeated, extent])
    if len(groups) > 3:
        raise tracer.failure(f"{operation} of tensors {list(a.shape)} and {list(b.shape)}: one is repeated "
                             "along axes that "
                             "are none of an image's")
    extents = [extent for _, extent in groups] + [1] * (3 - len(groups))
    images = []
    for part, value in zip(parts, values):
        whole = tuple(part.shape) == tuple(shape)
        image = part.reshape([extent if whole or not repeated else 1 for (repeated, _), extent in zip(groups, extents)]
                             + [1] * (3 - len(groups)))
        last = len(groups) - 1  # channels are the axis that is innermost in memory, as a rule the last
        channels_last = len(groups) < 3 and bool((parts[big].flatten()[1:2] - parts[big].flatten()[:1] == 1).all())
        images.append(Value(value.node, value.shape, image.movedim(last, 0) if channels_last else image))
    nodes = [tracer.as_image(image) for image in images]
    made = tracer.add(operation, [nodes[big][0], nodes[1 - big][0]], nodes[big][1],
                      reversed=True if big == 1 and operation == "subtract" else None)
    index = image_index(nodes[big][1])
    if channels_last:
        index = index.movedim(0, last)
    return Value(made, nodes[big][1], index.reshape(shape))


def tracer_value(tracer, node, shape):
    return tracer.image_value(node, shape) if len(shape) == 3 else Value(node, shape, torch.arange(shape[0]))


def with_parameter(tracer, operation, result, x, parameter):
    """A tensor of the images and a parameter."""
    what, value = tracer.of(parameter), tracer.of(x)
    shape, rank = tuple(result.shape[1:]), result.dim() - 1
    if tuple(value.index.shape) != shape:
        raise tracer.failure(f"{operation} of a tensor {list(x.shape)} and a parameter {list(parameter.shape)} "
                             "that is larger")
    index = what.index
    if index.dim() > rank:
        if index.shape[0] != 1:
            raise tracer.failure(f"{operation} with the parameter '{what.name}', which is another for each "
                                 "image of a batch")
        index = index[0]
    index = compressed(index.expand((1,) * (rank - index.dim()) + tuple(index.shape)))
    if index.numel() != what.tensor.numel() or len(torch.unique(index)) != index.numel():
        raise tracer.failure(f"{operation} with a part of the parameter '{what.name}': with all of it alone")
    if rank == 3:
        node, memory = tracer.as_image(value)
        order, extents = index.permute(1, 2, 0), tuple(index.permute(1, 2, 0).shape)
        out = image_index(memory)
    else:
        node, memory = tracer.as_rows(value)
        if rank > 1 and index.numel() in (1, shape[-1]) and index.shape[-1] == index.numel():
            order, extents = index.flatten(), (1,) * (len(memory) - 1) + (index.numel(),)
        elif len(memory) == 3 and numel(index.shape[:-1]) == numel(memory[:-1]):
            order, extents = index, memory[:-1] + tuple(index.shape[-1:])
        elif rank == 1:
            order, extents = index.flatten(), (index.numel(),)
        else:
            raise tracer.failure(f"{operation} with the parameter '{what.name}' {list(parameter.shape)} over "
                                 f"{list(x.shape)}")
        out = torch.arange(numel(memory)).view(shape)
    ours = what.tensor.detach().flatten()[order.flatten()]
    if len(extents) == 1 or index.numel() == 1 or extents[:2] == (1, 1):
        extents = (index.numel(),)
    else:  # as PyTorch would have an image's
        ours = ours.reshape(extents).permute(2, 0, 1).unsqueeze(0)
    made = tracer.add(f"{operation}_parameter", [node], memory, name=what.name, weights=[(None, ours, what.tensor)],
                      shape=list(extents))
    return Value(made, memory, out)


def scaled(tracer, value, **attributes):
    """`factor` times a value whose elements are all of its node's, plus `constant`."""
    return Value(tracer.add("scaled", [value.node], value.shape, **attributes), value.shape, value.index)


def with_number(tracer, operation, x, number):
    value = tracer.whole(tracer.of(x))
    neutral = 1.0 if operation == "multiply" else 0.0
    if number == neutral:
        return value
    return scaled(tracer, value, **{"factor" if operation == "multiply" else "constant": float(number)})


def constant(tracer, tensor, operation):
    """The number that a tensor which is no parameter and not of the images amounts to."""
    if not isinstance(tensor, torch.Tensor):
        return float(tensor)
    what = tracer.of(tensor)
    if isinstance(what, Computed):
        raise tracer.failure(f"{operation} with a tensor computed from {', '.join(what.names)}: a graph's "
                             "weights are its "
                             "parameters")
    if tensor.numel() and bool((tensor == tensor.flatten()[0]).all()):
        return float(tensor.flatten()[0])
    raise tracer.failure(f"{operation} with a tensor of constants {list(tensor.shape)} (a buffer?): one number, "
                         "or a parameter")


def arithmetic(tracer, operation, result, a, b):
    if tracer.is_value(a) and tracer.is_value(b):
        return with_value(tracer, operation, result, a, b)
    x, other = (a, b) if tracer.is_value(a) else (b, a)
    if isinstance(other, torch.Tensor) and isinstance(tracer.of(other), Parameter):
        if operation == "subtract" and x is not a:  # p - x is -(x - p)
            return scaled(tracer, with_parameter(tracer, operation, result, x, other), factor=-1.0)
        return with_parameter(tracer, operation, result, x, other)
    number = constant(tracer, other, operation)
    if isinstance(other, torch.Tensor) and other.dim() > 0 and tuple(x.shape) != tuple(result.shape):
        raise tracer.failure(f"{operation} repeats a tensor {list(x.shape)} to {list(result.shape)}")
    if operation != "subtract":
        return with_number(tracer, operation, x, number)
    if x is a:
        return with_number(tracer, "add", x, -number)
    return scaled(tracer, tracer.whole(tracer.of(x)), factor=-1.0, constant=number)


def multiplied(tracer, x, number):
    """A tensor or a number times a number."""
    with torch._C.DisableTorchFunction():
        product = x * number
    if tracer.is_value(x):
        tracer.keep(product, scaled(tracer, tracer.whole(tracer.of(x)), factor=float(number)))
    elif isinstance(x, torch.Tensor) and tracer.of(x) is not None:
        raise tracer.failure("adds a multiple of a parameter (alpha): multiply before")
    return product


@handles("add", "__add__", "__radd__", "__iadd__")
def add(tracer, result, a, b, alpha=1, **_kwargs):
    if alpha != 1:
        b = multiplied(tracer, b, alpha)
    return arithmetic(tracer, "add", result, a, b)


@handles("sub", "subtract", "__sub__", "__isub__")
def subtract(tracer, result, a, b, alpha=1, **_kwargs):
    if alpha != 1:
        b = multiplied(tracer, b, alpha)
    return arithmetic(tracer, "subtract", result, a, b)


@handles("rsub", "__rsub__")
def rsub(tracer, result, a, b, **_kwargs):
    return arithmetic(tracer, "subtract", result, b, a)


@handles("mul", "multiply", "__mul__", "__rmul__", "__imul__")
def multiply(tracer, result, a, b, **_kwargs):
    return arithmetic(tracer, "multiply", result, a, b)


@handles("sqrt")
def square_root(tracer, _result, x):
    return Root(tracer.of(x))


def spelled_layer_norm(tracer, a, root):
    """(x - u) / sqrt(mean((x - u)^2) + epsilon), u the mean of the channels: a LayerNorm."""
    nodes = {node["name"]: node for node in tracer.nodes}

    def input_of(name, operation, inputs=1):
        node = nodes.get(name)
        if node is None or node["op"] != operation or len(set(node["inputs"])) != inputs:
            raise tracer.failure("divides by a square root that is no LayerNorm's")
        return node["inputs"]

    divided = nodes.get(root.value.node, {})
    epsilon = divided.get("constant", 0.0)
    (mean_of_squares,) = input_of(root.value.node, "scaled")
    (squares,) = input_of(mean_of_squares, "mean")
    less = input_of(squares, "multiply")[0]
    x, average = input_of(less, "subtract", 2)
    over = [nodes[node].get("over_channels") for node in (mean_of_squares, average) if node in nodes]
    if input_of(average, "mean") != [x] or input_of(a.node, "subtract", 2) != [x, average] or over != [True, True] or (
            "factor" in divided):
        raise tracer.failure("divides by a square root that is no LayerNorm's")
    made = tracer.add("layer_norm", [x], a.shape, epsilon=epsilon if epsilon != 1e-5 else None, affine=False)
    return Value(made, a.shape, a.index)


@handles("div", "divide", "true_divide", "__truediv__", "__itruediv__")
def divide(tracer, _result, a, b, rounding_mode=None):
    if tracer.is_value(a) and isinstance(b, torch.Tensor) and isinstance(tracer.of(b), Root):
        return spelled_layer_norm(tracer, tracer.of(a), tracer.of(b))
    if rounding_mode is not None or not tracer.is_value(a) or isinstance(b, torch.Tensor) and tracer.of(b) is not None:
        raise tracer.failure("divides by a tensor of the images or a parameter: by a number alone")
    return with_number(tracer, "multiply", a, 1 / constant(tracer, b, "divide"))


@handles("neg", "negative", "__neg__")
def negate(tracer, _result, x):
    return with_number(tracer, "multiply", x, -1.0)
