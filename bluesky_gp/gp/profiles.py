"""The reach of a covariance along each axis of a lattice."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from bluesky_gp.typing import Floats, Indices

NOTHING = 1e-5  # correlation


@dataclass(frozen=True)
class Profiles:
    """The largest covariance at each lag along each axis, whatever the lags along the others."""

    largest: tuple[Floats, ...]  # (n,) for each axis, from the longest lag to zero

    @classmethod
    def of(cls, table: Floats) -> Self:
        """Look through a table over the lags, shape ``2 n - 1``: through half of it, as the other half is the same."""
        half = np.abs(table[: table.shape[0] // 2 + 1])
        found = []
        for axis, n in enumerate(table.shape):
            each = half.max(axis=tuple(i for i in range(table.ndim) if i != axis))
            found.append(np.maximum(each, each[::-1])[: n // 2 + 1] if axis else each)
        return cls(tuple(found))

    def reach(self, nothing: float = NOTHING) -> Indices:
        """Return the largest lag along each axis at which there is more than this correlation."""
        far = [np.flatnonzero(each > nothing * each[-1]) for each in self.largest]
        return np.array(
            [len(each) - 1 - lags[0] if len(lags) else 0 for each, lags in zip(self.largest, far, strict=True)]
        )
