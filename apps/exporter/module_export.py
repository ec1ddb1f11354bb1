"""A module of PyTorch written as a checkpoint, and held against the module before it is. Part of export_torch.py and of
the package topograd."""

import contextlib
import copy
import os
import tempfile
import unittest.mock

import numpy
import torch

from .checkpoint_writer import write_checkpoint, write_safetensors
from .torch_checkpoint import ImportFailure
from .torch_graph import AsItsGraph, ExportFailure, example_images, graph_of, logits_in

FAILURES = (ImportFailure, ExportFailure)


def arrays_of(tensors):
    arrays = {}
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            raise ImportFailure(f"{name} is a tensor of {tensor.dtype}; weights are floating point")
        arrays[name] = numpy.ascontiguousarray(tensor.detach().cpu().double().numpy().astype("<f4"))
        if not numpy.isfinite(arrays[name]).all():
            raise ImportFailure(f"{name} holds numbers that are not finite")
    return arrays


@contextlib.contextmanager
def without_gpu():
    """Lets programs that call .cuda() run where there is no GPU: it leaves what is there."""
    if torch.cuda.is_available():
        yield
        return
    def stay(thing, *_args, **_kwargs):
        return thing
    with unittest.mock.patch.object(torch.Tensor, "cuda", stay), unittest.mock.patch.object(
            torch.nn.Module, "cuda", stay), unittest.mock.patch.object(torch.cuda, "FloatTensor", torch.FloatTensor):
        yield


def expected_logits(module, image):
    """Example images [N, H, W, C] and the module's logits of them, computed in double precision."""
    images = example_images(*image, seed=1).double()
    try:
        double = copy.deepcopy(module).cpu().float().double().eval()  # weights are stored in single precision
        with torch.no_grad(), AsItsGraph():
            logits = logits_in(double(images.clone()))[0].flatten(1)
    except Exception as error:  # of the module's own
        told = (str(error).splitlines() or [""])[0]
        raise ImportFailure(f"the module, copied, fails in double precision: {type(error).__name__}: {told}") from error
    return images.permute(0, 2, 3, 1).contiguous().numpy(), logits.numpy()


def export(module, image, output, mean=(0.0,), std=(1.0,), name=None, source="", *, check):
    """Writes a module for images (height, width, channels) to `output`. Images of the data set are given to it as
    (pixel / 255 - mean) / std. `check` is called with a checkpoint and a file of images and the module's logits of
    them; it compares, and throws where they differ. Returns what is to be told of the network, as lines. Throws
    ImportFailure, or the tracer's ExportFailure, and writes nothing."""
    channels = image[2]
    constants = {key: [float(v) for v in values] * (channels if len(values) == 1 else 1)
                 for key, values in (("mean", mean), ("std", std))}
    with without_gpu():
        graph, tensors, notes = graph_of(module, tuple(image), name or type(module).__name__)
        images, logits = expected_logits(module, image)
    arrays = arrays_of(tensors)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, expected = os.path.join(folder, "net.safetensors"), os.path.join(folder, "expected.safetensors")
        write_checkpoint(checkpoint, arrays, {"graph": graph}, constants, source)
        write_safetensors(expected, {"images": images, "logits": logits}, {})
        compared = check(checkpoint, expected)
    write_checkpoint(output, arrays, {"graph": graph}, constants, source)
    parameters = sum(array.size for key, array in arrays.items() if ".running_" not in key)
    return [f"{output}: {graph['name']}, {len(graph['nodes'])} nodes, {parameters:,} parameters, "
            f"images {image[0]}x{image[1]}x{image[2]}", *getattr(module, "notes_of_file", []), *notes, compared]
