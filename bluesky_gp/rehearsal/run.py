"""One way to measure part of a map that is known: by an agent, at random or on a coarse grid, and what it gave."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from bluesky_gp.optimizer import PixelOptimizer, Random
from bluesky_gp.rehearsal.baselines import INPAINTING, coarse_grid, inpaint
from bluesky_gp.rehearsal.configuration import Configuration
from bluesky_gp.rehearsal.full_map import FullMap
from bluesky_gp.rehearsal.leave_one_out import predictions
from bluesky_gp.typing import Floats, Indices

_JUDGED = 40  # times in a run that the error of the map is computed: it takes as long as a decision
_FLOOR = 4096  # pixels from which the noise floor is estimated


@dataclass(frozen=True, eq=False)
class Run:
    """Best value and error of the map, by the number of pixels attempted."""

    method: str
    seed: int
    num: Indices  # (k,), pixels after which the map was judged
    error: Floats  # (k,), of the map then, in standard deviations of the map
    counts: Indices  # (p,), pixels after which ...
    best: Floats  # (p,), ... this was the best value measured: in standard deviations of the map, larger is better
    order: Indices  # (p,), flat indices of the pixels as they were measured; a coarse grid has none
    share: float = 0.0  # of the prior's variance that an overview image explained at the end
    coverage: Floats | None = None  # (k, 3), of spectrum space then, see `Coverage`; None: there are no spectra

    def first(self, goodness: float) -> int | None:
        """Return after how many pixels a value at least so good had been measured; None: it never was."""
        reached = self.best >= goodness
        return int(self.counts[np.argmax(reached)]) if reached.any() else None

    def error_after(self, num: int) -> float:
        """Return the error of the map after so many pixels."""
        return float(np.interp(num, self.num, self.error))

    def best_after(self, num: int) -> float:
        """Return the best value measured in so many pixels; -inf if there was none."""
        return float(np.max(self.best, where=self.counts <= num, initial=-np.inf))


def agent_run(full: FullMap, configuration: Configuration, seed: int, num: int) -> Run:
    """Let a `PixelOptimizer` measure `num` pixels."""
    optimizer = configuration.optimizer(full, seed)
    every = num / _JUDGED
    judged: list[tuple[int, float]] = []
    while points := optimizer.suggest(min(optimizer.batch_size, num - optimizer.state.n_attempted)):
        optimizer.ingest(full.points([point["_id"] for point in points]))
        n = optimizer.state.n_attempted
        if n == num or not judged or n >= judged[-1][0] + every:
            judged.append((n, full.error(predictions(optimizer.state))))
    contribution = optimizer.state.fit.contribution
    run = _run(full, configuration.name, seed, judged, optimizer.state.pixels)
    return run if contribution is None else replace(run, share=contribution.share)


def random_runs(full: FullMap, seed: int, num: int) -> list[Run]:
    """Measure random pixels, and predict the others by a Gaussian process and by inpainting."""
    order = Random()(full.grid, num, rng=np.random.default_rng([seed, 2]))
    optimizer = PixelOptimizer(full.grid, full.target, maximize=full.maximize)

    def learnt(pixels: Indices) -> Floats:
        state = optimizer.state
        optimizer.restore(optimizer.learn(state, full.points(pixels[state.n_attempted :]), final=True))
        return np.asarray(optimizer.mean.ravel())

    predictors: dict[str, Callable[[Indices], Floats]] = {
        "GP": learnt,
        INPAINTING: partial(_inpainted, full),
    }
    return [
        _run(full, f"random pixels, {name}", seed, _judged(full, [order[:n] for n in _counts(num)], predict), order)
        for name, predict in predictors.items()
    ]


def coarse_runs(full: FullMap, seed: int, num: int) -> list[Run]:
    """Measure evenly spaced pixels, the more the closer, and predict the others as `random_runs` does."""
    rng = np.random.default_rng([seed, 3])
    grids = [coarse_grid(full.grid, n, rng) for n in _counts(num)]
    best = [float(np.nanmax(np.append(full.goodness[pixels], -np.inf))) for pixels in grids]
    predictors: dict[str, Callable[[FullMap, Indices], Floats]] = {
        "GP": _modelled,
        INPAINTING: _inpainted,
    }
    runs = []
    for name, predict in predictors.items():
        counted, error = np.array(_judged(full, grids, partial(predict, full))).T
        counts = counted.astype(np.intp)
        nothing = np.empty(0, dtype=np.intp)
        covered = _coverage(full, grids)
        runs.append(Run(f"coarse grid, {name}", seed, counts, error, counts, np.array(best), nothing, coverage=covered))
    return runs


def noise_floor(full: FullMap) -> float:
    """Return the error with which each pixel is predicted from all others: no number of points gives less.

    Of the middle of the map, where it has many pixels.
    """
    part = full.window(_FLOOR)
    optimizer = PixelOptimizer(part.grid, part.target, maximize=part.maximize)
    attempted = np.flatnonzero(part.grid.allowed)
    return part.error(predictions(optimizer.learn(optimizer.state, part.points(attempted), final=True)))


def _run(full: FullMap, method: str, seed: int, judged: list[tuple[int, float]], order: Indices) -> Run:
    num, error = np.array(judged).T
    found = np.maximum.accumulate(np.nan_to_num(full.goodness[order], nan=-np.inf))
    counts = num.astype(np.intp)
    covered = _coverage(full, [order[:n] for n in counts])
    return Run(method, seed, counts, error, np.arange(1, len(order) + 1), found, order, coverage=covered)


def _coverage(full: FullMap, samples: list[Indices]) -> Floats | None:
    return None if full.space is None else np.array([full.space.coverage(pixels) for pixels in samples])


def _counts(num: int) -> list[int]:
    """Numbers of pixels at which a baseline is judged, closer to each other than people would choose them."""
    return sorted({max(4, round(num * 2.0 ** (-k / 2))) for k in range(8)})


def _judged(full: FullMap, samples: list[Indices], predict: Callable[[Indices], Floats]) -> list[tuple[int, float]]:
    """Judge by the pixels that were not measured: a fair sample, as nobody chose by values."""
    return [(len(pixels), full.error(predict(pixels), without=pixels)) for pixels in samples]


def _inpainted(full: FullMap, pixels: Indices) -> Floats:
    known = np.full(full.grid.size, np.nan)
    known[pixels] = full.flat[pixels]
    return inpaint(known.reshape(full.grid.shape)).ravel() if np.isfinite(known).any() else known


def _modelled(full: FullMap, pixels: Indices) -> Floats:
    optimizer = PixelOptimizer(full.grid, full.target, maximize=full.maximize)
    return np.asarray(optimizer.learn(optimizer.state, full.points(pixels), final=True).mean.ravel())
