"""What a PyTorch module computes, as the nodes of a graph: a run of it in which every call is seen. Part of
export_torch.py.

The module runs once, in evaluation mode, on example images, and every call of a PyTorch function on what comes from
them is seen (torch.overrides.TorchFunctionMode). Sizes are numbers while it runs, so that code which branches on a
shape, or loops over layers, is no obstacle; what branches on the images' values is refused. Views (permute, reshape,
chunk, slices, ...) make no nodes: each tensor carries, for all of its elements, their places in the memory of a node's
output, which is [H, W, C] (torch_values.py); a copy is made where an operation needs another order. What each call
amounts to, the handlers of torch_operations.py and torch_arithmetic.py say; anything that has none is
refused by its name.
"""

import os
import sys

import torch
from torch.overrides import TorchFunctionMode

from .torch_functions import (ALONG_AXES, AS_THEY_ARE, CONSTANTS, DETACHED, ELEMENTWISE, HANDLERS, IDENTITIES,
                             ORIGINAL_GETITEM, READS, VIEWS, function_name, refusal, seen_getitem, tensors_in)
from .torch_outputs import logits_in
from .torch_values import (Computed, ExportFailure, Opaque, Parameter, Value, compressed, image_index, numel,
                          place_in_memory, regular_runs, same, strides_of)

BATCH = 2  # example images; what mixes them is refused

MOST_PIECES = 128  # of an order of elements that no strides describe


