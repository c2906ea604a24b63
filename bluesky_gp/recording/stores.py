"""Protocols of a place that keeps runs: one is written there, and read back."""

from typing import Any, Protocol


class Abandoned(BaseException):
    """A store is no longer written to, as the session ends; not to be caught with faults of the store."""


class RunWriter(Protocol):
    """One run on its way into a store, called by `Follower` on its thread; `run_writer` has the one for Tiled."""

    @property
    def is_outdated(self) -> bool:
        """Whether a document did not fit those before it, so that the run is to be begun anew, by another writer."""

    def __call__(self, name: str, doc: dict[str, Any]) -> None:
        """Take the run's next document; it may wait for `flush`, a stop document may not."""

    def flush(self) -> None:
        """Write what has been taken."""


class Store(Protocol):
    """Place where runs are written; `Follower` makes it, uses it and closes it on its own thread."""

    def begin(self, uid: str, *, own: bool) -> RunWriter:
        """Remove what there is of a run, and return the writer that begins it anew.

        What detectors of an `own` run, one of this session, wrote to files may be read.
        """

    def holds(self, uid: str) -> bool:
        """Whether the store has the run with its stop document."""

    def fault(self, error: Exception) -> str:
        """Return what is wrong with the store, in words, where it raised an error."""

    def abandon(self) -> None:
        """Raise `Abandoned` instead of the next request, on whichever thread; the one under way is finished."""

    def close(self) -> None:
        """Let go of everything."""


class ReadableStore(Store, Protocol):
    """A store whose runs can be read: `tiled_store` has the one for Tiled."""

    refusal: str  # why nothing can be written into it, in words; "" if it can

    @property
    def client(self) -> Any:
        """Tiled's client of the catalog, for the session's threads."""
