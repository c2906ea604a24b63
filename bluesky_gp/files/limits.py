"""Sizes checked from a file's header, before anything is allocated: a kilobyte of a file can say a gigabyte."""

from math import prod

LARGEST = 2**33
"""Bytes of a file's spectra, as float64."""

LONGEST = 2**24
"""Points of an axis, and pixels of a map."""

_UNPACKED = 2**28  # bytes that may be unpacked from anything
_RATIO = 500  # of unpacked to stored bytes: sparse counts reach 100, zeros in a zip 1032


def check_size(name: str, shape: tuple[int, ...], stored: int | None = None, itemsize: int = 8) -> None:
    """Raise ValueError if an array would fill the memory.

    Parameters
    ----------
    name : str
        As the message calls the array.
    shape : tuple of int
    stored : int, optional
        Bytes that the file keeps of it: what unpacks to more than 500 times as many is refused.
    itemsize : int, optional
        Bytes of a number, in the file or in memory.
    """
    size = prod(int(n) for n in shape) * max(itemsize, 8)
    if size > LARGEST:
        raise ValueError(f"{name} would take {size / 2**30:.1f} GiB")
    if stored is not None and size > max(_UNPACKED, _RATIO * stored):
        raise ValueError(f"{name} would take {size / 2**30:.1f} GiB, unpacked from {stored} bytes")


def check_axis(name: str, size: int, expected: int) -> None:
    """Raise ValueError unless an axis has one point a channel or pixel, and not too many."""
    if size != expected:
        raise ValueError(f"{name} has {size} points for {expected} values")
    if size > LONGEST:
        raise ValueError(f"{name} has {size} points, more than {LONGEST}")
