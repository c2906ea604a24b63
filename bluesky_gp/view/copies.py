"""Journals of the runs that only a catalog has: written when a run is looked at, and again while it goes on."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

from bluesky_gp.recording import Catalog, Journal, run_of

_KEPT = 2  # copies of a run: the process that computes may still read the one before the latest


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
        self._paths: dict[str, list[Path]] = {}

    def write(self, catalog: Catalog | None, uid: str) -> Path:
        """Write the journal that a run of the catalog would have, as the run is now.

        Raises
        ------
        KeyError
            If there is no such run.
        ConnectionError
            If the catalog does not give it.
        """
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="bluesky_gp-view-", ignore_cleanup_errors=True)
        path = Path(self._folder.name) / f"{uuid4().hex}.jsonl"
        try:
            _write(path, [] if catalog is None else catalog[uid].documents())
        except KeyError:
            path.write_bytes(b"")
        except Exception as error:  # whatever a server, or the way to it, has
            path.unlink(missing_ok=True)
            raise ConnectionError(f"{self._name} does not give run {uid[:8]}: {error}") from error
        if not path.stat().st_size or run_of(path) is None:
            path.unlink()
            raise KeyError(f"there is no run {uid} in {self._name}")
        self._keep(uid, path)
        return path

    def _keep(self, uid: str, path: Path) -> None:
        paths = self._paths.setdefault(uid, [])
        paths.append(path)
        while len(paths) > _KEPT:
            paths.pop(0).unlink(missing_ok=True)

    def close(self) -> None:
        """Remove them."""
        if self._folder is not None:
            self._folder.cleanup()


def _write(path: Path, documents: Iterable[tuple[str, Any]]) -> None:
    journal = Journal(path, fsync="never")
    try:
        for name, doc in documents:
            journal.append(name, dict(doc))
    finally:
        journal.close()
