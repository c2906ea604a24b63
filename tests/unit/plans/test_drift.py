"""Maps of a sample that drifts, with the correction before each batch and without."""

import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.simulators import summarize_plan
from drift_bench import GRID, Bench
from ophyd.sim import SynAxis
from pauses import pausing, to_the_end
from recorded_runs import Recorded

from bluesky_gp.devices import PixelStage
from bluesky_gp.drift import DriftError
from bluesky_gp.plans import correct_drift, go_to_best
from bluesky_gp.plans.origins import origin_of
from bluesky_gp.replay import replay


@pytest.fixture(scope="module")
def still():
    """A map of the sample at rest: its error."""
    bench = Bench(speed=0.0)
    RunEngine({}, context_managers=[])(bench.map())
    return bench.error


def test_map_and_best_pixel_of_a_drifting_sample_are_right_with_the_correction(RE, docs, still):
    bench = Bench()
    RE(bench.map(per_batch=correct_drift(bench.imager, bench.stage)))
    moved, found = bench.moved(docs), np.array(docs.column("drift_displacement", "drift"))
    assert np.abs(moved[-1]).max() > 1.0
    np.testing.assert_allclose(found, moved, atol=0.1)
    assert bench.error <= 1.1 * still
    RE(go_to_best(bench.stage, bench.agent))
    assert bench.from_best < 0.5


def test_they_are_wrong_without_it(RE, still):
    bench = Bench()
    RE(bench.map())
    assert bench.error > 2.0 * still
    RE(go_to_best(bench.stage, bench.agent))
    assert bench.from_best > 1.0


def test_events_have_the_pixel_of_the_sample_and_the_position_where_it_lay(RE, docs):
    bench = Bench(speed=0.1)
    RE(bench.map(15, per_batch=correct_drift(bench.imager, bench.stage)))
    pixels = np.stack([docs.column("stage_row"), docs.column("stage_col")], axis=1)
    places = GRID.fraction(np.stack([docs.column("stage_y"), docs.column("stage_x")], axis=1))
    np.testing.assert_allclose(pixels, np.rint(pixels), atol=1e-9)
    shifts = np.repeat(docs.column("drift_correction", "drift"), 5, axis=0)
    np.testing.assert_allclose(places - pixels, shifts, atol=1e-9)
    np.testing.assert_allclose(docs.column("drift_position", "drift"), GRID.position(shifts[::5]))
    assert docs.counts["drift"] == 3 and docs.counts["drift_reference"] == 1


def test_the_best_pixel_is_found_again_where_the_sample_has_carried_it(RE):
    bench = Bench(speed=0.1)
    RE(bench.map(15, per_batch=correct_drift(bench.imager, bench.stage)))
    RE(go_to_best(bench.stage, bench.agent))
    assert bench.stage.locate()["readback"] == pytest.approx(bench.agent.optimizer.state.best_pixel)
    assert np.abs(bench.stage.shift.position).max() > 0.5


class BeamShift:
    """A stage whose axes stay, and two coils that move beam and image."""

    def __init__(self, bench):
        self.coils = SynAxis(name="tilt_y", value=5.0), SynAxis(name="tilt_x", value=-1.0)
        self.bench, self.spectrum, self.overview = bench, bench.sample.spectrum, bench.sample.overview
        bench.sample.spectrum = lambda pixel, visit: self.spectrum(np.add(pixel, self.shift), visit)
        bench.sample._moved, self.moved = lambda: self.moved() - self.image_shift, bench.sample._moved
        self.image_shift = np.zeros(2)
        bench.sample.overview = self.image

    @property
    def shift(self):
        return GRID.fraction(np.subtract([coil.position for coil in self.coils], (5.0, -1.0)) + GRID.origin)

    def image(self):
        self.image_shift = self.shift
        taken = self.overview()
        self.image_shift = np.zeros(2)
        return taken


def test_coils_that_shift_the_beam_are_moved_by_what_is_left(RE, docs):
    bench = Bench(speed=0.05)
    beam = BeamShift(bench)
    RE(bench.map(20, per_batch=correct_drift(bench.imager, bench.stage, by=beam.coils)))
    np.testing.assert_allclose(docs.column("drift_displacement", "drift"), bench.moved(docs), atol=0.1)
    np.testing.assert_allclose(beam.shift, docs.column("drift_correction", "drift")[-1], atol=1e-9)
    assert bench.stage.shift.position == (0.0, 0.0)


