"""PixelOptimizer: learns from pixels and proposes more; there is no bluesky in it."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.acquisition import acquisition_of
from bluesky_gp.gp import blas_threads, evaluations_due, theta_names
from bluesky_gp.grid import PixelGrid
from bluesky_gp.html import html_table
from bluesky_gp.optimizer.batch import Strategy
from bluesky_gp.optimizer.designs import Design
from bluesky_gp.optimizer.points import EXPOSURE, TIME
from bluesky_gp.optimizer.prior_mean import Mean
from bluesky_gp.optimizer.proposing import Proposer
from bluesky_gp.optimizer.recipe import Recipe
from bluesky_gp.optimizer.slips import names, rules
from bluesky_gp.optimizer.state import OptimizerState
from bluesky_gp.optimizer.stopping import NothingLearnt, StoppingRule
from bluesky_gp.optimizer.suggesting import SuggestIngest
from bluesky_gp.optimizer.timing import decision_seconds
from bluesky_gp.optimizer.told import Told, read_checkpoint
from bluesky_gp.overview import Overview
from bluesky_gp.protocols import Acquisition, MapAcquisition, Proposal
from bluesky_gp.typing import Floats


class PixelOptimizer(SuggestIngest):
    """Chooses the pixels of a grid that tell most about a target.

    Parameters
    ----------
    grid : PixelGrid
    target : str
        Key of the measured number in the points given to `ingest`.
    kernel : scikit-learn kernel, optional
        Length scales in pixels, amplitude and noise in standardised units (as with ``normalize_y=True``); fitted
        within its own bounds. Default: a rotated Matern 5/2, a share of it rough, with weakly informative priors.
    acquisition : callable or str, optional
        ``acquisition(mean, std, best, rng=rng) -> scores``, see `protocols.Acquisition`; or a
        `protocols.MapAcquisition`, which is given more; or a name, ``"ucb"``, as the command line has them.
    batch_size : int
    n_initial : int
        Pixels measured before the model is asked, as `initial` says.
    batch : float or callable, optional
        Share of a batch that the acquisition function chooses; the rest explores, see `batch.exploring`. None: of
        the expected improvement five of ten while they promise something, then three, see `batch.WhilePromising`; half
        of the batch of any other. Or another way to choose, see `batch.Strategy`.
    maximize : bool
        False: smaller targets are better.
    seed : int
        Of every random choice. The same history and seed give the same proposals.
    stopping : sequence of callable
        Rules that may end the run, see `stopping`. Default: `NothingLearnt`, where 30 pixels gave not one value.
    mean : optional
        Prior mean. None: a constant, estimated with the rest; 1 or 2: a polynomial of that degree, estimated; a float,
        a map of shape ``grid.shape`` or a callable of positions ``(n_pixels, ndim)``: known, in the target's unit.
    prior : mapping, optional
        Hyperparameters of an earlier map, taken as prior: ``{"theta": ..., "std": 0.5}``, theta as `gp_kernel_theta`
        in the record of a run with the same kernel, std the factor by which it may be off, as a logarithm.
    transform : scikit-learn transformer, optional
        With an inverse (PowerTransformer, QuantileTransformer, FunctionTransformer of log and exp), for targets whose
        distribution is skewed. What is handed out is in the target's unit all the same.
    outliers : float, optional
        Values further than this many standard deviations from what all others predict are given so much noise that
        they are just that far. None: no value is doubted, as a narrow peak looks like an outlier.
    others : iterable of str
        Keys of auxiliary quantities of the same points (a second target, or their spectra), for acquisition functions
        that look at them. Numbers are predicted by the target's kernel, with hyperparameters of their own.
    purpose : {"maximum", "map", "both"}, optional
        What the map is for, in place of `batch`: the share of a batch that the acquisition function chooses is then
        0.7, 0 and 0.5.
    min_distance : float
        Between any two pixels of a batch and those under way, in pixels; less where no pixel is left at that distance.
    resting : int
        Number of pixels, measured last, from which a batch keeps `min_distance` as well: around a pixel nothing is
        measured until so many others were. For samples that heat up, charge or burn.
    initial : {"random", "sobol", "grid", "poisson", "center", "overview"}, callable or sequence of pixels, optional
        The first pixels; `designs` says what the names mean. Default: "overview" where there is an image, which
        spreads them over what it shows, else "random". Random ones are drawn batch by batch, until there are
        `n_initial` or more; any other design is followed to `n_initial` pixels exactly, or as many as a list has.
    n_restarts : int, optional
        Starts of a fit of the hyperparameters beside the kernel's own values: those are chosen which the values make
        most probable. None: four for a kernel of your own, of which nobody knows how many optima it has; none for one
        with a `prior` and for the default, whose priors have few.
    numerics : {"0.3", "0.2", "0.1"}
        Version whose arithmetic is used: earlier ones are slower, and what a replay of their records takes.
    overview : array_like, mapping of names to such, or Overview, optional
        Image of the sample, taken before the map: the target may follow what it shows. How much, is learnt; an image
        that says nothing of the target is not used. See `Overview`.
    exposure : float, optional
        Seconds of the exposure that the kernel's noise belongs to. A point then says under ``exposure`` how long it was
        measured: of one that took four times as long the noise is half as large. None: all have one noise.
    time_kernel : float or scikit-learn kernel, optional
        For a target that changes while it is measured, by charging or a current: seconds within which it does so
        notably, or a kernel of seconds. What all values of a moment have in common is learnt beside the map, which is
        then the sample as it was on average. A point says under ``time`` when it was measured, by any clock.
    checkpoint : path, optional
        The file that `checkpoint()` writes and `from_checkpoint` reads.

    Examples
    --------
    >>> optimizer = PixelOptimizer(PixelGrid((20, 20)), "height", n_initial=4)
    >>> for _ in range(3):
    ...     points = optimizer.suggest(4)
    ...     optimizer.ingest([{**p, "height": -abs(p["row"] - 7.0) - abs(p["col"] - 12.0)} for p in points])
    >>> optimizer.state.n_measured
    12
    """

    def __init__(
        self,
        grid: PixelGrid,
        target: str,
        kernel: Kernel | None = None,
        acquisition: Acquisition | MapAcquisition | str | None = None,
        batch_size: int = 10,
        n_initial: int = 10,
        batch: float | Strategy | None = None,
        maximize: bool = True,
        seed: int = 0,
        stopping: Iterable[StoppingRule] = (NothingLearnt(),),
        *,
        mean: Mean = None,
        prior: Mapping[str, Any] | None = None,
        transform: Any = None,
        outliers: float | None = None,
        others: Iterable[str] = (),
        purpose: str | None = None,
        min_distance: float = 0.0,
        resting: int = 0,
        initial: str | Design | Iterable[Any] | None = None,
        n_restarts: int | None = None,
        numerics: str = "0.3",
        overview: Any = None,
        exposure: float | None = None,
        time_kernel: float | Kernel | None = None,
        checkpoint: str | Path | None = None,
    ) -> None:
        self.recipe = Recipe(
            PixelGrid.from_mapping(grid), target, kernel, acquisition_of(acquisition), batch_size, n_initial, batch,
            maximize, seed, rules(stopping), mean=mean, prior=prior, transform=transform, outliers=outliers,
            others=names("others", others), purpose=purpose, min_distance=min_distance, resting=resting,
            initial=initial, n_restarts=n_restarts, numerics=numerics, overview=Overview.of(overview),
            exposure=exposure, time_kernel=time_kernel,
        )  # fmt: skip
        self.grid, self.target, self.batch_size = self.recipe.grid, target, batch_size
        beside = {EXPOSURE: exposure, TIME: time_kernel}
        self.others = (*self.recipe.others, *(name for name, wanted in beside.items() if wanted is not None))
        self.exposure, self.acquisition = exposure, self.recipe.acquisition_function
        self._points = self.recipe.points()
        self._model = self.recipe.model()
        self._proposer = Proposer.of(self.recipe)
        self._state = self._model.beginning(target)
        self._told = Told(self._points, None if checkpoint is None else Path(checkpoint))

    @classmethod
    def of(cls, recipe: Recipe, *, checkpoint: str | Path | None = None) -> Self:
        """Make the optimizer that a recipe describes."""
        return cls(**{field.name: getattr(recipe, field.name) for field in fields(recipe)}, checkpoint=checkpoint)

    @classmethod
    def from_checkpoint(cls, path: str | Path, **given: Any) -> Self:
        """Make the optimizer that wrote a checkpoint, and tell it all that it was told; it goes on writing there.

        Parameters
        ----------
        path : path
        **given
            What the file has only the name of: `stopping`, functions of your own.
        """
        settings, batches = read_checkpoint(path)
        optimizer = cls.of(Recipe.of(settings, **given), checkpoint=path)
        for points, failures in batches:
            optimizer.ingest(points) if points else optimizer.register_failures(failures)
        return optimizer

    def __repr__(self) -> str:
        return f"PixelOptimizer({self.grid!r}, {self.target!r}): {self._state.summary}"

    def _repr_html_(self) -> str:
        rows = {
            "grid": self.grid,
            "target": self.target,
            "pixels": self._state.summary,
            "acquisition": self.recipe.acquisition_function,
        }
        return html_table("PixelOptimizer", {**rows, "kernel": self._state.fit.kernel})

    def describe(self) -> dict[str, Any]:
        """Return plain data for a start document: the recipe, see `Recipe.to_mapping`."""
        return self.recipe.to_mapping()

    def look(self, overview: Any) -> None:
        """Take an overview image in place of the one that there was, and learn again what is known.

        Parameters
        ----------
        overview : optional
            As `PixelOptimizer` takes it; None: no image any more.
        """
        recipe, known = replace(self.recipe, overview=Overview.of(overview)), self.points(self._state)
        model, proposer = recipe.model(), Proposer.of(recipe)
        self.recipe, self._model, self._proposer = recipe, model, proposer
        self._state = model.beginning(self.target)
        if known:
            self._state = self.learn(self._state, known, final=True)

    # -- what is known -------------------------------------------------------------------------------------------

    @property
    def state(self) -> OptimizerState:
        """All that was learnt, immutable."""
        return self._state

    @property
    def beginning(self) -> OptimizerState:
        """The state before the first pixel."""
        return self._model.beginning(self.target)

    def points(self, state: OptimizerState) -> list[dict[str, Any]]:
        """Return the pixels that a state has learnt, as points for `learn`; a failed pixel has a target of NaN."""
        return self._points.written(state.measurements)

    def restore(self, state: OptimizerState) -> None:
        """Go on from `state`."""
        self._state = state
        self._told.forget()

    @property
    def mean(self) -> Floats:
        """Posterior mean, shape ``grid.shape``, target's unit."""
        return self._state.mean

    @property
    def std(self) -> Floats:
        """Posterior standard deviation of the noise-free target, shape ``grid.shape``."""
        return self._state.std

    @property
    def best(self) -> dict[str, Any] | None:
        """The best measured pixel by the posterior mean, as in ``{"row": 7, "col": 23, "loop_area": 0.0062}``."""
        return self._state.best

    @property
    def theta_names(self) -> list[str]:
        """Name of each entry of ``state.theta``."""
        return theta_names(self._model.choice.kernel)

    # -- the pure half, for the agent ----------------------------------------------------------------------------

    def learn(
        self,
        state: OptimizerState,
        points: Sequence[Mapping[str, Any]],
        failures: Sequence[Mapping[str, Any]] = (),
        *,
        final: bool = False,
    ) -> OptimizerState:
        """Return the state after `points` were measured and `failures` failed; changes nothing.

        Parameters
        ----------
        final : bool
            Fit the hyperparameters to all values, even if the schedule says that a fit is not due.
        """
        new = self._points.measurements(points, failures, self.recipe.others)
        with blas_threads(state.n_attempted + len(new)):
            if len(new):
                seconds = max(self._points.seconds(point, state.diary.seconds) for point in (*points, *failures))
                state = state.noting(new, seconds)
            return self._model.learn(state, new, final=final)

    def propose(
        self, state: OptimizerState, num_points: int, *, pending: Sequence[int] = (), stopping: bool = True
    ) -> Proposal[OptimizerState]:
        """Choose at most `num_points` pixels, those `pending` (flat indices) counted as measured; changes nothing.

        With ``stopping=False`` no stopping rule is asked.
        """
        under_way = self._points.all_inside(pending)
        return self._proposer.propose(state, num_points, under_way, self.acquisition, stopping=stopping)

    def stop_reason(self, state: OptimizerState) -> str:
        """Why there is nothing more to measure; empty if there is."""
        return self._proposer.reason(state, state.candidates())

    # -- for people, in mid-run ----------------------------------------------------------------------------------

    def configured(self, settings: Mapping[str, Any]) -> Self:
        """Return the same optimizer with other settings of those that leave its states valid, see `CHANGEABLE`."""
        recipe, changed = self.recipe.changed(settings), copy(self)
        changed.recipe, changed.batch_size, changed.acquisition = recipe, recipe.batch_size, recipe.acquisition_function
        vars(changed)["_proposer"] = replace(self._proposer, recipe=recipe, strategy=recipe.strategy)
        return changed

    def barring(self, state: OptimizerState, barred: npt.NDArray[np.bool_] | None) -> OptimizerState:
        """Return the state from which nothing is proposed where `barred`, shape ``(n_pixels,)``, is True."""
        return replace(state, barred=barred)

    def expected_seconds(self, state: OptimizerState) -> float:
        """Return about how long the decision after `state` will take, when a batch has been measured."""
        n, size = state.n_measured + self.batch_size, self.grid.size
        return decision_seconds(size, n, self.batch_size, evaluations_due(self._model.choice, n, state.n_fitted))
