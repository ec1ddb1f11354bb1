"""Sums, differences, products and quotients as nodes of a graph: of tensors of the images, parameters and numbers. Part
of export_torch.py."""

import torch

from .torch_functions import ALONG_AXES, ELEMENTWISE, HANDLERS, VIEWS, handles, tensors_in
from .torch_tracer import BATCH
from .torch_values import Computed, Parameter, Value, compressed, image_index, numel, same


def spelled_gelu(tracer, first, second):
    """Where one of two factors is a multiple of x and the other one of 1 + erf(x / sqrt(2)): their product, a GELU."""
    nodes = {node["name"]: node for node in tracer.nodes}

    def line(name):
        """The node under what is scaled, with factor and constant."""
        factor, constant = 1.0, 0.0
        while name in nodes and nodes[name]["op"] == "scaled":
            node = nodes[name]
            constant += factor * node.get("constant", 0.0)
            factor *= node.get("factor", 1.0)
            (name,) = node["inputs"]
        return name, factor, constant

    for value, other in ((first, second), (second, first)):
        (x, factor, constant), (bent, height, shift) = line(value.node), line(other.node)
        if constant or nodes.get(bent, {}).get("op") != "erf" or abs(height - shift) > 1e-9 * abs(height) or not same(
                value.index, other.index):
            continue
        below, slope, offset = line(nodes[bent]["inputs"][0])
        if below == x and not offset:  # x' = s x, s = sqrt(2) times the slope
            s = slope * 2 ** 0.5 if abs(slope - 0.5 ** 0.5) > 1e-15 else 1.0
            inside = Value(x, value.shape, value.index)
            inside = inside if s == 1 else scaled(tracer, inside, factor=s)
            curve = Value(tracer.add("gelu", [inside.node], value.shape), value.shape, value.index)
            return scaled(tracer, curve, factor=2 * factor * height / s) if 2 * factor * height != s else curve
    return None


def with_value(tracer, operation, result, a, b):
    """Two tensors of the images."""
    if operation == "multiply" and a.shape == b.shape:
        gelu = spelled_gelu(tracer, tracer.of(a), tracer.of(b))
        if gelu is not None:
            return gelu
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
    if tuple(parts[big].shape) != shape:  # each is repeated along an axis: one of them is written out
        return with_value(tracer, operation, result, placed(tracer, tracer.whole(Value(
            first.node, first.shape, parts[0].expand(shape)))), b)
    if rank not in (1, 3) and parts[0].shape != parts[1].shape:
        return with_value_as_image(tracer, operation, result, a, b, (first, second), parts, big)
    if rank not in (1, 3):
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
    if len(nodes[big][1]) == 1:  # a vector: the other, too
        small = values[1 - big]
        extents = (small.index.numel(),)
        nodes[1 - big] = (tracer.rearranged(small, small.index, extents), extents)
    made = tracer.add(operation, [nodes[big][0], nodes[1 - big][0]], nodes[big][1],
                      reversed=True if big == 1 and operation == "subtract" else None)
    if len(nodes[big][1]) == 1:
        return Value(made, nodes[big][1], torch.arange(nodes[big][1][0]).view(shape))
    return tracer.image_value(made, nodes[big][1])


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
    if len(groups) > 3:  # axes that are none of an image's: written out
        whole = [placed(tracer, tracer.whole(Value(v.node, v.shape, part.expand(shape))))
                 for v, part in zip(values, parts)]
        return with_value(tracer, operation, result, *whole)
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


def placed(tracer, value):
    """A tensor that stands for a value."""
    tensor = torch.empty((BATCH,) + tuple(value.index.shape))
    tracer.keep(tensor, value)
    return tensor


def combined(tracer, operation, a, b):
    """Two values, each of which may be repeated along axes, as tensors are."""
    shape = torch.broadcast_shapes(a.index.shape, b.index.shape)
    return with_value(tracer, operation, torch.empty((BATCH,) + tuple(shape)), placed(tracer, a), placed(tracer, b))


def with_parameter(tracer, operation, result, x, parameter):
    """A tensor of the images and a parameter."""
    what, value = tracer.of(parameter), tracer.of(x)
    shape, rank = tuple(result.shape[1:]), result.dim() - 1
    if tuple(value.index.shape) != shape:  # the parameter is the larger one: the tensor is written out
        spread = value.index.expand(shape)
        value = tracer.whole(Value(value.node, value.shape, spread))
    index = what.index
    if index.dim() > rank:
        if index.shape[0] != 1:
            raise tracer.failure(f"{operation} with the parameter '{what.name}', which is another for each "
                                 "image of a batch")
        index = index[0]
    index = compressed(index.expand((1,) * (rank - index.dim()) + tuple(index.shape)))
    if index.numel() != what.tensor.numel() or len(torch.unique(index)) != index.numel():  # a part of it, or some twice
        whole = torch.empty(what.tensor.shape)
        tracer.keep(whole, Parameter(what.name, what.tensor, torch.arange(what.tensor.numel()).view(what.tensor.shape)))
        all_of_it = parameter_value(tracer, whole)
        part = Value(all_of_it.node, all_of_it.shape, all_of_it.index.flatten()[index])
        return combined(tracer, operation, value, part)
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


