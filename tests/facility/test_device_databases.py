"""Devices and agents out of the databases and files of facilities: happi, guarneri."""

from pathlib import Path

import happi
import pytest
from guarneri import Instrument

from bluesky_gp import GPAgent
from bluesky_gp.configured import configured_agent
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map

JSON = Path(__file__).with_name("devices.json")
TOML = """
[[ stage ]]
name = "stage"
grid = {shape = [12, 12], step = [0.02, 0.02], units = "um"}

[[ agent ]]
name = "gp"
target = "spectrometer_loop_area"
batch_size = 4
acquisition = "ucb"
grid = {shape = [12, 12], step = [0.02, 0.02], units = "um"}
"""

YAML = """
stage:
  - name: stage
    grid: {shape: [12, 12], step: [0.02, 0.02], units: um}
agent:
  - name: gp
    target: spectrometer_loop_area
    batch_size: 4
    acquisition: ucb
    grid: {shape: [12, 12], step: [0.02, 0.02], units: um}
"""


def maps(RE, docs, stage, agent):
    spectrometer = SimulatedSpectrometer(SyntheticFerroelectric((12, 12)), stage, name="spectrometer")
    RE(adaptive_map([spectrometer], stage, agent, num=8))
    assert docs.counts["primary"] == 8
    assert docs.starts[0]["gp"]["acquisition"]["class"] == "bluesky_gp:ConfidenceBound"


@pytest.mark.filterwarnings("ignore")  # happi's own
def test_happi_loads_stage_and_agent(RE, docs):
    client = happi.Client(path=str(JSON))
    stage, agent = client.load_device(name="stage"), client.load_device(name="gp")
    assert isinstance(stage, PixelStage)
    assert isinstance(agent, GPAgent)
    maps(RE, docs, stage, agent)


@pytest.mark.parametrize(("name", "text"), [("devices.toml", TOML), ("devices.yaml", YAML)])
def test_guarneri_loads_stage_and_agent_from_a_file(RE, docs, tmp_path, name, text):
    instrument = Instrument({"stage": PixelStage, "agent": configured_agent}, ignored_classes=[])
    file = tmp_path / name
    file.write_text(text)
    instrument.load(file)
    devices = instrument.devices
    maps(RE, docs, devices["stage"], devices["gp"])
