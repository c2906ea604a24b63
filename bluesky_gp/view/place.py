"""The runs of a place: those of its journals, and those that only its catalog has."""

import logging
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from bluesky_gp.recording import (
    Catalog,
    Journal,
    JournalError,
    JournalledRun,
    is_remote,
    journals_of,
    open_catalog,
    place_name,
    run_of,
)
from bluesky_gp.run import steered_entry, summary_of
from bluesky_gp.view.followed import FollowedRun

LATEST = 200  # runs that are listed
_KEPT = 8  # runs that are kept in memory
_AGAIN = 5.0  # s, after which a server is asked once more

logger = logging.getLogger("bluesky_gp.view")


class Place:
    """A folder, URL or profile whose runs are shown; nothing in it is changed.

    Journals are read at once. The catalog, which takes seconds to open, is opened beside that by `open`.
    """

    def __init__(self, place: str | Path) -> None:
        self.name = place_name(place)
        self.catalog_says = "The catalog is being opened: older runs may follow."
        self._place = place
        self._catalog: Catalog | None = None
        self._journals: dict[str, tuple[int, JournalledRun | None]] = {}  # by file name, with the size they had
        self._of_catalog: tuple[float, dict[str, dict[str, Any]]] = (0.0, {})
        self._followed: dict[str, tuple[float, FollowedRun]] = {}
        self._copies: tempfile.TemporaryDirectory[str] | None = None  # journals of runs that only the catalog has
        self._guard = threading.Lock()

    def open(self) -> None:
        """Open the catalog; what keeps it from that is said in the list of runs."""
        if not is_remote(self._place) and not (Path(self._place).expanduser() / "catalog.db").exists():
            self.catalog_says = ""
            return
        try:
            self._catalog = open_catalog(self._place, take_in=False)
            self._catalog.wait()
            self.catalog_says = ""
        except Exception as error:  # whatever a file that is no database, or a server that refuses, leads to
            self.catalog_says = f"The catalog {self.name} cannot be opened, so journals alone are shown: {error}"

    def close(self) -> None:
        """Let go of the catalog, and of copies of its runs."""
        if self._catalog is not None:
            self._catalog.close(timeout=1.0)
        if self._copies is not None:
            self._copies.cleanup()

    def runs(self) -> list[dict[str, Any]]:
        """Return the latest runs as plain data, the latest first."""
        found = {**self._catalogued(), **self._journalled()}
        return sorted(found.values(), key=lambda run: run["time"], reverse=True)[:LATEST]

    def followed(self, uid: str) -> FollowedRun:
        """Return a run by its uid, kept from one question to the next.

        Raises
        ------
        KeyError
            If there is none.
        """
        with self._guard:
            since, run = self._followed.pop(uid, (0.0, None))
            if run is None or self._is_outdated(uid, since):
                since, run = monotonic(), FollowedRun(uid, self._finder(uid))
            self._followed[uid] = since, run
            while len(self._followed) > _KEPT:
                self._followed.pop(next(iter(self._followed)))
            return run

    def _is_outdated(self, uid: str, since: float) -> bool:
        """Whether a run goes on of which only a server knows."""
        if self._journal(uid) is not None or monotonic() - since < _AGAIN:
            return False
        return self._catalogued().get(uid, {}).get("exit_status") is None

    def _journal(self, uid: str) -> Path | None:
        return next((path for path in journals_of(self._place) if path.name.endswith(f"_{uid}.jsonl")), None)

    def _finder(self, uid: str) -> Any:
        if self._journal(uid) is not None:
            return lambda: self._found(uid)
        copy = self._copied(uid)
        return lambda: copy

    def _found(self, uid: str) -> Path:
        path = self._journal(uid)
        if path is None:
            raise KeyError(f"the journal of run {uid} is gone")
        return path

    def _copied(self, uid: str) -> Path:
        """Write the journal that a run of the catalog would have."""
        try:
            documents = {} if self._catalog is None else self._catalog[uid].documents()
        except KeyError:
            documents = {}
        if self._copies is None:
            self._copies = tempfile.TemporaryDirectory(prefix="bluesky_gp-view-")
        path = Path(self._copies.name) / f"{uuid4().hex}.jsonl"
        journal = Journal(path, fsync="never")
        for name, doc in documents:
            journal.append(name, dict(doc))
        journal.close()
        if not path.stat().st_size or run_of(path) is None:
            raise KeyError(f"there is no run {uid} in {self.name}")
        return path

    def _journalled(self) -> dict[str, dict[str, Any]]:
        found = [self._read(path) for path in journals_of(self._place)]
        return {run.start["uid"]: _line(run.start, run.stop, goes_on=run.goes_on) for run in found if run is not None}

    def _read(self, path: Path) -> JournalledRun | None:
        """Read the ends of a journal, unless it is as it was."""
        try:
            size = path.stat().st_size
            if self._journals.get(path.name, (-1, None))[0] != size:
                self._journals[path.name] = size, run_of(path)
        except (OSError, JournalError) as error:
            logger.debug("%s is not listed: %s", path, error)
            return None
        return self._journals[path.name][1]

    def _catalogued(self) -> dict[str, dict[str, Any]]:
        asked, found = self._of_catalog
        if self._catalog is None or self.catalog_says or monotonic() - asked < _AGAIN:
            return found
        try:
            every = [run.metadata for run in self._catalog.values()[-1 : -LATEST - 1 : -1]]
        except Exception as error:  # a server that is away
            logger.debug("%s does not answer: %s", self.name, error)
            return found
        found = {each["start"]["uid"]: _line(each["start"], each.get("stop")) for each in every}
        self._of_catalog = monotonic(), found
        return found


def _line(start: Mapping[str, Any], stop: Mapping[str, Any] | None, *, goes_on: bool = False) -> dict[str, Any]:
    gp = steered_entry(start)
    shape = None if gp is None else list(gp["grid"]["shape"])
    return summary_of(start, stop) | {"goes_on": goes_on, "steered": gp is not None, "shape": shape}
