"""Products with the covariance of a lattice, by FFT.

======  ==========================================================  ==================
symbol  meaning                                                     shape
======  ==========================================================  ==================
n       pixels along each axis, N in all                            (ndim,)
kappa   covariance by lag                                           (2 n - 1) a side
lam     eigenvalues of the covariance, those nearly equal together  (k,)
w       how many there are of each, per pixel                       (k,)
======  ==========================================================  ==================
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.fft import fft, ifft, irfft, next_fast_len, rfft, rfftn

from bluesky_gp.gp.blas import processors
from bluesky_gp.typing import Floats, Indices

_BINS = 8.0  # of eigenvalues, for a factor of e
_LOWEST = 1e-9  # eigenvalue, relative to the largest, that is told from zero


@dataclass(frozen=True)
class LatticeProduct:
    """The covariance of all pixels with all, as one FFT convolution: O(N log N), nothing N x N is held."""

    shape: tuple[int, ...]
    padded: tuple[int, ...]
    spectrum: Floats  # of kappa, wrapped on the padded lattice; real, because kappa(-lag) = kappa(lag)

    @classmethod
    def from_table(cls, table: Floats, shape: tuple[int, ...], most: Indices | None = None) -> Self:
        """Take kappa over all lags, from ``-(n - 1)`` to ``n - 1`` on each axis.

        `most`: the largest lag along each axis at which it is not nothing, which needs less padding.
        """
        far = [n - 1 for n in shape] if most is None else most.tolist()
        padded = tuple(next_fast_len(n + lag, real=True) for n, lag in zip(shape, far, strict=True))
        wrapped = np.zeros(padded)
        wrapped[tuple(slice(0, 2 * lag + 1) for lag in far)] = table[
            tuple(slice(n - 1 - lag, n + lag) for n, lag in zip(shape, far, strict=True))
        ]
        wrapped = np.roll(wrapped, tuple(-lag for lag in far), axis=tuple(range(len(shape))))
        return cls(shape, padded, np.ascontiguousarray(rfftn(wrapped, workers=_workers(padded)).real))

    def __call__(self, field: Floats) -> Floats:
        """Return ``K_NN @ field``; shape ``(N,)`` or ``(k, N)``."""
        lattice = field.reshape(*field.shape[:-1], *self.shape)
        return np.asarray(self._back(self._forth(lattice)).reshape(field.shape))

    def of_pixels(self, S: Indices, weights: Floats) -> Floats:
        """Return ``K_NS @ weights``, shape ``(N,)``: they are laid out as they are transformed, padding included."""
        n, width = self.shape[-1], self.padded[-1]
        sides = (*self.shape[:-1], width)
        scattered = np.bincount(S // n * width + S % n, weights, minlength=int(np.prod(sides)))
        lattice = np.asarray(scattered, dtype=np.float64).reshape(sides)
        return np.asarray(self._back(self._forth(lattice)).ravel())

    @property
    def eigenvalues(self) -> tuple[Floats, Floats]:
        """Eigenvalues, those that are nearly equal put together, and how many there are of each, per pixel."""
        twice = np.full(self.spectrum.shape, 2.0)  # half of the frequencies of a real transform are left out
        twice[..., 0] = 1.0
        if self.padded[-1] % 2 == 0:
            twice[..., -1] = 1.0
        lam = np.maximum(self.spectrum, self.spectrum.max() * _LOWEST)
        bins = (np.log(lam / lam.max()) * -_BINS).astype(np.intp).ravel()
        number = np.bincount(bins, twice.ravel())
        total = np.bincount(bins, (twice * np.maximum(self.spectrum, 0.0)).ravel())
        used = number > 0.0
        return total[used] / number[used], number[used] / np.prod(self.padded)

    def _forth(self, lattice: Floats) -> npt.NDArray[np.complex128]:
        """Transform axis by axis: what is padded along the first axes is zero while the last is transformed."""
        workers = _workers(self.padded)
        transformed = rfft(lattice, self.padded[-1], axis=-1, workers=workers)
        for axis in range(-2, -len(self.shape) - 1, -1):
            transformed = fft(transformed, self.padded[axis], axis=axis, overwrite_x=True, workers=workers)
        transformed *= self.spectrum
        return np.asarray(transformed)

    def _back(self, transformed: npt.NDArray[np.complex128]) -> Floats:
        """Transform back axis by axis, and crop each as soon as it is done."""
        workers = _workers(self.padded)
        for axis in range(-len(self.shape), -1):
            transformed = ifft(transformed, axis=axis, overwrite_x=True, workers=workers)
            crop: Any = (..., slice(self.shape[axis]), *[slice(None)] * (-1 - axis))
            transformed = transformed[crop]
        return np.asarray(irfft(transformed, self.padded[-1], axis=-1, workers=workers)[..., : self.shape[-1]])


def _workers(shape: tuple[int, ...]) -> int:
    """Threads for an FFT: below a quarter of a million points one is faster."""
    return processors() if np.prod(shape) > 2**18 else 1


def sums_within(table: Floats, shape: tuple[int, ...]) -> Floats:
    """Sum a table over the lags, odd sides, over those that lead from each pixel to one of the lattice.

    The product with a field of ones, axis by axis by running sums.
    """
    for axis, n in enumerate(shape):
        far = table.shape[axis] // 2
        sums = np.zeros([side + (i == axis) for i, side in enumerate(table.shape)])
        np.cumsum(table, axis=axis, out=sums[(slice(None),) * axis + (slice(1, None),)])
        begin = np.maximum(far - np.arange(n), 0)
        end = np.minimum(far + np.arange(n, 0, -1), 2 * far + 1)
        table = np.take(sums, end, axis) - np.take(sums, begin, axis)
    return table
