from dataclasses import replace

import numpy as np
import pytest
from gp_problems import COVARIANCES, problems
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.base import clone
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

from bluesky_gp import PixelOptimizer
from bluesky_gp.acquisition import ConfidenceBound, ExpectedImprovement
from bluesky_gp.gp import GridPosterior, LatticeCovariance, RotatedMatern
from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer import Recipe
from bluesky_gp.optimizer.batch import LocalPenalization, Mixed, Ranking, WhilePromising, apart, choose, strategy_of
from bluesky_gp.plain_data import make


def by_mean(posterior, pixels):
    return posterior.mean[pixels]


def by_variance(posterior, pixels):
    return posterior.variance[pixels]


def start(shape=(12, 12), n_measured=4):
    kernel = Matern(3.0, nu=2.5) + WhiteKernel(0.01)
    pixels, values = np.array([3, 40, 77, 130]), np.array([0.0, 1.0, -1.0, 0.5])
    return GridPosterior.of(kernel, PixelGrid(shape), pixels[:n_measured], values[:n_measured])


def pick(score, num, strategy, candidates=None, min_distance=0.0):
    """A batch on `start`; a number as strategy is a share."""
    candidates = np.arange(144) if candidates is None else candidates
    return choose(start(), PixelGrid((12, 12)), candidates, score, num, strategy_of(strategy), min_distance)


def clear(ranking):
    """Whether the largest number is one beyond rounding."""
    top = np.sort(ranking[np.isfinite(ranking)])[-2:]
    return len(top) < 2 or top[1] - top[0] > 1e-6 * max(abs(top[1]), 1e-3)


def flipped(kernel):
    """The kernel of the mirrored map: a skewed metric is skewed the other way."""
    changed = clone(kernel)
    for name, value in kernel.get_params().items():
        if isinstance(value, RotatedMatern):
            changed.set_params(**{f"{name}__skew": 1.0 / value.skew})
    return changed


# -- the choice ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of_kind", COVARIANCES)
@given(problem=problems(), share=st.floats(0.0, 1.0), num=st.integers(1, 8), data=st.data())
def test_a_batch_has_no_pixel_twice_and_none_but_candidates(of_kind, problem, share, num, data):
    allowed = np.flatnonzero(problem.grid.allowed)
    candidates = np.array(data.draw(st.lists(st.sampled_from(allowed.tolist()), unique=True)), dtype=np.intp)
    batch = choose(problem.posterior(of_kind), problem.grid, candidates, by_mean, num, Mixed(share))
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

    batch = pick(recorded, num, share)
    for place, (posterior, candidates) in enumerate(calls):
        ranking = (by_mean if place < exploiting else by_variance)(posterior, candidates)
        assert ranking[candidates == batch.pixels[place]] == pytest.approx(ranking.max(), rel=1e-8)
        assert batch.scores[place] == posterior.mean[batch.pixels[place]]


def improvement(posterior, pixels):
    mean, std = posterior.mean[pixels], np.sqrt(posterior.variance[pixels])
    return ExpectedImprovement()(mean, std, start().mean[start().measured[0]].max(), rng=np.random.default_rng(0))


@pytest.mark.parametrize(("worth", "exploiting"), [(0.0, 5), (np.inf, 3)])
def test_the_share_of_the_acquisition_function_lies_between_its_least_and_its_most(worth, exploiting):
    expected = pick(improvement, 10, Mixed(0.1 * exploiting))
    np.testing.assert_array_equal(pick(improvement, 10, WhilePromising(worth=worth)).pixels, expected.pixels)


def test_a_batch_explores_from_the_first_pixel_whose_expected_improvement_is_not_worth_it():
    greedy = pick(improvement, 7, Mixed(1.0))
    promised = np.exp(greedy.scores) / np.ptp(start().mean)
    assert np.all(np.diff(promised) < 0.0)
    worth = (promised[3] + promised[4]) / 2.0
    batch = pick(improvement, 10, WhilePromising(least=0.0, worth=worth))
    np.testing.assert_array_equal(batch.pixels, pick(improvement, 10, Mixed(0.4)).pixels)


