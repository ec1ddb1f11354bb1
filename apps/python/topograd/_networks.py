"""Networks: of files, of the zoo, of PyTorch."""

import copy
import importlib
import os
import tempfile
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy

from . import _core
from ._commands import Error, path_of, run
from ._images import Array, array_of

Path = Union[str, "os.PathLike[str]"]


class Network:
    """A network: its graph, its weights, and the constants that its images are normalised by.

    ``from_torch``, ``zoo``, ``load_network`` and ``train`` make networks.
    """

    def __init__(self, held: _core.Network) -> None:
        self._held = held

    @property
    def model(self) -> str:
        """Name of the architecture: "resnet20"."""
        return self._held.model

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return self._held.parameters

    @property
    def classes(self) -> int:
        """Number of outputs."""
        return self._held.classes

    @property
    def image_shape(self) -> Tuple[int, int, int]:
        """Height, width, channels."""
        return self._held.image_shape

    @property
    def normalisation(self) -> Tuple[List[float], List[float]]:
        """Mean and deviation of each channel: a pixel p of uint8 becomes (p / 255 - mean) / deviation, one of floating
        point (p - mean) / deviation."""
        return self._held.normalisation

    def state_dict(self) -> Dict[str, Array]:
        """Return parameters and running statistics by PyTorch's names, in PyTorch's shapes."""
        return self._held.tensors()

    def with_state_dict(self, tensors: Dict[str, Any]) -> "Network":
        """Return this network with other numbers: arrays, or tensors of torch, by the names of ``state_dict``."""
        arrays = {name: array_of(tensor).astype(numpy.float32, copy=False) for name, tensor in tensors.items()}
        return Network(self._held.with_tensors(arrays, self.model))

    def at(self, surface: Any, x: float, y: float = 0.0) -> "Network":
        """Return the network at a point of a surface around this one.

        Parameters
        ----------
        surface : Surface
            A surface of this network, whose directions can be made again from what its file says.
        x, y : float
            Coordinates on its axes; any numbers, not only those of its points.
        """
        return Network(self._held.at(surface._file, float(x), float(y), f"{self.model} at {float(x):g} {float(y):g}"))

    def save(self, path: Path) -> None:
        """Write a checkpoint, which the programs and ``load_network`` read."""
        self._held.save(path_of(path))

    def __repr__(self) -> str:
        h, w, c = self.image_shape
        return f"<topograd.Network: {self._held.description}, {self.parameters:,} parameters, images {h}x{w}x{c}>"

    def __reduce__(self) -> Tuple[Any, Tuple[bytes]]:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "network.safetensors")
            self.save(path)
            with open(path, "rb") as file:
                return network_of_bytes, (file.read(),)


def network_of_bytes(checkpoint: bytes) -> Network:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.safetensors")
        with open(path, "wb") as file:
            file.write(checkpoint)
        return load_network(path, "")


def load_network(path: Path, label: Optional[str] = None) -> Network:
    """Read a checkpoint, or the network of a training's folder.

    Parameters
    ----------
    path : path
    label : str, optional
        What results call the network: by default the file's name, or the training's; "" is the architecture's.
    """
    path = path_of(path)
    if os.path.isdir(path):
        path = os.path.join(path, "model.safetensors")
    held = _core.read_network(path, label or None)
    return Network(_core.read_network(path, held.model) if label == "" else held)


def zoo(name: Optional[str] = None, *, classes: int = 10, image_size: int = 32, channels: int = 3, width: int = 0,
        activation: str = "relu", shortcut: str = "B", seed: int = 1,
        normalisation: Union[str, Tuple[Sequence[float], Sequence[float]]] = "none") -> Any:
    """Make a network of the zoo with its first weights; without a name, list the names.

    Parameters
    ----------
    name : str, optional
        "resnet20", "vgg16", "densenet121", "wrn56_4", "resnet56_noshort", ...
    classes, image_size, channels : int
        Of the images, which are square.
    width : int
        Channels of the first layer; 0: the published network's.
    activation : str
        "relu", or another one that ``train --activation`` lists.
    shortcut : str
        Of ResNets: "A" pads, "B" is a 1x1 convolution.
    seed : int
        Of the weights.
    normalisation : str or (mean, std)
        What images are normalised by: "cifar10", "imagenet", ...; "none" leaves them.

    Returns
    -------
    Network, or a list of names
    """
    if name is None:
        return list(_core.model_names())
    mean, std = _core.normalisation(normalisation) if isinstance(normalisation, str) else normalisation
    return Network(_core.new_network(name, classes, image_size, channels, width, activation, shortcut, seed, list(mean),
                                     list(std)))


