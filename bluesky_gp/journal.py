"""A run's documents as lines of a file: every bit kept, readable up to the last complete line after any crash.

The first line names the format, every further one is a document, ``{"name": ..., "doc": ...}``, in the order in which
it was emitted, a rewind's repetitions included. Lines are ASCII JSON with two additions: ``NaN`` and ``Infinity`` as
Python's `json` writes them, and arrays as ``{"__ndarray__": <base64>, "dtype": <numpy's name>, "shape": [...]}`` in C
order (``"shape": null`` for a numpy scalar). Nothing is ever unpickled. As in any JSON, tuples come back as lists.
"""

import json
import os
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal
from uuid import uuid4

import numpy as np
import numpy.typing as npt

__all__ = ["Fsync", "Journal", "JournalError", "JournalReader", "decode", "encode", "finish_journal", "read_journal"]

Document = dict[str, Any]
Fsync = Literal["document", "second", "never"]

_ARRAY: Final = "__ndarray__"
_KEY: Final = f'"{_ARRAY}":'.encode()
_HEADER: Final = b'{"format":"bluesky_gp.journal","version":1}\n'
_LONGEST_LINE: Final = (
    2**30
)  # bytes: 100 maps of 1024 x 1024; a longer line is damage, and would be read into memory whole


class JournalError(Exception):
    """A journal that cannot be written or is damaged; the message names the file and what to do."""


def encode(name: str, doc: Mapping[str, Any]) -> bytes:
    """Return the line of a document, newline included.

    Raises
    ------
    TypeError
        If the document holds something that is neither JSON, a mapping nor a numpy array or scalar of plain values.
    ValueError
        If the document uses the key by which the journal marks arrays.
    """
    encoder = _Encoder(separators=(",", ":"))
    pieces = encoder.encode({"name": name, "doc": doc}).encode("ascii").split(_KEY)
    if len(pieces) != len(encoder.arrays) + 1:  # quotes inside a string are escaped, so only a key can look like this
        raise ValueError(f"A document may not have the key {_ARRAY!r}: rename it")
    # Put in afterwards, because json takes 16 ms to look for characters to escape in three maps of 512 x 512.
    line = [pieces[0]]
    for data, piece in zip(encoder.arrays, pieces[1:], strict=True):
        line += [_KEY, b'"', data, b'"', piece[1:]]
    return b"".join([*line, b"\n"])


def decode(line: bytes) -> tuple[str, Document]:
    """Return name and document of a line; raises ValueError if it is not one."""
    try:
        value = json.loads(line, object_hook=_restore)
        name, doc = value["name"], value["doc"]
    except Exception as error:  # json and numpy raise eight kinds at what was made to harm
        raise ValueError(f"not a document: {error!r}") from error
    if not isinstance(name, str) or not isinstance(doc, dict):
        raise ValueError("not a document: a name and a mapping are expected")
    return name, doc


