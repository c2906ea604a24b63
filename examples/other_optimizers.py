"""Optimizers of other people under `adaptive_map`: random pixels, Nelder-Mead of SciPy, gpCAM, Ax and Xopt.

Each function returns an optimizer that `bluesky_gp.optimizer.AskTell` drives; what it imports is installed beside
bluesky_gp, by hand or by ``benchmarks/other_optimizers.sh``.
"""

from typing import Any

import numpy as np
from scipy.optimize import minimize

from bluesky_gp import PixelGrid


class RandomPixels:
    """Random pixels: what an optimizer must beat, and the shortest one that can be driven."""

    def __init__(self, grid: PixelGrid, target: str, seed: int = 0) -> None:
        self.grid, self.rng = grid, np.random.default_rng(seed)

    def suggest(self, num_points: int | None = None) -> list[dict[str, float]]:
        """Return points anywhere in the grid."""
        places = self.rng.uniform(-0.5, np.array(self.grid.shape) - 0.5, (num_points or 1, self.grid.ndim))
        return [dict(zip(self.grid.axes, place, strict=True)) for place in places.tolist()]

    def ingest(self, points: Any) -> None:
        """Learn nothing."""


class _Wanted(Exception):  # noqa: N818 - no error: the way out of SciPy
    """The value at a pixel is wanted."""


class NelderMead:
    """SciPy's simplex, asked for one pixel at a time: it begins anew with what is known, up to what is not."""

    def __init__(self, grid: PixelGrid, target: str, seed: int = 0) -> None:
        self.grid, self.target = grid, target
        self.start = np.random.default_rng(seed).uniform(0, np.array(grid.shape) - 1)
        self.values: dict[tuple[int, ...], float] = {}

    def suggest(self, num_points: int | None = None) -> list[dict[str, int]]:
        """Return the pixel that the simplex wants next; none when it has converged."""
        sides = np.eye(self.grid.ndim) * np.array(self.grid.shape) / 3
        simplex = np.vstack([self.start, self.start + sides])
        bounds = [(0, n - 1) for n in self.grid.shape]
        try:
            minimize(self._cost, self.start, method="Nelder-Mead", bounds=bounds, options={"initial_simplex": simplex})
        except _Wanted as wanted:
            return [dict(zip(self.grid.axes, wanted.args[0], strict=True))]
        return []

    def ingest(self, points: Any) -> None:
        """Keep what was measured."""
        self.values |= {tuple(round(p[axis]) for axis in self.grid.axes): p[self.target] for p in points}

    def register_failures(self, points: Any) -> None:
        """Take a pixel that failed for a bad one."""
        self.ingest([{**point, self.target: -np.inf} for point in points])

    def _cost(self, place: Any) -> float:
        pixel = tuple(np.rint(place).astype(int).tolist())
        if pixel not in self.values:
            raise _Wanted(pixel)
        return -self.values[pixel]


class GpCAM:
    """gpCAM's optimizer behind suggest and ingest: five random points, then its expected improvement."""

    def __init__(self, grid: PixelGrid, target: str, seed: int = 0) -> None:
        self.grid, self.target = grid, target
        self.first = RandomPixels(grid, target, seed)
        self.x: list[list[float]] = []
        self.y: list[float] = []
        self.bounds = np.array([[0.0, n - 1.0] for n in grid.shape])

    def suggest(self, num_points: int | None = None) -> list[dict[str, float]]:
        """Return the maxima of the acquisition function."""
        if len(self.x) < 5:
            return self.first.suggest(num_points)
        from gpcam import GPOptimizer

        model = GPOptimizer(np.array(self.x), np.array(self.y))
        model.train(hyperparameter_bounds=np.array([[1e-3, 1e3], [1.0, 100.0], [1.0, 100.0]]), max_iter=20)
        asked = model.ask(self.bounds, n=num_points or 1, acquisition_function="expected improvement", vectorized=True)
        return [dict(zip(self.grid.axes, place, strict=True)) for place in np.asarray(asked["x"]).tolist()]

    def ingest(self, points: Any) -> None:
        """Keep what was measured."""
        self.x += [[point[axis] for axis in self.grid.axes] for point in points]
        self.y += [point[self.target] for point in points]


def ax(grid: PixelGrid, target: str, seed: int = 0) -> Any:
    """Return Ax, as bluesky-adaptive drives it."""
    from ax.api.configs import RangeParameterConfig
    from bluesky_adaptive.ax.optimizer import AxOptimizer

    parameters = [
        RangeParameterConfig(name=axis, bounds=(0, n - 1), parameter_type="float")
        for axis, n in zip(grid.axes, grid.shape, strict=True)
    ]
    return AxOptimizer(parameters=parameters, objective=target, client_kwargs={"random_seed": seed})


def xopt(grid: PixelGrid, target: str, seed: int = 0) -> Any:
    """Return Xopt's expected improvement, as bluesky-adaptive drives it."""
    from bluesky_adaptive.xopt.optimizer import XoptOptimizer
    from xopt import VOCS
    from xopt.generators.bayesian import ExpectedImprovementGenerator

    variables = {axis: [0.0, n - 1.0] for axis, n in zip(grid.axes, grid.shape, strict=True)}
    vocs = VOCS(variables=variables, objectives={target: "MAXIMIZE"})
    return XoptOptimizer(ExpectedImprovementGenerator(vocs=vocs))
