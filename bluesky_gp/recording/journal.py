"""A run's documents as lines of a file: every bit kept, readable up to the last complete line after any crash.

The first line names the format, every further one is a document, ``{"name": ..., "doc": ...}``, in the order in which
it was emitted, a rewind's repetitions included. Lines are ASCII JSON with two additions: ``NaN`` and ``Infinity`` as
Python's `json` writes them, and arrays as ``{"__ndarray__": <base64>, "dtype": <numpy's name>, "shape": [...]}`` in C
order (``"shape": null`` for a numpy scalar). Nothing is ever unpickled. As in any JSON, tuples come back as lists.
"""

import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args

from bluesky_gp.recording.codec import encode

__all__ = ["HEADER", "Fsync", "Journal", "JournalError", "check_fsync"]

Fsync = Literal["document", "second", "never"]

HEADER: Final = b'{"format":"bluesky_gp.journal","version":1}\n'


class JournalError(Exception):
    """A journal that cannot be written or is damaged; the message names the file and what to do."""


class Journal:
    """The file to which a run's documents are appended, each with one system call.

    Parameters
    ----------
    path : Path
        The file; it must not exist.
    fsync : {"document", "second", "never"}
        When the operating system is made to put the lines on the disk itself, which matters if the *computer* dies (a
        line is safe from the death of the process as soon as `append` returns): with each document (0.4 ms on a fast
        disk, tens of ms on a slow one), when `sync` is called (the catalog's thread does, once a second), or never.
    """

    def __init__(self, path: Path, *, fsync: Fsync = "second") -> None:
        check_fsync(fsync)
        self.path = path
        self.fsync: Fsync = fsync
        self._guard = threading.Lock()  # sync comes from another thread than close
        self._pen = threading.Lock()  # who writes; never held during a sync, which may take seconds
        self._size = 0  # bytes of complete lines
        self._torn = False  # part of a line may stand behind them
        with self._failures():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("x+b", buffering=0)
        try:
            self.write(HEADER)
        except JournalError:
            self._file.close()
            path.unlink(missing_ok=True)
            raise

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r}, fsync={self.fsync!r})"

    def append(self, name: str, doc: Mapping[str, Any]) -> None:
        """Write a document; on return a crash of this process cannot lose it."""
        self.write(encode(name, doc))

    def write(self, line: bytes) -> None:
        """Write what `encode` returned; after an error the file is as before, and the line may be written again."""
        with self._pen, self._failures():
            if self._torn:  # else this line would stand behind half of another one
                self._file.truncate(self._size)
                self._file.seek(self._size)
            self._torn = True
            rest = memoryview(line)
            while rest:
                rest = rest[self._file.write(rest) :]
            if self.fsync == "document":
                os.fsync(self._file.fileno())
            self._size += len(line)
            self._torn = False

    def sync(self) -> None:
        """Put on the disk what the operating system has of this file, unless the policy is never to.

        A file that somebody removed is written anew.
        """
        with self._guard, self._failures():
            if self._file.closed:
                return
            if not self.path.exists():
                self._write_anew()
            if self.fsync == "second":
                os.fsync(self._file.fileno())

    def close(self) -> None:
        """Finish writing; a second call does nothing."""
        try:
            self.sync()
        finally:
            with self._guard:
                self._file.close()

    def _write_anew(self) -> None:
        """Copy what can still be read of a file that has no name any more."""
        with self._pen:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file.seek(0)
            try:
                with self.path.open("xb") as copy:
                    shutil.copyfileobj(self._file, copy)
                new = self.path.open("r+b", buffering=0)
            except OSError:
                self.path.unlink(missing_ok=True)
                raise
            finally:
                self._file.seek(self._size)
            new.seek(self._size)
            self._file.close()
            self._file = new

    def _failures(self) -> "_NamesTheFile":
        return _NamesTheFile(self.path)


def check_fsync(fsync: str) -> None:
    """Raise ValueError if there is no such policy."""
    if fsync not in get_args(Fsync):
        raise ValueError(f"fsync must be one of {', '.join(map(repr, get_args(Fsync)))}, got {fsync!r}")


class _NamesTheFile:
    """Turns an OSError into a JournalError that says where it happened."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise JournalError(
                f"The journal {self._path} cannot be written: {error}. "
                f"Make room or rights in {self._path.parent}; what was written until now is safe."
            ) from error
