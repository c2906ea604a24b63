"""``bluesky-gp scalarize``: the table, the figure and the file say what the map is."""

import json
import re
from functools import partial

import numpy as np
import pytest

ROWS, COLS = np.indices((12, 11))
HEIGHT = 1.0 + np.exp(-((ROWS - 9.0) ** 2 + (COLS - 3.0) ** 2) / 20.0)
AXIS = np.linspace(0.0, 10.0, 32)


@pytest.fixture
def command(command):
    """Run ``bluesky-gp scalarize``."""
    return partial(command, "scalarize")


@pytest.fixture
def peaks(tmp_path):
    """A map of a peak that is highest at (9, 3), one pixel of it without a spectrum."""
    spectra = HEIGHT[..., None] * np.exp(-((AXIS - 4.0) ** 2))
    spectra[0, 0, 5] = np.nan
    np.savez(tmp_path / "peaks.npz", spectra=spectra, axis=AXIS, meta='{"axis_units": "V", "spectra_units": "pm"}')
    return "peaks.npz"


def test_the_table_says_what_the_map_is(command, peaks):
    code, out, err = command(peaks, "--target", "peak")
    assert (code, err) == (0, "")
    best = f"(9, 3): {2.0 * np.exp(-((AXIS - 4.0) ** 2)).max():.4g} pm"
    for line in ("peak of peaks.npz", "12 x 11", "32 channels, bias (V) 0 to 10", best, "1 of 132"):
        assert line in out
    assert "1 of 32 channels are NaN or infinite" in out


def test_the_figure_lies_beside_and_shows_something(command, peaks, tmp_path):
    assert "figure: peaks-peak.png" in command(peaks, "--target", "peak")[1]
    assert (tmp_path / "peaks-peak.png").stat().st_size > 30_000
    command(peaks, "--target", "area:window=3..5", "--out", "mine.png")
    assert (tmp_path / "mine.png").stat().st_size > 30_000
    command(peaks, "--target", "peak", "--out", "none.png", "--no-figure")
    assert not (tmp_path / "none.png").exists()


def test_json_is_all_that_is_printed_on_demand(command, peaks):
    code, out, err = command(peaks, "--target", "peak_position:window=2..6", "--json", "--no-figure")
    result = json.loads(out)
    assert (code, err) == (0, "")
    assert result["scalarizer"] == {"kind": "peak_position", "window": [2.0, 6.0]}
    assert (result["units"], result["n_failed"], result["figure"]) == ("V", 1, None)
    assert result["median"] == pytest.approx(4.0, abs=0.05)


def test_the_map_is_saved_with_what_it_is(command, peaks, tmp_path):
    command(peaks, "--target", "peak", "--save", "map.npz", "--no-figure")
    with np.load(tmp_path / "map.npz", allow_pickle=False) as file:
        target, meta = file["target"], json.loads(str(file["meta"]))
    assert np.isnan(target[0, 0])
    assert np.nanmax(target) == target[9, 3] == meta["best_value"]
    assert (meta["target"], meta["units"], meta["grid"]["shape"]) == ("peak", "pm", [12, 11])


def test_smaller_may_be_better(command, peaks):
    result = json.loads(command(peaks, "--target", "peak", "--minimize", "--json", "--no-figure")[1])
    assert result["best_value"] == result["min"]


@pytest.mark.parametrize("shape", [(30,), (5, 6), (3, 4, 2)])
def test_maps_of_one_to_three_axes_are_drawn(command, tmp_path, shape):
    np.savez(tmp_path / "map.npz", spectra=np.random.default_rng(0).random((*shape, 8)), axis=np.arange(8.0))
    code, out, _ = command("map.npz", "--target", "peak")
    assert code == 0
    assert " x ".join(map(str, shape)) in out
    assert (tmp_path / "map-peak.png").stat().st_size > 20_000


def test_a_file_is_compared_with_itself(command, peaks):
    result = json.loads(command(peaks, "--target", "cosine:pixel=9..3", "--json", "--no-figure")[1])
    assert result["max"] == pytest.approx(1.0)
    assert len(result["scalarizer"]["reference"]) == 32
    assert "component:components=[2],index=1,method=nmf" in command(
        peaks, "--target", "component:n_components=2,index=1", "--no-figure"
    )[1].replace("\n", "")


def test_the_names_are_listed(command):
    code, out, _ = command("--list")
    assert code == 0
    assert "coercive_voltage   Half the distance of the biases" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.npz"], "there is no nowhere.npz"),
        (["peaks.npz", "--target", "colour"], "scalarizer 'colour' is unknown, there are area, centroid"),
        (["peaks.npz", "--target", "peak:edge=1"], "scalarizer 'peak': .*edge"),
        (["peaks.npz", "--target", "net_counts"], "fails at every pixel, .*lies outside the axis, 0 to 10"),
        (["peaks.npz", "--target", "peak:edge"], "expected name:key=value"),
    ],
)
def test_a_wrong_value_is_one_clear_line_and_exit_code_two(command, peaks, arguments, message):
    code, out, err = command(*arguments)
    assert (code, out, len(err.strip().splitlines())) == (2, "", 1)
    assert re.search(message, err)


@pytest.mark.parametrize(
    "name", ["beps_pto_loops_50x50", "bepfm_resonance_32x32", "ckpfm_bfo_10x10", "eels_oxide_interface_49x6"]
)
def test_the_measured_sets_give_the_map_that_they_hold(command, data_folder, name):
    code, out, _ = command(str(data_folder / f"{name}.npz"), "--json", "--no-figure")
    result = json.loads(out)
    assert code == 0
    with np.load(data_folder / f"{name}.npz") as file:
        held = np.where(file["valid"], file["target"], np.nan) if "valid" in file.files else file["target"]
    assert result["max"] == pytest.approx(float(np.nanmax(held)), rel=1e-4)
    assert result["n_failed"] - np.isnan(held).sum() in range(4)  # three of the 100 are failed fits by our rule


@pytest.mark.parametrize(
    "more", [(), ("--no-figure",), ("--no-figure", "--json"), ("--save", "map.npz", "--no-figure")]
)
@pytest.mark.parametrize("target", ["net_counts", "peak", "loop_area"])
def test_a_target_that_fails_everywhere_is_one_line_and_leaves_no_file(command, tmp_path, target, more):
    spectra = np.full((5, 5, 64), np.nan) if target != "net_counts" else np.zeros((5, 5, 64))
    np.savez(tmp_path / "none.npz", spectra=spectra, axis=np.linspace(400.0, 500.0, 64))
    code, out, err = command("none.npz", "--target", target, *more)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"none.npz: target '{target}' fails at every pixel, " in err
    assert [path.name for path in tmp_path.iterdir()] == ["none.npz"]
