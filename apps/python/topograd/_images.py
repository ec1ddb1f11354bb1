"""Images and labels in memory."""

import os
from typing import TYPE_CHECKING, Any, Dict, Optional, Tuple

import numpy

from . import _core
from ._commands import Error

if TYPE_CHECKING:
    Array = numpy.ndarray[Any, Any]
else:
    Array = numpy.ndarray


def array_of(value: Any) -> Array:
    """An array of numpy of anything that is one: a tensor of torch on any device, a list. Types that only other
    libraries compute in, and other machines' orders of bytes, become those of this one."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if str(value.dtype) in ("torch.bfloat16", "torch.float16"):
            value = value.float()
        value = value.numpy()
    if isinstance(value, numpy.ma.MaskedArray) and numpy.any(value.mask):
        raise Error("a masked array has no numbers where it is masked: fill them, or leave them out")
    array = numpy.asarray(value)
    if array.dtype == numpy.float16:
        return array.astype(numpy.float32)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def is_array(value: Any) -> bool:
    """Whether it is an array, or a list of numbers; a list of batches is none."""
    return hasattr(value, "shape") or isinstance(value, list) and not any(isinstance(part, tuple) for part in value)


def batches_joined(loader: Any) -> Tuple[Array, Array]:
    """Images and labels of everything that gives batches of both, as a DataLoader, or one image after another, as a
    Dataset."""
    images, labels = [], []
    try:
        for batch in loader:
            images.append(array_of(batch[0]))
            labels.append(array_of(batch[1]))
    except (TypeError, IndexError):
        raise TypeError(f"images are an array, or give batches of images and labels; this is a "
                        f"{type(loader).__name__}") from None
    if not images:
        raise Error("there are no images")
    if labels[0].ndim == 0:
        return numpy.stack(images), numpy.stack(labels)
    return numpy.concatenate(images), numpy.concatenate(labels)


def pair_of(test: Any) -> Tuple[Any, Any]:
    """Images and labels of test=; both None without."""
    if test is None:
        return None, None
    if not isinstance(test, (tuple, list)) or len(test) != 2:
        raise TypeError("test= takes (images, labels)")
    return test[0], test[1]


class Images:
    """Images with their labels, which functions may take in place of two arrays, without copying them again.

    Parameters
    ----------
    images : array, or a DataLoader or Dataset of torch
        Pixels in uint8, from 0 to 255, or floating point, as the network takes them; [N, H, W, C], [N, C, H, W] or
        [N, H, W]. A loader and a data set are read whole.
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
        if isinstance(images, tuple) and len(images) == 2 and labels is None:
            images, labels = images
        for split, (pixels, targets) in {"train": (images, labels), "test": pair_of(test)}.items():
            if pixels is None:
                continue
            if targets is None:
                if is_array(pixels):
                    raise TypeError("images without labels: give both")
                pixels, targets = batches_joined(pixels)
            elif not is_array(pixels):
                raise TypeError(f"a {type(pixels).__name__} gives its labels itself; labels= are an array's")
            arrays["x_" + split], arrays["y_" + split] = array_of(pixels), array_of(targets)
        self._held = _core.hold_images(arrays, int(classes), str(label))

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
