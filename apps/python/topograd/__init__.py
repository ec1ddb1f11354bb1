"""Maps of the loss around neural networks, after Li et al., "Visualizing the Loss Landscape of Neural Nets" (2018).

    net = topograd.from_torch(model, example)
    s = topograd.surface(net, images, labels, x=(-1, 1, 51), y=(-1, 1, 51))
    s.loss, s.standard_error;  s.save("s.h5");  s.plot("s.svg");  topograd.report([s], "r.html")

Functions compute what the programs ``train`` and ``landscape`` compute, by the same code: their options are keywords
here, with underscores (``target_se=0.01``); ``topograd.options("surface")`` lists them. Results are files of the same
formats, and ``topograd.load`` reads any of them.
"""

from ._commands import Error, Interrupted, NoteWarning, options
from ._computations import (Training, Verification, animate, coherence, compare, connect, doctor, hessian,
                            hessian_operator, line, plane, report, sharpness, surface, train, trajectory, verify)
from ._core import version as __version__
from ._functions import surface_of
from ._images import Images
from ._networks import Network, from_torch, load_network, to_torch, zoo
from ._results import Result, Surface, load

__all__ = [
    "Error", "Images", "Interrupted", "Network", "NoteWarning", "Result", "Surface", "Training", "Verification",
    "__version__", "animate", "coherence", "compare", "connect", "doctor", "from_torch", "hessian",
    "hessian_operator", "line", "load", "load_network", "options", "plane", "report", "sharpness", "surface",
    "surface_of", "to_torch", "train", "trajectory", "verify", "zoo",
]
