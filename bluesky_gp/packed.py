"""Arrays as text, for documents that are plain data: every bit of them, NaN included."""

from base64 import b64decode, b64encode

import numpy as np

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
