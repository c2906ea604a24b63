"""Maps of a sample that drifts, corrected by pixels that are measured again."""

import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.simulators import summarize_plan
from drift_bench import GRID, Bench
from ophyd.sim import SynAxis
from pauses import pausing, to_the_end
from recorded_runs import Recorded

from bluesky_gp.plans import correct_drift, correct_drift_by_pixels
from bluesky_gp.remote import RemoteAgent
from bluesky_gp.replay import replay


class Landmarked(Bench):
    """The same sample, looked at by its spectrometer alone."""

    def __init__(self, speed=0.04):
        super().__init__(speed)
        self.seen = []

    def follow(self, **options):
        return correct_drift_by_pixels([self.spectrometer], self.stage, self.agent, **options)

    def run(self, num=40, **options):
        first = len(self.seen)
        RunEngine({}, context_managers=[])(self.map(num, **options), lambda name, doc: self.seen.append((name, doc)))
        return self.seen[first:]

    def column(self, key, stream):
        streams = {doc["uid"]: doc["name"] for name, doc in self.seen if name == "descriptor"}
        events = [doc for name, doc in self.seen if name == "event" and streams[doc["descriptor"]] == stream]
        return np.array([doc["data"][key] for doc in events])


@pytest.fixture(scope="module")
def followed():
    bench = Landmarked()
    bench.run(per_batch=bench.follow())
    return bench


def test_the_map_of_a_drifting_sample_is_far_better_with_the_correction_than_without(followed):
    without = Landmarked()
    without.run()
    assert followed.error < 0.7 * without.error


def test_the_drift_is_followed_to_a_fraction_of_a_pixel(followed):
    moved = np.array([followed.sample.displacement(t) for t in followed.column("drift_seconds", "drift")[1:]])
    found = followed.column("drift_displacement", "drift")[1:]
    apart = found - moved - (found - moved).mean(axis=0)  # the first pixels, not the first moment, are at rest
    assert np.abs(moved[-1]).max() > 1.0
    assert np.sqrt(np.mean(apart**2)) < 0.3


def test_both_positions_of_what_is_measured_again_are_recorded(followed):
    pixels = np.stack([followed.column(f"stage_{axis}", "drift_pixels") for axis in ("row", "col")], axis=1)
    places = GRID.fraction(np.stack([followed.column(f"stage_{axis}", "drift_pixels") for axis in "yx"], axis=1))
    shifts = followed.column("drift_correction", "drift")
    np.testing.assert_allclose(pixels, np.rint(pixels), atol=1e-9)
    np.testing.assert_allclose((places - pixels)[20:], np.repeat(shifts[:-1], 4, axis=0), atol=1e-9)
    np.testing.assert_allclose(followed.column("drift_position", "drift"), GRID.position(shifts))
    assert len(followed.column("drift_reference_before", "drift_reference")) == 1


def test_what_is_measured_again_is_not_learnt(followed):
    assert followed.optimizer.state.n_measured == len(followed.column("stage_row", "primary")) == 40


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_nothing_is_moved_where_the_map_is_too_smooth_to_tell(noise, caplog):
    bench = Landmarked()
    random = np.random.default_rng(0)
    bench.sample.spectrum = lambda pixel, visit: np.ones(len(bench.sample.axis)) + noise * random.normal()
    bench.spectrometer.scalarizers["loop_area"] = lambda spectrum, axis: float(spectrum[0])
    bench.run(25, per_batch=bench.follow())
    refused = bench.column("drift_refused", "drift")[1:]
    assert all("nothing is moved" in sentence for sentence in refused)
    assert np.abs(bench.stage.shift.position).max() == 0.0
    assert noise == 0.0 or "too smooth or too noisy" in caplog.text


@pytest.mark.slow
def test_a_run_that_is_resumed_follows_the_drift_further_and_is_replayed():
    """In the same session by the same plan, in another by the record: with the same numbers as a run that went on."""
    whole = Landmarked()
    whole.run(30, per_batch=whole.follow())
    for again in (False, True):
        bench = Landmarked()
        follow = bench.follow()
        first = Recorded(bench.run(20, per_batch=follow))
        rest = bench.run(30, per_batch=bench.follow(since=first) if again else follow, resume_from=first)
        assert replay(rest).identical
        for key, stream in (("spectrometer_loop_area", "primary"), ("drift_correction", "drift")):
            np.testing.assert_allclose(bench.column(key, stream), whole.column(key, stream), atol=1e-6)


def test_a_drift_is_followed_further_by_the_plan_that_followed_it(followed):
    with pytest.raises(ValueError, match="followed by landmarks: correct_drift_by_pixels goes on"):
        correct_drift(followed.imager, followed.stage, since=Recorded(followed.seen))


def test_a_limit_that_is_reached_ends_the_run_with_a_sentence():
    bench = Landmarked(speed=0.08)
    with pytest.raises(RuntimeError, match=r"corrections end at limit=0.2"):
        bench.run(per_batch=bench.follow(limit=0.2))


def test_landmarks_whose_exposures_fail_are_left_out():
    bench, failing = Landmarked(), []
    expose = bench.sample.spectrum

    def spectrum(pixel, visit):
        failing.append(pixel)
        if visit and len(failing) % 7 == 0:
            raise ValueError("no spectrum")
        return expose(pixel, visit)

    bench.sample.spectrum = spectrum
    bench.run(25, per_batch=bench.follow(number=5))
    assert len(bench.column("drift_image", "drift")) == 4
    assert bench.column("stage_row", "primary").size == 25


def test_pauses_amid_the_landmarks_lose_none_and_count_none_twice(RE, docs):
    whole, bench, seen = Landmarked(speed=0.0), Landmarked(speed=0.0), []
    pausing(RE, (), seen)
    RE(whole.map(20, per_batch=whole.follow()))
    expected = {stream: number for stream, number in docs.counts.items() if "gp" not in stream}
    looks = [number for number, command in enumerate(seen) if command in ("trigger", "read", "set", "save")][45:120:9]
    docs.all.clear()
    pausing(RE, looks, [])
    to_the_end(RE, bench.map(20, per_batch=bench.follow()))
    assert {stream: number for stream, number in docs.counts.items() if "gp" not in stream} == expected
    assert docs.column("drift_image", "drift") == [0, 1, 2]


def test_a_plan_with_a_correction_can_be_looked_at(capsys):
    bench = Landmarked()
    summarize_plan(bench.map(10, per_batch=bench.follow()))
    assert "Open" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"number": 2}, "number must be at least 3"),
        ({"window": 0.0}, "window must be larger than 0"),
        ({"agreement": -1.0}, "agreement must be larger than 0"),
        ({"by": SynAxis(name="coil")}, "by must be two movables"),
    ],
)
def test_what_cannot_be_is_refused_before_a_run(change, error):
    with pytest.raises((TypeError, ValueError), match=error):
        Landmarked().follow(**change)


def test_an_agent_whose_map_is_elsewhere_is_refused_before_a_run():
    bench = Landmarked()
    bench.agent = RemoteAgent(bench.agent.optimizer, target="x", ask="localhost:5570", publish="localhost:5567")
    with pytest.raises(ValueError, match="decides at localhost:5570; take GPAgent"):
        bench.follow()
    bench.agent.close()
