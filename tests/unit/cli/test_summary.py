"""A run in one line."""

from bluesky_gp.cli.summary import summary


def test_a_run_that_goes_on_has_no_end_yet():
    line = summary({"start": {"uid": "u", "time": 1.0, "plan_name": "scan"}})
    assert (line["exit_status"], line["seconds"], line["num_events"]) == (None, None, None)
