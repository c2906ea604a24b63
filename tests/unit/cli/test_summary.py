"""A run in one line, whatever its metadata are."""

import json
from math import inf, nan

import pytest

from bluesky_gp.cli.runs import _row
from bluesky_gp.cli.summary import summary, to_json

START = {"uid": "0123456789", "time": 1.0, "plan_name": "scan"}


def test_a_run_that_goes_on_has_no_end_yet():
    line = summary({"start": START})
    assert (line["exit_status"], line["seconds"], line["num_events"]) == (None, None, None)


@pytest.mark.parametrize(
    "odd",
    [
        {"gp": "yes"},
        {"gp": ["agent"]},
        {"gp": {"agent": "gp", "target": inf}},
        {"plan_name": 5, "num_points": "many"},
        {"scan_id": 2**70, "num_points": nan},
    ],
)
def test_metadata_of_any_kind_are_a_line_of_the_list_and_json(odd):
    stop = {"time": 3.0, "exit_status": "abort", "reason": 7, "num_events": {"baseline": 2}}
    line = summary({"start": START | odd, "stop": stop})
    assert all(isinstance(cell, str) for cell in _row(line))
    assert json.loads(to_json(line))["num_events"] == 0


def test_json_has_no_infinities():
    assert json.loads(to_json({"kernel": {"bounds": (0.1, inf)}, "best": [nan, 1.0]})) == {
        "kernel": {"bounds": [0.1, None]},
        "best": [None, 1.0],
    }
