"""EPICS devices without a network: ophyd's fake signals stand for the process variables."""

import bluesky.plans as bp
import numpy as np
import ophyd
import pytest
from ophyd.sim import FakeEpicsSignal, make_fake_device
from ophyd.utils.epics_pvs import AlarmSeverity

from bluesky_gp.devices.epics import EpicsAxis, EpicsSpectrometer, EpicsStage
from bluesky_gp.devices.epics import variables as epics_variables
from bluesky_gp.devices.stage import PixelStage
from bluesky_gp.grid import PixelGrid

AXIS = np.linspace(-2.0, 2.0, 5)
START = {"acquire": 0, "busy": 0, "exposure": 0.1, "counter": 7, "state": "Idle", "spectrum": np.zeros(5), "axis": AXIS}


@pytest.fixture(autouse=True)
def fake_signals(monkeypatch):
    monkeypatch.setattr(epics_variables, "EpicsSignal", FakeEpicsSignal)


def spectrometer(start=START, **options):
    made = EpicsSpectrometer("dev:", name="det", **{"scalarizers": ["peak"], "timeout": 5, **options})
    for role, value in start.items():
        if role in made.variables:
            made.variables[role].sim_put(value)
    return made


def post(det, **values):
    for role, value in values.items():
        det.variables[role].sim_put(value)


def connect(signal, whether):
    signal._metadata["connected"] = whether
    signal._run_subs(sub_type=signal.SUB_META, **signal._metadata)


def axis(**options):
    made = make_fake_device(EpicsAxis)("dev:m1", name="stage_x", **options)
    values = {"user_readback": 0.0, "user_setpoint": 0.0, "motor_done_move": 1, "low_limit_travel": -5.0}
    values |= {"high_limit_travel": 5.0, "velocity": 1.0, "acceleration": 0.1, "direction_of_travel": 1}
    for name, value in {**values, "high_limit_switch": 0, "low_limit_switch": 0}.items():
        getattr(made, name).sim_put(value)
    made.user_readback.alarm_severity = AlarmSeverity.NO_ALARM  # the fake one knows of no alarms
    made.user_setpoint.sim_set_limits((-1e9, 1e9))  # the fake one takes (0, 0) at its word
    return made


def arrive(made, where=None):
    made.motor_done_move.sim_put(0)
    made.user_readback.sim_put(made.user_setpoint.get() if where is None else where)
    made.motor_done_move.sim_put(1)


# What an exposure waits for


def test_an_exposure_ends_when_counted_posted_and_idle():
    det = spectrometer()
    status = det.trigger()
    assert det.variables["acquire"].get() == 1
    for step in ({"busy": 1}, {"spectrum": np.arange(5.0)}, {"counter": 8}):
        post(det, **step)
        assert not status.done
    post(det, busy=0)
    status.wait(1)
    assert det.targets == {"peak": 4.0}


@pytest.mark.parametrize("order", [("counter", "spectrum", "busy"), ("busy", "counter", "spectrum")])
def test_whatever_the_order_in_which_they_come(order):
    det = spectrometer()
    status = det.trigger()
    post(det, busy=1)
    for role in order:
        assert not status.done
        post(det, **{role: {"counter": 8, "busy": 0, "spectrum": np.arange(5.0)}[role]})
    status.wait(1)
    assert np.array_equal(det.read()["det_spectrum"]["value"], np.arange(5.0))


def test_the_same_spectrum_twice_is_two_spectra():
    det = spectrometer()
    for count in (8, 9):
        status = det.trigger()
        post(det, busy=1)
        post(det, spectrum=np.ones(5), counter=count, busy=0)
        status.wait(1)


def test_a_detector_that_is_busy_is_not_started_before_it_is_idle():
    det = spectrometer({**START, "busy": 1})
    status = det.trigger()
    assert det.variables["acquire"].get() == 0
    post(det, spectrum=np.full(5, 3.0), counter=8)  # of the exposure that somebody else started
    post(det, busy=0)
    assert det.variables["acquire"].get() == 1
    assert not status.done
    post(det, spectrum=np.arange(5.0), counter=9)
    status.wait(1)
    assert det.targets["peak"] == 4.0


def test_a_detector_without_a_counter_or_without_busy():
    for absent in ("counter", "busy"):
        det = spectrometer(variables={absent: None})
        status = det.trigger()
        rest = {"counter": 8} if absent == "busy" else {"busy": 0}
        post(det, spectrum=np.arange(5.0), **rest)
        status.wait(1)


