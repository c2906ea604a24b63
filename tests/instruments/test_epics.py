"""The EPICS devices over real Channel Access: IOCs in processes of their own, killed and restarted."""

import threading
import time
from pathlib import Path

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
import numpy as np
import pytest
from bluesky import FailedStatus
from soft_ioc import PORTS, SoftIOC

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.devices.epics import EpicsAxis, EpicsSpectrometer, EpicsStage
from bluesky_gp.devices.epics.variables import Variables
from bluesky_gp.plans import adaptive_map
from bluesky_gp.testing import ListOptimizer

pytestmark = pytest.mark.slow

ODD = Path(__file__).parent / "odd_iocs.py"
SHAPE = (8, 6)
GRID = PixelGrid(SHAPE, step=(0.02, 0.02), units="um")
AFM_GRID = PixelGrid((5, 9), step=(-0.5, 2.0), origin=(12.0, -3.0), units="nm", rotation=30.0)
TITAN_GRID = PixelGrid((12, 4), step=(1e-3, 3e-3), units="mm", rotation=-112.5)


@pytest.fixture(scope="module")
def one_ioc():
    with SoftIOC("--shape", *SHAPE) as running:
        yield running


@pytest.fixture
def ioc(one_ioc):
    """An IOC that any test may kill."""
    if one_ioc.process.poll() is not None:
        one_ioc.start()
    return one_ioc


@pytest.fixture
def fresh_ioc(one_ioc):
    """The same, with the sample unvisited."""
    one_ioc.restart()
    return one_ioc


@pytest.fixture
def devices():
    """Makes devices, and disconnects them in the end."""
    made = []

    def make(kind, *args, connect=True, **kwargs):
        made.append(kind(*args, **kwargs))
        if connect:
            made[-1].wait_for_connection(timeout=20)
        return made[-1]

    yield make
    for device in made:
        device.destroy()


def bench(devices, grid=GRID, prefix="stem:", **options):
    stage = devices(EpicsStage, prefix, grid=grid, name="stage", **options.pop("motors", {}))
    detector = devices(
        EpicsSpectrometer, f"{prefix}det:", name="spectrometer", **{"scalarizers": ["loop_area"], **options}
    )
    return stage, detector


def listing(grid=GRID, pixels=None, batch_size=10):
    return GPAgent(ListOptimizer(grid, "loop_area", pixels, batch_size), target="spectrometer_loop_area")


def recorded(docs):
    """Pixel and spectrum of each event."""
    pixels = zip(docs.column("stage_row"), docs.column("stage_col"), strict=True)
    return [
        ((round(row), round(col)), s)
        for (row, col), s in zip(pixels, docs.column("spectrometer_spectrum"), strict=True)
    ]


def faults(docs):
    """Why pixels failed by a fault of the instrument, not by their own spectrum, which the sample has too."""
    reasons = docs.column("gp_failures_reason", "gp_failures")
    return [reason for reason in reasons if not reason.endswith(" is nan")]


def assert_own_spectra(docs, sample):
    """Every event holds what the sample shows where the event says that the stage was, visit by visit."""
    visits = {}
    for pixel, spectrum in recorded(docs):
        visit = visits[pixel] = visits.get(pixel, -1) + 1
        assert np.array_equal(spectrum, sample.spectrum(pixel, visit)), (pixel, visit)


# A map


def test_each_event_holds_the_spectrum_of_its_pixel(fresh_ioc, devices, RE, docs):
    stage, detector = bench(devices)
    pixels = [(0, 0), (7, 5), (0, 5), (7, 0), (3, 3), (3, 2), (4, 2), (3, 3), (3, 3), (0, 0)]
    RE(bp.list_scan([detector], stage, pixels))
    assert [pixel for pixel, _ in recorded(docs)] == pixels
    assert_own_spectra(docs, SyntheticFerroelectric(SHAPE, seed=0))
    assert docs.column("spectrometer_loop_area") == pytest.approx(
        [detector.scalarizers["loop_area"](s, detector.axis.get()) for _, s in recorded(docs)]
    )


