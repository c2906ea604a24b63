r"""Goals: any question to the map that a function answers with a mask, and where to measure to answer it.

======  =================================================================  =====
symbol  meaning                                                            shape
======  =================================================================  =====
X       pixels that the filter picks of one joint sample of the map        (n,)
C       posterior covariance                                               (N, N)
W       L^-1 C(X, all), L L^T = C(X, X): what the sample's values at X     (n, N)
        take off the variance is the sum of its squares
s       joint samples                                                      ()
======  =================================================================  =====
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_erosion

from bluesky_gp.acquisition.sampling import joint_samples
from bluesky_gp.gp import CholeskySolver
from bluesky_gp.protocols import AcquisitionContext, Fantasy, Posterior
from bluesky_gp.settings import check_number, check_whole
from bluesky_gp.typing import Floats, Indices

Mask = npt.NDArray[np.bool_]
Filter = Callable[[Floats], Mask]

_ENTRIES = 4_000_000  # of W in all samples: 32 MB
_BLOCK = 5e9  # operations that the covariance of X with all may take at once
_LEAST_NOISE = 1e-12  # of a sample's value, relative to the largest variance


@dataclass(frozen=True)
class Top:
    """The largest values: a share of all pixels.

    Parameters
    ----------
    share : float
        0.01 is one in a hundred; one pixel at least.
    largest : bool
        False: the smallest.
    """

    share: float = 0.01
    largest: bool = True

    def __post_init__(self) -> None:
        check_number("Top", "share", self.share, above=0.0)

    def __call__(self, values: Floats) -> Mask:
        """Return the pixels that are meant, shape of the map."""
        ranked = np.sort((values if self.largest else -values)[np.isfinite(values)])
        count = max(1, round(self.share * len(ranked)))
        return np.asarray((values if self.largest else -values) >= ranked[-count])


@dataclass(frozen=True)
class Within:
    """All pixels that are nearly as large as the largest.

    Parameters
    ----------
    share : float
        By how much of the map's range, from the smallest to the largest, they may be less: 0.05 is 5 %.
    largest : bool
        False: nearly as small as the smallest.
    """

    share: float = 0.05
    largest: bool = True

    def __post_init__(self) -> None:
        check_number("Within", "share", self.share, above=0.0)

    def __call__(self, values: Floats) -> Mask:
        """Return the pixels that are meant, shape of the map."""
        low, high = np.nanmin(values), np.nanmax(values)
        margin = self.share * (high - low)
        return np.asarray(values >= high - margin if self.largest else values <= low + margin)


@dataclass(frozen=True)
class Above:
    """All pixels above a level, in the target's unit."""

    level: float

    def __post_init__(self) -> None:
        check_number("Above", "level", self.level)

    def __call__(self, values: Floats) -> Mask:
        """Return the pixels that are meant, shape of the map."""
        return np.asarray(values > self.level)


@dataclass(frozen=True)
class Boundary:
    """The boundary of the region above a level: its pixels that have a neighbour, along an axis, that is not above."""

    level: float

    def __post_init__(self) -> None:
        check_number("Boundary", "level", self.level)

    def __call__(self, values: Floats) -> Mask:
        """Return the pixels that are meant, shape of the map; the edge of the map, or of its mask, is no boundary."""
        above = values > self.level
        return np.asarray(above & ~binary_erosion(above | np.isnan(values), border_value=1))


