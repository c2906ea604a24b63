"""A journal that is written as soon as it can be: what a full disk does not take waits in memory, in order."""

import logging
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

from bluesky_gp.journal import Journal, JournalError
from bluesky_gp.lines import encode

__all__ = ["Backlog"]

logger = logging.getLogger(__name__)

_LARGEST = 2**28  # bytes that wait at most


class Backlog:
    """A journal, and the lines that it has not taken yet.

    The RunEngine's thread appends, the catalog's thread tends.

    Parameters
    ----------
    journal : Journal
        Where the lines go.
    largest : int
        How many bytes may wait.

    Attributes
    ----------
    error : JournalError or None
        What is wrong with the journal.
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
        """Try once more to write what waits, and close the file."""
        self.tend()
        if self._lines:
            logger.error("%d documents of the run in %s are lost. %s", self.waiting, self._journal.path, self.error)
        try:
            self._journal.close()
        except JournalError as error:
            logger.error("%s", error)

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
