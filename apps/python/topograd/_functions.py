"""Surfaces of functions of Python."""

import concurrent.futures
import concurrent.futures.process
import functools
import hashlib
import inspect
import math
import multiprocessing
import os
import signal
import sys
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Set, Tuple, Union

import numpy

from . import _core
from ._commands import Error, Interrupted, Progress, log, path_of
from ._images import array_of
from ._networks import Path
from ._progress import Bar
from ._results import Surface, TemporaryFile, result_of

Returned = Union[float, Dict[str, float]]


class Parameters:
    """What a function is called with: arrays, tensors or a module, and how numbers are put into it."""

    def __init__(self, theta: Any) -> None:
        self.theta = theta
        self.is_module = hasattr(theta, "named_parameters")
        if self.is_module:
            self.tensors = [(name, parameter) for name, parameter in theta.named_parameters()]
        elif isinstance(theta, dict):
            self.tensors = list(theta.items())
        else:
            self.tensors = [("theta", theta)]
        self.names = [name for name, _ in self.tensors]
        self.arrays = [(name, array_of(tensor).copy()) for name, tensor in self.tensors]
        for name, array in self.arrays:
            if array.dtype.kind in "iub":
                raise Error(f"{name} holds whole numbers, which do not move: give them as floating point")

    def with_values(self, values: Sequence[Any]) -> Any:
        """What the function is called with at a point; a module has the values afterwards."""
        if self.is_module:
            self.set_module(values)
            return self.theta
        moved = [type_as(value, tensor) for value, (_, tensor) in zip(values, self.tensors)]
        return dict(zip(self.names, moved)) if isinstance(self.theta, dict) else moved[0]

    def set_module(self, values: Sequence[Any]) -> None:
        import torch
        with torch.no_grad():
            for value, (_, parameter) in zip(values, self.tensors):
                parameter.copy_(torch.from_numpy(numpy.ascontiguousarray(value)))

    def restore(self) -> None:
        if self.is_module:
            self.set_module([array for _, array in self.arrays])

    def in_order(self, direction: Any) -> List[Any]:
        """A direction's arrays in the order of the tensors; None for those that it leaves."""
        if isinstance(direction, dict):
            unknown = [name for name in direction if name not in self.names]
            if unknown:
                raise Error(f"a direction has {unknown[0]}, which theta has not")
            found = [direction.get(name) for name in self.names]
        elif len(self.names) == 1:
            found = [direction]
        else:
            found = list(direction)
            if len(found) != len(self.names):
                raise Error(f"a direction has {len(found)} arrays, theta {len(self.names)}")
        return [None if one is None else numpy.asarray(array_of(one), dtype=array.dtype)
                for one, (_, array) in zip(found, self.arrays)]


def type_as(value: Any, tensor: Any) -> Any:
    if hasattr(tensor, "detach"):
        import torch
        return torch.from_numpy(value).to(tensor.device)
    return value


def digest_of(value: Any, into: Any, depth: int = 0) -> None:
    """Adds what a value holds to a hash: numbers, texts, arrays, tensors, modules, functions with their source and what
    they are bound to, lists and dicts of these. Of anything else it knows the type alone."""
    into.update(type(value).__qualname__.encode())
    if depth > 6 or inspect.ismodule(value) or inspect.isclass(value):
        return
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, os.PathLike)):
        into.update(repr(value).encode())
    elif hasattr(value, "named_parameters"):
        for name, tensor in value.state_dict().items():
            into.update(name.encode())
            into.update(array_of(tensor).tobytes())
    elif hasattr(value, "detach") or isinstance(value, (numpy.ndarray, numpy.generic)):
        array = array_of(value)
        into.update(f"{array.dtype} {array.shape}".encode())
        into.update(array.tobytes() if array.dtype != object else b"")
    elif isinstance(value, (list, tuple)):
        for part in value:
            digest_of(part, into, depth + 1)
    elif isinstance(value, dict):
        for key, part in value.items():
            digest_of(key, into, depth + 1)
            digest_of(part, into, depth + 1)
    elif isinstance(value, functools.partial):
        digest_of([value.func, value.args, value.keywords], into, depth + 1)
    elif inspect.ismethod(value):
        digest_of([value.__func__, value.__self__], into, depth + 1)
    elif inspect.isfunction(value):
        into.update(source_of(value))
        digest_of(value.__defaults__, into, depth + 1)
        digest_of(value.__kwdefaults__, into, depth + 1)
        for cell in value.__closure__ or ():
            try:
                digest_of(cell.cell_contents, into, depth + 1)
            except ValueError:  # it has no contents yet
                continue
    elif hasattr(value, "__dict__"):
        into.update(source_of(getattr(type(value), "__call__", None)))
        digest_of(vars(value), into, depth + 1)


