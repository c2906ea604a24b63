import re

import numpy as np
import pytest
from recorded_runs import Run
from scipy.special import ndtr
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.preprocessing import PowerTransformer

from bluesky_gp import GPAgent
from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.pixel_optimizer import PixelOptimizer
from bluesky_gp.optimizer.stopping import (
    BetterUnlikely,
    GainBelow,
    ImprovementBelow,
    MapChangeBelow,
    MaxDose,
    MaxPixels,
    MaxTime,
)
from bluesky_gp.plain_data import describe, make
from bluesky_gp.plans import adaptive_map
from bluesky_gp.replay import replay


def learnt(stopping=(), num=12, **options):
    optimizer = PixelOptimizer(PixelGrid((4, 5)), "height", n_initial=4, stopping=stopping, **options)
    optimizer.ingest([{"_id": pixel, "height": 1e-9 * (pixel % 7)} for pixel in range(num)])
    return optimizer


def bumpy(num=30, *, kernel=None, **options):
    """An optimizer that knows some pixels of a map with a few hills, and what the map is."""
    grid = PixelGrid((12, 12))
    row, col = grid.coordinates.T
    height = np.sin(0.7 * row) + np.cos(0.5 * col + 0.1 * row)
    optimizer = PixelOptimizer(grid, "height", kernel=kernel, **options)
    pixels = np.random.default_rng(3).choice(grid.size, num, replace=False)
    optimizer.ingest([{"_id": int(pixel), "height": float(height[pixel])} for pixel in pixels])
    return optimizer, height


def test_a_number_of_pixels_stops_when_so_many_were_attempted_failed_ones_included():
    optimizer = learnt()
    optimizer.register_failures(optimizer.suggest(1))
    assert MaxPixels(14)(optimizer.state) == ""
    assert MaxPixels(13)(optimizer.state) == "13 pixels attempted"


def test_time_is_that_of_the_latest_pixel():
    optimizer = learnt()
    assert MaxTime(1e-9)(optimizer.state) == ""  # nobody said
    optimizer.ingest([{"_id": 12, "height": 0.0, "_seconds": 31.0}, {"_id": 13, "height": 0.0, "_seconds": 30.0}])
    assert MaxTime(31.5)(optimizer.state) == ""
    assert MaxTime(31.0)(optimizer.state) == "31 s since the run began"
    optimizer.ingest([{"_id": 14, "height": 0.0}])
    assert MaxTime(31.0)(optimizer.state) == "31 s since the run began"


def test_a_dose_is_that_of_all_pixels_attempted_and_names_its_unit():
    optimizer = learnt(num=10)
    rule = MaxDose(1.0, per_pixel=0.1, unit="pC")
    assert rule(optimizer.state) == "dose of 1 pC"
    assert MaxDose(1.05, per_pixel=0.1, unit="pC")(optimizer.state) == ""
    optimizer.register_failures(optimizer.suggest(1))
    assert MaxDose(1.05, per_pixel=0.1, unit="pC")(optimizer.state) == "dose of 1.1 pC"
    with pytest.raises(ValueError, match="per_pixel must be larger than 0, got 0"):
        MaxDose(1.0, per_pixel=0.0, unit="pC")


def test_improvement_is_measured_in_the_unit_of_the_target():
    state = learnt().state
    assert ImprovementBelow(1e-20)(state) == ""
    reason = ImprovementBelow(1e-8)(state)
    assert re.fullmatch(r"expected improvement \S+e-\d+ below 1e-08", reason)
    assert 0.0 < float(reason.split()[2]) < 1e-8


