"""A journal that is written as soon as it can be: what a full disk does not take waits in memory, in order."""

import logging
import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any

from bluesky_gp.recording.codec import decode, encode
from bluesky_gp.recording.journal import Journal, JournalError
from bluesky_gp.recording.spill import keep

__all__ = ["Backlog"]

logger = logging.getLogger("bluesky_gp.recording")

_LARGEST = 2**28  # bytes that wait at most


class Backlog:
    """A journal, and the lines that it has not taken yet.

    The RunEngine's thread appends, the catalog's thread tends.

    Parameters
    ----------
    journal : Journal
        File to which the lines go.
    largest : int
        Bytes that may wait at most.

    Attributes
    ----------
    error : JournalError or None
        The journal's fault; None while it is in order.
    """

    def __init__(self, journal: Journal, *, largest: int = _LARGEST) -> None:
        self.error: JournalError | None = None
        self._journal = journal
        self._largest = largest
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._guard = threading.Lock()

    @property
    def waiting(self) -> int:
        """Number of documents that are in memory only."""
        return len(self._lines)

    def append(self, name: str, doc: Mapping[str, Any]) -> bool:
        """Write a document and whatever waits before it; return whether the journal is in order.

        Raises
        ------
        JournalError
            If the journal does not take the document, and so many wait already that this one is not kept.
        """
        line = encode(name, doc)
        with self._guard:
            if self._lines and self._size + len(line) > self._largest:
                raise JournalError(f"{self.waiting} documents wait in memory, no more are kept. {self.error}")
            self._lines.append(line)
            self._size += len(line)
        return self._attempt(thorough=self.error is not None)

    def tend(self) -> bool:
        """Write what waits, and see whether the file is there and on the disk; return whether it is."""
        return self._attempt(thorough=True)

    def close(self) -> None:
        """Try once more to write what waits, keep elsewhere what cannot be written, and close the file."""
        self.tend()
        if self._lines:
            self._keep_elsewhere()
        try:
            self._journal.close()
        except JournalError as error:
            logger.error("%s", error)

    def _keep_elsewhere(self) -> None:
        what = f"{self.waiting} documents ({_kinds(self._lines)}) of the run in {self._journal.path}"
        try:
            path = keep(self._journal.path, self._lines)
        except OSError as error:
            logger.error("%s are lost. %s They cannot be kept elsewhere either: %s", what, self.error, error)
        else:
            self._lines.clear()
            logger.error(
                "%s could not be written and are kept in %s: make room, and open the catalog again on this computer. "
                "%s", what, path, self.error,
            )  # fmt: skip

    def _attempt(self, *, thorough: bool) -> bool:
        try:
            with self._guard:
                self._drain()
            if thorough:
                self._journal.sync()
        except JournalError as error:
            self.error = error
            return False
        if self.error is not None:
            self.error = None
            logger.warning("The journal %s is complete again: RE.resume() goes on.", self._journal.path)
        return True

    def _drain(self) -> None:
        while self._lines:
            self._journal.write(self._lines[0])
            self._size -= len(self._lines.popleft())


def _kinds(lines: Iterable[bytes]) -> str:
    """Say of how many documents of which kind these are the lines: "9 event, 1 stop"."""
    return ", ".join(f"{number} {kind}" for kind, number in Counter(decode(line)[0] for line in lines).items())
