"""A PyTorch module as a graph of Topograd's: what export_torch.py writes.

The module runs once, in evaluation mode, on example images, and every call of a PyTorch function on what
comes from them is seen (torch.overrides.TorchFunctionMode). Sizes are numbers while it runs, so that code
which branches on a shape, or loops over layers, is no obstacle; what branches on the images' values is
refused. Views (permute, reshape, chunk, slices, ...) make no nodes: each tensor carries, for all of its
elements, their places in the memory of a node's output, which is [H, W, C]; a copy is made where an
operation needs another order. Anything that is not known is refused by its name.
"""

import os
import sys

import torch
from torch.overrides import TorchFunctionMode, handle_torch_function, has_torch_function

BATCH = 2  # example images; what mixes them is refused


class ExportFailure(Exception):
    """Error in the module: what it does that a graph cannot say; one line."""


class Computed:
    """A tensor computed from parameters alone."""

    def __init__(self, names):
        self.names = names


class Parameter:
    """A parameter, or a view of one: the places of its elements in the parameter."""

    def __init__(self, name, tensor, index):
        self.name, self.tensor, self.index = name, tensor, index


class Root:
    """The square root of a value, of which a LayerNorm that is spelled out makes its divisor."""

    def __init__(self, value):
        self.value = value


class Value:
    """A tensor that depends on the images: a node's output, and where each of the tensor's elements lies in
    it, one image of the batch at a time."""

    def __init__(self, node, shape, index):
        self.node, self.shape, self.index = node, tuple(shape), index

    @property
    def size(self):
        return numel(self.shape)


def numel(shape):
    count = 1
    for extent in shape:
        count *= extent
    return count


def image_index(shape):
    """Places of the elements of a tensor [C, H, W] in memory [H, W, C]."""
    height, width, channels = shape
    return torch.arange(height * width * channels).view(height, width, channels).permute(2, 0, 1)


def same(a, b):
    return a.shape == b.shape and bool((a == b).all())


def pair(value):
    """(height, width) of a number or a pair."""
    if isinstance(value, (tuple, list, torch.Size)):
        return tuple(int(v) for v in value) if len(value) == 2 else (int(value[0]),) * 2
    return (int(value),) * 2


def brief(values):
    """One number for two that are equal."""
    return values[0] if values[0] == values[1] else list(values)


def strides_of(index):
    """Extents and strides of a sequence of places, outermost first: place i is offset + sum of i_k stride_k, i
    in row-major order. None where it has no such form of at most six axes."""
    flat = index.flatten().tolist()
    extents, strides = [], []
    heads = flat
    while len(heads) > 1:
        step = heads[1] - heads[0]
        run = 1
        while run < len(heads) and heads[run] == heads[0] + run * step:
            run += 1
        while len(heads) % run or any(heads[i + k] != heads[i] + k * step for i in range(0, len(heads), run)
                                      for k in range(run)):
            run -= 1
        if run == 1:
            return None
        extents.insert(0, run)
        strides.insert(0, step)
        heads = heads[::run]
        if len(extents) > 6:
            return None
    return extents or [1], strides or [1], flat[0]


HANDLERS = {}


def handles(*names):
    def register(function):
        for name in names:
            HANDLERS[name] = function
        return function
    return register


VIEWS = {"view", "reshape", "flatten", "permute", "transpose", "contiguous", "chunk", "split", "unsqueeze",
         "squeeze", "__getitem__", "narrow", "select", "unbind", "movedim", "moveaxis", "swapaxes", "swapdims", "T", "mT",
         "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "unflatten", "flip", "roll", "expand", "expand_as",
         "tensor_split", "view_as", "reshape_as", "clone", "t", "ravel", "split_with_sizes", "rot90", "fliplr", "flipud",
         "broadcast_to", "repeat", "tile", "hsplit", "vsplit", "index_select", "H", "adjoint"}
CONSTANTS = {"zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full", "new_tensor"}
IDENTITIES = {"to", "float", "type_as", "identity", "requires_grad_", "type"}
READS = {"size", "dim", "shape", "dtype", "device", "ndim", "ndimension", "numel", "nelement", "__len__", "is_cuda",
         "is_floating_point", "layout", "is_contiguous", "requires_grad", "stride", "is_sparse", "is_quantized",
         "element_size", "get_device", "is_complex", "type", "__hash__", "names", "is_meta", "is_mkldnn",
         "_has_symbolic_sizes_strides", "grad_fn", "is_leaf", "data_ptr", "is_nested", "is_inference"}


def function_name(func):
    """The name of what was called: "relu_", "__getitem__", "shape" for the property."""
    name = getattr(func, "__name__", str(func))
    if name == "__get__":
        return getattr(getattr(func, "__self__", None), "__name__", name)
    if name == "fn" and "boolean_dispatch" in getattr(func, "__qualname__", ""):  # before PyTorch 2
        return "boolean_dispatch"
    return name


def tensors_in(argument):
    """All tensors in arguments, which may be lists of them."""
    if isinstance(argument, torch.Tensor):
        yield argument
    elif isinstance(argument, (tuple, list)):
        for item in argument:
            yield from tensors_in(item)
    elif isinstance(argument, dict):
        for item in argument.values():
            yield from tensors_in(item)


ORIGINAL_GETITEM = torch.Tensor.__getitem__


def seen_getitem(tensor, key):
    """Tensor.__getitem__ for a TorchFunctionMode to see: PyTorch 1.13 shows it those of a tuple alone, as x[:, 0], and
    neither x[0] nor x[None]."""
    if has_torch_function((tensor,)):
        return handle_torch_function(ORIGINAL_GETITEM, (tensor,), tensor, key)
    return ORIGINAL_GETITEM(tensor, key)


