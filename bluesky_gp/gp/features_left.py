r"""The posterior covariance of pixels that share features, in two parts: one near each pixel, and one of low rank.

======  ========================================================  ============
symbol  meaning                                                   shape
======  ========================================================  ============
S       flat indices of the measured pixels                       (m,)
b_p     covariance of pixel p with all by the lattice, given S    (N,)
G, C    what the features add to it, given S, is G C G^T          (N, r), (r, r)
g_f     gain of each pixel taken as measured since                (N,)
w, z    weights of the b_f and of G in a gain                     (k,), (r,)
======  ========================================================  ============

.. math:: b_p + G C G_p^T - \sum_f g_f(p) \, g_f, \qquad g_f = \sum_{f' \le f} w_{f'} b_{f'} + G z

On a large lattice each b_p is nothing outside a small window, so that a column takes a product with G and a few
windows, where the sum of both kernels takes a solution with all of S and an FFT of the whole lattice.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, Self

import numpy as np
from scipy.linalg import pinvh

from bluesky_gp.gp.window import Window
from bluesky_gp.typing import Floats, Indices


class NearColumns(Protocol):
    """Columns inside windows; implemented by every `Covariance`."""

    def near_column(self, pixel: int, S: Indices, noise: Floats) -> tuple[Window, Floats] | None:
        """See `Covariance`."""
        ...


class Taken(NamedTuple):
    """A pixel taken as measured: b_p inside its window, and what its gain is made of."""

    pixel: int
    window: Window
    column: Floats  # of the window's shape
    w: Floats  # of this pixel and those taken before it, its own the last
    z: Floats  # (r,)
    noise: float = 0.0  # variance

    def at(self, pixel: int) -> float:
        """Return b_p at a pixel."""
        return self.window.at(self.column, pixel) if self.window.holds(pixel) else 0.0


@dataclass(frozen=True)
class FeaturesLeft:
    """What is left of the features, given the measured pixels, and those taken as measured."""

    base: NearColumns = field(repr=False)
    S: Indices
    noise: Floats  # (m,), of S, beside the kernel's
    G: Floats = field(repr=False)  # column by column: its products take two thirds of the time
    C: Floats = field(repr=False)
    taken: tuple[Taken, ...] = ()

    def column(self, pixel: int) -> tuple[Floats, Taken] | None:
        """Return the covariance of a pixel with all, shape ``(N,)``, and what it is made of.

        None where b_p is something outside a window too.
        """
        near = self.base.near_column(pixel, self.S, self.noise)
        if near is None:
            return None
        mine = Taken(pixel, *near, *self._made_of(pixel))
        column = self.G @ mine.z
        for each, weight in zip((*self.taken, mine), mine.w, strict=True):
            each.window.of(column)[...] += weight * each.column
        return column, mine

    def _made_of(self, pixel: int) -> tuple[Floats, Floats]:
        there, features = np.array([each.at(pixel) for each in self.taken]), self.G[pixel]
        w, z = np.append(np.zeros(len(self.taken)), 1.0), self.C @ features
        for k, each in enumerate(self.taken, start=1):
            gain = float(each.w @ there[:k] + each.z @ features)
            w[:k] -= gain * each.w
            z -= gain * each.z
        return w, z

    def after(self, mine: Taken, std: float, noise: float) -> Self:
        """Return what is left when a pixel has been taken as measured, with that noise: `std` with its variance."""
        return replace(self, taken=(*self.taken, mine._replace(w=mine.w / std, z=mine.z / std, noise=noise)))

    def observed(self, S: Indices, noise: Floats) -> Self:
        """Return what is left when those taken have been measured; S, noise: all measured pixels then.

        What the lattice knows of them is taken off G, then what they say of the features off C.
        """
        if not self.taken:
            return self
        pixels = [each.pixel for each in self.taken]
        B = np.array([[each.at(pixel) for pixel in pixels] for each in self.taken])
        A = 0.5 * (B + B.T) + np.diag([each.noise for each in self.taken])  # singular if one is taken twice, noiseless
        H, G = self.G[pixels], self.G.copy(order="F")
        lattice = G.T.reshape(-1, *self.taken[0].window.lattice)
        for each, weights in zip(self.taken, pinvh(A) @ H, strict=True):
            lattice[:, *each.window.spans] -= np.multiply.outer(weights, each.column)
        known = H @ self.C
        C = self.C - known.T @ pinvh(A + known @ H.T) @ known
        return replace(self, S=S, noise=noise, G=G, C=C, taken=())


class Nearest(NamedTuple):
    """Variance of all pixels by the measured ones near each, and what is left of features, where there are any."""

    variance: Floats  # (N,)
    left: FeaturesLeft | None = None