@pytest.mark.parametrize(
    ("n_measured", "strategy", "share"),
    [
        (4, WhilePromising(worth=0.0), 1.0),
        (3, WhilePromising(worth=0.0), 0.0),
        (4, WhilePromising(worth=np.inf), 0.0),
        (4, make({"class": "bluesky_gp:WhilePromising", "worth": 0.0}), 0.0),  # of an earlier record
    ],
)
def test_batches_of_one_pixel_take_turns_in_pursuing_and_exploring(n_measured, strategy, share):
    chosen, expected = (
        choose(start(n_measured=n_measured), PixelGrid((12, 12)), np.arange(144), improvement, 1, each)
        for each in (strategy, Mixed(share))
    )
    np.testing.assert_array_equal(chosen.pixels, expected.pixels)


def test_shares_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match=r"least=0.8, most=0.5"):
        WhilePromising(least=0.8)


def test_expected_improvement_is_pursued_while_it_promises_and_any_other_function_half_and_half():
    assert strategy_of(None, ExpectedImprovement()) == WhilePromising()
    assert strategy_of(None, ConfidenceBound()) == Mixed(0.5)


def test_each_pixel_is_chosen_as_if_those_before_were_measured_as_predicted():
    posterior = start()
    batch = pick(by_variance, 6, 1.0)
    for pixel, score in zip(batch.pixels, batch.scores, strict=True):
        assert score == posterior.variance[pixel]
        posterior = posterior.condition(pixel, posterior.mean[pixel])
    np.testing.assert_array_equal(batch.ahead.variance, posterior.variance)
    np.testing.assert_array_equal(batch.ahead.mean, start().mean)


def test_an_exploring_batch_keeps_its_distance():
    pixels = np.stack(np.unravel_index(pick(by_variance, 8, 0.0).pixels, (12, 12)), axis=1)
    distances = np.linalg.norm(pixels[:, None] - pixels[None], axis=-1)
    assert distances[np.triu_indices(8, 1)].min() >= 2.5


def test_a_pixel_whose_score_is_nan_is_not_exploited():
    def partial(posterior, pixels):
        return np.where(pixels < 140, np.nan, pixels)

    assert sorted(pick(partial, 4, 1.0).pixels) == [140, 141, 142, 143]
    assert pick(partial, 1, 1.0).scores == [143.0]


@pytest.mark.parametrize("nothing", [np.nan, -np.inf])
def test_where_no_pixel_has_a_score_the_variance_chooses(nothing):
    batch = pick(lambda posterior, pixels: np.full(len(pixels), nothing), 5, 1.0)
    exploring = pick(by_variance, 5, 0.0)
    np.testing.assert_array_equal(batch.pixels, exploring.pixels)


def test_an_infinite_score_wins():
    def infinite(posterior, pixels):
        return np.where(pixels == 50, np.inf, 1.0)

    assert pick(infinite, 1, 1.0).pixels == [50]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_of_scores_that_differ_by_rounding_only_the_first_pixel_wins(sign):
    def tied(posterior, pixels):
        return sign * (1.0 + 1e-15 * np.sin(pixels))

    assert pick(tied, 3, 1.0, np.arange(5, 144)).pixels.tolist() == [5, 6, 7]