class Tracer(TorchFunctionMode):
    """Runs a module and keeps the nodes that it amounts to."""

    def __init__(self, module, example):
        super().__init__()
        self.module = module
        self.nodes, self.origins, self.taken = [], {}, {}
        self.weights = {}      # names of our tensors: PyTorch's tensor, in the shape that our file has
        self.owners = {}       # id of a weight: the node that it belongs to
        self.known = {}        # id of a tensor: the tensor, which keeps its id, and what it is
        self.stale = {}        # id of a tensor that an operation in place changed under another name
        self.stack = []        # names of the modules that run now
        self.notes = []
        self.normalised = None  # the result of a log_softmax, and the refusal where it is not the output
        self.parameter_names = {id(p): name for name, p in module.named_parameters()}
        self.buffer_names = {id(b): name for name, b in module.named_buffers()}
        for name, parameter in module.named_parameters():
            self.known[id(parameter)] = (parameter, Parameter(name, parameter, torch.arange(parameter.numel()).view(
                parameter.shape)))
        shape = (example.shape[2], example.shape[3], example.shape[1])
        self.image = shape
        self.known[id(example)] = (example, Value("input", shape, image_index(shape)))

    # What is known of tensors.

    def of(self, tensor):
        if id(tensor) in self.stale:
            raise self.failure(f"reads a tensor that {self.stale[id(tensor)]} changed in place under another name: write "
                               "it without the operation in place")
        return self.known[id(tensor)][1] if id(tensor) in self.known else None

    def is_value(self, tensor):
        return isinstance(tensor, torch.Tensor) and isinstance(self.of(tensor), Value)

    def keep(self, tensor, what):
        self.stale.pop(id(tensor), None)
        self.known[id(tensor)] = (tensor, what)

    def failure(self, text):
        where = self.stack[-1] if self.stack else ""
        place = ", ".join(part for part in (f"'{where}'" if where else "", self.line()) if part)
        return ExportFailure(f"{place}: {text}" if place else text)

    @staticmethod
    def line():
        """The line of the user's program that is running."""
        frame = sys._getframe(1)
        ours, theirs = os.path.abspath(__file__), os.path.dirname(os.path.abspath(torch.__file__))
        while frame is not None and frame.f_code is not Tracer.run.__code__:
            name = os.path.abspath(frame.f_code.co_filename)
            if name != ours and not name.startswith(theirs) and os.path.exists(name):
                return f"{os.path.basename(name)}:{frame.f_lineno}"
            frame = frame.f_back
        return ""

    # Nodes.

    def unique(self, name):
        count = self.taken[name] = self.taken.get(name, 0) + 1
        return name if count == 1 else self.unique(f"{name}_{count}")

    def node_name(self, operation):
        module = self.stack[-1] if self.stack else ""
        leaf = module and type(self.module.get_submodule(module)).__module__.startswith("torch.nn")
        return module if leaf else f"{module}.{operation}" if module else operation

    def inner_name(self, operation):
        """A name for what is done on the way to a module's own node, which has the module's."""
        return f"{self.stack[-1]}.{operation}" if self.stack else operation

    def add(self, operation, inputs, memory, name=None, weights=(), **attributes):
        """Appends a node, whose output is memory of this shape, and returns its name. `weights` are triples: our tensor's last name, PyTorch's tensor in the
        shape that our file has, and the parameter or buffer that it is of."""
        node = {"name": None, "op": operation, "inputs": list(inputs)}
        node.update({key: value for key, value in attributes.items() if value is not None})
        owner = self.owners.get(id(weights[0][2])) if weights else None
        if owner is not None:
            node["name"] = self.unique(name)
            node["parameters_of"] = owner
        else:
            node["name"] = self.unique(name or self.node_name(operation))
            for last, tensor, source in weights:
                self.weights[f"{node['name']}.{last}" if last else node["name"]] = tensor
                self.owners[id(source)] = node["name"]
        if self.line():
            node["origin"] = self.line()
        self.nodes.append(node)
        node["memory"] = tuple(memory)
        return node["name"]

    def parameters(self, name, *tensors):
        """Returns the name of the node that the first of these tensors gives its name, and the weights for add(). Each
        has to be a parameter as it is, or None."""
        weights, node = [], None
        for last, tensor in zip(("weight", "bias"), tensors):
            if tensor is None:
                continue
            what = self.of(tensor)
            if isinstance(what, Computed):
                raise self.failure(f"{name} with a {last} computed from {', '.join(what.names)}: a graph's weights are "
                                   "its parameters; fold the computation into the parameter, or train that")
            if not isinstance(what, Parameter) or id(tensor) not in self.parameter_names:
                raise self.failure(f"{name} with a {last} that is no parameter of the module, as it is")
            full = self.parameter_names[id(tensor)]
            if node is None:
                node = full[:-len(last) - 1] if full.endswith("." + last) else full
            weights.append((last, tensor, tensor))
        return node, weights

    def rearranged(self, value, index, shape):
        """Returns the node in which the elements lie in this order, in memory of this shape."""
        if index.numel() == value.size and same(index.flatten(), torch.arange(value.size)) and value.shape == tuple(shape):
            return value.node
        form = strides_of(index)
        if form is None or len(set(index.flatten().tolist())) != index.numel():
            raise self.failure("an order of elements that is no permutation along axes (or repeats elements)")
        extents, strides, offset = form
        return self.add("rearrange", [value.node], shape, name=self.inner_name("rearrange"), shape=list(shape),
                        extents=extents, strides=strides, offset=offset)

    def as_image(self, value):
        """Returns node and shape [H, W, C] of a tensor [C, H, W]."""
        channels, height, width = value.index.shape
        shape = (height, width, channels)
        return self.rearranged(value, value.index.permute(1, 2, 0), shape), shape

    def as_rows(self, value):
        """Returns a node whose memory has the tensor's elements in their own order, the last axis innermost."""
        shape = tuple(value.index.shape)
        if len(shape) > 1 and value.shape[-1] == shape[-1] and len(value.shape) == 3 and value.size == numel(
                shape) and same(value.index.flatten(), torch.arange(value.size)):
            return value.node, value.shape
        memory = shape if len(shape) in (1, 3) else (numel(shape[:-1]), 1, shape[-1])
        return self.rearranged(value, value.index, memory), memory

    def whole(self, value):
        """Returns a value of the same tensor whose elements are all of its node's, each once."""
        if value.index.numel() == value.size and len(torch.unique(value.index)) == value.size:
            return value
        if value.index.dim() == 3:
            node, shape = self.as_image(value)
            return Value(node, shape, image_index(shape))
        node, shape = self.as_rows(value)
        return Value(node, shape, torch.arange(numel(shape)).view(value.index.shape))

    def image_value(self, node, shape):
        return Value(node, shape, image_index(shape))

    def require_image(self, tensor, name):
        value = self.of(tensor)
        if value.index.dim() != 3:
            raise self.failure(f"{name} of a tensor of {value.index.dim() + 1} axes: images [N, C, H, W] alone")
        return value

    # Running.

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = function_name(func)
        tensors = list(tensors_in((args, kwargs)))
        if name in READS or name in CONSTANTS:  # which read sizes
            return func(*args, **kwargs)
        kinds = [self.of(t) for t in tensors]
        if any(isinstance(kind, Root) for kind in kinds) and HANDLERS.get(name) is not divide:
            raise self.failure("a square root that divides nothing at once, as that of a LayerNorm does")
        if not any(isinstance(kind, Value) for kind in kinds):
            return self.run_without_images(name, func, args, kwargs, kinds)
        if name in IDENTITIES:
            return self.run_identity(name, func, args, kwargs)
        if name in VIEWS:
            return self.run_view(name, func, args, kwargs)
        if name == "boolean_dispatch":
            name = self.dispatched(args, kwargs)
        handler = HANDLERS.get(name) or HANDLERS.get(name[:-1] if name.endswith("_") and not name.endswith("__") else "")
        if handler is None:
            raise self.failure(refusal(name))
        before = tensors[0]._version
        result = func(*args, **kwargs)
        in_place = isinstance(result, torch.Tensor) and result is tensors[0] and tensors[0]._version != before
        try:
            value = handler(self, result, *args, **{k: v for k, v in kwargs.items() if k not in ("out", "inplace")})
        except TypeError as error:  # an argument that this version of PyTorch has, or a mistake here
            raise self.failure(f"calls {name} as is not known here ({error})") from error
        if in_place:
            self.forget_aliases(result, name)
        elif isinstance(result, torch.Tensor) and any(result is t for t in tensors):
            result = result.view(result.shape)  # a name of its own
        self.keep(result, value)
        return result

    def run_without_images(self, name, func, args, kwargs, kinds):
        names = []
        for kind in kinds:
            names += [kind.name] if isinstance(kind, Parameter) else kind.names if isinstance(kind, Computed) else []
        if names and name in VIEWS and isinstance(kinds[0], Parameter) and len(names) == 1:
            result = func(*args, **kwargs)
            index = func(kinds[0].index, *args[1:], **kwargs)
            for tensor, places in zip(tensors_in(result), tensors_in(index)):
                if id(tensor) not in self.parameter_names:
                    self.keep(tensor, Parameter(kinds[0].name, kinds[0].tensor, places))
            return result
        result = func(*args, **kwargs)
        if names:
            for tensor in tensors_in(result):
                if id(tensor) not in self.parameter_names:
                    self.keep(tensor, Computed(names))
        return result

    def run_identity(self, name, func, args, kwargs):
        result = func(*args, **kwargs)
        if not isinstance(result, torch.Tensor) or result.dtype != args[0].dtype:
            if isinstance(result, torch.Tensor):
                raise self.failure(f"{name} changes numbers to {result.dtype}: a graph has one kind of numbers")
            return result
        if result is not args[0]:
            self.keep(result, self.of(args[0]))
        return result

    def run_view(self, name, func, args, kwargs):
        source = args[0]
        value = self.of(source)
        if not isinstance(value, Value):
            raise self.failure(f"{name} with the images' numbers as its argument")
        if name == "__getitem__" and any(isinstance(t, torch.Tensor) for t in tensors_in(args[1:])):
            raise self.failure("picks elements by a tensor of places or conditions: slices alone")
        result = func(*args, **kwargs)
        if name in ("view", "reshape", "unflatten", "view_as", "reshape_as") and isinstance(result, torch.Tensor):
            value = self.viewable(value, result.shape[1:])
        batch = torch.stack([value.index + n * value.size for n in range(BATCH)])
        more = [self.places_of(a) if isinstance(a, torch.Tensor) else a for a in args[1:]]
        places = func(batch, *more, **{k: self.places_of(v) if isinstance(v, torch.Tensor) else v
                                       for k, v in kwargs.items()})
        pairs = list(zip(tensors_in(result), tensors_in(places)))
        for tensor, index in pairs:
            if index.dim() < 2 and numel(index.shape) != BATCH or index.dim() < 1 or index.shape[0] != BATCH or not same(
                    index[1], index[0] + value.size) or not bool((index[0] < value.size).all()):
                raise self.failure(f"{name} mixes the images of a batch, or picks one: the first axis has to stay the "
                                   "batch's")
        if isinstance(result, torch.Tensor) and result is source:
            return result
        for tensor, index in pairs:
            self.keep(tensor, Value(value.node, value.shape, index[0]))
        return result

    def viewable(self, value, shape):
        """The value, or, where an image of this shape would lie in it in no order along axes, a copy in its own order."""
        if len(shape) != 3 or numel(shape) != value.index.numel() or strides_of(value.index.reshape(
                shape).permute(1, 2, 0)):
            return value
        node = self.rearranged(value, value.index, (numel(shape),))
        return Value(node, (numel(shape),), torch.arange(numel(shape)).view(value.index.shape))

    def places_of(self, tensor):
        value = self.of(tensor)
        return torch.zeros((BATCH,) + tuple(value.index.shape)) if isinstance(value, Value) else tensor

    def forget_aliases(self, tensor, name):
        """Notes that all other tensors in the same memory have changed under their names."""
        pointer = tensor.storage().data_ptr()
        for key, (other, what) in self.known.items():
            if other is not tensor and isinstance(what, Value) and other.storage().data_ptr() == pointer:
                self.stale[key] = name

    @staticmethod
    def dispatched(args, kwargs):
        """Which pooling PyTorch 1 calls by a common name, as its caller's line in torch.nn shows."""
        frame = sys._getframe(2)
        while frame is not None:
            if frame.f_code.co_name == "forward" and "self" in frame.f_locals:
                kind = type(frame.f_locals["self"]).__name__
                return {"MaxPool2d": "max_pool2d", "AdaptiveMaxPool2d": "adaptive_max_pool2d"}.get(kind, kind)
            frame = frame.f_back
        return "boolean_dispatch"

    def run(self, example):
        """Runs the module and returns the node of its logits."""
        handles_of_hooks = []
        for path, module in self.module.named_modules():
            if path:
                handles_of_hooks.append(module.register_forward_pre_hook(self.entering(path)))
                handles_of_hooks.append(module.register_forward_hook(self.leaving))
        torch.Tensor.__getitem__ = seen_getitem
        try:
            with torch.no_grad(), self:
                output = self.module(example)
        except ExportFailure:
            raise
        except Exception as error:  # of the module's own
            told = str(error).splitlines()
            raise self.failure(f"the module fails on images {list(example.shape)}: {type(error).__name__}"
                               + (f": {told[0]}" if told else "")) from error
        finally:
            del torch.Tensor.__getitem__
            for handle in handles_of_hooks:
                handle.remove()
        if not isinstance(output, torch.Tensor):
            raise ExportFailure(f"the module returns {describe(output)}: a classifier returns one tensor of logits "
                                "[N, classes]; wrap it in a module that does")
        if self.normalised and output is not self.normalised[0]:
            raise self.normalised[1]
        value = self.of(output)
        if not isinstance(value, Value) or value.index.dim() != 1:
            raise ExportFailure(f"the module returns a tensor {list(output.shape)}: a classifier returns logits [N, classes]")
        return self.rearranged(value, value.index, tuple(value.index.shape))

    def entering(self, path):
        def hook(_module, _inputs):
            self.stack.append(path)
        return hook

    def leaving(self, module, inputs, output):
        self.stack.pop()
        name = type(module).__name__
        if name not in ("DropPath", "StochasticDepth") or not isinstance(output, torch.Tensor) or not self.is_value(output):
            return None
        rate = float(getattr(module, "drop_prob", None) or getattr(module, "p", None) or 0)
        if getattr(module, "mode", "row") != "row":
            raise self.failure(f"{name} of mode '{module.mode}': whole images ('row') alone")
        if rate == 0:
            return None
        value = self.whole(self.of(output))
        with torch._C.DisableTorchFunction():
            output = output.view(output.shape)
        path = next(p for p, m in self.module.named_modules() if m is module)
        made = self.add("dropout", [value.node], value.shape, name=path, probability=rate, unit="image")
        self.keep(output, Value(made, value.shape, value.index))
        return output


