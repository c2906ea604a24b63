from itertools import pairwise

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.gp import GridPosterior
from bluesky_gp.optimizer import Mixed, OnTheWay, Recipe, WhilePromising
from bluesky_gp.optimizer.batch import Place, choose

GRID = PixelGrid((12, 12), step=(0.5, 2.0))
MEASURED = [3, 40, 77, 130]


def posterior():
    kernel = Matern(3.0, nu=2.5) + WhiteKernel(0.01)
    return GridPosterior.of(kernel, GRID, np.array(MEASURED), np.array([0.0, 1.0, -1.0, 0.5]))


def by_mean(posterior, pixels):
    return posterior.mean[pixels]


def batch(strategy, num=8):
    candidates = np.setdiff1d(np.arange(GRID.size), MEASURED)
    return choose(posterior(), GRID, candidates, by_mean, num, strategy)


def seconds_of(path, speed, settle=0.0):
    """Seconds of the moves through flat indices, one after another, of axes that move at once."""
    places = [np.array(divmod(int(pixel), 12)) * np.array(GRID.step) for pixel in path]
    return sum(max(np.abs(b - a) / np.array(speed)) + settle for a, b in pairwise(places))


def test_a_pixel_takes_what_it_makes_the_way_longer_and_its_settling_and_exposure():
    strategy, before = OnTheWay(speed=(0.5, 4.0), exposure=0.1, settle=0.03), posterior()
    chosen = [100, 26]
    after = before
    for pixel in chosen:
        after = after.condition(pixel, 0.0)
    candidates = np.array([9, 113, 128, 60])
    seconds = strategy.seconds(Place(GRID, before, after, candidates, by_mean, 2, 8))
    stops = [130, *(np.array(chosen)[strategy.path(GRID, np.array(chosen), np.array([130]))])]
    for pixel, found in zip(candidates, seconds, strict=True):
        ways = [[*stops[:place], pixel, *stops[place:]] for place in (1, 2, 3)]
        longer = min(seconds_of(way, (0.5, 4.0)) for way in ways) - seconds_of(stops, (0.5, 4.0))
        assert found == pytest.approx(longer + 0.13)


@pytest.mark.parametrize(("share", "same"), [(None, WhilePromising()), (0.3, Mixed(0.3)), (0.0, Mixed(0.0))])
def test_with_a_fast_stage_the_choice_is_that_without_one(share, same):
    np.testing.assert_array_equal(batch(OnTheWay(1e12, 1.0, share=share)).pixels, batch(same).pixels)


def test_a_slow_stage_measures_what_it_passes_and_the_batch_takes_less_than_half_the_way():
    slow = OnTheWay(speed=0.5, exposure=0.1, share=0.0)
    ways = []
    for pixels in (batch(slow).pixels, batch(Mixed(0.0)).pixels):
        ways.append(seconds_of([130, *pixels[slow.path(GRID, pixels, np.array([130]))]], (0.5, 0.5)))
    assert ways[0] < 0.5 * ways[1]


def test_a_batch_is_visited_along_the_fast_axis():
    pixels = np.array([[0, 0], [4, 0], [0, 11], [4, 11], [2, 0], [2, 11]]) @ [12, 1]
    order = OnTheWay(speed=(0.1, 1e3), exposure=0.1).path(GRID, pixels, np.array([0]))
    rows = (pixels[order] // 12).tolist()
    assert rows == sorted(rows)


def test_an_optimizer_takes_it_out_of_its_recipe_again_and_proposes_the_same():
    def proposed(optimizer):
        rng = np.random.default_rng(1)
        for _ in range(3):
            points = optimizer.suggest(6)
            optimizer.ingest([{**point, "z": rng.normal()} for point in points])
        return [point["_id"] for point in optimizer.suggest(6)]

    first = PixelOptimizer(GRID, "z", n_initial=6, batch=OnTheWay([0.5, 4.0], exposure=0.1))
    again = PixelOptimizer.of(Recipe.of(first.describe()))
    assert again.recipe.batch == OnTheWay((0.5, 4.0), exposure=0.1)
    assert proposed(first) == proposed(again)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"speed": 0.0, "exposure": 1.0}, "speed must be above 0, one number or one an axis, got 0.0"),
        ({"speed": 1.0, "exposure": 0.0}, "exposure must be larger than 0, got 0.0"),
        ({"speed": 1.0, "exposure": 1.0, "settle": -1.0}, "settle must be 0 s or more, got -1.0"),
        ({"speed": 1.0, "exposure": 1.0, "share": 2.0}, "share must be between 0 and 1, got 2.0"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        OnTheWay(**settings)


def test_a_speed_too_many_is_refused_where_the_grid_is_known():
    with pytest.raises(ValueError, match="one number for each of the 2 axes"):
        OnTheWay(speed=(1.0, 1.0, 1.0), exposure=1.0).ways(GRID, np.array([0]))
