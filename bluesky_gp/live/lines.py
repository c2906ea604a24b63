"""Progress in words while a run goes on: a line an iteration, or a bar. Callbacks for documents."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from bluesky_gp.live.progress import ProgressReader, RunProgress


class IterationLine(ProgressReader):
    """Print a line after every decision: pixels, the best so far, what more would gain, the time left.

    Parameters
    ----------
    show : callable, optional
        Takes a `RunProgress`. Default: `print`.

    Examples
    --------
    >>> from bluesky import RunEngine
    >>> from bluesky_gp.live import IterationLine
    >>> RE = RunEngine()
    >>> token = RE.subscribe(IterationLine())
    """

    def __init__(self, show: Callable[[RunProgress], Any] = print) -> None:
        super().__init__(show)


class ProgressBar(ProgressReader):
    """A bar of pixels, with the iteration, the best so far and what more would gain; a context manager.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where it is drawn. Default: standard error.
    """

    def __init__(self, console: Console | None = None) -> None:
        if console is not None and not isinstance(console, Console):
            raise TypeError(f"ProgressBar: console must be a rich.console.Console, got {console!r:.80}")
        super().__init__(self._draw, self._draw)
        self._bar = Progress(
            BarColumn(20),
            TextColumn("{task.completed:.0f} of {task.total:.0f} pixels"),
            TextColumn("iteration {task.fields[iteration]}"),
            TextColumn("{task.fields[found]}", markup=False, table_column=Column(no_wrap=False)),
            console=console or Console(stderr=True),
        )
        self._task = self._bar.add_task("", total=1, iteration="-", found="", visible=False)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._bar.stop()

    def _draw(self, progress: RunProgress) -> None:
        self._bar.update(
            self._task,
            completed=progress.done,
            total=progress.num or progress.done or 1,
            iteration=max(progress.iteration, 0),
            found="\n".join(line for line in (progress.best, progress.outlook) if line),
            visible=True,
        )
