import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, WhiteKernel

from bluesky_gp import ConfidenceBound, ExpectedImprovement, PixelGrid, PixelOptimizer
from bluesky_gp.optimizer.batch import LocalPenalization, Mixed
from bluesky_gp.optimizer.recipe import Recipe
from bluesky_gp.optimizer.stopping import MaxPixels
from bluesky_gp.protocols import Optimizer, Proposal

SHAPES = [(12, 11), (30,), (5, 4, 6), (1, 20), (1, 1)]


def height(pixel, shape):
    """A hill beside the middle and, for every pixel of its own, what would be noise."""
    x = np.array(pixel) / np.maximum(np.array(shape) - 1.0, 1.0)
    return float(np.exp(-8.0 * np.sum((x - 0.6) ** 2)) + 0.02 * np.sin(99.0 * x.sum()))


def place(optimizer, point):
    return tuple(point[axis] for axis in optimizer.grid.axes)


def measured(optimizer, points, truth=height):
    return [{**point, optimizer.target: truth(place(optimizer, point), optimizer.grid.shape)} for point in points]


def run(optimizer, batches, truth=height):
    """Measure some batches; the proposals in their order."""
    proposals = []
    for _ in range(batches):
        points = optimizer.suggest()
        proposals += [place(optimizer, point) for point in points]
        optimizer.ingest(measured(optimizer, points, truth))
    return proposals


def optimizer(shape=(12, 11), **options):
    return PixelOptimizer(**{"grid": PixelGrid(shape), "target": "height", "batch_size": 6, "n_initial": 6, **options})


