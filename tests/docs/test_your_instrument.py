"""The examples of docs/your-instrument.md: what a user writes for an instrument of his own, under the contracts."""

import importlib.util
import shutil
import socket
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from bluesky_gp import GPAgent, PixelGrid
from bluesky_gp.devices import PixelStage
from bluesky_gp.plans import adaptive_map
from bluesky_gp.plans.stages import as_stage
from bluesky_gp.testing import DetectorContract, ListOptimizer, StageContract

ROOT = Path(__file__).parents[2]


def example(name):
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


yours = example("your_instrument")
GRID = PixelGrid((5, 4), step=(0.5, 0.5), units="um")


class TestYourStage(StageContract):
    @pytest.fixture
    def stage(self):
        return as_stage(yours.devices()[0], GRID)


class TestYourAxesInPixels(StageContract):
    @pytest.fixture
    def stage(self):
        return PixelStage(grid=GRID, axes=yours.devices()[0], name="stage")


class TestYourDetector(DetectorContract):
    @pytest.fixture
    def both(self):
        return yours.devices()

    @pytest.fixture
    def stage(self, both):
        return as_stage(both[0], PixelGrid((7, 7), step=(0.5, 0.5), units="um"))

    @pytest.fixture
    def detector(self, both):
        return both[1]


def test_the_example_finds_the_maximum():
    best = yours.main(num=60)
    assert abs(best["row"] - 15) <= 1 and abs(best["col"] - 5) <= 1


def test_the_page_quotes_what_there_is():
    page = (ROOT / "docs" / "your-instrument.md").read_text()
    for block in page.split("```python")[1:]:
        compile(block.split("```")[0], "your-instrument.md", "exec")
    for name in ("examples/your_instrument.py", "examples/merlin.py", "examples/nion_thickness.py"):
        assert name in page and (ROOT / name).exists()


# --- Merlin, over LiberTEM-live's simulator ---------------------------------------------------------------------------

PORTS = (26341, 26342, 26343)


def write_mib(folder, frame):
    """A Merlin file of one frame, which the simulator replays at each trigger."""
    height, width = frame.shape
    header = f"MQ1,000001,00384,01,{width:04d},{height:04d},U16,   1x1,01,2026-01-01,0.01,0,0,0,12"
    keys = {"Counter Depth (number)": 12, "Frames in Acquisition (Number)": 1, "Frames per Trigger (Number)": 1}
    text = "".join(f"{key}:\t{value}\n" for key, value in keys.items())
    (folder / "one.hdr").write_text(f"HDR,\nTime and Date Stamp (day, mnth, yr, hr, min, s):\t01/01/2026\n{text}End\t")
    (folder / "one.mib").write_bytes(header.encode().ljust(384, b"\0") + frame.astype(">u2").tobytes())
    return folder / "one.hdr"


@pytest.fixture(scope="module")
def frame():
    y, x = np.indices((64, 64)) - 31.5
    return np.rint(1000 * np.exp(-((np.hypot(y, x) / 8) ** 2)))


@pytest.fixture(scope="module")
def merlin(tmp_path_factory, frame):
    """The detector of the example, over the simulator in a process of its own."""
    simulator = shutil.which("libertem-live-mib-sim")
    if simulator is None:
        pytest.skip("libertem-live is not installed")
    control, data, trigger = PORTS
    hdr = write_mib(tmp_path_factory.mktemp("merlin"), frame)
    ports = ["--control-port", str(control), "--data-port", str(data), "--trigger-port", str(trigger)]
    command = [simulator, str(hdr), "--nav-shape", "1", "1", "--wait-trigger", "--host", "127.0.0.1", *ports]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet)
    try:
        made = connected(name="merlin", control_port=control, data_port=data, n_rings=32, scalarizers="peak")
        yield made
        made.close()
    finally:
        process.kill()
        process.wait()


def connected(control_port, seconds=60, **options):
    """The detector, once both of its ports are open; the simulator serves one connection to the data port."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", control_port)).close()
            return example("merlin").MerlinDetector(control_port=control_port, **options)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@pytest.mark.slow
def test_merlin_gives_a_frame_a_trigger_as_rings(merlin, frame, RE, docs):
    stage = PixelStage(grid=GRID, name="stage")
    RE(adaptive_map([merlin], stage, GPAgent(ListOptimizer(GRID, "peak"), target="merlin_peak"), num=12))
    expected = example("merlin").rings(frame, 32)
    assert all(np.array_equal(spectrum, expected) for spectrum in docs.column("merlin_spectrum"))
    assert docs.counts["primary"] == 12


@pytest.mark.slow
class TestMerlin(DetectorContract):
    long_exposure = 0.0

    @pytest.fixture
    def detector(self, merlin):
        return merlin

    @pytest.fixture
    def exposing(self):
        pytest.skip("the simulator has no exposure")
