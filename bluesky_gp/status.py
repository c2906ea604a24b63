"""The bluesky Status of a Future, and threads that nobody has to wait for."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from functools import partial
from threading import Thread
from typing import Any, TypeVar

from bluesky.protocols import Status

T = TypeVar("T")


class FutureStatus:
    """A bluesky `Status` that is done when a `concurrent.futures.Future` is.

    It starts no thread and holds no lock of its own. A cancelled future counts as failed.

    Parameters
    ----------
    future : Future
        What is waited for.
    name : str
        The device that it belongs to; it stands in the message of a `FailedStatus`.
    """

    def __init__(self, future: "Future[Any]", *, name: str) -> None:
        self._future = future
        self.name = name

    def add_callback(self, callback: Callable[[Status], None]) -> None:
        """Call ``callback(self)`` when done, at once if that is already so."""
        # A future keeps its callbacks for ever, and the RunEngine's holds this status: called once they are forgotten,
        # or every answer lived in a circle until the garbage collector came by.
        calls = [partial(callback, self)]
        self._future.add_done_callback(lambda _: calls.pop()())

    def exception(self, timeout: float | None = 0.0) -> BaseException | None:
        """Return what went wrong, None if nothing did; wait up to `timeout` s, then raise `TimeoutError`."""
        try:
            return self._future.exception(timeout)
        except CancelledError as cancelled:
            return cancelled

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self._future.done()

    @property
    def success(self) -> bool:
        """Whether it has ended well."""
        return self.done and self.exception() is None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.name}: {self._progress()}>"

    def _progress(self) -> str:
        if not self.done:
            return "running"
        if self._future.cancelled():
            return "cancelled"
        error = self.exception()
        return "done" if error is None else f"failed, {type(error).__name__}: {error}"


def finished(name: str) -> FutureStatus:
    """Return a Status that has ended well already."""
    future: Future[None] = Future()
    future.set_result(None)
    return FutureStatus(future, name=name)


class DaemonExecutor(Executor):
    """A daemon thread for each call.

    A computation that outlives an aborted run delays neither the next question, which gets a thread of its own,
    nor the exit of the process: a `ThreadPoolExecutor` would do both.
    """

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        """Start ``fn(*args, **kwargs)`` on a new thread."""
        future: Future[T] = Future()
        Thread(target=_fulfil, args=(future, fn, args, kwargs), name="bluesky_gp", daemon=True).start()
        return future


def _fulfil(future: "Future[T]", fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = fn(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - whatever it is, whoever waits must hear of it
        future.set_exception(error)
    else:
        future.set_result(result)
