"""Each pixel predicted from the others, against leaving each out in truth."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.rehearsal.leave_one_out import predictions

GRID = PixelGrid((9, 8))


def state_of(pixels, values, **options):
    optimizer = PixelOptimizer(GRID, "height", **options)
    points = [{"_id": int(pixel), "height": value} for pixel, value in zip(pixels, values, strict=True)]
    return optimizer.learn(optimizer.state, points)


def without(state, pixel):
    """The posterior mean at a pixel had it not been measured, with the same hyperparameters and units."""
    others = state.measurements.without(state.pixels == pixel)
    return replace(state, measurements=others).rebuilt(state.posterior.trend).mean.ravel()[pixel]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mean": 1},
        {"mean": 0.3},
        {"maximize": False},
        {"kernel": ConstantKernel() * Matern([3.0, 2.0], nu=2.5) + WhiteKernel(0.1)},
        {"kernel": ConstantKernel(1.0, "fixed") * RBF(1.5, "fixed")},  # no noise at all
    ],
    ids=["default", "plane", "known mean", "minimize", "matern", "noise-free"],
)
def test_measured_pixels_are_predicted_as_if_left_out_and_others_as_ever(options):
    rng = np.random.default_rng(3)
    pixels = rng.choice(GRID.size, 25, replace=False)
    row, col = GRID.unravel(pixels).T
    state = state_of(pixels, np.sin(row / 3.0) + 0.1 * col + 0.05 * rng.standard_normal(25), **options)
    predicted = predictions(state)
    assert predicted[pixels] == pytest.approx([without(state, pixel) for pixel in pixels], rel=1e-5, abs=1e-6)
    others = np.setdiff1d(np.arange(GRID.size), pixels)
    assert np.array_equal(predicted[others], state.mean.ravel()[others])


def test_a_failed_pixel_is_predicted_like_one_that_was_not_measured():
    state = state_of([3, 20, 33, 47, 60], [1.0, 2.0, np.nan, 0.5, 1.5])
    assert predictions(state)[33] == state.mean.ravel()[33]


def test_nothing_predicts_the_only_pixel_and_without_any_there_is_no_prediction():
    alone = predictions(state_of([11], [2.0]))
    assert np.isnan(alone[11]) and np.isfinite(np.delete(alone, 11)).all()
    assert np.isnan(predictions(PixelOptimizer(GRID, "height").state)).all()
