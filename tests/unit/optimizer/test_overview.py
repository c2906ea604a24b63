"""An optimizer with an overview image: it learns what the image says, and leaves one alone that says nothing."""

import json
import sys
from types import ModuleType

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift
from sklearn.decomposition import PCA
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.preprocessing import PowerTransformer

from bluesky_gp import ConfidenceBound, Overview, PixelGrid, PixelOptimizer, ThompsonSampling
from bluesky_gp.optimizer.recipe import Recipe

GRID = PixelGrid((24, 24))


def hills(seed, width=2.0):
    field = gaussian_filter(np.random.default_rng(seed).standard_normal((48, 48)), width, mode="wrap")[:24, :24]
    return (field - field.mean()) / field.std()


IMAGE = hills(0)
SAMPLE = np.sin(2.0 * IMAGE) + 0.2 * hills(1)


def measured(optimizer, target, num):
    while optimizer.state.n_measured < num:
        points = optimizer.suggest(min(10, num - optimizer.state.n_measured))
        optimizer.ingest([{**p, "z": float(target[p["row"], p["col"]])} for p in points])
    return optimizer


def error(optimizer, target):
    return float(np.sqrt(np.mean(np.square(optimizer.mean - target))))


def test_a_target_that_follows_the_image_is_known_from_fewer_pixels():
    plain = measured(PixelOptimizer(GRID, "z"), SAMPLE, 60)
    seeing = measured(PixelOptimizer(GRID, "z", overview=IMAGE), SAMPLE, 60)
    assert error(seeing, SAMPLE) < 0.6 * error(plain, SAMPLE)
    contribution = seeing.state.fit.contribution
    assert contribution.used and contribution.share > 0.5 and contribution.error < contribution.error_without


def test_very_many_pixels_are_fitted_in_blocks_which_share_what_the_image_says(monkeypatch):
    pixels = np.random.default_rng(0).choice(GRID.size, 90, replace=False)
    new = [{"_id": int(i), "z": float(SAMPLE.flat[i])} for i in pixels]
    errors = {}
    for likelihood in (60, 90):
        monkeypatch.setattr("bluesky_gp.gp.fit_schedule.LIKELIHOOD", likelihood)
        monkeypatch.setattr("bluesky_gp.gp.fit_schedule.BLOCK", 40)
        optimizer = PixelOptimizer(GRID, "z", overview=IMAGE)
        optimizer.ingest(new)
        assert ("in 3 blocks" in optimizer.state.method) == (likelihood == 60)
        assert optimizer.state.fit.contribution.used
        errors[likelihood] = error(optimizer, SAMPLE)
    assert errors[60] < 1.1 * errors[90]


@pytest.mark.parametrize("seed", range(2))
def test_an_image_that_says_nothing_changes_nothing(seed):
    target = hills(20 + seed, 3.0)
    plain = measured(PixelOptimizer(GRID, "z", seed=seed), target, 60)
    seeing = PixelOptimizer(GRID, "z", overview=hills(40 + seed), seed=seed, initial="random")
    measured(seeing, target, 60)
    assert not seeing.state.fit.contribution.used
    assert np.array_equal(seeing.state.pixels, plain.state.pixels)
    np.testing.assert_allclose(seeing.mean, plain.mean, rtol=1e-9)


@pytest.mark.parametrize("apart", [(0, 0), (2, -1)])
def test_an_image_that_lies_beside_its_place_is_said_to(apart):
    optimizer = PixelOptimizer(GRID, "z", overview=shift(IMAGE, apart, order=1, mode="nearest"))
    state = measured(optimizer, SAMPLE, 80).state
    assert state.contribution.used and state.contribution.shift == apart
    assert ("seems to be shifted" in state.method) == any(apart)
    assert not any(apart) or f"have to be moved by {tuple(-n for n in apart)}" in state.method


def test_an_image_is_taken_up_later_when_the_values_say_so():
    optimizer = PixelOptimizer(GRID, "z", overview=IMAGE)
    first = measured(optimizer, SAMPLE, 4).state.fit.contribution
    later = measured(optimizer, SAMPLE, 150).state.fit.contribution
    assert not first.used and later.used