@dataclass(frozen=True)
class Goal:
    r"""Information about the pixels that a filter picks of the whole map: those on which joint samples disagree.

    ``"info"``, InfoBAX, the information that a measurement y has of what the filter picks:

    .. math:: \frac{1}{2 s} \sum_i \log \frac{\mathrm{Var}(y)}{\mathrm{Var}(y \mid f(X_i) = f_i(X_i))}

    in nats, where :math:`X_i` are the pixels picked of sample i (Neiswanger, Wang & Ermon 2021, arXiv:2104.09460, sec.
    3); the standard deviation where no sample has any. ``"mean"``, MeanBAX: the standard deviation at the pixels picked
    of the posterior mean, zero elsewhere; everywhere once all of them are measured. ``"switch"``, SwitchBAX: MeanBAX,
    and InfoBAX once all of them are measured (Chitturi et al. 2024, npj Comput. Mater., s41524-024-01326-2, "Methods").

    Parameters
    ----------
    f : callable, optional
        ``f(map) -> mask``, both of the grid's shape, the map in the target's unit, NaN where the grid is masked. `Top`,
        `Within`, `Above`, `Boundary`, or a function of your own. Default: the best pixel in a hundred.
    method : {"info", "switch", "mean"}
        The last two go on inside a large region until all of it is measured, where "info" looks for its edge.
    num_samples : int
    num_pixels : int
        As many of the pixels of a sample, chosen at random, stand for all of them where there are more; fewer on grids
        of more than 5000 pixels, for the memory that they take.
    """

    f: Filter | None = None
    method: Literal["info", "switch", "mean"] = "info"
    num_samples: int = 20
    num_pixels: int = 40

    def __post_init__(self) -> None:
        if not (self.f is None or callable(self.f)):
            raise TypeError(f"Goal: f must be a callable f(map) -> mask, got {self.f!r}")
        if self.method not in ("info", "switch", "mean"):
            raise ValueError(f"Goal: method must be 'info', 'switch' or 'mean', got {self.method!r}")
        check_whole("Goal", "num_samples", self.num_samples, 1)
        check_whole("Goal", "num_pixels", self.num_pixels, 1)

    def on(self, context: AcquisitionContext) -> Floats:
        """Score pixels, shape ``(k,)``."""
        if self.method == "info":
            return self._information(context)
        picked = context.once(f"{self!r} picked", lambda: self.picked(context, context.posterior.mean))
        first = context.once(f"{self!r} pixels", lambda: context.pixels)  # those that could be chosen before any was
        chosen = [fantasy.pixel for fantasy in context.posterior.fantasies]
        if picked[np.setdiff1d(first, chosen)].any():
            return np.where(picked[context.pixels], context.std, 0.0)
        return context.std if self.method == "mean" else self._information(context)

    def picked(self, context: AcquisitionContext, values: Floats) -> Mask:
        """Return the pixels that the filter picks of a map, standardised, shape ``(N,)``."""
        allowed, shape = context.grid.allowed, context.grid.shape
        seen = np.where(allowed, context.sign * context.in_unit(values), np.nan)
        f = Top(largest=context.sign > 0.0) if self.f is None else self.f
        mask = np.asarray(f(seen.reshape(shape)))
        if mask.shape != shape or mask.dtype != np.bool_:
            raise ValueError(
                f"Goal: f must return a mask, booleans of shape {shape}, got {mask.dtype} of shape {mask.shape}"
            )
        return np.asarray(mask.ravel() & allowed)

    def _information(self, context: AcquisitionContext) -> Floats:
        paths: _Paths = context.once(f"{self!r} paths", lambda: self._paths(context))
        if not any(len(w) for w in paths.W):
            return context.std
        posterior, variance, gains = context.posterior, paths.variance, list[Floats]()
        noise = np.maximum(
            posterior.measured_std(context.pixels) ** 2 - posterior.variance[context.pixels], paths.least
        )
        for number in range(len(paths.fantasies_of(posterior))):
            gain = context.once(f"{self!r} gain {number}", partial(paths.gain, posterior, number, gains))
            gains.append(gain)
            variance = variance - gain**2
        conditioned = np.maximum(variance[:, context.pixels], 0.0) + noise
        return np.asarray(0.5 * (np.log(posterior.variance[context.pixels] + noise) - np.log(conditioned).mean(axis=0)))

    def _paths(self, context: AcquisitionContext) -> "_Paths":
        samples, posterior = joint_samples(context, self.num_samples), context.posterior
        n_pixels = max(1, min(self.num_pixels, _ENTRIES // samples.size))
        order = context.rng.permutation(context.grid.size)  # one for all samples: where they agree they share pixels
        picks = [order[self.picked(context, sample)[order]][:n_pixels] for sample in samples]
        return _Paths.of(posterior, picks, len(context.measured))


@dataclass(frozen=True, eq=False)
class _Paths:
    """The posterior of every sample, had the pixels that the filter picks of it the sample's values."""

    W: tuple[Floats, ...]  # s times (n, N)
    variance: Floats  # (s, N)
    n_fantasies: int  # those that it knows of
    least: float  # noise variance, at least

    @classmethod
    def of(cls, posterior: Posterior, picks: Sequence[Indices], n_measured: int) -> "_Paths":
        union = np.unique(np.concatenate(picks))
        columns = _columns(posterior, union, n_measured)
        least = _LEAST_NOISE * float(posterior.variance.max())
        W = tuple(_explained(columns[np.searchsorted(union, X)], X, least) for X in picks)
        taken = np.stack([np.square(w).sum(axis=0) for w in W])
        return cls(W, posterior.variance - taken, len(posterior.fantasies), least)

    def fantasies_of(self, posterior: Posterior) -> Sequence[Fantasy]:
        return posterior.fantasies[self.n_fantasies :]

    def gain(self, posterior: Posterior, number: int, gains: Sequence[Floats]) -> Floats:
        """Return the gain of a fantasy, counted from 0, on each sample's covariance, shape ``(s, N)``."""
        *before, fantasy = self.fantasies_of(posterior)[: number + 1]
        p = fantasy.pixel
        column = fantasy.gain * fantasy.std + sum(earlier.gain[p] * earlier.gain for earlier in before)
        columns = np.stack([column - w[:, p] @ w for w in self.W])
        for gain in gains[:number]:
            columns -= gain[:, p, None] * gain
        spread = np.sqrt(np.maximum(columns[:, p], 0.0) + max(fantasy.noise, self.least))
        return np.asarray(columns / spread[:, None])


def _columns(posterior: Posterior, pixels: Indices, n_measured: int) -> Floats:
    """Covariance of some pixels with all, shape ``(k, N)``: one block, or one after another where that is large."""
    every = np.arange(len(posterior.mean))
    if not len(pixels) or len(every) * n_measured**2 <= _BLOCK:
        return posterior.covariance(pixels, every)
    return np.stack([posterior.covariance_column(pixel) for pixel in pixels.tolist()])


def _explained(columns: Floats, X: Indices, least: float) -> Floats:
    if not len(X):
        return columns
    return CholeskySolver.factorise(columns[:, X] + least * np.eye(len(X))).half(columns)
