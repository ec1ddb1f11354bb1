"""ONNX files that no graph of operations on single images can hold, and files that are damaged or meant to do harm:
apps/export_torch.py has to refuse each in one line.

REFUSED: names, and for each a function that makes the file in a folder, and words that the refusal has to have.
"""

import os

import numpy

from onnx_net import Net
from onnx_operators import resized
from onnx_writer import FLOAT, Graph, external, field, fields, value_info

REFUSED = {}


def refused(name, words, build, **settings):
    def make(folder):
        net = Net(folder, **settings)
        made = build(net, "images")
        if made is not None:
            net.save(made, lambda x, _: x)

    assert name not in REFUSED, name
    REFUSED[name] = (make, words)


# --- What is refused -------------------------------------------------------------------------

W = numpy.ones((3, 3, 1, 1), "<f4")


def divided_by_another_s_deviation(net, x):
    """A LayerNorm but for its divisor, which is another tensor's."""
    less = net.node("Sub", x, net.node("ReduceMean", x, axes=[1]))
    other = net.node("Tanh", x)
    other = net.node("Sub", other, net.node("ReduceMean", other, axes=[1]))
    variance = net.node("ReduceMean", net.node("Mul", other, other), axes=[1])
    return net.node("Div", less, net.node("Sqrt", net.node("Add", variance, net.constant(numpy.float32(1e-5)))))


def times_the_number_of_images(net, x):
    count = net.node("Gather", net.node("Shape", x), net.numbers("place", 0))
    return net.node("Mul", x, net.node("Cast", count, to=FLOAT))


def both_ways(net, x):
    net.random("w", 3, 3)
    x = net.node("Gemm", net.node("Flatten", net.node("GlobalAveragePool", x)), "w")
    return net.node("Gemm", x, "w", transB=1)


def weights_of_nan(net, x):
    return net.node("Conv", x, net.weight("w", numpy.full((3, 3, 1, 1), numpy.nan, "<f4")))


for _name, _words, _build in [
    ("weights that are not finite", "its weight has numbers that are not finite", weights_of_nan),
    ("more with more images", "depend on how many others there are with it", times_the_number_of_images),
    ("a matrix and its transpose", "it reads 'w' in another order of elements", both_ways),
    (
        "attention",
        "(MatMul): the product of two tensors that both depend on the images",
        lambda n, x: n.node("MatMul", x, n.node("Transpose", x, perm=[0, 1, 3, 2])),
    ),
    (
        "softmax in the middle",
        "(Softmax): softmax is no operation of a graph, but at the end",
        lambda n, x: n.node("Softmax", x, axis=1),
    ),
    (
        "quantised",
        "(QuantizeLinear): the network is quantised",
        lambda n, x: n.node("QuantizeLinear", x, n.constant(numpy.float32(1))),
    ),
    ("LRN", "(LRN): local response normalisation", lambda n, x: n.node("LRN", x, size=3)),
    (
        "an unknown operator",
        "'Einsum_1' (Einsum): Einsum is no operator that is taken here",
        lambda n, x: n.node("Einsum", x, equation="nchw->nc"),
    ),
    (
        "another domain",
        "(com.microsoft.FusedConv): com.microsoft.FusedConv is no operator",
        lambda n, x: n.node("FusedConv", x, n.weight("w", W), domain="com.microsoft"),
    ),
    (
        "Erf of no GELU",
        "(Erf): erf that is part of no GELU",
        lambda n, x: n.node("Conv", n.node("Erf", x), n.weight("w", W)),
    ),
    (
        "Swish of another slope",
        "(Exp): exp that is part of no activation",
        lambda n, x: n.node(
            "Conv",
            n.node(
                "Div",
                x,
                n.node(
                    "Add",
                    n.constant(numpy.float32(1)),
                    n.node("Exp", n.node("Mul", x, n.constant(numpy.float32(-1.702)))),
                ),
            ),
            n.weight("w", W),
        ),
    ),
    (
        "a division of images",
        "(Div): divides by a tensor of the images",
        lambda n, x: n.node("Div", x, n.node("Add", n.node("GlobalAveragePool", x), n.constant(numpy.float32(2)))),
    ),
    (
        "reflected padding",
        "(Pad): pads by reflect",
        lambda n, x: n.node("Pad", x, pads=[0, 0, 1, 1, 0, 0, 1, 1], mode="reflect"),
    ),
    ("cubic resizing", "(Resize): resizes by 'cubic'", resized("half_pixel", "cubic", 0, scales=(2, 2))),
    (
        "rounding that PyTorch has not",
        "as PyTorch's interpolate never does",
        resized("half_pixel", "nearest", 0, (3, 4), nearest_mode="ceil"),
    ),
    ("another tensor's deviation", "(Sqrt): a square root that is no LayerNorm's", divided_by_another_s_deviation),
    (
        "images joined",
        "(Concat): joins tensors along the axis of the images",
        lambda n, x: n.node("Concat", x, x, axis=0),
    ),
    ("images rolled", "(Gather): picks", lambda n, x: n.node("Gather", x, n.numbers("p", [1, 0]), axis=0)),
    (
        "a part of the images",
        "(Slice): takes a part of the images",
        lambda n, x: n.node("Slice", x, n.numbers("s", [0]), n.numbers("e", [1]), n.numbers("a", [0])),
    ),
    (
        "a mean over images",
        "(ReduceMean): ReduceMean over the axis of the images",
        lambda n, x: n.node("Sub", x, n.node("ReduceMean", x, axes=[0])),
    ),
    (
        "images that are an axis no more",
        "(Transpose): permutes the axes",
        lambda n, x: n.node("Transpose", x, perm=[1, 0, 2, 3]),
    ),
    (
        "two images as one",
        "in which images are no axis",
        lambda n, x: n.node("Reshape", n.node("Concat", x, x, axis=1), n.numbers("s", [2, -1])),
    ),
    ("a literal batch", "in which images are no axis", lambda n, x: n.node("Reshape", x, n.numbers("s", [1, -1]))),
    ("numbers of other kinds", "(Cast): casts the images' numbers to int64", lambda n, x: n.node("Cast", x, to=7)),
    (
        "a branch on the images",
        "(If): branches on the values of the images",
        lambda n, x: n.node(
            "If", n.node("ReduceMean", x, axes=[1, 2, 3]), then_branch=Graph("t"), else_branch=Graph("e")
        ),
    ),
    (
        "one-dimensional convolutions",
        "(Conv): Conv of a tensor of 3 axes",
        lambda n, x: n.node("Conv", n.node("Reshape", x, n.numbers("s", [0, 3, 35])), n.weight("w", W[..., 0])),
    ),
    (
        "a function of the file",
        "calls the function Block, which the file defines",
        lambda n, x: setattr(n, "functions", field(25, field(1, "Block") + field(10, "local")))
        or n.node("Block", x, domain="local"),
    ),
    (
        "random numbers",
        "(RandomUniformLike): random numbers",
        lambda n, x: n.node("Add", x, n.node("RandomUniformLike", x)),
    ),
    (
        "an output that is not computed",
        "of most operators the first output alone",
        lambda n, x: n.node("Add", *n.node("Dropout", x, outputs=2)),
    ),
]:
    refused(_name, _words, _build)