class Tracer(TorchFunctionMode):
    """Runs a module and keeps the nodes that it amounts to."""

    def __init__(self, module, example, shared_norms=()):
        """`shared_norms` are the names of BatchNorms that run more than once."""
        super().__init__()
        self.modules = dict(module.named_modules())
        self.shared_norms = shared_norms
        self.module = module
        self.nodes = []
        self.taken = {"input": 1}  # how often each name is taken; that one are the images
        self.weights = {}      # names of our tensors: PyTorch's tensor, in the shape that our file has
        self.owners = {}       # id of a weight: the node that it belongs to
        self.known = {}        # id of a tensor: the tensor, which keeps its id, and what it is
        self.stale = {}        # ids of tensors that were changed in place under another name: by what, and that name
        self.stack = []        # names of the modules that run now
        self.notes = []
        self.in_memory = {}    # where known tensors of the images lie in memory: the last of each place
        self.norm_calls = {}   # names of BatchNorms: how often each ran
        self.normalised = None  # the result of a log_softmax, and the refusal where it is not the output
        self.parameter_names = {id(p): name for name, p in module.named_parameters()}
        self.buffer_names = {id(b): name for name, b in module.named_buffers()}
        for name, parameter in module.named_parameters():
            self.known[id(parameter)] = (parameter, Parameter(name, parameter, torch.arange(parameter.numel()).view(
                parameter.shape)))
        shape = (example.shape[2], example.shape[3], example.shape[1])
        self.image = shape
        self.keep(example, Value("input", shape, image_index(shape)))

    # What is known of tensors.

    def of(self, tensor):
        if id(tensor) in self.stale:
            raise self.failure(f"reads a tensor that {self.stale[id(tensor)][0]} changed in place under another name: "
                               "write it without the operation in place")
        if id(tensor) in self.known:
            return self.known[id(tensor)][1]
        alias = self.in_memory.get(place_in_memory(tensor))  # of Variable(x), which no call shows
        if alias is None:
            return None
        what = self.of(alias)
        if what.node == "input":
            return what
        return Opaque("reads a tensor under a name that no call shows, as Variable(x): it stops gradients, and a graph "
                      "has no such place")

    def is_value(self, tensor):
        return isinstance(tensor, torch.Tensor) and isinstance(self.of(tensor), Value)

    def keep(self, tensor, what):
        self.stale.pop(id(tensor), None)
        if isinstance(what, Value):
            self.in_memory[place_in_memory(tensor)] = tensor
        self.known[id(tensor)] = (tensor, what)

    def failure(self, text):
        where = self.stack[-1] if self.stack else ""
        place = ", ".join(part for part in (f"'{where}'" if where else "", self.line()) if part)
        return ExportFailure(f"{place}: {text}" if place else text)

    @staticmethod
    def line():
        """The line of the user's program that is running."""
        frame = sys._getframe(1)
        ours, theirs = os.path.dirname(os.path.abspath(__file__)), os.path.dirname(os.path.abspath(torch.__file__))
        while frame is not None and frame.f_code is not Tracer.run.__code__:
            name = os.path.abspath(frame.f_code.co_filename)
            if os.path.dirname(name) != ours and not name.startswith(theirs) and os.path.exists(name):
                return f"{os.path.basename(name)}:{frame.f_lineno}"
            frame = frame.f_back
        return ""

    # Nodes.

    def unique(self, name):
        count = self.taken[name] = self.taken.get(name, 0) + 1
        return name if count == 1 else self.unique(f"{name}_{count}")

    def node_name(self, operation):
        module = self.stack[-1] if self.stack else ""
        kind = type(self.modules[module])
        leaf = module and (kind.__module__.startswith("torch.nn") or getattr(kind, "names_its_nodes", False))
        return module if leaf else f"{module}.{operation}" if module else operation

    def inner_name(self, operation):
        """A name for what is done on the way to a module's own node, which has the module's."""
        return f"{self.stack[-1]}.{operation}" if self.stack else operation

    def add(self, operation, inputs, memory, name=None, weights=(), **attributes):
        """Appends a node, whose output is memory of this shape, and returns its name. `weights` are triples: our
        tensor's last name, PyTorch's tensor in the shape that our file has, and the parameter or buffer that it is
        of."""
        node = {"name": None, "op": operation, "inputs": list(inputs)}
        node.update({key: value for key, value in attributes.items() if value is not None})
        owner = self.owners.get(id(weights[0][2])) if weights else None  # of weights that were read before
        if owner is not None:
            for last, tensor, _ in weights:
                known = self.weights.get(f"{owner}.{last}" if last else owner)
                if known is not None and not same(known, tensor):
                    raise self.failure(f"reads the parameters of '{owner}' in another order")
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
            if not isinstance(what, Parameter) or what.index.numel() != what.tensor.numel():
                raise self.failure(f"{name} with a {last} that is no parameter of the module")
            if node is None:
                node = what.name[:-len(last) - 1] if what.name.endswith("." + last) else what.name
            as_it_is = tensor if tensor is what.tensor else what.tensor.detach().flatten()[what.index.flatten()].view(
                what.index.shape)
            weights.append((last, as_it_is, what.tensor))
        return node, weights

    def rearranged(self, value, index, shape):
        """Returns the node in which the elements lie in this order, in memory of this shape."""
        if value.shape == tuple(shape) and same(index.flatten(), torch.arange(value.size)):
            return value.node
        once = len(torch.unique(index)) == index.numel()
        form = strides_of(index) if once else None
        if form is None:
            places = self.repeated(value, index) if compressed(index).numel() < index.numel() else self.in_pieces(
                value, index)
            return self.rearranged(places, places.index, shape)
        extents, strides, offset = form
        return self.add("rearrange", [value.node], shape, name=self.inner_name("rearrange"), shape=list(shape),
                        extents=extents, strides=strides, offset=offset)

    def repeated(self, value, index):
        """The value of an index that is the same all along some axes: as rows of an image, which are repeated by a
        resize."""
        small = compressed(index)
        whole = [axis for axis in range(index.dim()) if small.shape[axis] == index.shape[axis]]
        rest = [axis for axis in range(index.dim()) if axis not in whole]
        features, rows = small.numel(), index.numel() // small.numel()
        node = self.rearranged(value, small.permute(whole + rest), (1, 1, features))
        shape = (rows, 1, features)
        node = self.add("resize_nearest", [node], shape, name=self.inner_name("repeat"), height=rows, width=1)
        places = torch.arange(rows * features).view([index.shape[axis] for axis in rest + whole])
        return Value(node, shape, places.permute([(rest + whole).index(axis) for axis in range(index.dim())]))

    def in_pieces(self, value, index):
        """The value of an index that is regular in pieces along an axis, as of torch.roll, or of channels picked one by
        one: the pieces, concatenated."""
        runs = [(regular_runs(index.movedim(axis, 0)), axis) for axis in range(index.dim()) if index.shape[axis] > 1]
        runs = sorted((pair for pair in runs if len(pair[0]) > 1), key=lambda pair: len(pair[0]))
        if not runs:  # regular, but with elements that are read twice, as of windows that overlap
            runs = [([(i, i + 1) for i in range(index.shape[axis])], axis) for axis in range(index.dim())
                    if 1 < index.shape[axis] <= MOST_PIECES and all(
                        len(torch.unique(part)) == part.numel() for part in index.unbind(axis))]
            runs.sort(key=lambda pair: len(pair[0]))
        if not runs or len(runs[0][0]) > MOST_PIECES:
            raise self.failure("an order of elements that is no permutation along axes")
        pieces, axis = runs[0]
        moved = index.movedim(axis, 0)
        parts = [self.rearranged(value, moved[begin:end], (moved[begin:end].numel(),))
                 for begin, end in pieces]
        node = self.add("concat", parts, (index.numel(),), name=self.inner_name("concat"))
        return Value(node, (index.numel(),), torch.arange(index.numel()).view(moved.shape).movedim(0, axis))

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
        if not isinstance(value, Value) or value.index.dim() != 3:
            raise self.failure(f"{name} of a tensor {list(tensor.shape)}: images [N, C, H, W] alone")
        return value

    # Running.

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        for position, keyword in enumerate(("input", "other")):  # torch.add(input=a, other=b)
            if keyword in kwargs and len(args) == position:
                args = tuple(args) + (kwargs.pop(keyword),)
        name = function_name(func)
        tensors = list(tensors_in((args, kwargs)))
        if name in READS or name in CONSTANTS:  # which read sizes
            return func(*args, **kwargs)
        if name == "__setitem__" and any(isinstance(self.known.get(id(t), (t, None))[1], Value) for t in tensors):
            return self.run_setting(func, args)
        kinds = [self.of(t) for t in tensors]
        for kind in kinds:
            if isinstance(kind, Opaque):
                raise self.failure(kind.reason)
        if not any(isinstance(kind, Value) for kind in kinds):
            return self.run_without_images(name, func, args, kwargs, kinds)
        if name in DETACHED:
            result = func(*args, **kwargs)
            self.keep(result, Opaque(DETACHED[name]))
            return result
        if name in IDENTITIES:
            return self.run_identity(name, func, args, kwargs)
        if name in VIEWS:
            return self.run_view(name, func, args, kwargs)
        if name == "boolean_dispatch":
            name = self.dispatched(args, kwargs)
        without = name[:-1] if name.endswith("_") and not name.endswith("__") else ""  # of an operation in place
        handler = HANDLERS.get(name) or HANDLERS.get(without)
        if handler is None:
            raise self.failure(refusal(name))
        before = tensors[0]._version
        if any(isinstance(kind, Value) and kind.batch for kind in kinds) and name not in AS_THEY_ARE:
            return self.run_moved(name, func, handler, args, kwargs)
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
        if isinstance(value, list):
            for tensor, one in zip(result, value):
                self.keep(tensor, one)
        elif isinstance(result, tuple):  # of a maximum: its values, and where they are
            self.keep(result[0], value)
            for other in result[1:]:
                self.keep(other, Opaque(f"uses the places that {name} finds: a graph is the same for all images"))
        else:
            self.keep(result, value)
        return result

    def run_moved(self, name, func, handler, args, kwargs):
        """Runs a function of tensors whose images lie along another axis than the first: element by element, or along
        axes."""
        values = [self.of(t) for t in tensors_in((args, kwargs))]
        axis = next(v.batch for v in values if isinstance(v, Value) and v.batch)
        rank = next(v.index.dim() + 1 for v in values if isinstance(v, Value) and v.batch)
        plain = name.rstrip("_") if not name.startswith("__") else name
        if plain not in ELEMENTWISE | ALONG_AXES or any(
                isinstance(v, Parameter) or isinstance(v, Value) and (v.batch, v.index.dim() + 1) != (axis, rank)
                for v in values) or name != plain:
            raise self.failure(f"{name} mixes the images of a batch: the first axis has to stay the batch's")
        order = [axis] + [a for a in range(rank) if a != axis]

        def moved(thing):
            if isinstance(thing, torch.Tensor) and self.is_value(thing):
                with torch._C.DisableTorchFunction():
                    first = thing.movedim(axis, 0)
                value = self.of(thing)
                self.keep(first, Value(value.node, value.shape, value.index))
                return first
            return type(thing)(moved(item) for item in thing) if isinstance(thing, (tuple, list)) else thing

        result = func(*args, **kwargs)
        values_of = result[0] if isinstance(result, tuple) else result
        arguments, keywords = [moved(a) for a in args], {k: moved(v) for k, v in kwargs.items()}
        after = axis
        if plain in ALONG_AXES and not (len(args) > 1 and isinstance(args[1], torch.Tensor)):  # no larger of two
            given = keywords.pop("dim", keywords.pop("axis", None)) if len(arguments) < 2 else arguments.pop(1)
            if given is None:
                raise self.failure(f"{name} over the images of a batch")
            several = isinstance(given, (tuple, list))
            axes = [a % rank for a in (given if several else (given,))]
            arguments.insert(1, [order.index(a) for a in axes] if several else order.index(axes[0]))
            if values_of.dim() < rank:
                after -= sum(a < axis for a in axes)
        with torch._C.DisableTorchFunction():
            first = values_of.movedim(after, 0)
        value = handler(self, first, *arguments, **keywords)
        self.keep(values_of, Value(value.node, value.shape, value.index, after))
        return result

    def run_setting(self, func, args):
        """target[key] = value, which changes the target."""
        target, key, given = args
        name, changed = self.stale.get(id(target), (None, None))
        if changed == id(given) and name is not None:  # target[key] += x, which changes a view and sets it
            with torch._C.DisableTorchFunction():
                view = ORIGINAL_GETITEM(target, key)
                if (view.data_ptr(), view.shape, view.stride()) == (given.data_ptr(), given.shape, given.stride()):
                    del self.stale[id(target)]
        value = HANDLERS["__setitem__"](self, None, *args)
        func(*args)
        self.forget_aliases(args[0], "an assignment to elements")
        self.keep(args[0], value)

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
            for position, tensor in enumerate(tensors_in(result)):
                if id(tensor) not in self.parameter_names:
                    self.keep(tensor, Computed(names, (name, func, args, kwargs, position)))
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
        if any(self.of(t) is not None for t in tensors_in(args[1:])) and not name.endswith("_as"):
            raise self.failure("picks elements by a tensor of the images or a parameter: by constants alone")
        changes = name.endswith("_")  # squeeze_(): the tensor's own shape
        result = func(*args, **kwargs)
        if name in ("view", "reshape", "unflatten", "view_as", "reshape_as") and isinstance(result, torch.Tensor):
            value = self.viewable(value, result.shape[1:])
        batch = torch.stack([value.index + n * value.size for n in range(BATCH)], value.batch)
        more = [self.places_of(a) if isinstance(a, torch.Tensor) else a for a in args[1:]]
        places = func(batch, *more, **{k: self.places_of(v) if isinstance(v, torch.Tensor) else v
                                       for k, v in kwargs.items()})
        pairs = list(zip(tensors_in(result), tensors_in(places)))
        for tensor, index in pairs:
            axis = next((a for a in range(index.dim()) if index.shape[a] == BATCH and same(
                index.select(a, 1), index.select(a, 0) + value.size) and bool((index.select(a, 0) < value.size).all())),
                        None)
            if axis is None:
                raise self.failure(f"{name} mixes the images of a batch, or picks one")
            if tensor is not source or changes:
                self.keep(tensor, Value(value.node, value.shape, index.select(axis, 0), axis))
        return result

    def viewable(self, value, shape):
        """The value, or, where an image of this shape would lie in it in no order along axes, a copy in its own
        order."""
        if value.batch or len(shape) != 3 or numel(shape) != value.index.numel() or strides_of(value.index.reshape(
                shape).permute(1, 2, 0)):
            return value
        node = self.rearranged(value, value.index, (numel(shape),))
        return Value(node, (numel(shape),), torch.arange(numel(shape)).view(value.index.shape))

    def places_of(self, tensor):
        value = self.of(tensor)
        return torch.zeros(tensor.shape) if isinstance(value, Value) else tensor

    def forget_aliases(self, tensor, name):
        """Notes that all other tensors in the same memory have changed under their names."""
        pointer = tensor.storage().data_ptr()
        for key, (other, what) in self.known.items():
            if other is not tensor and isinstance(what, Value) and other.storage().data_ptr() == pointer:
                self.stale[key] = (name, None if key in self.stale else id(tensor))

    @staticmethod
    def dispatched(args, kwargs):
        """Which pooling PyTorch 1 calls by a common name, as its caller's line in torch.nn shows."""
        frame = sys._getframe(2)
        while frame is not None:
            if frame.f_code.co_name == "forward" and "self" in frame.f_locals:
                kind = type(frame.f_locals["self"]).__name__
                return {"MaxPool2d": "max_pool2d", "AdaptiveMaxPool2d": "adaptive_max_pool2d",
                        "MaxPool1d": "max_pool1d", "AdaptiveMaxPool1d": "adaptive_max_pool1d"}.get(kind, kind)
            frame = frame.f_back
        return "boolean_dispatch"

    def run(self, example):
        """Runs the module and returns the node of its logits."""
        for path, module in self.module.named_modules():
            if torch.jit._state._enabled.enabled and isinstance(module, torch.jit.ScriptModule):
                raise ExportFailure(f"'{path}' is compiled by torch.jit, which shows no calls: set PYTORCH_JIT=0 in "
                                    "the environment, as export_torch.py does where it is the program")
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
        output, which = logits_in(output)
        if which:
            self.notes.append(which)
        if self.normalised and output is not self.normalised[0]:
            raise self.normalised[1]
        value = self.of(output)
        if isinstance(value, Value) and value.index.dim() == 3 and tuple(value.index.shape[1:]) == (1, 1):
            value = Value(value.node, value.shape, value.index.flatten())
        if not isinstance(value, Value) or value.batch or value.index.dim() != 1:
            raise ExportFailure(f"the module returns a tensor {list(output.shape)}: a classifier returns logits "
                                "[N, classes]")
        return self.rearranged(value, value.index, tuple(value.index.shape))

    def entering(self, path):
        def hook(_module, _inputs):
            self.stack.append(path)
        return hook

    def leaving(self, module, inputs, output):
        self.stack.pop()
        name = type(module).__name__
        if name not in ("DropPath", "StochasticDepth") or not self.is_value(output):
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