@pytest.mark.parametrize(
    ("prefix", "motors", "detector", "grid"),
    [
        ("two:", {"y": "y", "x": "x"}, "det:", PixelGrid((8, 6), step=(0.02, 0.02), units="um")),
        ("BL7:AFM-", {"slow": "Piezo:m2", "fast": "Piezo:m1"}, "Lockin1:", AFM_GRID),
        ("", {"a": "titan-a", "b": "titan-b"}, "eels_", TITAN_GRID),
    ],
    ids=["default", "afm", "titan"],
)
def test_the_same_seed_gives_the_same_pixels_as_over_simulated_devices(
    RE, docs, devices, prefix, motors, detector, grid
):
    def measure(stage, spectrometer):
        optimizer = PixelOptimizer(grid, "loop_area", batch_size=4, n_initial=4, seed=3)
        agent = GPAgent(optimizer, target="spectrometer_loop_area")
        docs.all.clear()
        RE(adaptive_map([spectrometer], stage, agent, num=20))
        attempted = docs.column("gp_proposed", "gp")
        keys = list(stage.pixel_keys)
        events = np.column_stack([docs.column(key) for key in keys])
        return np.concatenate(attempted), events.round(6), docs.column("spectrometer_loop_area")

    sample = SyntheticFerroelectric(grid.shape, seed=0)
    simulated = PixelStage(grid=grid, name="stage")
    expected = measure(
        simulated, SimulatedSpectrometer(sample, simulated, scalarizers=["loop_area"], name="spectrometer")
    )
    how = ["--shape", *grid.shape, "--step", *grid.step, "--origin", *grid.origin, "--rotation", grid.rotation]
    names = ["--prefix", prefix, "--motors", *motors.values(), "--detector", detector, "--units", grid.units]
    with SoftIOC(*how, *names, "--exposure", 0.001, "--velocity", 0, port=PORTS[1]):
        stage = devices(EpicsStage, prefix, grid=grid, motors=motors, name="stage")
        spectrometer = devices(
            EpicsSpectrometer, f"{prefix}{detector}", scalarizers=["loop_area"], axis_name="bias", name="spectrometer"
        )
        measured = measure(stage, spectrometer)
    assert np.array_equal(measured[0], expected[0])
    assert np.allclose(measured[1], expected[1])
    assert np.array_equal(measured[2], expected[2], equal_nan=True)


def test_event_keys_and_configuration_are_those_of_the_simulated_spectrometer(ioc, devices, RE, docs):
    simulated = PixelStage(grid=GRID, name="stage")
    sample = SyntheticFerroelectric(SHAPE, seed=0)
    RE(bp.count([SimulatedSpectrometer(sample, simulated, name="spectrometer", exposure=0.01)]))
    _, detector = bench(devices, axis_name="bias")
    RE(bp.count([detector]))
    one, other = docs.of("descriptor")
    for part in (lambda d: d["data_keys"], lambda d: d["configuration"]["spectrometer"]["data_keys"]):
        assert _without_source(part(one)) == _without_source(part(other))
    values = [d["configuration"]["spectrometer"]["data"] for d in (one, other)]
    assert np.array_equal(values[0].pop("spectrometer_axis"), values[1].pop("spectrometer_axis"))
    assert values[0] == values[1]
    assert one["hints"] == other["hints"]


def _without_source(keys):
    return {name: {k: v for k, v in key.items() if k != "source"} for name, key in keys.items()}


# IOCs that come and go


def test_a_run_goes_on_after_the_ioc_was_restarted_between_pixels(fresh_ioc, devices, RE, docs):
    stage, detector = bench(devices, exposure=0.02)
    restarts = []

    def restart(batch):
        yield from bps.null()
        if len(docs.events()) in (5, 15):
            fresh_ioc.restart()
            restarts.append(len(docs.events()))

    RE(adaptive_map([detector], stage, listing(batch_size=5), num=25, per_batch=restart))
    assert restarts == [5, 15]
    assert docs.counts["primary"] == 25
    assert faults(docs) == []
    assert_own_spectra(docs, SyntheticFerroelectric(SHAPE, seed=0))
    assert detector.variables["exposure"].get(use_monitor=False) == 0.01  # put back, in the restarted IOC too


