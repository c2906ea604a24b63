"""Pixels that are exposed as long as it pays: the exposure is recorded, and the value learnt with its noise."""

from itertools import cycle

import numpy as np
import pytest
from bluesky.simulators import summarize_plan
from recorded_runs import cut

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.agent import worthwhile_exposure
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer
from bluesky_gp.optimizer import MaxDose
from bluesky_gp.plans import adaptive_map, dwelling
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord
from bluesky_gp.verify import verify

USUAL = 1e-4  # s


@pytest.mark.parametrize("noise", [0.1, 1.0, 20.0])
@pytest.mark.parametrize("going_on", [0.5, 3.0, 40.0])
def test_no_other_exposure_takes_away_more_variance_a_second(noise, going_on):
    t = np.geomspace(0.01, 100.0, 2001)
    rates = 1.0 / ((1.0 + noise * 0.2 / t) * (going_on + t))
    assert worthwhile_exposure(noise, going_on, 0.2) == pytest.approx(t[rates.argmax()], rel=0.01)


def test_the_usual_one_where_no_times_are_known_and_as_for_a_noisy_map_before_the_first_fit():
    assert worthwhile_exposure(9.0, float("nan"), 0.3) == worthwhile_exposure(9.0, -1.0, 0.3) == 0.3
    assert worthwhile_exposure(float("nan"), 1.2, 0.3) == 0.6


class Session:
    """A detector whose exposure is set, and an agent whose optimizer heeds it."""

    def __init__(self, **options):
        self.stage = PixelStage(grid=PixelGrid((8, 8)), name="stage")
        self.detector = SimulatedSpectrometer("ferroelectric", self.stage, exposure=USUAL, name="det")
        settings = {"batch_size": 3, "n_initial": 3, "exposure": USUAL, **options}
        self.agent = GPAgent(PixelOptimizer(self.stage.grid, "loop_area", **settings), target="det_loop_area")

    def map(self, num, *, least=USUAL, most=1.0, **options):
        per_pixel = dwelling(self.detector.exposure, least=least, most=most)
        return adaptive_map([self.detector], self.stage, self.agent, num=num, per_pixel=per_pixel, **options)


@pytest.fixture
def session(monkeypatch):
    """Make a session whose pixels are worth one exposure and four in turns, whatever this machine takes for them."""
    worth = cycle([USUAL, 4.0 * USUAL])
    monkeypatch.setattr("bluesky_gp.agent.steering.worthwhile_exposure", lambda *_: next(worth))
    monkeypatch.setattr("bluesky_gp.plans.exposing.FEW", 3)  # the pixels of the first batch alone are repeated
    return Session


def test_the_exposure_of_each_pixel_stands_in_its_event_and_its_value_is_learnt_with_its_noise(session, RE, docs):
    made = session()
    RE(made.map(9))
    exposures = np.array(docs.column("det_exposure", "primary"))
    assert {USUAL, 4.0 * USUAL} == {*exposures.tolist()}
    measurements = made.agent.optimizer.state.measurements
    recorded = {o.pixel: o.others["exposure"] for o in RunRecord.from_documents(docs.all).outcomes}
    assert len(exposures) == 15 and len(recorded) == 9
    assert measurements.share.tolist() == [USUAL / recorded[pixel] for pixel in measurements.pixels.tolist()]
    assert docs.starts[0]["gp"]["exposure"] == USUAL


def test_it_is_replayed_bit_for_bit_and_keeps_its_contract(session, RE, docs):
    RE(session().map(9))
    assert replay(docs.all).identical
    assert [clause for clause in verify(docs.all) if not clause.holds] == []


@pytest.mark.parametrize("share", [0.4, 0.7])
def test_killed_anywhere_it_goes_on_and_is_replayed(session, RE, docs, tmp_path, share):
    RE(session().map(9))
    path, docs.all[:] = cut(docs.all, round(share * len(docs.all)), tmp_path / "killed.jsonl"), []
    resumed = session()
    RE(resumed.map(9, resume_from=path))
    assert len(set(resumed.agent.optimizer.state.pixels.tolist())) == 9
    assert replay(docs.all).identical


def test_until_noise_can_be_told_from_a_rough_map_a_pixel_has_three_usual_exposures(RE, docs):
    RE(Session().map(9))
    exposures = docs.column("det_exposure", "primary")
    assert len(exposures) == 27 and {*exposures} == {USUAL}


def test_exposures_stay_within_what_the_user_allows(session, RE, docs):
    RE(session().map(6, most=2.0 * USUAL))
    assert max(docs.column("det_exposure", "primary")) == 2.0 * USUAL


def test_an_exposure_that_cannot_be_set_fails_its_pixel(session, RE, docs):
    made = session()

    def refusing(value, **_):
        raise TimeoutError("the shutter controller is away")

    made.detector.exposure.set = refusing
    RE(made.map(3))
    assert docs.counts["gp_failures"] == 3
    assert "shutter controller" in docs.column("gp_failures_reason", "gp_failures")[0]


def test_real_times_make_exposures_longer_where_going_on_takes_long(RE, docs, monkeypatch):
    monkeypatch.setattr("bluesky_gp.plans.exposing.FEW", 0)
    RE(Session().map(6))
    assert max(docs.column("det_exposure", "primary")) > USUAL


def test_it_can_be_summarized(session, capsys):
    summarize_plan(session().map(4))
    assert "Open Run" in capsys.readouterr().out


def test_an_optimizer_that_takes_all_values_for_equally_noisy_is_refused(RE):
    with pytest.raises(TypeError, match=r"PixelOptimizer\(\.\.\., exposure=0\.1\)"):
        RE(Session(exposure=None).map(3))


def test_a_dose_that_counts_measurements_is_refused(RE):
    with pytest.raises(ValueError, match="dose= counts the same dose"):
        RE(Session().map(3, dose=MaxDose(1.0, 0.1, "pC")))


def test_what_is_no_exposure_and_bounds_that_are_none_are_refused():
    exposure = Session().detector.exposure
    with pytest.raises(TypeError, match="must be a signal that is set and read"):
        dwelling(0.1, least=0.1, most=1.0)
    with pytest.raises(ValueError, match="least must be"):
        dwelling(exposure, least=0.0, most=1.0)
    with pytest.raises(ValueError, match="most must be at least 0.1"):
        dwelling(exposure, least=0.1, most=0.05)
