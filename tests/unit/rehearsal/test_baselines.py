"""Coarse grids and inpainting."""

import numpy as np
import pytest

from bluesky_gp import PixelGrid
from bluesky_gp.rehearsal.baselines import INPAINTING, coarse_grid, inpaint, interpolate

MASK = np.zeros((20, 30), dtype=bool)
MASK[:4] = True
GRID = PixelGrid((20, 30), mask=MASK)


@pytest.mark.parametrize("shape", [(40, 60), (50,), (12, 10, 8), (49, 6)])
@pytest.mark.parametrize("share", [0.05, 0.3])
def test_a_coarse_grid_has_about_as_many_pixels_as_asked_for_evenly_spaced(shape, share):
    grid = PixelGrid(shape)
    num = share * grid.size
    pixels = grid.unravel(coarse_grid(grid, round(num), np.random.default_rng(1)))
    assert 0.6 * num < len(pixels) < 1.5 * num
    for places in pixels.T:
        steps = np.diff(np.unique(places))
        assert len(steps) == 0 or steps.max() - steps.min() <= 1


def test_where_a_coarse_grid_begins_is_random_and_masked_pixels_are_left_out():
    grids = {tuple(coarse_grid(GRID, 30, np.random.default_rng(seed))) for seed in range(8)}
    assert len(grids) > 1
    assert not any(MASK.ravel()[list(pixels)].any() for pixels in grids)


@pytest.mark.parametrize("fill", [inpaint, interpolate])
@pytest.mark.parametrize("scale", [1.0, 1e-6])
def test_a_smooth_map_is_filled_in_whatever_its_unit_and_what_is_known_stays(fill, scale):
    row, col = np.indices((30, 30))
    truth = scale * (np.sin(row / 6.0) + np.cos(col / 7.0))
    known = np.random.default_rng(2).random(truth.shape) < 0.2
    filled = fill(np.where(known, truth, np.nan))
    assert filled[known] == pytest.approx(truth[known], rel=1e-9)
    assert np.sqrt(np.mean((filled - truth)[~known] ** 2)) < 0.1 * truth.std()


@pytest.mark.parametrize("fill", [inpaint, interpolate])
@pytest.mark.parametrize("shape", [(9,), (9, 7), (5, 4, 3)])
def test_one_to_three_axes_and_one_known_pixel_are_enough(fill, shape):
    values = np.full(shape, np.nan)
    values.flat[3] = 2.0
    assert fill(values) == pytest.approx(np.full(shape, 2.0))


def test_pixels_in_one_line_are_no_triangles_and_the_nearest_counts():
    values = np.full((6, 5), np.nan)
    values[:, 2] = np.arange(6.0)
    assert interpolate(values)[:, 0] == pytest.approx(np.arange(6.0))


def test_biharmonic_inpainting_is_what_scikit_image_is_for():
    pytest.importorskip("skimage")
    assert INPAINTING == "biharmonic"
