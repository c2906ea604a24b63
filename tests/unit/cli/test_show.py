"""One run, shown."""

import json

import pytest

from bluesky_gp.cli.show import time_spent, written


@pytest.mark.slow
def test_a_run_is_shown_by_uid_by_its_beginning_by_scan_id_and_as_the_last(on_catalog):
    shown = [json.loads(on_catalog("show", key, "--json")[1]) for key in ("last", 2)]
    uid = shown[0]["uid"]
    shown += [json.loads(on_catalog("show", key, "--json")[1]) for key in (uid, uid[:8])]
    assert all(each == shown[0] for each in shown)
    assert (shown[0]["n_measured"], shown[0]["stop_reason"]) == (12, "num")
    assert set(shown[0]["streams"]) >= {"primary", "gp", "gp_maps"}
    code, out, _ = on_catalog("show", uid[:8])
    assert "12 measured, 0 failed" in out
    assert "RotatedMatern(length_scale=" in out


def test_a_kernel_is_shown_as_it_is_written():
    kernel = {
        "class": "sklearn.gaussian_process.kernels:Sum",
        "k1": {"class": "sklearn.gaussian_process.kernels:Matern", "nu": 2.5, "length_scale_bounds": [1, 2]},
        "k2": {"class": "sklearn.gaussian_process.kernels:WhiteKernel", "noise_level": 0.01},
    }
    assert written(kernel) == "Matern(nu=2.5) + WhiteKernel(noise_level=0.01)"


def test_each_part_of_the_time_is_drawn_as_a_bar_and_what_nobody_knows_is_left_out():
    seconds = {"whole": 10.0, "exposing": 5.0, "deciding": 0.1, "rest": 4.9}
    assert time_spent(seconds) == "10 s; exposing ██████████ 50%; deciding 1%; all else ██████████ 49%"
    assert "exposing" not in time_spent({**seconds, "exposing": None})
    assert time_spent({"whole": 0.0, "exposing": 0.0, "deciding": 0.0, "rest": 0.0}) == "0 s"
