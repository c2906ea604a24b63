"""Arrays as text, for documents that are plain data: every bit of them, NaN included."""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from bluesky_gp.typing import Floats


def as_text(array: Floats) -> str:
    """Write an array of one axis: base64 of its little-endian bytes, in four bytes a number where that loses nothing.

    Examples
    --------
    >>> as_text(np.array([1.0, 2.5]))
    'f4:AACAPwAAIEA='
    """
    with np.errstate(over="ignore"):
        small = np.asarray(array, dtype="<f4")
    kind, kept = ("f4", small) if np.array_equal(small, array, equal_nan=True) else ("f8", np.asarray(array, "<f8"))
    return f"{kind}:{b64encode(kept.tobytes()).decode()}"


def from_text(text: str) -> Floats:
    """Read what `as_text` wrote.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    kind, _, packed = text.partition(":")
    if kind not in ("f4", "f8"):
        raise ValueError(f"an array in text begins with its kind, f4 or f8, got {text[:10]!r}")
    return np.frombuffer(b64decode(packed, validate=True), dtype=f"<{kind}").astype(np.float64)


def bits_as_text(mask: npt.NDArray[np.bool_]) -> str:
    """Write a mask: base64 of its bits, eight a byte, compressed.

    Examples
    --------
    >>> bits_from_text(bits_as_text(np.array([[True, False], [False, False]])), (2, 2)).tolist()
    [[True, False], [False, False]]
    """
    return b64encode(zlib.compress(np.packbits(mask).tobytes())).decode()


def bits_from_text(text: str, shape: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Read what `bits_as_text` wrote of a mask of that shape.

    Raises
    ------
    ValueError
        If it is damaged, or of another shape.
    """
    size = prod(shape)
    try:
        packed = zlib.decompressobj().decompress(b64decode(text, validate=True), -(-size // 8) + 1)
    except zlib.error as error:
        raise ValueError(f"a mask in text is damaged: {error}") from error
    if len(packed) != -(-size // 8):
        raise ValueError(f"a mask in text is not of the shape {tuple(shape)}")
    return np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=size).astype(bool).reshape(shape)
