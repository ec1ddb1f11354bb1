"""Functions of PyTorch's that are several of a graph's operations: softmax, maxima of two, norms, local response
normalisation, PReLU, and images of one row. Part of export_torch.py."""

import torch
from torch.nn import functional as F

from .torch_activations import bent, clamp, clamp_min
from .torch_arithmetic import combined, constant, constant_value, joined, placed, power_of, scaled, with_parameter
from .torch_functions import ALONG_AXES, AS_THEY_ARE, ELEMENTWISE, handles
from .torch_operations import adaptive, amax, avg_pool2d, axes_of, conv2d, linear, max_pool2d, pad, pooled_over
from .torch_tracer import BATCH
from .torch_values import Parameter, Value, numel, pair, same


def kept(value, like, axes):
    """A value that was pooled over axes, which stay with an extent of 1."""
    extents = [1 if axis in axes else extent for axis, extent in enumerate(like.index.shape)]
    return Value(value.node, value.shape, value.index.view(extents))


def over(tracer, value, axes, operation):
    return kept(pooled_over(tracer, value, axes, operation), value, axes)


def summed(tracer, value, axes):
    count = numel([value.index.shape[axis] for axis in axes])
    return scaled(tracer, tracer.whole(over(tracer, value, axes, "global_average_pool")), factor=float(count))


# --- Softmax ----------------------------------------------------------------------------------


@handles("softmax", "_softmax", of=ALONG_AXES)
def softmax(tracer, result, x, dim=None, *_more, **_kwargs):
    """exp(x - m) / sum exp(x - m), m the maximum: nothing overflows."""
    if dim is None:  # as PyTorch chooses where it warns
        dim = 0 if x.dim() in (1, 3) else 1
    axes = axes_of(tracer, "softmax", x.dim(), dim)
    value = tracer.of(x)
    less = combined(tracer, "subtract", value, over(tracer, value, axes, "global_max_pool"))
    exponential = bent(tracer, tracer.whole(less), "exp")
    return combined(tracer, "multiply", exponential, power_of(tracer, summed(tracer, exponential, axes), -1))


@handles("softmin", of=ALONG_AXES)
def softmin(tracer, result, x, dim=None, *_more, **_kwargs):
    return softmax(tracer, result, placed(tracer, scaled(tracer, tracer.whole(tracer.of(x)), factor=-1.0)), dim)


@handles("logsumexp", of=ALONG_AXES)
def logsumexp(tracer, result, x, dim, keepdim=False):
    axes, value = axes_of(tracer, "logsumexp", x.dim(), dim), tracer.of(x)
    largest = over(tracer, value, axes, "global_max_pool")
    exponential = bent(tracer, tracer.whole(combined(tracer, "subtract", value, largest)), "exp")
    total = combined(tracer, "add", bent(tracer, summed(tracer, exponential, axes), "log"), largest)
    return Value(total.node, total.shape, total.index.reshape(tuple(result.shape[1:])))


# --- The larger of two, and of many ------------------------------------------------------------


def larger(tracer, a, b, sign):
    """a + relu(b - a), which is the larger; with the sign -1, a - relu(a - b), the smaller."""
    first, second = (a, b) if sign > 0 else (b, a)
    above = bent(tracer, tracer.whole(combined(tracer, "subtract", second, first)), "relu")
    return combined(tracer, "add" if sign > 0 else "subtract", a, above)


def extreme(tracer, name, sign, result, x, dim, keepdim):
    if isinstance(dim, torch.Tensor):
        if not tracer.is_value(x):
            x, dim = dim, x
        if tracer.of(dim) is None:  # constants, as in max(x, 0)
            number = constant(tracer, dim, name)
            return clamp(tracer, result, x, number if sign > 0 else None, None if sign > 0 else number)
        if not tracer.is_value(dim):
            raise tracer.failure(f"{name} of a tensor of the images and a parameter")
        return larger(tracer, tracer.of(x), tracer.of(dim), sign)
    values = result[0] if isinstance(result, tuple) else result
    if sign > 0:
        return amax(tracer, values, x, dim, keepdim)
    negative = placed(tracer, scaled(tracer, tracer.whole(tracer.of(x)), factor=-1.0))
    largest = amax(tracer, values, negative, dim, keepdim)
    return scaled(tracer, tracer.whole(largest), factor=-1.0)


