"""What the how-tos and the reference show can be typed: every block of Python and shell runs, page by page.

A page is read in a session that has what README.md makes, a catalog in ``data`` with a run, and no more; 20 pixels
stand for 410.
"""

from pathlib import Path

import numpy as np
import pytest
from markdown_page import Reader, blocks
from ophyd import Device, Signal
from ophyd.sim import SynAxis
from soft_ioc import SoftIOC

from bluesky_gp import PixelGrid
from bluesky_gp.cli.channel_access import free_ports
from bluesky_gp.recording import open_catalog

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FEWER = {"num=410": "num=20", "review=60.0": "review=0.05"}
WITH_MORE = {
    "record.md",
    "faults.md",
    "your-instrument.md",
    "epics.md",
    "facility.md",
}  # each has a test of its own below
NOT_RUN = {"benchmarks.md"}  # it shows no session; its commands take hours


def plain_pages():
    """Pages that need no more than the session; those with shell commands are slow."""
    for page in sorted(DOCS.glob("*.md")):
        languages = {block.language for block in blocks(page)}
        if page.name not in WITH_MORE | NOT_RUN and languages & {"python", "sh"}:
            yield pytest.param(page, id=page.stem, marks=[pytest.mark.slow] if "sh" in languages else [])


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The folder of a catalog whose pages look at its last run only: opening one takes longer than a page."""
    folder = tmp_path_factory.mktemp("shared")
    with open_catalog(folder):
        yield folder


@pytest.fixture
def session(RE, tmp_path, monkeypatch, shared):  # noqa: N803
    """The session of README.md after its run, in a folder of its own with a catalog that other pages have written."""
    (tmp_path / "data").symlink_to(shared)
    yield from after_the_readme(RE, tmp_path, monkeypatch, open_catalog(shared))


@pytest.fixture
def whole_session(RE, tmp_path, monkeypatch):  # noqa: N803
    """The session of README.md after its run, with a catalog of its own."""
    with open_catalog(tmp_path / "data") as catalog:
        yield from after_the_readme(RE, tmp_path, monkeypatch, catalog)


def after_the_readme(RE, folder, monkeypatch, catalog):  # noqa: N803
    """A reader in a folder who has typed the block of README.md; the catalog is left open."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BLUESKY_GP_CATALOG", "data")
    monkeypatch.setenv("BLUESKY_GP_HANDS", str(folder / "hands"))
    reader = Reader(folder, replaced=FEWER)
    token = RE.subscribe(catalog.writer)
    reader.names |= {"RE": RE, "catalog": catalog}
    (block,) = (block for block in blocks(ROOT / "README.md") if block.language == "python")
    reader.do(block)
    reader.names["optimizer"] = reader.names["agent"].optimizer
    yield reader
    RE.unsubscribe(token)
    reader.names = {name: value for name, value in reader.names.items() if value is not catalog}
    reader.close()


@pytest.mark.parametrize("page", list(plain_pages()))
def test_a_page_can_be_typed_in_a_session(page, session):
    session.follow(page)


@pytest.mark.slow
def test_record(whole_session):
    whole_session.names["catalog"].close()
    whole_session.follow(DOCS / "record.md")


def greedy(mean, std, best, *, rng):
    """An acquisition function of one's own."""
    return mean


_ANY_NUMBERS = {
    "502 documents": "... documents",
    "gp 42, primary 410, gp_maps 41, gp_failures 3": "...",
    "counts 496 events": "counts ... events",
    "yes decisions       42 decisions,": "yes decisions       ... decisions...",
    "410 pixels proposed; 407 measured, 3 failed": "... pixels proposed; ... measured, ... failed",
    "407 values are finite; 3 pixels": "... values are finite; ... pixels",
    "410 values are": "... values are",
    "hyperparameters of 42": "hyperparameters of ...",
    "42 decisions and 41 maps come": "... decisions and ... maps come",
}
"""Numbers of the command verify, of a run of 410 pixels."""


def test_faults(whole_session):
    session, catalog = whole_session, whole_session.names["catalog"]
    stopped = catalog[-1].start["uid"]
    journal = "data/journal/pending/20261124T101500Z_1a2b....jsonl"
    session.replaced |= {
        "num=410": "num=25",
        journal: str(catalog.journal(stopped)),
        "run 1a2b3c4d: 42 iterations and 41 maps": "run ...: ... iterations and ... maps",
        "1a2b3c4d": stopped[:8],
        **_ANY_NUMBERS,
    }
    session.names |= {"greedy": greedy}
    session.follow(DOCS / "faults.md")
    assert catalog[-1].start["gp"]["resumed_from"]


class Overview(Signal):
    """An overview image for the page, where a microscope is wanted."""

    image_grid = PixelGrid((40, 40), step=(2.5, 2.5), origin=(-48.75, -48.75), units="nm")


def test_your_instrument(session):
    whole = PixelGrid((20, 20), step=(5.0, 5.0), origin=(-47.5, -47.5), units="nm")
    axes = [SynAxis(name="piezo_y"), SynAxis(name="piezo_x")]
    session.names |= {
        "whole": whole,
        "grid": whole,
        "image": np.full((40, 40), 5.0),
        "overview": Overview(name="haadf"),
        "beam_current": Signal(name="beam_current"),
        "specimen": Device(name="specimen"),
        "eels": session.names["spectrometer"],
        "piezo_y": axes[0],
        "piezo_x": axes[1],
    }
    session.follow(DOCS / "your-instrument.md")
    assert session.names["grid"].mask.any()
    assert "baseline" in session.names["catalog"][-1]
    assert (session.folder / "overview.png").exists()


@pytest.mark.slow
def test_epics(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reader = Reader(tmp_path, replaced=FEWER | {"bluesky-gp ioc\n": f"bluesky-gp ioc --port {free_ports(1)[0]}\n"})
    with SoftIOC():
        reader.follow(DOCS / "epics.md")
        state = reader.names["optimizer"].state
        assert state.n_measured + state.n_failed == 20
        assert reader.names["catalog"][-1].stop["exit_status"] == "success"
        reader.close()
        reader.names["stage"].destroy()
        reader.names["spectrometer"].destroy()
        reader.names["sdd"].destroy()