def source_of(function: Any) -> bytes:
    try:
        return inspect.getsource(function).encode()
    except (OSError, TypeError):
        return bytes(getattr(getattr(function, "__code__", None), "co_code", b""))


def told_of(function: Callable[..., Any]) -> str:
    """A text that identifies a function: its name and a hash of its source and of what it holds."""
    inner = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    name = getattr(inner, "__qualname__", type(inner).__name__).replace("<locals>.", "")
    digest = hashlib.sha256()
    digest_of(function, digest)
    return f"{name} {digest.hexdigest()[:12]}"


def number_of(value: Any, name: str) -> float:
    """A number that a function returned."""
    try:
        if isinstance(value, (str, bytes, bool)):
            raise TypeError
        return float(value.detach() if hasattr(value, "detach") else value)
    except (TypeError, ValueError, OverflowError):
        raise Error(f"the function returned {type(value).__name__} as its {name}, which is no number") from None


class Evaluation:
    """Calls of the function at points of its surface."""

    def __init__(self, function: Callable[[Any], Returned], parameters: Parameters, surface: _core.FunctionSurface,
                 quantities: Sequence[str]) -> None:
        self.function, self.parameters, self.surface, self.quantities = function, parameters, surface, quantities

    def at(self, point: int) -> Tuple[int, List[float]]:
        values: List[float] = []
        for plane in range(self.surface.planes):
            try:
                found = self.function(self.parameters.with_values(self.surface.theta_at(point, plane)))
            except StopIteration as error:  # which generators take for their own end
                raise RuntimeError("the function raised StopIteration") from error
            if not isinstance(found, dict):
                found = {self.quantities[0]: found}
            if set(found) != set(self.quantities):
                raise Error(f"quantities= names {', '.join(self.quantities)}, and the function returned "
                            f"{', '.join(str(name) for name in found)}")
            values += [number_of(found[name], name) for name in self.quantities]
        return point, values


evaluation_of_this_process: Optional[Evaluation] = None  # in children, which have it by fork


def begin_child() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops them
    if "torch" in sys.modules:  # a team of threads does not survive a fork
        sys.modules["torch"].set_num_threads(1)


def at_in_child(point: int) -> Tuple[int, List[float]]:
    assert evaluation_of_this_process is not None
    return evaluation_of_this_process.at(point)


