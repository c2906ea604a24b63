"""``--signal`` of the commands that read a file: which of its spectrum images is meant."""

import json

import h5py
import pytest
from spectrum_files import SPECTRA, axis, rows_and_cols, write_hyperspy

from bluesky_gp.cli.channel_access import free_ports
from bluesky_gp.cli.targets import experiment

QUICK = ("--target", "peak", "--json", "--no-figure")
BEST = {"amplitude": [2, 6], "phase": [7, 1]}


@pytest.mark.parametrize("signal", BEST)
def test_scalarize_and_demo_take_the_signal_that_is_named(command, two_signals, signal):
    code, out, _ = command("scalarize", two_signals, "--signal", signal, *QUICK)
    assert (code, json.loads(out)["best_pixel"]) == (0, BEST[signal])
    code, out, _ = command("demo", "--sample", two_signals, "--signal", signal, "--num", 40, *QUICK)
    assert (code, json.loads(out)["best_pixel"]) == (0, BEST[signal])


def test_rehearse_takes_the_signal_that_is_named(command, two_signals):
    few = ("--num", 30, "--seeds", 1, "--jobs", 1, "--acquisitions", "ei", "--no-baselines", "--no-check")
    stds = set()
    for signal in BEST:
        code, out, _ = command("rehearse", two_signals, "--signal", signal, *few, *QUICK)
        stds.add(json.loads(out)["std"])
        assert code == 0
    assert len(stds) == 2


@pytest.mark.parametrize("words", [("scalarize",), ("rehearse",), ("demo", "--sample"), ("ioc", "--sample")])
def test_without_a_name_the_names_are_told(command, two_signals, words, free_port):
    code, out, err = command(*words, two_signals, *(("--port", free_port) if words[0] == "ioc" else ()))
    assert (code, out) == (2, "")
    assert "say which signal" in err and "amplitude" in err and "phase" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("scalarize", "eels"), "the synthetic sample eels has one signal; it is for files that hold several"),
        (("demo",), "the synthetic sample ferroelectric has one signal"),
        (("ioc",), "the synthetic sample ferroelectric has one signal"),
        (("rehearse", "last"), "--signal phase is for files, and there is no file last"),
    ],
)
def test_what_is_no_file_has_no_signal_to_choose(command, words, message, free_port):
    code, _, err = command(*words, "--signal", "phase", *(("--port", free_port) if words[0] == "ioc" else ()))
    assert code == 2
    assert message in err and err.count("\n") == 1


@pytest.fixture
def free_port(monkeypatch):
    """A port for an IOC that will not be served; its environment is taken back."""
    import os

    monkeypatch.setattr(os, "environ", os.environ.copy())
    return free_ports(1)[0]


def test_a_reference_of_the_same_file_is_of_the_same_signal(tmp_path):
    path = str(write_hyperspy(tmp_path / "two.hspy", SPECTRA, [*rows_and_cols(), axis("E", 6, "eV", navigate=False)]))
    with h5py.File(path, "a") as file:
        file.copy("Experiments/a map", "Experiments/another")
        file["Experiments/another/data"][...] = SPECTRA[..., ::-1]
    likeness = experiment(path, '{"kind": "cosine", "pixel": [0, 1]}', "2")
    assert likeness.truth[0, 1] == pytest.approx(1.0)
    assert likeness.truth.shape == SPECTRA.shape[:2]
