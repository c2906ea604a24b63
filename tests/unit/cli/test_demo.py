import json
import subprocess
import sys

import numpy as np
import pytest

from bluesky_gp.cli.instruments import simulated


@pytest.fixture
def sample_file(tmp_path):
    """Twelve by eleven spectra with a peak that is highest in one corner."""
    rows, cols = np.indices((12, 11))
    axis = np.linspace(0.0, 10.0, 32)
    height = 1.0 + np.exp(-((rows - 9.0) ** 2 + (cols - 3.0) ** 2) / 20.0)
    spectra = height[..., None] * np.exp(-((axis - 4.0) ** 2))
    path = tmp_path / "peaks.npz"
    np.savez(path, spectra=spectra.astype(np.float32), axis=axis.astype(np.float32))
    return path


def test_a_short_demonstration_prints_the_table_and_how_to_read_it_back(command, tmp_path):
    code, out, _ = command("demo", "--num", "30", "--seed", "3")
    assert code == 0
    assert "30 of 2500, 1.2% of the full map" in out
    assert "published: 1200 s of" in out
    assert "run.primary.read()" in out
    (figure,) = (tmp_path / "bluesky-gp-demo").glob("*.png")
    assert figure.stat().st_size > 50_000


def test_json_is_all_that_is_printed_on_demand_and_no_figure_makes_none(command, tmp_path):
    code, out, err = command("demo", "--num", "12", "--json", "--no-figure", "--catalog", "here", "--kernel", "rbf")
    result = json.loads(out)
    assert code == 0
    assert err == ""
    assert (result["num"], result["n_pixels"], result["figure"], result["catalog"]) == (12, 2500, None, "here")
    assert result["rank"] >= 1
    assert not list(tmp_path.glob("**/*.png"))


def test_a_file_of_measured_spectra_is_scored_by_its_own_pixels(command, sample_file):
    code, out, _ = command("demo", "--sample", str(sample_file), "--target", "peak", "--json", "--no-figure")
    result = json.loads(out)
    assert code == 0
    assert (result["num"], result["n_pixels"], result["target"]) == (30, 132, "spectrometer_peak")
    assert result["rank"] <= 3


def test_the_seed_chooses_the_first_pixels_and_the_batch_the_iterations(command):
    results = [
        json.loads(command("demo", "--num", "12", "--json", "--no-figure", "--batch", batch, "--seed", seed)[1])
        for batch, seed in (("4", "1"), ("4", "1"), ("6", "2"))
    ]
    assert results[0]["best_measured"] == results[1]["best_measured"] != results[2]["best_measured"]
    assert [result["n_iterations"] for result in results] == [4, 4, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--num", "0"], "0 is not in the range"),
        (["--num", "2501"], "--num 2501 is more than the 2500 pixels"),
        (["--kernel", "cubic"], "'cubic' is not one of"),
        (["--acquisition", "luck"], "'luck' is not one of"),
        (["--target", "colour"], "scalarizer 'colour' is unknown"),
        (["--sample", "nowhere.npz"], "there is no nowhere.npz"),
        (["--nonsense"], "No such option"),
    ],
)
def test_a_wrong_value_is_one_clear_line_and_exit_code_two(command, arguments, message):
    code, out, err = command("demo", *arguments)
    assert code == 2
    assert message in err
    assert (len(err.strip().splitlines()), out) == (1, "")


def test_a_file_that_is_no_sample_is_one_clear_line(command, tmp_path):
    (tmp_path / "text.npz").write_text("no arrays")
    code, _, err = command("demo", "--sample", "text.npz")
    assert (code, len(err.strip().splitlines())) == (2, 1)
    assert "text.npz" in err


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("beps_pto_loops_50x50", "spectrometer_loop_area"),
        ("bepfm_resonance_32x32", "spectrometer_resonance"),
        ("ckpfm_bfo_10x10", "spectrometer_loop_area"),
        ("eels_oxide_interface_49x6", "spectrometer_ti_counts"),
    ],
)
def test_the_measured_sets_map_the_first_target_that_they_name(data_folder, name, target):
    with simulated(str(data_folder / f"{name}.npz"), None) as setup:
        assert setup.target == target


def test_on_measured_loops_failed_fits_fail_and_the_best_is_a_real_maximum(command, data_folder):
    code, out, _ = command("demo", "--sample", str(data_folder / "beps_pto_loops_50x50.npz"), "--json", "--no-figure")
    result = json.loads(out)
    assert code == 0
    assert (result["num"], result["target"]) == (410, "spectrometer_loop_area")
    assert result["n_failed"] > 10
    assert result["smooth_rank"] <= 22, "among the top 1 % of the 2160 valid pixels"


def test_help_starts_without_the_libraries_that_a_run_needs():
    heavy = "import bluesky_gp.cli, sys; print({'tiled', 'matplotlib', 'sklearn', 'ophyd'} & sys.modules.keys())"
    loaded = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "set()"


def test_an_overview_image_is_taken_and_what_it_saves_is_said(command, tmp_path):
    code, out, _ = command("demo", "--sample", "eels", "--num", "20", "--overview", "--json")
    found = json.loads(out)["overview"]
    assert code == 0
    assert 0.0 <= found["share"] <= 1.0 and found["num"] == 20 and found["rmse_without"] > 0.0
    (figure,) = (tmp_path / "bluesky-gp-demo").glob("*.png")
    assert figure.stat().st_size > 50_000


def test_a_sample_without_an_image_is_said(command, sample_file):
    code, _, err = command("demo", "--sample", str(sample_file), "--target", "peak", "--overview")
    assert code == 2 and "it holds no overview image" in err.replace("\n", " ")
