"""A run whose agent made the number by a function of somebody's own: asked for, and given."""

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
def test_a_function_of_ones_own_is_asked_for_and_taken(command, folder, tmp_path, monkeypatch, words):
    monkeypatch.setenv("BLUESKY_GP_CATALOG", str(folder))
    (tmp_path / "my_numbers.py").write_text("def total(spectrum, axis):\n    return float(spectrum.sum())\n")
    code, _, err = command(*words)
    assert (code, err.count("\n")) == (2, 1)
    assert "'total': give it with --given scalarizer=MODULE:OBJECT" in err
    assert command(*words, "--given", "scalarizer=my_numbers:total")[0] == 0


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
