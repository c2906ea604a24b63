"""The settings of a PixelOptimizer, as one value: checked, written into a start document, and read from one again."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.acquisition import ExpectedImprovement
from bluesky_gp.gp import KernelChoice, time_choice
from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.batch import Strategy, share_for, strategy_of
from bluesky_gp.optimizer.designs import Beginning, Design, Listed, OverImage, Random, design_of
from bluesky_gp.optimizer.model import BEFORE_0_3, NUMERICS, Model
from bluesky_gp.optimizer.points import Points
from bluesky_gp.optimizer.prior_mean import Mean
from bluesky_gp.optimizer.settings_again import made_again
from bluesky_gp.optimizer.slips import (
    check_acquisition,
    check_exposure,
    check_flag,
    check_kernel,
    check_mean,
    check_memory,
    check_prior,
    check_target,
    check_transform,
)
from bluesky_gp.optimizer.stopping import NothingLearnt, StoppingRule
from bluesky_gp.overview import FeatureGroups, Overview, Planes, feature_groups
from bluesky_gp.plain_data import describe, in_todays_words, make, make_setting
from bluesky_gp.protocols import Acquisition, MapAcquisition
from bluesky_gp.settings import check_number, check_whole

_RESTARTS = 4  # of 75 random kernels fits then find the optimum of 73, or a better one than 15 to 30 random starts
_OBJECTS = ("acquisition", "batch", "mean", "transform", "kernel", "initial", "time_kernel")  # made from descriptions
_NUMBERS = ("batch_size", "n_initial", "maximize", "seed")
# A record may lack them.
_OPTIONS = ("prior", "outliers", "others", "min_distance", "resting", "n_restarts", "numerics", "exposure")
_NEEDED = ("grid", "optimizer_target", "kernel", "batch_size", "n_initial", "maximize", "seed")
CHANGEABLE = ("acquisition", "batch", "purpose", "batch_size", "min_distance", "stopping")
"""Settings that may be changed in mid-run: they say what is proposed, and nothing of what was learnt."""

_STOOD_FOR_MISSING = {
    "min_distance": 0.0, "resting": 0, "others": (), "initial": "random", "batch": 0.5, "n_restarts": 0,
    "numerics": "0.1",
}  # fmt: skip
"""Defaults of records that lack an entry, or have None for it: those before the entry came to be."""


@dataclass(frozen=True, eq=False)
class Recipe:
    """Settings of a `PixelOptimizer`, which describes each of them.

    Raises
    ------
    ValueError
        If one of them is out of range, or two contradict each other.
    """

    grid: PixelGrid
    target: str
    kernel: Kernel | None = None
    acquisition: Acquisition | MapAcquisition | None = None
    batch_size: int = 10
    n_initial: int = 10
    batch: float | Strategy | None = None
    maximize: bool = True
    seed: int = 0
    stopping: tuple[StoppingRule, ...] = (NothingLearnt(),)
    mean: Mean = None
    prior: Mapping[str, Any] | None = None
    transform: Any = None
    outliers: float | None = None
    others: tuple[str, ...] = ()
    purpose: str | None = None
    min_distance: float = 0.0
    resting: int = 0
    initial: Any = None
    n_restarts: int | None = None
    numerics: str = "0.3"
    overview: Overview | Planes | None = None
    exposure: float | None = None
    time_kernel: float | Kernel | None = None

    def __post_init__(self) -> None:
        for name, least in (("batch_size", 1), ("n_initial", 1), ("seed", 0)):
            check_whole("PixelOptimizer", name, getattr(self, name), least)
        check_memory(self.grid.shape)
        check_target(self.target)
        check_kernel(self.kernel)
        check_acquisition(self.acquisition)
        check_flag("maximize", self.maximize)
        check_mean(self.mean)
        check_prior(self.prior)
        check_transform(self.transform)
        if self.outliers is not None:
            check_number("PixelOptimizer", "outliers", self.outliers)
        if not (isinstance(self.min_distance, Real) and 0.0 <= self.min_distance < np.inf):
            raise ValueError(f"PixelOptimizer: min_distance must be a distance in pixels, got {self.min_distance!r}")
        check_whole("PixelOptimizer", "resting", self.resting, 0)
        check_exposure(self.exposure, self.overview)
        _ = self._time_choice
        if self.purpose is not None and self.batch is not None:
            raise ValueError(f"PixelOptimizer: give batch={self.batch!r} or purpose={self.purpose!r}, not both")
        if isinstance(design := self.design, Listed):  # any other lies on every grid
            design(self.grid, self.n_initial, rng=np.random.default_rng(0))
        if self.n_restarts is not None:
            check_whole("PixelOptimizer", "n_restarts", self.n_restarts, 0)
        if self.numerics not in NUMERICS:
            raise ValueError(f"PixelOptimizer: numerics is one of {', '.join(NUMERICS)}, got {self.numerics!r}")

    @property
    def restarts(self) -> int:
        """Number of starts of a fit beside the kernel's own values."""
        if self.n_restarts is not None:
            return self.n_restarts
        return 0 if self.kernel is None or self.prior is not None else _RESTARTS

    @property
    def acquisition_function(self) -> Acquisition | MapAcquisition:
        """The acquisition function; expected improvement unless another is given."""
        return ExpectedImprovement() if self.acquisition is None else self.acquisition

    @property
    def _choice(self) -> float | Strategy | None:
        """The share of a batch that pursues the target, or a way to choose it; None: the default of the rule."""
        return self.batch if self.purpose is None else share_for(self.purpose)

    @property
    def strategy(self) -> Strategy:
        """Strategy by which a batch is chosen."""
        return strategy_of(self._choice, self.acquisition_function)

    @property
    def design(self) -> Design:
        """The design of the first pixels."""
        if self.initial is None:
            return Random() if self.overview is None else OverImage()
        return design_of(self.initial)

    def beginning(self) -> Beginning:
        """Return the first pixels."""
        design = self.design
        if isinstance(design, OverImage):
            design = partial(design, image=None if self.groups is None else self.groups.U)
        return Beginning.of(design, self.grid, self.n_initial, self.seed)

    @cached_property
    def planes(self) -> Planes | None:
        """The overview image on the grid; None: there is none."""
        return None if self.overview is None else self.overview.on(self.grid)

    @cached_property
    def groups(self) -> FeatureGroups | None:
        """Features of the overview image."""
        if self.planes is None:
            return None
        return feature_groups(self.planes, by_lines=self.numerics not in BEFORE_0_3)

    @cached_property
    def _time_choice(self) -> KernelChoice | None:
        return None if self.time_kernel is None else time_choice(self.time_kernel)

    def points(self) -> Points:
        """Return the reader and writer of points."""
        return Points(self.grid, self.target, self.exposure, timed=self.time_kernel is not None)

    def model(self) -> Model:
        """Return the model: kernel, mean, transformation and the treatment of outliers."""
        return Model.of(
            self.grid,
            kernel=self.kernel,
            prior=self.prior,
            n_restarts=self.restarts,
            numerics=self.numerics,
            mean=self.mean,
            transform=self.transform,
            outliers=self.outliers,
            maximize=self.maximize,
            groups=self.groups,
            time=self._time_choice,
        )

    @cached_property
    def _plain_choice(self) -> KernelChoice:
        """The kernel without what an overview and time add: a record has these beside it."""
        return self.model().beliefs.plain

    def to_mapping(self) -> dict[str, Any]:
        """Return plain data for a start document, from which `of` makes the recipe again."""
        return {
            "grid": self.grid.to_mapping(),
            "optimizer_target": self.target,
            "kernel": describe(self._plain_choice.kernel),
            "default_kernel": self.kernel is None,
            "default_prior": self._default_prior(),
            "acquisition": describe(self.acquisition_function),
            "batch_size": int(self.batch_size),
            "n_initial": int(self.beginning().num),
            "initial": describe(self.design),
            "batch": describe(self.strategy if self._choice is None else self._choice),  # what None means may change
            "purpose": self.purpose,
            "min_distance": float(self.min_distance),
            "resting": int(self.resting),
            "maximize": bool(self.maximize),
            "seed": int(self.seed),
            "stopping": [describe(rule) for rule in self.stopping],
            "mean": describe(self.mean),
            "prior": describe(self.prior),
            "transform": describe(self.transform),
            "outliers": self.outliers,
            "n_restarts": self.restarts,
            "numerics": self.numerics,
            "others": list(self.others),
            **({} if self.exposure is None else {"exposure": float(self.exposure)}),
            **({} if self.time_kernel is None else {"time_kernel": describe(self.time_kernel)}),
            **({} if self.planes is None else {"overview": self.planes.to_mapping()}),
        }

    def changed(self, settings: Mapping[str, Any]) -> Self:
        """Return the recipe with other settings of those that may be changed in mid-run, plain data or objects.

        Raises
        ------
        TypeError, ValueError
            If it has no such setting, or the value does not fit.
        """
        if unknown := [name for name in settings if name not in CHANGEABLE]:
            raise ValueError(
                f"PixelOptimizer: {unknown[0]!r} cannot be changed in mid-run: {', '.join(CHANGEABLE)} can, got "
                f"{settings[unknown[0]]!r}"
            )
        settings = {name: made_again(name, value) for name, value in settings.items()}
        shares = dict.fromkeys(("batch", "purpose")) if {"batch", "purpose"} & settings.keys() else {}
        return replace(self, **{**shares, **settings})

    @classmethod
    def of(cls, entry: Mapping[str, Any], **given: Any) -> Self:
        """Read what `to_mapping` wrote, without stopping rules: a record says where its run ended.

        Parameters
        ----------
        entry : Mapping
            The entry ``gp`` of a start document.
        **given
            Settings of which the record has the name only.

        Raises
        ------
        ValueError
            If a setting cannot be made again and is not given, or the default kernel of today is another one.
        """
        missing = [name for name in _NEEDED if name not in entry]
        if missing:
            raise ValueError(
                f"the run does not describe a PixelOptimizer: its start document lacks {missing} under 'gp'"
            )
        recorded = {name: make_setting(name, entry.get(name)) for name in _OBJECTS if name not in given}
        if entry.get("default_kernel"):
            recorded["kernel"] = None
        settings = {
            **{name: entry[name] for name in _NUMBERS},
            **{name: entry.get(name) for name in _OPTIONS},
            **recorded,
            "overview": Planes.from_mapping(entry["overview"]) if entry.get("overview") else None,
        }
        earlier = {name: value for name, value in _STOOD_FOR_MISSING.items() if settings.get(name) is None}
        own = {name: value for name, value in given.items() if name in {field.name for field in fields(cls)}}
        try:
            recipe = cls(
                PixelGrid.from_mapping(entry["grid"]),
                entry["optimizer_target"],
                **{"stopping": (), **settings, **earlier, **own},
            )
            recipe._check_kernel(entry)
        except TypeError as error:
            raise ValueError(f"the run's settings cannot be made again: {error}") from error
        return recipe

    def _default_prior(self) -> Any:
        """The priors that go with the default kernel, as plain data; None where a user chose kernel or prior."""
        chosen = self.kernel is not None or self.prior is not None
        return None if chosen else describe(self._plain_choice.prior)

    def _check_kernel(self, entry: Mapping[str, Any]) -> None:
        """Raise if a run had the default kernel, and that or its priors are others today.

        Records of version 0.1.0 lack the priors.
        """
        if self.kernel is not None:
            return
        recorded, today = in_todays_words(entry["kernel"]), describe(self._plain_choice.kernel)
        prior = entry.get("default_prior")
        if recorded != today or prior not in (None, self._default_prior()):
            raise ValueError(
                f"the run had the default kernel of its day, {make(recorded)}, with priors of its own, and today's "
                f"is {make(today)}: replay it with the version of bluesky_gp that recorded it"
            )
