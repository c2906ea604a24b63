"""The contract of an acquisition function: the properties for which `PixelOptimizer` trusts one; run over any.

::

    from bluesky_gp.testing import AcquisitionContract

    class TestMine(AcquisitionContract):
        @pytest.fixture
        def acquisition(self):
            return MyAcquisition()
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern, WhiteKernel
from sklearn.preprocessing import PowerTransformer

from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer import PixelOptimizer
from bluesky_gp.protocols import Acquisition, MapAcquisition, Proposal
from bluesky_gp.typing import Floats

_SHAPE, _MEASURED, _BATCH = (9, 7), 12, 4
_SMOOTH = ConstantKernel(1.0, "fixed") * Matern(2.0, "fixed", nu=2.5)
_KERNEL = _SMOOTH + WhiteKernel(0.01, "fixed")
_STRIPED = np.add.outer(np.arange(9), np.arange(7)) % 3 == 0
_CASES: dict[str, dict[str, Any]] = {
    "one axis": {"grid": PixelGrid((40,))},
    "three axes": {"grid": PixelGrid((4, 5, 3))},
    "a mask": {"grid": PixelGrid(_SHAPE, mask=_STRIPED)},
    "smaller is better": {"maximize": False},
    "a transformation": {"transform": PowerTransformer(standardize=False)},
    "a polynomial trend": {"mean": 1},
    "a kernel that is not stationary": {"kernel": DotProduct() * 0.1 + _KERNEL},
    "no noise": {"kernel": _SMOOTH},
}
_TURNS: dict[str, Callable[[npt.NDArray[Any]], npt.NDArray[Any]]] = {
    "upside down": np.flipud,
    "mirrored": np.fliplr,
    "transposed": np.transpose,
    "turned": np.rot90,
}

AnyAcquisition = Acquisition | MapAcquisition


class AcquisitionContract:
    """Seven tests of an acquisition function; override the fixture `acquisition`."""

    @pytest.fixture
    def acquisition(self) -> AnyAcquisition:
        """Return the acquisition function under test."""
        raise NotImplementedError(f"{type(self).__name__}: override the fixture `acquisition`")

    def test_it_speaks_a_protocol(self, acquisition: AnyAcquisition) -> None:
        """A callable of mean, std, best and rng, or an object with a method `on`."""
        assert isinstance(acquisition, AnyAcquisition), f"{acquisition!r}: see bluesky_gp.protocols.Acquisition"

    @pytest.mark.parametrize("case", _CASES.values(), ids=_CASES)
    def test_it_has_a_number_for_every_pixel_that_may_be_proposed(
        self, acquisition: AnyAcquisition, case: dict[str, Any]
    ) -> None:
        """On one to three axes, with a mask, a transformation, a trend, any kernel, and without noise."""
        found = _taught(acquisition, **case)
        proposal = _proposed(found)
        scored = np.flatnonzero(np.isfinite(proposal.acquisition))
        candidates = found.state.candidates()
        assert np.array_equal(scored, candidates), (
            f"{acquisition!r}: {len(candidates) - len(np.intersect1d(scored, candidates))} of {len(candidates)} pixels "
            f"that may be proposed have no finite score"
        )
        chosen = set(found.grid.ravel(proposal.pixels).tolist())
        assert len(chosen) == _BATCH and chosen <= set(candidates.tolist())
        assert np.isfinite(proposal.scores).all()

    def test_it_leaves_what_it_is_given_as_it_is(self, acquisition: AnyAcquisition) -> None:
        """Mean and variance belong to the optimizer."""
        found = _taught(acquisition)
        posterior = found.state.posterior
        assert posterior is not None
        mean, variance = posterior.mean.copy(), posterior.variance.copy()
        _proposed(found)
        assert np.array_equal(mean, posterior.mean) and np.array_equal(variance, posterior.variance), (
            f"{acquisition!r} writes into the arrays that it is given: work on copies"
        )

    def test_it_is_repeated_by_its_seed(self, acquisition: AnyAcquisition) -> None:
        """Whatever is random comes from `rng`, or no run could be replayed."""
        first, again = (_proposed(_taught(acquisition, seed=1)) for _ in range(2))
        same = np.array_equal(first.acquisition, again.acquisition, equal_nan=True)
        assert same and np.array_equal(first.pixels, again.pixels), (
            f"{acquisition!r} gave two answers to one question: draw from the rng that it is given, keep no state"
        )

    @pytest.mark.parametrize(("shift", "scale"), [(1e3, 1.0), (0.0, 1e-9), (-7.0, 3e6)])
    def test_the_choice_does_not_depend_on_the_unit_of_the_target(
        self, acquisition: AnyAcquisition, shift: float, scale: float
    ) -> None:
        """Volts or millivolts, and wherever zero is. A function with a level in the target's unit overrides this."""
        values = _values()
        moved, here = (_places(_proposed(_taught(acquisition, values=v))) for v in (shift + scale * values, values))
        assert moved == here, (
            f"{acquisition!r} chose {moved} for values {scale:g} times as large and {shift:g} higher, {here} before: "
            f"it adds what has not the same unit, or knows where zero is"
        )

    def test_the_smallest_is_sought_as_the_largest_of_the_negative(self, acquisition: AnyAcquisition) -> None:
        """With ``maximize=False`` the mean comes with its sign changed: nothing is left to do."""
        values = _values()
        least = _places(_proposed(_taught(acquisition, values=values, maximize=False)))
        assert least == _places(_proposed(_taught(acquisition, values=-values))), f"{acquisition!r}"

    @pytest.mark.parametrize("turn", _TURNS.values(), ids=_TURNS)
    def test_a_mirrored_or_turned_map_gives_mirrored_or_turned_choices(
        self, acquisition: AnyAcquisition, turn: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
    ) -> None:
        """No direction is preferred; not asked of functions that draw at random."""
        one, other = (_proposed(_taught(acquisition, seed=seed)).acquisition for seed in (1, 2))
        if not np.array_equal(one, other, equal_nan=True):
            pytest.skip("it draws at random")
        numbers = np.arange(np.prod(_SHAPE)).reshape(_SHAPE)
        turned = turn(numbers)
        pixels = np.random.default_rng(3).choice(numbers.size, _MEASURED, replace=False)
        there = np.array([np.argwhere(turned == pixel)[0] for pixel in pixels])
        here = _proposed(_taught(acquisition, pixels=np.argwhere(numbers >= 0)[pixels]))
        moved = _proposed(_taught(acquisition, grid=PixelGrid(turned.shape), pixels=there))
        assert {turned[place] for place in _places(moved)} == {numbers[place] for place in _places(here)}, (
            f"{acquisition!r} chooses other pixels on a map that is turned"
        )
        np.testing.assert_allclose(moved.acquisition, turn(here.acquisition), rtol=1e-6)