def describe(output):
    if isinstance(output, (tuple, list)):
        return f"{len(output)} values"
    return f"a {type(output).__name__}"


REFUSALS = {
    "__bool__": "branches on the values of the images: a graph is the same for all images",
    "item": "turns values of the images into numbers of Python: a graph is the same for all images",
    "tolist": "turns values of the images into numbers of Python: a graph is the same for all images",
    "numpy": "leaves PyTorch for numpy",
    "__array__": "leaves PyTorch for numpy",
    "detach": "detach() stops gradients: a graph has no such place",
    "data": ".data stops gradients: a graph has no such place",
    "__setitem__": "assigns to elements of a tensor in place: make the tensor by torch.cat or F.pad",
    "softmax": "softmax is no operation of a graph; if it ends the network, leave it out: the loss computes it",
    "matmul": "the product of two tensors that both depend on the images (attention) is no operation of a graph",
    "__matmul__": "the product of two tensors that both depend on the images (attention) is no operation of a graph",
    "bmm": "the product of two tensors that both depend on the images (attention) is no operation of a graph",
}


def refusal(name):
    return REFUSALS.get(name) or REFUSALS.get(name.rstrip("_")) or f"calls {name}, which is no operation of a graph"


# Operations. Each handler gets the tracer, the result that PyTorch computed, and the call's arguments; it returns what the
# result is.

