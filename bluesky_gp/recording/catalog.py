"""The catalog as a session sees it: a writer to subscribe, and runs to read."""

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bluesky_gp.recording.finding import Documents
from bluesky_gp.recording.follower import Follower, counted_runs
from bluesky_gp.recording.journal import Fsync
from bluesky_gp.recording.journal_folder import JournalFolder
from bluesky_gp.recording.recorder import Recorder
from bluesky_gp.recording.session_end import at_session_end
from bluesky_gp.recording.stores import ReadableStore

__all__ = ["Catalog"]


class Catalog:
    """A catalog of runs that is written behind their journals; made by `bluesky_gp.recording.opening.open_catalog`.

    ``catalog[-1]``, ``catalog[scan_id]``, ``catalog[uid]`` and ``catalog["first letters of uid"]`` are runs; everything
    else that tiled's client for a catalog of runs has (`search`, `keys`, ...) is here as well, and
    ``databroker.Broker(catalog)`` is the databroker of old. The first of these waits until the catalog is open, each of
    them until the runs that have ended are in it.

    Attributes
    ----------
    writer : Recorder
        Subscriber: ``RE.subscribe(catalog.writer)``, before anything that may raise.
    """

    def __init__(
        self, place: str, journals: JournalFolder, connect: Callable[[], ReadableStore], *, fsync: Fsync
    ) -> None:
        self._place = place
        self._journals = journals
        self._store: ReadableStore | None = None
        self._guard = threading.Lock()
        self._closed = False

        def connect_here() -> ReadableStore:
            self._store = connect()
            if self._store.refusal:
                journals.close_to_writing(f"{place}: {self._store.refusal}")
            return self._store

        self._follower = Follower(journals, connect_here, place=place)
        at_session_end(self.close)
        self.writer = Recorder(journals, self._follower, fsync=fsync)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def wait(self) -> None:
        """Wait until the catalog is open; raises what keeps it from that."""
        self._follower.wait_until_ready()

    @property
    def client(self) -> Any:
        """Tiled's own client of the catalog."""
        if self._closed:
            raise RuntimeError(f"The catalog {self._place} is closed: open_catalog({self._place!r}) opens it again")
        self.wait()
        return self._store.client if self._store is not None else None

    def __call__(self, name: str, doc: Mapping[str, Any]) -> None:
        """Record a document, as `writer` does: for who subscribes the catalog itself."""
        self.writer(name, doc)

    def __getitem__(self, key: Any) -> Any:
        try:
            return self.client[key]
        except IndexError as error:
            raise IndexError(
                f"The catalog {self._place} has {counted_runs(len(self))}, and none is number {key}"
            ) from error

    def __len__(self) -> int:
        return len(self.client)

    def __iter__(self) -> Iterator[str]:
        return iter(self.client)

    def __contains__(self, uid: str) -> bool:
        return uid in self.client

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what IPython and pickle ask for must not open anything
            raise AttributeError(name)
        try:
            return getattr(self.client, name)
        except AttributeError as error:
            message = f"a catalog of runs has no {name!r}; if its last run has, it is catalog[-1].{name}"
            raise AttributeError(message) from error

    def __repr__(self) -> str:
        if self._closed:
            return f"<Catalog {self._place}, closed>"
        if not self._follower.is_ready:
            return f"<Catalog {self._place}, opening>"
        return (
            f"<Catalog {self._place}, {counted_runs(len(self))}{', read-only' if self._journals.is_readonly else ''}>"
        )

    def journal(self, uid: str) -> Path | None:
        """Return the journal of a run, by uid or the beginning of it: every document as it was emitted, bit for bit."""
        _check_uid(uid)
        return self._journals.find(uid)

    def holds(self, uid: str) -> bool:
        """Whether the catalog has the run of exactly this uid, with its stop document."""
        _check_uid(uid)
        self.wait()
        return self._store is not None and self._store.holds(uid)

    def take_in(self, documents: Documents, timeout: float = 600.0) -> None:
        """Record a run that ended elsewhere: all of its documents, at once or not at all.

        Raises
        ------
        JournalError
            If the documents are not those of one run from start to stop, or its journal cannot be written.
        TimeoutError
            If the catalog does not hold it after `timeout` seconds; its journal stays, and it is tried again.
        """
        self.wait()
        path = self._journals.add(documents)
        self._follower.adopt(path)
        if not self._follower.flush(timeout) or path.exists():
            raise TimeoutError(
                f"The catalog {self._place} does not hold the run in {path} yet; it is tried again, at the latest when "
                "the catalog is opened next"
            )

    def flush(self, timeout: float = 10.0) -> None:
        """Wait until the catalog has what has been recorded so far, instead of for its next second.

        Raises
        ------
        TimeoutError
            If that takes longer than `timeout` seconds, as it does where the catalog is away.
        """
        if not self._follower.flush(timeout):
            raise TimeoutError(f"The catalog {self._place} is not up to date after {timeout} s; the journals are.")

    def close(self, timeout: float = 10.0) -> None:
        """Write what is left and let go of the catalog; a second call does nothing. Done at exit as well.

        A script calls it at its end: a catalog that is still being opened when Python exits takes in no run any more.
        What is not written after `timeout` seconds is in the journals, and is taken in at the next opening.
        """
        with self._guard:
            first, self._closed = not self._closed, True
        if first:
            self._follower.close(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _check_uid(uid: object) -> None:
    if not isinstance(uid, str):
        raise TypeError(f"a run is told by its uid or the beginning of it, a text, got {uid!r:.80}")
