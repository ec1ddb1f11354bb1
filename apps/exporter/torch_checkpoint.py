"""Checkpoints of other programs as names and tensors: PyTorch's files, in which nothing may run, and the
safetensors files of others. Part of import_torch.py.
"""

import inspect
import io
import json
import pickle
import re
import struct
import types
import warnings

NESTED_KEYS = ("state_dict", "model_state_dict", "model", "net")
# What wrappers put before a name: DataParallel, torch.compile, Lightning and other trainers.
WRAPPERS = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.", "encoder.")
# What a file is that is none, by how it begins.
NO_CHECKPOINTS = [(b"version https://git-lfs", "a pointer of Git LFS, not the file: git lfs pull fetches that"),
                  (b"<", "a page of the web, not the file: the download went wrong"),
                  (b"\x89HDF", "an HDF5 file (of Keras, perhaps), not a checkpoint of PyTorch"),
                  (b"\x1f\x8b", "compressed: gunzip it first")]
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}  # of safetensors; BF16 is the upper half of F32


class ImportFailure(Exception):
    """Error in the checkpoint or the options; the message is one line."""


class Ignored:
    """Stands for every pickled object that is no tensor: optimizers, arguments, numpy scalars."""

    def __init__(self, *_args, **_kwargs):
        pass

    def __setstate__(self, _state):
        pass

    def __setitem__(self, _key, _value):
        pass

    def append(self, _item):
        pass

    def extend(self, _items):
        pass


class TensorUnpickler(pickle.Unpickler):
    """A pickle may name any function to call. This one finds those that build tensors and
    dictionaries, and Ignored for all others, so that no checkpoint can run code."""

    ALLOWED = {("collections", "OrderedDict"), ("torch", "Size"),
               ("torch._utils", "_rebuild_tensor"), ("torch._utils", "_rebuild_tensor_v2"),
               ("torch._utils", "_rebuild_parameter"), ("torch.serialization", "_get_layout")}

    def find_class(self, module, name):
        is_storage = module in ("torch", "torch.storage") and re.fullmatch(r"\w*Storage", name)
        is_dtype = module == "torch" and re.fullmatch(r"b?float\d*|double|half|u?int\d+|long", name)
        if is_storage or is_dtype or (module, name) in self.ALLOWED:
            return super().find_class(module, name)
        return Ignored


def safe_pickle():
    """What torch.load takes as its pickle_module."""
    module = types.ModuleType("safe_pickle")
    module.__dict__.update(Unpickler=TensorUnpickler, UnpicklingError=pickle.UnpicklingError,
                           load=lambda file, **options: TensorUnpickler(file, **options).load(),
                           loads=lambda data, **options: TensorUnpickler(io.BytesIO(data),
                                                                         **options).load())
    return module


def refuse_torchscript(*_, **__):
    """Stands for torch.jit.load, to which torch.load hands such an archive past any unpickler."""
    raise ImportFailure("is a TorchScript archive, which is a program and not a checkpoint: save "
                        "module.state_dict() where it comes from")


