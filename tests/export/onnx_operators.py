"""Operators in ONNX files, alone or with others, in the forms of their versions, with what they compute written out in
torch's functions."""

import math

import numpy
import torch
from torch.nn import functional as F

from onnx_net import operator

# --- Forms of the versions -------------------------------------------------------------------

operator("bounds as attributes", lambda n, x: n.node("Clip", x, min=0.0, max=6.0), lambda x, _: x.clamp(0, 6), opset=9)
operator(
    "bounds of which one is left out",
    lambda n, x: n.node("Clip", x, n.constant(numpy.float32(0))),
    lambda x, _: x.clamp(0),
)
operator(
    "bounds that are no activation's",
    lambda n, x: n.node("Clip", x, min=-0.5, max=0.25),
    lambda x, _: x.clamp(-0.5, 0.25),
    opset=9,
)
operator(
    "an upper bound alone", lambda n, x: n.node("Min", x, n.constant(numpy.float32(0.5))), lambda x, _: x.clamp(max=0.5)
)
operator(
    "a lower bound alone", lambda n, x: n.node("Max", n.constant(numpy.float32(-0.5)), x), lambda x, _: x.clamp(-0.5)
)
operator(
    "padding as an attribute",
    lambda n, x: n.node("Pad", x, pads=[0, 0, 1, 2, 0, 0, 0, 3]),
    lambda x, _: F.pad(x, (2, 3, 1, 0)),
    opset=10,
)
operator(
    "padding as an input",
    lambda n, x: n.node("Pad", x, n.numbers("p", [0, 1, 1, 2, 0, 0, 0, 3])),
    lambda x, _: F.pad(x, (2, 3, 1, 0, 1, 0)),
    opset=13,
)
operator(
    "padding of some axes",
    lambda n, x: n.node("Pad", x, n.numbers("p", [1, 2, 0, 3]), "", n.numbers("a", [-1, 2])),
    lambda x, _: F.pad(x, (1, 0, 2, 3)),
    opset=18,
)
operator(
    "sum with axes as an attribute",
    lambda n, x: n.node("ReduceSum", x, axes=[2, 3], keepdims=0),
    lambda x, _: x.sum((2, 3)),
    opset=11,
)
operator(
    "sum with axes as an input",
    lambda n, x: n.node("ReduceSum", x, n.numbers("a", [-1, -2])),
    lambda x, _: x.sum((2, 3)),
    opset=13,
)
operator(
    "mean with axes as an input",
    lambda n, x: n.node("ReduceMean", x, n.numbers("a", [2, 3])),
    lambda x, _: x.mean((2, 3)),
    opset=18,
)
operator("maximum of pixels", lambda n, x: n.node("ReduceMax", x, axes=[2, 3], keepdims=0), lambda x, _: x.amax((2, 3)))
operator(
    "slices as attributes",
    lambda n, x: n.node("Slice", x, axes=[2, 3], starts=[1, -4], ends=[1 << 40, -1]),
    lambda x, _: x[:, :, 1:, -4:-1],
    opset=9,
)
operator(
    "slices with steps",
    lambda n, x: n.node(
        "Slice", x, n.numbers("s", [0, -1]), n.numbers("e", [99, -99]), n.numbers("a", [2, 3]), n.numbers("t", [2, -3])
    ),
    lambda x, _: x[:, :, ::2].flip(3)[..., ::3],
)
operator(
    "split by an attribute",
    lambda n, x: n.node(
        "Mul", *n.node("Split", n.node("Slice", x, axes=[3], starts=[0], ends=[6]), outputs=2, axis=3, split=[3, 3])
    ),
    lambda x, _: x[..., :3] * x[..., 3:6],
    opset=9,
)
operator(
    "split by an input",
    lambda n, x: n.node("Tanh", n.node("Split", x, n.numbers("s", [2, 5]), outputs=2, axis=-1)[1]),
    lambda x, _: torch.tanh(x[..., 2:]),
    opset=13,
)
operator(
    "split into equal parts",
    lambda n, x: n.node("Tanh", n.node("Split", x, outputs=3, axis=1)[2]),
    lambda x, _: torch.tanh(x[:, 2:]),
)
operator(
    "unsqueezed by an attribute",
    lambda n, x: n.node("Mul", x, n.node("Unsqueeze", n.node("ReduceMean", x, axes=[2, 3], keepdims=0), axes=[2, 3])),
    lambda x, _: x * x.mean((2, 3), keepdim=True),
    opset=9,
)
operator(
    "squeezed by an attribute",
    lambda n, x: n.node("Squeeze", n.node("GlobalAveragePool", x), axes=[2, 3]),
    lambda x, _: x.mean((2, 3)),
    opset=9,
)
operator(
    "dropout with its rate as an attribute",
    lambda n, x: n.node("Dropout", x, ratio=0.25, outputs=2)[0],
    lambda x, _: x,
    opset=10,
)
operator(
    "dropout with its rate as an input",
    lambda n, x: n.node("Dropout", x, n.constant(numpy.float32(0.25)), n.constant(numpy.array(True)), outputs=2)[0],
    lambda x, _: x,
    opset=13,
)
operator(
    "a constant as numbers",
    lambda n, x: n.node("Reshape", x, n.node("Constant", value_ints=[0, -1])),
    lambda x, _: x.flatten(1),
)
operator(
    "gathered channels", lambda n, x: n.node("Gather", x, n.numbers("p", [2, 0]), axis=1), lambda x, _: x[:, [2, 0]]
)
operator("one gathered row", lambda n, x: n.node("Gather", x, n.numbers("p", -2), axis=2), lambda x, _: x[:, :, -2])
operator(
    "shapes that are computed",
    lambda n, x: n.node(
        "Reshape",
        x,
        n.node(
            "Concat",
            n.node("Unsqueeze", n.node("Gather", n.node("Shape", x), n.numbers("0", 0)), n.numbers("a", [0])),
            n.node(
                "Unsqueeze",
                n.node(
                    "Div",
                    n.node(
                        "ReduceProd",
                        n.node("Range", n.numbers("2", 2), n.numbers("8", 8), n.numbers("1", 1)),
                        keepdims=0,
                    ),
                    n.numbers("336", 336),
                ),
                "a",
            ),
            n.node("ConstantOfShape", n.numbers("c", [1]), value=numpy.array([7])),
            axis=0,
        ),
    ),
    lambda x, _: x.reshape(x.shape[0], 15, 7),
)
operator(
    "where and cast and equal",
    lambda n, x: n.node(
        "Mul",
        x,
        n.node(
            "Expand",
            n.node("GlobalAveragePool", x),
            n.node(
                "Where",
                n.node("Equal", n.numbers("w", [-1, 3, -1, 7]), n.numbers("m", [-1])),
                n.node("Cast", n.weight("f", numpy.array([1, 1, 5, 1], "<f4")), to=7),
                "w",
            ),
        ),
    ),
    lambda x, _: x * x.mean((2, 3), keepdim=True),
)

