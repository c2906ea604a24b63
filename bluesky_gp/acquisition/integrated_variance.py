r"""Integrated variance: the whole map as well known as it can be.

======  =================================================================  =====
symbol  meaning                                                            shape
======  =================================================================  =====
C       posterior covariance of all pixels with all; never held            (N, N)
w       1 where a pixel counts, 0 where it is masked                       (N,)
q       sum over x' of w(x') C(x, x')^2                                    (N,)
g       gains of the pixels chosen since: C becomes C - g^T g              (r, N)
======  =================================================================  =====
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import numpy.typing as npt

from bluesky_gp.acquisition.sampling import gains
from bluesky_gp.gp import NO_VARIANCE
from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import AcquisitionContext, Posterior
from bluesky_gp.typing import Floats, Indices

_EXACT = 5e9  # operations that q may take: about a quarter of a second
_TILES = 4  # of the rows of C: by symmetry only 5 / 8 of it is computed
_FIELDS = 64  # products with C that an estimate of q takes
_FEWER = 16  # the same on large grids
_LARGE = 100_000  # pixels


@dataclass(frozen=True)
class IntegratedVariance:
    r"""Share of the map's variance, summed over all pixels, that a measurement removes.

    .. math:: \frac{\sum_{x'} C(x, x')^2}{\left( C(x, x) + \sigma_n^2 \right) \sum_{x'} C(x', x')}

    Cohn 1996, Neural Networks 9, 1071; Seo et al. 2000, IJCNN 3, 241, eq. 8 ("ALC"). Exact while N^2 m is less than
    5e9 (50 x 50 pixels, 800 of them measured). Above, the sums are estimated by the products of C with 64 fields of
    random signs, 16 on more than 100,000 pixels, each on pixels that are far apart (Hutchinson 1990; Tang & Saad 2012,
    "probing"): on trial maps 64 were 4 to 11 % off and 16 less than 40 %, and the pixel chosen by them worth 93 % of
    the best one, at least. The pixels of a batch change the sums exactly. With a transformation the variance is that of
    the transformed target.
    """

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``."""
        posterior, pixels = context.posterior, context.pixels
        w = context.grid.allowed.astype(np.float64)
        before, q = context.once(f"{self!r} sums", lambda: (posterior, _squares(context)))
        g = gains(posterior.fantasies[len(before.fantasies) :], len(w))
        for number, gain in enumerate(g):
            q = q - 2.0 * gain * context.once(f"{self!r} product {number}", partial(before.product, w * gain))
        q = q + np.einsum("rn,rs,sn->n", g, (g * w) @ g.T, g, optimize=True)
        removed = np.maximum(q[pixels], 0.0) / posterior.measured_std(pixels) ** 2
        return np.asarray(removed / max(float(w @ before.variance), NO_VARIANCE))


def _squares(context: AcquisitionContext) -> Floats:
    """Sums of the squares of the rows of C, masked columns left out, shape ``(N,)``; masked rows may be anything."""
    allowed = np.flatnonzero(context.grid.allowed)
    if len(allowed) ** 2 * len(context.measured) <= _EXACT:
        return _exact(context.posterior, allowed)
    return _estimated(context.posterior, context.grid, context.rng)


def _exact(posterior: Posterior, allowed: Indices) -> Floats:
    q = np.zeros(len(posterior.mean))
    for rows, block in posterior.covariance_tiles(allowed, _TILES):
        squares = np.square(block, out=block)
        q[allowed[rows]] += squares.sum(axis=1)
        q[allowed[rows[-1] + 1 :]] += squares[:, len(rows) :].sum(axis=0)
    return q


def _estimated(posterior: Posterior, grid: PixelGrid, rng: np.random.Generator) -> Floats:
    # The square of C times a field of signs is q plus products of C at two pixels of the field. These are few where
    # the pixels of a field are further apart than C reaches.
    signs = rng.choice([-1.0, 1.0], grid.size) * grid.allowed
    q = np.zeros(grid.size)
    for comb in _combs(grid.shape):
        q += np.square(posterior.product(np.where(comb, signs, 0.0)))
    return q


def _combs(shape: tuple[int, ...]) -> Iterator[npt.NDArray[np.bool_]]:
    """Yield masks that share the pixels of a lattice out, each with every n-th pixel along every axis."""
    step = round((_FEWER if np.prod(shape) > _LARGE else _FIELDS) ** (1.0 / len(shape)))
    offset = np.indices(shape).reshape(len(shape), -1) % step
    for first in product(*[range(min(step, n)) for n in shape]):
        yield np.all(offset == np.array(first)[:, None], axis=0)
