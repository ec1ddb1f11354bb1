"""Where windows and resized images lie by ONNX's rules, in terms of torch's functions. Part of export_torch.py."""

import math

import numpy
from torch.nn import functional as F

from .onnx_constants import Refusal, check_size, integers


def window(node, shape, kernel):
    """Strides, dilations, and padding before and behind, of a window over (height, width)."""
    attributes = node.attributes
    strides, dilations = attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1])
    pads = attributes.get("pads", [0, 0, 0, 0])
    if min(len(strides), len(dilations), len(kernel)) != 2 or len(pads) != 4 or min(*strides, *dilations, *kernel) < 1:
        raise Refusal(f"a window {kernel} of strides {strides}, dilations {dilations}, pads {pads}: two axes of pixels")
    before, after = pads[:2], pads[2:]
    automatic = attributes.get("auto_pad", "NOTSET")
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        before, after = [], []
        for extent, size, stride, dilation in zip(shape, kernel, strides, dilations):
            total = max(0, (-(-extent // stride) - 1) * stride + (size - 1) * dilation + 1 - extent)
            small, large = total // 2, total - total // 2
            before.append(small if automatic == "SAME_UPPER" else large)
            after.append(large if automatic == "SAME_UPPER" else small)
    elif automatic == "VALID":
        before, after = [0, 0], [0, 0]
    elif automatic not in ("NOTSET", ""):
        raise Refusal(f"auto_pad {automatic}")
    if min(*before, *after) < 0:
        raise Refusal(f"pads {pads}: none below 0")
    check_size([extent + b + a for extent, b, a in zip(shape, before, after)])
    return list(strides), list(dilations), list(before), list(after)


def outputs(extent, size, stride, dilation, before, after, ceiling):
    """How many windows there are along an axis; in ceil_mode none begins behind the image, as in PyTorch."""
    free = extent + before + after - (size - 1) * dilation - 1
    if free < 0:
        raise Refusal(f"a window of {(size - 1) * dilation + 1} over {extent} pixels, {before} and {after} of padding")
    count = (-(-free // stride) if ceiling else free // stride) + 1
    return count - 1 if ceiling and (count - 1) * stride >= extent + before else count


def padded(x, before, after):
    """Zeros around an image."""
    if not any((*before, *after)):
        return x
    check_size([*x.shape[:2], *(e + b + a for e, b, a in zip(x.shape[2:], before, after))])
    return F.pad(x, (before[1], after[1], before[0], after[0]))


def pool(node, x, function):
    """A pool whose padding counts for nothing. torch's is the same on both sides; here it may differ: windows too many
    behind are left out, windows beyond the image are those of ceil_mode."""
    kernel, ceiling = list(node.attributes.get("kernel_shape", [])), bool(node.attributes.get("ceil_mode", 0))
    strides, dilations, before, after = window(node, x.shape[2:], kernel)
    count = [outputs(*axis, ceiling) for axis in zip(x.shape[2:], kernel, strides, dilations, before, after)]
    if any(2 * b > size for b, size in zip(before, kernel)):
        raise Refusal(f"pads {before} before windows {kernel}: half of a window at most")
    for ceil_mode in (False, True):
        try:
            there = [outputs(*axis, b, ceil_mode) for *axis, b in zip(
                x.shape[2:], kernel, strides, dilations, before, before)]
        except Refusal:
            continue
        if all(t >= c for t, c in zip(there, count)):
            made = function(x, kernel, strides, before, dilations, ceil_mode)
            for axis, (t, c) in enumerate(zip(there, count)):
                made = made.narrow(2 + axis, 0, c) if t > c else made
            return made
    raise Refusal(f"pads {before} before and {after} behind windows {kernel} of strides {strides}")


def coordinates(how, extent, length, scale):
    """Of each pixel of a resized axis the place in the axis that it is of."""
    place = numpy.arange(length, dtype=float)
    if how == "asymmetric":
        return place / scale
    if how == "align_corners":
        return place * ((extent - 1) / (length - 1) if length > 1 else 0)
    if how == "pytorch_half_pixel" and length == 1:
        return 0 * place
    if how in ("half_pixel", "pytorch_half_pixel"):
        return (place + 0.5) / scale - 0.5
    if how == "half_pixel_symmetric":
        middle = extent / 2
        return middle * (1 - length / (scale * extent)) + (place + 0.5) / scale - 0.5
    if how == "tf_half_pixel_for_nn":
        return (place + 0.5) / scale
    raise Refusal(f"resizes by coordinates '{how}'")


ROUNDINGS = {"round_prefer_floor": lambda x: numpy.ceil(x - 0.5), "round_prefer_ceil": lambda x: numpy.floor(x + 0.5),
             "floor": numpy.floor, "ceil": numpy.ceil}


def resize(run, node, x, inputs):
    """An image resized as torch's interpolate does it: of its ways the one that reads the same places, if there is
    one."""
    attributes = node.attributes
    mode = {"linear": "bilinear", "bilinear": "bilinear", "nearest": "nearest"}.get(attributes.get("mode", "nearest"))
    if mode is None or attributes.get("antialias") or attributes.get("exclude_outside"):
        raise Refusal(f"resizes by '{attributes.get('mode')}': nearest and linear alone, without antialias")
    old = run.opset < 11 or node.op == "Upsample"
    how = "asymmetric" if old else attributes.get("coordinate_transformation_mode", "half_pixel")
    rounding = "floor" if old else attributes.get("nearest_mode", "round_prefer_floor")
    scales, sizes = scales_and_sizes(run, node, x, inputs, old)
    if scales[:2] != [1.0, 1.0] or sizes[:2] != list(x.shape[:2]):
        raise Refusal(f"resizes other axes than an image's height and width: by {scales}")
    check_size([*x.shape[:2], *sizes[2:]])
    if min(sizes[2:]) < 1 or rounding not in ROUNDINGS:
        raise Refusal(f"resizes to {sizes[2:]} by '{rounding}'")
    shape = list(x.shape[2:])
    wanted = [coordinates(how, *axis) for axis in zip(shape, sizes[2:], scales[2:])]
    if mode == "nearest":
        wanted = [ROUNDINGS[rounding](w) for w in wanted]
    wanted = [numpy.clip(w, 0, extent - 1) for w, extent in zip(wanted, shape)]
    whole = [size / extent for size, extent in zip(sizes[2:], shape)]
    to, by = {"size": tuple(sizes[2:])}, {"scale_factor": tuple(scales[2:])}
    ways = [(whole, "asymmetric", to), (scales[2:], "asymmetric", by)]
    if mode == "bilinear":
        ways = [(whole, "half_pixel", to), (scales[2:], "half_pixel", by),
                (whole, "align_corners", {**to, "align_corners": True})]
    for factors, theirs, options in ways:
        made = [coordinates(theirs, *axis) for axis in zip(shape, sizes[2:], factors)]
        if mode == "nearest":
            made = [numpy.floor(m + 1e-9) for m in made]
        made = [numpy.clip(m, 0, extent - 1) for m, extent in zip(made, shape)]
        if all(numpy.abs(w - m).max() < 1e-5 for w, m in zip(wanted, made)):
            return F.interpolate(x, mode=mode, **options)
    raise Refusal(f"resizes {shape} to {sizes[2:]} by mode '{attributes.get('mode', 'nearest')}', coordinates '{how}'"
                  + (f", '{rounding}'" if mode == "nearest" else "")
                  + ", as PyTorch's interpolate never does"
                  + (": export with opset_version=11 or later" if old else ""))


def scales_and_sizes(run, node, x, inputs, old):
    """Of all axes by how much, and to what, an image is resized."""
    scales = node.attributes.get("scales")
    sizes = None
    given = [None if value is None else value.array for value in inputs]
    if scales is None:
        if old:
            scales = given[0]
        else:
            scales = given[1] if len(given) > 1 and given[1] is not None and given[1].size else None
            sizes = integers(given[2]) if scales is None and len(given) > 2 and given[2] is not None else None
    if scales is None and sizes is None:
        raise Refusal("resizes by nothing that is known")
    axes = node.attributes.get("axes", list(range(x.dim())))
    count = len(sizes if scales is None else scales)
    if count != len(axes):
        raise Refusal(f"resizes {len(axes)} axes by {count} numbers")
    all_scales, all_sizes = [1.0] * x.dim(), list(x.shape)
    for place, axis in enumerate(axes):
        if sizes is not None:
            if node.attributes.get("keep_aspect_ratio_policy", "stretch") != "stretch":
                raise Refusal("resizes by keep_aspect_ratio_policy")
            extent = sizes[place]
            if axis % x.dim() == 0:
                extent = x.shape[0] if extent == run.declared else extent
            all_sizes[axis], all_scales[axis] = extent, extent / x.shape[axis]
        else:
            scale = float(scales[place])
            if not math.isfinite(scale) or not 0 < scale < 1e6:
                raise Refusal(f"resizes by {scale}")
            all_scales[axis], all_sizes[axis] = scale, math.floor(x.shape[axis] * scale)
    return all_scales, all_sizes