def parameter_value(tracer, parameter):
    """A parameter, or a view of one, as a value that is the same for all images: it is added to zeros."""
    what = tracer.of(parameter)
    if isinstance(what, Computed):
        return computed_value(tracer, what, tuple(parameter.shape))
    count = what.index.numel()
    corner = torch.zeros(1, count, 1, dtype=torch.long)
    zeros = tracer.whole(Value("input", tracer.image, corner))
    zeros = scaled(tracer, zeros, factor=0.0)
    places = Parameter(what.name, what.tensor, what.index.reshape(1, count, 1))
    column = torch.empty(1, count, 1)
    tracer.keep(column, places)
    made = with_parameter(tracer, "add", torch.empty(BATCH, 1, count, 1), placed(tracer, zeros), column)
    return Value(made.node, made.shape, made.index.reshape(what.index.shape))


def constant_value(tracer, extents, number):
    """A number, repeated."""
    corner = torch.zeros(extents if numel(extents) > 1 else (1,), dtype=torch.long)
    value = tracer.whole(Value("input", tracer.image, corner))
    return scaled(tracer, Value(value.node, value.shape, value.index.reshape(extents)), factor=0.0, constant=number)


def computed_value(tracer, what, shape):
    """What was computed from parameters alone, computed again as values: views, functions of single elements, and what
    goes along axes."""
    name, func, args, kwargs, position = what.call
    plain = name.rstrip("_") if not name.startswith("__") else name

    def is_parameter(thing):
        return isinstance(thing, torch.Tensor) and isinstance(tracer.of(thing), (Parameter, Computed))

    if name in VIEWS and is_parameter(args[0]):
        value = parameter_value(tracer, args[0])
        places = list(tensors_in(func(value.index, *args[1:], **kwargs)))[position]
        return Value(value.node, value.shape, places)
    elif plain in ELEMENTWISE | ALONG_AXES:
        along = plain in ALONG_AXES

        def spread(thing):
            if not is_parameter(thing):
                return thing
            value = parameter_value(tracer, thing)
            missing = 0 if along else len(shape) - value.index.dim()
            return placed(tracer, Value(value.node, value.shape, value.index.view((1,) * missing + tuple(
                value.index.shape))))

        arguments, keywords = [spread(thing) for thing in args], {key: spread(v) for key, v in kwargs.items()}
        if along:
            dims = keywords.pop("dim", arguments.pop(1) if len(arguments) > 1 else None)
            rank = args[0].dim()
            dims = list(range(rank)) if dims is None else [dims] if isinstance(dims, int) else list(dims)
            moved = [d % rank + 1 for d in dims]
            arguments.insert(1, moved[0] if len(moved) == 1 else moved)
        value = HANDLERS[plain](tracer, torch.empty((BATCH,) + shape), *arguments, **keywords)
        return Value(value.node, value.shape, value.index.reshape(shape))
    names = ", ".join(dict.fromkeys(what.names))
    raise tracer.failure(f"a tensor computed from {names} by {name}, which is known of tensors of the "
                         "images alone: compute it of these, or let it be a parameter")


def beside(tracer, parameter, rank):
    """A tensor of parameters as a value beside a tensor [N, ...] of this rank, against which it is repeated."""
    value = parameter_value(tracer, parameter)
    index = value.index.view((1,) * (rank - value.index.dim()) + tuple(value.index.shape))
    if index.shape[0] != 1:
        raise tracer.failure("parameters that are others for each image of a batch")
    return placed(tracer, Value(value.node, value.shape, index[0]))


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
    if tensor.numel() and bool((tensor == tensor.flatten()[0]).all()):
        return float(tensor.flatten()[0])
    raise tracer.failure(f"{operation} with a tensor of constants {list(tensor.shape)} (a buffer?): one number, "
                         "or a parameter")