RULES = [ImprovementBelow(1e9), BetterUnlikely(1.0, margin=1e9), GainBelow(1e9, 1e9), MapChangeBelow(1e9, times=1)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
@pytest.mark.parametrize("maximize", [True, False])
def test_no_rule_stops_before_the_first_value(maximize, rule):
    optimizer = PixelOptimizer(PixelGrid((2, 2)), "height", maximize=maximize)
    assert rule(optimizer.state) == ""


@pytest.mark.parametrize("rule", RULES[:3], ids=lambda rule: type(rule).__name__)
@pytest.mark.parametrize("maximize", [True, False])
def test_where_nothing_is_left_nothing_is_said_of_pixels_that_are_left(maximize, rule):
    optimizer = PixelOptimizer(PixelGrid((2, 2)), "height", maximize=maximize)
    optimizer.ingest([{"_id": i, "height": 1.0 * i} for i in range(4)])
    assert rule(optimizer.state) == ""


def probability(reason):
    return float(re.match(r"probability (\S+) of a better pixel", reason).group(1))


@pytest.mark.parametrize("maximize", [True, False])
def test_the_probability_of_a_better_pixel_is_that_of_joint_samples(maximize):
    optimizer, _ = bumpy(kernel=RBF(3.0, "fixed") + WhiteKernel(0.01, "fixed"), maximize=maximize)
    state = optimizer.state
    candidates, posterior = state.candidates(), state.posterior
    columns = np.array([posterior.covariance_column(int(pixel))[candidates] for pixel in candidates])
    rng = np.random.default_rng(0)
    draws = rng.multivariate_normal(posterior.mean[candidates], columns, 4000, method="eigh").max(axis=1)
    for margin in (0.0, 0.05):
        bar = posterior.mean[posterior.measured[0]].max() + margin / state.units.scale
        true = np.mean(draws > bar)
        each = ndtr((posterior.mean[candidates] - bar) / posterior.std[candidates])
        assert 0.01 < each.max() < true < min(1.0, each.sum())  # neither bound would do
        reason = BetterUnlikely(true + 0.15, margin, samples=2000)(state)
        assert probability(reason) == pytest.approx(true, abs=4 * np.sqrt(true * (1 - true) / 2000))
        assert BetterUnlikely(true - 0.15, margin, samples=2000)(state) == ""


def test_where_a_bound_decides_no_sample_is_drawn(monkeypatch):
    optimizer, height = bumpy()
    monkeypatch.setattr(type(optimizer.state.posterior), "sample", lambda *_: pytest.fail("a sample"))
    assert BetterUnlikely(0.01)(optimizer.state) == ""
    far = BetterUnlikely(0.01, margin=9.0)(optimizer.state)
    assert re.fullmatch(r"probability \S+ of a better pixel by 9, below 0.01", far) and probability(far) < 1e-9


def test_a_better_pixel_is_as_likely_whatever_the_unit_and_the_transform_of_the_target():
    optimizer, height = bumpy()
    other, _ = bumpy()
    other.restore(other.beginning)
    other.ingest([{"_id": int(i), "height": 5.0 + 1e-9 * height[i]} for i in optimizer.state.pixels])
    one, two = (BetterUnlikely(0.999, margin)(o.state) for o, margin in ((optimizer, 0.3), (other, 0.3e-9)))
    assert probability(one) == pytest.approx(probability(two), abs=0.02)
    skewed = PixelOptimizer(optimizer.grid, "height", transform=PowerTransformer(standardize=False))
    skewed.ingest([{"_id": int(i), "height": float(np.exp(height[i]))} for i in optimizer.state.pixels])
    assert BetterUnlikely(0.5, margin=50.0)(skewed.state)


def test_the_same_state_gets_the_same_answer_and_another_seed_other_samples():
    state = bumpy(kernel=RBF(3.0, "fixed") + WhiteKernel(0.01, "fixed"))[0].state
    answers = [BetterUnlikely(0.99, samples=200, seed=seed)(state) for seed in (0, 0, 1)]
    assert answers[0] == answers[1] != answers[2]


def test_a_change_of_the_map_is_what_the_mean_moved_relative_to_its_spread():
    optimizer, height = bumpy(30)
    assert optimizer.state.change == np.inf
    before = optimizer.mean
    optimizer.ingest([{**point, "height": float(height[point["_id"]])} for point in optimizer.suggest(5)])
    expected = np.sqrt(np.mean((optimizer.mean - before) ** 2)) / optimizer.mean.std()
    assert optimizer.state.change == pytest.approx(expected) and expected > 0.0
    assert MapChangeBelow(2.0 * expected, times=1)(optimizer.state)
    assert MapChangeBelow(0.5 * expected, times=1)(optimizer.state) == ""


def test_the_map_must_be_still_several_times_in_a_row():
    optimizer, height = bumpy(30)
    fired = []
    for _ in range(4):
        fired.append(MapChangeBelow(1e3, times=3)(optimizer.state))
        optimizer.ingest([{**point, "height": float(height[point["_id"]])} for point in optimizer.suggest(5)])
    assert [bool(reason) for reason in fired] == [False, False, False, True]
    assert re.fullmatch(r"map changed by \S+ of its spread at most, 3 times below 1e\+03", fired[-1])
    with pytest.raises(ValueError, match="times must be between 1 and 10, got 11"):
        MapChangeBelow(0.1, times=11)


def test_a_map_that_is_the_same_everywhere_does_not_change():
    optimizer = PixelOptimizer(PixelGrid((4, 5)), "height")
    for pixel in range(6):
        optimizer.ingest([{"_id": pixel, "height": 2.0}])
    assert optimizer.state.change == 0.0


def test_the_gain_that_is_expected_of_a_hundred_more_pixels_is_that_of_the_forecast():
    state = bumpy(30)[0].state
    error, best = state.forecast.map_gain, state.forecast.best_gain
    assert error > 0.0
    assert GainBelow(map_error=0.9 * error)(state) == "" == GainBelow(map_error=0.9 * error, best=best + 1.0)(state)
    assert GainBelow(map_error=1.1 * error)(state).startswith("100 more pixels would better the map's error by")
    assert re.fullmatch(
        r"100 more pixels would better the map's error by \S+, below 9 and the best value by \S+, below 8",
        GainBelow(map_error=9.0, best=8.0)(state),
    )
    with pytest.raises(ValueError, match="give map_error, best or both"):
        GainBelow()


def test_what_is_not_a_new_pixel_is_no_change():
    optimizer, _ = bumpy(30)
    state = optimizer.learn(optimizer.state, (), (), final=True)
    assert state.diary.changes == optimizer.state.diary.changes


def test_the_first_rule_that_fires_is_the_reason_and_nothing_is_proposed():
    optimizer = learnt([MaxPixels(100), MaxPixels(12), lambda state: "bored"])
    assert optimizer.suggest() == []
    proposal = optimizer.propose(optimizer.state, 5)
    assert proposal.stop_reason == "12 pixels attempted"
    assert proposal.pixels.shape == (0, 2)


IN_A_RUN = {
    "pixels": (MaxPixels(20), r"20 pixels attempted"),
    "time": (MaxTime(1e-3), r"0 s since the run began"),
    "dose": (MaxDose(4.7, per_pixel=0.235, unit="nC"), r"dose of 4.7 nC"),
    "improvement": (ImprovementBelow(1.0), r"expected improvement \S+ below 1"),
    "better": (BetterUnlikely(0.2, margin=1.0), r"probability \S+ of a better pixel by 1, below 0.2"),
    "gain": (GainBelow(map_error=0.3), r"100 more pixels would better the map's error by \S+, below 0.3"),
    "change": (MapChangeBelow(0.5, times=2), r"map changed by \S+ of its spread at most, 2 times below 0.5"),
}


@pytest.mark.parametrize(("rule", "reason"), IN_A_RUN.values(), ids=IN_A_RUN)
def test_each_rule_ends_a_run_as_a_success_with_its_reason_in_the_record(make_bench, RE, docs, rule, reason):
    bench = make_bench((12, 12), optimizer=PixelOptimizer, batch_size=5, n_initial=5, stopping=[rule])
    RE(bench.map(144))
    last = docs.data("gp")[-1]
    assert re.fullmatch(reason, last["gp_stop_reason"])
    assert (np.array(last["gp_proposed"]) == -1).all() and docs.stops[0]["exit_status"] == "success"
    assert 5 <= docs.counts["primary"] < 144
    assert make(docs.starts[0]["gp"]["stopping"]) == [rule] == make([describe(rule)])
    assert replay(docs.all).identical


def test_the_time_of_a_run_that_resumes_another_is_its_own(make_bench, RE, docs):
    bench = make_bench(optimizer=PixelOptimizer, batch_size=5)
    RE(bench.map(20))
    old, docs.all[:] = list(docs.all), []
    began = next(doc for name, doc in old if name == "start")
    began["time"] -= 1000.0  # it took long
    again = GPAgent(PixelOptimizer(bench.grid, "height", batch_size=5, stopping=[MaxTime(900.0)]), target="det_height")
    RE(adaptive_map([bench.detector], bench.stage, again, num=35, resume_from=Run(old)))
    assert docs.counts["primary"] == 15 and docs.column("gp_stop_reason", "gp")[-1] == "num"


def test_rules_do_not_judge_what_was_decided_before_a_run_was_resumed(make_bench, RE, docs):
    bench = make_bench((14, 14), optimizer=PixelOptimizer, batch_size=19, n_initial=19)
    RE(bench.map(171))
    old, docs.all[:] = list(docs.all), []

    def at_152(state):  # where no fit was due: the last one, of a run that ends, would have been one too many
        return "odd" * (state.n_attempted == 152)

    late = PixelOptimizer(bench.grid, "height", batch_size=19, n_initial=19, stopping=[at_152])
    agent = GPAgent(late, target="det_height")
    RE(adaptive_map([bench.detector], bench.stage, agent, num=190, resume_from=Run(old)))
    result = replay(docs.all)
    assert docs.counts["primary"] == 19 and result.identical, str(result.difference)