@handles("max", "maximum", "fmax", of=ALONG_AXES)
def maximum(tracer, result, x, dim=None, keepdim=False, **kwargs):
    return extreme(tracer, "max", 1, result, x, kwargs.get("other", dim), keepdim)


@handles("min", "minimum", "fmin", "amin", of=ALONG_AXES)
def minimum(tracer, result, x, dim=None, keepdim=False, **kwargs):
    return extreme(tracer, "min", -1, result, x, kwargs.get("other", dim), keepdim)


@handles("argmax", "argmin", "topk", "sort", "argsort")
def places_of_extremes(tracer, *_args, **_kwargs):
    raise tracer.failure("finds where the largest elements are: a graph is the same for all images")


# --- Norms and deviations ----------------------------------------------------------------------


@handles("abs", "absolute", "__abs__", of=ELEMENTWISE)
def absolute(tracer, _result, x):
    value = tracer.whole(tracer.of(x))
    below = bent(tracer, scaled(tracer, value, factor=-1.0), "relu")
    return combined(tracer, "add", bent(tracer, value, "relu"), below)


@handles("var", of=ALONG_AXES)
def variance(tracer, result, x, dim=None, unbiased=True, keepdim=False, correction=None):
    axes, value = axes_of(tracer, "var", x.dim(), dim), tracer.of(x)
    less = tracer.whole(combined(tracer, "subtract", value, over(tracer, value, axes, "global_average_pool")))
    count = numel([value.index.shape[axis] for axis in axes])
    divisor = count - (int(bool(unbiased)) if correction is None else correction)
    squares = Value(tracer.add("multiply", [less.node] * 2, less.shape), less.shape, less.index)
    made = scaled(tracer, tracer.whole(summed(tracer, squares, axes)), factor=1.0 / divisor)
    return Value(made.node, made.shape, made.index.reshape(tuple(result.shape[1:])))


@handles("var_mean")
def variance_and_mean(tracer, result, x, dim=None, unbiased=True, keepdim=False, correction=None):
    value, axes = tracer.of(x), axes_of(tracer, "var_mean", x.dim(), dim)
    average = over(tracer, value, axes, "global_average_pool")
    return [variance(tracer, result[0], x, dim, unbiased, keepdim, correction),
            Value(average.node, average.shape, average.index.reshape(tuple(result[1].shape[1:])))]


@handles("std", of=ALONG_AXES)
def deviation(tracer, result, x, dim=None, unbiased=True, keepdim=False, correction=None):
    return power_of(tracer, variance(tracer, result, x, dim, unbiased, keepdim, correction), 0.5)


def sum_of_squares(tracer, value, axes):
    value = tracer.whole(value)
    squares = Value(tracer.add("multiply", [value.node] * 2, value.shape), value.shape, value.index)
    return summed(tracer, squares, axes)


@handles("norm", "vector_norm", "linalg_vector_norm")
def norm(tracer, result, x, p=2, dim=None, keepdim=False, **kwargs):
    order = kwargs.get("ord", p)
    if order not in (2, "fro", None, 1):
        raise tracer.failure(f"the norm of order {order}: 1 and 2 alone")
    axes = axes_of(tracer, "norm", x.dim(), dim)
    if order == 1:
        made = summed(tracer, absolute(tracer, None, x), axes)
    else:
        made = power_of(tracer, sum_of_squares(tracer, tracer.of(x), axes), 0.5)
    return Value(made.node, made.shape, made.index.reshape(tuple(result.shape[1:])))


@handles("normalize")
def normalize(tracer, _result, x, p=2.0, dim=1, eps=1e-12, **_kwargs):
    if p != 2:
        raise tracer.failure(f"normalises by the norm of order {p}: of 2 alone")
    axes = axes_of(tracer, "normalize", x.dim(), dim)
    length = power_of(tracer, sum_of_squares(tracer, tracer.of(x), axes), 0.5)
    length = clamp_min(tracer, None, placed(tracer, length), eps)
    return combined(tracer, "multiply", tracer.of(x), power_of(tracer, length, -1))


