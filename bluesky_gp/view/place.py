"""The runs of a place: those of its journals, and those that only its catalog has."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from bluesky_gp.recording import (
    Catalog,
    JournalError,
    JournalledRun,
    is_remote,
    journals_of,
    open_catalog,
    place_name,
    run_of,
)
from bluesky_gp.run import steered_entry, summary_of
from bluesky_gp.view.copies import Copies
from bluesky_gp.view.followed import FollowedRun

LATEST = 200  # runs that are listed
_KEPT = 8  # runs that are kept in memory
_AGAIN = 5.0  # s, after which a server is asked once more; later if its answer took long

logger = logging.getLogger("bluesky_gp.view")


@dataclass(frozen=True)
class _Kept:
    """A run that is kept, when it was read of a catalog, and from when on it is worth reading anew."""

    run: FollowedRun
    again: float

    @property
    def is_outdated(self) -> bool:
        return not self.run.has_ended and monotonic() > self.again


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
        self._followed: dict[str, _Kept] = {}
        self._copies = Copies(self.name)
        self._guard = threading.Lock()
        self._renewed: set[str] = set()  # uids of runs that are being read anew

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
        self._copies.close()

    def runs(self) -> list[dict[str, Any]]:
        """Return the latest runs as plain data, the latest first."""
        found = {**self._catalogued(), **self._journalled()}
        return sorted(found.values(), key=lambda run: run["time"], reverse=True)[:LATEST]

    def followed(self, uid: str) -> FollowedRun:
        """Return a run by its uid, kept from one question to the next.

        One that goes on, and of which only a server knows, is read anew beside that.

        Raises
        ------
        KeyError
            If there is none.
        ConnectionError
            If the server that has it does not give it.
        """
        fresh = None if uid in self._followed else self._read_anew(uid)  # outside: it may take seconds
        with self._guard:
            kept = self._followed.pop(uid, None) or fresh or self._read_anew(uid)
            self._followed[uid] = kept
            while len(self._followed) > _KEPT:
                self._followed.pop(next(iter(self._followed)))
            renew = kept.is_outdated and uid not in self._renewed and self.journal(uid) is None
            if renew:
                self._renewed.add(uid)
        if renew:
            threading.Thread(target=self._renew, args=(uid,), name="copy", daemon=True).start()
        return kept.run

    def _renew(self, uid: str) -> None:
        try:
            kept = self._read_anew(uid, self._followed.get(uid))
            kept.run.take_in()  # while nobody waits for it
            with self._guard:
                if uid in self._followed:
                    self._followed[uid] = kept
        except Exception as error:  # a server that is away, or a page that has ended
            logger.debug("run %s is not read anew: %s", uid, error)
        finally:
            self._renewed.discard(uid)

    def _read_anew(self, uid: str, before: _Kept | None = None) -> _Kept:
        began = monotonic()
        find = self._finder(uid)
        run = before.run if before is not None and before.run.journal == find() else FollowedRun(uid, find)
        ended = monotonic()
        return _Kept(run, ended + max(_AGAIN, 2.0 * (ended - began)))

    def journal(self, uid: str) -> Path | None:
        """Return the journal of a run; None: only its catalog may have it."""
        return next((path for path in journals_of(self._place) if path.name.endswith(f"_{uid}.jsonl")), None)

    def _finder(self, uid: str) -> Callable[[], Path]:
        if self.journal(uid) is not None:
            return partial(self._found, uid)
        copy = self._copies.write(self._catalog, uid)
        return lambda: copy

    def _found(self, uid: str) -> Path:
        path = self.journal(uid)
        if path is None:
            raise KeyError(f"the journal of run {uid} is gone")
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
        found = {each["start"]["uid"]: _line(each["start"], each.get("stop"), goes_on=None) for each in every}
        self._of_catalog = monotonic(), found
        return found


def _line(start: Mapping[str, Any], stop: Mapping[str, Any] | None, *, goes_on: bool | None) -> dict[str, Any]:
    """Return a run as the list has it; of one without an end a server does not know whether it goes on: None."""
    gp = steered_entry(start)
    shape = None if gp is None else list(gp["grid"]["shape"])
    return summary_of(start, stop) | {"goes_on": False if stop else goes_on, "steered": gp is not None, "shape": shape}
