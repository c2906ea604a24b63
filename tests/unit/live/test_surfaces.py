"""A window on a display of its own, and the cell of a real notebook."""

import os
import shutil
import subprocess
import sys
import time

import pytest

SESSION = """
import sys, time
from bluesky import RunEngine
from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.live import LiveMaps
from bluesky_gp.plans import adaptive_map
RE, live = RunEngine({}), LiveMaps(interval=0.1)
RE.subscribe(live)
grid = PixelGrid((20, 20))
stage = PixelStage(grid=grid, name="stage")
spectrometer = SimulatedSpectrometer(
    SyntheticFerroelectric(shape=(20, 20)), stage, scalarizers=["loop_area"], exposure=0.01, name="spectrometer"
)
agent = GPAgent(PixelOptimizer(grid, "loop_area"), target="spectrometer_loop_area")
"""


@pytest.fixture
def display(tmp_path):
    """An X server without a screen; its name."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    read, write = os.pipe()
    server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24"], pass_fds=[write])
    os.close(write)
    with os.fdopen(read) as numbers:
        yield f":{numbers.readline().strip()}"
    server.terminate()
    server.wait()


@pytest.mark.slow
def test_a_window_shows_the_run_and_one_that_is_closed_ends_nothing_and_comes_back(display):
    pytest.importorskip("tkinter")
    from PIL import ImageGrab

    lines = """
for shown in range(2):
    RE(adaptive_map([spectrometer], stage, agent, num=30))
    print("drawn", live.wait(60.0), flush=True)
    sys.stdin.readline()
    live._painting._process.terminate()  # as a window that is closed, in the middle of nothing
    RE(adaptive_map([spectrometer], stage, agent, num=12)) if not shown else None
print("ended", flush=True)
"""
    session = subprocess.Popen(
        [sys.executable, "-c", SESSION + lines], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"DISPLAY": display, "MPLBACKEND": "tkagg"},
    )  # fmt: skip
    with session:
        for _ in range(2):
            assert session.stdout.readline() == "drawn True\n"
            deadline = time.monotonic() + 20.0  # the server draws what it was told when it comes to it
            while len(ImageGrab.grab(xdisplay=display).getcolors(2**24)) < 100:  # a map has many, an empty screen one
                assert time.monotonic() < deadline
                time.sleep(0.1)
            session.stdin.write("\n")
            session.stdin.flush()
        assert session.stdout.readline() == "ended\n"


@pytest.mark.slow
def test_in_a_notebook_each_run_has_a_picture_in_its_own_cell():
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    run = "RE(adaptive_map([spectrometer], stage, agent, num=30)); live.wait(60.0); time.sleep(1.0)"
    cells = [nbformat.v4.new_code_cell(source) for source in ("%matplotlib inline\n" + SESSION, run, run)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=120).execute()
    for cell in notebook.cells[1:]:
        pictures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
        assert len(pictures) == 1 and len(pictures[0]["data"]["image/png"]) > 20_000
