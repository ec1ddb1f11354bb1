"""The computations of train and landscape."""

import os
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy

from . import _core
from ._commands import Error, Interrupted, Progress, in_keywords, option_table, path_of, run, text_of, word_of, words_of
from ._images import Array, Images, data_words
from ._networks import Network, Path, load_network
from ._results import Result, Surface, TemporaryFile, load, result_of

NetworkLike = Union[Network, Path]


def name_of(network: NetworkLike) -> str:
    """What a command is told: the name of a network in memory, or a file's."""
    if isinstance(network, Network):
        return network._held.name
    if not isinstance(network, (str, bytes, os.PathLike)):
        text_of(network)  # which knows modules
        raise TypeError(f"a {type(network).__name__} is no network: topograd.from_torch, zoo and load_network make "
                        "them")
    return word_of(network)


def classes_of(network: NetworkLike) -> int:
    return network.classes if isinstance(network, Network) else 0


def computed(command: str, networks: Sequence[NetworkLike], data: Any, labels: Any, test: Any, output: Optional[Path],
             progress: Progress, options: Dict[str, Any], product: str = "") -> Result:
    """Runs a command that computes one file of results. `product` is the ending of another file that it is asked
    for."""
    source, held = data_words(data, labels, test, classes_of(networks[0]))
    if source is not None:
        options = {"data": source, **options}
    splits = option_table("landscape", command)["split"]
    if held is not None and not held._held.test_images and splits.default != "train":
        options = {"split": "train", **options}
    names = [name_of(network) for network in networks]
    words = ["landscape", command, *names, *words_of(command, ["landscape", command], options)]
    keeper = None if output is not None else TemporaryFile(command + ".h5")
    path = keeper.path if keeper else path_of(output)
    result = os.path.splitext(path)[0] + product if product else path
    try:
        printed = run([*words, "--output=" + path], progress).printed
    except KeyboardInterrupt as interruption:
        partial = result_of(result, keeper) if os.path.exists(result) else None
        kept = f"call again with output={path!r} to continue" if keeper is None else "it is in result"
        raise Interrupted(f"interrupted; what is finished is kept: {kept}", partial) from interruption
    del held
    return result_of(result, keeper, printed)


def surface(network: NetworkLike, data: Any = None, labels: Any = None, *, x: Any = (-1, 1, 51), y: Any = (-1, 1, 51),
            output: Optional[Path] = None, test: Any = None, progress: Progress = None, **options: Any) -> Surface:
    """Compute the loss on a plane through a network, along random filter-normalised directions.

    Parameters
    ----------
    network : Network, or the path of a checkpoint
    data : array, Images, DataLoader or str
        Images, see ``Images``; or a data set by its folder, or "synthetic". Without it, what the network was trained
        on.
    labels : array, optional
        Their classes, or numbers.
    x, y : (first, last, points)
        Axes of the grid.
    output : str, optional
        File of the surface. If it is there and unfinished, it is continued; if it is another computation's, that is an
        error.
    test : (images, labels), optional
        Test images, for ``split="both"``.
    progress : bool or function, optional
        False for no bar; a function is called with stage, points done, points in all and a text.
    **options
        Options of ``landscape surface``: ``images=1000``, ``seed=2``, ``loss="huber:0.5"``, ``target_se=0.01``,
        ``to=other``, ``threads=4``, ...; ``topograd.options("surface")`` lists them.

    Returns
    -------
    Surface

    Raises
    ------
    Interrupted
        By Ctrl-C; ``result`` has the points that are done.
    """
    return computed("surface", [network], data, labels, test, output, progress,  # type: ignore[return-value]
                    {"x": x, "y": y, "no_pictures": True, **options})


def line(network: NetworkLike, other: Optional[NetworkLike] = None, data: Any = None, labels: Any = None, *,
         x: Any = None, output: Optional[Path] = None, test: Any = None, progress: Progress = None,
         **options: Any) -> Surface:
    """Compute the loss along a line through a network, or on the way to another one, at 1.

    Parameters
    ----------
    network, other : Network or path
    data, labels, test, output, progress
        As of ``surface``.
    x : (first, last, points), optional
    **options
        Options of ``landscape line``.

    Returns
    -------
    Surface
        Between two networks ``provenance["train_loss_barrier"]`` is the barrier.
    """
    networks = [network] if other is None else [network, other]
    return computed("line", networks, data, labels, test, output, progress,  # type: ignore[return-value]
                    {"x": x, "no_pictures": True, **options})


