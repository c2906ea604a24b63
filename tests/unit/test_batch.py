from itertools import permutations

import numpy as np
import pytest
from gp_problems import POSTERIORS, problems
from hypothesis import given
from hypothesis import strategies as st
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

from bluesky_gp.batch import choose, short_path
from bluesky_gp.grid import PixelGrid
from bluesky_gp.posterior import LatticePosterior


def by_mean(posterior, pixels):
    return posterior.mean[pixels]


def by_variance(posterior, pixels):
    return posterior.variance[pixels]


def start(shape=(12, 12)):
    kernel = Matern(3.0, nu=2.5) + WhiteKernel(0.01)
    pixels, values = np.array([3, 40, 77, 130]), np.array([0.0, 1.0, -1.0, 0.5])
    return LatticePosterior.of(kernel, PixelGrid(shape), pixels, values)


# -- the choice ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of_kind", POSTERIORS)
@given(problem=problems(), share=st.floats(0.0, 1.0), num=st.integers(1, 8), data=st.data())
def test_a_batch_has_no_pixel_twice_and_none_but_candidates(of_kind, problem, share, num, data):
    allowed = np.flatnonzero(problem.grid.allowed)
    candidates = np.array(data.draw(st.lists(st.sampled_from(allowed.tolist()), unique=True)), dtype=np.intp)
    batch = choose(problem.posterior(of_kind), candidates, by_mean, num, share)
    assert len(batch.pixels) == len(batch.scores) == min(num, len(candidates))
    assert len(set(batch.pixels.tolist())) == len(batch.pixels)
    assert set(batch.pixels.tolist()) <= set(candidates.tolist())
    np.testing.assert_array_equal(batch.ahead.fantasised, batch.pixels)


@pytest.mark.parametrize(
    ("num", "share", "exploiting"),
    [(10, 0.5, 5), (10, 0.7, 7), (10, 1.0, 10), (10, 0.0, 0), (10, 0.01, 1), (1, 0.5, 1)],
)
def test_the_acquisition_function_chooses_its_share_and_the_variance_the_rest(num, share, exploiting):
    calls = []

    def recorded(posterior, pixels):
        calls.append((posterior, pixels))
        return by_mean(posterior, pixels)

    batch = choose(start(), np.arange(144), recorded, num, share)
    for place, (posterior, candidates) in enumerate(calls):
        ranking = (by_mean if place < exploiting else by_variance)(posterior, candidates)
        assert ranking[candidates == batch.pixels[place]] == pytest.approx(ranking.max(), rel=1e-8)
        assert batch.scores[place] == posterior.mean[batch.pixels[place]]


def test_each_pixel_is_chosen_as_if_those_before_were_measured_as_predicted():
    posterior = start()
    batch = choose(posterior, np.arange(144), by_variance, 6, 1.0)
    for pixel, score in zip(batch.pixels, batch.scores, strict=True):
        assert score == posterior.variance[pixel]
        posterior = posterior.condition(pixel, posterior.mean[pixel])
    np.testing.assert_array_equal(batch.ahead.variance, posterior.variance)
    np.testing.assert_array_equal(batch.ahead.mean, start().mean)


def test_an_exploring_batch_keeps_its_distance():
    pixels = np.stack(np.unravel_index(choose(start(), np.arange(144), by_variance, 8, 0.0).pixels, (12, 12)), axis=1)
    distances = np.linalg.norm(pixels[:, None] - pixels[None], axis=-1)
    assert distances[np.triu_indices(8, 1)].min() >= 3.0


def test_a_pixel_whose_score_is_nan_is_not_exploited():
    def partial(posterior, pixels):
        return np.where(pixels < 140, np.nan, pixels)

    assert sorted(choose(start(), np.arange(144), partial, 4, 1.0).pixels) == [140, 141, 142, 143]
    assert choose(start(), np.arange(144), partial, 1, 1.0).scores == [143.0]


@pytest.mark.parametrize("nothing", [np.nan, -np.inf])
def test_where_no_pixel_has_a_score_the_variance_chooses(nothing):
    batch = choose(start(), np.arange(144), lambda posterior, pixels: np.full(len(pixels), nothing), 5, 1.0)
    exploring = choose(start(), np.arange(144), by_variance, 5, 0.0)
    np.testing.assert_array_equal(batch.pixels, exploring.pixels)


def test_an_infinite_score_wins():
    def infinite(posterior, pixels):
        return np.where(pixels == 50, np.inf, 1.0)

    assert choose(start(), np.arange(144), infinite, 1, 1.0).pixels == [50]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_of_scores_that_differ_by_rounding_only_the_first_pixel_wins(sign):
    def tied(posterior, pixels):
        return sign * (1.0 + 1e-15 * np.sin(pixels))

    assert choose(start(), np.arange(5, 144), tied, 3, 1.0).pixels.tolist() == [5, 6, 7]


# -- the path --------------------------------------------------------------------------------------------------------


def length(points, order, start):
    return np.linalg.norm(np.diff(np.vstack([start, points[order]]), axis=0), axis=1).sum()


points = st.lists(st.tuples(st.integers(0, 49), st.integers(0, 49)), min_size=1, max_size=12).map(
    lambda rows: np.array(rows, dtype=float)
)


@given(points, st.tuples(st.floats(-5.0, 50.0), st.floats(-5.0, 50.0)))
def test_a_short_path_visits_every_point_once_and_is_never_longer_than_the_order_given(points, start):
    order = short_path(points, np.array(start))
    assert sorted(order.tolist()) == list(range(len(points)))
    given_order = length(points, np.arange(len(points)), start)
    assert length(points, order, start) <= given_order * (1.0 + 1e-9)


def test_a_short_path_is_close_to_the_shortest():
    excess = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        points, start = rng.random((6, 2)), rng.random(2)
        shortest = min(length(points, np.array(order), start) for order in permutations(range(6)))
        excess.append(length(points, short_path(points, start), start) / shortest - 1.0)
    assert np.mean(excess) < 0.02
    assert np.max(excess) < 0.2


def test_without_a_start_the_path_begins_at_the_first_point():
    points = np.random.default_rng(0).random((9, 2))
    assert short_path(points)[0] == 0


@pytest.mark.parametrize("points", [np.zeros((1, 2)), np.zeros((5, 2)), np.zeros((3, 1)), np.ones((2, 3))], ids=str)
def test_points_in_one_place_have_a_path(points):
    assert sorted(short_path(points).tolist()) == list(range(len(points)))
    assert sorted(short_path(points, points[0]).tolist()) == list(range(len(points)))


def test_a_path_in_one_dimension_and_in_three_is_found():
    line = np.array([[4.0], [1.0], [3.0], [2.0]])
    assert short_path(line, np.array([0.0])).tolist() == [1, 3, 2, 0]
    assert short_path(np.hstack([line, line, line]), np.zeros(3)).tolist() == [1, 3, 2, 0]
