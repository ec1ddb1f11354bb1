"""Networks in ONNX files as other programs than PyTorch write them, with what they compute written out a second time in
torch's functions.
"""

import math

import numpy
import torch
from torch.nn import functional as F

from onnx_net import CLASSES, Net, entered
from onnx_writer import BFLOAT16, FLOAT, Graph, value_info


@entered
def of_tensorflow(folder):
    """Channels last, as tf2onnx writes it: padding by auto_pad, a softmax at the end."""
    net = Net(folder, (8, 6, 3), nhwc=True, producer="tf2onnx")
    net.random("conv/kernel", 4, 3, 3, 3)
    for name in ("gamma", "beta", "moving_mean"):
        net.random(f"bn/{name}", 4)
    net.random("bn/moving_variance", 4, positive=True)
    net.random("dense/kernel", 4, CLASSES)
    net.random("dense/bias", CLASSES)
    x = net.node("Transpose", "images", perm=[0, 3, 1, 2])
    x = net.node("Conv", x, "conv/kernel", auto_pad="SAME_UPPER", strides=[2, 2], kernel_shape=[3, 3])
    x = net.node("BatchNormalization", x, "bn/gamma", "bn/beta", "bn/moving_mean", "bn/moving_variance", epsilon=1e-3)
    x = net.node("Clip", x, net.weight("zero", numpy.float32(0)), net.weight("six", numpy.float32(6)))
    x = net.node("MaxPool", x, auto_pad="SAME_UPPER", kernel_shape=[2, 2], strides=[2, 2])
    x = net.node("Transpose", x, perm=[0, 2, 3, 1])
    x = net.node("ReduceMean", x, axes=[1, 2], keepdims=0)
    x = net.node("MatMul", x, "dense/kernel")
    net.finish(net.node("Softmax", net.node("Add", x, "dense/bias"), axis=-1))
    w = net.arrays

    def expected(x):
        x = F.conv2d(F.pad(x, (0, 1, 0, 1)), w["conv/kernel"], stride=2)
        x = F.batch_norm(x, w["bn/moving_mean"], w["bn/moving_variance"], w["bn/gamma"], w["bn/beta"], eps=1e-3)
        x = F.max_pool2d(F.pad(x.clamp(0, 6), (0, 1), value=-math.inf), 2)
        return x.mean((2, 3)) @ w["dense/kernel"] + w["dense/bias"]

    return expected


@entered
def dense_layers_of_images(folder):
    """Keras' Dense of images: images and pixels are one axis meanwhile, by shapes that are computed."""
    net = Net(folder, nhwc=True, producer="tf2onnx")
    net.random("kernel", 3, 4)
    net.random("bias", 4)
    shape = net.node("Shape", "images")
    first = net.node("Slice", shape, net.numbers("0", [0]), net.numbers("3", [3]), net.numbers("axis", [0]))
    flat = net.node("Reshape", "images", net.numbers("flat", [-1, 3]))
    x = net.node(
        "Reshape",
        net.node("Relu", net.node("MatMul", flat, "kernel")),
        net.node("Concat", first, net.numbers("4", [4]), axis=0),
    )
    return net.save(
        net.node("Add", x, "bias"), lambda x, w: torch.relu(x.permute(0, 2, 3, 1) @ w["kernel"]) + w["bias"]
    )


@entered
def a_batch_of_one_that_is_squeezed(folder):
    """A file for one image, whose axis is left out on the way."""
    net = Net(folder, batch=1)
    x = net.node("Squeeze", "images", net.numbers("0", [0]))
    x = net.node("Reshape", net.node("Tanh", x), net.numbers("shape", [3, 35]))
    x = net.node("MatMul", x, net.random("w", 35, 4))
    x = net.node("Unsqueeze", x, "0")
    return net.save(x, lambda x, w: torch.tanh(x).flatten(2) @ w["w"])


@entered
def a_batch_of_four(folder):
    net = Net(folder, batch=4)
    x = net.node("Reshape", "images", net.numbers("shape", [4, -1]))
    return net.save(
        net.node("Mul", x, net.node("Reshape", x, net.numbers("again", [4, 105]))), lambda x, _: x.flatten(1) ** 2
    )


@entered
def external_data(folder):
    net = Net(folder)
    net.random("w", 4, 3, 2, 2, form="external", folder=folder)
    return net.save(net.node("Conv", "images", "w"), lambda x, w: F.conv2d(x, w["w"]))