# -- what is proposed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_it_measures_any_lattice_to_its_end_no_pixel_twice(shape):
    gp = optimizer(shape)
    proposals = run(gp, -(-gp.grid.size // 6) + 1)
    assert len(proposals) == len(set(proposals)) == gp.grid.size
    assert gp.suggest() == []
    assert gp.propose(gp.state, 3).stop_reason == "every pixel was attempted"
    truth = np.array([height(pixel, shape) for pixel in np.ndindex(*shape)]).reshape(shape)
    np.testing.assert_allclose(gp.mean, truth, atol=0.05)
    assert np.all(gp.std >= 0.0)


def test_it_finds_the_maximum_long_before_the_end():
    gp = optimizer((20, 20), batch_size=5)
    run(gp, 12)
    truth = np.array([[height((row, col), (20, 20)) for col in range(20)] for row in range(20)])
    assert truth[gp.best["row"], gp.best["col"]] >= np.sort(truth.ravel())[-4]
    assert np.sqrt(np.mean((gp.mean - truth) ** 2)) < 0.05


def test_asked_twice_it_answers_the_same_and_an_answer_holds_what_design_says():
    gp = optimizer()
    for _ in range(3):
        points = gp.suggest(4)
        assert points == gp.suggest(4)
        for point in points:
            assert set(point) == {"_id", "row", "col"}
            assert point["_id"] == 11 * point["row"] + point["col"]
            assert all(type(number) is int for number in point.values())
        gp.ingest(measured(gp, points))


def test_what_is_masked_measured_failed_or_pending_is_never_proposed():
    mask = np.zeros((8, 8), dtype=bool)
    mask[:, 3:5] = True
    gp = PixelOptimizer(PixelGrid((8, 8), mask=mask), "height", batch_size=5, n_initial=5)
    seen = set(np.flatnonzero(mask).tolist())
    while points := gp.suggest():
        pending = [point["_id"] for point in points]
        assert not seen & set(pending)
        others = gp.suggest(5, pending=pending)
        assert not (seen | set(pending)) & {point["_id"] for point in others}
        gp.ingest(measured(gp, points[2:]))
        gp.register_failures(points[:2])
        seen |= set(pending)
    assert len(seen) == 64


def test_a_mask_that_leaves_fewer_pixels_than_a_batch_gives_what_there_is():
    mask = np.ones((6, 6), dtype=bool)
    mask[1, 2:5] = False
    gp = PixelOptimizer(PixelGrid((6, 6), mask=mask), "height")
    points = gp.suggest(10)
    assert {place(gp, point) for point in points} == {(1, 2), (1, 3), (1, 4)}
    gp.ingest(measured(gp, points))
    assert gp.suggest(10) == []


def test_a_grid_of_one_pixel_is_measured_once():
    gp = PixelOptimizer(PixelGrid((1, 1)), "height", batch_size=1)
    assert gp.suggest() == [{"_id": 0, "row": 0, "col": 0}]
    gp.ingest([{"_id": 0, "height": 3.0}])
    assert gp.best == {"row": 0, "col": 0, "height": pytest.approx(3.0)}
    assert gp.suggest() == []


def test_pending_pixels_count_as_measured_as_predicted():
    gp = optimizer(batch=0.0)
    run(gp, 3)
    pending = [point["_id"] for point in gp.suggest()]
    ahead = gp.state.posterior
    for pixel in pending:
        ahead = ahead.condition(pixel, ahead.mean[pixel])
    first = gp.suggest(1, pending=pending)[0]["_id"]
    free = gp.state.candidates(pending)
    assert ahead.variance[first] == pytest.approx(ahead.variance[free].max(), rel=1e-6)


def test_the_first_pixels_are_random_and_those_ingested_unasked_count():
    gp = optimizer(n_initial=10)
    assert np.isnan(gp.propose(gp.state, 4).scores).all()
    gp.ingest([{"_id": pixel, "height": float(pixel % 5)} for pixel in range(0, 90, 10)])
    assert np.isnan(gp.propose(gp.state, 4).scores).all()
    gp.register_failures([{"_id": 1}])
    assert np.isfinite(gp.propose(gp.state, 4).scores).all()


def test_where_every_first_pixel_failed_the_next_are_random_too():
    gp = optimizer()
    gp.register_failures(gp.suggest(6))
    assert gp.state.n_failed == 6
    assert gp.best is None
    assert np.isnan(gp.mean).all()
    assert len(gp.suggest(6)) == 6
    assert np.isnan(gp.propose(gp.state, 6).scores).all()


def test_a_proposal_tells_what_it_was_made_of():
    gp = optimizer()
    run(gp, 2)
    proposal = gp.propose(gp.state, 5)
    assert isinstance(proposal, Proposal)
    places = tuple(proposal.pixels.T)
    np.testing.assert_array_equal(proposal.mean, gp.mean[places])
    np.testing.assert_array_equal(proposal.std, gp.std[places])
    free = np.isfinite(proposal.acquisition.ravel())
    np.testing.assert_array_equal(np.flatnonzero(free), gp.state.candidates())
    assert np.nanmax(proposal.acquisition) == pytest.approx(proposal.scores.max())
    mean, std, best = gp.mean[places][0], gp.std[places][0], gp.best["height"]
    first = ExpectedImprovement()(np.array([mean]), np.array([std]), best, rng=None)
    assert proposal.acquisition[places][0] == pytest.approx(first[0])


# -- what it depends on ----------------------------------------------------------------------------------------------


def test_the_seed_and_nothing_else_decides_the_random_choices():
    assert run(optimizer(seed=3), 4) == run(optimizer(seed=3), 4)
    assert run(optimizer(seed=3), 1) != run(optimizer(seed=4), 1)


def test_another_process_proposes_the_same():
    gp = optimizer()
    here = [run(gp, 4), gp.mean.sum().hex()]
    code = "from test_pixel_optimizer import *; gp = optimizer(); print([run(gp, 4), gp.mean.sum().hex()])"
    command, folder = [sys.executable, "-c", code], Path(__file__).parent
    there = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    assert there.strip() == str(here)


class AnyOrder(RuleBasedStateMachine):
    """One optimizer is asked and told in any order; a second hears the same and remembers no question."""

    @initialize(
        batch=st.sampled_from([None, 0.0, 1.0, LocalPenalization()]),
        initial=st.sampled_from(["random", "sobol", "grid", "poisson", "center", [(0, 0), (6, 5)]]),
        min_distance=st.sampled_from([0.0, 2.5]),
    )
    def begin(self, batch, initial, min_distance):
        mask = np.zeros((7, 6), dtype=bool)
        mask[2:4, 1:3] = True
        grid = PixelGrid((7, 6), mask=mask)
        options = {"batch": batch, "initial": initial, "min_distance": min_distance, "n_initial": 4}
        self.asked, self.silent = (optimizer(grid=grid, **options) for _ in range(2))
        self.planned = initial != "random"
        self.open, self.masked = [], set(np.flatnonzero(mask).tolist())

    @rule(num=st.integers(1, 7))
    def suggest(self, num):
        pending = [point["_id"] for point in self.open]
        points = self.asked.suggest(num, pending=pending)
        proposal = self.silent.propose(self.silent.state, num, pending=pending)
        assert [place(self.asked, point) for point in points] == list(map(tuple, proposal.pixels.tolist()))
        first = 4 - len({*self.asked.state.pixels.tolist(), *pending}) if self.planned else 0
        assert len(points) == min(num, len(self.asked.state.candidates(pending)), first if first > 0 else num)
        chosen = {point["_id"] for point in points}
        assert len(chosen) == len(points)
        assert not chosen & {*pending, *self.masked, *self.asked.state.pixels.tolist()}
        self.open += points

    @precondition(lambda self: self.open)
    @rule(num=st.integers(1, 5), data=st.data())
    def end_some(self, num, data):
        ended, self.open = self.open[:num], self.open[num:]
        failed = [data.draw(st.booleans()) for _ in ended]
        points = measured(self.asked, [point for point, bad in zip(ended, failed, strict=True) if not bad])
        for gp in (self.asked, self.silent):
            gp.ingest(points)
            gp.register_failures([point for point, bad in zip(ended, failed, strict=True) if bad])

    @rule(pixel=st.integers(0, 41), value=st.floats(-2.0, 2.0) | st.just(np.nan))
    def ingest_unasked(self, pixel, value):
        for gp in (self.asked, self.silent):
            gp.ingest([{"_id": pixel, "height": value}])
        self.open = [point for point in self.open if point["_id"] != pixel]

    @precondition(lambda self: self.asked.state.n_measured)
    @rule(place=st.integers(0, 99))
    def take_a_value_back(self, place):
        state = self.asked.state
        measured = state.pixels[np.isfinite(state.values)]
        pixel = int(measured[place % len(measured)])
        for gp in (self.asked, self.silent):
            gp.register_failures([{"_id": pixel}])
            assert pixel not in gp.state.pixels[np.isfinite(gp.state.values)]

    @rule()
    def ask_in_vain(self):
        assert self.asked.suggest(3) == self.asked.suggest(3)

    @invariant()
    def both_know_the_same(self):
        np.testing.assert_allclose(self.asked.mean, self.silent.mean, rtol=1e-10)
        np.testing.assert_allclose(self.asked.std, self.silent.std, atol=1e-7)
        np.testing.assert_array_equal(self.asked.state.theta, self.silent.state.theta)

    @invariant()
    def the_posterior_is_the_one_of_a_fresh_fit(self):
        state = self.asked.state
        assert state.n_attempted == state.n_measured + state.n_failed
        if state.posterior is not None:
            np.testing.assert_allclose(state.mean, state.rebuilt().mean, atol=1e-7)
            np.testing.assert_allclose(state.std, state.rebuilt().std, atol=1e-7)
            assert np.isfinite(state.mean).all() and np.isfinite(state.std).all()
            best = self.asked.grid.ravel([state.best_pixel])[0]
            assert np.isfinite(state.values[state.pixels == best]).any()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=15, stateful_step_count=15)


def test_columns_computed_for_a_proposal_and_used_again_change_no_answer(monkeypatch):
    """So many pixels that no fit is due: a question before makes `ingest` faster and nothing else."""
    monkeypatch.setattr("bluesky_gp.optimizer.model.contradicts", lambda z: False)
    kernel = ConstantKernel() * Matern([4.0, 4.0], nu=2.5) + WhiteKernel(0.01)
    asked, silent = (optimizer((25, 25), kernel=kernel) for _ in range(2))
    first = measured(asked, [{"_id": i, "row": i // 25, "col": i % 25} for i in range(0, 625, 4)])
    for gp in (asked, silent):
        gp.ingest(first)
    for _ in range(3):
        points = asked.suggest()
        assert asked.state.ahead is not None
        for gp in (asked, silent):
            gp.restore(gp.learn(gp.state, measured(gp, points[:5]), points[5:]))
    assert asked.state.n_fitted == silent.state.n_fitted == len(first)
    fresh = asked.state.rebuilt()
    for gp in (asked, silent):
        np.testing.assert_allclose(gp.mean, fresh.mean, atol=1e-9)
        np.testing.assert_allclose(gp.std, fresh.std, atol=1e-9)
    assert asked.suggest() == silent.suggest()


@pytest.mark.parametrize("numerics", ["0.2", "0.3"])
@pytest.mark.parametrize("settings", [{}, {"batch": 1.0}, {"purpose": "map"}], ids=str)
def test_on_a_large_lattice_a_batch_looked_at_in_windows_is_the_batch_of_0_1(settings, numerics):
    kernel = ConstantKernel(1.0, "fixed") * Matern([2.0, 3.0], "fixed", nu=2.5) + WhiteKernel(0.01, "fixed")
    today, earlier = (optimizer((100, 100), kernel=kernel, numerics=each, **settings) for each in (numerics, "0.1"))
    some = np.random.default_rng(0).choice(10_000, 700, replace=False).tolist()
    first = measured(today, [{"_id": i, "row": i // 100, "col": i % 100} for i in some])
    for gp in (today, earlier):
        gp.ingest(first)
    assert today.suggest(25) == earlier.suggest(25)


# -- symmetries ------------------------------------------------------------------------------------------------------


def test_smaller_is_better_is_the_flipped_target():
    up, down = optimizer(), optimizer(maximize=False)
    assert run(up, 5) == run(down, 5, lambda pixel, shape: -height(pixel, shape))
    np.testing.assert_allclose(down.mean, -up.mean)
    assert down.best == {**up.best, "height": -up.best["height"]}


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1e-12), (0.0, 1e12), (-1e3, 1.0), (5.0, 0.03), (1e-100, 1e-100)])
@pytest.mark.parametrize("acquisition", [ExpectedImprovement(), ConfidenceBound()], ids=repr)
def test_the_choices_do_not_depend_on_the_unit_of_the_target(acquisition, shift, scale):
    plain, other = optimizer(acquisition=acquisition), optimizer(acquisition=acquisition)
    assert run(plain, 5) == run(other, 5, lambda pixel, shape: shift + scale * height(pixel, shape))
    np.testing.assert_allclose(other.mean, shift + scale * plain.mean, rtol=1e-6, atol=1e-6 * scale)
    np.testing.assert_allclose(other.std, scale * plain.std, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e200, 1e-300])
def test_numbers_near_the_end_of_the_range_are_numbers(scale):
    gp = optimizer()
    run(gp, 4, lambda pixel, shape: scale * height(pixel, shape))
    assert np.isfinite(gp.mean).all()
    assert gp.state.fitted


# -- targets that teach nothing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, 0.1, -7e5, 1e-300])
def test_a_constant_target_is_learnt_as_what_it_is(value):
    gp = optimizer((5, 5))
    run(gp, 5, lambda pixel, shape: value)
    np.testing.assert_allclose(gp.mean, value, rtol=1e-9)
    assert not gp.state.fitted
    assert gp.suggest() == []


def test_values_that_differ_by_rounding_only_are_constant():
    gp = optimizer((5, 5))
    run(gp, 3, lambda pixel, shape: 0.1 * (1.0 + 2e-16 * (pixel[0] % 3)))
    assert not gp.state.fitted
    gp.ingest([{"_id": point["_id"], "height": 0.2} for point in gp.suggest(1)])
    assert gp.state.fitted


@pytest.mark.parametrize("bad", [np.nan, float("nan")])
def test_a_target_that_is_no_number_is_a_failed_pixel(bad):
    gp = optimizer()
    run(gp, 2)
    points = gp.suggest(2)
    twin = optimizer()
    twin.restore(gp.state)
    gp.ingest([{**point, "height": bad} for point in points])
    twin.register_failures(points)
    np.testing.assert_array_equal(gp.mean, twin.mean)
    np.testing.assert_array_equal(gp.std, twin.std)
    assert gp.state.n_failed == 2


def test_a_failed_pixel_that_is_measured_after_all_is_a_measured_one():
    kernel = RBF(3.0, "fixed") + WhiteKernel(0.01, "fixed")
    gp, twin = (optimizer(kernel=kernel) for _ in range(2))
    points = gp.suggest(8)
    gp.register_failures(points[:3])
    gp.ingest(measured(gp, points[3:]))
    gp.ingest(measured(gp, points[:3]))
    twin.ingest(measured(gp, [*points[3:], *points[:3]]))
    assert gp.state.n_failed == 0
    np.testing.assert_array_equal(gp.state.pixels, twin.state.pixels)
    np.testing.assert_allclose(gp.mean, twin.mean, rtol=1e-9)
    np.testing.assert_allclose(gp.std, twin.std, rtol=1e-9)


def test_a_pixel_measured_again_is_known_better():
    gp = optimizer()
    run(gp, 3)
    pixel = int(gp.state.pixels[0])
    before = gp.std.ravel()[pixel]
    gp.ingest([{"_id": pixel, "height": gp.mean.ravel()[pixel]}])
    assert gp.state.n_measured == 19
    assert gp.std.ravel()[pixel] < before


def test_learning_nothing_changes_nothing():
    gp = optimizer()
    gp.ingest([])
    run(gp, 2)
    mean, std = gp.mean, gp.std
    gp.ingest([])
    gp.register_failures([])
    np.testing.assert_array_equal(gp.mean, mean)
    np.testing.assert_array_equal(gp.std, std)


def test_the_last_fit_has_seen_every_value():
    gp = optimizer((25, 25))
    gp.ingest([{"_id": i, "height": height((i // 25, i % 25), (25, 25))} for i in range(0, 600, 3)])
    gp.ingest([{"_id": 1, "height": float(gp.mean[0, 1])}])
    assert gp.state.n_fitted == 200
    assert gp.learn(gp.state, (), final=True).n_fitted == 201
    assert gp.state.n_fitted == 200


# -- kernels and acquisition functions of the user -------------------------------------------------------------------


@pytest.mark.parametrize(
    "kernel",
    [
        RBF(3.0),
        RBF(3.0, "fixed"),
        ConstantKernel(1.0, "fixed") * Matern(2.0, "fixed", nu=0.5) + WhiteKernel(0.1, "fixed"),
        RBF([3.0, 4.0]) + WhiteKernel(),
        DotProduct() + RBF(2.0) + WhiteKernel(0.1),
        ConstantKernel() + WhiteKernel(),
        WhiteKernel(),
        (RBF(3.0) + WhiteKernel(1e-3)) ** 2,
    ],
    ids=str,
)
def test_a_kernel_of_the_user_is_taken_as_it_is(kernel):
    gp = optimizer((8, 7), kernel=kernel)
    theta = kernel.theta.copy()
    proposals = run(gp, 5)
    assert len(set(proposals)) == 30
    assert np.isfinite(gp.mean).all()
    assert np.isfinite(gp.std).all()
    np.testing.assert_array_equal(kernel.theta, theta)
    assert len(gp.theta_names) == len(gp.state.theta) == len(theta)


@pytest.mark.parametrize(("purpose", "share"), [("maximum", 0.7), ("map", 0.0), ("both", 0.5)])
def test_a_purpose_is_a_share_of_the_batch(purpose, share):
    stated, shared = optimizer(purpose=purpose), optimizer(batch=share)
    assert run(stated, 4) == run(shared, 4)
    assert stated.describe() == {**shared.describe(), "purpose": purpose}


def test_a_way_to_choose_a_batch_is_repeated_from_its_record():
    gp = optimizer(batch=LocalPenalization(), min_distance=3.0, initial="sobol")
    again = PixelOptimizer.of(Recipe.of(json.loads(json.dumps(gp.describe()))))
    assert again.recipe.batch == LocalPenalization()
    proposals = run(gp, 6)
    assert proposals == run(again, 6) != run(optimizer(batch=Mixed(1.0), min_distance=3.0, initial="sobol"), 6)
    for begin in range(6, 36, 6):
        batch = np.array(proposals[begin : begin + 6])
        apart = np.linalg.norm(batch[:, None] - batch[None], axis=-1)
        assert apart[np.triu_indices(6, 1)].min() >= 3.0


def test_an_acquisition_function_of_the_user_decides():
    def first_column(mean, std, best, *, rng):
        return -np.arange(len(mean), dtype=float)

    gp = optimizer(acquisition=first_column, batch=1.0)
    run(gp, 1)
    chosen = {point["_id"] for point in gp.suggest(3)}
    assert chosen == set(gp.state.candidates()[:3].tolist())


def test_an_acquisition_function_draws_its_random_numbers_by_the_seed():
    def thompson(mean, std, best, *, rng):
        return mean + std * rng.standard_normal(len(mean))

    assert run(optimizer(acquisition=thompson), 4) == run(optimizer(acquisition=thompson), 4)
    gp = optimizer(acquisition=thompson)
    run(gp, 2)
    assert gp.suggest() == gp.suggest()


@pytest.mark.parametrize("wrong", [lambda k: np.zeros(k + 1), lambda k: np.zeros((k, 1)), lambda k: 3.0])
def test_an_acquisition_function_that_answers_in_the_wrong_shape_is_a_clear_error(wrong):
    gp = optimizer(acquisition=lambda mean, std, best, *, rng: wrong(len(mean)))
    run(gp, 1)
    with pytest.raises(ValueError, match=r"must return one number for each of \d+ pixels, got an array of shape"):
        gp.suggest()


def test_an_acquisition_function_that_answers_nan_leaves_the_choice_to_the_variance():
    nan, exploring = optimizer(acquisition=lambda mean, std, best, *, rng: np.nan * mean), optimizer(batch=0.0)
    assert run(nan, 3) == run(exploring, 3)
    assert np.isnan(nan.propose(nan.state, 3).scores).all()


def test_an_error_of_an_acquisition_function_is_the_error_that_is_seen():
    def broken(mean, std, best, *, rng):
        raise ZeroDivisionError("mine")

    gp = optimizer(acquisition=broken)
    run(gp, 1)
    known = gp.state
    with pytest.raises(ZeroDivisionError, match="mine"):
        gp.suggest()
    assert gp.state is known


# -- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"n_initial": 0}, "n_initial must be at least 1"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"batch": 1.5}, "batch is a share between 0 and 1, a strategy, or None, got 1.5"),
        ({"purpose": "fame"}, "purpose is one of maximum, map, both, got 'fame'"),
        ({"purpose": "map", "batch": 0.5}, "give batch=0.5 or purpose='map', not both"),
        ({"min_distance": -1.0}, "min_distance must be a distance in pixels, got -1.0"),
        ({"min_distance": np.nan}, "min_distance must be a distance in pixels, got nan"),
        ({"kernel": RBF([1.0, 2.0, 3.0])}, "does not fit a grid of 2 axes"),
        ({"grid": {"shape": (0, 3)}}, "shape must be one to three positive whole numbers"),
    ],
)
def test_what_makes_no_optimizer_is_a_clear_error(options, message):
    with pytest.raises(ValueError, match=message):
        optimizer(**options)


# -- for others ------------------------------------------------------------------------------------------------------


def test_it_is_the_optimizer_of_our_protocol():
    assert isinstance(optimizer(), Optimizer)


def test_it_says_whether_to_stop_and_why():
    gp = optimizer((3, 4), stopping=[MaxPixels(7)])
    assert gp.should_stop() == (False, None)
    run(gp, 2)
    assert gp.should_stop() == (True, "12 pixels attempted")
    endless = optimizer((3, 4))
    run(endless, 2)
    assert endless.should_stop() == (True, "every pixel was attempted")


def test_a_notebook_shows_grid_target_and_what_was_found():
    gp = optimizer()
    assert repr(gp) == "PixelOptimizer(PixelGrid((12, 11)), 'height'): 0 of 132 pixels measured"
    gp.ingest([{"_id": 14, "height": 3.0}, {"_id": 3, "height": np.nan}])
    assert repr(gp).endswith("1 of 132 pixels measured, 1 failed, best 3 at (1, 3)")
    assert repr(gp.state) == repr(gp).replace("PixelOptimizer", "OptimizerState")


def test_its_description_is_plain_data_that_names_every_choice():
    gp = optimizer(
        kernel=RBF(2.0) + WhiteKernel(), stopping=[MaxPixels(9)], acquisition=lambda mean, std, best, rng: std
    )
    plain = json.loads(json.dumps(gp.describe()))
    assert plain == gp.describe()
    assert plain["grid"]["shape"] == [12, 11]
    assert plain["stopping"] == [{"class": "bluesky_gp:MaxPixels", "num": 9}]
    assert {"kernel", "acquisition", "batch_size", "n_initial", "batch", "maximize", "seed"} <= set(plain)


def test_a_grid_may_be_given_as_a_mapping():
    assert optimizer(grid={"shape": [4, 5], "step": [0.5, 0.5]}).grid == PixelGrid((4, 5), step=(0.5, 0.5))