@given(problem=problems(), share=st.floats(0.0, 1.0), axis=st.integers(0, 2), penalized=st.booleans())
def test_a_mirrored_map_gives_the_mirrored_batch(problem, share, axis, penalized):
    grid, axis = problem.grid, axis % problem.grid.ndim
    strategy = LocalPenalization() if penalized else Mixed(share)
    image = np.flip(np.arange(grid.size).reshape(grid.shape), axis).ravel()  # of each pixel
    values = []  # of each ranking, candidates in their order

    def watched(place):
        ranking = strategy(place)
        values.append(ranking.values)
        return ranking

    posterior = problem.posterior(LatticeCovariance)
    batch = choose(posterior, grid, np.flatnonzero(grid.allowed), by_mean, 4, watched)
    assume(all(clear(ranking) for ranking in values))
    mirrored = replace(grid, mask=~np.flip(grid.allowed.reshape(grid.shape), axis))
    moved = replace(problem, grid=mirrored, pixels=image[problem.pixels], kernel=flipped(problem.kernel))
    candidates = np.flatnonzero(mirrored.allowed)
    other = choose(moved.posterior(LatticeCovariance), mirrored, candidates, by_mean, 4, strategy)
    np.testing.assert_array_equal(other.pixels, image[batch.pixels])


# -- distances -------------------------------------------------------------------------------------------------------


def distances(grid, pixels, others):
    return np.linalg.norm(grid.unravel(pixels)[:, None] - grid.unravel(others)[None], axis=-1)


@given(problem=problems(), distance=st.floats(0.0, 30.0), num=st.integers(1, 8), pending=st.integers(0, 3))
def test_the_pixels_of_a_batch_keep_their_distance_as_long_as_there_are_such_pixels(problem, distance, num, pending):
    grid, posterior = problem.grid, problem.posterior(LatticeCovariance)
    candidates = np.flatnonzero(grid.allowed)
    for pixel in candidates[:pending]:
        posterior = posterior.condition(pixel, 0.0)
    candidates = candidates[pending:]
    batch = choose(posterior, grid, candidates, by_mean, num, Mixed(), distance)
    taken = np.flatnonzero(grid.allowed)[:pending]
    for pixel in batch.pixels:
        if len(taken):
            nearest = distances(grid, np.array([pixel]), taken).min()
            possible = distances(grid, np.setdiff1d(candidates, taken), taken).min(axis=1).max()
            assert nearest >= min(distance, possible / 2.0) - 1e-9
        taken = np.append(taken, pixel)
    assert len(batch.pixels) == min(num, len(candidates))


def test_a_distance_of_three_pixels_is_kept():
    def one_hill(posterior, pixels):
        return -np.linalg.norm(PixelGrid((12, 12)).unravel(pixels) - [6, 6], axis=1)

    free, kept = pick(one_hill, 5, 1.0), pick(one_hill, 5, 1.0, min_distance=3.0)
    grid, pairs = PixelGrid((12, 12)), np.triu_indices(5, 1)
    assert distances(grid, free.pixels, free.pixels)[pairs].min() == 1.0
    assert distances(grid, kept.pixels, kept.pixels)[pairs].min() == 3.0
    assert kept.pixels[0] == free.pixels[0] == 78


def test_around_a_pixel_nothing_is_measured_until_so_many_others_were():
    optimizer = PixelOptimizer(PixelGrid((16, 16)), "z", batch_size=4, n_initial=4, min_distance=4.0, resting=8)
    for _ in range(5):
        points = optimizer.suggest(4)
        optimizer.ingest([{**point, "z": -abs(point["row"] - 7.0) - abs(point["col"] - 9.0)} for point in points])
    pixels = optimizer.state.pixels
    away = distances(optimizer.grid, pixels, pixels)
    assert min(away[i, j] for i in range(20) for j in range(max(i - 8, 0), i)) >= 4.0
    assert away[np.triu_indices(20, 1)].min() < 4.0
    assert PixelOptimizer.of(Recipe.of(optimizer.describe())).recipe.resting == 8


def test_a_distance_that_no_pixel_keeps_is_halved():
    line = PixelGrid((11,))
    assert apart(line, np.arange(1, 11), np.array([0]), 16.0).tolist() == [8, 9, 10]
    assert apart(line, np.arange(1, 11), np.array([0]), 8.0).tolist() == [8, 9, 10]
    assert apart(line, np.array([1]), np.array([0]), 1000.0).tolist() == [1]


