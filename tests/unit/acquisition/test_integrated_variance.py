import numpy as np
import pytest
from contexts import KERNEL, outlook_of
from sklearn.gaussian_process.kernels import DotProduct

from bluesky_gp import IntegratedVariance, PixelGrid
from bluesky_gp.acquisition import integrated_variance as integrated

CASES = {
    "one axis": ((30,), {}),
    "two axes": ((7, 6), {}),
    "three axes": ((4, 3, 5), {}),
    "an uncertain trend": ((7, 6), {"mean": 1}),
    "a kernel that is not stationary": ((7, 6), {"kernel": 0.1 * DotProduct() + KERNEL}),
}
cases = pytest.mark.parametrize(("shape", "options"), CASES.values(), ids=CASES)


def removed(posterior, pixels, counted):
    """Share of the variance that is gone when each pixel is measured."""
    before = posterior.variance[counted].sum()
    return np.array([before - posterior.condition(p, 0.0).variance[counted].sum() for p in pixels.tolist()]) / before


@cases
def test_it_is_the_share_of_the_variance_that_a_measurement_removes(shape, options):
    view = outlook_of(PixelGrid(shape), **options)
    every = np.arange(view.grid.size)
    assert IntegratedVariance().on(view) == pytest.approx(removed(view.posterior, view.pixels, every), abs=1e-9)


@cases
def test_in_a_batch_it_knows_exactly_of_the_pixels_chosen_before(shape, options):
    view = outlook_of(PixelGrid(shape), **options)
    IntegratedVariance().on(view)
    ahead, pixels = view.posterior, view.pixels
    for pixel in (3, 4, 17):
        ahead = ahead.condition(pixel, float(ahead.mean[pixel]))
        pixels = pixels[pixels != pixel]
        known = IntegratedVariance().on(view.with_(posterior=ahead, pixels=pixels))
        share = removed(ahead, pixels, np.arange(view.grid.size)) * ahead.variance.sum() / view.posterior.variance.sum()
        assert known == pytest.approx(share, abs=1e-9)


def test_masked_pixels_do_not_count():
    mask = np.arange(42).reshape(7, 6) % 4 == 1
    view = outlook_of(PixelGrid((7, 6), mask=mask))
    counted = np.flatnonzero(~mask)
    assert IntegratedVariance().on(view) == pytest.approx(removed(view.posterior, view.pixels, counted), abs=1e-9)
    ahead = view.posterior.condition(2, 0.0)
    share = removed(ahead, view.pixels, counted) * ahead.variance[counted].sum()
    known = IntegratedVariance().on(view.with_(posterior=ahead))
    assert known == pytest.approx(share / view.posterior.variance[counted].sum(), abs=1e-9)


@pytest.mark.parametrize("shape", [(300,), (32, 32), (12, 10, 11)])
def test_on_large_grids_it_is_estimated_nearly_right_and_repeatably(shape, monkeypatch):
    exact = IntegratedVariance().on(outlook_of(PixelGrid(shape), num=40))
    monkeypatch.setattr(integrated, "_EXACT", 0.0)
    estimated = IntegratedVariance().on(outlook_of(PixelGrid(shape), num=40, seed=3))
    assert np.std(estimated / exact - 1.0) < 0.2
    assert exact[np.argmax(estimated)] > 0.85 * exact.max()
    again = IntegratedVariance().on(outlook_of(PixelGrid(shape), num=40, seed=3))
    assert np.array_equal(estimated, again)


def test_it_goes_where_most_is_learnt_and_the_largest_variance_to_the_corner():
    view = outlook_of(PixelGrid((15, 15)), num=1)
    far = np.abs(view.grid.unravel(view.pixels) - 7.0).max(axis=1)
    assert far[np.argmax(IntegratedVariance().on(view))] < far[np.argmax(view.std)] == 7.0
