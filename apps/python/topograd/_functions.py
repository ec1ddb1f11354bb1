"""Surfaces of functions of Python."""

import hashlib
import inspect
import math
import multiprocessing
import os
import signal
import sys
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy

from . import _core
from ._commands import Error, Interrupted, Progress, log
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


def told_of(function: Callable[..., Any]) -> str:
    """A text that identifies a function: its name and a hash of its source."""
    name = getattr(function, "__qualname__", type(function).__name__).replace("<locals>.", "")
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        return name
    return f"{name} {hashlib.sha256(source.encode()).hexdigest()[:12]}"


class Evaluation:
    """Calls of the function at points of its surface."""

    def __init__(self, function: Callable[[Any], Returned], parameters: Parameters, surface: _core.FunctionSurface,
                 quantities: Sequence[str]) -> None:
        self.function, self.parameters, self.surface, self.quantities = function, parameters, surface, quantities

    def at(self, point: int) -> Tuple[int, List[float]]:
        values: List[float] = []
        for plane in range(self.surface.planes):
            found = self.function(self.parameters.with_values(self.surface.theta_at(point, plane)))
            if not isinstance(found, dict):
                found = {self.quantities[0]: found}
            if set(found) != set(self.quantities):
                raise Error(f"the function returned {', '.join(found)}, and the surface is of "
                            f"{', '.join(self.quantities)}: name them in quantities=")
            values += [float(found[name]) for name in self.quantities]
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
    try:
        with multiprocessing.get_context("fork").Pool(processes, begin_child) as pool:
            yield from pool.imap_unordered(at_in_child, surface.next_points(surface.points))
    finally:
        evaluation_of_this_process = None


def surface_of(function: Callable[[Any], Returned], theta: Any, *, x: Tuple[float, float, int] = (-1, 1, 51),
               y: Optional[Tuple[float, float, int]] = (-1, 1, 51), directions: Any = None, seed: int = 1, seeds: int = 1,
               norm: str = "filter", ignore: str = "biasbn", quantities: Sequence[str] = ("loss",), processes: int = 1,
               output: Optional[Path] = None, save_seconds: float = 5, name: str = "", identity: Optional[str] = None,
               facts: Optional[Dict[str, str]] = None, progress: Progress = None) -> Surface:
    """Map any function of parameters over a plane: a module with any loss, a simulator, a fit.

    Parameters
    ----------
    function : callable
        Called with parameters like ``theta`` at every point; of a module with the module, whose parameters are then those
        of the point. Returns a number, or a dict of the ``quantities``.
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
        "filter", "layer", "weight", "dfilter", "dlayer", "none": what random directions are scaled to. "biasbn": tensors
        of fewer than two axes do not move; "none": they do.
    quantities : sequence of str
        What the function returns: "loss" among them, "acc" for an accuracy in percent, "loss_se" for a standard error, any
        others.
    processes : int
        Processes that call the function, forked from this one: it may be any function, and has what it had here.
    output : str, optional
        File of the surface. If it is there and unfinished, it is continued.
    save_seconds : float
        The shortest time between two saves.
    name : str
        What results call the function; its own name otherwise.
    identity : str, optional
        Text that identifies it: a file is continued only by a function of the same. By default its name with a hash of its
        source, which does not know what data it uses.
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
    if processes < 1:
        raise Error(f"processes= {processes}: one or more")
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
        tensors=parameters.arrays, x=x, y=y, x_direction=given[0], y_direction=given[1], norm=norm, ignore=ignore,
        seed=seed, seeds=seeds, quantities=list(quantities), output="" if output is None else os.fspath(output),
        save_seconds=save_seconds, function=identity or told_of(function), name=label, loss="loss", set="train",
        facts=facts or {})
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
        kept = "it is in result" if output is None else f"call again with output={os.fspath(output)!r} to continue"
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
