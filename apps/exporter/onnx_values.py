"""Values while the nodes of an ONNX file run, constants and what depends on the images, and the list of the handlers
that compute them. Part of export_torch.py.

Each handler gets the network (onnx_module.py), the node and its inputs, Images or constants; it returns a tensor,
Images, or a list of them. What a handler lets through is not yet a graph: the exporter that sees torch's calls has the
last word.
"""

from .onnx_constants import Refusal

HANDLERS = {}


def handles(*names):
    def register(function):
        for name in names:
            HANDLERS[name] = function
        return function
    return register


class Constant:
    """An array that does not depend on the images. `source` is the tensor of the file that it is, or is a view of;
    `origin` says where it is from: "initializer", "node" (of the operator Constant), "weights" or "numbers", of which
    it is computed; `name` is the value's in the file."""

    def __init__(self, array, origin, source=None, name=""):
        self.array, self.origin, self.source, self.name = array, origin, source, name

    @property
    def of_weights(self):
        return self.origin in ("initializer", "weights")


class Images:
    """A value that depends on the images. Its tensor's first axis are the images; where it is `merged`, the file's
    first axis are the images and what is the tensor's second axis.

    `curve`, where there is one, says which function of another value's elements it is, one by one: that value, the
    function's values at the points of GRID (onnx_activations.py), and how many operators it takes. A value without a
    tensor is known by its curve alone; `refusal` says what no graph can."""

    def __init__(self, tensor, merged=False, curve=None, refusal=None):
        self.tensor, self.merged, self.curve, self.refusal = tensor, merged, curve, refusal


def extents(run, value):
    """The extents that a value has in the file."""
    shape = list(value.tensor.shape)
    return [run.declared * shape[1], *shape[2:]] if value.merged else [run.declared, *shape[1:]]


def plain(value, role="its input"):
    """The tensor of a value whose first axis are the images."""
    if not isinstance(value, Images):
        raise Refusal(f"{role} does not depend on the images, and another of its inputs does")
    if value.merged:
        raise Refusal(f"{role} has the images and another axis as one")
    return value.tensor


def fixed(value, role):
    """The array of a constant, which a layer's weights and an operator's sizes are."""
    if isinstance(value, Images):
        raise Refusal(f"its {role} depends on the images")
    return value


def image(value, op):
    tensor = plain(value)
    if tensor.dim() != 4:
        raise Refusal(f"{op} of a tensor of {tensor.dim()} axes: images [N, C, H, W] alone")
    return tensor