def from_torch(module: Any, example: Any = (32, 32, 3), *, normalisation: Optional[str] = None,
               mean: Union[float, Sequence[float]] = (0.0,), std: Union[float, Sequence[float]] = (1.0,),
               name: Optional[str] = None) -> Network:
    """Take a classifier over from PyTorch.

    The module runs once on example images, in evaluation mode, and every call is seen; what no graph can say is refused
    by name and line. The network's logits are then held against the module's, in double and in single precision, and
    it is refused if they differ.

    Parameters
    ----------
    module : torch.nn.Module
        It stays as it is.
    example : torch.Tensor or (height, width, channels)
        Images as the module takes them, [N, C, H, W]; their shape counts.
    normalisation : str, optional
        "cifar10", "imagenet", ...: what pixels are normalised by before the module sees them. Without it, images of
        floating point go into the network as they are, and those of uint8 divided by 255.
    mean, std : float or sequence of float
        These constants instead, one for each channel, or one for all.
    name : str, optional
        What to call the network; the module's class otherwise.

    Returns
    -------
    Network
        Parameters have the module's names.
    """
    module_export = importlib.import_module(".exporter.module_export", __package__)  # needs torch
    mean, std = ((one,) if isinstance(one, (int, float)) else one for one in (mean, std))
    if not hasattr(module, "named_parameters"):
        raise TypeError(f"a {type(module).__name__} is no module of PyTorch")
    shape = tuple(int(n) for n in getattr(example, "shape", example))
    if hasattr(example, "shape"):
        if len(shape) != 4:
            raise Error(f"the example is {list(shape)}: give images, [N, C, H, W]")
        shape = (shape[2], shape[3], shape[1])
    if len(shape) != 3:
        raise Error(f"the example is {shape}: give (height, width, channels), or images")
    if normalisation is not None:
        if (tuple(mean), tuple(std)) != ((0.0,), (1.0,)):
            raise TypeError("normalisation= names constants, and mean= and std= are others: leave out one of them")
        mean, std = _core.normalisation(normalisation)
    if any(p.is_floating_point() and "float32" not in str(p.dtype) for p in module.parameters()):
        module = copy.deepcopy(module).float()  # what networks compute in

    def check(checkpoint: str, expected: str) -> str:
        return run(["train", "--evaluate", checkpoint, "--compare", expected], progress=False).printed

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.safetensors")
        try:
            # Its name is a label alone: networks of one architecture are one, whatever they are called.
            module_export.export(module, shape, path, mean, std, type(module).__name__, check=check)
        except module_export.FAILURES as error:
            raise Error(str(error)) from None
        return load_network(path, name or "")


def to_torch(network: Network, module: Any = None) -> Any:
    """Return a network's numbers as tensors of torch, or write them into a module.

    Parameters
    ----------
    network : Network
        Any point of a plane too: ``to_torch(net.at(surface, 0.5, -1), module)``.
    module : torch.nn.Module, optional
        Module with the same names, the one that was exported, say. Its parameters and buffers are set.

    Returns
    -------
    dict of tensors, or the module
    """
    import torch
    tensors = {name: torch.from_numpy(array) for name, array in network.state_dict().items()}
    if module is None:
        return tensors
    own = module.state_dict()
    unknown = [name for name in tensors if name not in own]
    missing = [name for name in own if name not in tensors and not name.endswith("num_batches_tracked")]
    if unknown or missing:
        raise Error("the module has other tensors than the network: " + ", ".join((unknown + missing)[:4]))
    module.load_state_dict(tensors, strict=False)
    return module
