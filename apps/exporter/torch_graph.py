"""A PyTorch module as a graph of Topograd's: what export_torch.py writes, and part of it."""

import torch
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from . import torch_composed  # noqa: F401, as what it imports: their handlers enter themselves
from .torch_functions import function_name
from .torch_outputs import logits_in
from .torch_tracer import BATCH, Tracer
from .torch_values import ExportFailure

__all__ = ["AsItsGraph", "ExportFailure", "example_images", "graph_of", "logits_in"]


def example_images(height, width, channels, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(BATCH, channels, height, width, generator=generator)


def graph_of(module, image, name):
    """Returns the graph of a module for images [height, width, channels], as the file has it; the tensors by their
    names in it; and notes. Throws ExportFailure."""
    training = module.training
    module.eval()
    try:
        example = example_images(*image)
        if any(is_lazy(tensor) for tensor in [*module.parameters(), *module.buffers()]):  # gets its sizes
            with torch.no_grad():
                module(example)
        tracer = Tracer(module, example)
        output = tracer.run(example)
        shared = {norm for norm, calls in tracer.norm_calls.items() if calls > 1}
        if shared:  # known now that they run twice
            tracer = Tracer(module, example, shared)
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
    if shared:
        notes.append(f"{len(shared)} BatchNorms run more than once ({', '.join(sorted(shared)[:2])}"
                     f"{', ...' * (len(shared) > 2)}): in training, each place keeps running statistics of its own")
    if unused:
        notes.append(f"{len(unused)} parameters are not used in evaluation and left out: {', '.join(unused[:3])}"
                     + (", ..." if len(unused) > 3 else ""))
    for node in nodes:
        if node["op"] == "erf":
            raise ExportFailure(f"'{node['name']}', {node.get('origin', '')}: erf is an operation of a graph in a "
                                "GELU, x (1 + erf(x / sqrt(2))) / 2, alone")
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


class AsItsGraph(TorchFunctionMode):
    """Runs a module in double precision as its graph is: without the log_softmax that ends it, and without
    conversions to single precision."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = function_name(func)
        if name == "log_softmax":
            return args[0]
        result = func(*args, **(kwargs or {}))
        if name in ("float", "to", "type", "type_as") and isinstance(result, torch.Tensor) and (
                result.dtype, args[0].dtype) == (torch.float32, torch.float64):
            return args[0]
        return result
