"""What several nodes of an ONNX file amount to together: a LayerNorm that is spelled out, the softmax that ends a
network. Part of export_torch.py."""

from .onnx_constants import integers
from .onnx_file import Node, decimal

SPELLED_LAYER_NORM, FINAL_SOFTMAX = "a LayerNorm spelled out", "the softmax at the end"
WITHOUT_MEANING = ("Cast", "Identity")  # between the parts of a pattern


class Makers:
    """Which node makes a value."""

    def __init__(self, nodes, constants):
        self.constants = constants
        self.makers = {output: node for node in nodes for output in node.outputs}

    def of(self, name, op):
        """The node of this operator that makes a value, or None."""
        node = self.makers.get(name)
        while node is not None and node.op in WITHOUT_MEANING:
            node = self.makers.get(node.inputs[0])
        return node if node is not None and node.op == op else None

    def root(self, name):
        """The value before what changes nothing."""
        node = self.makers.get(name)
        while node is not None and node.op in WITHOUT_MEANING:
            name = node.inputs[0]
            node = self.makers.get(name)
        return name

    def number(self, name):
        constant = self.constants.get(name)
        return decimal(constant.array.flatten()[0]) if constant is not None and constant.array.size == 1 else None

    def mean(self, name):
        """The value and the axes whose mean a value is, or None."""
        node = self.of(name, "ReduceMean")
        if node is None or not node.attributes.get("keepdims", 1):
            return None
        axes = node.attributes.get("axes")
        if len(node.inputs) > 1 and node.inputs[1]:
            if node.inputs[1] not in self.constants:
                return None
            axes = integers(self.constants[node.inputs[1]].array)
        return (self.root(node.inputs[0]), tuple(sorted(axes))) if axes else None

    def squared(self, name):
        node = self.of(name, "Pow")
        if node is not None:
            return self.root(node.inputs[0]) if self.number(node.inputs[1]) == 2 else None
        node = self.of(name, "Mul")
        both = node is not None and self.root(node.inputs[0]) == self.root(node.inputs[1])
        return self.root(node.inputs[0]) if both else None

    def centred(self, name):
        """The value x and the axes where a value is x - mean(x), or None."""
        node = self.of(name, "Sub")
        mean = self.mean(node.inputs[1]) if node is not None else None
        return mean if mean is not None and mean[0] == self.root(node.inputs[0]) else None

    def variance(self, name):
        """The value, the axes and the epsilon where a value is sqrt(var + epsilon), or None."""
        root = self.of(name, "Sqrt")
        added = self.of(root.inputs[0], "Add") if root is not None else None
        for first, second in ((0, 1), (1, 0)) if added is not None else ():
            epsilon, mean = self.number(added.inputs[second]), self.mean(added.inputs[first])
            centred = self.centred(self.squared(mean[0])) if mean is not None and epsilon is not None else None
            if centred is not None and centred[1] == mean[1]:
                return centred[0], centred[1], epsilon
        return None

    def layer_norm(self, node):
        """The value, axes and epsilon where a node divides x - mean(x) by sqrt(var + epsilon), or None."""
        if node.op not in ("Div", "Mul"):
            return None
        for numerator, divisor in ((0, 1), (1, 0)) if node.op == "Mul" else ((0, 1),):
            divided_by = node.inputs[divisor]
            if node.op == "Mul":
                inverse = self.of(divided_by, "Reciprocal")
                if inverse is None:
                    continue
                divided_by = inverse.inputs[0]
            centred, variance = self.centred(node.inputs[numerator]), self.variance(divided_by)
            if centred is not None and variance is not None and centred == variance[:2]:
                return variance
        return None


def spelled_layer_norms(nodes, constants):
    """The nodes, with one for each LayerNorm that is spelled out (before version 17 of the operators it had none). What
    it was made of stays, and is left out where nothing else reads it."""
    makers, result = Makers(nodes, constants), []
    for node in nodes:
        found = makers.layer_norm(node)
        if found is not None:
            value, axes, epsilon = found
            node = Node(node.name, SPELLED_LAYER_NORM, [value], node.outputs, {"axes": axes, "epsilon": epsilon})
        result.append(node)
    return result


def final_softmax(nodes, output):
    """The nodes, with another operator for the softmax behind which nothing but the output's form comes."""
    makers = {name: node for node in nodes for name in node.outputs}
    name = output
    while name in makers and makers[name].op in ("Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Dropout"):
        name = makers[name].inputs[0]
    last = makers.get(name)
    if last is None or last.op not in ("Softmax", "LogSoftmax"):
        return nodes
    attributes = {**last.attributes, "of": last.op}
    return [Node(node.name, FINAL_SOFTMAX, node.inputs, node.outputs, attributes) if node is last else node
            for node in nodes]
