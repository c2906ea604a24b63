"""The list of the runs of a catalog on disk."""

import json

import pytest


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