def test_a_coil_that_is_read_amid_a_pause_is_read_again():
    bench = Bench(speed=0.0)
    coils = BeamShift(bench).coils
    reading = origin_of(bench.stage, coils, None, None).shift()
    messages, answer = [], None
    with pytest.raises(StopIteration) as end:
        while True:
            messages.append(reading.send(answer))
            answer = messages[-1].obj.read() if len(messages) > 1 and messages[-1].command == "read" else None
    assert [message.command for message in messages] == ["read", "checkpoint", "read", "read"]
    np.testing.assert_allclose(end.value.value, 0.0, atol=1e-12)


def test_a_shift_that_is_no_drift_ends_the_run_with_a_sentence(RE, docs):
    bench = Bench()
    follow = correct_drift(bench.imager, bench.stage, window=0.5)

    def jump(pixels):
        bench.sample._margin = bench.sample._margin + (4 if len(docs.events()) == 10 else 0)
        yield from follow(pixels)

    with pytest.raises(DriftError, match=r"window=0.5: the sample has jumped"):
        RE(bench.map(per_batch=jump))
    assert docs.stops[0]["exit_status"] == "fail" and "the sample has jumped" in docs.stops[0]["reason"]
    assert docs.counts["primary"] == 10


def test_an_image_is_taken_every_so_many_batches(RE, docs):
    bench = Bench(speed=0.01)
    RE(bench.map(25, per_batch=correct_drift(bench.imager, bench.stage, every=2)))
    assert docs.counts["drift"] == 3


def test_a_run_that_is_resumed_follows_the_drift_further(RE, docs):
    """In the same session by the same plan, in another by the record: with the same numbers as a run that went on."""

    def run(bench, num, **options):
        docs.all.clear()
        RE(bench.map(num, **options))
        return list(docs.all)

    whole = Bench()
    run(whole, 30, per_batch=correct_drift(whole.imager, whole.stage))
    expected = docs.column("drift_correction", "drift"), docs.column("spectrometer_loop_area")
    for again in (False, True):
        bench = Bench()
        follow = correct_drift(bench.imager, bench.stage)
        first = Recorded(run(bench, 15, per_batch=follow))
        drift, values = docs.column("drift_correction", "drift"), docs.column("spectrometer_loop_area")
        if again:
            follow = correct_drift(bench.imager, bench.stage, since=first)
        rest = run(bench, 30, per_batch=follow, resume_from=first)
        assert replay(rest).identical
        np.testing.assert_array_equal([*values, *docs.column("spectrometer_loop_area")], expected[1])
        np.testing.assert_allclose([*drift, *docs.column("drift_correction", "drift")], expected[0], atol=1e-6)


def test_pauses_amid_the_images_change_nothing(RE, docs):
    whole, bench, seen = Bench(speed=0.0), Bench(speed=0.0), []
    pausing(RE, (), seen)
    RE(whole.map(10, per_batch=correct_drift(whole.imager, whole.stage)))
    expected = docs.column("spectrometer_loop_area")
    looks = [number for number, command in enumerate(seen) if command in ("trigger", "read", "set", "save")][:12]
    docs.all.clear()
    pausing(RE, looks, [])
    to_the_end(RE, bench.map(10, per_batch=correct_drift(bench.imager, bench.stage)))
    assert docs.column("spectrometer_loop_area") == expected
    assert docs.column("drift_image", "drift") == [0, 1]


def test_a_run_without_a_drift_cannot_be_followed_further(RE, docs):
    bench = Bench(speed=0.0)
    RE(bench.map(5))
    with pytest.raises(ValueError, match="nothing followed its drift"):
        correct_drift(bench.imager, bench.stage, since=Recorded(docs.all))


def test_a_plan_with_a_correction_can_be_looked_at(capsys):
    bench = Bench(speed=0.0)
    summarize_plan(bench.map(10, per_batch=correct_drift(bench.imager, bench.stage)))
    assert "Open" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"imager": "haadf"}, "imager must be a device that gives an image, got str 'haadf'"),
        ({"stage": SynAxis(name="motor")}, "has no origin that can be shifted"),
        ({"by": SynAxis(name="coil")}, "by must be two movables"),
        ({"every": 0}, "every must be at least 1"),
        ({"window": -1.0}, "window must be larger than 0"),
        ({"by": (SynAxis(name="a"), SynAxis(name="b")), "at": (0, 0)}, "not for by: give one"),
        ({"stage": PixelStage(grid={"shape": [4]}, name="line")}, "an image shows two axes"),
    ],
)
def test_what_cannot_be_is_refused_before_a_run(change, error):
    bench = Bench(speed=0.0)
    arguments = {"imager": bench.imager, "stage": bench.stage, **change}
    with pytest.raises((TypeError, ValueError), match=error):
        correct_drift(**arguments)