@pytest.mark.parametrize(
    ("posted", "message"),
    [
        ({}, r"dev:ArrayCounter_RBV is still 7, dev:Spectrum_RBV was not posted"),
        ({"counter": 8, "busy": 1}, r"dev:Spectrum_RBV was not posted, dev:Acquire_RBV is still 1"),
    ],
)
def test_a_timeout_names_the_variables_that_are_wanting(posted, message):
    det = spectrometer(timeout=0.05, exposure=0.0)
    status = det.trigger()
    post(det, **posted)
    with pytest.raises(TimeoutError, match=rf"det: no spectrum 0.05 s after dev:Acquire = 1: {message}"):
        status.wait(2)
    assert det.variables["acquire"].get() == 0  # told to stop


def test_a_detector_that_stays_busy_is_named():
    det = spectrometer({**START, "busy": 1}, timeout=0.05)
    with pytest.raises(
        TimeoutError, match=r"det: dev:Acquire_RBV is still 1 after 0.05 s: an earlier exposure goes on"
    ):
        det.trigger().wait(2)


def test_a_state_of_error_ends_the_exposure_at_once():
    det = spectrometer({**START, "state": "Error"})  # of an earlier exposure, which does not matter
    status = det.trigger()
    post(det, busy=1, state="Acquire")
    assert not status.done
    post(det, state="Error", busy=0)
    with pytest.raises(RuntimeError, match=r"det: the detector went to state 'Error' \(dev:DetectorState_RBV\)"):
        status.wait(1)


def test_a_variable_that_is_away_is_waited_for_and_what_was_heard_before_says_nothing():
    det = spectrometer()
    counter = det.variables["counter"]
    connect(counter, False)
    status = det.trigger()
    assert det.variables["acquire"].get() == 0
    connect(counter, True)
    assert det.variables.missing == ["dev:ArrayCounter_RBV"]  # it is there, and has said nothing yet
    post(det, counter=0)
    assert det.variables["acquire"].get() == 1
    post(det, spectrum=np.arange(5.0), counter=1)
    status.wait(1)


def test_a_disconnection_within_an_exposure_is_a_failure():
    det = spectrometer()
    status = det.trigger()
    counter = det.variables["counter"]
    connect(counter, False)
    with pytest.raises(ConnectionError, match=r"det: dev:ArrayCounter_RBV disconnected during the exposure"):
        status.wait(1)


# Settings, exposure, axis, units, targets of the IOC


def test_exposure_and_settings_are_written_for_a_run_and_put_back():
    det = spectrometer({**START, "setting Mode": 2}, settings={"Mode": 0}, exposure=0.5)
    det.stage()
    assert det.variables["exposure"].get() == 0.1
    det.trigger()
    assert (det.variables["exposure"].get(), det.variables["setting Mode"].get()) == (0.5, 0)
    det.unstage()
    assert (det.variables["exposure"].get(), det.variables["setting Mode"].get()) == (0.1, 2)


def test_without_an_exposure_of_its_own_it_shows_that_of_the_ioc():
    det = spectrometer()
    assert det.exposure.get() == 0.1
    post(det, exposure=0.3)
    assert det.read_configuration()["det_exposure"]["value"] == 0.3
    det.exposure.put(0.2)
    post(det, exposure=0.4)
    assert det.exposure.get() == 0.2


def test_documents_are_those_of_the_simulated_one(RE, docs):
    det = spectrometer(axis_name="bias", axis_units="V", spectrum_units="pm")
    acquire = det.variables["acquire"]

    def expose(value, **kwargs):
        if value:
            post(det, spectrum=np.arange(5.0), counter=det.variables["counter"].get() + 1)

    acquire.sim_set_putter(expose)
    RE(bp.count([det], num=2))
    descriptor = docs.descriptor("primary")
    key = descriptor["data_keys"]["det_spectrum"]
    assert {k: key[k] for k in ("source", "dtype", "dtype_numpy", "shape", "dims", "units")} == {
        "source": "PV:dev:Spectrum_RBV",
        "dtype": "array",
        "dtype_numpy": "<f8",
        "shape": [5],
        "dims": ["bias"],
        "units": "pm",
    }
    configuration = descriptor["configuration"]["det"]["data"]
    assert set(configuration) == {"det_axis", "det_exposure", "det_scalarizers"}
    assert np.array_equal(configuration["det_axis"], AXIS)
    assert docs.column("det_peak") == [4.0, 4.0]


