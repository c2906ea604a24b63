"""The list of the runs of a catalog on disk."""

import json

import pytest

from bluesky_gp.cli.runs import _events


@pytest.mark.slow
def test_runs_are_listed_the_latest_last(on_catalog, folder):
    code, out, err = on_catalog("runs")
    assert (code or 0, err) == (0, "")
    assert f"2 runs in {folder}" in out
    *_, first, second, _ = out.splitlines()
    assert "count" in first
    assert "adaptive_map" in second
    assert "spectrometer_loop_area" in second
    assert "12 of 12" in second


@pytest.mark.slow
def test_the_list_as_json_has_whole_uids_and_as_many_as_are_asked_for(on_catalog):
    _, out, _ = on_catalog("runs", "--json", "--limit", 1)
    (run,) = json.loads(out)
    assert (run["plan_name"], run["num_events"], run["exit_status"], len(run["uid"])) == (
        "adaptive_map",
        12,
        "success",
        36,
    )


@pytest.mark.slow
def test_runs_and_show_say_the_number_of_pixels_that_people_made_it(command, steered_folder, monkeypatch):
    monkeypatch.setenv("BLUESKY_GP_CATALOG", str(steered_folder))
    assert "22 of 22" in command("runs")[1]
    assert "22 measured, 0 failed; 22 were to be attempted, 12 as it began" in command("show", "last")[1]


def test_more_events_than_pixels_are_no_share_of_them():
    assert _events({"num_events": 46, "num": 45}) == "46, 45 pixels"
    assert _events({"num_events": 44, "num": 45}) == "44 of 45"
    assert _events({"num_events": 44, "num": "many"}) == "44 of many"
    assert _events({"num_events": 3, "num": None}) == "3" and _events({"num_events": None, "num": 3}) == ""
