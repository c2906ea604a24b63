"""Forecasts in records: compared by a replay where they are there, and missed by nobody where they are not."""

import pytest
from recorded_runs import NUM, Run, through_text

from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord

KEYS = ("map_change", "map_error", "forecast_num", "map_gain", "best_gain", "best_gain_most")


@pytest.mark.parametrize("key", KEYS)
def test_a_forecast_that_is_not_as_recorded_is_named(whole, key):
    changed = through_text(whole)
    event = [doc for name, doc in changed if name == "event" and "gp_iteration" in doc["data"]][3]
    event["data"][f"gp_{key}"] += 1
    assert str(replay(changed).difference).startswith(f"iteration 3: {key} differs")


def test_a_run_that_was_recorded_without_forecasts_is_read_replayed_and_resumed(whole, session, RE, docs):
    old = through_text(whole)
    for name, doc in old:
        if name == "event":
            doc["data"] = {key: value for key, value in doc["data"].items() if key.removeprefix("gp_") not in KEYS}
    assert "map_error" not in RunRecord.from_documents(old).iterations
    assert replay(old).identical
    RE(session().map(NUM + 10, resume_from=Run(old)))
    assert docs.counts["primary"] == 10 and replay(docs.all).identical