def evaluated(evaluation: Evaluation, processes: int) -> Iterator[Tuple[int, List[float]]]:
    """Points with their values as they are done."""
    surface = evaluation.surface
    if processes == 1:
        while True:
            points = surface.next_points(1)
            if not points:
                return
            yield evaluation.at(points[0])
    global evaluation_of_this_process
    evaluation_of_this_process = evaluation
    pool = concurrent.futures.ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), begin_child)
    ahead: Set["concurrent.futures.Future[Tuple[int, List[float]]]"] = set()
    try:
        while True:
            ahead |= {pool.submit(at_in_child, point) for point in surface.next_points(3 * processes - len(ahead))}
            if not ahead:
                return
            done, ahead = concurrent.futures.wait(ahead, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except concurrent.futures.process.BrokenProcessPool:
        raise Error(f"a process of processes={processes} ended before its time: by the function, or for lack of "
                    "memory") from None
    finally:
        evaluation_of_this_process = None
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            if ahead:  # what is under way is of no use
                process.terminate()
        pool.shutdown(wait=True)


def ends_of(axis: str, value: Any) -> Tuple[float, float, int]:
    """The (first, last, points) of an axis, also of "-1:1:51"."""
    try:
        first, last, points = value.split(":") if isinstance(value, str) else value
        if int(points) != float(points):
            raise ValueError
        return float(first), float(last), int(points)
    except (TypeError, ValueError):
        raise TypeError(f"{axis}= takes (first, last, points), not {value!r:.60}") from None


def surface_of(function: Callable[[Any], Returned], theta: Any, *, x: Tuple[float, float, int] = (-1, 1, 51),
               y: Optional[Tuple[float, float, int]] = (-1, 1, 51), directions: Any = None, seed: int = 1,
               seeds: int = 1, norm: str = "filter", ignore: str = "biasbn",
               quantities: Sequence[str] = ("loss",), processes: int = 1,
               output: Optional[Path] = None, save_seconds: float = 5, name: str = "", identity: Optional[str] = None,
               facts: Optional[Dict[str, str]] = None, progress: Progress = None) -> Surface:
    """Map any function of parameters over a plane: a module with any loss, a simulator, a fit.

    Parameters
    ----------
    function : callable
        Called with parameters like ``theta`` at every point; of a module with the module, whose parameters are then
        those of the point. Returns a number, or a dict of the ``quantities``.
    theta : dict of arrays, array, or torch.nn.Module
        The parameters at the origin, floating point: arrays of numpy or tensors of torch. Of a module its parameters;
        its buffers stay as they are, and its parameters are these again afterwards.
    x, y : (first, last, points)
        Axes of the grid; ``y=None`` makes a line.
    directions : (direction, direction), optional
        Directions along the axes, each like ``theta``; a dict may leave out what does not move. Without them they are
        random, drawn from ``seed`` and scaled as ``landscape surface`` does with a network of these parameters.
    seed, seeds : int
        Of random directions; of several planes, of which the values are means.
    norm, ignore : str
        "filter", "layer", "weight", "dfilter", "dlayer", "none": what random directions are scaled to. "biasbn":
        tensors of fewer than two axes do not move; "none": they do.
    quantities : sequence of str
        What the function returns: "loss" among them, "acc" for an accuracy in percent, "loss_se" for a standard error,
        any others.
    processes : int
        Processes that call the function, forked from this one: it may be any function, and has what it had here.
    output : str, optional
        File of the surface. If it is there and unfinished, it is continued.
    save_seconds : float
        The shortest time between two saves.
    name : str
        What results call the function; its own name otherwise.
    identity : str, optional
        Text that identifies it: a file is continued only by a function of the same. By default its name with a hash of
        its source and of what it holds (closures, bound arguments, attributes); what it reads of globals or files is
        not in it.
    facts : dict of str, optional
        More that a file must agree in, such as {"data": "imdb, 2000 reviews"}.
    progress : bool or function, optional
        As of ``surface``.

    Returns
    -------
    Surface

    Raises
    ------
    Interrupted
        By Ctrl-C; ``result`` has the points that are done. What the function raises comes through; the file then has
        the points that are done, too.
    """
    if not callable(function):
        raise TypeError(f"a {type(function).__name__} is no function")
    if not isinstance(processes, int) or processes < 1:
        raise Error(f"processes= {processes}: a whole number from 1 on")
    if isinstance(quantities, str):
        quantities = (quantities,)
    parameters = Parameters(theta)
    given = [None, None]
    if directions is not None:
        several = directions if y is not None else (directions,) if not isinstance(directions, tuple) else directions
        if len(several) != (1 if y is None else 2):
            raise Error("directions= takes one for each axis")
        for i, direction in enumerate(several):
            given[i] = parameters.in_order(direction)  # type: ignore[call-overload]
    label = name or getattr(function, "__name__", type(function).__name__).strip("<>")
    surface = _core.FunctionSurface(
        tensors=parameters.arrays, x=ends_of("x", x), y=None if y is None else ends_of("y", y),
        x_direction=given[0], y_direction=given[1], norm=norm, ignore=ignore, seed=seed, seeds=seeds,
        quantities=list(quantities), output="" if output is None else path_of(output),
        save_seconds=save_seconds, function=identity or told_of(function), name=label, loss="loss", set="train",
        facts={str(key): str(value) for key, value in (facts or {}).items()})
    for line in surface.notes:
        log.info("%s", line)
    bar = Bar(progress)
    points, done, lowest = surface.points, surface.done, math.inf
    evaluation = Evaluation(function, parameters, surface, list(quantities))
    try:
        for point, values in evaluated(evaluation, processes):
            surface.record(point, values)
            done += 1
            if values[0] < lowest:
                lowest = values[0]
            bar.update(label, done, points, f"{done}/{points} points  lowest {lowest:.4g}")
    except KeyboardInterrupt as interruption:
        surface.save()
        kept = "it is in result" if output is None else f"call again with output={path_of(output)!r} to continue"
        raise Interrupted(f"interrupted; {done} of {points} points are kept: {kept}",
                          result_in_memory(surface, output)) from interruption
    except BaseException:
        surface.save()
        raise
    finally:
        bar.close()
        parameters.restore()
    surface.save()
    return result_in_memory(surface, output)


def result_in_memory(surface: _core.FunctionSurface, output: Optional[Path]) -> Surface:
    if output is not None:
        return result_of(output)  # type: ignore[return-value]
    keeper = TemporaryFile("surface.h5")
    surface.save_as(keeper.path)
    return result_of(keeper.path, keeper)  # type: ignore[return-value]