def test_an_optimizer_made_of_its_record_proposes_the_same_to_the_last_bit():
    recipe = Recipe(GRID, "z", overview=Overview(np.kron(IMAGE, np.ones((3, 3))), features=PCA(3)))
    again = Recipe.of(json.loads(json.dumps(recipe.to_mapping())))
    one, other = (measured(PixelOptimizer.of(each), SAMPLE, 40) for each in (recipe, again))
    assert one.suggest() == other.suggest()
    assert np.array_equal(one.mean, other.mean) and np.array_equal(one.state.theta, other.state.theta)


def test_an_image_is_learnt_while_another_thread_imports_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask.array", ModuleType("dask.array"))  # begun, and nothing in it yet
    assert measured(PixelOptimizer(GRID, "z", overview=IMAGE), SAMPLE, 20).state.n_fitted == 20


def test_the_record_of_an_optimizer_without_an_image_does_not_mention_one():
    assert "overview" not in PixelOptimizer(GRID, "z").describe()


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel": RBF(4.0) + WhiteKernel(0.1)},
        {"mean": 1, "outliers": 4.0},
        {"transform": PowerTransformer()},
        {"acquisition": ConfidenceBound(2.0), "batch": 1.0, "maximize": False},
        {"acquisition": ThompsonSampling(), "initial": "sobol"},
        {"overview": {"one": IMAGE, "other": hills(5)}},
    ],
    ids=str,
)
def test_whatever_else_is_set_works_with_an_image(settings):
    optimizer = measured(PixelOptimizer(GRID, "z", **{"overview": IMAGE, **settings}), SAMPLE, 40)
    optimizer.register_failures(optimizer.suggest(3))
    assert np.isfinite(optimizer.mean).all() and np.isfinite(optimizer.state.forecast.map_error)
    assert len(optimizer.theta_names) == len(optimizer.state.theta)


def test_another_number_of_the_same_pixels_is_predicted_with_the_image_as_well():
    optimizer = PixelOptimizer(GRID, "z", others=["w"], overview=IMAGE)
    pixels = np.random.default_rng(0).choice(GRID.size, 50, replace=False)
    values = SAMPLE.ravel()
    optimizer.ingest([{"_id": int(p), "z": values[p], "w": -values[p]} for p in pixels])
    mean, _ = optimizer.state.other("w")
    assert np.sqrt(np.mean(np.square(mean + SAMPLE))) < 0.5


def test_a_prior_taken_from_a_run_with_an_image_goes_with_an_image():
    theta = measured(PixelOptimizer(GRID, "z", overview=IMAGE), SAMPLE, 60).state.theta
    again = PixelOptimizer(GRID, "z", overview=IMAGE, prior={"theta": theta.tolist(), "std": 0.3})
    assert error(measured(again, SAMPLE, 40), SAMPLE) < 0.5


def test_the_first_pixels_are_spread_over_the_image_and_the_map():
    grid = PixelGrid((20, 30))
    image = np.zeros(grid.shape)
    image[8:13, 10:17], image[2:5, 20:28] = 1.0, -1.0  # each 4 to 6 % of the pixels: random ones miss one as a rule
    first = PixelOptimizer(grid, "z", overview=image + 0.01 * np.random.default_rng(0).standard_normal(grid.shape))
    points = np.array([[p["row"], p["col"]] for p in first.suggest(10)])
    assert len(np.unique(points, axis=0)) == 10
    assert set(image[tuple(points.T)]) == {-1.0, 0.0, 1.0}
    assert (np.ptp(points, axis=0) > [9, 14]).all()


def test_first_pixels_over_an_image_need_one():
    with pytest.raises(ValueError, match="initial='overview' needs an image"):
        PixelOptimizer(GRID, "z", initial="overview")
    assert PixelOptimizer(GRID, "z", overview=IMAGE, initial="random").describe()["initial"]["class"].endswith("Random")