def _values() -> Floats:
    return np.random.default_rng(5).standard_normal(_MEASURED)


def _taught(
    acquisition: AnyAcquisition,
    *,
    grid: PixelGrid | None = None,
    pixels: npt.NDArray[Any] | None = None,
    values: Floats | None = None,
    **options: Any,
) -> PixelOptimizer:
    """Return an optimizer whose batches are all the acquisition function's, with twelve pixels measured."""
    grid = PixelGrid(_SHAPE) if grid is None else grid
    options = {"kernel": _KERNEL, "batch_size": _BATCH, "n_initial": _BATCH, "batch": 1.0, **options}
    found = PixelOptimizer(grid, "height", acquisition=acquisition, **options)
    rng = np.random.default_rng(7)
    allowed = np.flatnonzero(grid.allowed)
    pixels = grid.unravel(rng.choice(allowed, _MEASURED, replace=False)) if pixels is None else pixels
    values = 3.0 + rng.standard_normal(_MEASURED) if values is None else values
    points = zip(pixels.tolist(), values.tolist(), strict=True)
    found.ingest([{**dict(zip(grid.axes, pixel, strict=True)), "height": value} for pixel, value in points])
    return found


def _proposed(found: PixelOptimizer) -> Proposal[Any]:
    return found.propose(found.state, _BATCH)


def _places(proposal: Proposal[Any]) -> list[tuple[int, ...]]:
    return sorted(map(tuple, proposal.pixels.tolist()))
