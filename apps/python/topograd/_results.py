"""Results: the numbers of a file, and what can be made of them."""

import os
import secrets
import shutil
import tempfile
import weakref
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

import numpy

from . import _core
from ._commands import Error, path_of, run, word_of, words_of
from ._images import Array

Path = Union[str, "os.PathLike[str]"]


class TemporaryFile:
    """A file in a folder of its own, which goes when this does."""

    def __init__(self, name: str) -> None:
        folder = tempfile.mkdtemp(prefix="topograd-")
        self.path = os.path.join(folder, name)
        self._gone = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)


class Result:
    """Numbers by name, as a file of results holds them, and what was said of their making.

    ``result["x"]`` is an array of numpy, a number, a text or a list of texts; ``list(result)`` names them all.

    Attributes
    ----------
    kind : str
        "surface", "hessian", "training_log", ...
    title : str
        What to call it, mostly the network's name.
    provenance : dict of str
        How it was made: network, images, loss, seeds, version, command.
    file : str or None
        The file that it was read from or is kept in; None if nobody named one.
    summary : str
        What the program prints of it; empty for one that was loaded.
    """

    def __init__(self, path: Path, keeper: Optional[TemporaryFile] = None, summary: str = "",
                 record: Any = None) -> None:
        self._file = path_of(path)
        self._keeper = keeper
        self._record: _core.Record = _core.load_records(self._file)[0] if record is None else record
        self.summary = self.without_folder(summary)

    @property
    def kind(self) -> str:
        return self._record.kind

    @property
    def title(self) -> str:
        return self._record.title

    @property
    def provenance(self) -> Dict[str, str]:
        return dict(self._record.provenance)

    @property
    def file(self) -> Optional[str]:
        return None if self._keeper else self._file

    def without_folder(self, text: str) -> str:
        """A text without the folder of a file that nobody named."""
        return text.replace(os.path.dirname(self._file) + os.sep, "") if self._keeper else text

    def __getitem__(self, name: str) -> Any:
        return self._record.values(name)

    def __contains__(self, name: object) -> bool:
        return name in self._record.names

    def __iter__(self) -> Iterator[str]:
        return iter(self._record.names)

    def __len__(self) -> int:
        return len(self._record.names)

    def keys(self) -> List[str]:
        """Return the names of all arrays."""
        return list(self._record.names)

    def axes(self, name: str) -> List[str]:
        """Return the names of an array's axes, outermost first: ["y", "x"]."""
        return list(self._record.axes(name))

    def save(self, path: Path) -> None:
        """Write the file of results, which the programs and ``load`` read, replacing what is there."""
        path = path_of(path)
        if os.path.realpath(path) == os.path.realpath(self._file):
            return
        beside = os.path.join(os.path.dirname(path) or ".", f".{os.path.basename(path)}.{secrets.token_hex(4)}.tmp")
        try:
            shutil.copyfile(self._file, beside)
            os.replace(beside, path)
        except OSError as error:
            if os.path.exists(beside):
                os.unlink(beside)
            raise Error(f"cannot write {path}: {error.strerror}") from None

    def plot(self, path: Path, **options: Any) -> List[str]:
        """Draw pictures.

        Parameters
        ----------
        path : str
            "s.svg", or .pdf, .png, .tex, for one picture; without an ending the beginning of their names.
        **options
            Options of ``landscape plot``: ``kind="surface"``, ``log=True``, ``style="paper"``, ``width="8.5cm"``;
            ``topograd.options("plot")`` lists them.

        Returns
        -------
        list of str
            The files.
        """
        path = path_of(path)
        if self.kind == "surface" and "kind" not in options and os.path.splitext(path)[1] and not self._is_line():
            options["kind"] = "contours"
        outcome = run(["landscape", "plot", word_of(self._file), "--output=" + path,
                       *words_of("plot", ["landscape", "plot"], options)], progress=False)
        return outcome.printed.split("\n")[:-1]

    def export(self, path: Path, **options: Any) -> str:
        """Write the numbers for another tool, by the file's ending: .npz, .csv, .vtp, .obj, .stl, .json, ...; see
        ``topograd.options("export")``."""
        path = path_of(path)
        run(["landscape", "export", word_of(self._file), "--output=" + path,
             *words_of("export", ["landscape", "export"], options)], progress=False)
        return path

    def _is_line(self) -> bool:
        return "y" not in self

    def _svg(self) -> str:
        """The picture a notebook shows; empty where nothing can be drawn."""
        with tempfile.TemporaryDirectory() as folder:
            options: Dict[str, Any] = {"type": "svg"}
            if self.kind == "surface" and not self._is_line():
                options["kind"] = "contours"
            try:
                files = self.plot(os.path.join(folder, "figure"), **options)
            except Error:
                return ""
            with open(files[0], encoding="utf-8") as file:
                return file.read()

    def _repr_html_(self) -> str:
        import html
        import base64
        svg = self._svg()
        told = f"<pre>{html.escape(repr(self))}</pre>"
        if not svg:
            return told
        image = base64.b64encode(svg.encode()).decode()
        return f"<img style='max-width:100%' src='data:image/svg+xml;base64,{image}'>" + told

    def __repr__(self) -> str:
        return f"<topograd.{type(self).__name__}: {self._record.phrase}" + (
            f" of {self.title}" if self.title else "") + (f", {self.file}" if self.file else "") + ">"

    def __str__(self) -> str:
        return self.summary or repr(self)

    def __reduce__(self) -> Tuple[Any, Tuple[bytes, str, str]]:
        with open(self._file, "rb") as file:
            return result_of_bytes, (file.read(), os.path.basename(self._file), self.summary)