def test_a_pixel_whose_ioc_restarts_within_it_is_measured_again(fresh_ioc, devices, RE, docs):
    stage, detector = bench(devices, exposure=0.2)
    accident = threading.Timer(1.5, fresh_ioc.restart)
    accident.start()
    RE(adaptive_map([detector], stage, listing(), num=20))
    accident.join()
    assert docs.counts["primary"] == 20
    assert faults(docs) == []
    assert_own_spectra(docs, SyntheticFerroelectric(SHAPE, seed=0))
    assert docs.stops[-1]["exit_status"] == "success"


def test_an_ioc_that_dies_within_an_exposure_is_a_failed_status(ioc, devices, RE):
    _, detector = bench(devices)
    detector.exposure.put(30)
    status = detector.trigger()
    time.sleep(0.3)
    assert not status.done
    ioc.kill()
    with pytest.raises(ConnectionError, match=r"spectrometer: stem:det:\w+.* disconnected during the exposure"):
        status.wait(10)
    ioc.start()
    detector.exposure.put(0.01)
    detector.trigger().wait(20)
    assert np.isfinite(detector.targets["loop_area"])


def test_an_ioc_that_dies_within_a_move_is_a_failed_status(ioc, devices):
    stage, _ = bench(devices)
    stage.axes[1].velocity.put(0.01, wait=True)
    status = stage.set((0, 5))
    time.sleep(0.3)
    assert not status.done
    ioc.kill()
    with pytest.raises(
        RuntimeError, match=r"stage: axis stage_x did not get there: ConnectionError.*stem:x\.\w+ discon"
    ):
        status.wait(10)
    ioc.start()
    stage.set((0, 5)).wait(20)
    assert stage.locate()["readback"] == pytest.approx((0, 5))


def test_a_run_whose_ioc_dies_for_good_ends_with_the_reason(ioc, devices, RE, docs):
    stage, detector = bench(devices, reconnect=0.5, motors={"timeout": 0.5, "reconnect": 0.5})

    def kill(batch):
        yield from bps.null()
        if docs.events():
            ioc.kill()

    with pytest.raises(Exception, match="5 pixels in a row failed.*stage: axis stage_. did not get there"):
        RE(adaptive_map([detector], stage, listing(batch_size=3), num=12, per_batch=kill))
    ioc.start()
    assert docs.stops[-1]["exit_status"] == "fail"
    assert docs.counts["gp_failures"] == 5


@pytest.mark.parametrize("make", [
    lambda devices: devices(EpicsStage, "nowhere:", grid=GRID, name="stage", connect=False),
    lambda devices: devices(EpicsSpectrometer, "nowhere:", name="spectrometer", connect=False),
    lambda devices: devices(EpicsAxis, "nowhere:m1", name="axis", connect=False),
])  # fmt: skip
def test_variables_that_nobody_serves_are_named(make, devices):
    with pytest.raises(
        TimeoutError, match=r"no connection to nowhere:\w+\S* ?.* and \d+ more within 0.3 s; is the IOC"
    ):
        make(devices).wait_for_connection(timeout=0.3)


def test_a_move_and_an_exposure_that_nobody_answers_name_the_variable(devices):
    axis = devices(EpicsAxis, "nowhere:m1", name="axis", reconnect=0.3, connect=False)
    with pytest.raises(TimeoutError, match=r"axis: no connection to nowhere:m1.RBV"):
        axis.set(1.0)
    detector = devices(EpicsSpectrometer, "nowhere:", name="det", reconnect=0.3, connect=False)
    with pytest.raises(ConnectionError, match=r"det: no connection to nowhere:Acquire"):
        detector.trigger().wait(5)


# The spectrum of this exposure


@pytest.mark.parametrize("kind", ["counts-first", "stubborn"])
def test_the_spectrum_of_the_exposure_before_is_never_taken(kind, devices):
    with SoftIOC("--kind", kind, script=ODD, port=PORTS[2]):
        detector = devices(EpicsSpectrometer, "odd:", variables={"state": None}, scalarizers=["peak"], name="det")
        for number in range(1, 9):
            detector.trigger().wait(10)
            assert detector.targets["peak"] == number


