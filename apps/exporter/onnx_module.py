"""A network of an ONNX file as a module of PyTorch's: what export_torch.py makes of a name that ends in .onnx. Part of
export_torch.py.

The module runs the file's nodes by calls of torch's functions (onnx_layers.py, onnx_arithmetic.py, onnx_shapes.py),
which the exporter then sees as those of any module. What does not depend on the images is computed by NumPy
(onnx_constants.py): numbers, and shapes, which are those of the images that the network is exported for.

A file's weights become parameters where layers read them, under their names in the file, in the order of elements that
torch's functions take. Its batch may be a symbol or a number: tensors here have as many images as the module is given,
and where the file counts images they count as many as it says.
"""

import math
import re
from collections import OrderedDict

import numpy
import torch
from torch import nn

from . import onnx_layers  # noqa: F401  whose handlers enter themselves
from .onnx_activations import GRID, recognised
from .onnx_arithmetic import ELEMENTWISE
from .onnx_constants import FOLDED, LARGEST, Refusal, check_size
from .onnx_file import FLOATING, KINDS, Model, decimal, every_node
from .onnx_patterns import final_softmax, spelled_layer_norms
from .onnx_refusals import refusal_of
from .onnx_shapes import shape_of
from .onnx_values import HANDLERS, Constant, Images
from .torch_checkpoint import ImportFailure