# --- Operators -------------------------------------------------------------------------------

for _name, _kernel, _attributes, _function in [
    (
        "auto_pad SAME_UPPER",
        (3, 2),
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
        lambda x, w: F.conv2d(F.pad(x, (0, 1, 1, 1)), w, stride=2),
    ),
    ("auto_pad SAME_LOWER", (2, 2), {"auto_pad": "SAME_LOWER"}, lambda x, w: F.conv2d(F.pad(x, (1, 0, 1, 0)), w)),
    ("auto_pad VALID", (3, 3), {"auto_pad": "VALID", "strides": [1, 2]}, lambda x, w: F.conv2d(x, w, stride=(1, 2))),
    ("pads that differ", (3, 3), {"pads": [1, 0, 0, 2]}, lambda x, w: F.conv2d(F.pad(x, (0, 2, 1, 0)), w)),
    (
        "dilations",
        (2, 3),
        {"dilations": [3, 2], "pads": [1, 2, 1, 2]},
        lambda x, w: F.conv2d(x, w, padding=(1, 2), dilation=(3, 2)),
    ),
]:
    operator(
        f"convolution: {_name}",
        lambda n, x, k=_kernel, a=_attributes: n.node("Conv", x, n.random("w", 4, 3, *k), **a),
        lambda x, w, f=_function: f(x, w["w"]),
    )
