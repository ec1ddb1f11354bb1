"""Operators of ONNX that put elements into another order or another shape, as calls of torch's functions. Part of
export_torch.py."""

import math

import numpy
import torch
from torch.nn import functional as F

from .onnx_constants import (Refusal, along, check_size, flattened, given, integers, parts, reshaped, shape_part,
                             slices, squeezed, unsqueezed)
from .onnx_file import FLOATING, KINDS
from .onnx_values import Images, extents, fixed, handles, image, plain


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


@handles("Pad")
def pad(run, node, x, pads=None, value=None, axes=None):
    tensor = plain(x)
    mode = node.attributes.get("mode", "constant")
    number = node.attributes.get("value", 0.0) if value is None else run.number(fixed(value, "value"))
    if mode != "constant" or number != 0:
        raise Refusal(f"pads by {mode if mode != 'constant' else number}: zeros alone")
    sizes = node.attributes["pads"] if pads is None else integers(fixed(pads, "pads").array)
    over = list(range(tensor.dim()))
    if axes is not None:
        over = [axis % tensor.dim() for axis in integers(fixed(axes, "axes").array)]
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