def finished(function):
    """Of a file that is whole without a linear layer."""

    def build(net, x):
        function(net, x)

    return build


def two_outputs(net, x):
    net.finish(net.node("ReduceMean", x, axes=[2, 3], keepdims=0), net.node("ReduceMean", x, axes=[1, 2], keepdims=0))


def two_inputs(net, x):
    net.inputs.append(value_info("mask", ["N", 3]))
    net.finish(net.node("Mul", net.node("ReduceMean", x, axes=[2, 3], keepdims=0), "mask"))


def of_no_images(net, _x):
    net.finish(net.node("Relu", net.weight("w", numpy.zeros((2, 3), "<f4"))))


def of_other_classes(net, x):
    net.finish(net.node("Gemm", net.node("Flatten", x), net.weight("w", numpy.ones((105, 4), "<f4"))))


refused("two outputs", "it has 2 outputs", finished(two_outputs))
refused("two inputs", "it has 2 inputs", finished(two_inputs))
refused("no images", "its output does not depend on its input", finished(of_no_images))
refused("other classes than it says", "4 numbers here, and 3 by the file", finished(of_other_classes))
refused("sizes that are symbols", "say which images with --image", lambda n, x: n.node("Relu", x), dims=(3, "h", "w"))
refused(
    "linear resizing from the corner",
    "as PyTorch's interpolate never does: export with opset_version=11 or later",
    resized("", "linear", 10, scales=(2, 2)),
    opset=10,
)
refused("an old version", "of the operators' version 6", lambda n, x: n.node("Relu", x), opset=6)

# --- Hostile files ---------------------------------------------------------------------------


def missing_initializer(net, x):
    return net.node("Conv", x, "nosuch")


def circle(net, x):
    net.node("Add", x, "Relu_2_0")
    return net.node("Relu", "Add_1_0")


def doubled_again_and_again(net, x):
    for _ in range(40):
        x = net.node("Concat", x, x, axis=1)
    return x


def the_same_name_twice(net, x):
    made = net.node("Relu", x)
    net.count -= 1
    net.node("Relu", made)
    return made


