import math

import numpy as np
import pytest
from recorded_runs import through_text
from sklearn.gaussian_process.kernels import RBF, DotProduct, Matern, WhiteKernel
from sklearn.preprocessing import FunctionTransformer

from bluesky_gp.gp import DenseCovariance, GridPosterior, LatticeCovariance
from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer import forecast as module
from bluesky_gp.optimizer.forecast import Forecast, forecast, remaining
from bluesky_gp.optimizer.pixel_optimizer import PixelOptimizer
from bluesky_gp.optimizer.units import AffineUnits
from bluesky_gp.replay import replay

GRID = PixelGrid((30, 30))
PIXELS = np.random.default_rng(0).permutation(GRID.size)


def posterior_of(kernel, num, of_kind=LatticeCovariance, grid=GRID, values=None):
    pixels = PIXELS[:num]
    values = np.zeros(num) if values is None else values
    return GridPosterior.fit(of_kind.of(kernel, grid), pixels, values)


def expected(posterior, wrong=1.0, allowed=None, num=100):
    allowed = np.ones(len(posterior.variance), dtype=bool) if allowed is None else allowed
    candidates = np.setdiff1d(np.flatnonzero(allowed), posterior.pixels)
    return forecast(posterior, AffineUnits(1.0), posterior.std, allowed, candidates, wrong, num)


KERNELS = {
    "smooth": RBF(5.0) + WhiteKernel(0.01),
    "rough": Matern(6.0, nu=0.5) + WhiteKernel(0.01),
    "long on one axis": Matern([4.0, 12.0], nu=2.5) + WhiteKernel(1e-3),
    "noisy": Matern(5.0, nu=1.5) + WhiteKernel(1.0),
}


def share_left(kernel, num, of_kind=LatticeCovariance):
    posterior = posterior_of(kernel, num, of_kind)
    return remaining(posterior, np.arange(GRID.size), np.setdiff1d(PIXELS, posterior.pixels), 100)


@pytest.mark.parametrize("num", [100, 200, 300])
@pytest.mark.parametrize("of_kind", [LatticeCovariance, DenseCovariance])
@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_pixels_anywhere_leave_the_share_of_the_variance_that_was_expected(kernel, num, of_kind):
    now, later = (float(posterior_of(kernel, n).variance.mean()) for n in (num, num + 100))
    assert math.sqrt(later / now) < 0.97
    assert math.sqrt(share_left(kernel, num, of_kind)) == pytest.approx(math.sqrt(later / now), abs=0.15)


def test_a_kernel_that_is_not_stationary_has_a_forecast():
    kernel = DotProduct() + RBF(3.0) + WhiteKernel(0.1)
    found = expected(posterior_of(kernel, 100, DenseCovariance))
    assert 0.0 < found.map_gain < found.map_error


def test_the_best_of_independent_pixels_is_expected_as_simulated():
    posterior = posterior_of(RBF(0.01) + WhiteKernel(0.01), 100)  # nothing is known of the pixels beside
    found, n = expected(posterior), round(0.1 * (GRID.size - 100))
    best = posterior.mean[PIXELS[:100]].max()
    free = PIXELS[100]
    draws = np.random.default_rng(1).standard_normal((4000, n)) * posterior.std[free] + posterior.mean[free] - best
    gains = np.maximum(draws.max(axis=1), 0.0)
    assert found.best_gain == pytest.approx(gains.mean(), abs=0.03)
    assert found.best_gain_most == pytest.approx(np.quantile(gains, 0.9), abs=0.06)


def test_on_large_maps_some_pixels_stand_for_all(monkeypatch):
    rng, sd = np.random.default_rng(2), 1.0
    posterior = posterior_of(Matern(3.0, nu=1.5) + WhiteKernel(0.01), 60, values=rng.standard_normal(60) * sd)
    some = expected(posterior)
    monkeypatch.setattr(module, "_ALONE", GRID.size)
    assert some.best_gain == pytest.approx(expected(posterior).best_gain, rel=0.02)


def test_predictions_that_were_wrong_raise_the_error_of_the_map():
    posterior = posterior_of(KERNELS["rough"], 100)
    usual, wrong = expected(posterior), expected(posterior, wrong=2.0)
    assert usual.map_error == pytest.approx(1.1 * np.sqrt(posterior.variance.mean()))
    assert wrong.map_error / usual.map_error == pytest.approx(2.0**0.7) == wrong.map_gain / usual.map_gain


def test_pixels_that_the_map_does_not_have_do_not_count():
    posterior = posterior_of(KERNELS["rough"], 100)
    certain = posterior.variance < np.median(posterior.variance)
    assert expected(posterior, allowed=certain).map_error < 0.9 * expected(posterior).map_error


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_where_nothing_is_left_nothing_is_gained(noise):
    kernel = RBF(2.0) + WhiteKernel(noise) if noise else RBF(0.5)
    posterior = posterior_of(kernel, GRID.size, values=np.sin(PIXELS))
    found = expected(posterior)
    assert (found.num, found.map_gain, found.best_gain, found.best_gain_most) == (0, 0.0, 0.0, 0.0)
    assert found.map_error >= 0.0


