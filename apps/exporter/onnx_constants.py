"""Operators of ONNX on arrays of NumPy's: what a file computes of its weights, of shapes and of numbers. Part of
export_torch.py.

FOLDED: for each operator a function of the node, the version of the operators, and the arrays; it returns the output,
or a list of outputs.
"""

import math

import numpy

LARGEST = 1 << 27  # elements of a tensor that a file may ask for
LARGEST_LIST = 1 << 20  # of shapes, places and other numbers
TYPES = {1: numpy.float32, 2: numpy.uint8, 3: numpy.int8, 4: numpy.uint16, 5: numpy.int16, 6: numpy.int32,
         7: numpy.int64, 9: numpy.bool_, 10: numpy.float16, 11: numpy.float64, 12: numpy.uint32, 13: numpy.uint64,
         16: numpy.float32}


class Refusal(Exception):
    """What a node does that cannot be taken; one line."""


def check_size(shape, largest=LARGEST):
    """Refuses a tensor that no network for images has: a file's numbers may be anything."""
    if math.prod(int(extent) for extent in shape) > largest:
        raise Refusal(f"a tensor {[int(extent) for extent in shape]} is too large")
    return shape


def integers(array):
    check_size(numpy.shape(array), LARGEST_LIST)
    return [int(v) for v in numpy.asarray(array).flatten()]


def given(node, inputs, place, name):
    """Numbers that newer versions have as an input, older ones as an attribute; None where they are left out."""
    if name in node.attributes:
        value = node.attributes[name]
        return [value] if isinstance(value, int) else list(value)
    if len(inputs) > place and inputs[place] is not None:
        return integers(inputs[place])
    return None


def reshaped(node, shape, wanted, whole):
    """The extents that Reshape makes of a tensor of this shape."""
    wanted = list(wanted)
    if len(wanted) > 16:
        raise Refusal(f"reshapes {list(shape)} to {len(wanted)} axes")
    if not node.attributes.get("allowzero"):
        if any(extent == 0 and axis >= len(shape) for axis, extent in enumerate(wanted)):
            raise Refusal(f"reshapes {list(shape)} to {wanted}: 0 stands for an extent that there is not")
        wanted = [shape[axis] if extent == 0 else extent for axis, extent in enumerate(wanted)]
    if wanted.count(-1) == 1:
        rest = math.prod(extent for extent in wanted if extent != -1)
        if rest > 0 and whole % rest == 0:
            wanted[wanted.index(-1)] = whole // rest
    if math.prod(wanted) != whole or min(wanted, default=1) < 0:
        raise Refusal(f"reshapes {list(shape)} to {wanted}")
    return wanted


def flattened(node, shape):
    axis = node.attributes.get("axis", 1)
    axis = axis + len(shape) if axis < 0 else axis
    return [math.prod(shape[:axis]), math.prod(shape[axis:])]


def squeezed(node, inputs, shape):
    axes = given(node, inputs, 1, "axes")
    if axes is None:
        return [extent for extent in shape if extent != 1]
    axes = {axis % len(shape) for axis in axes}
    if any(shape[axis] != 1 for axis in axes):
        raise Refusal(f"squeezes the axes {sorted(axes)} of a tensor {list(shape)}")
    return [extent for axis, extent in enumerate(shape) if axis not in axes]


def unsqueezed(node, inputs, shape):
    axes = given(node, inputs, 1, "axes") or []
    rank = len(shape) + len(axes)
    axes, rest = {axis % rank for axis in axes}, list(shape)
    return [1 if axis in axes else rest.pop(0) for axis in range(rank)]


def slices(node, inputs, shape):
    """Of each axis begin, end and step, as Python's slice() would have them of numbers inside."""
    starts, ends = given(node, inputs, 1, "starts"), given(node, inputs, 2, "ends")
    axes = given(node, inputs, 3, "axes") or list(range(len(starts)))
    steps = given(node, inputs, 4, "steps") or [1] * len(starts)
    result = [(0, extent, 1) for extent in shape]
    for start, end, axis, step in zip(starts, ends, axes, steps):
        if step == 0:
            raise Refusal("a slice of step 0")
        extent = shape[axis]
        start, end = (place + extent if place < 0 else place for place in (start, end))
        if step > 0:
            start, end = min(max(start, 0), extent), min(max(end, 0), extent)
        else:
            start, end = min(max(start, 0), extent - 1), min(max(end, -1), extent - 1)
        result[axis % len(shape)] = (start, end, step)
    return result


