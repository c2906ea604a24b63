"""One run, shown."""

import json

import pytest

from bluesky_gp.cli.show import time_spent


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


@pytest.mark.slow
def test_what_people_asked_for_and_what_they_changed_is_said(command, steered_folder, monkeypatch):
    monkeypatch.setenv("BLUESKY_GP_CATALOG", str(steered_folder))
    told = " ".join(command("show", "last")[1].replace("│", " ").split())
    assert "ExpectedImprovement(xi=0.0); from decision 2 on ConfidenceBound(beta=2.0)" in told
    assert "for 6; from decision 2 on 5 pixels each" in told
    assert "jane: go_on 10 more; bob: configure acquisition ConfidenceBound(beta=2.0), batch_size 5" in told
    assert "jane: forbid polygon (0, 0), (0, 1), (1, 1), (1, 0); jane: add_pixels (5, 6)" in told


def test_each_part_of_the_time_is_drawn_as_a_bar_and_what_nobody_knows_is_left_out():
    seconds = {"whole": 10.0, "exposing": 5.0, "deciding": 0.1, "rest": 4.9}
    assert time_spent(seconds) == "10 s; exposing ██████████ 50%; deciding 1%; all else ██████████ 49%"
    assert "exposing" not in time_spent({**seconds, "exposing": None})
    assert time_spent({"whole": 0.0, "exposing": 0.0, "deciding": 0.0, "rest": 0.0}) == "0 s"