def joined(tracer, values, axis):
    """Values one after the other along an axis of each image."""
    rows = [tracer.as_rows(Value(v.node, v.shape, v.index.movedim(axis, -1))) for v in values]
    if len({shape[:-1] for _, shape in rows}) > 1:
        shapes = [(numel(shape[:-1]), 1, shape[-1]) for _, shape in rows]
        rows = [(tracer.rearranged(v, v.index.movedim(axis, -1), shape), shape) for v, shape in zip(values, shapes)]
    shape = rows[0][1][:-1] + (sum(s[-1] for _, s in rows),)
    node = tracer.add("concat", [node for node, _ in rows], shape) if len(rows) > 1 else rows[0][0]
    axes = tuple(values[0].index.movedim(axis, -1).shape[:-1]) + (shape[-1],)
    return Value(node, shape, torch.arange(numel(shape)).view(axes).movedim(-1, axis))


MOST_CONSTANTS = 64


def with_constants(tracer, operation, result, x, constants, reversed_):
    """A tensor of the images and constants that differ along one axis: as many parts as there are numbers."""
    spread = constants.expand(result.shape) if tuple(x.shape) == tuple(result.shape) else None
    small = None if spread is None else compressed(spread)
    axes = [] if small is None else [axis for axis in range(small.dim()) if small.shape[axis] > 1]
    if len(axes) != 1 or axes[0] == 0 or small.numel() > MOST_CONSTANTS:
        raise tracer.failure(f"{operation} with a tensor of constants {list(constants.shape)} (a buffer?): one number, "
                             f"at most {MOST_CONSTANTS} along one axis, or a parameter")
    numbers, axis, parts = small.flatten().tolist(), axes[0] - 1, []
    value, begin = tracer.of(x), 0
    for end in range(1, len(numbers) + 1):
        if end < len(numbers) and numbers[end] == numbers[begin]:
            continue
        part = tracer.whole(Value(value.node, value.shape, value.index.narrow(axis, begin, end - begin)))
        number, begin = numbers[begin], end
        if operation == "multiply":
            parts.append(scaled(tracer, part, factor=number))
        elif operation == "add":
            parts.append(scaled(tracer, part, constant=number))
        elif reversed_:
            parts.append(scaled(tracer, part, factor=-1.0, constant=number))
        else:
            parts.append(scaled(tracer, part, constant=-number))
    return joined(tracer, parts, axis)


def arithmetic(tracer, operation, result, a, b):
    if tracer.is_value(a) and tracer.is_value(b):
        return with_value(tracer, operation, result, a, b)
    x, other = (a, b) if tracer.is_value(a) else (b, a)
    if isinstance(other, torch.Tensor) and isinstance(tracer.of(other), Computed):
        other = beside(tracer, other, result.dim())
        return with_value(tracer, operation, result, *((a, other) if x is a else (other, b)))
    if isinstance(other, torch.Tensor) and isinstance(tracer.of(other), Parameter):
        if operation == "subtract" and x is not a:  # p - x is -(x - p)
            return scaled(tracer, with_parameter(tracer, operation, result, x, other), factor=-1.0)
        return with_parameter(tracer, operation, result, x, other)
    if isinstance(other, torch.Tensor) and tracer.of(other) is None and other.numel() > 1 and bool(
            (other != other.flatten()[0]).any()):
        return with_constants(tracer, operation, result, x, other, reversed_=x is not a)
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


@handles("add", "__add__", "__radd__", "__iadd__", of=ELEMENTWISE)
def add(tracer, result, a, b, alpha=1, **_kwargs):
    if alpha != 1:
        b = multiplied(tracer, b, alpha)
    return arithmetic(tracer, "add", result, a, b)


@handles("sub", "subtract", "__sub__", "__isub__", of=ELEMENTWISE)
def subtract(tracer, result, a, b, alpha=1, **_kwargs):
    if alpha != 1:
        b = multiplied(tracer, b, alpha)
    return arithmetic(tracer, "subtract", result, a, b)


@handles("rsub", "__rsub__", of=ELEMENTWISE)
def rsub(tracer, result, a, b, **_kwargs):
    return arithmetic(tracer, "subtract", result, b, a)


@handles("mul", "multiply", "__mul__", "__rmul__", "__imul__", of=ELEMENTWISE)
def multiply(tracer, result, a, b, **_kwargs):
    return arithmetic(tracer, "multiply", result, a, b)