def test_nor_is_the_value_that_came_with_the_connection_when_it_comes_once_more(devices, monkeypatch):
    heard = []
    first = Variables._heard
    monkeypatch.setattr(
        Variables, "_heard", lambda *args, **event: (heard.append((args, event)), first(*args, **event))
    )
    with SoftIOC("--kind", "counts-first", script=ODD, port=PORTS[2]):
        detector = devices(EpicsSpectrometer, "odd:", variables={"state": None}, scalarizers=["peak"], name="det")
        exposure = detector.trigger()
        for args, event in [(args, event) for args, event in heard if args[1] == "spectrum"]:
            first(*args, **event)
        exposure.wait(10)
        assert detector.targets["peak"] == 1


def test_nor_is_that_of_an_exposure_that_was_given_up(devices):
    with SoftIOC("--kind", "stubborn", script=ODD, port=PORTS[2]):
        detector = devices(
            EpicsSpectrometer, "odd:", variables={"state": None}, exposure=0.3, scalarizers=["peak"], name="det"
        )
        for number in (2, 4, 6):
            given_up = detector.trigger()
            time.sleep(0.1)
            detector.stop()
            assert given_up.exception(1) is not None
            detector.trigger().wait(10)
            assert detector.targets["peak"] == number


def test_a_detector_that_takes_no_notice_is_named(devices):
    with SoftIOC("--kind", "deaf", script=ODD, port=PORTS[2]):
        detector = devices(EpicsSpectrometer, "odd:", variables={"state": None}, timeout=0.3, name="det")
        with pytest.raises(
            TimeoutError, match=r"after odd:Acquire = 1: odd:ArrayCounter_RBV is still 0, odd:Spectrum_RBV"
        ):
            detector.trigger().wait(10)


def test_settings_are_put_back_also_when_the_run_fails(devices, RE):
    with SoftIOC("--kind", "deaf", script=ODD, port=PORTS[2]):
        detector = devices(
            EpicsSpectrometer,
            "odd:",
            variables={"state": None},
            settings={"ImageMode": 0},
            exposure=0.5,
            timeout=0.5,
            name="det",
        )
        seen = []

        def look():
            yield from bps.trigger(detector)
            yield from bps.sleep(0.2)
            seen.append([detector.variables[role].get(use_monitor=False) for role in ("exposure", "setting ImageMode")])
            yield from bps.trigger(detector, wait=True)

        with pytest.raises(FailedStatus):
            RE(bpp.stage_wrapper(look(), [detector]))
        assert seen == [[0.5, 0]]
        time.sleep(0.2)
        assert detector.variables["exposure"].get(use_monitor=False) == 0.05
        assert detector.variables["setting ImageMode"].get(use_monitor=False) == 2


@pytest.fixture
def long_exposing(ioc, devices):
    """A detector whose exposures take half a minute; afterwards the IOC has the exposure that it had."""
    _, detector = bench(devices, exposure=30)
    exposure = detector.variables["exposure"]
    before = exposure.get(use_monitor=False)
    yield detector
    detector.stop()
    exposure.set(before).wait(20)


def test_an_exposure_aborted_from_a_screen_fails_at_once(long_exposing):
    detector = long_exposing
    status = detector.trigger()
    time.sleep(0.3)
    detector.variables.put("acquire", 0)
    with pytest.raises(RuntimeError, match=r"went to state 'Aborted' \(stem:det:DetectorState_RBV\)"):
        status.wait(5)


def test_a_stopped_exposure_is_aborted_and_the_next_one_works(long_exposing):
    detector = long_exposing
    status = detector.trigger()
    time.sleep(0.3)
    detector.stop()
    assert status.exception(1) is not None
    detector.exposure.put(0.01)
    detector.trigger().wait(10)