def plane(networks: Union[NetworkLike, Sequence[NetworkLike]], data: Any = None, labels: Any = None, *,
          output: Optional[Path] = None, test: Any = None, progress: Progress = None, **options: Any) -> Surface:
    """Compute the loss on the plane through three networks, or, of one, along eigenvectors or its gradient.

    Parameters
    ----------
    networks : Network, path, or a list of these
        Three of them; or one, with ``eigenvectors="hessian.h5"`` or ``gradient=True``.
    data, labels, test, output, progress
        As of ``surface``.
    **options
        Options of ``landscape plane``.
    """
    several = networks if isinstance(networks, (list, tuple)) else [networks]
    if len(several) not in (1, 3):
        raise Error(f"a plane goes through three networks, not {len(several)}; of one it takes eigenvectors= or "
                    "gradient=")
    return computed("plane", several, data, labels, test, output, progress,  # type: ignore[return-value]
                    {"no_pictures": True, **options})


def trajectory(run_folder: Path, data: Any = None, labels: Any = None, *, output: Optional[Path] = None,
               test: Any = None, progress: Progress = None, **options: Any) -> Tuple[Result, Surface]:
    """Compute a training's path on the plane of its principal components, and the loss on that plane.

    Parameters
    ----------
    run_folder : path
        Folder of a training with checkpoints: ``train(..., checkpoint_every=1)``.
    data, labels, test, output, progress
        As of ``surface``; the surface lies beside the output, with _surface behind its name.
    **options
        Options of ``landscape trajectory``.

    Returns
    -------
    (Result, Surface)
        The path and the surface.
    """
    path = computed("trajectory", [run_folder], data, labels, test, output, progress, {"no_pictures": True, **options})
    beside = os.path.splitext(path._file)[0] + "_surface.h5"
    return path, result_of(beside, path._keeper)  # type: ignore[return-value]


def hessian(network: NetworkLike, data: Any = None, labels: Any = None, *, largest: int = 5, smallest: int = 1,
            output: Optional[Path] = None, test: Any = None, progress: Progress = None, **options: Any) -> Result:
    """Compute eigenvalues of the loss's Hessian, and its trace and spectral density if asked for.

    Parameters
    ----------
    network : Network or path
    data, labels, test, output, progress
        As of ``surface``.
    largest, smallest : int
        How many eigenvalues at either end of the spectrum.
    **options
        Options of ``landscape hessian``: ``trace=100``, ``density=10``, ``curvature="gauss-newton"``, ``layers=[...]``.

    Returns
    -------
    Result
        "largest/values" with "largest/residuals", likewise "smallest", "trace", the density.
    """
    return computed("hessian", [network], data, labels, test, output, progress,
                    {"largest": largest, "smallest": smallest, **options})


def sharpness(network: NetworkLike, data: Any = None, labels: Any = None, *, output: Optional[Path] = None,
              test: Any = None, progress: Progress = None, **options: Any) -> Result:
    """Measure how sharp the minimum is that a network lies in.

    Parameters
    ----------
    network : Network or path
    data, labels, test, output, progress
        As of ``surface``. Without test images in memory, measures of test images are left out.
    **options
        Options of ``landscape sharpness``: ``measures=["sam", "trace"]``, ...

    Returns
    -------
    Result
        Every measure by its name.
    """
    in_memory = data is not None and not isinstance(data, (str, os.PathLike))
    has_test = test is not None or isinstance(data, Images) and bool(data._held.test_images)
    if in_memory and not has_test and "measures" not in options:
        options["measures"] = list(_core.measures_without_test())
    return computed("sharpness", [network], data, labels, test, output, progress, {"no_pictures": True, **options})


def coherence(networks: Union[NetworkLike, Sequence[NetworkLike]], data: Any = None, labels: Any = None, *,
              output: Optional[Path] = None, test: Any = None, progress: Progress = None, **options: Any) -> Result:
    """Compute how well the gradients of minibatches agree, at one network or several.

    Parameters
    ----------
    networks : Network, path, or a list of these
    data, labels, test, output, progress
        As of ``surface``.
    **options
        Options of ``landscape coherence``.
    """
    several = networks if isinstance(networks, (list, tuple)) else [networks]
    return computed("coherence", several, data, labels, test, output, progress, {"no_pictures": True, **options})


def connect(first: NetworkLike, second: NetworkLike, data: Any = None, labels: Any = None, *,
            output: Optional[Path] = None, test: Any = None, progress: Progress = None, **options: Any) -> Result:
    """Compute the loss on paths between two networks: the line, to the aligned network, a trained curve.

    Parameters
    ----------
    first, second : Network or path
    data, labels, test, output, progress
        As of ``surface``.
    **options
        Options of ``landscape connect``: ``align=True``, ``curve=True``, ...
    """
    return computed("connect", [first, second], data, labels, test, output, progress, {"no_pictures": True, **options})