@entered
def kinds_of_numbers(folder):
    net = Net(folder)
    values = numpy.array([0.5, -1.25, 3, 1, 2, -0.75], "<f4").reshape(2, 3, 1, 1)  # exact in all of them
    x = "images"
    for name, array, form in [
        ("half", values.astype("<f2"), {}),
        ("half typed", values.astype("<f2"), {"form": "typed"}),
        ("double", values.astype("<f8"), {}),
        ("double typed", values.astype("<f8"), {"form": "typed"}),
        ("float typed", values, {"form": "typed"}),
        ("bfloat", values, {"kind": BFLOAT16}),
    ]:
        net.weight(name, array, **form)
        y = net.node("Conv", "images", name if name == "float typed" else net.node("Cast", name, to=FLOAT))
        x = y if x == "images" else net.node("Add", x, y)
    return net.save(x, lambda x, _: 6 * F.conv2d(x, torch.from_numpy(values.astype("f8"))))


@entered
def folded_batchnorms(folder):
    net = Net(folder)
    x = net.node("Conv", "images", net.random("onnx::Conv_1", 4, 3, 3, 3), net.random("onnx::Conv_2", 4), pads=[1] * 4)
    return net.save(x, lambda x, w: F.conv2d(x, w["onnx::Conv_1"], w["onnx::Conv_2"], padding=1))


@entered
def biases(folder):
    net = Net(folder)
    x = net.node("Conv", "images", net.random("w", 4, 3, 3, 3), net.random("b", 4))
    return net.save(x, lambda x, w: F.conv2d(x, w["w"], w["b"]))


@entered
def batchnorm_in_training_mode(folder):
    net = Net(folder, opset=15)
    for name in ("scale", "shift", "mean"):
        net.random(name, 3)
    net.random("variance", 3, positive=True)
    x, *_ = net.node(
        "BatchNormalization", "images", "scale", "shift", "mean", "variance", outputs=3, training_mode=1, momentum=0.75
    )
    return net.save(x, lambda x, w: F.batch_norm(x, w["mean"], w["variance"], w["scale"], w["shift"]))


@entered
def batchnorm_in_training_mode_of_old(folder):
    net = Net(folder, opset=9)
    for name in ("scale", "shift", "mean"):
        net.random(name, 3)
    net.random("variance", 3, positive=True)
    x, *_ = net.node("BatchNormalization", "images", "scale", "shift", "mean", "variance", outputs=5)
    return net.save(x, lambda x, w: F.batch_norm(x, w["mean"], w["variance"], w["scale"], w["shift"]))


def branched(folder, taken):
    """squeeze() as PyTorch writes it where an extent is not known."""
    net = Net(folder, (1, 7, 3))
    height = net.node("Gather", net.node("Shape", "images"), net.numbers("place", 2), axis=0)
    condition = net.node("Equal", height, net.numbers("one", 1 if taken else 2))
    branches = []
    for prefix, op in (("then_", "Squeeze"), ("else_", "Tanh")):
        branch = Graph(prefix)
        inputs = ["images", branch.weight(prefix + "axes", numpy.array([2]))] if op == "Squeeze" else ["images"]
        branch.outputs.append(value_info(branch.node(op, *inputs), None))
        branches.append(branch)
    x = net.node("If", condition, then_branch=branches[0], else_branch=branches[1])
    return net.save(net.node("Sigmoid", x), lambda x, _: torch.sigmoid(x if taken else torch.tanh(x)))


@entered
def a_branch_that_is_taken(folder):
    return branched(folder, True)


@entered
def a_branch_that_is_not(folder):
    return branched(folder, False)


@entered
def a_branch_that_gives_two_values(folder):
    """A convolution, and that with a bias: one is not a part of the other."""
    net = Net(folder)
    condition = net.constant(numpy.array(True))
    branch = Graph("then_")
    x = branch.node("Conv", "images", net.random("w", 3, 3, 1, 1))
    branch.outputs += [value_info(name, None) for name in (x, branch.node("Add", x, net.random("b", 1, 3, 1, 1)))]
    other = Graph("else_")
    other.outputs += [value_info(other.node("Tanh", "images"), None) for _ in range(2)]
    x, y = net.node("If", condition, outputs=2, then_branch=branch, else_branch=other)

    def expected(x, w):
        return F.conv2d(x, w["w"]) * (F.conv2d(x, w["w"]) + w["b"])

    return net.save(net.node("Mul", x, y), expected)


@entered
def nodes_in_another_order(folder):
    net = Net(folder)
    x = net.node("Tanh", net.node("Relu", net.node("Conv", "images", net.random("w", 2, 3, 3, 3))))
    net.nodes.reverse()
    return net.save(x, lambda x, w: torch.tanh(torch.relu(F.conv2d(x, w["w"]))))