def test_the_target_may_be_a_number_that_the_ioc_computes(ioc, devices, RE, docs):
    stage, _ = bench(devices)
    detector = devices(
        EpicsSpectrometer, "stem:det:", variables={"spectrum": None}, targets={"area": "Target_RBV"}, name="files"
    )
    agent = GPAgent(ListOptimizer(GRID, "area"), target="files_area")
    RE(adaptive_map([detector], stage, agent, num=12))
    sample = SyntheticFerroelectric(SHAPE, seed=0, noise=0)
    truth = sample.truth("loop_area")
    found = {(round(d["stage_row"]), round(d["stage_col"])): d["files_area"] for d in docs.data()}
    assert len(found) == 12
    assert "files_spectrum" not in docs.data()[0]
    for pixel, value in found.items():
        assert value == pytest.approx(truth[pixel], rel=0.1, nan_ok=True)
    assert docs.descriptor("primary")["data_keys"]["files_area"]["units"] == "V pm"


# Motors


def test_limits_are_enforced_where_the_control_limits_read_zero(devices, RE):
    with SoftIOC("--kind", "plain-motors", script=ODD, port=PORTS[2]):
        axis = devices(EpicsAxis, "odd:x", name="x")
        assert axis.user_setpoint.limits == (0.0, 0.0)
        assert axis.limits == (-1.0, 4.0)
        for beyond in (-1.01, 4.01):
            with pytest.raises(ValueError, match="x: .* is outside the limits -1 to 4 of odd:x.LLM and .HLM"):
                axis.set(beyond)
        axis.set(3.0).wait(10)
        assert axis.position == 3.0
        stage = devices(EpicsStage, "odd:", grid={"shape": [6, 3]}, name="stage")
        with pytest.raises(ValueError, match="stage: pixel .5, 0. needs stage_y at 5 px"):
            stage.check_grid()


def test_a_grid_beyond_the_limits_is_refused_before_anything_moves(ioc, devices, RE, docs):
    grid = PixelGrid(SHAPE, step=(0.2, 0.02), units="um")
    stage, detector = bench(devices, grid=grid)
    with pytest.raises(
        ValueError, match=r"stage: pixel \(7, 0\) of the grid.*cannot be reached: .*stem:y.LLM and .HLM"
    ):
        RE(adaptive_map([detector], stage, listing(grid), num=10))
    assert docs.all == []


def test_limits_that_staff_change_hold_at_once(ioc, devices):
    stage, _ = bench(devices)
    axis = stage.axes[1]
    axis.high_limit_travel.put(0.05, wait=True)
    try:
        _until(lambda: axis.limits[1] == 0.05)
        with pytest.raises(ValueError, match="stage_x: 0.1 is outside the limits"):
            axis.check_value(0.1)
    finally:
        axis.high_limit_travel.put(0.2, wait=True)


def _until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_motors_travel_settle_and_stop(devices):
    with SoftIOC("--shape", *SHAPE, "--velocity", 0.1, "--settle", 0.1, "--prefix", "slow:", port=PORTS[2]):
        stage = devices(EpicsStage, "slow:", grid=GRID, settle_time=0.1, name="stage")
        seen = []
        stage.axes[1].user_readback.subscribe(lambda value, **_: seen.append(value), run=False)
        stage.set((0, 5)).wait(10)
        assert seen == sorted(seen)
        assert len(seen) > 10
        assert seen[-1] == 0.1
        moving = stage.set((7, 0))
        _until(lambda: stage.axes[0].position > 0.01)
        stage.stop()
        assert moving.exception(5) is not None
        _until(lambda: not stage.axes[0].moving)
        assert 0.01 < stage.axes[0].position < 0.14


@pytest.mark.parametrize(("backlash", "right"), [(0.04, True), (0.0, False)])
def test_approach_from_one_side_takes_the_backlash_up(devices, RE, docs, backlash, right):
    with SoftIOC("--shape", *SHAPE, "--backlash", 0.03, "--prefix", "worn:", port=PORTS[2]):
        stage, detector = bench(devices, prefix="worn:", motors={"backlash": backlash})
        pixels = [(7, 5), (3, 2), (4, 1), (0, 3), (5, 0)]
        RE(bp.list_scan([detector], stage, pixels))
    sample = SyntheticFerroelectric(SHAPE, seed=0)
    own = [np.array_equal(spectrum, sample.spectrum(pixel)) for pixel, spectrum in recorded(docs)]
    assert all(own) == right
