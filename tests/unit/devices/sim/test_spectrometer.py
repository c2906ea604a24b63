"""Simulated instruments behave as real ones do, and can be loaded as real ones are."""

import threading

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
import numpy as np
import pytest
from bluesky import FailedStatus
from bluesky.protocols import Checkable, HasHints, Locatable, Movable, Readable, Stageable, Stoppable

from bluesky_gp.devices import PixelStage, SimulatedAxis, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.grid import PixelGrid

FAR = 1e6  # seconds away: a move or an exposure that is still under way whenever the test looks


@pytest.fixture
def sample():
    return SyntheticFerroelectric((6, 5), failed=0.0)


@pytest.fixture
def stage():
    return PixelStage(grid=PixelGrid(shape=(6, 5), step=(0.1, 0.1), units="um"), name="stage")


@pytest.fixture
def spectrometer(sample, stage):
    return SimulatedSpectrometer(sample, stage, name="spectrometer")


# --- the axis ---------------------------------------------------------------------------------------------------------


def test_an_axis_speaks_every_protocol_that_an_axis_has():
    for protocol in (Movable, Readable, Locatable, Checkable, Stoppable, Stageable, HasHints):
        assert isinstance(SimulatedAxis(name="x"), protocol), protocol


def test_an_axis_is_there_at_once_and_starts_no_thread():
    axis = SimulatedAxis(name="x", units="um")
    threads = threading.active_count()
    assert axis.set(3.0).done
    assert threading.active_count() == threads
    assert axis.locate() == {"setpoint": 3.0, "readback": 3.0}
    assert {key: reading["value"] for key, reading in axis.read().items()} == {"x": 3.0, "x_setpoint": 3.0}
    assert axis.describe()["x"]["units"] == "um"


def test_an_axis_with_a_velocity_is_on_its_way():
    axis = SimulatedAxis(name="x", velocity=1.0)
    status = axis.set(FAR)
    assert not status.done
    assert 0 <= axis.position < FAR
    axis.stop()
    assert axis.locate()["setpoint"] == axis.position < FAR


def test_a_short_move_ends_by_itself():
    axis = SimulatedAxis(name="x", velocity=100.0, settle=0.01)
    axis.set(1.0).wait(10)
    assert axis.position == 1.0


def test_a_stopped_move_fails_unless_the_stop_is_a_success():
    axis = SimulatedAxis(name="x", velocity=1.0)
    status = axis.set(FAR)
    axis.stop(success=True)
    status.wait(1)
    status = axis.set(FAR)
    axis.stop()
    with pytest.raises(RuntimeError, match="x: stopped at"):
        status.wait(1)


def test_a_second_move_supersedes_the_first():
    axis = SimulatedAxis(name="x", velocity=1.0)
    first = axis.set(FAR)
    second = axis.set(-FAR)
    with pytest.raises(RuntimeError, match="x: a move to -1e.06 was asked for before this one ended"):
        first.wait(1)
    assert not second.done
    axis.stop()


def test_limits_hold_before_anything_moves():
    axis = SimulatedAxis(name="x", limits=(-1, 1), units="um")
    for bad in (1.5, np.nan):
        with pytest.raises(ValueError, match=r"x: .* um is outside the limits -1 to 1"):
            axis.set(bad)
    assert axis.position == 0.0
    assert axis.describe()["x"]["limits"] == {"control": {"low": -1.0, "high": 1.0}}


def test_the_noise_of_the_read_back_repeats_with_the_seed():
    positions = []
    for _ in range(2):
        axis = SimulatedAxis(name="x", noise=0.1, seed=5)
        positions.append([axis.set(1.0).done and axis.position for _ in range(50)])
    assert positions[0] == positions[1]
    assert np.std(positions[0]) == pytest.approx(0.1, rel=0.4)


def test_negative_times_and_noise_are_refused():
    with pytest.raises(ValueError, match="x: velocity, settle and noise must not be negative"):
        SimulatedAxis(name="x", velocity=-1)


# --- the spectrometer -------------------------------------------------------------------------------------------------


def test_it_measures_where_the_stage_is_not_what_was_asked(sample, stage, spectrometer):
    stage.set((1, 1))
    stage.axes[1].set(0.4)
    spectrometer.trigger().wait(1)
    assert np.array_equal(spectrometer.spectrum.get(), sample.spectrum((1, 4)))


