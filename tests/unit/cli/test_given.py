"""A run whose agent made the number by a function of somebody's own: read without it, or given it."""

import json

import numpy as np
import pytest
from bluesky import RunEngine
from ophyd.sim import SynAxis, SynSignal

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import open_catalog

COMMANDS = {
    "show": ("show", "last"),
    "export": ("export", "last", "map.nc"),
    "rehearse": ("rehearse", "last", "--num", 10, "--seeds", 1, "--jobs", 1, "--no-figure", "--no-check"),
    "replay": ("replay", "last"),
}


def total(spectrum, axis):
    return float(spectrum.sum())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A catalog of a run of fifteen pixels whose number an agent made."""
    folder = tmp_path_factory.mktemp("own")
    y, x = SynAxis(name="y", egu="um"), SynAxis(name="x", egu="um")
    detector = SynSignal(
        func=lambda: np.exp(-((np.arange(16.0) - 8.0) ** 2) / 10.0) * (1.0 + y.position * x.position), name="det"
    )
    detector.put(detector._func())
    agent = GPAgent(PixelOptimizer(PixelGrid((6, 6), units="um"), "det"), target="det", scalarizer=total)
    RE = RunEngine({}, context_managers=[])  # noqa: N806
    with open_catalog(folder) as catalog:
        RE.subscribe(catalog.writer)
        RE(adaptive_map([detector], (y, x), agent, num=15))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_function_of_ones_own_is_not_needed_and_another_one_is_refused(command, folder, tmp_path, monkeypatch, words):
    monkeypatch.setenv("BLUESKY_GP_CATALOG", str(folder))
    (tmp_path / "my_numbers.py").write_text(
        "total = lambda spectrum, axis: float(spectrum.sum())\nother = lambda spectrum, axis: -float(spectrum.sum())\n"
    )
    overwrite = ("--overwrite",) if "export" in words else ()
    assert command(*words)[0] == 0
    assert command(*words, *overwrite, "--given", "scalarizer=my_numbers:total")[0] == 0
    code, _, err = command(*words, *overwrite, "--given", "scalarizer=my_numbers:other")
    assert (code, err.count("\n")) == (2, 1)
    assert "was learnt, and other values at 10 of 10 pixels: give the one that the run was measured with" in err


@pytest.mark.slow
def test_what_is_shown_is_what_was_measured(command, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("BLUESKY_GP_CATALOG", str(folder))
    (tmp_path / "my_totals.py").write_text("total = lambda spectrum, axis: float(spectrum.sum())")
    _, out, _ = command("show", "last", "--json", "--given", "scalarizer=my_totals:total")
    assert json.loads(out)["n_measured"] == 15


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("total", "--given total: expected NAME=MODULE:OBJECT, as in scalarizer=my_functions:mine"),
        ("kernel=a:b", "--given kernel=a:b: expected one of scalarizer, got 'kernel'"),
        ("scalarizer=nowhere_at_all:total", "No module named 'nowhere_at_all'"),
        ("scalarizer=json:total", "module 'json' has no attribute 'total'"),
        ("scalarizer=:total", "Empty module name"),
    ],
)
@pytest.mark.parametrize("name", ["show", "export", "rehearse"])
def test_a_slip_in_what_is_given_is_one_line(command, name, word, message):
    code, out, err = command(*COMMANDS[name], "--given", word)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
