"""Nion's instrumentation kit over its simulator: the devices that run inside Swift, without a window."""

import subprocess
import sys
import threading

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
import numpy as np
import pytest
from bluesky import FailedStatus
from bluesky.utils import RunEngineInterrupted

from bluesky_gp import GPAgent, Overview, PixelGrid, PixelOptimizer
from bluesky_gp.plans import adaptive_map, one_pixel, tolerant
from bluesky_gp.testing import DetectorContract, FlyerContract, ListOptimizer, StageContract

pytest.importorskip("nion.usim_device", reason="needs bluesky_gp[nion]")

from nion.utils import Geometry  # noqa: E402

from bluesky_gp.devices.nion import (  # noqa: E402
    NionControl,
    NionEELSDetector,
    NionFlyer,
    NionOverview,
    NionScanStage,
    usim,
)

pytestmark = pytest.mark.slow

SHORT = 0.01  # s
PLACES = np.random.default_rng(3).uniform(-45, 45, (20, 2))  # nm


@pytest.fixture(scope="module")
def simulator():
    """One microscope a process: its registry is global."""
    with usim() as running:
        yield running


@pytest.fixture
def sim(simulator):
    """The microscope as it is switched on: nothing runs, the beam is on."""
    stem = simulator.instrument
    stem.SetVal2D("stage_position_m", Geometry.FloatPoint())
    stem.SetVal("EELS_MagneticShift_Offset", -20.0)
    stem.SetVal("C_Blank", 0.0)
    yield simulator
    for source in (stem.eels_camera, stem.scan_controller):
        source.abort_playing(sync_timeout=10)


@pytest.fixture
def stage(sim):
    return NionScanStage(shape=(20, 20), name="stage")


@pytest.fixture
def detector(sim):
    return NionEELSDetector(name="eels", exposure=SHORT, scalarizers="thickness")


def different(stage, truth):
    """Two pixels of different thickness."""
    return [tuple(int(i) for i in np.argwhere(truth == value)[0]) for value in (0.0, truth.max())]


def agent(grid, optimizer=ListOptimizer):
    return GPAgent(optimizer(grid, target="thickness"), target="eels_thickness")


# --- under the contracts ----------------------------------------------------------------------------------------------


class TestProbe(StageContract):
    @pytest.fixture
    def stage(self, sim):
        mask = np.zeros((6, 5), dtype=bool)
        mask[0] = True
        fill = NionScanStage(shape=(6, 5), name="whole").grid
        return NionScanStage(grid={**fill.to_mapping(), "masked": np.flatnonzero(mask).tolist()}, name="stage")


class TestRotatedGrid(StageContract):
    @pytest.fixture
    def stage(self, sim):
        grid = {"shape": [4, 7], "step": [9.0, 5.0], "origin": [-20.0, -10.0], "rotation": 30.0, "units": "nm"}
        return NionScanStage(grid=grid, settle=0.001, name="probe")


class TestSpecimenStage(StageContract):
    @pytest.fixture
    def stage(self, sim):
        return NionScanStage(moves="stage", shape=(5, 5), limits=[(-50, 50), (-50, 50)], name="stage")


class TestEELS(DetectorContract):
    long_exposure = 0.3

    @pytest.fixture
    def stage(self, stage, simulator):
        self.pixels = different(stage, simulator.thickness(stage.grid))
        return stage

    @pytest.fixture
    def detector(self, detector):
        return detector


# --- where, and what is seen there ------------------------------------------------------------------------------------


def test_the_grid_fills_the_scans_field_of_view(sim):
    grid = NionScanStage(name="stage").grid
    assert (grid.shape, grid.units) == ((256, 256), "nm")
    assert grid.corners.min() == pytest.approx(-50 + 50 / 256)
    assert NionScanStage(shape=(10, 20), name="stage").grid.step == (10.0, 5.0)


