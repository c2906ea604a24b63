import numpy as np
import pytest
from scipy.ndimage import binary_dilation
from views import GRID, optimizer, view

from bluesky_gp import PixelGrid
from bluesky_gp.acquisition.goal import Above, Boundary, Goal, Top, Within
from bluesky_gp.acquisition.sampling import joint_samples
from bluesky_gp.plain_data import DescriptionError, describe, make

VALUES = np.array([[0.0, 1.0, 2.0, np.nan], [4.0, 3.0, 10.0, 9.0]])


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (Top(0.28), [[0, 0, 0, 0], [0, 0, 1, 1]]),
        (Top(0.001), [[0, 0, 0, 0], [0, 0, 1, 0]]),
        (Top(0.28, largest=False), [[1, 1, 0, 0], [0, 0, 0, 0]]),
        (Within(0.1), [[0, 0, 0, 0], [0, 0, 1, 1]]),
        (Within(0.2, largest=False), [[1, 1, 1, 0], [0, 0, 0, 0]]),
        (Above(3.0), [[0, 0, 0, 0], [1, 0, 1, 1]]),
        (Boundary(3.0), [[0, 0, 0, 0], [1, 0, 1, 0]]),
    ],
)
def test_a_filter_picks_what_it_says(f, expected):
    assert f(VALUES).astype(int).tolist() == expected


def test_a_boundary_is_one_pixel_wide_and_stops_at_the_edge_of_the_map():
    rows, cols = np.indices((9, 9))
    disk = np.hypot(rows - 4, cols - 0) < 3.2
    boundary = Boundary(0.5)(disk.astype(float))
    assert np.array_equal(boundary, disk & binary_dilation(~disk))
    assert not boundary[4, 0]


def dense_variances(found, view_, goal, chosen=()):
    """Variance of every pixel in every sample by the textbook: all of X and the batch in one matrix."""
    base = found.state.posterior
    cov = base.covariance(np.arange(GRID.size), np.arange(GRID.size))
    variances = []
    for sample in joint_samples(view_, goal.num_samples):
        X = np.flatnonzero(goal.picked(view_, sample))
        S = np.concatenate([X, chosen]).astype(int)
        noise = np.concatenate([np.full(len(X), 1e-12), np.full(len(chosen), 0.01)])
        K = cov[np.ix_(S, S)] + np.diag(noise)
        variances.append(np.diag(cov) - np.einsum("ij,ji->i", cov[:, S], np.linalg.solve(K, cov[S])))
    return np.array(variances)


@pytest.mark.parametrize("f", [Top(0.1), Boundary(4.0), lambda values: values < 3.0])
def test_information_is_that_of_the_textbook(f):
    found, goal = optimizer(), Goal(f, "info", num_samples=6, num_pixels=99)
    context = view(found)
    inside = np.maximum(dense_variances(found, context, goal)[:, context.pixels], 0.0) + 0.01
    before = found.state.posterior.variance[context.pixels] + 0.01
    expected = (0.5 * np.log(before / inside)).mean(axis=0)
    assert goal.on(context) == pytest.approx(expected, abs=1e-6)


def test_the_pixels_of_a_batch_are_accounted_for_one_after_another():
    found, goal = optimizer(), Goal(Top(0.1), "info", num_samples=5, num_pixels=99)
    context, chosen = view(found), [3, 40, 41]
    goal.on(context)
    for count in (1, 2, 3):
        later = view(found, chosen=tuple(chosen[:count]))
        later = type(later)(later.state, later.posterior, later.pixels, later.rng, context.memory)
        scores = goal.on(later)
    first = view(found)
    inside = np.maximum(dense_variances(found, first, goal, chosen)[:, later.pixels], 0.0) + 0.01
    before = later.posterior.variance[later.pixels] + 0.01
    assert scores == pytest.approx((0.5 * np.log(before / inside)).mean(axis=0), abs=1e-6)


def test_of_many_pixels_some_stand_for_all_and_tell_less():
    found = optimizer()
    whole = Goal(Above(3.0), "info", num_pixels=99).on(view(found))
    some = Goal(Above(3.0), "info", num_pixels=8).on(view(found))
    assert some.sum() < whole.sum() and np.all(some > -1e-9)


