"""Devices in the style of ophyd-async, alone and beside classic ones: plan and agent do not notice."""

import threading

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import numpy as np
import pytest
from bluesky import FailedStatus
from bluesky.utils import RunEngineInterrupted
from ophyd.sim import SynAxis
from recorded_runs import Run

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map, one_pixel, raster_map, tolerant
from bluesky_gp.plans.stages import as_stage
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord
from bluesky_gp.testing import DetectorContract, ListOptimizer, StageContract

pytest.importorskip("ophyd_async.core", reason="needs bluesky_gp[ophyd-async]")
h5py = pytest.importorskip("h5py", reason="needs bluesky_gp[files]")

from ophyd_async.core import StaticPathProvider, UUIDFilenameProvider, init_devices  # noqa: E402
from ophyd_async.sim import PatternGenerator, SimBlobDetector  # noqa: E402

from bluesky_gp.devices.ophyd_async import AsyncAxis, AsyncPixelStage, AsyncSpectrometer  # noqa: E402

pytestmark = pytest.mark.slow

SHAPE = (6, 5)
GRID = PixelGrid(SHAPE, step=(0.1, -0.2), origin=(1.0, 2.0), rotation=10.0, units="um")


@pytest.fixture
def sample():
    return SyntheticFerroelectric(SHAPE, failed=0.0)


@pytest.fixture
def stage(RE):
    with init_devices():
        stage = AsyncPixelStage(GRID)
    return stage


@pytest.fixture
def spectrometer(RE, sample, stage):
    with init_devices():
        spectrometer = AsyncSpectrometer(sample, stage)
    return spectrometer


def agent(optimizer=ListOptimizer, target="spectrometer_loop_area"):
    return GPAgent(optimizer(GRID, target="loop_area"), target=target)


class TestStage(StageContract):
    @pytest.fixture
    def stage(self, RE):
        mask = np.zeros(SHAPE, dtype=bool)
        mask[:2] = True
        with init_devices():
            stage = AsyncPixelStage({**GRID.to_mapping(), "masked": np.flatnonzero(mask).tolist()}, velocity=50.0)
        return stage


class TestPairOfAxes(StageContract):
    @pytest.fixture
    def stage(self, RE):
        with init_devices():
            piezo_y = AsyncAxis(velocity=50.0)
            piezo_x = AsyncAxis(limits=(-20, 20))
        return as_stage((piezo_y, piezo_x), GRID)


class TestSpectrometer(DetectorContract):
    long_exposure = 0.3

    @pytest.fixture
    def stage(self, stage):
        return stage

    @pytest.fixture
    def detector(self, spectrometer):
        return spectrometer


def test_events_have_the_keys_units_and_configuration_of_classic_devices(RE, docs, stage, spectrometer, sample):
    classic_stage = PixelStage(grid=GRID, name="stage")
    classic = SimulatedSpectrometer(sample, classic_stage, name="spectrometer")
    RE(bp.list_scan([spectrometer], stage, [(1, 2)]))
    RE(bp.list_scan([classic], classic_stage, [(1, 2)]))
    ours, theirs = docs.of("descriptor")
    facts = ("dtype", "dtype_numpy", "shape", "units", "dims")
    for key in ("stage_row", "stage_col", "stage_y", "stage_x", "spectrometer_spectrum", "spectrometer_loop_area"):
        assert {f: ours["data_keys"][key].get(f) for f in facts} == {f: theirs["data_keys"][key].get(f) for f in facts}
    for key in ("spectrometer_axis", "spectrometer_exposure", "spectrometer_scalarizers"):
        pair = [doc["configuration"]["spectrometer"] for doc in (ours, theirs)]
        assert np.array_equal(pair[0]["data"][key], pair[1]["data"][key])
        assert pair[0]["data_keys"][key].get("units") == pair[1]["data_keys"][key].get("units")
    assert ours["hints"] == theirs["hints"]
    first, second = docs.data()
    assert np.array_equal(first["spectrometer_spectrum"], second["spectrometer_spectrum"])