@handles("local_response_norm")
def local_response_norm(tracer, _result, x, size, alpha=1e-4, beta=0.75, k=1.0):
    """x (k + alpha s)^-beta, s the mean of the squares of a window of channels, as pixels of one row."""
    value = tracer.whole(tracer.require_image(x, "local_response_norm"))
    channels, height, width = value.index.shape
    squares = Value(tracer.add("multiply", [value.node] * 2, value.shape), value.shape, value.index)
    shape = (height * width, channels, 1)
    node = tracer.rearranged(squares, squares.index.permute(1, 2, 0), shape)
    before, after = size // 2, (size - 1) // 2
    padded = (height * width, channels + before + after, 1)
    node = tracer.add("zero_pad", [node], padded, left=before, right=after)
    node = tracer.add("average_pool", [node], shape, kernel=[1, size], stride=1)
    places = torch.arange(value.index.numel()).view(height, width, channels).permute(2, 0, 1)
    divisor = scaled(tracer, Value(node, shape, places), factor=float(alpha), constant=float(k))
    return combined(tracer, "multiply", value, power_of(tracer, divisor, -beta))


@handles("unfold")
def unfold(tracer, result, x, *args, **kwargs):
    """The pixels of windows: of F.unfold as [N, C times the window's, windows], of x.unfold(axis, size, step) a
    view."""
    if len(args) == 3 and not kwargs:
        axis, size, step = args
        value = tracer.of(x)
        if axis % x.dim() == 0:
            raise tracer.failure("unfold along the images of a batch")
        return Value(value.node, value.shape, value.index.unfold(axis % x.dim() - 1, size, step))
    kernel, dilation, padding, stride = (pair(given) for given in (
        args[0] if args else kwargs["kernel_size"], kwargs.get("dilation", 1), kwargs.get("padding", 0),
        kwargs.get("stride", 1)))
    if any(padding):
        x = placed(tracer, pad(tracer, None, x, [padding[1], padding[1], padding[0], padding[0]]))
    value = tracer.of(x)
    extents = [(extent - d * (k - 1) - 1) // s + 1
               for extent, k, d, s in zip(x.shape[2:], kernel, dilation, stride)]
    taps = []
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            rows, columns = (slice(begin * d, begin * d + (extent - 1) * s + 1, s)
                             for begin, d, extent, s in zip((i, j), dilation, extents, stride))
            taps.append(Value(value.node, value.shape, value.index[:, rows, columns].unsqueeze(1)))
    made = joined(tracer, taps, 1)
    return Value(made.node, made.shape, made.index.reshape(tuple(result.shape[1:])))


# --- Activations ------------------------------------------------------------------------------


@handles("prelu", "_prelu_kernel")
def prelu(tracer, result, x, weight):
    """relu(x) - w relu(-x)."""
    if not isinstance(tracer.of(weight), Parameter):
        raise tracer.failure("prelu with a slope that is no parameter of the module, as it is")
    value = tracer.whole(tracer.of(x))
    slope = weight
    if weight.numel() > 1 and weight.dim() == 1:
        with torch._C.DisableTorchFunction():
            slope = weight.view([-1] + [1] * (x.dim() - 2))
        what = tracer.of(weight)
        tracer.keep(slope, Parameter(what.name, what.tensor, what.index.view(slope.shape)))
    below = placed(tracer, bent(tracer, scaled(tracer, value, factor=-1.0), "relu"))
    drop = with_parameter(tracer, "multiply", result, below, slope)
    return combined(tracer, "subtract", bent(tracer, value, "relu"), drop)


@handles("erf", of=ELEMENTWISE)
def erf(tracer, _result, x):
    """A node that is no operation, of which multiply makes a GELU; anywhere else it is refused (torch_graph.py)."""
    value = tracer.whole(tracer.of(x))
    return Value(tracer.add("erf", [value.node], value.shape), value.shape, value.index)


@handles("softsign", of=ELEMENTWISE)
def softsign(tracer, _result, x):
    above = scaled(tracer, tracer.whole(absolute(tracer, None, x)), constant=1.0)
    return combined(tracer, "multiply", tracer.of(x), power_of(tracer, above, -1))


