"""``bluesky-gp rehearse`` as a user types it."""

import json

import numpy as np
import pytest
from hill_map import SHAPE, hill

QUICK = ("--num", "24", "--seeds", "2", "--jobs", "1", "--no-figure", "--no-baselines")


def test_a_map_gives_a_table_a_number_of_points_lines_to_paste_and_a_figure(rehearse, tmp_path):
    np.save(tmp_path / "height.npy", hill())
    code, out, _ = rehearse("height.npy", "--num", "24", "--seeds", "2", "--jobs", "1", "--acquisitions", "ei,ucb")
    assert code == 0
    assert "height: 72 pixels, 1 failed; 2 seeds of 24 points" in out
    for method in ("ei", "ucb", "random pixels, GP", "coarse grid, GP"):
        assert f"│ {method} " in out
    assert "other seeds: found in" in out
    pasted = [line.strip() for line in out.splitlines() if line.startswith("    ")]
    assert "optimizer = PixelOptimizer(grid, target='height', acquisition=" in "\n".join(pasted)
    assert pasted[-1].startswith("RE(adaptive_map([spectrometer], stage, agent, num=")
    assert (tmp_path / "height-rehearsal.png").stat().st_size > 30_000


def test_json_is_all_that_is_printed_on_demand(rehearse, spectra):
    choices = ("--acquisitions", "uncertainty", "--batch-sizes", "4,8", "--kernels", "default,rbf")
    code, out, err = rehearse(spectra, "--target", "peak", *QUICK, *choices, "--every-combination", "--json")
    result = json.loads(out)
    assert (code, err) == (0, "")
    assert [method["method"] for method in result["methods"]] == [
        "uncertainty, batches of 4, default kernel",
        "uncertainty, batches of 4, rbf kernel",
        "uncertainty, batches of 8, default kernel",
        "uncertainty, batches of 8, rbf kernel",
    ]
    assert (result["n_pixels"], result["n_valid"], result["target"]) == (72, 71, "peak")
    assert result["recommended"]["num"] <= 24
    assert result["checks"][0]["seeds"] == [2, 3]
    assert result["figure"] is None


def test_an_image_is_told_worth_taking_or_not(rehearse, tmp_path):
    np.save(tmp_path / "height.npy", hill())
    np.savez(tmp_path / "images.npz", haadf=np.nan_to_num(hill()) ** 2, other=np.indices(SHAPE)[1])
    asked = ("--overview", "images.npz:haadf", "--acquisitions", "ei", "--no-check")
    code, out, _ = rehearse("height.npy", *asked, *QUICK)
    assert code == 0 and "│ ei + image " in out
    (said,) = [line for line in out.splitlines() if "mage is " in line]
    assert " points with it and " in said and " times as many (between " in said


def test_of_a_file_with_spectra_it_says_how_much_of_what_they_look_like_was_seen(rehearse, spectra):
    asked = ("--target", "peak", "--acquisitions", "novelty,uncertainty", "--no-check", *QUICK)
    code, out, _ = rehearse(spectra, *asked)
    assert code == 0 and "│ novelty " in out and "rarest 1 %:" in out
    (said,) = [line for line in out.splitlines() if line.startswith("Spectrum space")]
    assert "with novelty: within " in said or "with uncertainty: within " in said
    assert "others=['spectrum']" in out or "Recommended: uncertainty" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.npz"], "there is no nowhere.npz"),
        (["0", "--catalog", "nowhere"], "there is no catalog in"),
        (["map.npy", "--num", "73"], "between 4 and the 72 pixels of the map, got 73"),
        (["map.npy", "--acquisitions", "ei,luck"], "--acquisitions: there is no 'luck', but ei, "),
        (["map.npy", "--acquisitions", "novelty"], "needs the map's spectra"),
        (["map.npy", "--kernels", "cubic"], "--kernels: there is no 'cubic', but default"),
        (["map.npy", "--batch-sizes", "5,0"], "whole numbers from 1 on"),
        (["flat.npy"], "ten different ones are the least"),
        (["map.npy", "--overview", "nowhere.npy"], "there is no nowhere.npy"),
        (["map.npy", "--overview", "two.npz:c"], "two.npz: behind a colon must stand one of its arrays: a, b"),
        (["map.npy", "--overview", "line.npy"], "must have two axes"),
        (["words.npy"], "must be a map of real numbers"),
        (["two.npz"], "--target must name one of its arrays: a, b"),
        (["peaks.npz", "--target", "colour"], "'colour' is unknown"),
    ],
)
def test_a_wrong_value_is_one_clear_line_and_exit_code_two(rehearse, tmp_path, spectra, arguments, message):
    np.save(tmp_path / "map.npy", hill())
    np.save(tmp_path / "flat.npy", np.ones(SHAPE))
    np.save(tmp_path / "words.npy", np.full(SHAPE, "high"))
    np.save(tmp_path / "line.npy", np.arange(20.0))
    np.savez(tmp_path / "two.npz", a=hill(), b=hill())
    code, out, err = rehearse(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ckpfm_bfo_10x10", "eels_oxide_interface_49x6"])  # the larger ones take minutes
def test_on_the_measured_sets_what_is_recommended_holds_on_other_seeds(rehearse, data_folder, name):
    code, out, _ = rehearse(data_folder / f"{name}.npz", "--json", "--no-figure", "--no-baselines")
    result = json.loads(out)
    assert code == 0
    assert result["checks"][-1]["holds"]
    assert result["checks"][-1]["num"] == result["recommended"]["num"]