@entered
def vectors_of_pixels(folder):
    net = Net(folder, (4, 5, 1), dims=(4, 5))
    return net.save(net.node("Tanh", "images"), lambda x, _: torch.tanh(x))


@entered
def a_bound_far_from_zero(folder):
    """Not a ReLU, though one where activations are small."""
    net = Net(folder)
    weight = net.generator.standard_normal((2, 3, 3, 3)).astype("<f4") * 50
    x = net.node("Relu", net.node("Conv", "images", net.constant(weight)))
    return net.save(
        net.node("Min", x, net.constant(numpy.float32(25))),
        lambda x, _: F.conv2d(x, torch.from_numpy(weight.astype("f8"))).clamp(0, 25),
    )


@entered
def weights_that_are_inputs_too(folder):
    """As versions of the format before 4 wanted it."""
    net = Net(folder)
    net.random("w", 2, 3, 3, 3)
    net.inputs.insert(0, value_info("w", [2, 3, 3, 3]))
    return net.save(net.node("Conv", "images", "w"), lambda x, w: F.conv2d(x, w["w"]))


@entered
def shared_weights(folder):
    net = Net(folder)
    net.random("w", 3, 3, 1, 1)
    x = net.node("Conv", net.node("Relu", net.node("Conv", "images", "w")), "w")
    return net.save(x, lambda x, w: F.conv2d(torch.relu(F.conv2d(x, w["w"])), w["w"]))


def stored_once(folder, training):
    """Two convolutions whose weights are one tensor of the file under two names, as PyTorch writes equal ones."""
    net = Net(folder, opset=15)
    net.random("w", 3, 3, 1, 1)
    for name in ("scale", "shift", "mean"):
        net.random(name, 3)
    net.random("variance", 3, positive=True)
    x = net.node("Conv", net.node("Conv", "images", "w"), net.node("Identity", "w"))
    batchnorm = [x, "scale", "shift", "mean", "variance"]
    x = (
        net.node("BatchNormalization", *batchnorm, outputs=3, training_mode=1)[0]
        if training
        else net.node("BatchNormalization", *batchnorm)
    )
    return net.save(
        x,
        lambda x, w: F.batch_norm(
            F.conv2d(F.conv2d(x, w["w"]), w["w"]), w["mean"], w["variance"], w["scale"], w["shift"]
        ),
    )


@entered
def equal_tensors_of_an_evaluated_network(folder):
    return stored_once(folder, False)


@entered
def equal_tensors_of_a_network_in_training(folder):
    return stored_once(folder, True)


def one_number(folder, producer):
    net = Net(folder, producer=producer)
    return net.save(net.node("Mul", "images", net.weight("factor", numpy.array([1.5], "<f4"))), lambda x, _: x * 1.5)


@entered
def a_parameter_of_one_number(folder):
    return one_number(folder, "pytorch")


@entered
def a_constant_of_one_number(folder):
    return one_number(folder, "tf2onnx")


@entered
def shared_weights_that_are_computed(folder):
    net = Net(folder, producer="pytorch")
    net.random("onnx::Conv_7", 3, 3, 1, 1)
    half = net.node("Mul", net.random("w", 3, 3, 1, 1), net.constant(numpy.float32(0.5)))
    x = "images"
    for weight in ("onnx::Conv_7", half, "onnx::Conv_7", half):
        x = net.node("Conv", x, weight)
    return net.save(
        x,
        lambda x, w: F.conv2d(
            x, torch.linalg.matrix_power(0.5 * w["w"][..., 0, 0] @ w["onnx::Conv_7"][..., 0, 0], 2)[..., None, None]
        ),
    )


@entered
def weights_as_constants(folder):
    net = Net(folder, producer="PaddlePaddle")
    weight = net.generator.standard_normal((4, 3, 3, 3)).astype("<f4")
    return net.save(
        net.node("Conv", "images", net.constant(weight)),
        lambda x, _: F.conv2d(x, torch.from_numpy(weight.astype("f8"))),
    )


@entered
def names_that_are_none_of_python_s(folder):
    net = Net(folder)
    net.random("count", 3, 1, 1)
    net.random("input.weight", 3, 3, 1, 1)
    net.random("first/..:0", 3, 1, 1)
    x = net.node("Conv", "images", "input.weight", name="network")
    x = net.node("Mul", x, "count", name="training")
    return net.save(
        net.node("Add", x, "first/..:0", name="a..b"),
        lambda x, w: F.conv2d(x, w["input.weight"]) * w["count"] + w["first/..:0"],
    )