def elementwise(operation, **named):
    def handler(tracer, _result, x, *args, **kwargs):
        value = tracer.whole(tracer.of(x))
        attributes = {}
        for position, (ours, (theirs, default)) in enumerate(named.items()):
            given = args[position] if position < len(args) else kwargs.get(theirs, default)
            attributes[ours] = float(given)
        return Value(tracer.add(operation, [value.node], value.shape, **attributes), value.shape, value.index)
    return handler


for _names, _operation, _named in [
        (("relu", "clamp_min_zero"), "relu", {}),
        (("relu6",), "relu6", {}),
        (("tanh",), "tanh", {}),
        (("sigmoid",), "sigmoid", {}),
        (("silu",), "silu", {}),
        (("hardswish",), "hardswish", {}),
        (("hardsigmoid",), "hardsigmoid", {}),
        (("leaky_relu",), "leaky_relu", {"slope": ("negative_slope", 0.01)}),
        (("elu",), "elu", {"alpha": ("alpha", 1.0)}),
        (("softplus",), "softplus", {"beta": ("beta", 1.0), "threshold": ("threshold", 20.0)})]:
    handles(*_names)(elementwise(_operation, **_named))


@handles("gelu")
def gelu(tracer, result, x, approximate="none"):
    return elementwise("gelu" if approximate == "none" else "gelu_tanh")(tracer, result, x)


@handles("hardtanh", "clamp", "clip", "hardtanh_")
def clamp(tracer, result, x, low=None, high=None, **kwargs):
    low = kwargs.get("min_val", kwargs.get("min", low))
    high = kwargs.get("max_val", kwargs.get("max", high))
    if low == 0 and high == 6:
        return elementwise("relu6")(tracer, result, x)
    if low == 0 and high is None:
        return elementwise("relu")(tracer, result, x)
    raise tracer.failure(f"clamps to {low} ... {high}: 0 ... 6 (ReLU6) and 0 ... (ReLU) alone")


@handles("clamp_min", "threshold", "_threshold")
def clamp_min(tracer, result, x, low, *more):
    if float(low) != 0 or (more and float(more[0]) != 0):
        raise tracer.failure(f"clamps from {low} on: from 0 on (ReLU) alone")
    return elementwise("relu")(tracer, result, x)


@handles("mish")
def mish(tracer, result, x):
    value = tracer.whole(tracer.of(x))
    soft = tracer.add("softplus", [value.node], value.shape)
    bent = tracer.add("tanh", [soft], value.shape)
    return Value(tracer.add("multiply", [value.node, bent], value.shape), value.shape, value.index)


def bent(tracer, value, operation, **attributes):
    return Value(tracer.add(operation, [value.node], value.shape, **attributes), value.shape, value.index)


@handles("selu")
def selu(tracer, _result, x):
    value = bent(tracer, tracer.whole(tracer.of(x)), "elu", alpha=1.6732632423543772)
    return scaled(tracer, value, factor=1.0507009873554805)


@handles("celu")
def celu(tracer, _result, x, alpha=1.0):
    inside = scaled(tracer, tracer.whole(tracer.of(x)), factor=1 / alpha)
    return scaled(tracer, bent(tracer, inside, "elu", alpha=1.0), factor=float(alpha))


@handles("log_sigmoid", "logsigmoid")
def log_sigmoid(tracer, _result, x):
    negative = scaled(tracer, tracer.whole(tracer.of(x)), factor=-1.0)
    return scaled(tracer, bent(tracer, negative, "softplus"), factor=-1.0)


@handles("tanhshrink")
def tanhshrink(tracer, _result, x):
    value = tracer.whole(tracer.of(x))
    less = tracer.add("subtract", [value.node, bent(tracer, value, "tanh").node], value.shape)
    return Value(less, value.shape, value.index)


@handles("glu")
def glu(tracer, _result, x, dim=-1):
    value = tracer.of(x)
    halves = value.index.chunk(2, dim % x.dim() - 1)
    first, second = (tracer.whole(Value(value.node, value.shape, half)) for half in halves)
    gate = bent(tracer, second, "sigmoid")
    return Value(tracer.add("multiply", [first.node, gate.node], first.shape), first.shape, first.index)


@handles("square")
def square(tracer, _result, x):
    value = tracer.whole(tracer.of(x))
    return Value(tracer.add("multiply", [value.node, value.node], value.shape), value.shape, value.index)


@handles("pow", "__pow__", "float_power")
def power(tracer, result, x, exponent):
    if exponent != 2:
        raise tracer.failure(f"the power of {exponent}: of 2 alone")
    return square(tracer, result, x)


