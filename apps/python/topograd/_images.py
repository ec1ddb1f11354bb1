"""Images and labels in memory."""

import os
from typing import TYPE_CHECKING, Any, Dict, Optional, Tuple

import numpy

from . import _core

if TYPE_CHECKING:
    Array = numpy.ndarray[Any, Any]
else:
    Array = numpy.ndarray


def array_of(value: Any) -> Array:
    """An array of numpy of anything that is one: a tensor of torch on any device, a list."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return numpy.asarray(value)


def batches_joined(loader: Any) -> Tuple[Array, Array]:
    """Images and labels of everything that gives batches of both: a DataLoader."""
    images, labels = [], []
    for batch in loader:
        images.append(array_of(batch[0]))
        labels.append(array_of(batch[1]))
    return numpy.concatenate(images), numpy.concatenate(labels)


class Images:
    """Images with their labels, which functions may take in place of two arrays, without copying them again.

    Parameters
    ----------
    images : array, or a DataLoader of torch
        Pixels in uint8, from 0 to 255, or floating point, as the network takes them; [N, H, W, C], [N, C, H, W] or
        [N, H, W]. Of a loader all batches are read.
    labels : array
        Classes, [N], or numbers to come close to, [N, outputs].
    test : (images, labels), optional
        The test split, for what needs one: training, test errors.
    classes : int, optional
        How many classes there are, where the labels do not have all of them.
    label : str
        What results call these images.
    """

    def __init__(self, images: Any, labels: Any = None, *, test: Optional[Tuple[Any, Any]] = None, classes: int = 0,
                 label: str = "images") -> None:
        arrays: Dict[str, Array] = {}
        for split, (pixels, targets) in {"train": (images, labels), "test": test or (None, None)}.items():
            if pixels is None:
                continue
            if targets is None:
                if hasattr(pixels, "shape"):
                    raise TypeError("images without labels: give both")
                pixels, targets = batches_joined(pixels)
            arrays["x_" + split], arrays["y_" + split] = array_of(pixels), array_of(targets)
        self._held = _core.hold_images(arrays, classes, label)

    @property
    def shape(self) -> Tuple[int, int, int, int]:
        """Images, height, width, channels."""
        return self._held.shape

    @property
    def classes(self) -> int:
        """Number of classes, or of numbers an image."""
        return self._held.classes

    def __len__(self) -> int:
        return self._held.shape[0]

    def __repr__(self) -> str:
        n, h, w, c = self.shape
        test = f", {self._held.test_images} test images" if self._held.test_images else ""
        return f"<topograd.Images: {n} of {h}x{w}x{c}{test}, {self.classes} classes>"


def data_words(data: Any, labels: Any, test: Any, classes: int) -> Tuple[Any, Any]:
    """Returns what --data names, and what must live until the command has ended."""
    if data is None or isinstance(data, (str, os.PathLike)):
        if labels is not None or test is not None:
            raise TypeError("labels belong to an array of images")
        return data, None
    if isinstance(data, Images):
        if labels is not None or test is not None:
            raise TypeError("topograd.Images have their labels, and their test images, themselves")
        return data, data
    held = Images(data, labels, test=test, classes=classes)
    return held, held
