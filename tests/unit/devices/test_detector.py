"""The spectroscopy detector's interface: its documents, its targets, and what happens when it goes wrong."""

import json

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import numpy as np
import pytest
from bluesky import FailedStatus
from bluesky.protocols import Configurable, HasHints, Pausable, Readable, Stageable, Stoppable, Triggerable

from bluesky_gp.devices.detector import SpectrumDetectorBase
from bluesky_gp.protocols import SpectrumDetector

AXIS = np.linspace(0.0, 10.0, 5)


class Scripted(SpectrumDetectorBase):
    """Delivers the next spectrum of a script, at once; an exception in it is a failed exposure."""

    script = [np.arange(5.0)]

    def _expose(self, exposure):
        spectrum = self.script[0] if len(self.script) == 1 else self.script.pop(0)
        if isinstance(spectrum, Exception):
            raise spectrum
        self._deliver(exposure, spectrum)


class Slow(SpectrumDetectorBase):
    """Delivers when the test says so."""

    def _expose(self, exposure):
        self.waiting = exposure
        self.cancelled = False

    def _cancel(self):
        self.cancelled = True


def detector(*script, scalarizers=("peak",), kind=Scripted):
    made = kind(
        name="det", scalarizers=scalarizers, axis=AXIS, axis_name="energy", axis_units="eV", spectrum_units="counts"
    )
    if script:
        made.script = list(script)
    return made


def test_it_speaks_every_protocol_that_a_detector_has():
    for protocol in (Readable, Triggerable, Configurable, Stageable, Stoppable, Pausable, HasHints, SpectrumDetector):
        assert isinstance(detector(), protocol), protocol


def test_its_documents_carry_spectrum_axis_exposure_and_targets_with_units(RE, docs):
    RE(bp.count([detector(scalarizers={"height": "peak", "ti": {"kind": "net_counts", "edge": [5, 10]}})], num=2))
    descriptor = docs.descriptor("primary")
    keys = descriptor["data_keys"]
    spectrum = {k: keys["det_spectrum"][k] for k in ("dtype", "shape", "dtype_numpy", "dims", "units")}
    assert spectrum == {"dtype": "array", "shape": [5], "dtype_numpy": "<f8", "dims": ["energy"], "units": "counts"}
    height = {k: keys["det_height"][k] for k in ("dtype", "shape", "dtype_numpy", "units")}
    assert height == {"dtype": "number", "shape": [], "dtype_numpy": "<f8", "units": "counts"}
    assert keys["det_ti"]["units"] == "counts eV"
    assert descriptor["hints"]["det"] == {"fields": ["det_height", "det_ti"]}
    configuration = descriptor["configuration"]["det"]
    assert np.array_equal(configuration["data"]["det_axis"], AXIS)
    assert configuration["data_keys"]["det_axis"]["units"] == "eV"
    assert configuration["data_keys"]["det_exposure"]["units"] == "s"
    assert json.loads(configuration["data"]["det_scalarizers"])["ti"]["edge"] == [5.0, 10.0]
    assert docs.column("det_height") == [4.0, 4.0]
    assert docs.column("det_spectrum")[0].dtype == np.float64


def test_the_exposure_is_set_by_a_plan_and_recorded(RE, docs):
    det = detector()
    RE(bps.mv(det.exposure, 0.25))
    RE(bp.count([det]))
    assert docs.descriptor("primary")["configuration"]["det"]["data"]["det_exposure"] == 0.25


@pytest.mark.parametrize("exposure", [-1.0, np.nan, np.inf, "long"])
def test_an_exposure_is_a_duration(exposure):
    with pytest.raises(ValueError, match="det_exposure: expected seconds, zero or more"):
        detector().exposure.put(exposure)


def test_before_the_first_exposure_there_is_nothing_to_see():
    det = detector()
    assert np.isnan(det.read()["det_spectrum"]["value"]).all()
    assert np.isnan(det.read()["det_peak"]["value"])
    assert det.describe()["det_spectrum"]["shape"] == [5]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_spectrum_with_a_hole_is_recorded_and_has_no_targets(RE, docs, bad):
    spectrum = np.array([0.0, 1.0, bad, 3.0, 4.0])
    det = detector(spectrum, scalarizers={"peak": "peak", "constant": lambda spectrum, axis: 1.0})
    RE(bp.count([det]))
    assert np.array_equal(docs.column("det_spectrum")[0], spectrum, equal_nan=True)
    assert np.isnan([docs.column("det_peak"), docs.column("det_constant")]).all()
    assert det.target_errors["peak"] == "1 of 5 channels are NaN or infinite"


def test_a_scalarizer_that_raises_gives_nan_and_a_reason_and_the_run_goes_on(RE, docs, caplog):
    def fussy(spectrum, axis):
        if spectrum[0] > 0:
            raise ZeroDivisionError("no background")
        return 1.0

    det = detector(np.ones(5), np.zeros(5), scalarizers={"fussy": fussy, "peak": "peak"})
    RE(bps.mv(det.exposure, 0))
    det.trigger().wait(1)
    assert np.isnan(det.targets["fussy"])
    assert det.targets["peak"] == 1.0
    assert det.target_errors == {"fussy": "the scalarizer raised ZeroDivisionError('no background')"}
    assert "det_fussy is NaN: the scalarizer raised ZeroDivisionError('no background')" in caplog.text
    RE(bp.count([det]))
    assert docs.column("det_fussy") == [1.0]
    assert det.target_errors == {}


@pytest.mark.parametrize("answer", [np.nan, np.inf])
def test_a_scalarizer_may_say_that_the_measurement_failed(answer):
    det = detector(scalarizers={"never": lambda spectrum, axis: answer})
    det.trigger().wait(1)
    assert np.isnan(det.targets["never"])
    assert "says that the measurement failed" in det.target_errors["never"]


