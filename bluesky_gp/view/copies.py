"""Journals of the runs that only a catalog has: written when a run is looked at, and read on while it goes on."""

import tempfile
import threading
from pathlib import Path
from typing import Any

from bluesky_gp.recording import Catalog, RunCopy


class Copies:
    """Copies of runs of a catalog in a folder of their own, which ends with them.

    Parameters
    ----------
    name : str
        Of the catalog, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._copies: dict[str, RunCopy] = {}
        self._guard = threading.Lock()

    def write(self, catalog: Catalog | None, uid: str) -> Path:
        """Return the journal that a run of the catalog would have, as the run is now.

        Raises
        ------
        KeyError
            If there is no such run.
        ConnectionError
            If the catalog does not give it.
        """
        try:
            run = None if catalog is None else _run(catalog, uid)
            if run is not None:
                return self._copy(uid).renew(run)
        except Exception as error:  # whatever a server, or the way to it, has
            raise ConnectionError(f"{self._name} does not give run {uid[:8]}: {error}") from error
        raise KeyError(f"there is no run {uid} in {self._name}")

    def _copy(self, uid: str) -> RunCopy:
        with self._guard:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="bluesky_gp-view-", ignore_cleanup_errors=True)
            return self._copies.setdefault(uid, RunCopy(Path(self._folder.name)))

    def close(self) -> None:
        """Remove them."""
        for copy in self._copies.values():
            copy.close()
        if self._folder is not None:
            self._folder.cleanup()


def _run(catalog: Catalog, uid: str) -> Any:
    try:
        return catalog[uid]
    except KeyError:
        return None
