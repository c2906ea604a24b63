import numpy as np
import pytest
from bluesky.simulators import summarize_plan
from ophyd.sim import SynAxis, SynSignal

from bluesky_gp import PixelGrid
from bluesky_gp.plans import raster_map
from bluesky_gp.plans.raster import raster_pixels


def test_every_pixel_is_visited_once_row_by_row_and_back():
    assert list(raster_pixels(PixelGrid((2, 3)))) == [(0, 0), (0, 1), (0, 2), (1, 2), (1, 1), (1, 0)]


def test_without_snake_every_row_starts_at_its_beginning():
    assert list(raster_pixels(PixelGrid((2, 2)), snake=False)) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_a_coarse_map_takes_every_so_manyth_pixel():
    assert list(raster_pixels(PixelGrid((5, 4)), every=3)) == [(0, 0), (0, 3), (3, 3), (3, 0)]


def test_masked_pixels_are_left_out():
    assert list(raster_pixels(PixelGrid((2, 2), mask=[[True, False], [False, False]]))) == [(0, 1), (1, 1), (1, 0)]


@pytest.mark.parametrize("shape", [(5,), (3, 4, 2)])
def test_grids_of_one_and_three_axes_have_rasters_too(shape):
    pixels = list(raster_pixels(PixelGrid(shape)))
    assert len(set(pixels)) == len(pixels) == np.prod(shape)


def test_the_full_map_is_recorded(bench, RE, docs):
    RE(raster_map([bench.detector], bench.stage, md={"operator": "Ada"}))
    start = docs.starts[0]
    assert docs.counts == {"primary": 64}
    assert start["plan_name"] == "raster_map" and start["operator"] == "Ada" and start["num_points"] == 64
    assert start["shape"] == [8, 8] and "gp" not in start
    assert start["hints"]["dimensions"] == [[["stage_row"], "primary"], [["stage_col"], "primary"]]


def test_the_coarse_map_says_its_own_shape(bench, RE, docs):
    RE(raster_map([bench.detector], bench.stage, every=3))
    assert docs.starts[0]["shape"] == [3, 3] and docs.counts == {"primary": 9}


def test_two_motors_are_a_stage(RE, docs):
    my, mx = SynAxis(name="my"), SynAxis(name="mx")
    det = SynSignal(name="det", func=lambda: my.position * mx.position)
    RE(raster_map([det], (my, mx), grid=PixelGrid((3, 3), step=2.0 * np.ones(2))))
    assert docs.column("my")[-1] == 4.0 and docs.counts == {"primary": 9}


def test_a_map_of_every_zeroth_pixel_is_refused(bench, RE):
    with pytest.raises(ValueError, match="raster_map: every must be at least 1, got 0"):
        RE(raster_map([bench.detector], bench.stage, every=0))


def test_it_can_be_summarized(bench, capsys):
    summarize_plan(raster_map([bench.detector], bench.stage, every=4))
    assert capsys.readouterr().out.count("Read ['det', 'stage']") == 4