def test_the_same_seed_gives_the_same_pixels_as_classic_devices(RE, docs, stage, spectrometer, sample):
    classic_stage = PixelStage(grid=GRID, name="classic")
    classic = SimulatedSpectrometer(sample, classic_stage, name="other")
    RE(adaptive_map([spectrometer], stage, agent(PixelOptimizer), num=22))
    RE(adaptive_map([classic], classic_stage, agent(PixelOptimizer, "other_loop_area"), num=22))
    ours = _pixels(docs, "stage")
    assert ours == _pixels(docs, "classic")


def _pixels(docs, name):
    rows = [data for data in docs.data() if f"{name}_row" in data]
    return [(round(data[f"{name}_row"]), round(data[f"{name}_col"])) for data in rows]


@pytest.mark.parametrize("asynchronous", ["stage", "detector"])
def test_asynchronous_and_classic_devices_share_a_plan(RE, docs, sample, asynchronous):
    with init_devices():
        axis_y = AsyncAxis(units="um")
        axis_x = AsyncAxis(units="um")
        stage = AsyncPixelStage(GRID)
    if asynchronous == "stage":
        clock = SimulatedSpectrometer(sample, PixelStage(grid=GRID, name="still"), name="spectrometer")
        RE(adaptive_map([clock], (axis_y, axis_x), agent(), num=12))
        positions = [docs.column("axis_y"), docs.column("axis_x")]
        assert np.allclose(GRID.fraction(np.transpose(positions)), GRID.coordinates[:12])
    else:
        with init_devices():
            spectrometer = AsyncSpectrometer(sample, stage)
        RE(adaptive_map([spectrometer], PixelStage(grid=GRID, name="classic"), agent(), num=12))
        assert _pixels(docs, "classic") == [divmod(i, SHAPE[1]) for i in range(12)]
    assert docs.counts["primary"] == 12 and docs.stops[0]["exit_status"] == "success"


def test_an_adaptive_map_finds_the_largest_loop(RE, docs, stage, spectrometer, sample):
    steering = agent(PixelOptimizer)
    RE(adaptive_map([spectrometer], stage, steering, num=30))
    truth = sample.truth("loop_area")
    best = steering.optimizer.best
    assert truth[best["row"], best["col"]] >= np.sort(truth.ravel())[-3]
    RE(raster_map([spectrometer], stage))
    assert len(docs.data()) == 60


def test_a_grid_beyond_the_limits_is_refused_before_anything_moves(RE, docs, sample):
    with init_devices():
        stage = AsyncPixelStage(GRID, limits=(0.5, 1.5))
        spectrometer = AsyncSpectrometer(sample, stage)
    with pytest.raises(ValueError, match="stage_x: .* is outside the limits 0.5 to 1.5"):
        RE(adaptive_map([spectrometer], stage, agent(), num=4))
    assert docs.all == []


def test_a_pause_during_an_exposure_loses_no_pixel(RE, docs, stage, spectrometer, monkeypatch):
    RE(bps.mv(spectrometer.exposure, 0.4))
    trigger, triggered = AsyncSpectrometer.trigger, []

    def watched(self):
        triggered.append(True)
        if len(triggered) == 2:
            threading.Thread(target=RE.request_pause, daemon=True).start()
        return trigger(self)

    monkeypatch.setattr(AsyncSpectrometer, "trigger", watched)
    with pytest.raises(RunEngineInterrupted):
        RE(adaptive_map([spectrometer], stage, agent(), num=4, per_pixel=tolerant(one_pixel, retries=0)))
    RE.resume()
    assert docs.counts["primary"] == 4 and "gp_failures" not in docs.counts