def learnt(scale=1.0, offset=0.0, num=60, **options):
    optimizer = PixelOptimizer(PixelGrid((14, 14)), "height", **options)
    row, col = optimizer.grid.coordinates.T
    height = offset + scale * (np.sin(0.7 * row) + np.cos(0.5 * col + 0.1 * row))
    rng = np.random.default_rng(5)
    pixels = rng.choice(optimizer.grid.size, num, replace=False)
    for part in np.array_split(pixels, max(num // 10, 1)):
        optimizer.ingest([{"_id": int(i), "height": float(height[i] + 0.1 * scale * rng.normal())} for i in part])
    return optimizer.state


def numbers(found):
    return np.array([found.map_error, found.map_gain, found.best_gain, found.best_gain_most])


def test_before_the_first_fit_nothing_is_known():
    state = PixelOptimizer(GRID, "height").state
    assert state.forecast.num == 0 and np.isnan(numbers(state.forecast)).all()
    assert np.isnan(numbers(learnt(num=3).forecast)).all()


def test_it_is_in_the_unit_of_the_target():
    one, other = learnt(num=20).forecast, learnt(1e-9, 5e-9, num=20).forecast
    assert numbers(one).min() > 0.0
    assert numbers(other) == pytest.approx(1e-9 * numbers(one), rel=1e-3)


def test_a_smaller_target_that_is_better_is_gained_as_a_larger_one():
    one, other = learnt(num=20).forecast, learnt(-1.0, num=20, maximize=False).forecast
    assert numbers(other) == pytest.approx(numbers(one), rel=1e-3)


def test_it_is_in_the_unit_of_a_target_that_is_transformed():
    same = learnt(num=20, transform=FunctionTransformer()).forecast
    assert numbers(same) == pytest.approx(numbers(learnt(num=20).forecast), rel=1e-3)
    logarithm = FunctionTransformer(np.log, np.exp)
    one, other = (learnt(scale, 4.0 * scale, num=20, transform=logarithm).forecast for scale in (1.0, 1e-3))
    assert numbers(other) == pytest.approx(1e-3 * numbers(one), rel=1e-3) and numbers(one).min() > 0.0


def test_a_forecast_is_of_a_hundred_pixels_or_those_that_are_left():
    assert learnt(num=60).forecast.num == 100 and learnt(num=180).forecast.num == 16


def test_the_errors_of_prediction_are_those_of_the_less_certain_half_of_what_came_last():
    optimizer = PixelOptimizer(PixelGrid((14, 14)), "height")
    optimizer.restore(learnt())
    before = optimizer.state
    points = [{**point, "height": 0.1 * i} for i, point in enumerate(optimizer.suggest(6))]
    optimizer.ingest([*points, {"_id": int(before.candidates()[0]), "height": math.nan}])
    ids, values = np.array([p["_id"] for p in points]), np.array([p["height"] for p in points])
    posterior = before.posterior
    z2 = (before.units.inward(values) - posterior.mean[ids]) ** 2 / (posterior.variance[ids] + posterior.prior.noise)
    half = np.argsort(-posterior.variance[ids])[:3]
    assert optimizer.state.diary.errors[-3:] == pytest.approx(np.minimum(z2[half], 9.0))
    assert optimizer.state.diary.errors[:-3] == before.diary.errors[-22:] and len(before.diary.errors) == 25


KEYS = ("map_change", "map_error", "forecast_num", "map_gain", "best_gain", "best_gain_most")


def test_it_is_recorded_in_the_unit_of_the_target_and_replayed(make_bench, RE, docs):
    bench = make_bench((12, 12), optimizer=PixelOptimizer, batch_size=5)
    bench.agent._record = type(bench.agent._record)("gp", bench.optimizer, "nm")
    RE(bench.map(40))
    keys = docs.descriptor("gp")["data_keys"]
    assert [keys[f"gp_{key}"].get("units") for key in KEYS] == [None, "nm", None, "nm", "nm", "nm"]
    first, last = docs.data("gp")[0], docs.data("gp")[-1]
    assert first["gp_forecast_num"] == 0 and all(math.isnan(first[f"gp_{k}"]) for k in KEYS if k != "forecast_num")
    state = bench.optimizer.state
    assert last["gp_map_error"] == state.forecast.map_error > state.forecast.map_gain == last["gp_map_gain"] > 0.0
    assert last["gp_map_change"] == state.change and last["gp_forecast_num"] == 100
    assert replay(through_text(docs.all)).identical


def test_an_optimizer_of_ones_own_need_not_know_any(bench, RE, docs):
    RE(bench.map(12))
    assert docs.column("gp_forecast_num", "gp") == [0, 0, 0] and np.isnan(docs.column("gp_map_error", "gp")).all()


def test_nothing_known_is_nan():
    assert Forecast().num == 0 and np.isnan(numbers(Forecast())).all()


@pytest.mark.parametrize("size", [1e308, 1e-308])
def test_the_largest_and_the_smallest_numbers_have_a_forecast(size):
    one = learnt(0.25, num=20).forecast
    optimizer = PixelOptimizer(PixelGrid((14, 14)), "height")
    state = learnt(0.25, num=20)
    points = [{"_id": int(i), "height": size * value} for i, value in zip(state.pixels, state.values, strict=True)]
    optimizer.ingest(points[:10])
    optimizer.ingest(points[10:])
    found = optimizer.state.forecast
    assert numbers(found)[:2] / size == pytest.approx(numbers(one)[:2], rel=0.05)
    assert np.isfinite(optimizer.state.change) and optimizer.state.change > 0.0


def test_the_gain_of_the_best_does_not_depend_on_the_order_that_a_partition_leaves(monkeypatch):
    posterior = posterior_of(KERNELS["rough"], 12, values=np.random.default_rng(1).standard_normal(12))
    monkeypatch.setattr(module, "_ALONE", 50)
    usual, partition = expected(posterior), np.argpartition

    def otherwise(values, kth):
        order = partition(values, kth)
        return np.concatenate([order[:kth][::-1], order[kth:][::-1]])

    monkeypatch.setattr(np, "argpartition", otherwise)
    assert expected(posterior) == usual