operator(
    "convolution: a bias that is added behind it",
    lambda n, x: n.node("Relu", n.node("Add", n.node("Conv", x, n.random("w", 4, 3, 3, 3)), n.random("b", 1, 4, 1, 1))),
    lambda x, w: torch.relu(F.conv2d(x, w["w"]) + w["b"]),
)
for _name, _attributes, _function in [
    (
        "strides and output_padding",
        {"strides": [2, 2], "pads": [1] * 4, "output_padding": [1, 0]},
        lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1, output_padding=(1, 0)),
    ),
    (
        "auto_pad SAME_UPPER",
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
        lambda x, w: F.conv_transpose2d(x, w, stride=2)[:, :, :-1, :-1],
    ),
    (
        "auto_pad SAME_LOWER",
        {"strides": [2, 2], "auto_pad": "SAME_LOWER"},
        lambda x, w: F.conv_transpose2d(x, w, stride=2)[:, :, 1:, 1:],
    ),
    ("pads that differ", {"pads": [0, 1, 2, 0]}, lambda x, w: F.conv_transpose2d(x, w)[:, :, :-2, 1:]),
    (
        "output_shape",
        {"strides": [2, 2], "output_shape": [9, 14]},
        lambda x, w: F.conv_transpose2d(x, w, stride=2)[:, :, 1:-1, 1:],
    ),
]:
    operator(
        f"transposed convolution: {_name}",
        lambda n, x, a=_attributes: n.node("ConvTranspose", x, n.random("w", 3, 2, 3, 3), **a),
        lambda x, w, f=_function: f(x, w["w"]),
    )


def low(x, *pads):
    return F.pad(x, pads, value=-math.inf)