def test_a_prepared_exposure_is_taken_over(RE, spectrometer):
    from ophyd_async.core import TriggerInfo

    found = []

    def plan():
        yield from bps.stage(spectrometer, wait=True)
        yield from bps.prepare(spectrometer, TriggerInfo(livetime=0.01), wait=True)
        yield from bps.trigger(spectrometer, wait=True)
        found.append((yield from bps.rd(spectrometer.exposure)))
        yield from bps.unstage(spectrometer, wait=True)

    RE(plan())
    assert found == [0.01]


def test_beside_the_sample_the_exposure_fails_and_the_next_one_works(RE, stage, spectrometer):
    def look(position):
        yield from bps.mv(stage.y, position)
        yield from bps.trigger(spectrometer, wait=True)

    RE(bps.stage(spectrometer, wait=True))
    with pytest.raises(FailedStatus) as caught:
        RE(look(50.0))
    assert "lies beside the sample" in str(caught.value.__cause__)
    RE(look(1.0))
    assert np.isfinite(spectrometer.data.targets["loop_area"])


def test_a_scalarizer_that_raises_is_a_target_of_nan_with_a_reason(RE, docs, stage, sample):
    with init_devices():
        det = AsyncSpectrometer(sample, stage, scalarizers={"bad": lambda spectrum, axis: 1 / 0, "peak": "peak"})
    RE(bp.count([det]))
    assert np.isnan(docs.column("det_bad")[0]) and np.isfinite(docs.column("det_peak")[0])
    assert det.data.target_errors == {"bad": "the scalarizer raised ZeroDivisionError('division by zero')"}


@pytest.fixture
def blob(RE, tmp_path):
    """A camera of ophyd-async, which writes its images and their sums to a file beside the events."""

    async def at_once(seconds):
        pass

    with init_devices():
        blob = SimBlobDetector(
            StaticPathProvider(UUIDFilenameProvider(), tmp_path), PatternGenerator(sleep=at_once), name="blob"
        )
    return blob


class Sums:
    """Maps the sums of a camera's images, over two axes that the images depend on."""

    def __init__(self, blob):
        self.y, self.x, self.blob = SynAxis(name="y"), SynAxis(name="x"), blob
        blob.pattern_generator.set_x(2.0)
        for axis, seen in ((self.y, blob.pattern_generator.set_y), (self.x, blob.pattern_generator.set_x)):
            axis.subscribe(lambda value, seen=seen, **kwargs: seen(value), run=False)
        optimizer = PixelOptimizer(PixelGrid((3, 3)), "sum", batch_size=3, n_initial=3)
        self.agent = GPAgent(optimizer, target="blob-sum", axes={"keys": ["y", "x"], "space": "stage"})

    def scan(self):
        return bp.grid_scan([self.blob], self.y, 0, 2, 3, self.x, 0, 2, 3)

    def map(self, num):
        return adaptive_map([self.blob], (self.y, self.x), self.agent, num=num)


def in_the_file(docs):
    """The sums in the file of a run, in order."""
    resources = [doc for doc in docs.of("stream_resource") if doc["data_key"] == "blob-sum"]
    with h5py.File(resources[-1]["uri"].removeprefix("file://localhost")) as file:
        return file[resources[-1]["parameters"]["dataset"]][:].tolist()


def test_a_number_in_the_file_of_a_camera_is_mapped_and_replayed(RE, docs, blob):
    RE(Sums(blob).map(6))
    assert RunRecord.from_documents(docs.all).measured[1].tolist() == in_the_file(docs)
    assert len(set(in_the_file(docs))) > 1 and replay(docs.all).identical


def test_a_scan_whose_numbers_are_in_the_file_of_a_camera_teaches_them(RE, docs, blob):
    sums = Sums(blob)
    RE(sums.scan())
    sums.agent.learn_from(Run(list(docs.all)))
    (action,) = sums.agent.hands.waiting
    assert action.arguments["values"] == in_the_file(docs) and action.arguments["pixels"] == list(range(9))