def test_a_scalarizer_that_returns_no_number_is_one_that_raises():
    det = detector(scalarizers={"text": lambda spectrum, axis: "large"})
    det.trigger().wait(1)
    assert "ValueError" in det.target_errors["text"]


def test_a_failed_exposure_fails_the_status_and_the_next_one_works(RE):
    det = detector(OSError("no frame"), np.arange(5.0))
    with pytest.raises(FailedStatus) as caught:
        RE(bps.trigger(det, wait=True))
    assert "no frame" in str(caught.value.__cause__)
    RE(bps.trigger(det, wait=True))
    assert det.targets["peak"] == 4.0


def test_a_spectrum_that_does_not_fit_the_axis_is_a_failed_exposure():
    with pytest.raises(ValueError, match=r"det: spectrum of shape \(3,\) does not fit the axis of shape \(5,\)"):
        detector(np.arange(3.0)).trigger().wait(1)


def test_the_status_ends_when_the_targets_can_be_read():
    det = detector(kind=Slow)
    status = det.trigger()
    assert not status.done
    seen = []
    status.add_callback(lambda _: seen.append(det.read()["det_peak"]["value"]))
    det._deliver(det.waiting, np.arange(5.0))
    status.wait(1)
    assert seen == [4.0]


@pytest.mark.parametrize("how", ["stop", "unstage"])
def test_an_exposure_that_is_given_up_fails_and_what_comes_late_is_dropped(how):
    det = detector(kind=Slow)
    status = det.trigger()
    getattr(det, how)()
    with pytest.raises(RuntimeError, match="det: .* during the exposure"):
        status.wait(1)
    assert det.cancelled
    late = det.waiting
    second = det.trigger()
    det._deliver(late, np.arange(5.0))
    assert not second.done
    det._deliver(det.waiting, 2 * np.arange(5.0))
    second.wait(1)
    assert det.targets["peak"] == 8.0


def test_a_pause_ends_the_exposure_with_nothing_measured_and_the_next_trigger_works():
    det = detector(kind=Slow)
    status = det.trigger()
    det.pause()
    status.wait(1)
    assert det.cancelled and np.isnan(det.spectrum.get()).all() and np.isnan(det.targets["peak"])
    late = det.waiting
    det.resume()
    second = det.trigger()
    det._deliver(late, np.arange(5.0))
    assert not second.done
    det._deliver(det.waiting, np.arange(5.0))
    assert det.targets["peak"] == 4.0


def test_stopping_an_idle_detector_does_nothing():
    det = detector()
    det.stop()
    det.trigger().wait(1)
    det.stop()
    assert det.targets["peak"] == 4.0


def test_a_second_trigger_during_an_exposure_is_refused():
    det = detector(kind=Slow)
    status = det.trigger()
    with pytest.raises(RuntimeError, match="det: triggered while the exposure before is still running"):
        det.trigger()
    assert not status.done


def test_its_status_says_whose_exposure_it_is():
    assert repr(detector(kind=Slow).trigger()) == "<exposure of det, done=False, success=False>"


@pytest.mark.parametrize("target", ["spectrum", "axis", "exposure", "scalarizers", ""])
def test_a_target_may_not_take_a_key_that_is_in_use(target):
    with pytest.raises(ValueError, match=f"det: '{target}' cannot be a target"):
        detector(scalarizers={target: "peak"})


def test_a_detector_without_scalarizers_gives_spectra_only(RE, docs):
    RE(bp.count([detector(scalarizers=())]))
    assert set(docs.data()[0]) == {"det_spectrum"}


def test_the_base_class_does_not_expose():
    det = SpectrumDetectorBase(name="det", axis=AXIS)
    with pytest.raises(NotImplementedError, match="SpectrumDetectorBase does not say how it exposes"):
        det.trigger().wait(1)


@pytest.mark.parametrize("shape", [(1, 5), (1, 1, 5), (5, 1)])
def test_a_spectrum_that_comes_as_a_stack_of_one_frame_is_that_frame(RE, docs, shape):
    detector = Scripted(name="det", axis=AXIS, scalarizers={"sum": lambda spectrum, axis: spectrum @ axis})
    detector.script = [np.arange(5.0).reshape(shape)]
    RE(bp.count([detector], 2))
    assert [list(s) for s in docs.column("det_spectrum")] == [[0.0, 1.0, 2.0, 3.0, 4.0]] * 2
    assert docs.column("det_sum") == [np.arange(5.0) @ AXIS] * 2
    assert docs.descriptor("primary")["data_keys"]["det_spectrum"]["shape"] == [5]


def test_a_stack_of_two_frames_is_a_failed_exposure():
    detector = Scripted(name="det", axis=AXIS)
    detector.script = [np.ones((2, 5))]
    with pytest.raises(ValueError, match=r"a spectrum has one axis, got an array of shape \(2, 5\)"):
        detector.trigger().wait(1)


def test_a_complex_spectrum_is_recorded_and_scalarized_whole(RE, docs):
    wave = np.array([1, 1j, -1, -1j, 2 + 1j])
    detector = Scripted(name="det", axis=AXIS, scalarizers={"phase": lambda s, axis: float(np.angle(s[1]))})
    detector.script = [wave]
    RE(bp.count([detector]))
    assert np.array_equal(docs.column("det_spectrum")[0], wave) and docs.column("det_phase") == [np.pi / 2]
    assert docs.descriptor("primary")["data_keys"]["det_spectrum"]["dtype_numpy"] == "<c16"