class HessianOperator:
    """The Hessian of the mean loss as a linear operator, or Gauss-Newton's part of it; ``hessian_operator`` makes it.

    ``scipy.sparse.linalg.aslinearoperator`` takes it, and so do functions like ``eigsh``. Vectors hold all parameters
    that were chosen in the order and shapes of PyTorch, as ``torch.nn.utils.parameters_to_vector`` lays them out.
    """

    def __init__(self, matrix: _core.CurvatureMatrix, keep: Any) -> None:
        self._matrix, self._keep = matrix, keep
        self.shape = (matrix.size, matrix.size)
        self.dtype = numpy.dtype(numpy.float32)

    def matvec(self, v: Any) -> Array:
        """Return the product with a vector."""
        return self._matrix.times(numpy.ascontiguousarray(v, numpy.float32).reshape(-1))

    rmatvec = matvec  # it is symmetric

    def matmat(self, v: Any) -> Array:
        """Return the products with the columns of a matrix."""
        return numpy.stack([self.matvec(column) for column in numpy.asarray(v).T], axis=1)

    def __matmul__(self, v: Any) -> Array:
        return self.matvec(v) if numpy.ndim(v) == 1 else self.matmat(v)

    def gradient(self) -> Tuple[float, Array]:
        """Return the mean loss and its gradient."""
        return self._matrix.gradient()

    def as_linear_operator(self) -> Any:
        """Return it as scipy's own class."""
        from scipy.sparse.linalg import LinearOperator
        return LinearOperator(self.shape, matvec=self.matvec, rmatvec=self.matvec, matmat=self.matmat,
                              dtype=self.dtype)


def hessian_operator(network: NetworkLike, data: Any = None, labels: Any = None, *, test: Any = None,
                     **options: Any) -> HessianOperator:
    """Make the Hessian of a network's mean loss, to multiply vectors by.

    Parameters
    ----------
    network, data, labels, test
        As of ``hessian``.
    **options
        Those of ``hessian`` that choose images, loss, parameters and threads: ``images=1000``,
        ``curvature="gauss-newton"``, ``layers=["layer1"]``, ``bn="batch"``.
    """
    source, held = data_words(data, labels, test, classes_of(network))
    if source is not None:
        options = {"data": source, **options}
    words = [name_of(network), *words_of("hessian_operator", ["landscape", "hessian"], options)]
    try:
        return HessianOperator(_core.CurvatureMatrix(words), held)
    except Error as error:
        raise Error(in_keywords(str(error))) from None


class Training:
    """A training: its folder, its network, its log.

    Attributes
    ----------
    folder : str
    network : Network
        The network that it ended with.
    log : Result
        Losses and accuracies by epoch.
    """

    def __init__(self, folder: str, keeper: Optional[TemporaryFile]) -> None:
        self.folder, self._keeper = folder, keeper
        # A folder that nobody named is no name for a network.
        self.network = load_network(folder, None if keeper is None else "")
        self.log = load(os.path.join(folder, "log.csv"))

    @property
    def checkpoints(self) -> List[str]:
        """Checkpoints of single epochs, in their order (``checkpoint_every``)."""
        names = [name for name in os.listdir(self.folder) if name.startswith("epoch_")]
        return [os.path.join(self.folder, name) for name in
                sorted(names, key=lambda name: int(name[len("epoch_"):].split(".")[0]))]

    def __fspath__(self) -> str:
        return self.folder

    def __repr__(self) -> str:
        return f"<topograd.Training: {self.network!r} in {self.folder}>"


def train(network: Union[str, Network], data: Any = None, labels: Any = None, *, test: Any = None,
          output: Optional[Path] = None, progress: Progress = None, **options: Any) -> Training:
    """Train a network of the zoo from its first weights, or any other from where it is.

    Parameters
    ----------
    network : str or Network
        "resnet20", or a network to go on from: of ``zoo``, of ``from_torch``.
    data, labels
        Training images, as of ``surface``.
    test : (images, labels)
        Test images, if the training ones are an array.
    output : str, optional
        Folder of the run. A run that was interrupted there is continued.
    progress
        As of ``surface``.
    **options
        Options of ``train``: ``epochs=30``, ``lr=0.1``, ``batch_size=128``, ``loss="cross_entropy:0.1"``,
        ``checkpoint_every=1``, ...; ``topograd.options("train")`` lists them.

    Returns
    -------
    Training
    """
    source, held = data_words(data, labels, test, network.classes if isinstance(network, Network) else 0)
    if isinstance(source, Images) and not source._held.test_images:
        raise Error("training needs test images, too: test=(images, labels)")
    keeper = None if output is not None else TemporaryFile("run")
    folder = keeper.path if keeper else path_of(output)
    chosen: Dict[str, Any] = {"from": network} if isinstance(network, Network) else {"model": network}
    if source is not None:
        chosen["data"] = source
    if os.path.exists(os.path.join(folder, "last.safetensors")):
        chosen["resume"] = True
    words = ["train", *words_of("train", ["train"], {**chosen, **options}), "--output=" + folder]
    try:
        run(words, progress)
    except KeyboardInterrupt as interruption:
        raise Interrupted(f"interrupted; the run is kept in {folder}: call again with output={folder!r} to continue"
                          if keeper is None else "interrupted; output= would have kept what was done") from interruption
    del held
    return Training(folder, keeper)