class _Encoder(json.JSONEncoder):
    """JSON with a 0 in the place of each array's data; `arrays` has their base64 in the same order."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.arrays: list[bytes] = []

    def default(self, o: Any) -> Any:
        if isinstance(o, Mapping):
            return dict(o)
        if not isinstance(o, np.ndarray | np.generic):
            raise TypeError(
                f"The journal takes JSON values and numpy arrays, not {type(o).__name__} ({o!r:.80}): "
                "convert it where it is put into the document"
            )
        array = _plain(np.asanyarray(o))
        self.arrays.append(b64encode(array.tobytes()))
        return {
            _ARRAY: 0,
            "dtype": np.lib.format.dtype_to_descr(array.dtype),
            "shape": None if isinstance(o, np.generic) else array.shape,
        }


def _plain(value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError("The journal takes no masked array: give its data, or fill it with array.filled(nan)")
    if value.dtype.hasobject:
        raise TypeError(
            f"The journal takes no array of dtype {value.dtype}: make it numbers, booleans or plain strings"
        )
    return value


def _restore(value: Document) -> Any:
    return _array(value) if _ARRAY in value else value


def _array(value: Document) -> Any:
    """Return the array, read-only, or the numpy scalar, that the encoder described."""
    dtype = np.lib.format.descr_to_dtype(_tuples(value["dtype"]))
    if dtype.hasobject:
        raise ValueError("an array of objects is not read back")
    shape = value["shape"]
    data = b64decode(value[_ARRAY], validate=True)
    array: npt.NDArray[Any] = np.ndarray(tuple(shape or ()), dtype, buffer=data)
    if array.nbytes != len(data):
        raise ValueError(f"{len(data)} bytes are no array of shape {shape} and dtype {dtype}")
    return array[()] if shape is None else array


def _tuples(descr: Any) -> Any:
    """Undo what JSON does to the description of a structured dtype, a list of (name, type, shape)."""
    if not isinstance(descr, list):
        return descr
    return [(field[0], _tuples(field[1]), *(tuple(shape) for shape in field[2:])) for field in descr]


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
        self.path = path
        self.fsync: Fsync = fsync
        with self._failures():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb", buffering=0)
        self._guard = threading.Lock()  # sync comes from another thread than close
        self._size = 0
        self._write(_HEADER)

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r}, fsync={self.fsync!r})"

    def append(self, name: str, doc: Mapping[str, Any]) -> None:
        """Write a document; on return a crash of this process cannot lose it."""
        self._write(encode(name, doc))
        if self.fsync == "document":
            self._sync()

    def sync(self) -> None:
        """Make the operating system put on the disk what it has of this file, unless the policy is never to."""
        with self._guard:
            if self.fsync == "second" and not self._file.closed:
                self._sync()

    def close(self) -> None:
        """Finish writing; a second call does nothing."""
        self.sync()
        with self._guard:
            self._file.close()

    def _write(self, line: bytes) -> None:
        with self._failures():
            try:
                rest = memoryview(line)
                while rest:
                    rest = rest[self._file.write(rest) :]
            except OSError:
                self._file.truncate(self._size)  # else the next document would stand behind half of this one
                self._file.seek(self._size)
                raise
        self._size += len(line)

    def _sync(self) -> None:
        with self._failures():
            os.fsync(self._file.fileno())

    def _failures(self) -> "_NamesTheFile":
        return _NamesTheFile(self.path)


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
            At a line that is damaged; everything before it has been yielded.
        """
        with self.path.open("rb") as file:
            file.seek(self.offset)
            while (line := file.readline(_LONGEST_LINE)).endswith(b"\n"):
                self._line += 1
                document = self._parse(line)
                self.offset += len(line)
                if document is not None:
                    yield document
        if len(line) >= _LONGEST_LINE:
            raise JournalError(
                f"{self.path}, line {self._line + 1} is longer than {_LONGEST_LINE} bytes: it is damaged"
            )

    def _parse(self, line: bytes) -> tuple[str, Document] | None:
        if self._line == 1:
            if line != _HEADER:
                raise JournalError(f"{self.path} is no journal that this version reads: it begins with {line[:80]!r}")
            return None
        try:
            return decode(line)
        except ValueError as error:
            raise JournalError(f"{self.path}, line {self._line} is damaged: {error}") from error


def read_journal(path: str | os.PathLike[str]) -> Iterator[tuple[str, Document]]:
    """Yield name and document of each complete line of a journal, in the order in which they were emitted."""
    return JournalReader(Path(path)).read()


def finish_journal(path: Path) -> str:
    """Give a journal whose session died the stop document that it lacks, and return the uid of its run.

    Half a line at the end is cut off. Call it only while holding the journal's lock.

    Raises
    ------
    JournalError
        If the journal is damaged or holds no run.
    """
    reader = JournalReader(path)
    summary = _Summary()
    for name, doc in reader.read():
        try:
            summary.add(name, doc)
        except (KeyError, TypeError, ValueError) as error:
            raise JournalError(f"{path} holds a {name} document that is none: {error!r}.") from error
    if not summary.uid:
        raise JournalError(f"{path} has no start document: it holds no run, remove it.")
    if not summary.stopped:
        with path.open("r+b") as file:
            file.truncate(reader.offset)
            file.seek(reader.offset)
            file.write(encode("stop", summary.stop()))
            file.flush()
            os.fsync(file.fileno())
    return summary.uid


class _Summary:
    """What a stop document must say of the documents before it."""

    def __init__(self) -> None:
        self.uid = ""
        self.stopped = False
        self._time = 0.0
        self._streams: dict[str, str] = {}  # descriptor's uid -> name
        self._num_events: dict[str, int] = {}

    def add(self, name: str, doc: Document) -> None:
        if name == "start":
            self.uid = str(doc["uid"])
        elif name == "stop":
            self.stopped = True
        elif name == "descriptor":
            self._streams[doc["uid"]] = doc["name"]
        elif name in ("event", "event_page"):
            stream = self._streams[doc["descriptor"]]
            self._num_events[stream] = max([self._num_events.get(stream, 0), *_each(doc["seq_num"])])
        self._time = max([self._time, *_each(doc.get("time", 0.0))])

    def stop(self) -> Document:
        return {
            "uid": str(uuid4()),
            "time": self._time or time.time(),
            "run_start": self.uid,
            "exit_status": "abort",
            "reason": "The session ended before the run did; the end was added when its journal was taken in.",
            "num_events": self._num_events,
        }


def _each(value: Any) -> list[Any]:
    """Return the numbers of an event (one) or of an event page (any number)."""
    return value if isinstance(value, list) else [value]
