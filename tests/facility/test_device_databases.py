"""Devices and agents out of the databases and files of facilities: happi, guarneri."""

from pathlib import Path

import happi
import pytest
from guarneri import Instrument
from markdown_page import Reader, blocks

from bluesky_gp import GPAgent
from bluesky_gp.configured import configured_agent
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map

JSON = Path(__file__).with_name("devices.json")
PAGE = Path(__file__).parents[2] / "docs" / "facility.md"
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


def section(page, title):
    """The blocks of one section of a page, and no other's."""
    text = page.read_text()
    first = text[: text.index(f"## {title}")].count("\n")
    after = text[text.index(f"## {title}") :].partition("\n## ")[0].count("\n") + first
    return [block for block in blocks(page) if first < int(block.where.rpartition(":")[2]) <= after + 1]


@pytest.mark.filterwarnings("ignore")  # happi's own
def test_the_entries_that_the_page_shows_are_whole(RE, docs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reader = Reader(tmp_path, names={"RE": RE, "adaptive_map": adaptive_map})
    shown = section(PAGE, "Devices and agents out of files")
    for block in shown:
        reader.do(block)
    assert [block.language.split()[-1] for block in shown] == ["yaml", "python", "json", "python"]
    assert docs.counts["primary"] == 40
    assert [start["gp"]["acquisition"]["class"] for start in docs.starts] == ["bluesky_gp:ConfidenceBound"] * 2


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