def test_the_ioc_computes_the_target_of_a_detector_that_writes_files(RE, docs):
    det = spectrometer(
        {**START, "target total": 0.0}, variables={"spectrum": None}, scalarizers=(), targets={"total": "Stats:Total"}
    )

    def expose(value, **kwargs):
        if value:
            det.variables["target total"].sim_put(12.5)
            post(det, counter=det.variables["counter"].get() + 1)

    det.variables["acquire"].sim_set_putter(expose)
    RE(bp.count([det]))
    assert docs.data() == [{"det_total": 12.5}]
    scalarizers = docs.descriptor("primary")["configuration"]["det"]["data"]["det_scalarizers"]
    assert scalarizers == '{"total": {"kind": "computed_by_ioc", "pv": "dev:Stats:Total"}}'
    assert docs.descriptor("primary")["hints"]["det"] == {"fields": ["det_total"]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variables": {"shutter": "S"}}, "det: variables are acquire, .*axis, got shutter"),
        ({"variables": {"acquire": None}}, "det: needs the variable 'acquire', and 'counter' or 'spectrum'"),
        ({"variables": {"counter": None, "spectrum": None}}, "det: needs the variable 'acquire', and 'counter' or"),
        ({"variables": {"axis": None}}, r"det: a spectrum needs its axis: the variable, or axis=\[...\]"),
    ],
)
def test_variables_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        EpicsSpectrometer("dev:", name="det", **options)


def test_without_pyepics_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(ophyd, "get_cl", lambda: type("Layer", (), {"name": "dummy"}))
    with pytest.raises(ImportError, match=r"EPICS devices need pyepics: pip install 'bluesky_gp\[epics\]'"):
        EpicsSpectrometer("dev:", name="det")


# The axis


def test_a_move_ends_with_dmov():
    made = axis()
    status = made.set(2.0)
    assert made.user_setpoint.get() == 2.0
    assert not status.done
    arrive(made)
    status.wait(1)
    assert made.read()["stage_x"]["value"] == 2.0


@pytest.mark.parametrize(
    ("backlash", "start", "target", "legs"),
    [
        (0.5, 0.0, 2.0, [2.0]),  # comes from below, far enough
        (0.5, 3.0, 2.0, [1.5, 2.0]),
        (0.5, 1.8, 2.0, [1.5, 2.0]),  # from below, but not far enough to take up the play
        (0.5, 2.0, 2.0, [1.5, 2.0]),
        (-0.5, 0.0, 2.0, [2.5, 2.0]),
        (-0.5, 3.0, 2.0, [2.0]),
        (0.0, 3.0, 2.0, [2.0]),
    ],
)
def test_it_approaches_from_one_side(backlash, start, target, legs):
    made = axis(backlash=backlash)
    made.user_readback.sim_put(start)
    status, went = made.set(target), []
    for leg in legs:
        went.append(made.user_setpoint.get())
        assert not status.done
        arrive(made, leg)
    status.wait(1)
    assert went == legs


def test_limits_of_the_record_hold_where_the_control_limits_read_zero():
    made = axis()
    made.user_setpoint.sim_set_limits((0, 0))
    assert made.limits == (-5.0, 5.0)
    for beyond in (5.1, -5.1, np.nan, np.inf):
        with pytest.raises(ValueError, match="stage_x: .* is outside the limits -5 to 5 of dev:m1.LLM and .HLM"):
            made.set(beyond)
    assert made.user_setpoint.get() == 0.0


def test_the_closer_limits_hold_and_equal_ones_are_none():
    made = axis()
    made.user_setpoint.sim_set_limits((-1.0, 50.0))
    assert made.limits == (-1.0, 5.0)
    made.low_limit_travel.sim_put(0.0)
    made.high_limit_travel.sim_put(0.0)
    assert made.limits == (-1.0, 50.0)
    made.user_setpoint.sim_set_limits((0, 0))
    made.check_value(1e6)


def test_where_the_approach_begins_must_be_within_the_limits_too():
    with pytest.raises(ValueError, match="stage_x: the approach to -4.8 from -5.3 is outside the limits -5 to 5"):
        axis(backlash=0.5).check_value(-4.8)


def test_a_move_that_is_stopped_fails_unless_told_otherwise():
    made = axis()
    status = made.set(2.0)
    made.stop()
    with pytest.raises(RuntimeError, match="stage_x: stopped at 0.0"):
        status.wait(1)
    assert made.motor_stop.get() == 1
    made = axis()
    status = made.set(2.0)
    made.stop(success=True)
    status.wait(1)


@pytest.mark.parametrize("stopped", [True, False])
def test_the_end_of_the_move_before_is_not_taken_for_that_of_the_next(stopped):
    made = axis()
    first = made.set(1.0)
    if stopped:
        made.stop()
    second = made.set(2.0)
    assert isinstance(first.exception(1), RuntimeError)
    assert made.motor_stop.get() == 1
    assert made.user_setpoint.get() == 1.0
    arrive(made, 0.4)  # where the motor stopped
    assert made.user_setpoint.get() == 2.0
    assert not second.done
    arrive(made)
    second.wait(1)


