"""A batch flown with ophyd-async's simulated detector, which writes its frames to an HDF5 file."""

import asyncio

import pytest

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.plans import adaptive_map
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord
from bluesky_gp.testing import FlyerContract

pytest.importorskip("ophyd_async.sim", reason="needs bluesky_gp[ophyd-async]")
h5py = pytest.importorskip("h5py", reason="needs bluesky_gp[files]")

from ophyd_async.core import FlyableLogic, StaticPathProvider, UUIDFilenameProvider, init_devices  # noqa: E402
from ophyd_async.sim import PatternGenerator, SimBlobDetector  # noqa: E402

from bluesky_gp.devices.ophyd_async import AsyncFlyer, AsyncPixelStage  # noqa: E402

pytestmark = pytest.mark.slow

GRID = PixelGrid((6, 5))


class ScannedGenerator(PatternGenerator):
    """Makes a picture of the next point of a batch; at `broken` it waits for a trigger in vain, once."""

    def __init__(self):
        super().__init__(self.waiting)
        self.points, self.broken, self.lost = [], None, False

    async def waiting(self, seconds):
        if self.points[0] == self.broken:
            self.broken, self.lost = None, True
            await asyncio.Event().wait()
        await asyncio.sleep(seconds)

    def generate_point(self, channel=1, high_energy=False):
        row, col = self.points.pop(0)
        self.set_x(row)
        self.set_y(col)
        return 900 * super().generate_point(channel, high_energy)


class Scan(FlyableLogic):
    """A scan unit that goes to the next point when a frame is taken."""

    def __init__(self, generator):
        self.generator = generator

    async def on_prepare(self, value):
        self.generator.points, self.generator.lost = list(value.pixels), False

    async def on_kickoff(self, ctx):
        pass

    async def on_complete(self, ctx):
        while self.generator.points:
            if self.generator.lost:
                raise OSError("the scan unit lost its trigger")
            await asyncio.sleep(0.005)


@pytest.fixture
def generator():
    return ScannedGenerator()


@pytest.fixture
def flyer(RE, tmp_path, generator):
    paths = StaticPathProvider(UUIDFilenameProvider(), tmp_path)
    with init_devices():
        stage = AsyncPixelStage(GRID)
        blobs = SimBlobDetector(paths, generator)
    with init_devices():
        flyer = AsyncFlyer(blobs, Scan(generator), stage, livetime=0.001)
    return flyer


class TestFlyer(FlyerContract):
    @pytest.fixture
    def flyer(self, flyer):
        return flyer


def mapping(flyer, num=12):
    agent = GPAgent(PixelOptimizer(GRID, "sum", batch_size=6, n_initial=6), target="blobs-sum")
    return adaptive_map([flyer], flyer.pixel_stage, agent, num=num)


def test_the_agent_reads_the_numbers_of_a_batch_from_the_detectors_file(RE, docs, flyer, tmp_path):
    RE(mapping(flyer))
    record = RunRecord.from_documents(docs.all)
    (path,) = tmp_path.glob("*.h5")
    with h5py.File(path, "r") as file:
        assert [outcome.value for outcome in record.outcomes] == file["/entry/sum"][:].tolist()
    assert len({outcome.pixel for outcome in record.outcomes}) == 12
    assert len({outcome.value for outcome in record.outcomes}) > 6
    assert replay(docs.all).identical


def test_where_a_flight_breaks_the_point_is_flown_again_into_a_new_file(RE, docs, flyer, generator, tmp_path):
    RE(mapping(flyer))
    whole, docs.all[:] = RunRecord.from_documents(docs.all).outcomes, []
    generator.broken = divmod(whole[3].pixel, 5)
    RE(mapping(flyer))
    outcomes = RunRecord.from_documents(docs.all).outcomes
    assert [(o.pixel, o.value) for o in outcomes] == [(o.pixel, o.value) for o in whole]
    assert len(docs.of("stream_resource")) == 4 and len(list(tmp_path.glob("*.h5"))) == 3
