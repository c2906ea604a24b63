from dataclasses import replace

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, DotProduct, WhiteKernel

from bluesky_gp.gp import DenseCovariance, LatticeCovariance, Trend, covariance_of
from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.measurements import Measurements
from bluesky_gp.optimizer.model_fit import ModelFit
from bluesky_gp.optimizer.state import OptimizerState
from bluesky_gp.optimizer.units import AffineUnits

GRID = PixelGrid((5, 6), mask=np.eye(5, 6, dtype=bool))


def state(
    sign=1.0, kernel=None, center=102.0, *, values=(100.0, np.nan, 104.0), std=(0.0, 0.0, 0.0), extra=None, **fit
):
    covariance = covariance_of(RBF(2.0) + WhiteKernel(0.01) if kernel is None else kernel, GRID)
    known = Measurements.of(np.array([1, 10, 20]), np.array(values), np.array(std), {})
    doubted = known if extra is None else replace(known, extra_noise=np.array(extra))
    return OptimizerState(GRID, "height", ModelFit(AffineUnits(sign, center, 2.0), covariance, **fit), doubted)


def test_before_the_first_value_nothing_is_known():
    empty = OptimizerState(GRID, "height", ModelFit(AffineUnits(1.0), covariance_of(RBF(), GRID)))
    assert (empty.n_attempted, empty.n_measured, empty.n_failed, empty.fitted) == (0, 0, 0, False)
    assert empty.best is None
    assert empty.best_pixel is None
    assert np.isnan(empty.best_value)
    assert empty.mean.shape == empty.std.shape == (5, 6)
    assert np.isnan(empty.mean).all()
    assert np.isnan(empty.std).all()
    np.testing.assert_array_equal(empty.candidates(), np.flatnonzero(GRID.allowed))


def test_measured_and_failed_pixels_are_counted():
    assert (state().n_attempted, state().n_measured, state().n_failed) == (3, 2, 1)


def test_what_is_masked_measured_failed_or_pending_is_no_candidate():
    candidates = set(state().candidates(pending=[4, 5]).tolist())
    assert candidates == set(range(30)) - set(np.flatnonzero(GRID.mask).tolist()) - {1, 10, 20} - {4, 5}


@pytest.mark.parametrize(("kernel", "of_kind"), [(RBF(2.0), LatticeCovariance), (DotProduct(), DenseCovariance)])
def test_the_kernel_decides_the_kind_of_covariance(kernel, of_kind):
    assert isinstance(state(kernel=kernel + WhiteKernel(0.1)).rebuilt().posterior.prior, of_kind)


@pytest.mark.parametrize(("sign", "pixel", "value"), [(1.0, (3, 2), 104.0), (-1.0, (0, 1), 100.0)])
def test_maps_and_best_are_in_the_unit_of_the_target(sign, pixel, value):
    known = state(sign).rebuilt()
    assert known.best_pixel == pixel
    assert known.best_value == pytest.approx(value, abs=0.1)
    assert known.best == {"row": pixel[0], "col": pixel[1], "height": known.best_value}
    assert known.mean[pixel] == known.best_value
    assert known.std[4, 5] == pytest.approx(2.0, abs=0.2)  # far from every pixel
    assert known.noise_std == pytest.approx(0.2)


def test_smaller_is_better_is_the_negative_target():
    known, mirrored = state(-1.0).rebuilt(), state(values=-state().values, center=-102.0).rebuilt()
    np.testing.assert_array_equal(known.mean, -mirrored.mean)
    np.testing.assert_array_equal(known.std, mirrored.std)
    pixels = np.array([0, 7])
    for one, other in zip(known.on(known.posterior, pixels), mirrored.on(mirrored.posterior, pixels), strict=True):
        np.testing.assert_array_equal(one, other)


def test_acquisition_functions_see_the_unit_of_the_target():
    known, everywhere = state().rebuilt(), np.arange(30)
    mean, std, best = known.on(known.posterior, everywhere)
    np.testing.assert_allclose(mean, known.mean.ravel())
    np.testing.assert_allclose(std, known.std.ravel())
    assert best == known.best_value


def test_a_rebuilt_state_forgets_the_fantasies_and_keeps_the_trend():
    known = state().rebuilt(Trend.known(np.full(30, 0.5)))
    again = replace(known, ahead=known.posterior.condition(3, 1.0).foreseen).rebuilt()
    assert again.ahead is None
    np.testing.assert_array_equal(again.mean, known.mean)
    assert np.abs(known.mean - state().rebuilt().mean).max() > 0.01


def test_what_is_known_of_a_value_and_what_is_doubted_become_noise():
    known = state(std=[2.0, 0.0, 0.0], extra=[0.0, 0.0, 3.0]).rebuilt()
    np.testing.assert_allclose(known.posterior.noise, [1.0, 0.0, 3.0])


def test_what_was_approximated_or_doubted_is_said_in_words():
    assert state().method == ""
    doubted = state(extra=[0.0, 0.0, 3.0], n_fitted=2000, n_likelihood=1000).rebuilt()
    assert doubted.method == "likelihood of 1000 of 2000 pixels; noise added to [[3, 2]]"
