import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, DotProduct, WhiteKernel
from views import GRID, KERNEL, optimizer, view

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.acquisition import map_gradient as module
from bluesky_gp.acquisition.map_gradient import MapGradient

EVERY = np.arange(GRID.size)


def operator(grid, axis):
    """The gradient along an axis as a matrix."""
    columns = [np.gradient(field.reshape(grid.shape), axis=axis).ravel() for field in np.eye(grid.size)]
    return np.array(columns).T


def expected(posterior, grid, pixels):
    covariance = posterior.covariance(np.arange(grid.size), np.arange(grid.size))
    square = np.zeros(grid.size)
    for axis in range(grid.ndim):
        along = operator(grid, axis)
        square += (along @ posterior.mean) ** 2 + np.diag(along @ covariance @ along.T)
    return np.sqrt(posterior.variance * square)[pixels]


def test_it_is_the_deviation_times_the_root_mean_square_of_the_gradient():
    found = view()
    assert MapGradient().on(found) == pytest.approx(expected(found.posterior, GRID, found.pixels), rel=1e-7)


@pytest.mark.parametrize(
    "options",
    [
        {"mean": 1},
        {"kernel": DotProduct() + RBF(2.0) + WhiteKernel(0.1)},
    ],
)
def test_trends_and_kernels_that_are_not_stationary_are_taken_too(options):
    found = PixelOptimizer(GRID, "height", n_initial=4, **{"kernel": KERNEL, **options})
    found.ingest([{"_id": pixel, "height": np.sin(pixel)} for pixel in range(1, 70, 6)])
    context = view(found)
    assert MapGradient().on(context) == pytest.approx(expected(context.posterior, GRID, context.pixels), rel=1e-6)


def test_pixels_chosen_before_count_as_measured():
    context = view()
    MapGradient().on(context)
    later = view(chosen=(30, 44))
    later = type(later)(later.state, later.posterior, later.pixels, later.rng, context.memory)
    assert MapGradient().on(later) == pytest.approx(expected(later.posterior, GRID, later.pixels), rel=1e-7)


def test_where_that_is_dear_it_is_estimated_from_joint_samples(monkeypatch):
    found = view()
    exact = MapGradient().on(found)
    monkeypatch.setattr(module, "_EXACT", 0.0)
    monkeypatch.setattr(module, "_SAMPLES", 400)
    assert MapGradient().on(view()) == pytest.approx(exact, rel=0.4)
    assert np.mean(MapGradient().on(view()) / exact) == pytest.approx(1.0, abs=0.03)


def test_on_one_axis_and_beside_the_end_of_the_map_it_is_a_one_sided_difference():
    grid = PixelGrid((12,))
    found = PixelOptimizer(grid, "height", n_initial=4)
    found.ingest([{"_id": pixel, "height": float(pixel > 5)} for pixel in (0, 3, 4, 7, 8)])
    context = view(found)
    assert MapGradient().on(context) == pytest.approx(expected(context.posterior, grid, context.pixels), rel=1e-6)


def test_a_wall_is_measured_more_than_the_domains_beside_it():
    grid = PixelGrid((16, 16))
    found = PixelOptimizer(grid, "height", n_initial=16, batch=1.0, acquisition=MapGradient())
    while found.state.n_attempted < 80:
        found.ingest([{**p, "height": float(np.tanh(p["col"] - 6.4))} for p in found.suggest(8)])
    cols = grid.unravel(found.state.pixels[16:])[:, 1]
    near = np.abs(cols - 6.5) < 2.0
    assert near.mean() > 2.0 * 4 / 16


def test_shift_scale_and_sign_do_not_matter():
    def chosen(**options):
        return optimizer(acquisition=MapGradient(), batch=1.0, **options).suggest(5)

    assert chosen() == chosen(scale=1e-6, shift=40.0) == chosen(maximize=False)