class Surface(Result):
    """A surface or a line: quantities at points along one axis or two. As an array it is its first loss.

    Arrays of a grid are [y, x]; points that are not computed are NaN.
    """

    @property
    def x(self) -> Array:
        """Coordinates along the first direction."""
        return self._array("x")

    @property
    def y(self) -> Optional[Array]:
        """Coordinates along the second direction; None of a line."""
        return None if self._is_line() else self._array("y")

    def _array(self, name: str) -> Array:
        return numpy.asarray(self[name])

    def _first(self, *endings: str) -> str:
        for ending in endings:
            for images in ("train", "test"):
                if images + ending in self:
                    return images + ending
        planes = [name for name in self if len(self.axes(name)) and name not in ("x", "y", "done")]
        if endings[0] == "_loss" and planes:
            return planes[0]
        raise AttributeError(f"this surface has no {endings[0].strip('_')}: it has {', '.join(planes)}")

    @property
    def loss(self) -> Array:
        """The first loss over the first images."""
        return self._array(self._first("_loss"))

    @property
    def standard_error(self) -> Array:
        """Its standard error: of a mean over all images of a set 0, see the option ``population``."""
        return self._array(self._first("_loss_se"))

    @property
    def accuracy(self) -> Array:
        """Percent of the first images that are classified right."""
        return self._array(self._first("_acc"))

    @property
    def done(self) -> Array:
        """Which points are computed."""
        return self._array("done")

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> Array:
        return numpy.array(self.loss, dtype=dtype)

    def minimum(self) -> Tuple[float, ...]:
        """Return where the loss is smallest, and how large it is there: (x, y, loss), of a line (x, loss). NaN where no
        loss is finite."""
        loss = self.loss
        if not numpy.isfinite(loss).any():
            return (float("nan"),) * (2 if self.y is None else 3)
        at = numpy.unravel_index(numpy.nanargmin(numpy.where(numpy.isfinite(loss), loss, numpy.nan)), loss.shape)
        where = (self.x[at[-1]],) if self.y is None else (self.x[at[1]], self.y[at[0]])
        return (*(float(v) for v in where), float(loss[at]))


def result_of(path: Path, keeper: Optional[TemporaryFile] = None, summary: str = "", record: Any = None) -> Result:
    path = path_of(path)
    if record is None:
        record = _core.load_records(path)[0]
    kind = Surface if record.kind == "surface" else Result
    return kind(path, keeper, summary, record)


def result_of_bytes(content: bytes, name: str, summary: str) -> Result:
    keeper = TemporaryFile(name)
    with open(keeper.path, "wb") as file:
        file.write(content)
    return result_of(keeper.path, keeper, summary)


def load(path: Path) -> Result:
    """Read a file of results of any kind: a surface, a spectrum, a panel of sharpness, a training's log.csv, ...

    Returns
    -------
    Surface or Result
    """
    path = path_of(path)
    records = _core.load_records(path)
    if len(records) != 1:
        raise Error(f"{path} holds {len(records)} results: name the file of one")
    return result_of(path, record=records[0])
