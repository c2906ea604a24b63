"""A box of a lattice, around a pixel whose covariance with all that lies outside is nothing."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from bluesky_gp.typing import Floats, Indices

Box = tuple[slice, ...]


@dataclass(frozen=True)
class Window:
    """Rows, columns (and so on) from `low` on, `sides` of them along each axis."""

    lattice: tuple[int, ...]
    low: tuple[int, ...]
    sides: tuple[int, ...]

    @classmethod
    def around(cls, pixel: int, lattice: tuple[int, ...], sides: tuple[int, ...]) -> Self:
        """Return the box whose centre is a pixel, or as near to it as the edges allow."""
        centre = np.unravel_index(pixel, lattice)
        low = (min(max(int(c) - s // 2, 0), n - s) for c, s, n in zip(centre, sides, lattice, strict=True))
        return cls(lattice, tuple(low), sides)

    def of(self, field: Floats) -> Floats:
        """Return the part of a field, shape ``(N,)``, that is inside; a view, of shape `sides`."""
        return field.reshape(self.lattice)[self.spans]

    def spread(self, part: Floats) -> Floats:
        """Return the field that is `part` inside and zero outside, shape ``(N,)``."""
        field = np.zeros(int(np.prod(self.lattice)))
        self.of(field)[...] = part
        return field

    def holds(self, pixel: int) -> bool:
        """Whether a pixel is inside."""
        at = self._at(pixel)
        return all(0 <= a < s for a, s in zip(at, self.sides, strict=True))

    def at(self, part: Floats, pixel: int) -> float:
        """Return what a part has at a pixel inside."""
        return float(part[self._at(pixel)])

    def rim(self, part: Floats) -> Floats:
        """Return what a part has along the edges behind which the lattice goes on, flat."""
        ends = [(axis, 0) for axis, low in enumerate(self.low) if low > 0]
        highs = np.add(self.low, self.sides)
        ends += [(axis, -1) for axis, high in enumerate(highs) if high < self.lattice[axis]]
        return np.concatenate([np.zeros(0), *(np.take(part, end, axis).ravel() for axis, end in ends)])

    def places(self, pixels: Indices) -> tuple[Indices, Indices]:
        """Return which of some pixels are inside, and the flat index in the box of each that is."""
        at = np.stack(np.unravel_index(pixels, self.lattice)) - np.array(self.low)[:, None]
        inside = np.flatnonzero(np.all((at >= 0) & (at < np.array(self.sides)[:, None]), axis=0))
        return inside, np.ravel_multi_index(tuple(at[:, inside]), self.sides)

    def common(self, other: "Window") -> tuple[Box, Box]:
        """Return where two boxes overlap, in each of them; empty where they do not."""
        pairs = list(zip(self.spans, other.spans, strict=True))
        spans = [(max(a.start, b.start), max(min(a.stop, b.stop), a.start, b.start)) for a, b in pairs]
        return self.inside(spans), other.inside(spans)

    @property
    def spans(self) -> Box:
        """Where the box is in the lattice."""
        return tuple(slice(a, a + side) for a, side in zip(self.low, self.sides, strict=True))

    def inside(self, spans: list[tuple[int, int]]) -> Box:
        """Return places of the lattice, from and to along each axis, as those of the box."""
        return tuple(slice(start - a, stop - a) for (start, stop), a in zip(spans, self.low, strict=True))

    def _at(self, pixel: int) -> tuple[int, ...]:
        return tuple(int(i) - a for i, a in zip(np.unravel_index(pixel, self.lattice), self.low, strict=True))