def test_a_move_works_after_one_that_the_record_did_not_take():
    made = axis(timeout=0.05)
    made.velocity.sim_put(0.0)
    assert isinstance(made.set(1.0).exception(2), TimeoutError)
    made.timeout = 5.0
    status = made.set(2.0)
    assert made.user_setpoint.get() == 2.0
    arrive(made)
    status.wait(1)


def test_a_stop_between_two_legs_starts_no_other():
    made = axis(backlash=0.5)
    made.user_readback.sim_put(3.0)
    status = made.set(2.0)
    made.stop(success=True)
    arrive(made, 1.7)
    status.wait(1)
    assert made.user_setpoint.get() == 1.5


def test_a_limit_switch_fails_the_move():
    made = axis()
    status = made.set(2.0)
    made.high_limit_switch.sim_put(1)
    arrive(made, 1.0)
    with pytest.raises(RuntimeError, match="stage_x: the move to 2 ended at a limit switch or with an alarm"):
        status.wait(1)


def test_a_move_that_never_ends_names_its_variables():
    made = axis(timeout=0.05)
    made.velocity.sim_put(0.0)
    status = made.set(2.0)
    made.motor_done_move.sim_put(0)
    made.user_readback.sim_put(0.7)
    with pytest.raises(TimeoutError, match=r"stage_x to 2: dev:m1.DMOV has not become 1, dev:m1.RBV is 0.7"):
        status.wait(2)
    arrive(made)  # too late, and no error


@pytest.mark.parametrize("silent", ["motor_done_move", "user_readback"])
def test_a_motor_that_came_back_is_not_moved_before_it_is_heard(silent):
    made = axis(backlash=0.5)
    signal = getattr(made, silent)
    connect(signal, False)
    status = made.set(2.0)
    connect(signal, True)
    assert made.user_setpoint.get() == 0.0  # the end of the move would not be heard, nor is it known where it begins
    made.user_readback.sim_put(4.0)
    made.motor_done_move.sim_put(1)
    for leg in (1.5, 2.0):
        assert made.user_setpoint.get() == leg
        arrive(made, leg)
    status.wait(1)


# The stage


def stage(monkeypatch, **options):
    import bluesky_gp.devices.epics.stage as epics

    monkeypatch.setattr(epics, "EpicsAxis", make_fake_device(EpicsAxis))
    return EpicsStage(**{"prefix": "dev:", "grid": {"shape": [4, 3]}, "name": "stage", **options})


@pytest.mark.parametrize(
    ("motors", "names", "records"),
    [
        (None, ["stage_y", "stage_x"], ["dev:y", "dev:x"]),
        (["m2", "Piezo:m1"], ["stage_m2", "stage_Piezo_m1"], ["dev:m2", "dev:Piezo:m1"]),
        ({"slow": "m2", "fast": "m1"}, ["stage_slow", "stage_fast"], ["dev:m2", "dev:m1"]),
    ],
)
def test_motors_and_their_names_are_free(monkeypatch, motors, names, records):
    made = stage(monkeypatch, motors=motors)
    assert isinstance(made, PixelStage)
    assert ([axis.name for axis in made.axes], [axis.prefix for axis in made.axes]) == (names, records)


def test_axes_have_settings_of_their_own_or_share_one(monkeypatch):
    made = stage(monkeypatch, settle_time=0.1, backlash=[0.5, 0], timeout=3)
    assert [axis.settle_time for axis in made.axes] == [0.1, 0.1]
    assert [axis.backlash for axis in made.axes] == [0.5, 0.0]
    with pytest.raises(ValueError, match=r"stage: backlash must be one number or 2, one an axis, got \[1\]"):
        stage(monkeypatch, backlash=[1])


def test_one_axis_or_three(monkeypatch):
    assert len(stage(monkeypatch, grid=PixelGrid((5,))).axes) == 1
    assert len(stage(monkeypatch, grid=PixelGrid((5, 4, 3))).axes) == 3


@pytest.mark.parametrize("egu", ["um", "µm", "micron", " um", ""])
def test_one_unit_has_several_spellings(monkeypatch, egu):
    made = stage(monkeypatch, grid={"shape": [4, 3], "units": "um"})
    for axis in made.axes:
        axis.motor_egu.sim_put(egu)
        monkeypatch.setattr(axis, "wait_for_connection", lambda **kwargs: None)
    made.wait_for_connection()


def test_motors_in_another_unit_than_the_grid_are_refused(monkeypatch):
    made = stage(monkeypatch, grid={"shape": [4, 3], "units": "um"})
    for axis in made.axes:
        axis.motor_egu.sim_put("mm")
        monkeypatch.setattr(axis, "wait_for_connection", lambda **kwargs: None)
    with pytest.raises(ValueError, match="stage: the grid is in 'um', but dev:y.EGU says 'mm'"):
        made.wait_for_connection()
