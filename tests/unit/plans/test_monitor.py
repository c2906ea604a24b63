"""Targets divided by a monitor: of maps, their records, and pixels whose monitor says nothing."""

from itertools import count

import numpy as np
import pytest
from ophyd.sim import SynSignal
from recorded_runs import after_pixels, cut

from bluesky_gp import GPAgent, PixelOptimizer
from bluesky_gp.live import IterationLine
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import ResumeError, read_journal
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord


@pytest.fixture
def mapped(RE, docs, make_bench):
    """Make a map of a bench beside a monitor of these readings, one after another."""

    def run(readings, num=8, monitor="I0", **options):
        docs.all.clear()
        bench = make_bench(optimizer=PixelOptimizer, batch_size=2, n_initial=2)
        i0 = SynSignal(name="I0", func=lambda: next(readings))
        agent = GPAgent(bench.optimizer, target="det_height", monitor=monitor)
        RE(adaptive_map([bench.detector, i0], bench.stage, agent, num=num, **options))
        return RunRecord.from_documents(docs.all)

    return run


def fading():
    return (100.0 * 0.9**n for n in count())


def test_the_target_is_divided_by_the_monitor_of_its_own_event(mapped, docs):
    record = mapped(fading())
    quotients = np.divide(docs.column("det_height"), docs.column("I0"))
    assert [outcome.value for outcome in record.outcomes] == quotients.tolist()
    assert docs.starts[0]["gp"]["monitor"] == "I0"
    assert replay(docs.all).identical


def test_without_a_monitor_nothing_is_said_of_one(bench, RE, docs):
    RE(bench.map(3))
    assert "monitor" not in docs.starts[0]["gp"]


@pytest.mark.parametrize("reading", [0.0, np.nan, np.inf])
def test_a_pixel_whose_monitor_is_no_divisor_has_failed_and_is_not_tried_again(mapped, docs, reading):
    record = mapped(iter([*[50.0] * 3, reading, *[50.0] * 9]))
    failed = [outcome.reason for outcome in record.outcomes if outcome.failed]
    assert failed == [f"monitor I0 is {reading:g}: nothing to divide by"]
    assert docs.column("gp_failures_reason", "gp_failures") == failed
    assert docs.column("gp_failures_kind", "gp_failures") == ["rejected"]
    assert docs.counts["primary"] == 8


def test_events_without_the_monitor_are_refused_before_there_is_a_run(mapped, docs):
    with pytest.raises(KeyError, match=r"carry no \['I1'\]"):
        mapped(fading(), monitor="I1")
    assert not docs.starts


def test_a_monitor_that_is_no_number_is_refused_in_a_sentence(mapped, docs):
    with pytest.raises(ValueError, match=r"monitor I0 is array \[3\], and the target is divided by a number"):
        mapped(iter([np.zeros(3)] * 99))
    assert not docs.starts


def test_the_unit_is_that_of_the_quotient(mapped, docs, RE):
    mapped(fading())
    documents = [(name, dict(doc)) for name, doc in docs.all]
    for name, doc in documents:
        if name == "descriptor" and "I0" in doc["data_keys"]:
            doc["data_keys"] = {**doc["data_keys"], "I0": {**doc["data_keys"]["I0"], "units": "nA"}}
    seen = []
    line = IterationLine(seen.append)
    for name, doc in documents:
        line(name, doc)
    assert RunRecord.from_documents(documents).units == seen[-1].units == "nm/nA"


def test_a_run_is_resumed_with_the_same_monitor_and_refused_with_another(mapped, docs, tmp_path):
    whole = mapped(fading())
    left = cut(docs.all, after_pixels(docs.all, 5), tmp_path / "left.jsonl")
    rest = mapped((100.0 * 0.9**n for n in count(5)), resume_from=left)
    first = RunRecord.from_documents(read_journal(left))
    assert values(first, rest) == values(whole)
    with pytest.raises(ResumeError, match="monitor was 'I0' and is None"):
        mapped(fading(), monitor="", resume_from=left)


def values(*records):
    return [(outcome.pixel, outcome.value) for record in records for outcome in record.outcomes]
