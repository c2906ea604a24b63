"""The spectra of a run as they are read: in memory while they are few, those of a long run in a temporary file."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from weakref import finalize

import numpy as np
import numpy.typing as npt

_HELD = 2**25  # bytes in memory, beyond which they go to the file
_BLOCK = 2**23  # bytes that are read from the file at once
_SPECTRA = "spectra"


class _Folder:
    """A temporary folder that is gone when nobody holds it any more."""

    def __init__(self) -> None:
        self.path = Path(mkdtemp(prefix="bluesky_gp-"))
        finalize(self, shutil.rmtree, self.path, ignore_errors=True)


class FiledRows(np.memmap[Any, Any]):
    """Rows of numbers in a file, read where they are looked at."""

    folder: _Folder | None = None  # of a part of the rows there is none


class KeptSpectra:
    """Spectra in the order in which they came."""

    def __init__(self) -> None:
        self._held: list[npt.NDArray[Any]] = []
        self._filed: list[tuple[int, np.dtype[Any]]] = []  # length and kind of each in the file
        self._folder: _Folder | None = None
        self._size = 0  # bytes held
        self.longest = 0  # channels

    def __len__(self) -> int:
        return len(self._filed) + len(self._held)

    def add(self, spectrum: npt.NDArray[Any]) -> None:
        """Take one more, shape ``(n_channels,)``."""
        self._held.append(spectrum)
        self._size += spectrum.nbytes
        self.longest = max(self.longest, len(spectrum))
        if self._size > _HELD:
            self._file()

    def rows(self, length: int) -> npt.NDArray[Any]:
        """Return them as rows of one length, NaN where a frame was cut short; a long run's stay in a file."""
        if self._folder is None:
            return rows_of(self._held, length)
        self._file()
        lengths, kinds = {each[0] for each in self._filed}, {each[1] for each in self._filed}
        if lengths == {length} and len(kinds) == 1:
            return self._mapped(_SPECTRA, kinds.pop(), length, "r")
        rows = self._mapped("rows", np.result_type(*kinds), length, "w+")
        for row, spectrum in zip(rows, self._read(self._folder), strict=True):
            row[: len(spectrum)], row[len(spectrum) :] = spectrum, np.nan
        return rows

    def _file(self) -> None:
        self._folder = self._folder or _Folder()
        with (self._folder.path / _SPECTRA).open("ab") as file:
            for spectrum in self._held:
                spectrum.tofile(file)
        self._filed += [(len(spectrum), spectrum.dtype) for spectrum in self._held]
        self._held, self._size = [], 0

    def _read(self, folder: _Folder) -> Iterator[npt.NDArray[Any]]:
        with (folder.path / _SPECTRA).open("rb") as file:
            for length, kind in self._filed:
                yield np.fromfile(file, kind, length)

    def _mapped(self, name: str, kind: np.dtype[Any], length: int, mode: Any) -> FiledRows:
        assert self._folder is not None  # noqa: S101
        rows = FiledRows(self._folder.path / name, kind, mode, shape=(len(self._filed), length))
        rows.folder = self._folder
        return rows


def rows_of(spectra: list[npt.NDArray[Any]], length: int) -> npt.NDArray[Any]:
    """Return spectra as rows of one length, NaN where a frame was cut short."""
    rows = np.full((len(spectra), length), np.nan, dtype=np.result_type(*spectra))
    for row, spectrum in zip(rows, spectra, strict=True):
        row[: len(spectrum)] = spectrum
    return rows


def blocks(rows: npt.NDArray[Any]) -> Iterator[tuple[slice, npt.NDArray[Any]]]:
    """Yield rows in blocks, and which they are: of those in a file so many at once as take little memory."""
    if not isinstance(rows, FiledRows) or rows.folder is None or rows.filename is None:
        yield slice(0, len(rows)), rows
        return
    length = rows.shape[1]
    most = max(1, _BLOCK // (length * rows.itemsize))
    for start in range(0, len(rows), most):
        number = min(most, len(rows) - start)
        # What is read through the map of the file would count as memory of the process.
        read = np.fromfile(rows.filename, rows.dtype, number * length, offset=start * length * rows.itemsize)
        yield slice(start, start + number), read.reshape(number, length)