FEW = 2  # images of a run
OCCUPIED = {*dir(nn.Module()), "network", "image", "notes_of_file"}
VIEWS = {"Identity", "Cast", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Dropout"}


class Place(nn.Module):
    """Where a node of the file runs: its name is what the tracer calls the nodes that come of it."""

    names_its_nodes = True

    def forward(self, function, *arguments):
        return function(*arguments)


def anonymous(constant):
    """Whether a constant has no name of its program's: a result, or one that an exporter has counted."""
    return constant.source is None or re.match(r"onnx::|_?val_\d|\d+$", constant.source) is not None


def free(name):
    """A name that no attribute of a module has."""
    return f"{name}_" if name in OCCUPIED else name


class OnnxModule(nn.Module):
    """The network of a file, for images (height, width, channels); None: the input's in the file."""

    def __init__(self, path, image=None):
        super().__init__()
        network = Network(path, image)
        # PyTorch's own way of entering them refuses names with dots in.
        self.__dict__.update(network=network, _parameters=network.parameters, _buffers=network.buffers,
                             _modules=network.places)

    @property
    def image(self):
        return self.network.image

    @property
    def notes_of_file(self):
        """What export_torch.py tells of the file, as lines."""
        return self.network.notes

    def forward(self, images):
        return self.network.run(images)


class Network:
    """What runs a file's nodes, with the module's parameters, buffers and places by name."""

    def __init__(self, path, image):
        self.parameters, self.buffers, self.places = OrderedDict(), OrderedDict(), OrderedDict()
        model = Model(path)
        self.path, self.opset, self.producer, self.graph = path, model.opset, model.producer, model.graph
        self.notes, self.constants = [], {}
        self.parameter_of, self.renamed = {}, {}  # of a node and of what it reads: the parameter's name
        self.numbers, self.computed, self.loose = {}, {}, {}  # names, for notes
        self.first, self.running, self.values = True, "", None
        self.count = self.declared = FEW
        self.input, self.input_rank, self.batch, self.channels_last, self.image = self.read_input(image)
        self.output = self.read_output()
        self.trains = self.in_training()
        self.enter_initializers(self.graph)
        self.stored_once = 0
        for node in self.graph.nodes:
            self.fold_early(node)
        nodes = spelled_layer_norms(self.graph.nodes, self.constants)
        self.nodes = self.needed(final_softmax(nodes, self.output))
        self.readers = {}
        for node in every_node(self.nodes):
            self.places[free(node.name)] = Place()
            given = [name for graph in node.graphs() for name, *_ in graph.outputs]
            for name in [*node.inputs, *given]:
                self.readers.setdefault(name, []).append(node)
        self.try_out()
        self.tell()

    def failure(self, told):
        return ImportFailure(f"{self.path}: {told}")

    # What the file is.

    def read_input(self, image):
        """The name of the images, how many axes they have, their number in the file or None, whether their channels are
        last, and (height, width, channels)."""
        inputs = [value for value in self.graph.inputs if value[0] not in self.graph.initializers]
        if len(inputs) != 1:
            raise self.failure(f"it has {len(inputs)} inputs"
                               + (f" ({', '.join(name for name, *_ in inputs[:4])})" if inputs else "")
                               + ": a network has one, the images")
        name, kind, extents = inputs[0]
        if kind not in FLOATING:
            raise self.failure(f"its input '{name}' is of the kind {KINDS.get(kind, kind)}: images are floating-point "
                               "numbers")
        if extents is None or len(extents) not in (2, 3, 4):
            raise self.failure(f"its input '{name}' is {extents or 'of no stated shape'}: images are [N, C, H, W] or "
                               "[N, H, W, C]")
        last = self.has_channels_last(name, extents, image)
        sizes = extents[1:]
        if len(extents) == 4:
            sizes = sizes if last else [*sizes[1:], sizes[0]]
        elif len(extents) == 3:
            sizes = [*sizes, 1]
        else:
            sizes = [None, None, None]
        if image is None and None in sizes:
            raise self.failure(f"its input '{name}' is {['N' if e is None else e for e in extents]}: say which images "
                               "with --image H,W,C")
        image = tuple(image or sizes)
        told = [f"{extent}" if extent else "any" for extent in sizes]
        if any(size not in (None, extent) for size, extent in zip(sizes, image)) or (
                len(extents) == 2 and (math.prod(image) != (extents[1] or math.prod(image)) or image[2] != 1)):
            raise self.failure(f"images {'x'.join(map(str, image))}: its input '{name}' takes "
                               + ("x".join(told) if len(extents) > 2 else f"vectors of {extents[1]} numbers: images of "
                                  "one channel with as many pixels alone"))
        if math.prod(image) > LARGEST // 8:
            raise self.failure(f"images {'x'.join(map(str, image))} are too large")
        return name, len(extents), extents[0], last, image

    def has_channels_last(self, name, extents, image):
        """Whether the images are [N, H, W, C]: by their extents where one of them alone can be the channels, otherwise
        by what reads them."""
        if len(extents) != 4:
            return len(extents) == 3
        first, last = extents[1], extents[3]
        if image is not None and first != last and None not in (first, last) and image[2] in (first, last):
            return image[2] == last
        few = [extent is not None and extent <= 4 for extent in (first, last)]
        if few[0] != few[1]:
            return few[1]
        for node in self.graph.nodes:
            if name in node.inputs and node.op == "Transpose":
                return node.attributes.get("perm") == [0, 3, 1, 2]
        return False

    def read_output(self):
        if len(self.graph.outputs) != 1:
            raise self.failure(f"it has {len(self.graph.outputs)} outputs "
                               f"({', '.join(name for name, *_ in self.graph.outputs[:4])}): a classifier has one, its "
                               "logits")
        name = self.graph.outputs[0][0]
        if not any(name in node.outputs for node in self.graph.nodes):
            raise self.failure(f"its output '{name}' is no node's")
        return name

    def in_training(self):
        """Whether the file was written in training mode, in which PyTorch stores tensors once only where one parameter
        has two names."""
        return any(node.op == "BatchNormalization" and (node.attributes.get("training_mode")
                                                        or sum(map(bool, node.outputs)) > 1)
                   for node in every_node(self.graph.nodes))

    def enter_initializers(self, graph):
        for name, array in graph.initializers.items():
            self.constants[name] = Constant(array, "initializer", name, name)
        for node in graph.nodes:
            for inner in node.graphs():
                self.enter_initializers(inner)

    def needed(self, nodes):
        """Those that the output depends on."""
        wanted, result = {self.output}, []
        for node in reversed(nodes):
            if any(output in wanted for output in node.outputs):
                wanted.update(node.reads())
                result.append(node)
        return result[::-1]

    # Constants and parameters.

    def fold_early(self, node):
        """Computes what depends on the file's tensors alone, so that patterns can be seen; what fails here is told when
        it runs."""
        if node.op in FOLDED and all(name in self.constants for name in node.inputs if name):
            try:
                self.fold(node, self.constants)
            except Exception:  # NumPy's, of whatever a file asks for
                return

    def fold(self, node, values):
        inputs = [values[name] if name else None for name in node.inputs]
        arrays = [value.array if value is not None else None for value in inputs]
        while arrays and arrays[-1] is None:
            arrays.pop()
        made = FOLDED[node.op](node, self.opset, *arrays)
        made = made if isinstance(made, list) else [made]
        origin = "node" if node.op == "Constant" else (
            "weights" if any(value is not None and value.of_weights for value in inputs) else "numbers")
        source = None
        if node.op in VIEWS and inputs[0].source is not None:
            source, origin = inputs[0].source, inputs[0].origin
            if node.op == "Identity" and node.inputs[0] == source and not self.trains:
                source, self.stored_once = node.outputs[0], self.stored_once + 1  # PyTorch stores equal tensors once
        elif node.op in VIEWS:
            origin = inputs[0].origin
        for name, array in zip(node.outputs, made):
            if name:
                values[name] = Constant(numpy.asarray(array), origin, source, name)

    def number(self, constant, noted=False):
        """The number that a constant is in arithmetic, or None where it is a parameter; told to the user, where
        `noted`."""
        array = constant.array
        if array.size == 0 or not bool((array == array.flatten()[0]).all()):
            return None
        if array.size == 1:
            if self.producer == "pytorch" and constant.origin == "initializer" and not anonymous(constant):
                return None
            if noted and constant.of_weights and self.first:
                self.numbers[constant.source or "computed"] = True
        elif constant.of_weights:
            return None
        number = array.flatten()[0]
        return decimal(number) if array.dtype == numpy.float32 else float(number)

    def parameter(self, node, last, constant, array, buffer=False):
        """The parameter that a constant is, with these elements, in the order that torch's function takes; `last` is
        what it is called where the file has no name for it."""
        store = self.buffers if buffer else self.parameters
        key = (node.name, last)
        if not self.first:
            return store[self.parameter_of[key]]
        if constant.origin == "numbers" or array.dtype.kind != "f":
            raise Refusal(f"its {last} is computed from no tensor of floating-point numbers in the file")
        if constant.origin == "weights":
            self.computed[f"{node.name}.{last}"] = True
        name = constant.source
        if anonymous(constant):
            name = self.renamed.setdefault(constant.source or constant.name or key, f"{node.name}.{last}")
        name = free(name)
        with numpy.errstate(over="ignore"):
            made = torch.from_numpy(numpy.ascontiguousarray(array, numpy.float32).copy())
        if not bool(torch.isfinite(made).all()):
            raise Refusal(f"its {last} has numbers that are not finite: of a training that diverged, or a damaged file")
        there = store.get(name)
        if there is not None and (there.shape != made.shape or not torch.equal(there, made)):
            raise Refusal(f"it reads '{name}' in another order of elements than a node before it")
        if there is None:
            if name in self.parameters or name in self.buffers:
                raise Refusal(f"'{name}' is a weight in one place and a running statistic in another")
            store[name] = made if buffer else nn.Parameter(made)
        self.parameter_of[key] = name
        return store[name]

    def loose_parameter(self, node, constant):
        """A parameter of no layer, with which a node multiplies, or which it adds."""
        if constant.origin == "node" and self.producer == "pytorch":
            raise Refusal(f"{node.op} with a tensor of constants {list(constant.array.shape)}: one number, or a "
                          "parameter")
        made = self.parameter(node, "parameter", constant, constant.array)
        if self.first:
            self.loose[self.parameter_of[node.name, "parameter"]] = True
        return made

    # Running.

    def run(self, images):
        """The logits of images [N, C, H, W]."""
        self.count = images.shape[0]
        self.declared = self.batch or self.count
        x = images.permute(0, 2, 3, 1) if self.channels_last else images
        if self.input_rank < 4:  # of one channel
            x = images.squeeze(1) if self.input_rank == 3 else images.flatten(1)
        self.values = {**self.constants, self.input: Images(x)}
        try:
            self.run_nodes(self.nodes)
            return self.logits(self.values[self.output])
        finally:
            self.values = None

    def logits(self, value):
        if isinstance(value, Constant):
            raise self.failure("its output does not depend on its input")
        tensor = value.tensor
        if tensor is None:
            raise ImportFailure(f"{self.path}: {value.refusal}")
        return tensor.squeeze(1) if value.merged and tensor.shape[1] == 1 else tensor

    def run_nodes(self, nodes):
        for node in nodes:
            if not all(name in self.values for name in node.outputs[:1]):
                self.running = node
                self.places[free(node.name)](self.run_node, node)

    def run_node(self, node):
        try:
            if node.op == "If":
                self.run_branch(node)
                return
            missing = next((name for name in node.inputs if name and name not in self.values), None)
            if missing is not None:
                raise Refusal(f"reads '{missing}', which no node computes here: of most operators the first output "
                              "alone")
            inputs = [self.values[name] if name else None for name in node.inputs]
            while inputs and inputs[-1] is None:
                inputs.pop()
            if not any(isinstance(value, Images) for value in inputs):
                if node.op not in FOLDED:
                    raise Refusal(refusal_of(node.op))
                self.fold(node, self.values)
                return
            made = self.of_images(node, inputs)
            for name, value in zip(node.outputs, made if isinstance(made, list) else [made]):
                self.values.setdefault(name, Images(value) if isinstance(value, torch.Tensor) else value)
        except Refusal as error:
            raise self.failure(f"'{node.name}' ({node.op}): {error}") from error

    def of_images(self, node, inputs):
        """What a node makes of inputs that depend on the images."""
        if node.op in ("Shape", "Size"):
            return Constant(shape_of(self, node, inputs[0]), "numbers")
        curve = self.curve(node, inputs)
        if curve is not None and (curve[2] > 1 or node.op not in HANDLERS):
            function = recognised(curve[1])
            if function is not None:
                return Images(function(curve[0].tensor), curve[0].merged, curve)
        waiting = next((value for value in inputs if isinstance(value, Images) and value.tensor is None), None)
        if waiting is None and node.op in HANDLERS:
            made = HANDLERS[node.op](self, node, *inputs)
            for value in made if isinstance(made, list) else [made]:
                check_size((value.tensor if isinstance(value, Images) else value).shape)
            if curve is not None:
                made.curve = curve
            return made
        refusal = waiting.refusal if waiting is not None else f"'{node.name}' ({node.op}): {refusal_of(node.op)}"
        if curve is None:
            raise ImportFailure(f"{self.path}: {refusal}")
        return Images(None, curve[0].merged, curve, refusal)

    def curve(self, node, inputs):
        """Where the output is a function, element by element, of one tensor alone: that tensor, the function's values
        at the points of GRID, and how many operators it takes."""
        if node.op not in ELEMENTWISE:
            return None
        roots, arrays, depth = [], [], 0
        for value in inputs:
            if isinstance(value, Constant):
                number = self.number(value) if value.array.ndim == 0 or value.array.size == 1 else None
                if number is None:
                    return None
                arrays.append(numpy.array(number))
            elif value is None:
                arrays.append(None)
            else:
                root, samples, before = value.curve or (value, GRID, 0)
                roots.append(root)
                arrays.append(samples)
                depth = max(depth, before)
        if any(root is not roots[0] for root in roots):
            return None
        with numpy.errstate(all="ignore"):
            return roots[0], numpy.asarray(FOLDED[node.op](node, self.opset, *arrays), float), depth + 1

    def run_branch(self, node):
        condition = self.values[node.inputs[0]]
        if isinstance(condition, Images) or condition.array.size != 1:
            raise Refusal("branches on the values of the images: a graph is the same for all images")
        branch = node.attributes["then_branch" if bool(condition.array.flatten()[0]) else "else_branch"]
        self.run_nodes(branch.nodes)
        for outside, (inside, *_) in zip(node.outputs, branch.outputs):
            self.values[outside] = self.values[inside]

    def sole_reader(self, name, op):
        """The node of this operator that alone reads a value, or None."""
        readers = self.readers.get(name, [])
        return readers[0] if len(readers) == 1 and readers[0].op == op and name != self.output else None

    # Trying it out.

    def try_out(self):
        """Runs the network, which computes the constants and finds the parameters. Where the batch is a symbol, a run
        of three images first: what holds for two images alone is no network for images."""
        generator = torch.Generator().manual_seed(0)
        height, width, channels = self.image
        images = torch.randn(FEW + 1, channels, height, width, generator=generator)
        more = None
        if self.batch is None:
            more = self.run_alone(images)
            for names in (self.numbers, self.computed, self.loose, self.notes):
                names.clear()
        logits = self.run_alone(images[:FEW])
        self.first = False
        if not bool(torch.isfinite(logits).all()):
            raise self.failure("its logits of random images are not finite")
        if more is not None and (more.shape[1:] != logits.shape[1:] or not torch.allclose(
                more[:FEW], logits, rtol=1e-3, atol=1e-4 * float(logits.abs().max()))):
            raise self.failure("the logits of an image depend on how many others there are with it: images of a batch "
                               "meet nowhere but in BatchNorms")
        stated = self.graph.outputs[0][2]
        if logits.dim() == 2 and stated and stated[-1] not in (None, logits.shape[1]):
            raise self.failure(f"its output has {logits.shape[1]} numbers here, and {stated[-1]} by the file")

    def run_alone(self, images):
        try:
            with torch.no_grad():
                return self.run(images)
        except ImportFailure:
            raise
        except Exception as error:  # torch's and NumPy's, of whatever a file asks for
            told = (str(error).splitlines() or [""])[0]
            raise self.failure(f"'{self.running.name}' ({self.running.op}): {type(error).__name__}: {told}") from error

    def tell(self):
        """Notes what was chosen where the file leaves it open."""
        def several(names):
            return ", ".join(list(names)[:3]) + ", ..." * (len(names) > 3)

        nodes = list(every_node(self.nodes))
        convolutions = [node for node in nodes if node.op == "Conv"]
        biased = [node for node in convolutions if len(node.inputs) > 2]
        renamed = sum(node.inputs[1].startswith("onnx::Conv") for node in biased)  # by PyTorch, where it folds
        meant = ("the BatchNorms' scales are in the filters. Filter normalisation then divides by other norms, biases "
                 "take part, and no statistics can follow the weights: another landscape. To keep them, write the file "
                 "by torch.onnx.export(net.eval(), ..., training=torch.onnx.TrainingMode.PRESERVE, "
                 "do_constant_folding=False)")
        if renamed:
            self.notes.append(f"BatchNorms are folded into {renamed} of {len(convolutions)} convolutions: {meant}")
        elif biased and not any("Norm" in node.op for node in nodes):
            self.notes.append(f"no BatchNorm in the file, and {len(biased)} of {len(convolutions)} convolutions have "
                              f"biases: if the network was trained with BatchNorm, {meant}")
        if self.numbers:
            self.notes.append(f"{len(self.numbers)} tensors of one number are taken as constants, not as parameters: "
                              f"{several(self.numbers)}")
        if self.loose:
            self.notes.append(f"{len(self.loose)} tensors of no layer are taken as parameters: {several(self.loose)}")
        if self.computed:
            self.notes.append(f"{len(self.computed)} weights are computed from others in the file: the graph's "
                              f"parameters are the results: {several(self.computed)}")
        if self.stored_once:
            self.notes.append(f"{self.stored_once} tensors are equal to others, which the file has once for both; they "
                              "are taken as parameters of their own")

    def note_once(self, note):
        if note not in self.notes:
            self.notes.append(note)