def test_information_is_that_of_simulated_answers():
    """At one pixel: entropy of the answers before, less their mean entropy once the picked values are known."""
    found, goal = optimizer(), Goal(Above(4.0), "info", num_samples=1, num_pixels=99)
    context = view(found)
    place = int(np.argmax(goal.on(context)))
    pixel = context.pixels[place]
    X = np.flatnonzero(goal.picked(context, joint_samples(context, 1)[0]))
    rng = np.random.default_rng(3)
    draws = np.stack([found.state.posterior.sample(rng) for _ in range(20_000)])
    answers = draws[:, pixel] + 0.1 * rng.standard_normal(len(draws))
    design = np.column_stack([draws[:, X], np.ones(len(draws))])
    left = answers - design @ np.linalg.lstsq(design, answers, rcond=None)[0]
    told = np.log(answers.std() / left.std())
    assert goal.on(context)[place] == pytest.approx(told, abs=0.03)


def test_the_mean_alone_looks_where_the_mean_has_it():
    found = optimizer()
    context = view(found)
    inside = (found.state.mean > 4.5).ravel()[context.pixels]
    scores = Goal(Above(4.5), "mean").on(context)
    assert np.array_equal(scores, np.where(inside, context.std, 0.0)) and inside.any()
    assert np.array_equal(Goal(Above(4.5), "switch").on(view(found)), scores)


def test_once_all_that_the_mean_has_is_measured_the_mean_alone_explores_and_the_switch_asks_the_samples():
    found = optimizer()
    picked = (found.state.mean > 4.5).ravel()
    rest = tuple(pixel for pixel in np.flatnonzero(picked) if pixel not in found.state.pixels)
    later = view(found, chosen=rest)
    assert np.array_equal(Goal(Above(4.5), "mean").on(later), later.std)
    scores = [Goal(Above(4.5), method).on(view(found, chosen=rest)) for method in ("switch", "info")]
    assert np.array_equal(*scores) and not np.array_equal(scores[0], later.std)


def test_one_pixel_is_scored_as_among_all():
    context = view()
    goal = Goal(Above(4.5), "switch")
    scores = goal.on(context)
    one = type(context)(context.state, context.posterior, context.pixels[:1], context.rng, context.memory)
    assert goal.on(one)[0] == scores[0]


def test_where_no_sample_has_any_the_uncertainty_leads():
    context = view()
    assert np.array_equal(Goal(Above(1e6), "info").on(context), context.std)


def test_the_filter_sees_the_users_unit_and_no_masked_pixels():
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[:2] = True
    seen = []

    def f(values):
        seen.append(values)
        return Above(4.0)(values)

    found = optimizer(grid=PixelGrid(GRID.shape, mask=mask), maximize=False)
    Goal(f, "mean").on(view(found))
    assert np.isnan(seen[0][:2]).all()
    assert seen[0][2:] == pytest.approx(found.mean[2:])


@pytest.mark.parametrize("method", ["info", "mean", "switch"])
def test_the_same_seed_chooses_the_same_and_shift_and_scale_do_not_matter(method):
    def chosen(scale, shift, seed=5):
        goal = Goal(Top(0.1), method, num_samples=5)
        found = optimizer(acquisition=goal, batch=1.0, seed=seed, shift=shift, scale=scale)
        return found.suggest(6)

    assert chosen(1.0, 0.0) == chosen(1.0, 0.0) == chosen(1e-6, -3.0)


def test_it_looks_where_samples_disagree_on_what_is_picked():
    found = optimizer()
    context = view(found)
    goal = Goal(Above(4.2), num_pixels=99)
    share = np.mean([goal.picked(context, sample) for sample in joint_samples(context, 200)], axis=0)[context.pixels]
    scores, agreed = goal.on(context), (share < 0.005)
    assert scores[agreed].max() < scores[(share > 0.2) & (share < 0.8)].min()


def test_a_goal_with_a_ready_made_filter_is_described_and_made_again():
    goal = Goal(Boundary(0.3), "info", 10)
    assert make(describe(goal)) == goal
    with pytest.raises(DescriptionError, match="f must be a callable"):
        make(describe(Goal(lambda values: values > 1.0)))


@pytest.mark.parametrize(
    "answer", [lambda values: values, lambda values: np.array([3, 4]), lambda values: values[0] > 0]
)
def test_a_filter_that_gives_no_mask_is_an_error_that_says_so(answer):
    with pytest.raises(ValueError, match=r"booleans of shape \(9, 8\), got"):
        Goal(answer).on(view())


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="method must be"):
        Goal(Top(), "best")
    with pytest.raises(ValueError, match="at least 1"):
        Goal(Top(), num_samples=0)