def test_the_instrument_clips_what_the_stage_refuses(sim, stage):
    sim.instrument.probe_position = Geometry.FloatPoint(y=5.0, x=-1.0)
    assert (sim.instrument.probe_position.y, sim.instrument.probe_position.x) == (1.0, 0.0)
    wide = NionScanStage(grid=PixelGrid((3, 3), step=(60.0, 60.0), origin=(-60.0, -60.0), units="nm"), name="wide")
    with pytest.raises(ValueError, match=r"needs wide_y at -60 nm, outside its limits -50 to 50"):
        wide.set((0, 1))
    assert sim.instrument.probe_position.y == 1.0


def test_a_grid_beyond_the_field_of_view_is_refused_before_anything_moves(sim, detector, RE, docs):
    wide = NionScanStage(grid=PixelGrid((3, 3), step=(60.0, 60.0), origin=(-60.0, -60.0), units="nm"), name="wide")
    with pytest.raises(ValueError, match="outside its limits"):
        RE(adaptive_map([detector], wide, agent(wide.grid), num=4))
    assert docs.all == []


def test_the_frame_that_is_given_began_after_the_move_the_convenient_one_did_not(sim, stage, detector):
    """The convenient call answers with the frame that was running while the probe moved."""
    camera = sim.instrument.eels_camera
    parameters = camera.get_current_frame_parameters()
    parameters.binning, parameters.exposure_ms = 1, 1000 * SHORT
    camera.set_current_frame_parameters(parameters)
    truth = [_true(sim, place) for place in PLACES]
    camera.start_playing()
    camera.grab_next_to_start(timeout=10)
    convenient = []
    for place in PLACES:
        _park(sim, place)
        frame = camera.get_next_xdatas_to_finish(timeout=10)[0]
        convenient.append(detector.scalarizers["thickness"](frame.data.sum(axis=0), detector.axis.get()))
    camera.abort_playing(sync_timeout=10)
    ours = []
    for place in PLACES:
        _park(sim, place)
        detector.trigger().wait(10)
        ours.append(detector.targets["thickness"])
    moved = np.diff(truth) != 0
    assert np.allclose(ours, truth, atol=0.01)
    assert np.allclose(np.array(convenient)[1:][moved], np.array(truth)[:-1][moved], atol=0.01)
    assert moved.sum() > 5


def _park(sim, place):
    sim.instrument.probe_position = Geometry.FloatPoint(y=place[0] / 100 + 0.5, x=place[1] / 100 + 0.5)


def _true(sim, place):
    grid = PixelGrid((1, 1), origin=tuple(place), units="nm")
    return float(sim.thickness(grid)[0, 0])


def test_an_adaptive_map_of_the_thickness_agrees_with_the_simulators_own_sample(sim, stage, detector, RE, docs):
    steering = agent(stage.grid, PixelOptimizer)
    RE(adaptive_map([detector], stage, steering, num=80))
    truth = sim.thickness(stage.grid)
    pixels = np.rint([docs.column("stage_row"), docs.column("stage_col")]).astype(int)
    assert np.abs(docs.column("eels_thickness") - truth[*pixels]).max() < 0.01
    best = steering.optimizer.best
    assert truth[best["row"], best["col"]] == truth.max()
    assert np.abs(steering.optimizer.mean - truth).mean() < 0.5 * np.abs(truth - truth.mean()).mean()


def test_the_specimen_stage_sees_what_the_probe_sees(sim, detector, RE, docs):
    probe = NionScanStage(grid={"shape": [4, 4], "step": [10, 10], "origin": [-15, -15], "units": "nm"}, name="probe")
    RE(bp.list_scan([detector], probe, list(np.ndindex(4, 4))))
    _park(sim, (0.0, 0.0))
    mirrored = {"shape": [4, 4], "step": [-10, -10], "origin": [15, 15], "units": "nm"}
    specimen = NionScanStage(moves="stage", grid=mirrored, name="specimen")
    RE(bp.list_scan([detector], specimen, list(np.ndindex(4, 4))))
    seen = docs.column("eels_thickness")
    assert seen[:16] == pytest.approx(seen[16:], abs=0.01)
    assert np.ptp(seen) > 0.2