def parts(node, inputs, extent):
    """The extents of Split's outputs."""
    sizes = given(node, inputs, 1, "split")
    if sizes is None:
        count = len(node.outputs)
        size = -(-extent // count)
        sizes = [min(size, extent - size * i) for i in range(count)]
    if sum(sizes) != extent or min(sizes) < 0 or len(sizes) != len(node.outputs):
        raise Refusal(f"splits {extent} into {sizes}")
    return sizes


def along(node, rank, default=0):
    axis = node.attributes.get("axis", default)
    if not -rank <= axis < rank:
        raise Refusal(f"axis {axis} of a tensor of {rank} axes")
    return axis % rank


FOLDED = {}


def folds(*names):
    def register(function):
        for name in names:
            FOLDED[name] = function
        return function
    return register


def elementwise(function):
    """Wraps a function of arrays, whose result broadcasts them."""
    def fold(_node, _opset, *arrays):
        check_size(numpy.broadcast_shapes(*(a.shape for a in arrays)))
        with numpy.errstate(all="ignore"):
            return function(*arrays)
    return fold


def quotient(a, b):
    if a.dtype.kind in "iu" and b.dtype.kind in "iu":  # towards zero
        if (b == 0).any():
            raise Refusal("divides by zero")
        return (numpy.sign(a) * numpy.sign(b) * (abs(a) // abs(b))).astype(a.dtype)
    return a / b


def error_function(x):
    import torch
    return torch.erf(torch.from_numpy(numpy.array(x, numpy.float64))).numpy().astype(x.dtype)


def variadic(function):
    def fold(*arrays):
        result = arrays[0]
        for array in arrays[1:]:
            result = function(result, array)
        return result
    return fold


ELEMENTWISE = {
    "Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b, "Div": quotient,
    "Pow": lambda a, b: numpy.power(a, b.astype(a.dtype) if a.dtype.kind == "f" else b), "Neg": lambda a: -a,
    "Abs": numpy.abs, "Sqrt": numpy.sqrt, "Exp": numpy.exp, "Log": numpy.log, "Erf": error_function,
    "Reciprocal": lambda a: 1 / a, "Floor": numpy.floor, "Ceil": numpy.ceil, "Round": numpy.round, "Sign": numpy.sign,
    "Tanh": numpy.tanh, "Sigmoid": lambda a: 1 / (1 + numpy.exp(-a)), "Relu": lambda a: numpy.maximum(a, 0),
    "Softplus": lambda a: numpy.logaddexp(a, 0), "Equal": numpy.equal, "Less": numpy.less, "Greater": numpy.greater,
    "LessOrEqual": numpy.less_equal, "GreaterOrEqual": numpy.greater_equal, "And": numpy.logical_and,
    "Or": numpy.logical_or, "Not": numpy.logical_not, "Where": numpy.where, "Max": variadic(numpy.maximum),
    "Min": variadic(numpy.minimum), "Sum": variadic(numpy.add), "Identity": lambda a: a,
    "Mean": lambda *a: variadic(numpy.add)(*a) / len(a),
}
for _name, _function in ELEMENTWISE.items():
    folds(_name)(elementwise(_function))


@folds("HardSigmoid")
def hard_sigmoid(node, _opset, x):
    return numpy.clip(node.attributes.get("alpha", 0.2) * x + node.attributes.get("beta", 0.5), 0, 1)


@folds("LeakyRelu")
def leaky_relu(node, _opset, x):
    return numpy.where(x < 0, node.attributes.get("alpha", 0.01) * x, x)


@folds("Clip")
def clip(node, _opset, x, low=None, high=None):
    low, high = bounds(node, low, high)
    return numpy.clip(x, low, high)


def bounds(node, low, high):
    """What Clip clips to: attributes, or inputs; infinite where left out."""
    low = node.attributes.get("min", -math.inf if low is None else float(low))
    high = node.attributes.get("max", math.inf if high is None else float(high))
    return low if low > -3e38 else -math.inf, high if high < 3e38 else math.inf


@folds("Mod")
def modulo(node, _opset, a, b):
    if (b == 0).any():
        raise Refusal("divides by zero")
    return numpy.fmod(a, b) if node.attributes.get("fmod") else numpy.mod(a, b)


@folds("Constant")
def constant(node, _opset):
    (name, value), = node.attributes.items()
    kinds = {"value_float": numpy.float32, "value_floats": numpy.float32, "value_int": numpy.int64,
             "value_ints": numpy.int64}
    if name == "value":
        return value
    if name not in kinds:
        raise Refusal(f"a constant as '{name}'")
    return numpy.array(value, kinds[name])


@folds("ConstantOfShape")
def constant_of_shape(node, _opset, shape):
    value = node.attributes.get("value", numpy.zeros(1, numpy.float32)).flatten()[0]
    return numpy.full(check_size(integers(shape), LARGEST_LIST), value)


@folds("Range")
def number_range(_node, _opset, start, limit, step):
    values = [v.flatten()[0].item() for v in (start, limit, step)]
    if values[2] == 0:
        raise Refusal("a range of step 0")
    check_size([max(0, math.ceil((values[1] - values[0]) / values[2]))], LARGEST_LIST)
    return numpy.arange(*values, dtype=start.dtype)


@folds("Cast")
def cast(node, _opset, x):
    if node.attributes["to"] not in TYPES:
        raise Refusal("casts to a kind of numbers that is not read")
    return x.astype(TYPES[node.attributes["to"]])


@folds("CastLike")
def cast_like(_node, _opset, x, like):
    return x.astype(like.dtype)


@folds("Shape")
def shape_of(node, _opset, x):
    return shape_part(node, x.shape)


def shape_part(node, shape):
    start, end = node.attributes.get("start", 0), node.attributes.get("end", len(shape))
    return numpy.array(list(shape)[start:end], numpy.int64)


@folds("Size")
def size_of(_node, _opset, x):
    return numpy.array(x.size, numpy.int64)


@folds("Concat")
def concat(node, _opset, *arrays):
    return numpy.concatenate(arrays, node.attributes["axis"])


@folds("Gather")
def gather(node, _opset, x, indices):
    check_size([*x.shape[1:], indices.size])
    return numpy.take(x, indices.astype(numpy.int64), along(node, x.ndim))


@folds("Slice")
def slice_of(node, _opset, x, *inputs):
    return x[tuple(slice(begin, end if end >= 0 else None, step) for begin, end, step in slices(
        node, (x, *inputs), x.shape))]


@folds("Split")
def split(node, _opset, x, *inputs):
    axis = along(node, x.ndim)
    return numpy.split(x, numpy.cumsum(parts(node, (x, *inputs), x.shape[axis]))[:-1], axis)


@folds("Unsqueeze")
def unsqueeze(node, _opset, x, *inputs):
    return x.reshape(unsqueezed(node, (x, *inputs), x.shape))


@folds("Squeeze")
def squeeze(node, _opset, x, *inputs):
    return x.reshape(squeezed(node, (x, *inputs), x.shape))


@folds("Reshape")
def reshape(node, _opset, x, shape):
    return x.reshape(reshaped(node, x.shape, integers(shape), x.size))


@folds("Flatten")
def flatten(node, _opset, x):
    return x.reshape(flattened(node, x.shape))


@folds("Transpose")
def transpose(node, _opset, x):
    return x.transpose(node.attributes.get("perm", list(range(x.ndim))[::-1]))


@folds("Expand")
def expand(_node, _opset, x, shape):
    return x * numpy.ones(check_size(numpy.broadcast_shapes(x.shape, tuple(integers(shape)))), x.dtype)


@folds("Tile")
def tile(_node, _opset, x, repeats):
    check_size([a * b for a, b in zip(x.shape, integers(repeats))])
    return numpy.tile(x, integers(repeats))


@folds("NonZero")
def non_zero(_node, _opset, x):
    return numpy.array(numpy.nonzero(x), numpy.int64)


@folds("MatMul")
def matmul(_node, _opset, a, b):
    check_size([*a.shape[:-1], b.shape[-1]])
    return a @ b


@folds("ReduceProd", "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin")
def reduce(node, _opset, x, *inputs):
    function = {"ReduceProd": numpy.prod, "ReduceSum": numpy.sum, "ReduceMean": numpy.mean, "ReduceMax": numpy.max,
                "ReduceMin": numpy.min}[node.op]
    axes = given(node, (x, *inputs), 1, "axes")
    if not axes and node.attributes.get("noop_with_empty_axes"):
        return x
    return numpy.asarray(function(x, axis=tuple(axes) if axes else None,
                                  keepdims=bool(node.attributes.get("keepdims", 1)))).astype(x.dtype)


@folds("Dropout")
def dropout(_node, _opset, x, *_inputs):
    return x
