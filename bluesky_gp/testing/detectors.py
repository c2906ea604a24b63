"""The contract of a detector that `adaptive_map` can trust; run over any detector.

::

    from bluesky_gp.testing import DetectorContract

    class TestMyDetector(DetectorContract):
        @pytest.fixture
        def detector(self):
            return MySpectrometer("IOC:", name="spectrometer")

To prove that each event is of its own exposure, give it a fixture `stage` as well (as in `StageContract`), and in
`pixels` two pixels that look different.
"""

from collections.abc import Iterator
from typing import Any

import bluesky.plan_stubs as bps
import numpy as np
import pytest
from bluesky.protocols import HasHints, Readable, Stoppable, Triggerable
from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.plans import AnyStage, devices_of, moves_to
from bluesky_gp.testing.session import Session, disagreement, ended, outcome, recorded, staged
from bluesky_gp.typing import Floats


class DetectorContract:
    """Twelve tests of a detector; override the fixture `detector`, and `stage` if there is one.

    Attributes
    ----------
    timeout : float
        Seconds within which an exposure as it is set must end.
    long_exposure : float
        Seconds, longer than the instrument needs to answer a call, for a detector that has an ``exposure``.
    pixels : tuple of two pixels
        Of the stage, where the detector sees different things. Default: the two ends of the grid.
    repeats : int
        Visits of each of the two.
    """

    timeout: float = 30.0
    long_exposure: float = 1.0
    pixels: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    repeats: int = 5

    @pytest.fixture
    def detector(self) -> Any:
        """Return the detector under test."""
        raise NotImplementedError(f"{type(self).__name__}: override the fixture `detector`")

    @pytest.fixture
    def stage(self) -> AnyStage | None:
        """Return the stage that moves what the detector sees."""
        return None

    @pytest.fixture
    def exposing(self, detector: Any) -> Iterator[Any]:
        """Set a long exposure for one test; skip it for a detector that has none."""
        signal = getattr(detector, "exposure", None)
        if signal is None:
            pytest.skip(f"{detector.name} has no `exposure`")
        session = Session()
        before = session.run(bps.rd(signal))
        session.run(bps.abs_set(signal, self.long_exposure, wait=True))
        yield detector
        session.run(bps.abs_set(signal, before, wait=True))

    def test_it_speaks_the_protocols(self, detector: Any) -> None:
        """Name, parent, trigger, read, describe and hints, as bluesky wants them."""
        for protocol in (Readable, Triggerable, HasHints):
            assert isinstance(detector, protocol), f"{detector!r} is not {protocol.__name__}: see bluesky.protocols"
        assert detector.name, f"{detector!r} has no name, and so its events no keys"
        assert getattr(detector, "parent", self) is not self, f"{detector.name} has no `parent`, staging asks for it"

    def test_its_events_are_what_it_describes(self, detector: Any) -> None:
        """Same keys; each value of the dtype and shape that `describe` said once for all."""
        session = Session()
        session.run(staged([detector], self._twice(detector), record=True))
        (descriptor,) = session.descriptors()
        keys = descriptor["data_keys"]
        inside = [key for key in keys if "external" not in keys[key]]
        for event in session.events():
            problems = [disagreement(key, keys[key], event[key]) for key in inside]
            assert not any(problems), f"{detector.name}: {'; '.join(filter(None, problems))}"

    def test_its_configuration_is_what_it_describes(self, detector: Any) -> None:
        """Same keys, and each value of its dtype and shape."""
        session = Session()
        session.run(staged([detector], recorded(detector, self.timeout), record=True))
        configuration = session.descriptors()[0]["configuration"][detector.name]
        keys, data = configuration["data_keys"], configuration["data"]
        assert keys.keys() == data.keys(), f"{detector.name}: configuration describes {[*keys]} and reads {[*data]}"
        problems = [disagreement(key, keys[key], data[key]) for key in keys]
        assert not any(problems), f"{detector.name}: {'; '.join(filter(None, problems))}"

    def test_its_axis_fits_its_spectrum(self, detector: Any) -> None:
        """`NAME_axis` of the configuration has a finite value for each channel of `NAME_spectrum`."""
        session = Session()
        session.run(staged([detector], recorded(detector, self.timeout), record=True))
        spectrum = session.events()[0].get(f"{detector.name}_spectrum")
        if spectrum is None:
            pytest.skip(f"{detector.name} puts no NAME_spectrum into its events")
        axis = session.descriptors()[0]["configuration"][detector.name]["data"].get(f"{detector.name}_axis")
        assert axis is not None, f"{detector.name}: its configuration has no {detector.name}_axis"
        assert np.shape(axis) == np.shape(spectrum), f"{detector.name}: axis {np.shape(axis)}, {np.shape(spectrum)}"
        assert np.isfinite(axis).all(), f"{detector.name}: its axis has channels that are no numbers"

    def test_it_hints_numbers(self, detector: Any) -> None:
        """Hinted keys are in the events, and none is an array."""
        session = Session()
        session.run(staged([detector], recorded(detector, self.timeout), record=True))
        keys = session.descriptors()[0]["data_keys"]
        for field in detector.hints.get("fields", []):
            assert field in keys, f"{detector.name}: hints {field!r}, which is not in its events {[*keys]}"
            assert keys[field]["dtype"] in ("number", "integer"), (
                f"{detector.name}: hints {field!r}, which is no number"
            )

    def test_its_status_ends(self, detector: Any) -> None:
        """Each of several exposures ends within `timeout` seconds."""
        session = Session()
        session.run(staged([detector], ended([Msg("trigger", detector)], self.timeout, detector.name)))
        session.run(staged([detector], ended([Msg("trigger", detector)], self.timeout, detector.name)))

    def test_its_trigger_does_not_wait_for_the_exposure(self, exposing: Any) -> None:
        """`trigger` returns while the exposure runs, so that a pause is served and other devices are not held up."""
        session = Session()
        done = session.run(staged([exposing], self._done_at_once(exposing)))
        assert not done, (
            f"{exposing.name}: an exposure of {self.long_exposure:g} s was over when trigger() returned. Start it "
            f"and return a Status; wait in a thread or in a callback. (Or the exposure is not what `exposure` says)"
        )

    def test_an_exposure_that_is_given_up_ends_and_the_next_one_works(self, exposing: Any) -> None:
        """`stop`, or else unstaging, ends the Status of an exposure, whichever way."""
        stops = [Msg("stop", exposing)] if isinstance(exposing, Stoppable) else []
        session = Session()
        over = session.run(staged([exposing], outcome([Msg("trigger", exposing)], stops, self._patience)))
        assert over, f"{exposing.name}: the Status of an exposure that was given up did not end"
        session.run(staged([exposing], ended([Msg("trigger", exposing)], self._patience, exposing.name)))

    def test_each_event_is_of_its_own_exposure(self, detector: Any, stage: AnyStage | None) -> None:
        """Moved between two pixels, it gives what is there; a detector that gives the frame before does not."""
        if stage is None:
            pytest.skip("no fixture `stage`: whether its readings are fresh is not tested")
        session = Session()
        session.run(staged([detector, *devices_of(stage)], self._alternate(detector, stage), record=True))
        seen = [_numbers(event) for event in session.events()]
        here, there = seen[1], seen[3]  # the second exposure at each place, which nobody can have taken elsewhere
        apart = np.abs(here - there).sum()
        assert apart > 0, f"{detector.name}: sees the same at both `pixels`; choose others"
        for number, event in enumerate(seen[4:]):
            ours, other = (here, there) if number % 2 == 0 else (there, here)
            fresh = np.abs(event - ours).sum() < np.abs(event - other).sum()
            assert fresh, f"{detector.name}: the first event after a move is of the place before it (stale)"

    def test_each_exposure_has_a_time_of_its_own(self, detector: Any) -> None:
        """The timestamps of a reading are newer after another exposure."""
        session = Session()
        session.run(staged([detector], self._twice(detector), record=True))
        first, second = (doc["timestamps"] for name, doc in session.documents if name == "event")
        old = [key for key in first if not second[key] > first[key]]
        assert len(old) < len(first), f"{detector.name}: timestamps of {old} do not change with the exposure"

    def test_staging_leaves_its_configuration_as_it_was(self, detector: Any) -> None:
        """Unstaging restores the configuration that staging changed; three times over."""
        session = Session()
        session.run(staged([detector], recorded(detector, self.timeout), record=True))  # some know their axis only now
        before = session.run(_configuration(detector))
        for _ in range(3):
            session.run(staged([detector], recorded(detector, self.timeout), record=True))
        after = session.run(_configuration(detector))
        changed = [key for key in before if not np.array_equal(before[key], after.get(key))]
        assert not changed, f"{detector.name}: {changed} changed by staging, from {before} to {after}"

    @pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
    def test_its_exposure_must_be_a_duration(self, exposing: Any, value: float) -> None:
        """NaN, infinity and negative seconds are refused, and nothing has changed."""
        session = Session()
        with pytest.raises(Exception):  # noqa: B017 - each control system has its own
            session.run(ended([Msg("set", exposing.exposure, value)], self.timeout, exposing.name))
        assert session.run(bps.rd(exposing.exposure)) == pytest.approx(self.long_exposure)

    @property
    def _patience(self) -> float:
        return self.timeout + self.long_exposure

    def _twice(self, detector: Any) -> MsgGenerator[None]:
        for _ in range(2):
            yield from recorded(detector, self.timeout)

    def _done_at_once(self, detector: Any) -> MsgGenerator[bool]:
        status = yield Msg("trigger", detector)
        done = bool(status.done)
        for _ in range(int(self._patience / 0.02)):
            if status.done:
                break
            yield from bps.sleep(0.02)
        return done

    def _alternate(self, detector: Any, stage: AnyStage) -> MsgGenerator[None]:
        allowed = stage.grid.unravel(np.flatnonzero(stage.grid.allowed))
        pixels = self.pixels or (tuple(allowed[0].tolist()), tuple(allowed[-1].tolist()))
        for visit in range(self.repeats + 1):
            for pixel in pixels:
                yield from ended([Msg("set", *move) for move in moves_to(stage, pixel)], self.timeout, stage.name)
                for _ in range(2 if visit == 0 else 1):
                    yield from recorded(detector, self.timeout)


def _numbers(event: Any) -> Floats:
    """All numbers of an event in one array; a target of NaN tells nothing apart."""
    numbers = np.concatenate([np.ravel(event[key]).astype(np.float64) for key in sorted(event)])
    return np.asarray(np.nan_to_num(numbers))


def _configuration(detector: Any) -> MsgGenerator[dict[str, Any]]:
    found: dict[str, Any] = {}

    async def read() -> None:
        from bluesky.utils import maybe_await

        answer = await maybe_await(detector.read_configuration()) if hasattr(detector, "read_configuration") else {}
        found.update({key: reading["value"] for key, reading in answer.items()})

    yield Msg("wait_for", None, [read])
    return found