operator(
    "max pool: pads that differ",
    lambda n, x: n.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 0, 1]),
    lambda x, _: F.max_pool2d(low(x, 0, 1, 1, 0), 3, 2),
)
operator(
    "max pool: auto_pad SAME_UPPER",
    lambda n, x: n.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
    lambda x, _: F.max_pool2d(low(x, 0, 1, 0, 1), 3, 2),
    image=(6, 8, 3),
)
operator(
    "max pool: auto_pad SAME_LOWER",
    lambda n, x: n.node("MaxPool", x, kernel_shape=[2, 2], auto_pad="SAME_LOWER"),
    lambda x, _: F.max_pool2d(low(x, 1, 0, 1, 0), 2, 1),
)
operator(
    "max pool: ceil_mode",
    lambda n, x: n.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    lambda x, _: F.max_pool2d(low(x, 0, 1, 0, 1), 2),
)
operator(
    "average pool: padding that does not count",
    lambda n, x: n.node("AveragePool", x, kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
    lambda x, _: F.avg_pool2d(F.pad(x, (0, 1, 0, 1)), 3, 2)
    / F.avg_pool2d(F.pad(torch.ones_like(x), (0, 1, 0, 1)), 3, 2),
    image=(6, 8, 3),
)
operator(
    "average pool: padding on all sides that does not count",
    lambda n, x: n.node("AveragePool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    lambda x, _: F.avg_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 1)
    / F.avg_pool2d(F.pad(torch.ones_like(x), (1, 1, 1, 1)), 3, 1),
)
operator(
    "average pool: padding that counts",
    lambda n, x: n.node("AveragePool", x, kernel_shape=[2, 3], pads=[1, 0, 0, 2], count_include_pad=1),
    lambda x, _: F.avg_pool2d(F.pad(x, (0, 2, 1, 0)), (2, 3), 1),
)
operator(
    "global pools",
    lambda n, x: n.node("Concat", n.node("GlobalMaxPool", x), n.node("GlobalAveragePool", x), axis=1),
    lambda x, _: torch.cat([x.amax((2, 3)), x.mean((2, 3))], 1),
)

for _name, _spelled, _function in [
    ("HardSigmoid of Keras", lambda n, x: n.node("HardSigmoid", x), lambda x: (0.2 * x + 0.5).clamp(0, 1)),
    ("Elu", lambda n, x: n.node("Elu", x, alpha=0.7), lambda x: F.elu(x, 0.7)),
    ("Selu of other numbers", lambda n, x: n.node("Selu", x, alpha=1.5, gamma=2.0), lambda x: 2 * F.elu(x, 1.5)),
    ("Celu", lambda n, x: n.node("Celu", x, alpha=2.0), lambda x: F.celu(x, 2.0)),
    ("LeakyRelu", lambda n, x: n.node("LeakyRelu", x), lambda x: F.leaky_relu(x, 0.01)),
    ("HardSwish", lambda n, x: n.node("HardSwish", x), F.hardswish),
    (
        "Softplus by Exp and Log",
        lambda n, x: n.node("Log", n.node("Add", n.node("Exp", x), n.constant(numpy.float32(1)))),
        F.softplus,
    ),
    (
        "LeakyRelu by Max",
        lambda n, x: n.node("Max", x, n.node("Mul", x, n.constant(numpy.float32(0.2)))),
        lambda x: F.leaky_relu(x, 0.2),
    ),
    (
        "GELU by Erf, in TensorFlow's order",
        lambda n, x: n.node(
            "Mul",
            n.node("Mul", n.constant(numpy.float32(0.5)), x),
            n.node(
                "Add",
                n.constant(numpy.float32(1)),
                n.node("Erf", n.node("Mul", x, n.constant(numpy.float32(0.70710678)))),
            ),
        ),
        F.gelu,
    ),
    (
        "sum and mean of several",
        lambda n, x: n.node("Sum", x, n.node("Mean", x, n.node("Tanh", x)), n.node("Neg", x)),
        lambda x: (x + torch.tanh(x)) / 2,
    ),
    ("Pow", lambda n, x: n.node("Pow", x, n.constant(numpy.float32(3))), lambda x: x**3),
    (
        "one less sigmoid",
        lambda n, x: n.node("Sub", n.constant(numpy.float32(1)), n.node("Sigmoid", x)),
        lambda x: 1 - torch.sigmoid(x),
    ),
    (
        "DepthToSpace, DCR",
        lambda n, x: n.node(
            "DepthToSpace",
            n.node(
                "Concat", x, n.node("Slice", x, n.numbers("s", [0]), n.numbers("e", [1]), n.numbers("a", [1])), axis=1
            ),
            blocksize=2,
        ),
        lambda x: torch.cat([x, x[:, :1]], 1).view(x.shape[0], 2, 2, 5, 7).permute(0, 3, 1, 4, 2),
    ),
    (
        "Tile and Expand",
        lambda n, x: n.node(
            "Mul", x, n.node("Expand", n.node("ReduceMean", x, axes=[1]), n.numbers("e", [1, 3, 1, 1]))
        ),
        lambda x: x * x.mean(1, keepdim=True),
    ),
    (
        "zeros joined",
        lambda n, x: n.node("Concat", x, n.weight("z", numpy.zeros((1, 2, 5, 7), "<f4")), axis=1),
        lambda x: F.pad(x, (0, 0, 0, 0, 0, 2)),
    ),
]:
    operator(_name, _spelled, lambda x, _, f=_function: f(x), batch=1 if _name == "zeros joined" else "N")


def gelu_by_tanh(n, x):
    one, half, factor, inner = (n.constant(numpy.float32(v)) for v in (1, 0.5, 0.044715, (2 / math.pi) ** 0.5))
    cubed = n.node("Mul", n.node("Mul", n.node("Mul", x, x), x), factor)
    bent = n.node("Tanh", n.node("Mul", inner, n.node("Add", x, cubed)))
    return n.node("Mul", n.node("Mul", x, n.node("Add", one, bent)), half)


operator("GELU by Tanh", gelu_by_tanh, lambda x, _: F.gelu(x, approximate="tanh"))
operator(
    "Gelu, Mish, Swish",
    lambda n, x: n.node("Swish", n.node("Mish", n.node("Gelu", x, approximate="tanh"))),
    lambda x, _: F.silu(F.mish(F.gelu(x, approximate="tanh"))),
    opset=24,
)
operator(
    "SpaceToDepth",
    lambda n, x: n.node("SpaceToDepth", x, blocksize=2),
    lambda x, _: torch.cat([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)], 1),
    image=(4, 6, 3),
)
operator(
    "DepthToSpace, CRD",
    lambda n, x: n.node("DepthToSpace", x, blocksize=2, mode="CRD"),
    lambda x, _: F.pixel_shuffle(x, 2),
    image=(3, 5, 4),
)
operator(
    "PRelu",
    lambda n, x: n.node("PRelu", x, n.random("p", 3, 1, 1)),
    lambda x, w: torch.relu(x) - w["p"] * torch.relu(-x),
)
operator(
    "PRelu of one slope",
    lambda n, x: n.node("PRelu", x, n.random("p", 1)),
    lambda x, w: torch.relu(x) - w["p"] * torch.relu(-x),
)
operator(
    "divided by a parameter",
    lambda n, x: n.node("Div", n.node("Sub", x, n.random("m", 1, 3, 1, 1)), n.random("d", 1, 3, 1, 1, positive=True)),
    lambda x, w: (x - w["m"]) * torch.from_numpy((1 / w["d"]).numpy().astype("f4")).double(),
)
operator(
    "InstanceNormalization",
    lambda n, x: n.node("InstanceNormalization", x, n.random("s", 3), n.random("b", 3)),
    lambda x, w: F.instance_norm(x, weight=w["s"], bias=w["b"]),
)
operator(
    "GroupNormalization",
    lambda n, x: n.node("GroupNormalization", x, n.random("s", 4), n.random("b", 4), num_groups=2),
    lambda x, w: F.group_norm(x, 2, w["s"], w["b"]),
    opset=21,
    image=(5, 7, 4),
)
operator(
    "LayerNormalization",
    lambda n, x: n.node(
        "LayerNormalization",
        n.node("Transpose", x, perm=[0, 2, 3, 1]),
        n.random("s", 3),
        n.random("b", 3),
        epsilon=0.01,
    ),
    lambda x, w: F.layer_norm(x.permute(0, 2, 3, 1), (3,), w["s"], w["b"], 0.01),
)
operator(
    "LayerNormalization without a bias",
    lambda n, x: n.node("LayerNormalization", n.node("Transpose", x, perm=[0, 2, 3, 1]), n.random("s", 3)),
    lambda x, w: F.layer_norm(x.permute(0, 2, 3, 1), (3,)) * w["s"],
)


def layer_norm_by_reciprocal(n, x):
    x = n.node("Transpose", x, perm=[0, 2, 3, 1])
    less = n.node("Sub", x, n.node("ReduceMean", x, axes=[-1]))
    variance = n.node("ReduceMean", n.node("Mul", less, less), axes=[-1])
    root = n.node("Sqrt", n.node("Add", n.constant(numpy.float32(0.001)), variance))
    return n.node(
        "Add", n.node("Mul", n.node("Mul", less, n.node("Reciprocal", root)), n.random("s", 3)), n.random("b", 3)
    )


operator(
    "LayerNorm by Reciprocal",
    layer_norm_by_reciprocal,
    lambda x, w: F.layer_norm(x.permute(0, 2, 3, 1), (3,), w["s"], w["b"], 0.001),
)
operator("a matrix from the left", lambda n, x: n.node("MatMul", n.random("w", 4, 5), x), lambda x, w: w["w"] @ x)
operator(
    "Gemm with alpha and beta",
    lambda n, x: n.node("Gemm", n.node("Flatten", x), n.random("w", 105, 4), n.random("b", 4), alpha=0.5, beta=2.0),
    lambda x, w: 0.5 * x.flatten(1) @ w["w"] + 2 * w["b"],
)
operator(
    "weights that are computed",
    lambda n, x: n.node("Conv", x, n.node("Mul", n.random("w", 2, 3, 2, 2), n.constant(numpy.float32(0.5)))),
    lambda x, w: F.conv2d(x, 0.5 * w["w"]),
)


def resized(how, mode, old, sizes=None, scales=None, **more):
    def build(net, x):
        inputs = ["" if scales is None else net.weight("scales", numpy.array([1, 1, *scales], "<f4"))]
        if old:
            return net.node("Upsample" if old == 9 else "Resize", x, *inputs, mode=mode)
        if sizes is not None:
            inputs.append(
                net.node(
                    "Concat",
                    net.node("Slice", net.node("Shape", x), net.numbers("a", [0]), net.numbers("z", [2])),
                    net.numbers("sizes", sizes),
                    axis=0,
                )
            )
        return net.node("Resize", x, "", *inputs, mode=mode, coordinate_transformation_mode=how, **more)

    return build


for _name, _build, _options, _opset in [
    ("nearest by 2, of version 9", resized("", "nearest", 9, scales=(2, 2)), {"scale_factor": 2}, 9),
    ("nearest by (2, 3), of version 10", resized("", "nearest", 10, scales=(2, 3)), {"scale_factor": (2, 3)}, 10),
    ("nearest by 2, half_pixel", resized("half_pixel", "nearest", 0, scales=(2, 2)), {"scale_factor": 2}, 13),
    ("nearest by 6, half_pixel", resized("half_pixel", "nearest", 0, scales=(6, 6)), {"scale_factor": 6}, 13),
    ("nearest to a size", resized("asymmetric", "nearest", 0, (8, 9), nearest_mode="floor"), {"size": (8, 9)}, 13),
    ("linear by 2", resized("half_pixel", "linear", 0, scales=(2, 2)), {"scale_factor": 2, "mode": "bilinear"}, 13),
    (
        "linear by 1.5",
        resized("pytorch_half_pixel", "linear", 0, scales=(1.5, 1.5)),
        {"scale_factor": 1.5, "mode": "bilinear"},
        13,
    ),
    (
        "linear to a size",
        resized("pytorch_half_pixel", "linear", 0, (3, 11)),
        {"size": (3, 11), "mode": "bilinear"},
        19,
    ),
    (
        "linear, corners aligned",
        resized("align_corners", "linear", 0, (8, 4)),
        {"size": (8, 4), "mode": "bilinear", "align_corners": True},
        13,
    ),
]:
    operator(f"resized: {_name}", _build, lambda x, _, o=_options: F.interpolate(x, **o), opset=_opset)
