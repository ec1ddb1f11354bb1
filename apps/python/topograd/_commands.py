"""Commands of the programs, run in this process: keywords to words, messages to exceptions and warnings."""

import atexit
import difflib
import functools
import logging
import os
import re
import warnings
from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Union

from . import _core
from ._progress import Bar

Error = _core.Error
Error.__module__ = "topograd"
Error.__doc__ = "What was wrong and what to do about it, in one line."

ProgressFunction = Callable[[str, int, int, str], None]
Progress = Union[None, bool, ProgressFunction]

log = logging.getLogger("topograd")

# A command in a daemon's thread would outlive the interpreter.
atexit.register(_core.stop_all)


class NoteWarning(UserWarning):
    """Something about a computation that may surprise."""


class Interrupted(KeyboardInterrupt):
    """A computation was interrupted. What was finished is in ``result``, None where that is nothing, and in the output
    file, where one was named: the same call continues it."""

    def __init__(self, message: str, result: Any = None) -> None:
        super().__init__(message)
        self.result = result


@functools.lru_cache(maxsize=None)
def option_table(*command: str) -> Dict[str, Any]:
    """Options of a command by their keywords."""
    table = {}
    for option in _core.options_of(list(command)):
        for name in option.names:
            table[name.replace("-", "_")] = option
    return table


def options(command: str) -> str:
    """List the options of a command as keywords of its function.

    Parameters
    ----------
    command : str
        "train", or a command of the program landscape: "surface", "hessian", "plot", ...

    Returns
    -------
    str
        A line for each option: its keyword, its default, what it does.
    """
    shown, lines = set(), []
    for option in option_table(*(["train"] if command == "train" else ["landscape", command])).values():
        name = option.names[0]
        if name in shown or name in ("help", "config", "version", "dry-run", "output"):
            continue
        shown.add(name)
        value = "True" if not option.value else option.default or option.value
        lines.append(f"{name.replace('-', '_')}={value}: {in_keywords(option.help)}")
    return "\n".join(lines)


def text_of(value: Any) -> str:
    """What is typed for a value: 0.1, svg,png, a path, the name of a network."""
    if hasattr(value, "_held"):
        return str(value._held.name)
    if isinstance(value, (os.PathLike, str, bytes)):
        return path_of(value)
    if hasattr(value, "named_parameters"):
        raise TypeError("this is a module of PyTorch: topograd.from_torch(module, example) takes it over")
    if isinstance(value, (list, tuple)) or hasattr(value, "tolist") and getattr(value, "ndim", 0) == 1:
        return ",".join(text_of(part) for part in value)
    if hasattr(value, "item"):  # a number of numpy or torch
        value = value.item()
    return repr(value) if isinstance(value, float) else str(value)


def path_of(value: Any) -> str:
    """A path as a text."""
    return os.fsdecode(value)


def word_of(path: Any) -> str:
    """A path as a word of a command that is no option."""
    text = path_of(path)
    return os.path.join(".", text) if text.startswith("-") else text


def axis(value: Any) -> str:
    """An axis as it is typed: (-1, 1, 51) is -1:1:51."""
    return value if isinstance(value, str) else ":".join(text_of(part) for part in value)


def words_of(function: str, command: Sequence[str], keywords: Dict[str, Any]) -> List[str]:
    """The keywords as words of a command. Raises TypeError for a keyword that is no option."""
    table, words = option_table(*command), []
    for name in ("dry_run", "help", "config", "version", "output", "o"):
        if name in keywords:
            raise TypeError(f"{function}() has no option '{name}'" +
                            (": output= names the file" if name in ("output", "o") else ""))
    for name, value in keywords.items():
        if name not in table:
            near = difflib.get_close_matches(name, table, 1)
            raise TypeError(f"{function}() has no option '{name}'" + (f": did you mean '{near[0]}'?" if near else
                            f"; topograd.options('{command[-1]}') lists them"))
        option = table[name]
        typed = "--" + option.names[0]
        if value is None or value is False and not option.value:
            continue
        if not option.value:
            words.append(typed)
        elif option.repeats and isinstance(value, (list, tuple)):
            words += [f"{typed}={text_of(part)}" for part in value]
        elif name in ("x", "y"):
            words.append(f"{typed}={axis(value)}")
        else:
            words.append(f"{typed}={text_of(value)}")
    return words


def in_keywords(message: str) -> str:
    """A message that names options as one that names keywords."""
    message = re.sub(r"\blandscape doctor says more", "topograd.doctor() says more", message)
    return re.sub(r"(?<![\w-])--([a-z][a-z0-9-]*)", lambda found: found[1].replace("-", "_") + "=", message)


class Outcome(NamedTuple):
    """What a command ended with."""

    status: int
    printed: str
    said: str  #: to the user, beside that


def run(words: Sequence[str], progress: Progress = None) -> Outcome:
    """Run a command. Raises Error, and KeyboardInterrupt when what is finished is saved."""
    bar = Bar(progress)
    said: List[str] = []

    def watch(at: Any, lines: Sequence[str]) -> None:
        for line in lines:
            bar.clear()
            line = in_keywords(re.sub("^(landscape|train)( [a-z]+)?: ", "", line))
            said.append(line)
            if line.startswith("note: "):
                warnings.warn(line[6:], NoteWarning, stacklevel=5)
            else:
                log.info("%s", line)
        bar.update(at.stage, at.done, at.total, at.detail)

    try:
        status, printed = _core.run(list(words), watch)
    except Error as error:
        raise Error(in_keywords(str(error))) from None
    finally:
        bar.close()
    if status == _core.interrupted:
        raise KeyboardInterrupt
    return Outcome(status, printed, "\n".join(said))