def test_without_exposure_it_has_ended_when_trigger_returns_and_starts_no_thread(spectrometer):
    threads = threading.active_count()
    assert spectrometer.trigger().success
    assert threading.active_count() == threads


def test_with_an_exposure_the_status_ends_later(spectrometer):
    spectrometer.exposure.put(0.01)
    spectrometer.trigger().wait(10)
    assert np.isfinite(spectrometer.targets["loop_area"])


@pytest.mark.parametrize("how", ["stop", "unstage"])
def test_a_long_exposure_can_be_given_up(spectrometer, how):
    spectrometer.exposure.put(FAR)
    status = spectrometer.trigger()
    assert not status.done
    getattr(spectrometer, how)()
    with pytest.raises(RuntimeError, match="spectrometer: .* during the exposure"):
        status.wait(1)
    spectrometer.exposure.put(0)
    spectrometer.trigger().wait(1)


def test_a_plan_that_breaks_off_leaves_no_exposure_behind(spectrometer, RE):
    spectrometer.exposure.put(FAR)
    started = []

    @bpp.stage_decorator([spectrometer])
    def plan():
        started.append((yield from bps.trigger(spectrometer)))
        raise ZeroDivisionError("a mistake in the plan")

    with pytest.raises((ZeroDivisionError, FailedStatus)):  # whichever reaches the RunEngine first
        RE(plan())
    with pytest.raises(RuntimeError, match="spectrometer: unstaged during the exposure"):
        started[0].wait(1)


def test_each_visit_to_a_pixel_has_its_own_noise_and_a_new_device_repeats_it(sample, stage):
    def visits():
        spectrometer = SimulatedSpectrometer(sample, stage, name="spectrometer")
        spectra = []
        for pixel in ((2, 2), (3, 1), (2, 2)):
            stage.set(pixel)
            spectrometer.trigger().wait(1)
            spectra.append(spectrometer.spectrum.get())
        return spectra

    first, second = visits(), visits()
    assert not np.array_equal(first[0], first[2])
    assert np.array_equal(first, second)


def test_beside_the_sample_the_exposure_fails_and_says_where(stage, spectrometer):
    stage.axes[0].set(2.0)
    with pytest.raises(RuntimeError, match=r"spectrometer: pixel \(20.00, 0.00\) lies beside the sample"):
        spectrometer.trigger().wait(1)
    spectrometer.exposure.put(0.001)
    with pytest.raises(RuntimeError, match="lies beside the sample"):
        spectrometer.trigger().wait(10)


def test_a_list_scan_gives_the_map(sample, stage, spectrometer, RE, docs):
    pixels = list(np.ndindex(sample.shape))
    RE(bp.list_scan([spectrometer], stage, pixels))
    truth = sample.truth("loop_area")
    measured = np.reshape(docs.column("spectrometer_loop_area"), sample.shape)
    assert np.corrcoef(measured.ravel(), truth.ravel())[0, 1] > 0.95
    assert docs.descriptor("primary")["data_keys"]["spectrometer_loop_area"]["units"] == "V pm"


def test_a_grid_scan_over_the_stages_axes_gives_the_same_map(sample, stage, RE, docs):
    y, x = stage.axes
    RE(bp.grid_scan([SimulatedSpectrometer(sample, stage, name="one")], y, 0.0, 0.5, 6, x, 0.0, 0.4, 5))
    RE(bp.list_scan([SimulatedSpectrometer(sample, stage, name="two")], stage, list(np.ndindex(6, 5))))
    by_key = {key: [d[key] for d in docs.data() if key in d] for key in ("one_loop_area", "two_loop_area")}
    assert by_key["one_loop_area"] == by_key["two_loop_area"]


def test_a_sample_by_name_takes_the_shape_of_the_grid(stage):
    assert SimulatedSpectrometer("ferroelectric", stage, name="s").sample.shape == (6, 5)
    eels = SimulatedSpectrometer("eels", stage, scalarizers=["net_counts", "peak"], name="s")
    assert list(eels.targets) == ["net_counts", "peak"]


