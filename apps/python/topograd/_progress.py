"""Progress of a computation, in a terminal or a notebook."""

import shutil
import sys
import time
from typing import Any, Callable, Union

from . import _core


def in_notebook() -> bool:
    try:
        shell = sys.modules["IPython"].get_ipython()
    except (KeyError, AttributeError):
        return False
    return shell is not None and hasattr(shell, "kernel")


class Bar:
    """A line that is drawn again, on the standard error's terminal or in a notebook's cell; or calls of a function
    with stage, done, total and detail. Elsewhere nothing."""

    def __init__(self, progress: Union[None, bool, Callable[[str, int, int, str], None]] = None) -> None:
        self.function = progress if callable(progress) else None
        wanted = progress is not False and self.function is None
        self.notebook = wanted and in_notebook()
        self.terminal = wanted and not self.notebook and sys.stderr is not None and sys.stderr.isatty()
        self.display: Any = None
        self.stage, self.first, self.began, self.drawn = "", 0, 0.0, 0.0
        self.visible = False

    def update(self, stage: str, done: int, total: int, detail: str) -> None:
        if not stage:
            return
        if self.function:
            self.function(stage, done, total, detail)
        if not (self.notebook or self.terminal):
            return
        now = time.monotonic()
        if stage != self.stage:
            self.stage, self.first, self.began = stage, done, now
        if now - self.drawn < 0.2 and done < total:
            return
        self.drawn = now
        share = done / total if total else 0.0
        ahead = (now - self.began) * (total - done) / (done - self.first) if done > self.first else 0.0
        left = _core.clock_text(ahead) if ahead else ""
        if self.notebook:
            self.show(f"<progress value='{share}' max='1'></progress> {stage} {detail} {left}")
        else:
            columns = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r\033[K" + _core.progress_line(stage, share, detail, left, columns))
            sys.stderr.flush()
            self.visible = True

    def show(self, html: str) -> None:
        from IPython.display import HTML, display
        if self.display is None:
            self.display = display(HTML(html), display_id=True)
        else:
            self.display.update(HTML(html))

    def clear(self) -> None:
        if self.visible:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
            self.visible = False

    def close(self) -> None:
        self.clear()
        if self.display is not None:
            self.show("")