def spelled_layer_norm(tracer, a, root):
    """(x - u) / sqrt(mean((x - u)^2) + epsilon), u the mean of the channels, is a LayerNorm; of other quotients,
    None."""
    nodes = {node["name"]: node for node in tracer.nodes}

    def inputs_of(name, operation, count=1):
        node = nodes.get(name, {"op": None})
        return node["inputs"] if node["op"] == operation and len(set(node["inputs"])) == count else [None] * count

    if nodes.get(root.node, {}).get("exponent") != 0.5:
        return None
    (variance,) = inputs_of(root.node, "power")
    divided = nodes.get(variance, {})
    epsilon = divided.get("constant", 0.0)
    (mean_of_squares,) = inputs_of(variance, "scaled")
    (squares,) = inputs_of(mean_of_squares, "mean")
    less = inputs_of(squares, "multiply")[0]
    x, average = inputs_of(less, "subtract", 2)
    over = [nodes[node].get("over_channels") for node in (mean_of_squares, average) if node in nodes]
    if x is None or inputs_of(average, "mean") != [x] or inputs_of(a.node, "subtract", 2) != [x, average] or (
            over != [True, True] or "factor" in divided):
        return None
    made = tracer.add("layer_norm", [x], a.shape, epsilon=epsilon if epsilon != 1e-5 else None, affine=False)
    return Value(made, a.shape, a.index)


def power_of(tracer, value, exponent):
    """A value's elements, each raised to a power."""
    value = tracer.whole(value)
    return Value(tracer.add("power", [value.node], value.shape, exponent=float(exponent)), value.shape, value.index)


@handles("div", "divide", "true_divide", "__truediv__", "__itruediv__", of=ELEMENTWISE)
def divide(tracer, result, a, b, rounding_mode=None):
    if rounding_mode is not None:
        raise tracer.failure(f"divides with rounding ({rounding_mode}): a graph has no integers")
    if tracer.is_value(a) and tracer.is_value(b):
        return spelled_layer_norm(tracer, tracer.of(a), tracer.of(b)) or with_value(
            tracer, "multiply", result, a, placed(tracer, power_of(tracer, tracer.of(b), -1)))
    if tracer.is_value(b):
        inverse = power_of(tracer, tracer.of(b), -1)
        return arithmetic(tracer, "multiply", result, a, placed(tracer, inverse))
    if isinstance(b, torch.Tensor) and isinstance(tracer.of(b), Computed):
        return divide(tracer, result, a, beside(tracer, b, result.dim()))
    if isinstance(b, torch.Tensor) and isinstance(tracer.of(b), Parameter):  # x times 1 / (0 x + p)
        zero = placed(tracer, with_number(tracer, "multiply", a, 0.0))
        divisor = power_of(tracer, with_parameter(tracer, "add", result, zero, b), -1)
        return with_value(tracer, "multiply", result, a, placed(tracer, divisor))
    if isinstance(b, torch.Tensor) and tracer.of(b) is None:
        return arithmetic(tracer, "multiply", result, a, 1 / b.double())
    return with_number(tracer, "multiply", a, 1 / constant(tracer, b, "divide"))


@handles("reciprocal", of=ELEMENTWISE)
def reciprocal(tracer, _result, x):
    return power_of(tracer, tracer.of(x), -1)


@handles("__rtruediv__", "__rdiv__", of=ELEMENTWISE)
def divide_reversed(tracer, result, a, b):
    return divide(tracer, result, b, a)


@handles("sqrt", of=ELEMENTWISE)
def square_root(tracer, _result, x):
    return power_of(tracer, tracer.of(x), 0.5)


@handles("rsqrt", of=ELEMENTWISE)
def inverse_root(tracer, _result, x):
    return power_of(tracer, tracer.of(x), -0.5)


@handles("square", of=ELEMENTWISE)
def square(tracer, _result, x):
    value = tracer.whole(tracer.of(x))
    return Value(tracer.add("multiply", [value.node, value.node], value.shape), value.shape, value.index)


@handles("pow", "__pow__", "__ipow__", "float_power", of=ELEMENTWISE)
def power(tracer, result, x, exponent):
    if not tracer.is_value(x) or tracer.is_value(exponent):
        raise tracer.failure("a power whose exponent depends on the images: a number or a parameter alone")
    if isinstance(exponent, torch.Tensor) and tracer.of(exponent) is not None:  # exp(p log(x))
        value = tracer.whole(tracer.of(x))
        logarithm = Value(tracer.add("log", [value.node], value.shape), value.shape, value.index)
        product = tracer.whole(arithmetic(tracer, "multiply", result, placed(tracer, logarithm), exponent))
        return Value(tracer.add("exp", [product.node], product.shape), product.shape, product.index)
    exponent = constant(tracer, exponent, "pow")
    if exponent in (1, 2):
        return tracer.whole(tracer.of(x)) if exponent == 1 else square(tracer, result, x)
    return power_of(tracer, tracer.of(x), exponent)


@handles("neg", "negative", "__neg__", of=ELEMENTWISE)
def negate(tracer, _result, x):
    return with_number(tracer, "multiply", x, -1.0)
