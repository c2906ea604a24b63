"""Where a plan's time goes, message by message."""

import time

import pytest
from bluesky.utils import RunEngineInterrupted
from pauses import pausing

from bluesky_gp.run import RunRecord, TimeSpent


def counted(docs):
    return TimeSpent.of(RunRecord.from_documents(docs.all))


def test_every_part_of_a_run_is_counted_and_together_they_are_no_more_than_the_whole(RE, docs, make_bench):
    RE(make_bench(script={(0, col): ["slow"] for col in range(8)}).map(8))  # 100 ms each
    spent = counted(docs)
    assert spent.exposing >= 0.8 and min(spent.moving, spent.waiting, spent.recording) > 0.0
    assert spent.exposing + spent.moving + spent.waiting + spent.recording <= spent.whole


def test_a_pause_is_none_of_it(RE, docs, make_bench):
    pausing(RE, (60,), [])
    with pytest.raises(RunEngineInterrupted):
        RE(make_bench(script={(0, col): ["slow"] for col in range(8)}).map(9))
    began = time.perf_counter()
    while time.perf_counter() - began < 0.3:
        pass
    RE.resume()
    spent = counted(docs)
    assert spent.rest >= 0.3 and docs.counts["primary"] == 9


def test_what_a_plan_raises_goes_through(RE, docs, make_bench):
    with pytest.raises(TypeError, match="a programming error"):
        RE(make_bench(script={(0, 3): ["raise"]}).map(9))
    assert docs.stops[0]["exit_status"] == "fail"