@pytest.mark.parametrize(
    ("name", "fov", "shape"), [("scan", 64.0, (8, 8)), ("p", 30.0, (5, 9)), ("a_b", 200.0, (7, 3))]
)
def test_other_names_fields_and_sizes(sim, detector, RE, docs, name, fov, shape):
    scan = sim.instrument.scan_controller
    before, parameters = scan.get_current_frame_parameters(), scan.get_current_frame_parameters()
    parameters.fov_nm, parameters.pixel_size = fov, shape
    scan.set_current_frame_parameters(parameters)
    try:
        stage = NionScanStage(name=name)
        RE(adaptive_map([detector], stage, agent(stage.grid), num=12))
        truth = sim.thickness(stage.grid)
    finally:
        scan.set_current_frame_parameters(before)
    assert stage.grid.shape == shape and max(np.multiply(stage.grid.step, shape)) == pytest.approx(fov)
    assert np.allclose(docs.column("eels_thickness"), truth.ravel()[:12], atol=0.01)
    assert [*docs.column(f"{name}_row")] == pytest.approx([i // shape[1] for i in range(12)])


def at_frame(detector, number, action):
    """Do something when the `number`-th frame begins; the frame goes on meanwhile."""
    record, begun = detector.camera.record, []

    def watched(*args):
        begun.append(args)
        if len(begun) == number:
            threading.Thread(target=action, daemon=True).start()
        return record(*args)

    object.__setattr__(detector.camera, "record", watched)  # frozen: nothing else may


# --- the beam ---------------------------------------------------------------------------------------------------------


def test_the_beam_is_on_during_exposures_and_blanked_at_the_end(sim, stage, detector, RE):
    sim.instrument.SetVal("C_Blank", 1.0)
    seen = []
    for number in (1, 2, 3):
        at_frame(detector, number, lambda: seen.append(detector.beam.is_blanked))
    detector.exposure.put(0.1)
    RE(adaptive_map([detector], stage, agent(stage.grid), num=3))
    assert seen == [False] * 3
    assert detector.beam.is_blanked


def test_the_beam_is_blanked_at_a_pause_and_no_pixel_is_lost(sim, stage, detector, RE, docs):
    detector.exposure.put(0.5)
    agent_ = agent(stage.grid)
    per_pixel = tolerant(one_pixel, retries=0)
    at_frame(detector, 3, RE.request_pause)
    with pytest.raises(RunEngineInterrupted):
        RE(adaptive_map([detector], stage, agent_, num=4, per_pixel=per_pixel))
    assert detector.beam.is_blanked
    RE.resume()
    assert docs.counts["primary"] == 4 and "gp_failures" not in docs.counts
    truth = sim.thickness(stage.grid)
    assert np.allclose(docs.column("eels_thickness"), truth.ravel()[:4], atol=0.01)
    assert detector.beam.is_blanked


@pytest.mark.parametrize("ending", ["abort", "stop", "halt"])
def test_the_beam_is_blanked_however_the_run_ends(sim, stage, detector, RE, ending):
    detector.exposure.put(0.3)
    at_frame(detector, 2, RE.request_pause)
    with pytest.raises(RunEngineInterrupted):
        RE(adaptive_map([detector], stage, agent(stage.grid), num=10))
    sim.instrument.SetVal("C_Blank", 0.0)
    getattr(RE, ending)()
    assert detector.beam.is_blanked


def test_the_beam_is_blanked_when_the_plan_breaks(sim, stage, detector, RE):
    def broken(pixels):
        yield from bps.null()
        raise ZeroDivisionError("no refocus")

    with pytest.raises(ZeroDivisionError):
        RE(adaptive_map([detector], stage, agent(stage.grid), num=10, per_batch=broken))
    assert detector.beam.is_blanked


def test_the_beam_may_be_blanked_between_exposures(sim, stage):
    careful = NionEELSDetector(name="eels", exposure=SHORT, blank_between=True)
    careful.trigger().wait(10)
    assert careful.beam.is_blanked


@pytest.mark.parametrize("blanker", ["", "C_NoSuchControl"])
def test_an_instrument_that_cannot_blank_measures_all_the_same(sim, stage, RE, docs, blanker):
    plain = NionEELSDetector(name="eels", exposure=SHORT, scalarizers="thickness", blanker=blanker)
    RE(adaptive_map([plain], stage, agent(stage.grid), num=2))
    assert docs.counts["primary"] == 2
    assert not plain.beam.can_be_blanked and sim.instrument.GetVal("C_Blank") == 0.0


# --- the camera -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("binning", [1, 2, 8])
def test_binning_and_the_axis_that_goes_with_it_are_configuration(sim, RE, docs, binning):
    det = NionEELSDetector(name="cam", exposure=SHORT, binning=binning)
    RE(bp.count([det]))
    assert docs.column("cam_spectrum")[0].shape == (1024 // binning,)
    data = docs.descriptor("primary")["configuration"]["cam"]["data"]
    assert (data["cam_binning"], data["cam_exposure"]) == (binning, SHORT)
    assert data["cam_axis"][0] == -20.0 and np.allclose(np.diff(data["cam_axis"]), 0.5 * binning)
    assert docs.descriptor("primary")["configuration"]["cam"]["data_keys"]["cam_axis"]["units"] == "eV"


def test_a_binning_that_the_camera_has_not_is_refused(sim, detector):
    with pytest.raises(ValueError, match=r"eels_binning: expected one of \[1, 2, 4, 8\], got 3"):
        detector.binning.put(3)
    assert detector.binning.get() == 1


def test_an_energy_axis_that_moves_during_a_run_is_a_failed_exposure(sim, detector, RE):
    RE(bps.stage(detector))
    sim.instrument.SetVal("EELS_MagneticShift_Offset", 30.0)
    sim.instrument.SetVal("ZLPoffset", 30.0)
    try:
        with pytest.raises(RuntimeError, match="eels: .*the energy axis now starts at 30 eV, it was -20 eV"):
            detector.trigger().wait(10)
        RE(bps.unstage(detector))
        RE(bps.stage(detector))
        detector.trigger().wait(10)
        assert detector.axis.get()[0] == 30.0
    finally:
        sim.instrument.SetVal("ZLPoffset", -20.0)
        RE(bps.unstage(detector))


def test_a_live_view_is_stopped_during_a_run_and_goes_on_afterwards(sim, stage, detector, RE):
    camera = sim.instrument.eels_camera
    camera.start_playing()
    seen = []
    RE(adaptive_map([detector], stage, agent(stage.grid), num=2), lambda name, doc: seen.append(camera.is_playing))
    assert not any(seen[1:-1]) and camera.is_playing


def test_the_users_own_camera_settings_are_left_alone(sim, detector):
    camera = sim.instrument.eels_camera
    before = camera.get_current_frame_parameters().as_dict()
    detector.binning.put(4)
    detector.trigger().wait(10)
    assert camera.get_current_frame_parameters().as_dict() == before


def test_a_probe_cannot_be_parked_while_the_scan_runs_and_staging_stops_it(sim, stage, RE):
    scan = sim.instrument.scan_controller
    scan.start_playing()
    scan.get_next_xdatas_to_finish(timeout=10)
    with pytest.raises(RuntimeError, match="cannot be parked while the scan runs: stop the scan"):
        stage.set((3, 3)).wait(10)
    RE(bps.stage(stage))
    stage.set((3, 3)).wait(10)
    RE(bps.unstage(stage))
    assert stage.locate()["readback"] == pytest.approx((3, 3))


def test_an_unknown_camera_is_named(sim):
    with pytest.raises(ConnectionError, match="eels: the instrument has no EELS camera 'no_such_camera"):
        NionEELSDetector(name="eels", camera="no_such_camera")


def test_a_camera_is_found_by_its_id(sim):
    assert NionEELSDetector(name="eels", camera="usim_eels_camera").camera.source is sim.instrument.eels_camera


# --- what belongs to every experiment ---------------------------------------------------------------------------------


def test_overview_beam_current_and_stage_position_are_read_before_and_after(sim, stage, detector, RE, docs):
    overview = NionOverview(name="haadf", shape=(96, 96))
    baseline = [
        overview,
        NionControl("BeamCurrent", units="A", name="beam_current"),
        *(NionControl(f"stage_position_m.{axis}", units="m", name=f"specimen_{axis}") for axis in "yx"),
    ]
    RE(bpp.baseline_wrapper(adaptive_map([detector], stage, agent(stage.grid), num=3), baseline))
    before, after = docs.data("baseline")
    assert before["haadf_image"].shape == (96, 96) and before["haadf_image"].dtype == np.float32
    assert before["beam_current"] == after["beam_current"] == pytest.approx(200e-12)
    assert before["specimen_x"] == 0.0
    assert docs.descriptor("baseline")["hints"]["haadf"] == {"fields": []}
    assert docs.descriptor("baseline")["configuration"]["haadf"]["data"]["haadf_step"] == pytest.approx([100 / 96] * 2)
    assert docs.counts["primary"] == 3 and detector.beam.is_blanked


def test_a_map_begins_with_the_scans_haadf_and_its_record_has_it_on_the_grid(sim, stage, detector, RE, docs):
    overview = NionOverview(name="haadf", shape=(64, 64), pixel_time_us=10)
    mapping = GPAgent(PixelOptimizer(stage.grid, "thickness", n_initial=3), target="eels_thickness")
    RE(adaptive_map([detector], stage, mapping, num=3, overview=[overview]))
    (taken,) = docs.data("overview")
    planes = Overview.of(docs.starts[0]["gp"]["overview"])
    assert taken["haadf_image"].shape == (64, 64) and list(planes.images) == ["haadf_image"]
    thickness = sim.thickness(stage.grid)
    assert np.corrcoef(planes.images["haadf_image"].ravel(), thickness.ravel())[0, 1] > 0.8
    assert docs.counts["primary"] == 3


def test_the_overview_shows_the_thickness_where_its_grid_says(sim):
    overview = NionOverview(name="haadf", shape=(64, 64), pixel_time_us=10)
    overview.trigger().wait(10)
    truth = sim.thickness(overview.image_grid)
    image = overview.image.get()
    assert np.corrcoef(image.ravel(), truth.ravel())[0, 1] > 0.8  # the noise of the image is a third of a layer
    assert np.corrcoef(image.T.ravel(), truth.ravel())[0, 1] < 0.4
    assert overview.image_grid.step == (100 / 64, 100 / 64)


def test_an_overview_of_other_proportions_than_the_scan_is_refused(sim):
    with pytest.raises(ValueError, match=r"haadf: shape \(96, 128\) is not of the scan's proportions, 256 : 256"):
        NionOverview(name="haadf", shape=(96, 128))


def test_an_overview_leaves_the_beam_as_it_was(sim):
    sim.instrument.SetVal("C_Blank", 1.0)
    overview = NionOverview(name="haadf", shape=(32, 32))
    overview.trigger().wait(10)
    assert overview.beam.is_blanked


def test_a_channel_that_is_off_is_a_failed_image_that_says_which_are_on(sim, RE):
    with pytest.raises(FailedStatus) as caught:
        RE(bps.trigger(NionOverview(name="maadf", channel="MAADF"), wait=True))
    assert "channel 'MAADF' is not switched on" in str(caught.value.__cause__)
    assert "these are: ['HAADF']" in str(caught.value.__cause__)


def test_an_unknown_control_is_refused_when_it_is_made(sim):
    with pytest.raises(ValueError, match="c: the instrument has no control 'BeamCurent'"):
        NionControl("BeamCurent", name="c")


# --- the simulator ----------------------------------------------------------------------------------------------------


def test_there_is_one_instrument_a_process(sim):
    with pytest.raises(RuntimeError, match="an instrument is registered in this process already"):
        with usim():
            pass


def test_the_simulator_can_be_started_again_and_its_process_ends():
    code = """
import threading
from bluesky_gp.devices.nion import NionEELSDetector, NionScanStage, usim
for sample in ("flake", "gold"):
    with usim(sample) as simulator:
        stage = NionScanStage(shape=(4, 4), name="stage")
        detector = NionEELSDetector(name="eels", exposure=0.01, scalarizers="thickness")
        stage.set((1, 1)).wait(10)
        detector.trigger().wait(10)
        simulator.instrument.eels_camera.start_playing()
print([thread.name for thread in threading.enumerate() if not thread.daemon])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("['MainThread']\n", "")


def test_without_an_instrument_or_without_nions_packages_a_device_says_what_to_do():
    code = """
import sys
from bluesky_gp.devices.nion import NionScanStage
try:
    NionScanStage(name="stage")
except ConnectionError as error:
    print(error)
sys.modules["nion.utils"] = None
try:
    NionScanStage(name="stage")
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    first, second = done.stdout.splitlines()
    assert first.startswith("stage: no instrument is registered in this process. Make Nion devices inside Nion Swift")
    assert second == "stage: needs Nion's instrumentation kit: pip install 'bluesky_gp[nion]'"


@pytest.fixture
def flyer(stage):
    return NionFlyer(stage, name="eels", exposure=SHORT, scalarizers="thickness")


class TestFlyer(FlyerContract):
    @pytest.fixture
    def flyer(self, stage):
        return NionFlyer(stage, name="eels", exposure=SHORT, scalarizers="thickness")


def test_a_flight_sees_what_single_frames_see_and_leaves_the_beam_blanked(sim, stage, flyer, RE, docs):
    optimizer = ListOptimizer(stage.grid, "thickness", batch_size=5)
    RE(adaptive_map([flyer], stage, GPAgent(optimizer, target="eels_thickness"), num=10))
    flown = docs.column("eels_thickness")
    assert sim.instrument.GetVal("C_Blank") == 1.0
    docs.all[:] = []
    optimizer = ListOptimizer(stage.grid, "thickness", batch_size=5)
    single = tolerant(one_pixel)
    RE(adaptive_map([flyer], stage, GPAgent(optimizer, target="eels_thickness"), num=10, per_pixel=single))
    assert flown == pytest.approx(docs.column("eels_thickness"), abs=0.1)


def test_the_beam_is_blanked_while_a_flight_holds_in_a_pause(sim, stage, flyer, RE, docs):
    record, blanked = flyer.camera.record, []

    def pausing(*args):
        frame = record(*args)
        if not blanked:
            RE.request_pause()
        blanked.append(sim.instrument.GetVal("C_Blank"))
        return frame

    object.__setattr__(flyer.camera, "record", pausing)
    optimizer = ListOptimizer(stage.grid, "thickness", batch_size=5)
    with pytest.raises(RunEngineInterrupted):
        RE(adaptive_map([flyer], stage, GPAgent(optimizer, target="eels_thickness"), num=5))
    for _ in range(200):
        if sim.instrument.GetVal("C_Blank") == 1.0:
            break
        threading.Event().wait(0.05)
    assert sim.instrument.GetVal("C_Blank") == 1.0 and len(blanked) < 5
    RE.resume()
    assert docs.counts["primary"] == 5 and blanked == [0.0] * 5