@handles("lp_pool2d")
def lp_pool2d(tracer, result, x, norm_type, kernel_size, stride=None, ceil_mode=False):
    if norm_type != 2:
        raise tracer.failure(f"lp_pool2d of order {norm_type}: 2 alone")
    value = tracer.whole(tracer.of(x))
    squares = placed(tracer, Value(tracer.add("multiply", [value.node] * 2, value.shape), value.shape, value.index))
    average = avg_pool2d(tracer, result, squares, kernel_size, stride, 0, ceil_mode)
    return power_of(tracer, scaled(tracer, average, factor=float(numel(pair(kernel_size)))), 0.5)


def three(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * 3


@handles("avg_pool3d")
def avg_pool3d(tracer, _result, x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
               divisor_override=None):
    """Means along the first of three axes alone, as a response normalisation written out has over channels."""
    kernel, pads = three(kernel_size), three(padding)
    steps = kernel if stride is None or stride == [] else three(stride)
    if kernel[1:] != (1, 1) or steps != (1, 1, 1) or pads[1:] != (0, 0) or (
            ceil_mode or not count_include_pad or divisor_override is not None):
        raise tracer.failure("avg_pool3d but of (k, 1, 1) with stride 1")
    value = tracer.of(x)
    channels, depth, height, width = value.index.shape
    rows, after = channels * height * width, depth + 2 * pads[0] - kernel[0] + 1
    node = tracer.rearranged(value, value.index.permute(0, 2, 3, 1), (rows, depth, 1))
    node = tracer.add("average_pool", [node], (rows, after, 1), kernel=[1, kernel[0]], stride=1, padding=[0, pads[0]])
    places = torch.arange(rows * after).view(channels, height, width, after)
    return Value(node, (rows, after, 1), places.permute(0, 3, 1, 2))


# --- Elements that are set ------------------------------------------------------------------------


@handles("__setitem__")
def set_item(tracer, _result, target, key, value):
    """target[key] = value: both after one another in memory, in which the target's elements now lie here and there."""
    if any(isinstance(item, torch.Tensor) and tracer.of(item) is not None
           for item in (key if isinstance(key, tuple) else (key,))):
        raise tracer.failure("sets elements that a tensor of the images chooses: a graph is the same for all images")
    sources = []
    for thing, like in ((target, None), (value, target)):
        known = tracer.of(thing) if isinstance(thing, torch.Tensor) else None
        if isinstance(known, Value):
            sources.append(tracer.whole(known))
        elif known is not None or isinstance(thing, torch.Tensor) and bool((thing != thing.flatten()[0]).any()):
            raise tracer.failure("sets elements to, or of, a tensor that is neither of the images nor one number")
        else:
            number = float(thing.flatten()[0]) if isinstance(thing, torch.Tensor) else float(thing)
            extents = tuple(thing.shape[1:]) if like is None else (1,) * len(like.shape[1:])
            sources.append(constant_value(tracer, extents, number))
    vectors = [tracer.rearranged(s, s.index, (s.index.numel(),)) for s in sources]
    first, second = (s.index.numel() for s in sources)
    node = tracer.add("concat", vectors, (first + second,), name=tracer.inner_name("set"))
    places = torch.arange(first).view(sources[0].index.shape)
    with_images = torch.stack([places + n * (first + second) for n in range(BATCH)])
    new = torch.arange(first, first + second).view(sources[1].index.shape)
    new = torch.stack([new + n * (first + second) for n in range(BATCH)])
    with_images[key] = new.reshape((BATCH,) + (1,) * (with_images[key].dim() - 1)) if second == 1 else new
    if not same(with_images[1], with_images[0] + first + second):
        raise tracer.failure("sets elements of one image to those of another")
    return tracer.whole(Value(node, (first + second,), with_images[0]))


# --- Matrices of parameters --------------------------------------------------------------------


MOST_PRODUCTS = 1 << 22  # of two matrices that both depend on an image, which are written out


@handles("matmul", "__matmul__", "mm", "bmm")
def matmul(tracer, result, x, matrix):
    if tracer.is_value(x) and isinstance(tracer.of(matrix), Parameter) and matrix.dim() == 2:
        return linear(tracer, result, x, transposed(tracer, matrix))
    if not tracer.is_value(x) or not tracer.is_value(matrix) or min(x.dim(), matrix.dim()) < 3:
        raise tracer.failure(f"the product of tensors {list(x.shape)} and {list(matrix.shape)}: of two of the images, "
                             "or one and a matrix that is a parameter")
    a, b = tracer.of(x), tracer.of(matrix)
    count = numel(result.shape[1:]) * x.shape[-1]
    if count > MOST_PRODUCTS:
        raise tracer.failure(f"a product of tensors {list(x.shape)} and {list(matrix.shape)} of the images "
                             f"(attention): {count:,} single products an image, which would be written out")
    products = combined(tracer, "multiply", Value(a.node, a.shape, a.index.unsqueeze(-1)),
                        Value(b.node, b.shape, b.index.unsqueeze(-3)))
    axis = products.index.dim() - 2
    total = summed(tracer, products, [axis])
    return Value(total.node, total.shape, total.index.squeeze(axis))


@handles("scaled_dot_product_attention")
def scaled_dot_product_attention(tracer, _result, q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None):
    if attn_mask is not None or is_causal or dropout_p:
        raise tracer.failure("attention with a mask, or that drops in evaluation")
    with tracer:
        products = (q @ k.transpose(-2, -1)) * (q.shape[-1] ** -0.5 if scale is None else scale)
        return tracer.of(products.softmax(-1) @ v)


@handles("multi_head_attention_forward", of=AS_THEY_ARE)
def multi_head_attention(tracer, _result, query, key, value, dim, heads, weight, bias, bias_k, bias_v, add_zeros,
                         _dropout, out_weight, out_bias, training=True, key_padding_mask=None, need_weights=True,
                         attn_mask=None, **kwargs):
    """Queries, keys and values [tokens, N, dim], written out."""
    if query is not key or key is not value or weight is None:
        raise tracer.failure("attention of one tensor to another: of a tensor to itself alone")
    if training or any(thing is not None for thing in (bias_k, bias_v, key_padding_mask, attn_mask)) or add_zeros:
        raise tracer.failure("attention with a mask, added keys, or that drops in evaluation")
    with tracer:
        x = query.transpose(0, 1)
        parts = F.linear(x, weight, bias).reshape(x.shape[0], x.shape[1], 3, heads, dim // heads).permute(2, 0, 3, 1, 4)
        q, k, v = parts.unbind(0)
        mixed = ((q @ k.transpose(-2, -1)) * (dim // heads) ** -0.5).softmax(-1) @ v
        mixed = mixed.transpose(1, 2).reshape(x.shape)
        return tracer.of(F.linear(mixed, out_weight, out_bias).transpose(0, 1))


@handles("einsum")
def einsum(tracer, _result, equation, *operands):
    """One tensor of the images and a matrix that is a parameter, as a linear layer; or two tensors of the images."""
    operands = list(operands[0]) if len(operands) == 1 and not isinstance(operands[0], torch.Tensor) else list(operands)
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    letters = inputs.split(",")
    diagonals = any(len(set(word)) != len(word) for word in [*letters, output])
    if not arrow or "." in equation or len(operands) != 2 or diagonals:
        raise tracer.failure(f"einsum '{equation}': of two tensors, with an arrow, without dots or diagonals")
    if not tracer.is_value(operands[0]):
        operands, letters = operands[::-1], letters[::-1]
    (x, other), (of_x, of_other), image = operands, letters, letters[0][0]
    if not tracer.is_value(x) or output[:1] != image or not (
            image in of_other[:1] if tracer.is_value(other) else image not in of_other):
        raise tracer.failure(f"einsum '{equation}' mixes the images of a batch, or has them last")
    if isinstance(tracer.of(other), Parameter) and len(of_other) == 2 and len(set(of_other) & set(of_x)) == 1:
        (over,) = set(of_other) & set(of_x)
        (made,) = set(of_other) - {over}
        if over not in output and set(output) == set(of_x) - {over} | {made}:
            with tracer:
                last = x.movedim(of_x.index(over), -1)
                y = F.linear(last, other if of_other == made + over else other.t())
                now = of_x.replace(over, "") + made
                return tracer.of(y.permute([now.index(letter) for letter in output]))
    if not tracer.is_value(other):
        raise tracer.failure(f"einsum '{equation}' with a tensor that is no matrix of parameters")
    union = output + "".join(letter for letter in dict.fromkeys(of_x + of_other) if letter not in output)
    extents = dict(zip(of_x, x.shape)) | dict(zip(of_other, other.shape))
    if numel([extents[letter] for letter in union[1:]]) > MOST_PRODUCTS:
        raise tracer.failure(f"einsum '{equation}' of tensors {list(x.shape)} and {list(other.shape)} of the images "
                             "(attention), whose products would be written out")
    spread = []
    for word, value in ((of_x, tracer.of(x)), (of_other, tracer.of(other))):
        index = value.index.permute([word.index(letter) - 1 for letter in union[1:] if letter in word])
        for axis, letter in enumerate(union[1:]):
            index = index if letter in word else index.unsqueeze(axis)
        spread.append(Value(value.node, value.shape, index))
    products = combined(tracer, "multiply", *spread)
    axes = list(range(len(output) - 1, len(union) - 1))
    if not axes:
        return products
    total = summed(tracer, products, axes)
    return Value(total.node, total.shape, total.index.reshape([extents[letter] for letter in output[1:]]))


@handles("addmm")
def addmm(tracer, result, bias, x, matrix, beta=1, alpha=1, **_kwargs):
    if beta != 1 or alpha != 1 or not isinstance(tracer.of(matrix), Parameter):
        raise tracer.failure("addmm with factors, or without a matrix that is a parameter")
    return linear(tracer, result, x, transposed(tracer, matrix), bias)


def transposed(tracer, matrix):
    what = tracer.of(matrix)
    with torch._C.DisableTorchFunction():
        turned = matrix.t()
    tracer.keep(turned, Parameter(what.name, what.tensor, what.index.t()))
    return turned


# --- Images of one row --------------------------------------------------------------------------


def single(value):
    return int(value[0]) if isinstance(value, (tuple, list)) else int(value)


def as_row(tracer, x):
    """A tensor [N, C, L] as one [N, C, 1, L]."""
    value = tracer.of(x)
    if value.index.dim() != 2:
        raise tracer.failure(f"an operation on sequences, of a tensor of {value.index.dim() + 1} axes")
    return placed(tracer, Value(value.node, value.shape, value.index.unsqueeze(1)))


def without_row(value):
    return Value(value.node, value.shape, value.index.squeeze(1))


class OneRow:
    """The sizes of a result [N, C, L] as one [N, C, 1, L]."""

    def __init__(self, result):
        self.shape = tuple(result.shape[:2]) + (1,) + tuple(result.shape[2:])


@handles("conv1d")
def conv1d(tracer, result, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if isinstance(padding, str):
        raise tracer.failure(f"conv1d with padding '{padding}': give it as a number")
    made = conv2d(tracer, OneRow(result), as_row(tracer, x), weight, bias, (1, single(stride)), (0, single(padding)),
                  (1, single(dilation)), groups, row=True)
    return without_row(made)


@handles("max_pool1d")
def max_pool1d(tracer, result, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
               return_indices=False):
    stride = single(kernel_size if stride is None or stride == [] else stride)
    return without_row(max_pool2d(tracer, OneRow(result), as_row(tracer, x), (1, single(kernel_size)), (1, stride),
                                  (0, single(padding)), (1, single(dilation)), ceil_mode, return_indices))


@handles("avg_pool1d")
def avg_pool1d(tracer, result, x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    stride = single(kernel_size if stride is None or stride == [] else stride)
    return without_row(avg_pool2d(tracer, OneRow(result), as_row(tracer, x), (1, single(kernel_size)), (1, stride),
                                  (0, single(padding)), ceil_mode, count_include_pad))


def adaptive_row(tracer, operation, result, x):
    value = adaptive(tracer, operation, OneRow(result), as_row(tracer, x))
    return Value(value.node, value.shape, value.index.reshape(tuple(result.shape[1:])))


@handles("adaptive_avg_pool1d")
def adaptive_avg_pool1d(tracer, result, x, _size):
    return adaptive_row(tracer, "adaptive_average_pool", result, x)


@handles("adaptive_max_pool1d")
def adaptive_max_pool1d(tracer, result, x, _size, return_indices=False):
    return adaptive_row(tracer, "adaptive_max_pool", result[0] if isinstance(result, tuple) else result, x)