class Verification(NamedTuple):
    """What a verification found."""

    agrees: bool
    text: str  #: what the program prints of it

    def __bool__(self) -> bool:
        return self.agrees


def verify(result: Union[Result, Path], *, progress: Progress = None, **options: Any) -> Verification:
    """Compute a random sample of a result's numbers anew, from what it says of its making, and compare.

    Parameters
    ----------
    result : Result or path
    progress
        As of ``surface``.
    **options
        Options of ``landscape verify``: ``sample=100``, ``model=network``, ``data=Images(...)`` where the result was
        made of others that are gone: arrays that were passed to a function are, ``Images`` are not.

    Raises
    ------
    Error
        If nothing can be computed anew: what it was made from is gone, or it is a function's.
    """
    path = result._file if isinstance(result, Result) else word_of(result)
    if isinstance(options.get("data"), (tuple, list)):
        options["data"] = Images(*options["data"])
    outcome = run(["landscape", "verify", path, *words_of("verify", ["landscape", "verify"], options)], progress)
    text = outcome.printed or outcome.said
    if isinstance(result, Result):
        text = result.without_folder(text)
    if not outcome.printed:  # nothing was computed
        raise Error(text + ("; name what it was made from by model= and data=" if "in memory" in text else ""))
    return Verification(outcome.status == 0, text)


def compare(first: Union[Result, Path], second: Union[Result, Path]) -> Dict[str, Dict[str, Any]]:
    """Compare two results of one kind on the same points, quantity by quantity.

    Returns
    -------
    dict
        By quantity: points compared; (smallest, largest, mean) of the "first" and the "second"; the largest difference,
        absolute, relative to the first, and in standard errors of a difference; the correlation.
    """
    records = [(one if isinstance(one, Result) else load(one))._record for one in (first, second)]
    if records[0].kind != records[1].kind:
        raise Error(f"one is {records[0].phrase}, the other {records[1].phrase}")
    return dict(_core.compare_records(*records))


def files_of(results: Any) -> List[str]:
    several = results if isinstance(results, (list, tuple)) else [results]
    return [one._file if isinstance(one, Result) else word_of(one) for one in several]


def doctor(network: NetworkLike, data: Any = None, labels: Any = None, *, test: Any = None, progress: Progress = None,
           **options: Any) -> str:
    """Say what would make pictures of a network's loss misleading: at chance, no minimum, stale statistics.

    Parameters
    ----------
    network, data, labels, test, progress
        As of ``surface``.
    **options
        Options of ``landscape doctor``.

    Returns
    -------
    str
        What the program prints.
    """
    source, held = data_words(data, labels, test, classes_of(network))
    if source is not None:
        options = {"data": source, **({"images": 0} if held is not None else {}), **options}  # all that was given
    outcome = run(["landscape", "doctor", name_of(network), *words_of("doctor", ["landscape", "doctor"], options)],
                  progress)
    del held
    return outcome.printed


def report(results: Union[Result, Path, Sequence[Union[Result, Path]]], path: Path, **options: Any) -> str:
    """Write one interactive page of results.

    Parameters
    ----------
    results : Result, path, or a list of these
    path : str
        The page, .html.
    **options
        Options of ``landscape report``: ``title="ResNet-20"``.
    """
    path = path_of(path)
    run(["landscape", "report", *files_of(results), "--output=" + path,
         *words_of("report", ["landscape", "report"], options)], progress=False)
    return path


def animate(results: Union[Result, Path, Sequence[Union[Result, Path]]], path: Path, *, progress: Progress = None,
            **options: Any) -> str:
    """Write a film of surfaces, or of a camera that goes around one: .gif, .apng or .html.

    Parameters
    ----------
    results : Result, path, or a list of these
    path : str
    progress
        As of ``surface``.
    **options
        Options of ``landscape animate``.
    """
    path = path_of(path)
    run(["landscape", "animate", *files_of(results), "--output=" + path,
         *words_of("animate", ["landscape", "animate"], options)], progress)
    return path
