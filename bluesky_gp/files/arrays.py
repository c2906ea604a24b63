"""Numpy's own files, ``.npy`` and ``.npz``, whose headers are checked before anything is read."""

import zipfile
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.files.limits import LARGEST, LONGEST, check_size

Header = tuple[tuple[int, ...], np.dtype[Any]]


def read_array(path: Path) -> npt.NDArray[Any]:
    """Return the array of a ``.npy`` file.

    Raises
    ------
    ValueError
        If it is none, holds objects, is shorter than its header says, or would fill the memory.
    """
    try:
        with path.open("rb") as stream:
            shape, dtype = header(stream)
            size = prod(shape) * dtype.itemsize
            if size > (left := path.stat().st_size - stream.tell()):
                raise ValueError(f"its header says {size} bytes of numbers, there are {left}")
            check_size("its array", shape, itemsize=dtype.itemsize)
            stream.seek(0)
            return np.asarray(np.load(stream, allow_pickle=False))
    except Exception as error:  # header, pickle and attribute errors alike: it is not such a file
        raise ValueError(f"file {path}: cannot be read as .npy: {error}") from error


def read_arrays(path: Path, *, largest: int = LARGEST) -> dict[str, Any]:
    """Return the arrays of an ``.npz`` file by name.

    Raises
    ------
    ValueError
        If it is none, holds objects, or would take more than `largest` bytes of memory.
    """
    # np.load leaves a broken file open; a bare .npy gives an array, which is no context manager
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        _check(file.zip, largest)
        return {key: file[key] for key in file.files}


def header(stream: Any) -> Header:
    """Return shape and type of numbers that a ``.npy`` header says."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    return shape, dtype


def _check(archive: zipfile.ZipFile, largest: int) -> None:
    """Raise ValueError unless spectra and axis are of one length and all members together fit into memory."""
    shapes = {}
    size = 0
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy")
        expected = member.file_size
        if name != member.filename:
            with archive.open(member) as stream:
                shapes[name], dtype = header(stream)
            expected = max(expected, prod(shapes[name]) * max(dtype.itemsize, 8))
        size += expected
        if size > largest:
            raise ValueError(f"{member.filename} would take {size / 2**30:.1f} GiB")
        check_size(member.filename, (expected // 8,), member.compress_size)
    if shapes.get("axis", (0,))[0:1] > (LONGEST,):
        raise ValueError(f"axis.npy has {shapes['axis'][0]} points, more than {LONGEST}")