# -- other ways to choose --------------------------------------------------------------------------------------------


def test_a_random_score_is_drawn_anew_for_every_place():
    rng, drawn = np.random.default_rng(0), []

    def thompson(posterior, pixels):
        drawn.append(posterior.sample(rng)[pixels])
        return drawn[-1]

    batch = pick(thompson, 4, 1.0)
    assert len(drawn) == 4
    np.testing.assert_array_equal(batch.scores, [sample.max() for sample in drawn])


def peaks(posterior, pixels):
    """Two hills, the second a little lower: without a penalty the first has every pixel of a batch."""
    places = PixelGrid((12, 12)).unravel(pixels)
    return -np.minimum(np.linalg.norm(places - [2, 2], axis=1), 2.5 + np.linalg.norm(places - [9, 9], axis=1))


def test_the_penalty_is_how_likely_a_pixel_lies_outside_the_balls_of_those_chosen():
    grid, before, seen = PixelGrid((12, 12)), start(), []

    def watched(place):
        seen.append((place, LocalPenalization()(place)))
        return seen[-1][1]

    batch = pick(peaks, 3, watched)
    assert peaks(before, batch.pixels[:1]) == 0.0
    steepest = max(np.hypot(*np.gradient(before.mean.reshape(12, 12))).ravel())
    best = before.mean[before.pixels].max()
    place, ranking = seen[2]
    for candidate, value in zip(place.candidates[::7], ranking.values[::7], strict=True):
        expected = peaks(before, np.array([candidate]))[0]
        for pixel in batch.pixels[:2]:
            radius = (best - before.mean[pixel]) / steepest
            away = distances(grid, np.array([candidate]), np.array([pixel]))[0, 0]
            expected += norm.logcdf(steepest * (away - radius) / before.std[pixel])
        assert value == pytest.approx(expected, rel=1e-9)
    np.testing.assert_array_equal(batch.scores, peaks(before, batch.pixels))


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1e-9), (5.0, 1.0), (-1e3, 1e6)])
def test_the_penalty_on_a_score_that_is_no_logarithm_does_not_depend_on_its_unit(shift, scale):
    strategy = LocalPenalization(log=False)
    plain = pick(peaks, 6, strategy)
    np.testing.assert_array_equal(pick(lambda *at: shift + scale * peaks(*at), 6, strategy).pixels, plain.pixels)
    assert (PixelGrid((12, 12)).unravel(plain.pixels) >= 7).all(axis=1).any()


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("values", [[2.0, 2.0], [0.0], [-1.0, 1.0, 0.5]], ids=str)
def test_the_penalty_is_a_number_on_any_map(values, log):
    kernel = Matern(3.0, nu=2.5) + WhiteKernel(0.01)
    for grid in (PixelGrid((7,)), PixelGrid((1, 9)), PixelGrid((3, 3, 3))):
        posterior = GridPosterior.of(kernel, grid, np.arange(len(values)), np.array(values))
        for score in (by_mean, by_variance, lambda posterior, pixels: np.full(len(pixels), np.nan)):
            batch = choose(posterior, grid, np.arange(3, 7), score, 9, LocalPenalization(log))
            assert sorted(batch.pixels.tolist()) == [3, 4, 5, 6]


def test_a_way_to_choose_of_the_user_decides():
    def backwards(place):
        assert place.number == len(place.chosen)
        return Ranking(place.candidates.astype(float))

    batch = pick(by_mean, 3, backwards)
    assert batch.pixels.tolist() == [143, 142, 141]
    np.testing.assert_array_equal(batch.scores, start().mean[batch.pixels])


def test_a_share_that_is_none_is_an_error():
    with pytest.raises(ValueError, match="share must be between 0 and 1, got 1.5"):
        Mixed(1.5)