def require_torch():
    """Raises ImportFailure where PyTorch is missing: files are read by it, networks built by it."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise ImportFailure(f"PyTorch is missing ({error}): install the package python3-torch and "
                            "run this with /usr/bin/python3") from error


def load_checkpoint(path):
    """The dictionary that was saved, with everything in it that is no tensor replaced."""
    import torch
    # PyTorch's own weights_only is missing from old versions, and 1.13's refuses a checkpoint that
    # holds a plain float. 1.13.0 ignores pickle_module too, so its default is replaced as well.
    torch.serialization.pickle = safe_pickle()
    torch.jit.load = refuse_torchscript
    warnings.simplefilter("ignore")  # of PyTorch's: what matters is said below
    options = {"map_location": "cpu", "pickle_module": torch.serialization.pickle}
    if "weights_only" in inspect.signature(torch.load).parameters:
        options["weights_only"] = False
    try:
        return torch.load(path, **options)
    except OSError:
        raise
    except ImportFailure as error:
        raise ImportFailure(f"{path} {error}") from error
    except Exception as error:  # torch.load throws whatever the pickle machinery meets
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ImportFailure(f"{path} does not load as a PyTorch checkpoint: {reason}") from error


def load_safetensors(path):
    """The tensors of a safetensors file, as NumPy's arrays."""
    import numpy
    with open(path, "rb") as file:
        data = file.read()
    try:
        length = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:8 + length])
        header.pop("__metadata__", None)
        tensors = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            if not 0 <= begin <= end <= len(data) - 8 - length:
                raise ValueError(f"{name} lies beyond its end")
            raw = data[8 + length + begin:8 + length + end]
            if entry["dtype"] == "BF16":
                values = (numpy.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
            elif entry["dtype"] in DTYPES:
                values = numpy.frombuffer(raw, DTYPES[entry["dtype"]])
            else:  # a counter
                values = numpy.frombuffer(raw, numpy.uint8)
                entry["shape"] = [-1]
            tensors[name] = values.reshape(entry["shape"])
        return tensors
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ImportFailure(f"{path} is a damaged safetensors file: {reason}") from error


def load(path):
    """What the file holds: a dictionary, if it is of any use."""
    require_torch()
    with open(path, "rb") as file:
        beginning = file.read(64)
    for start, what in NO_CHECKPOINTS:
        if beginning.lstrip().startswith(start):
            raise ImportFailure(f"{path} is {what}")
    if not beginning:
        raise ImportFailure(f"{path} is empty")
    if beginning[8:9] == b"{":
        return load_safetensors(path)
    return load_checkpoint(path)


def is_tensor(value):
    return hasattr(value, "detach") or type(value).__module__ == "numpy"


def entry_of(checkpoint, key, path):
    """What --key names: an entry, one of an entry with a dot between, or all names with a prefix."""
    found = checkpoint
    for word in key.split("."):
        found = found.get(word) if isinstance(found, dict) else None
    if isinstance(found, dict):
        return found
    prefix = key + "."
    found = {name[len(prefix):]: value for name, value in checkpoint.items()
             if isinstance(name, str) and name.startswith(prefix)} if isinstance(checkpoint, dict) else {}
    if not found:
        raise ImportFailure(f"--key {key}: {path} has {keys_of(checkpoint)}")
    return found


def keys_of(checkpoint):
    if not isinstance(checkpoint, dict):
        return f"no entries, but a {type(checkpoint).__name__}"
    names = [str(key) for key in checkpoint]
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def find_state_dict(checkpoint, path, key=None):
    """The dictionary of names to tensors, wherever the checkpoint keeps it."""
    if isinstance(checkpoint, Ignored):
        raise ImportFailure(f"{path} is a whole pickled module, which only its own code can load: "
                            "save module.state_dict() there")
    if key:
        checkpoint = entry_of(checkpoint, key, path)
    for _ in range(2):
        for nested in NESTED_KEYS:
            if isinstance(checkpoint, dict) and isinstance(checkpoint.get(nested), dict):
                checkpoint = checkpoint[nested]
                break
    if not isinstance(checkpoint, dict):
        raise ImportFailure(f"{path} holds a {type(checkpoint).__name__}, not a state_dict")
    tensors = {name: value for name, value in checkpoint.items() if isinstance(name, str) and is_tensor(value)}
    if not tensors:
        raise ImportFailure(f"{path} holds no tensors under its keys ({keys_of(checkpoint)}); expected a "
                            f"state_dict or one of {', '.join(NESTED_KEYS)}, or --key with another's name")
    return tensors


def is_counter(name):
    return name.split(".")[-1] in ("num_batches_tracked", "n_averaged")


def unwrapped(names):
    """Maps each name to what it is without wrappers: before names, and inside them where
    DataParallel wrapped a part. What all names share is one, too, whatever it is called."""
    result = {name: name for name in names}
    while True:
        first_words = {name.split(".")[0] for name in result.values()}
        shared = first_words.pop() + "." if len(first_words) == 1 else ""
        before = dict(result)
        for original, name in before.items():
            for wrapper in (*WRAPPERS, shared):
                if wrapper and name.startswith(wrapper):
                    name = name[len(wrapper):]
                    break
            result[original] = name.replace(".module.", ".").replace("._orig_mod.", ".")
        if result == before:
            return result


def clean(tensors):
    """PyTorch's names without wrappers, tensors as little-endian float32 arrays."""
    import numpy
    result, names = {}, unwrapped([name for name in tensors if not is_counter(name)])
    for original, name in names.items():
        tensor = tensors[original]
        floating = tensor.is_floating_point() if hasattr(tensor, "detach") else tensor.dtype.kind == "f"
        if not floating:
            raise ImportFailure(f"{original} is a tensor of {tensor.dtype}; weights are floating point")
        # Torchvision's names of the same things.
        name = re.sub(r"\.downsample\.", ".shortcut.", name)
        name = re.sub(r"^fc\.(weight|bias)$", r"linear.\1", name)
        if name in result:
            other = next(o for o, n in names.items() if n == names[original] and o != original)
            raise ImportFailure(f"{other} and {original} are both the {name} of a network: choose by --key "
                                f"{other.split('.')[0]} or --key {original.split('.')[0]}")
        if hasattr(tensor, "detach"):
            tensor = tensor.detach().float().contiguous().numpy()
        array = numpy.ascontiguousarray(tensor, "<f4")
        if not numpy.isfinite(array).all():
            raise ImportFailure(f"{original} has numbers that are not finite: a training that diverged, or a file "
                                "that is damaged")
        result[name] = array
    return result
