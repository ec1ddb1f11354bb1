"""Values while the nodes of an ONNX file run: constants, and what depends on the images. Part of export_torch.py, beside
which it lies.
"""


class Constant:
    """An array that does not depend on the images. `source` is the tensor of the file that it is, or is a view of;
    `origin` says where it is from: "initializer", "node" (of the operator Constant), "weights" or "numbers", of which it
    is computed."""

    def __init__(self, array, origin, source=None):
        self.array, self.origin, self.source = array, origin, source

    @property
    def of_weights(self):
        return self.origin in ("initializer", "weights")


class Images:
    """A value that depends on the images. Its tensor's first axis are the images; where it is `merged`, the file's first
    axis are the images and what is the tensor's second axis.

    `curve`, where there is one, says which function of another value's elements it is, one by one: that value, the
    function's values at the points of GRID (onnx_activations.py), and how many operators it takes. A value without a
    tensor is known by its curve alone; `refusal` says what no graph can."""

    def __init__(self, tensor, merged=False, curve=None, refusal=None):
        self.tensor, self.merged, self.curve, self.refusal = tensor, merged, curve, refusal
