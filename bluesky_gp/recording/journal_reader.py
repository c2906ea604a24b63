"""A journal read back, line by line, also while it grows."""

import os
from collections.abc import Iterator
from pathlib import Path

from bluesky_gp.recording.codec import LONGEST_LINE, Document, decode
from bluesky_gp.recording.journal import HEADER, JournalError

__all__ = ["JournalReader", "read_journal"]


class JournalReader:
    """Reads the complete lines of a journal, also while it grows: each `read` goes on where the last one ended."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self._line = 0

    def read(self) -> Iterator[tuple[str, Document]]:
        """Yield name and document of each complete line that has not been read yet.

        Raises
        ------
        JournalError
            At a line that is damaged; everything before it has been yielded. If it is a folder.
        """
        if self.path.is_dir():
            raise JournalError(f"{self.path} is a folder, and a journal is a file of it, a .jsonl")
        with self.path.open("rb") as file:
            file.seek(self.offset)
            while (line := file.readline(LONGEST_LINE)).endswith(b"\n"):
                self._line += 1
                document = self._parse(line)
                self.offset += len(line)
                if document is not None:
                    yield document
        if len(line) >= LONGEST_LINE:
            raise JournalError(f"{self.path}, line {self._line + 1} is longer than {LONGEST_LINE} bytes: it is damaged")

    def read_at(self, offset: int) -> tuple[str, Document]:
        """Return the document whose line begins at an offset, one that `read` was at; where it is does not change."""
        with self.path.open("rb") as file:
            file.seek(offset)
            return decode(file.readline(LONGEST_LINE))

    def _parse(self, line: bytes) -> tuple[str, Document] | None:
        if self._line == 1:
            if line != HEADER:
                raise JournalError(f"{self.path} is no journal that this version reads: it begins with {line[:80]!r}")
            return None
        try:
            return decode(line)
        except ValueError as error:
            raise JournalError(f"{self.path}, line {self._line} is damaged: {error}") from error


def read_journal(path: str | os.PathLike[str]) -> Iterator[tuple[str, Document]]:
    """Yield name and document of each complete line of a journal, in the order in which they were emitted."""
    return JournalReader(Path(path)).read()
