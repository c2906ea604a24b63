"""A target that changes with time: what is common to the values of a moment is learnt beside the map."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.preprocessing import FunctionTransformer

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.optimizer import Recipe, recall, recall_next
from bluesky_gp.plain_data import describe

GRID = PixelGrid((12, 12))
ROWS, COLS = GRID.coordinates.T
TRUTH = np.sin(ROWS / 3.0) + np.cos(COLS / 4.0)


def points(num=72, change=lambda t: t / 30.0, **options):
    rng = np.random.default_rng(options.pop("seed", 0))
    pixels = rng.choice(GRID.size, num, replace=False)
    return [
        {"_id": int(p), "z": TRUTH[p] + change(float(t)) + 0.02 * rng.standard_normal(), "time": 1.7e9 + t, **options}
        for t, p in enumerate(pixels)
    ]


def learnt(given, batch=24, grid=GRID, **options):
    optimizer = PixelOptimizer(grid, "z", **{"time_kernel": 30.0, **options})
    for start in range(0, len(given), batch):
        optimizer.ingest(given[start : start + batch])
    return optimizer


def error(optimizer):
    return float((optimizer.mean.ravel() - TRUTH).std())


@pytest.fixture(scope="module")
def charged():
    """An optimizer whose target rose from 0 to 2.4 while it was measured."""
    return learnt(points())


def test_the_map_is_freed_of_the_change_and_shown_as_it_was_on_average(charged):
    assert error(charged) < 0.1 < 0.2 < error(learnt(points(), time_kernel=None))
    assert charged.mean.mean() == pytest.approx(TRUTH.mean() + 71.0 / 60.0, abs=0.15)


def test_the_course_of_the_change_is_told_in_the_unit_of_the_target(charged):
    times, mean, std = charged.state.course
    assert times.tolist() == [1.7e9 + t for t in range(72)]
    assert mean == pytest.approx((times - times.mean()) / 30.0, abs=0.15)
    assert 0.0 < std.max() < 0.1
    assert "the target changed by 2.3" in charged.state.method


def test_where_nothing_changes_next_to_nothing_is_learnt_of_it():
    still = learnt(points(change=lambda t: 0.0))
    assert np.ptp(still.state.course.mean) < 0.1
    assert error(still) < 1.3 * error(learnt(points(change=lambda t: 0.0), time_kernel=None))


def test_hyperparameters_of_time_come_behind_those_of_pixels(charged):
    assert charged.theta_names[-2:] == ["k2__k1__constant_value", "k2__k2__length_scale"]
    assert len(charged.theta_names) == len(charged.state.theta)


def test_batches_learnt_without_a_fit_lead_to_the_map_of_all_learnt_at_once(charged):
    given, recipe, theta = points(), charged.recipe, charged.state.theta
    step_by_step = recall_next(recipe, recall(recipe, [(given[:40], [])], theta, 1), (given[40:], []))
    at_once = recall(recipe, [(given[:40], []), (given[40:], [])], theta, 1)
    assert np.array_equal(step_by_step.posterior.mean, at_once.posterior.mean)
    assert at_once.course is not None and np.ptp(at_once.course.mean) > 2.0


def test_settings_and_points_are_written_and_read_again_to_the_last_bit(charged, tmp_path):
    kernel = ConstantKernel(0.5) * Matern(20.0, nu=0.5)
    for given in (30.0, kernel):
        described = PixelOptimizer(GRID, "z", time_kernel=given).describe()
        assert described["time_kernel"] == describe(given)
        assert Recipe.of(described).to_mapping()["time_kernel"] == describe(given)
    saved = PixelOptimizer(GRID, "z", time_kernel=30.0, checkpoint=tmp_path / "map.json")
    saved.ingest(charged.points(charged.state))
    saved.checkpoint()
    again = PixelOptimizer.from_checkpoint(tmp_path / "map.json")
    assert np.array_equal(again.state.measurements.times, charged.state.measurements.times)
    assert np.array_equal(again.mean, saved.mean)


def test_a_pixel_that_failed_needs_no_time_and_one_taken_back_is_forgotten(charged):
    optimizer = learnt(points())
    optimizer.register_failures([{"_id": points()[0]["_id"]}, {"_id": int(optimizer.state.candidates()[0])}])
    assert optimizer.state.n_measured == 71 and np.isfinite(optimizer.mean).all()
    assert error(optimizer) < 0.1


@pytest.mark.parametrize("shape", [(40,), (5, 5, 4)])
def test_lines_and_volumes_with_masks_have_it_too(shape):
    grid = PixelGrid(shape, mask=np.arange(np.prod(shape)).reshape(shape) % 7 == 3)
    rng, pixels = np.random.default_rng(1), np.flatnonzero(grid.allowed)[::2]
    truth = np.sin(grid.coordinates[:, 0] / 3.0)
    given = [{"_id": int(p), "z": truth[p] + t / 10.0, "time": float(t)} for t, p in enumerate(rng.permutation(pixels))]
    optimizer = learnt(given, batch=100, grid=grid, time_kernel=15.0)
    assert np.ptp(optimizer.state.course.mean) > 0.7 * len(given) / 10.0
    assert grid.allowed[[point["_id"] for point in optimizer.suggest(3)]].all()


def test_a_second_target_has_a_course_of_its_own():
    given = [{**point, "w": TRUTH[point["_id"]] - 2.0 * (point["z"] - TRUTH[point["_id"]])} for point in points()]
    optimizer = learnt(given, batch=72, others=["w"])
    mean, _ = optimizer.state.other("w")
    assert (mean.ravel() - TRUTH).std() < 0.2


def test_an_image_and_unequal_exposures_go_with_it():
    image = TRUTH.reshape(GRID.shape) ** 2
    with_image = learnt(points(48), batch=48, overview=image)
    assert len(with_image.theta_names) == len(with_image.state.theta)
    assert error(with_image) < 0.2 and np.ptp(with_image.state.course.mean) > 1.2
    unlike = learnt(points(48), batch=48, overview=np.random.default_rng(3).standard_normal(GRID.shape))
    assert "not used" in unlike.state.method and np.ptp(unlike.state.course.mean) > 1.2
    exposed = learnt(points(48, exposure=0.2), batch=48, exposure=0.1)
    assert np.ptp(exposed.state.course.mean) > 1.2


def test_a_proportional_change_is_one_of_the_logarithm():
    given = [{**p, "z": (3.0 + TRUTH[p["_id"]]) * np.exp(0.5 * np.sin(i / 8.0))} for i, p in enumerate(points())]
    optimizer = learnt(given, transform=FunctionTransformer(np.log, np.exp), time_kernel=10.0)
    assert (optimizer.mean.ravel() / (3.0 + TRUTH)).std() < 0.1


def test_a_prior_of_an_earlier_map_counts_for_time_as_well(charged):
    theta = charged.state.theta.tolist()
    assert learnt(points(seed=1), prior={"theta": theta}).state.theta[-2:] == pytest.approx(theta[-2:], abs=1.0)
    learnt(points(20), prior={"theta": theta[:-2]})
    with pytest.raises(ValueError, match="prior must hold 'theta'"):
        PixelOptimizer(GRID, "z", prior={"theta": theta})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (0.0, "time_kernel must be"),
        ("slow", "time_kernel must be"),
        (Matern([1.0, 2.0]), "no kernel of one number"),
        (Matern(5.0) + WhiteKernel(0.1), "belongs into kernel="),
    ],
)
def test_what_is_no_kernel_of_time_is_refused(given, message):
    with pytest.raises((TypeError, ValueError), match=message):
        PixelOptimizer(GRID, "z", time_kernel=given)


@pytest.mark.parametrize(("time", "message"), [({}, "says under 'time'"), ({"time": "noon"}, "time must be a number")])
def test_a_point_without_a_time_is_refused(time, message):
    with pytest.raises(ValueError, match=message):
        PixelOptimizer(GRID, "z", time_kernel=30.0).ingest([{"_id": 3, "z": 1.0, **time}])


def test_a_kernel_of_which_nothing_is_to_be_learnt_is_taken_as_it_is():
    kernel = ConstantKernel(0.5, "fixed") * Matern(30.0, "fixed", nu=1.5)
    optimizer = learnt(points(48), time_kernel=kernel, kernel=Matern([3.0, 3.0]) + WhiteKernel(0.01), batch=48)
    assert len(optimizer.state.theta) == 3 and np.ptp(optimizer.state.course.mean) > 1.2


def test_times_change_nothing_where_nobody_asks_for_them():
    plain, told = PixelOptimizer(GRID, "z"), PixelOptimizer(GRID, "z")
    plain.ingest([{"_id": p["_id"], "z": p["z"]} for p in points(20)])
    told.ingest(points(20))
    assert np.array_equal(plain.mean, told.mean) and "time_kernel" not in plain.describe()
