"""What is known of PyTorch's functions by their names: which are views, which read sizes alone, which no graph can say,
and the handlers that say what the others amount to. Part of export_torch.py.
"""

import torch
from torch.overrides import handle_torch_function, has_torch_function

HANDLERS = {}


def handles(*names, of=None):
    """Enters a handler; `of` is ELEMENTWISE, ALONG_AXES or AS_THEY_ARE, where it is one of these."""
    def register(function):
        for name in names:
            HANDLERS[name] = function
        if of is not None:
            of.update(names)
        return function
    return register


VIEWS = {"view", "reshape", "flatten", "permute", "transpose", "contiguous", "chunk", "split", "unsqueeze", "squeeze",
         "__getitem__", "narrow", "select", "unbind", "movedim", "moveaxis", "swapaxes", "swapdims", "T", "mT",
         "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "unflatten", "flip", "roll", "expand", "expand_as",
         "tensor_split", "view_as", "reshape_as", "clone", "t", "ravel", "split_with_sizes", "rot90", "fliplr",
         "flipud", "broadcast_to", "repeat", "tile", "hsplit", "vsplit", "index_select", "H", "adjoint",
         "repeat_interleave", "squeeze_", "unsqueeze_", "transpose_", "t_", "swapaxes_", "swapdims_"}
CONSTANTS = {"zeros_like", "ones_like", "full_like", "empty_like", "new", "new_zeros", "new_ones", "new_full",
             "new_empty", "new_tensor"}
DETACHED = {"detach": "detach() stops gradients: a graph has no such place",
            "data": ".data stops gradients: a graph has no such place"}
# What may be done to tensors whose first axis is not the images': element by element, or along axes.
ELEMENTWISE, ALONG_AXES = set(), set()
AS_THEY_ARE = set()  # whose handlers are given tensors whose images lie along any axis
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


REFUSALS = {
    "__bool__": "branches on the values of the images: a graph is the same for all images",
    "item": "turns values of the images into numbers of Python: a graph is the same for all images",
    "tolist": "turns values of the images into numbers of Python: a graph is the same for all images",
    "numpy": "leaves PyTorch for numpy",
    "__array__": "leaves PyTorch for numpy",
}


def refusal(name):
    return REFUSALS.get(name) or REFUSALS.get(name.rstrip("_")) or f"calls {name}, which is no operation of a graph"