def raw(**changes):
    """An initializer whose fields say what they should not."""

    def build(net, x):
        array = numpy.ones((3, 3, 1, 1), "<f4")
        dims, data, kind = (
            changes.get("dims", array.shape),
            changes.get("data", array.tobytes()),
            changes.get("kind", FLOAT),
        )
        data = external(changes["external"]) if "external" in changes else field(9, data)
        net.initializers.append(fields(1, dims) + field(2, kind) + field(8, "w") + data)
        return net.node("Conv", x, "w")

    return build


for _name, _words, _build in [
    (
        "a missing initializer",
        "reads 'nosuch', which is no initializer, no input and no node's output",
        missing_initializer,
    ),
    ("a circle", "nodes wait for each other in a circle: 'Add_1', 'Relu_2'", circle),
    ("the same name twice", "the name 'Relu_1_0' of the node 'Relu_1_' is another value's", the_same_name_twice),
    ("fewer bytes than the extents", "has 36 bytes, its extents [3, 3, 2, 1] are 72", raw(dims=(3, 3, 2, 1))),
    ("huge extents", "a damaged file", raw(dims=(1 << 40, 1 << 40))),
    ("negative extents", "has the extent -3", raw(dims=(-3, -3, 1, 1))),
    ("numbers of an unknown kind", "is of the kind float8", raw(kind=17)),
    (
        "a path outside",
        "external data are read from the file's own folder alone",
        raw(external={"location": "../../../../../../etc/passwd", "length": "36"}),
    ),
    (
        "an absolute path",
        "external data are read from the file's own folder alone",
        raw(external={"location": "/etc/passwd", "length": "36"}),
    ),
    (
        "a path through a link",
        "external data are read from the file's own folder alone",
        lambda n, x: os.symlink("/etc", os.path.join(n.folder, "link"))
        or raw(external={"location": "link/passwd"})(n, x),
    ),
    ("no path", "external data are read from the file's own folder alone", raw(external={})),
    ("a file that is not there", "and there is no such file", raw(external={"location": "nosuch"})),
    (
        "a file that is too short",
        "lies beyond the end of 'net.part'",
        lambda n, x: open(os.path.join(n.folder, "net.part"), "wb").close()
        or raw(external={"location": "net.part"})(n, x),
    ),
    ("another length", "99 bytes: its extents [3, 3, 1, 1] are 36", raw(external={"location": "x", "length": "99"})),
    (
        "a huge constant",
        "is too large",
        lambda n, x: n.node("Add", x, n.node("ConstantOfShape", n.numbers("s", [1 << 40]))),
    ),
    (
        "a huge range",
        "is too large",
        lambda n, x: n.node(
            "Reshape", x, n.node("Range", n.numbers("a", 0), n.numbers("b", 1 << 50), n.numbers("c", 1))
        ),
    ),
    (
        "a huge sum",
        "is too large",
        lambda n, x: n.node(
            "Reshape",
            x,
            n.node(
                "Add", n.weight("a", numpy.ones((1 << 15, 1), "<i4")), n.weight("b", numpy.ones((1, 1 << 15), "<i4"))
            ),
        ),
    ),
    ("huge padding", "is too large", lambda n, x: n.node("Pad", x, n.numbers("p", [0, 0, 1 << 40, 0, 0, 0, 0, 0]))),
    ("a huge image", "is too large", resized("half_pixel", "nearest", 0, scales=(1e5, 1e5))),
    (
        "a huge transposed convolution",
        "is too large",
        lambda n, x: n.node("ConvTranspose", x, n.weight("w", W), strides=[1 << 40, 1 << 40]),
    ),
    ("channels that double again and again", "is too large", doubled_again_and_again),
    ("no groups", "in 0 groups", lambda n, x: n.node("Conv", x, n.weight("w", W), group=0)),
    ("strides of zero", "strides [0, 0]", lambda n, x: n.node("Conv", x, n.weight("w", W), strides=[0, 0])),
    ("blocks of zero", "blocks of 0", lambda n, x: n.node("DepthToSpace", x, blocksize=0)),
    ("an axis that is none", "axis 9 of a tensor of 4 axes", lambda n, x: n.node("Concat", x, x, axis=9)),
    ("an attribute that is missing", "(DepthToSpace)", lambda n, x: n.node("DepthToSpace", x)),
    ("inputs that are missing", "(BatchNormalization)", lambda n, x: n.node("BatchNormalization", x)),
]:
    refused(_name, _words, _build)
refused("huge images", "are too large", lambda n, x: n.node("Relu", x), dims=(3, 1 << 40, 1 << 40))
