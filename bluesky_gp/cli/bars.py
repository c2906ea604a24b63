"""Bars on standard error, for what takes long and is looked at by a person."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def bar(label: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar while it goes on; what it yields takes how much is done of how much."""
    from rich.console import Console
    from rich.progress import Progress

    if quiet:
        yield None
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def under_way(label: str) -> Iterator[None]:
    """Show that something goes on which nobody can say the end of, where standard error is a terminal."""
    from rich.console import Console

    errors = Console(stderr=True)
    with errors.status(label) if errors.is_terminal else nullcontext():
        yield


def counted(things: Iterable[T], label: str, total: int | None) -> Iterable[T]:
    """Pass things on and show how many came, where standard error is a terminal."""
    from rich.console import Console
    from rich.progress import track

    errors = Console(stderr=True)
    return track(things, label, total, console=errors, transient=True, disable=not errors.is_terminal)