def test_a_grid_that_does_not_lie_on_the_sample_is_refused(sample):
    stage = PixelStage(grid={"shape": [7, 5]}, name="stage")
    with pytest.raises(ValueError, match=r"s: the grid of stage, \(7, 5\), does not lie on the sample, \(6, 5\)"):
        SimulatedSpectrometer(sample, stage, name="s")
    with pytest.raises(ValueError, match="does not lie on the sample"):
        SimulatedSpectrometer(sample, PixelStage(grid={"shape": [6]}, name="stage"), name="s")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"shape": [6, 5]},
            r"s: its stage: there is no setting 'shape', there are .*grid, axes.*: what says where the pixels lie "
            r"stands in its grid, \{'name': 'stage', 'grid': \{'shape': \[6, 5\]\}\}",
        ),
        ({"name": "stage"}, "s: its stage: 'grid' is missing, there are prefix, grid, axes"),
        ({"grid": {"shape": [6, 5]}}, "s: its stage: 'name' is missing"),
        ({"name": "stage", "gird": {"shape": [6, 5]}}, r"there is no setting 'gird', .*; did you mean 'grid'\?"),
        (
            {"name": "stage", "grid": {"shape": [6, 5], "unit": "um"}},
            r"PixelGrid: .*'unit', .*; did you mean 'units'\?",
        ),
    ],
)
def test_a_mapping_that_describes_no_stage_is_answered_in_a_sentence(sample, given, sentence):
    with pytest.raises(ValueError, match=sentence):
        SimulatedSpectrometer(sample, given, name="s")


def test_settings_of_ophyd_are_settings_of_a_stage_as_well(sample):
    given = {"name": "stage", "grid": {"shape": [6, 5]}, "labels": ["stages"]}
    assert SimulatedSpectrometer(sample, given, name="s").pixel_stage._ophyd_labels_ == {"stages"}


# --- loaders ----------------------------------------------------------------------------------------------------------

GUARNERI = """
bluesky_gp.devices.SimulatedAxis:
- {name: piezo_y, velocity: 0, limits: [-1, 10], units: um}
- {name: piezo_x, units: um}
bluesky_gp.devices.PixelStage:
- name: stage
  axes: [piezo_y, piezo_x]
  grid: {shape: [6, 5], step: [0.1, 0.1], units: um, rotation: 15}
  labels: [stages]
bluesky_gp.devices.SimulatedSpectrometer:
- name: spectrometer
  sample: {kind: ferroelectric, shape: [6, 5], seed: 3}
  stage: stage
  scalarizers: [loop_area, peak]
  exposure: 0
  labels: [detectors]
"""


@pytest.mark.filterwarnings("ignore")
def test_guarneri_loads_them_from_yaml_with_references_by_name(tmp_path, RE, docs):
    guarneri = pytest.importorskip("guarneri")
    path = tmp_path / "devices.yml"
    path.write_text(GUARNERI)
    instrument = guarneri.Instrument({}, registry=guarneri.Registry(auto_register=True, use_typhos=False))
    instrument.load(path)
    stage, spectrometer = instrument.devices["stage"], instrument.devices["spectrometer"]
    assert stage.axes == (instrument.devices["piezo_y"], instrument.devices["piezo_x"])
    RE(bp.list_scan([spectrometer], stage, [(1, 2)]))
    assert np.isfinite(docs.column("spectrometer_loop_area")).all()


@pytest.mark.filterwarnings("ignore")
def test_happi_loads_them_from_its_database(tmp_path, RE, docs):
    happi = pytest.importorskip("happi")
    from happi.backends.json_db import JSONBackend

    client = happi.Client(database=JSONBackend(str(tmp_path / "db.json"), initialize=True))
    kwargs = {
        "name": "{{name}}",
        "sample": {"kind": "eels", "shape": [6, 5]},
        "stage": {"name": "stage", "grid": {"shape": [6, 5]}},
        "scalarizers": ["net_counts"],
    }
    client.create_item(
        "OphydItem",
        name="spectrometer",
        prefix="SIM",
        device_class="bluesky_gp.devices.SimulatedSpectrometer",
        args=[],
        kwargs=kwargs,
    ).save()
    spectrometer = client.load_device(name="spectrometer")
    RE(bp.list_scan([spectrometer], spectrometer.pixel_stage, [(1, 2)]))
    assert np.isfinite(docs.column("spectrometer_net_counts")).all()