@handles("conv2d")
def conv2d(tracer, _result, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    value = tracer.require_image(x, "conv2d")
    node, shape = tracer.as_image(value)
    name, weights = tracer.parameters("conv2d", weight, bias)
    filters, _, height, width = weight.shape
    stride, dilation = pair(stride), pair(dilation)
    if isinstance(padding, str):
        spans = [d * (k - 1) for d, k in zip(dilation, (height, width))]
        if padding == "same" and any(span % 2 for span in spans):
            top, left = spans[0] // 2, spans[1] // 2
            node, shape = zero_padded(tracer, node, shape, (top, spans[0] - top, left, spans[1] - left))
            padding = (0, 0)
        else:
            padding = tuple(span // 2 for span in spans) if padding == "same" else (0, 0)
    padding = pair(padding)
    out = tuple((shape[i] + 2 * padding[i] - dilation[i] * ((height, width)[i] - 1) - 1) // stride[i] + 1 for i in (0, 1))
    made = tracer.add("conv2d", [node], out + (filters,), name=name, weights=weights, filters=filters,
                      kernel=brief((height, width)), stride=brief(stride), padding=brief(padding),
                      dilation=brief(dilation) if dilation != (1, 1) else None, groups=groups if groups != 1 else None,
                      bias=bias is not None)
    return tracer.image_value(made, out + (filters,))


@handles("conv_transpose2d")
def conv_transpose2d(tracer, result, x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    node, _ = tracer.as_image(tracer.require_image(x, "conv_transpose2d"))
    name, weights = tracer.parameters("conv_transpose2d", weight, bias)
    shape = (result.shape[2], result.shape[3], result.shape[1])
    made = tracer.add("conv_transpose2d", [node], shape, name=name, weights=weights, filters=result.shape[1],
                      kernel=brief(tuple(weight.shape[2:])), stride=brief(pair(stride)), padding=brief(pair(padding)),
                      output_padding=brief(pair(output_padding)), dilation=brief(pair(dilation)), groups=groups,
                      bias=bias is not None)
    return tracer.image_value(made, shape)


@handles("linear")
def linear(tracer, _result, x, weight, bias=None):
    value = tracer.of(x)
    name, weights = tracer.parameters("linear", weight, bias)
    outputs, inputs = weight.shape
    if value.index.dim() > 1:  # over the last axis: a convolution of one pixel
        node, shape = tracer.as_rows(value)
        weights = [(last, tensor.reshape(outputs, inputs, 1, 1) if last == "weight" else tensor, tensor)
                   for last, tensor, _ in weights]
        shape = shape[:-1] + (outputs,)
        made = tracer.add("conv2d", [node], shape, name=name, weights=weights, filters=outputs, kernel=1, bias=bias is not None)
        return Value(made, shape, torch.arange(numel(shape)).view(tuple(value.index.shape[:-1]) + (outputs,)))
    image = len(value.shape) == 3 and same(value.index, image_index(value.shape).flatten())
    node = value.node if image else tracer.rearranged(value, value.index, (inputs,))
    made = tracer.add("linear", [node], (outputs,), name=name, weights=weights, outputs=outputs,
                      bias=None if bias is not None else False)
    return Value(made, (outputs,), torch.arange(outputs))


def pooled(tracer, operation, result, x, kernel, stride, padding, **more):
    node, _ = tracer.as_image(tracer.require_image(x, operation))
    shape = (result.shape[2], result.shape[3], result.shape[1])
    stride = kernel if stride is None or stride == [] else stride
    return tracer.image_value(tracer.add(operation, [node], shape, kernel=brief(pair(kernel)), stride=brief(pair(stride)),
                                         padding=brief(pair(padding)), **more), shape)


@handles("max_pool2d")
def max_pool2d(tracer, result, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    if return_indices:
        raise tracer.failure("max_pool2d with return_indices")
    return pooled(tracer, "max_pool", result, x, kernel_size, stride, padding, ceil_mode=bool(ceil_mode) or None,
                  dilation=brief(pair(dilation)) if pair(dilation) != (1, 1) else None)


@handles("avg_pool2d")
def avg_pool2d(tracer, result, x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
               divisor_override=None):
    return pooled(tracer, "average_pool", result, x, kernel_size, stride, padding, ceil_mode=bool(ceil_mode) or None,
                  count_include_pad=None if count_include_pad else False, divisor=divisor_override)


def adaptive(tracer, operation, result, x):
    node, _ = tracer.as_image(tracer.require_image(x, operation))
    height, width, channels = result.shape[2], result.shape[3], result.shape[1]
    if height == width == 1:
        made = tracer.add("global_average_pool" if operation == "adaptive_average_pool" else "global_max_pool", [node],
                          (channels,))
        return Value(made, (channels,), torch.arange(channels).view(channels, 1, 1))
    return tracer.image_value(tracer.add(operation, [node], (height, width, channels), height=height, width=width),
                              (height, width, channels))


@handles("adaptive_avg_pool2d")
def adaptive_avg_pool2d(tracer, result, x, _size):
    return adaptive(tracer, "adaptive_average_pool", result, x)


@handles("adaptive_max_pool2d")
def adaptive_max_pool2d(tracer, result, x, _size, return_indices=False):
    if return_indices:
        raise tracer.failure("adaptive_max_pool2d with return_indices")
    return adaptive(tracer, "adaptive_max_pool", result, x)


@handles("amax")
def amax(tracer, result, x, dim=(), keepdim=False):
    value, axes = tracer.of(x), sorted(d % x.dim() for d in ((dim,) if isinstance(dim, int) else dim))
    kept = [a for a in range(1, x.dim()) if a not in axes]
    if 0 in axes or not axes or len(kept) != 1 or x.dim() == 2:
        raise tracer.failure(f"the maximum over the axes {axes} of {x.dim()}: over all but the channels alone")
    moved = value.index.movedim(kept[0] - 1, -1)
    node, shape = tracer.as_rows(Value(value.node, value.shape, moved))
    made = tracer.add("global_max_pool", [node], shape[-1:])
    return Value(made, shape[-1:], torch.arange(shape[-1]).view(tuple(result.shape[1:])))


@handles("mean")
def mean(tracer, result, x, dim=None, keepdim=False, **_kwargs):
    value = tracer.of(x)
    rank = value.index.dim() + 1
    dims = tuple(range(rank)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    axes = sorted(d % rank for d in dims)
    if 0 in axes:
        raise tracer.failure("mean over the images of a batch")
    kept = [a for a in range(1, rank) if a not in axes]
    order = torch.arange(1)
    if len(kept) == 1:  # one axis is left: the mean over a whole image of that many channels
        channels = value.index.shape[kept[0] - 1]
        moved = value.index.movedim(kept[0] - 1, -1)
        node, shape = tracer.as_rows(Value(value.node, value.shape, moved))
        if len(shape) == 1:
            raise tracer.failure("mean of a vector")
        made, order = tracer.add("global_average_pool", [node], (channels,)), torch.arange(channels)
        return Value(made, (channels,), order.view(tuple(result.shape[1:])))
    if rank == 4 and axes == [1]:
        node, shape = tracer.as_image(value)
        out = shape[:2] + (1,)
        return Value(tracer.add("mean", [node], out, over_channels=True), out,
                     torch.arange(numel(out)).view(tuple(result.shape[1:])))
    if rank == 4 and len(axes) == 1:
        node, (height, width, channels) = tracer.as_image(value)
        over = "over_height" if axes == [2] else "over_width"
        out = (1, width, channels) if axes == [2] else (height, 1, channels)
        return Value(tracer.add("mean", [node], out, **{over: True}), out,
                     image_index(out).reshape(tuple(result.shape[1:])))
    raise tracer.failure(f"mean over the axes {list(axes)} of {rank}")


@handles("batch_norm")
def batch_norm(tracer, _result, x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    value = tracer.of(x)
    if training or running_mean is None:
        raise tracer.failure("a BatchNorm without running statistics (track_running_stats=False): its images depend on one "
                             "another in evaluation, too")
    if value.index.dim() not in (1, 3):
        raise tracer.failure(f"BatchNorm of a tensor of {value.index.dim() + 1} axes")
    node, shape = tracer.as_image(value) if value.index.dim() == 3 else tracer.as_rows(value)
    mean_name = tracer.buffer_names.get(id(running_mean))
    if mean_name is None:
        raise tracer.failure("a BatchNorm whose statistics are no buffers of the module")
    name, weights = tracer.parameters("batch_norm", weight, bias)
    name = name or mean_name.rsplit(".", 1)[0]
    if id(running_mean) in tracer.owners:
        raise tracer.failure(f"the BatchNorm '{name}' runs twice: its statistics are those of one place")
    weights += [("running_mean", running_mean, running_mean), ("running_var", running_var, running_var)]
    made = tracer.add("batchnorm", [node], shape, name=name, weights=weights, epsilon=eps if eps != 1e-5 else None,
                      momentum=momentum if momentum not in (None, 0.1) else None, affine=None if weight is not None else False)
    return Value(made, shape, image_index(shape) if len(shape) == 3 else torch.arange(shape[0]))


@handles("layer_norm")
def layer_norm(tracer, _result, x, normalized_shape, weight=None, bias=None, eps=1e-5):
    value = tracer.of(x)
    name, weights = tracer.parameters("layer_norm", weight, bias)
    if weight is not None and bias is None:
        raise tracer.failure("a LayerNorm with a weight and no bias")
    attributes = {"epsilon": eps if eps != 1e-5 else None, "affine": None if weight is not None else False}
    if len(normalized_shape) == 1:
        node, shape = tracer.as_rows(value)
        if len(shape) == 1:
            index = torch.arange(shape[0])
        else:
            index = torch.arange(numel(shape)).view(value.index.shape)
        made = tracer.add("layer_norm", [node], shape, name=name, weights=weights, **attributes)
        return Value(made, shape, index)
    if value.index.dim() != 3 or len(normalized_shape) != 3:
        raise tracer.failure(f"LayerNorm over {list(normalized_shape)} of a tensor of {value.index.dim() + 1} axes")
    node, shape = tracer.as_image(value)
    made = tracer.add("layer_norm", [node], shape, name=name, weights=weights, over="image", **attributes)
    return tracer.image_value(made, shape)


@handles("group_norm")
def group_norm(tracer, _result, x, num_groups, weight=None, bias=None, eps=1e-5):
    node, shape = tracer.as_image(tracer.require_image(x, "group_norm"))
    name, weights = tracer.parameters("group_norm", weight, bias)
    made = tracer.add("group_norm", [node], shape, name=name, weights=weights, groups=num_groups,
                      epsilon=eps if eps != 1e-5 else None, affine=None if weight is not None else False)
    return tracer.image_value(made, shape)


@handles("instance_norm")
def instance_norm(tracer, result, x, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
                  momentum=0.1, eps=1e-5):
    if not use_input_stats:
        raise tracer.failure("an InstanceNorm with running statistics")
    return group_norm(tracer, result, x, result.shape[1], weight, bias, eps)


@handles("dropout", "dropout2d", "feature_dropout")
def dropout(tracer, _result, x, p=0.5, training=True, **_kwargs):
    return dropped(tracer, "element", x, p, training)


@handles("dropout2d")
def dropout2d(tracer, _result, x, p=0.5, training=True, **_kwargs):
    return dropped(tracer, "channel", x, p, training)


def dropped(tracer, unit, x, rate, training):
    if training:
        raise tracer.failure("dropout that is active in evaluation, too: give it training=self.training")
    value = tracer.of(x)
    if rate == 0:
        return value
    value = tracer.whole(value)
    return Value(tracer.add("dropout", [value.node], value.shape, probability=float(rate), unit=unit), value.shape, value.index)


class WithoutLogSoftmax(TorchFunctionMode):
    """Runs a module as its graph is: without the log_softmax that ends it."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return args[0] if function_name(func) == "log_softmax" else func(*args, **(kwargs or {}))


@handles("log_softmax")
def log_softmax(tracer, result, x, *_args, **_kwargs):
    value = tracer.of(x)
    if value.index.dim() != 1:
        raise tracer.failure("log_softmax of an image")
    tracer.normalised = (result, tracer.failure("log_softmax before the end of the network"))
    tracer.notes.append("log_softmax at the end is left out: the cross-entropy computes it, and of its result the same loss")
    return value


def zero_padded(tracer, node, shape, sides, channels=(0, 0)):
    """Rows and columns of zeros around an image, and channels of zeros before and behind its own."""
    before = (sides[0], sides[2], channels[0])
    after = (sides[1], sides[3], channels[1])
    out = tuple(b + extent + a for b, extent, a in zip(before, shape, after))
    made = tracer.add("rearrange", [node], out, name=tracer.inner_name("zero_pad"), shape=list(out), extents=list(out),
                      strides=[shape[1] * shape[2], shape[2], 1], offset=0, begins=list(before),
                      ends=[b + extent for b, extent in zip(before, shape)])
    return made, out


@handles("pad", "_pad")
def pad(tracer, _result, x, pads, mode="constant", value=0.0):
    if mode != "constant" or (value or 0) != 0:
        raise tracer.failure(f"pads by {mode if mode != 'constant' else value}: zeros alone")
    if x.dim() == 2 and len(pads) == 2 and min(pads) >= 0:
        vector = tracer.of(x)
        shape = (1, 1, x.shape[1])
        node = tracer.rearranged(vector, vector.index, shape)
        node, shape = zero_padded(tracer, node, shape, (0, 0, 0, 0), tuple(pads))
        return Value(node, shape, torch.arange(shape[2]))
    source = tracer.require_image(x, "pad")
    pads = list(pads) + [0] * (6 - len(pads))
    index = source.index
    for axis, (before, after) in enumerate(zip(pads[4::-2], pads[5::-2])):  # channels, height, width
        index = index.narrow(axis, max(0, -before), index.shape[axis] - max(0, -before) - max(0, -after))
    left, right, top, bottom, front, back = (max(0, p) for p in pads)
    node, shape = tracer.as_image(Value(source.node, source.shape, index))
    if left or right or top or bottom or front or back:
        node, shape = zero_padded(tracer, node, shape, (top, bottom, left, right), (front, back))
    return tracer.image_value(node, shape)


@handles("cat", "concat", "concatenate")
def cat(tracer, _result, tensors, dim=0, **kwargs):
    dim = kwargs.get("axis", dim)
    rank = tensors[0].dim()
    dim %= rank
    if dim == 0:
        raise tracer.failure("torch.cat along axis 0, the images of a batch")
    if not (rank == 4 and dim == 1 or dim == rank - 1):  # moved to the end, and back
        with torch._C.DisableTorchFunction():
            moved = [tensor.movedim(dim, -1) for tensor in tensors]
        for tensor, whole in zip(moved, tensors):
            value = tracer.of(whole)
            if isinstance(value, Value):
                tracer.keep(tensor, Value(value.node, value.shape, value.index.movedim(dim - 1, -1)))
            elif value is not None:
                raise tracer.failure("torch.cat with a tensor that is neither of the images nor zero")
        value = cat(tracer, _result, moved, -1)
        return Value(value.node, value.shape, value.index.movedim(-1, dim - 1))
    before = after = 0
    inputs, shapes = [], []
    for tensor in tensors:
        value = tracer.of(tensor)
        if not isinstance(value, Value):
            if isinstance(value, (Parameter, Computed)) or bool((tensor != 0).any()):
                raise tracer.failure("torch.cat with a tensor that is neither of the images nor zero")
            if inputs:
                after += tensor.shape[dim]
            else:
                before += tensor.shape[dim]
            continue
        if after:
            raise tracer.failure("torch.cat with zeros between tensors")
        node, shape = tracer.as_image(value) if rank == 4 and dim == 1 else tracer.as_rows(value)
        inputs.append(node)
        shapes.append(shape)
    shape = shapes[0][:-1] + (sum(s[-1] for s in shapes),)
    node = inputs[0] if len(inputs) == 1 else tracer.add("concat", inputs, shape)
    if before or after:
        if len(shape) == 1:
            raise tracer.failure("torch.cat of a vector with zeros")
        node, shape = zero_padded(tracer, node, shape, (0, 0, 0, 0), (before, after))
    if rank == 4 and dim == 1:
        return tracer.image_value(node, shape)
    axes = tuple(tracer.of(next(t for t in tensors if tracer.is_value(t))).index.shape[:-1]) + (shape[-1],)
    return Value(node, shape, torch.arange(numel(shape)).view(axes))


@handles("stack")
def stack(tracer, result, tensors, dim=0):
    dim %= result.dim()
    if dim == 0:
        raise tracer.failure("torch.stack along the images of a batch")
    with torch._C.DisableTorchFunction():
        longer = [tensor.unsqueeze(dim) for tensor in tensors]
    for tensor, flat in zip(longer, tensors):
        value = tracer.of(flat)
        if isinstance(value, Value):
            tracer.keep(tensor, Value(value.node, value.shape, value.index.unsqueeze(dim - 1)))
    return cat(tracer, result, longer, dim)


@handles("interpolate", "upsample")
def interpolate(tracer, result, x, size=None, scale_factor=None, mode="nearest", align_corners=None,
                recompute_scale_factor=None, antialias=False):
    node, _ = tracer.as_image(tracer.require_image(x, "interpolate"))
    if mode not in ("nearest", "bilinear") or antialias:
        raise tracer.failure(f"interpolate of mode '{mode}': nearest and bilinear alone")
    shape = (result.shape[2], result.shape[3], result.shape[1])
    if size is None and not recompute_scale_factor:
        given = scale_factor if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * 2
        attributes = {"scale_h": float(given[0]), "scale_w": float(given[1])}
    else:
        attributes = {"height": shape[0], "width": shape[1]}
    if mode == "bilinear":
        attributes["align_corners"] = True if align_corners else None
    return tracer.image_value(tracer.add(f"resize_{mode}", [node], shape, **attributes), shape)


# Arithmetic.

def compressed(index):
    """Returns an index with one element along the axes along which all are the same, which is what expand() makes."""
    for axis in range(index.dim()):
        if index.shape[axis] > 1 and bool((index == index.narrow(axis, 0, 1)).all()):
            index = index.narrow(axis, 0, 1)
    return index


def with_value(tracer, operation, result, a, b):
    """Two tensors of the images."""
    shape = tuple(result.shape[1:])
    rank = len(shape)
    first, second = tracer.of(a), tracer.of(b)
    if first.index.shape == second.index.shape and first.shape == second.shape:
        if same(first.index, second.index):
            whole = [tracer.whole(v) for v in (first, second)]
            if all(w is v for w, v in zip(whole, (first, second))):
                return Value(tracer.add(operation, [first.node, second.node], first.shape), first.shape, first.index)
    parts = [compressed(v.index.expand((1,) * (rank - v.index.dim()) + tuple(v.index.shape))) for v in (first, second)]
    big = 0 if tuple(parts[0].shape) == shape else 1
    if tuple(parts[big].shape) != shape:
        raise tracer.failure(f"{operation} of tensors {list(a.shape)} and {list(b.shape)}, each of which is repeated along an "
                             "axis: one of the two has to be of the result's shape")
    if rank not in (1, 3) and parts[0].shape != parts[1].shape:
        return with_value_as_image(tracer, operation, result, a, b, (first, second), parts, big)
    if rank not in (1, 3):
        if tuple(parts[1 - big].shape) != shape:
            raise tracer.failure(f"{operation} of tensors {list(a.shape)} and {list(b.shape)}: one is repeated along an axis "
                                 "of no image")
        rows = [tracer.as_rows(Value(v.node, v.shape, part)) for v, part in zip((first, second), parts)]
        if rows[0][1] != rows[1][1]:
            rows = [(tracer.rearranged(Value(v.node, v.shape, part), part, (numel(shape[:-1]), 1, shape[-1])),
                     (numel(shape[:-1]), 1, shape[-1])) for v, part in zip((first, second), parts)]
        return Value(tracer.add(operation, [rows[0][0], rows[1][0]], rows[0][1]), rows[0][1],
                     torch.arange(numel(shape)).view(shape))
    values = [Value(v.node, v.shape, part) for v, part in zip((first, second), parts)]

    def make(value):
        if value.shape == tuple(value.index.shape[:1]) and same(value.index.flatten(), torch.arange(value.size)):
            return value.node, value.shape  # a vector, against an image
        return tracer.as_image(value) if rank == 3 else tracer.as_rows(value)

    nodes = [make(v) for v in values]
    made = tracer.add(operation, [nodes[big][0], nodes[1 - big][0]], nodes[big][1],
                      reversed=True if big == 1 and operation == "subtract" else None)
    return tracer_value(tracer, made, nodes[big][1])


def with_value_as_image(tracer, operation, result, a, b, values, parts, big):
    """Two tensors of the images of 2 axes, or of more than 3, one of which is repeated: neighbouring axes along which
    both are whole, or one repeated, become one; an image has three."""
    shape, small = parts[big].shape, parts[1 - big].shape
    groups = []
    for axis, extent in enumerate(shape):
        repeated = small[axis] != extent
        if groups and groups[-1][0] == repeated:
            groups[-1][1] *= extent
        else:
            groups.append([repeated, extent])
    if len(groups) > 3:
        raise tracer.failure(f"{operation} of tensors {list(a.shape)} and {list(b.shape)}: one is repeated along axes that "
                             "are none of an image's")
    extents = [extent for _, extent in groups] + [1] * (3 - len(groups))
    images = []
    for part, value in zip(parts, values):
        whole = tuple(part.shape) == tuple(shape)
        image = part.reshape([extent if whole or not repeated else 1 for (repeated, _), extent in zip(groups, extents)]
                             + [1] * (3 - len(groups)))
        last = len(groups) - 1  # channels are the axis that is innermost in memory, as a rule the last
        channels_last = len(groups) < 3 and bool((parts[big].flatten()[1:2] - parts[big].flatten()[:1] == 1).all())
        images.append(Value(value.node, value.shape, image.movedim(last, 0) if channels_last else image))
    nodes = [tracer.as_image(image) for image in images]
    made = tracer.add(operation, [nodes[big][0], nodes[1 - big][0]], nodes[big][1],
                      reversed=True if big == 1 and operation == "subtract" else None)
    index = image_index(nodes[big][1])
    if channels_last:
        index = index.movedim(0, last)
    return Value(made, nodes[big][1], index.reshape(shape))


def tracer_value(tracer, node, shape):
    return tracer.image_value(node, shape) if len(shape) == 3 else Value(node, shape, torch.arange(shape[0]))


def with_parameter(tracer, operation, result, x, parameter):
    """A tensor of the images and a parameter."""
    what, value = tracer.of(parameter), tracer.of(x)
    shape, rank = tuple(result.shape[1:]), result.dim() - 1
    if tuple(value.index.shape) != shape:
        raise tracer.failure(f"{operation} of a tensor {list(x.shape)} and a parameter {list(parameter.shape)} that is larger")
    index = what.index
    if index.dim() > rank:
        if index.shape[0] != 1:
            raise tracer.failure(f"{operation} with the parameter '{what.name}', which is another for each image of a batch")
        index = index[0]
    index = compressed(index.expand((1,) * (rank - index.dim()) + tuple(index.shape)))
    if index.numel() != what.tensor.numel() or len(torch.unique(index)) != index.numel():
        raise tracer.failure(f"{operation} with a part of the parameter '{what.name}': with all of it alone")
    if rank == 3:
        node, memory = tracer.as_image(value)
        order, extents = index.permute(1, 2, 0), tuple(index.permute(1, 2, 0).shape)
        out = image_index(memory)
    else:
        node, memory = tracer.as_rows(value)
        if rank > 1 and index.numel() in (1, shape[-1]) and index.shape[-1] == index.numel():
            order, extents = index.flatten(), (1,) * (len(memory) - 1) + (index.numel(),)
        elif len(memory) == 3 and numel(index.shape[:-1]) == numel(memory[:-1]):
            order, extents = index, memory[:-1] + tuple(index.shape[-1:])
        elif rank == 1:
            order, extents = index.flatten(), (index.numel(),)
        else:
            raise tracer.failure(f"{operation} with the parameter '{what.name}' {list(parameter.shape)} over {list(x.shape)}")
        out = torch.arange(numel(memory)).view(shape)
    ours = what.tensor.detach().flatten()[order.flatten()]
    if len(extents) == 1 or index.numel() == 1 or extents[:2] == (1, 1):
        extents = (index.numel(),)
    else:  # as PyTorch would have an image's
        ours = ours.reshape(extents).permute(2, 0, 1).unsqueeze(0)
    made = tracer.add(f"{operation}_parameter", [node], memory, name=what.name, weights=[(None, ours, what.tensor)],
                      shape=list(extents))
    return Value(made, memory, out)


def scaled(tracer, value, **attributes):
    """`factor` times a value whose elements are all of its node's, plus `constant`."""
    return Value(tracer.add("scaled", [value.node], value.shape, **attributes), value.shape, value.index)


def with_number(tracer, operation, x, number):
    value = tracer.whole(tracer.of(x))
    neutral = 1.0 if operation == "multiply" else 0.0
    if number == neutral:
        return value
    return scaled(tracer, value, **{"factor" if operation == "multiply" else "constant": float(number)})


def constant(tracer, tensor, operation):
    """The number that a tensor which is no parameter and not of the images amounts to."""
    if not isinstance(tensor, torch.Tensor):
        return float(tensor)
    what = tracer.of(tensor)
    if isinstance(what, Computed):
        raise tracer.failure(f"{operation} with a tensor computed from {', '.join(what.names)}: a graph's weights are its "
                             "parameters")
    if tensor.numel() and bool((tensor == tensor.flatten()[0]).all()):
        return float(tensor.flatten()[0])
    raise tracer.failure(f"{operation} with a tensor of constants {list(tensor.shape)} (a buffer?): one number, or a parameter")


def arithmetic(tracer, operation, result, a, b):
    if tracer.is_value(a) and tracer.is_value(b):
        return with_value(tracer, operation, result, a, b)
    x, other = (a, b) if tracer.is_value(a) else (b, a)
    if isinstance(other, torch.Tensor) and isinstance(tracer.of(other), Parameter):
        if operation == "subtract" and x is not a:  # p - x is -(x - p)
            return scaled(tracer, with_parameter(tracer, operation, result, x, other), factor=-1.0)
        return with_parameter(tracer, operation, result, x, other)
    number = constant(tracer, other, operation)
    if isinstance(other, torch.Tensor) and other.dim() > 0 and tuple(x.shape) != tuple(result.shape):
        raise tracer.failure(f"{operation} repeats a tensor {list(x.shape)} to {list(result.shape)}")
    if operation != "subtract":
        return with_number(tracer, operation, x, number)
    if x is a:
        return with_number(tracer, "add", x, -number)
    return scaled(tracer, tracer.whole(tracer.of(x)), factor=-1.0, constant=number)


def multiplied(tracer, x, number):
    """A tensor or a number times a number."""
    with torch._C.DisableTorchFunction():
        product = x * number
    if tracer.is_value(x):
        tracer.keep(product, scaled(tracer, tracer.whole(tracer.of(x)), factor=float(number)))
    elif isinstance(x, torch.Tensor) and tracer.of(x) is not None:
        raise tracer.failure("adds a multiple of a parameter (alpha): multiply before")
    return product


@handles("add", "__add__", "__radd__", "__iadd__")
def add(tracer, result, a, b, alpha=1, **_kwargs):
    if alpha != 1:
        b = multiplied(tracer, b, alpha)
    return arithmetic(tracer, "add", result, a, b)


@handles("sub", "subtract", "__sub__", "__isub__")
def subtract(tracer, result, a, b, alpha=1, **_kwargs):
    if alpha != 1:
        b = multiplied(tracer, b, alpha)
    return arithmetic(tracer, "subtract", result, a, b)


@handles("rsub", "__rsub__")
def rsub(tracer, result, a, b, **_kwargs):
    return arithmetic(tracer, "subtract", result, b, a)


@handles("mul", "multiply", "__mul__", "__rmul__", "__imul__")
def multiply(tracer, result, a, b, **_kwargs):
    return arithmetic(tracer, "multiply", result, a, b)


@handles("sqrt")
def square_root(tracer, _result, x):
    return Root(tracer.of(x))


def spelled_layer_norm(tracer, a, root):
    """(x - u) / sqrt(mean((x - u)^2) + epsilon), u the mean of the channels: a LayerNorm."""
    nodes = {node["name"]: node for node in tracer.nodes}

    def input_of(name, operation, inputs=1):
        node = nodes.get(name)
        if node is None or node["op"] != operation or len(set(node["inputs"])) != inputs:
            raise tracer.failure("divides by a square root that is no LayerNorm's")
        return node["inputs"]

    divided = nodes.get(root.value.node, {})
    epsilon = divided.get("constant", 0.0)
    (mean_of_squares,) = input_of(root.value.node, "scaled")
    (squares,) = input_of(mean_of_squares, "mean")
    less = input_of(squares, "multiply")[0]
    x, average = input_of(less, "subtract", 2)
    over = [nodes[node].get("over_channels") for node in (mean_of_squares, average) if node in nodes]
    if input_of(average, "mean") != [x] or input_of(a.node, "subtract", 2) != [x, average] or over != [True, True] or (
            "factor" in divided):
        raise tracer.failure("divides by a square root that is no LayerNorm's")
    made = tracer.add("layer_norm", [x], a.shape, epsilon=epsilon if epsilon != 1e-5 else None, affine=False)
    return Value(made, a.shape, a.index)


@handles("div", "divide", "true_divide", "__truediv__", "__itruediv__")
def divide(tracer, _result, a, b, rounding_mode=None):
    if tracer.is_value(a) and isinstance(b, torch.Tensor) and isinstance(tracer.of(b), Root):
        return spelled_layer_norm(tracer, tracer.of(a), tracer.of(b))
    if rounding_mode is not None or not tracer.is_value(a) or isinstance(b, torch.Tensor) and tracer.of(b) is not None:
        raise tracer.failure("divides by a tensor of the images or a parameter: by a number alone")
    return with_number(tracer, "multiply", a, 1 / constant(tracer, b, "divide"))


@handles("neg", "negative", "__neg__")
def negate(tracer, _result, x):
    return with_number(tracer, "multiply", x, -1.0)


@handles("sum")
def total(tracer, result, x, dim=None, keepdim=False, **kwargs):
    value = mean(tracer, result, x, dim, keepdim)
    count = x.numel() / result.numel()
    return scaled(tracer, value, factor=count)


@handles("multi_head_attention_forward", "scaled_dot_product_attention")
def attention(tracer, *_args, **_kwargs):
    raise tracer.failure("attention is no operation of a graph")


def example_images(height, width, channels, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(BATCH, channels, height, width, generator=generator)


def graph_of(module, image, name):
    """Returns the graph of a module for images [height, width, channels], as the file has it; the tensors by their names
    in it; and notes. Throws ExportFailure."""
    training = module.training
    module.eval()
    try:
        example = example_images(*image)
        tracer = Tracer(module, example)
        output = tracer.run(example)
    finally:
        module.train(training)
    nodes = needed(tracer.nodes, output)
    if not nodes:
        raise ExportFailure("the module's output does not depend on the images")
    if len(nodes) > 1 and nodes[-1]["name"] != output:
        nodes.append(nodes.pop([node["name"] for node in nodes].index(output)))
    kept = {node["name"] for node in nodes}
    weights = {key: tensor for key, tensor in tracer.weights.items() if key in kept or key.rsplit(".", 1)[0] in kept}
    read = {node for node, what in tracer.owners.items() if what in kept}
    unused = [key for key, p in module.named_parameters() if id(p) not in read and not any(
        p is tensor for tensor in weights.values())]
    notes = list(tracer.notes)
    if unused:
        notes.append(f"{len(unused)} parameters are not used in evaluation and left out: {', '.join(unused[:3])}"
                     + (", ..." if len(unused) > 3 else ""))
    for node in nodes:
        del node["memory"]
    return {"format": "topograd-graph-1", "name": name, "image": list(image), "nodes": nodes}, weights, notes


def needed(nodes, output):
    """The nodes that the output depends on, in their order."""
    wanted = {output}
    for node in reversed(nodes):
        if node["name"] in wanted:
            wanted.update(node["inputs"])
            if "parameters_of" in node:
                wanted.add(node["parameters_of"])
    return [node for node in nodes if node["name"] in wanted]
