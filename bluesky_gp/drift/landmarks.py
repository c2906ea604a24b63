r"""Landmarks: pixels measured again and again, and the displacement that their values tell.

======  ==============================================================  ==================
x, y    places of the sample measured at first, and their values        ``(m, 2)``, ``(m,)``
p, z    landmarks that are measured again, and their values now         ``(k, 2)``, ``(k,)``
e       displacement that is not corrected: z is of the place p - e     ``(2,)``, pixels
S       covariance of z, given y                                        ``(k, k)``
r       z less its mean, given y                                        ``(k,)``
======  ==============================================================  ==================

The Gaussian process of the map, given the values around the landmarks, says how probable z is for every e of a lattice
around the guess: ``exp(-(r' S^-1 r + log |S| + (e - guess)' P^-1 (e - guess)) / 2)``. Mean and covariance of e are sums
over the lattice, which is laid finer twice. Nothing is linearised, since a map may have a wall within a pixel, and
without ``log |S|`` the search would run to where S is large. Rasmussen & Williams, Gaussian Processes for Machine
Learning (2006), eqs. 2.25, 2.26.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, solve_triangular

from bluesky_gp.typing import Floats, Indices

CROSS = np.array([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]])
"""Pixels measured at first around a landmark: they tell how steep the map is there, and how bent."""

LIKE = 0.5
"""Least likeness of neighbouring pixels: else a value between two is not known, and noise looks like a shift."""

_APART = 2.0  # pixels between landmarks at least
_LEAST_NOISE = 1e-6
_SIDE = np.linspace(-1.0, 1.0, 17)  # of the lattice of displacements
_SIGMAS = 2.5  # to its edge
_FINER = 2  # times that it is laid finer


@dataclass(frozen=True, eq=False)
class MapModel:
    """The Gaussian process of a map, as far as landmarks need it."""

    covariance: Callable[[Floats, Floats], Floats]  # between places in pixels, without noise
    noise: float  # variance
    inward: Callable[[Floats], Floats]  # from the target's unit to that of the covariance

    @property
    def likeness(self) -> float:
        """Correlation of the values of neighbouring pixels, noise included, along the axis where it is least."""
        variance, *beside = self.covariance(np.zeros((1, 2)), np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))[0]
        return float(min(beside) / (variance + self.noise)) if variance + self.noise > 0.0 else 0.0


class Match(NamedTuple):
    """A displacement, and how it was found."""

    displacement: Floats  # (2,)
    covariance: Floats  # (2, 2)
    agreement: float  # 1: the values differ from those at the displaced places by no more than they may


def steepest(mean: Floats, noise_std: float, usable: npt.NDArray[np.bool_], number: int, window: float) -> Indices:
    """Return the pixels where a map is steepest, in different directions and apart from each other.

    Parameters
    ----------
    mean : Floats
        Shape ``grid.shape``, NaN where it is not known.
    noise_std : float
        Of a value.
    usable : ndarray of bool
        Pixels that may be measured, of the same shape.
    window : float
        Displacement that is possible, in pixels: what a direction is worth that the others do not tell.

    Returns
    -------
    Indices, shape (k, 2)
        As many as were asked for, or as there are.
    """
    inner = np.zeros_like(usable)
    inner[1:-1, 1:-1] = np.all([np.roll(usable, -step, axis=(0, 1)) for step in CROSS], axis=0)[1:-1, 1:-1]
    slopes = np.stack([np.gradient(mean, axis=axis) for axis in (0, 1)], axis=-1) / max(
        noise_std, 1e-3 * float(np.ptp(mean[np.isfinite(mean)])) or 1.0
    )
    pixels = np.argwhere(inner & np.isfinite(slopes).all(axis=-1))
    g, known = slopes[tuple(pixels.T)], np.eye(2) / (0.5 * window) ** 2
    free = np.ones(len(pixels), dtype=bool)
    chosen: list[int] = []
    while free.any() and len(chosen) < number:
        gains = np.where(free, np.einsum("ki,ij,kj->k", g, np.linalg.inv(known), g), -1.0)
        best = int(gains.argmax())
        chosen.append(best)
        known = known + np.outer(g[best], g[best])
        free &= np.linalg.norm(pixels - pixels[best], axis=1) >= _APART
    return np.asarray(pixels[chosen])


def matched(
    x: Floats, y: Floats, p: Floats, z: Floats, model: MapModel, guess: Floats, spread: Floats, window: float
) -> Match:
    """Return the displacement that explains the values z, where it is `guess` with covariance `spread` without them.

    Parameters
    ----------
    x, y, p, z : Floats
        As in the table of this file, values in the target's unit.
    window : float
        Farthest from the guess that is looked at, in pixels.
    """
    surface = _Surface.of(x, model.inward(y), model)
    values, prior = model.inward(z), np.linalg.inv(spread)
    center, covariance, misfit = guess, spread, 1.0
    for _ in range(1 + _FINER):
        tried = _lattice(center, covariance, window)
        chi, size = surface.chances(p, values, tried)
        apart = np.einsum("ni,ij,nj->n", tried - guess, prior, tried - guess)
        misfit = max(float(chi[np.argmin(chi + size + apart)]) / max(len(z) - 2, 1), 1.0)
        weight = -0.5 * (chi / misfit + size + apart)
        weight = np.exp(weight - weight.max())
        weight /= weight.sum()
        center = weight @ tried
        covariance = (tried - center).T @ ((tried - center) * weight[:, None]) + _LEAST_NOISE * np.eye(2)
    return Match(center, covariance, 1.0 / misfit)


def _lattice(center: Floats, covariance: Floats, window: float) -> Floats:
    """Return displacements to try, shape ``(n, 2)``, along the axes of the covariance."""
    variances, axes = np.linalg.eigh(covariance)
    half = np.minimum(_SIGMAS * np.sqrt(variances), window)
    steps = np.stack(np.meshgrid(_SIDE * half[0], _SIDE * half[1], indexing="ij"), axis=-1).reshape(-1, 2)
    return np.asarray(center + steps @ axes.T)


@dataclass(frozen=True, eq=False)
class _Surface:
    """The Gaussian process given the values at x, by the lower factor L of their covariance."""

    x: Floats
    L: Floats
    constant: float
    half: Floats  # L^-1 (y - constant)
    model: MapModel

    @classmethod
    def of(cls, x: Floats, y: Floats, model: MapModel) -> "_Surface":
        L = np.tril(cho_factor(_noisy(model.covariance(x, x.copy()), model), lower=True)[0])
        one, half = solve_triangular(L, np.stack([np.ones(len(y)), y], axis=1), lower=True).T
        constant = float(one @ half / (one @ one))
        return cls(x, L, constant, half - constant * one, model)

    def chances(self, p: Floats, z: Floats, tried: Floats) -> tuple[Floats, Floats]:
        """Return r' S^-1 r and log |S| for each displacement tried, shape ``(n,)`` each."""
        places = (p - tried[:, None]).reshape(-1, 2)
        cross = solve_triangular(self.L, self.model.covariance(self.x, places), lower=True)
        r = z - (self.constant + self.half @ cross).reshape(len(tried), len(p))
        parts = cross.reshape(len(self.x), len(tried), len(p)).transpose(1, 0, 2)
        S = _noisy(self.model.covariance(p, p.copy()), self.model) - parts.transpose(0, 2, 1) @ parts
        variances, axes = np.linalg.eigh(S)
        variances = np.maximum(variances, _LEAST_NOISE)
        along = np.einsum("nk,nkl->nl", r, axes)
        return np.sum(along**2 / variances, axis=1), np.sum(np.log(variances), axis=1)


def _noisy(covariance: Floats, model: MapModel) -> Floats:
    return covariance + max(model.noise, _LEAST_NOISE) * np.eye(len(covariance))
