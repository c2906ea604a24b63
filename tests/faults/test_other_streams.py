"""Streams that carry the keys of stage and target as well: a baseline, a reference before each batch. No pixels."""

import bluesky.plan_stubs as bps
import numpy as np
import pytest
from bluesky.preprocessors import SupplementalData
from recorded_runs import NUM, after_pixels, cut, through_text

from bluesky_gp.recording import open_catalog
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord

REFERENCE = (7, 7)


class Reference:
    """Has the detector say 1000 where no pixel of the map is measured, and reads it there before each batch."""

    def __init__(self, bench):
        self.bench = bench
        self.measuring = True
        bench.detector.truth = self.truth(bench.detector.truth)

    def truth(self, truth):
        return lambda row, col: truth(row, col) if self.measuring else 1000.0

    def __call__(self, pixels):
        self.measuring = False
        yield from bps.mv(self.bench.stage, REFERENCE)
        yield from bps.trigger_and_read([self.bench.detector, self.bench.stage], name="reference")
        self.measuring = True


@pytest.fixture
def surrounded(RE):  # noqa: N803
    """Runs a map with a baseline of stage and detector, and a reference in a stream of its own before each batch."""

    def run(bench, num=NUM, **options):
        baseline = SupplementalData(baseline=[bench.stage, bench.detector])
        return RE(baseline(bench.map(num, per_batch=Reference(bench), **options)))

    return run


def values(documents):
    return [(outcome.pixel, outcome.value) for outcome in RunRecord.from_documents(documents).outcomes]


def test_the_agent_hears_the_pixels_of_primary_and_nothing_else(whole, session, surrounded, docs):
    bench = session()
    surrounded(bench)
    assert docs.counts["baseline"] == 2 and docs.counts["reference"] == docs.counts["gp"] - 1
    assert {"stage_row", "stage_col", "det_height"} <= set(docs.data("baseline")[0]) & set(docs.data("reference")[0])
    assert bench.optimizer.state.n_measured == NUM and bench.optimizer.best["height"] <= 10.0
    assert values(docs.all) == values(whole)


def test_such_a_run_is_replayed(session, surrounded, docs):
    surrounded(session())
    result = replay(through_text(docs.all))
    assert result.identical and result.n_iterations == docs.counts["gp"]


def test_such_a_run_is_resumed_as_if_it_had_never_ended(whole, session, surrounded, docs, tmp_path):
    surrounded(session())
    path = cut(docs.all, after_pixels(docs.all, 15), tmp_path / "killed.jsonl")
    old, docs.all[:] = RunRecord.from_documents(docs.all[: after_pixels(docs.all, 15)]), []
    surrounded(session(), resume_from=path)
    before = [(outcome.pixel, outcome.value) for outcome in old.outcomes]
    assert before + values(docs.all) == values(whole) and len(before) < 15


def test_it_comes_back_from_the_catalog_without_them(session, surrounded, RE, tmp_path):  # noqa: N803
    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog.writer)
        surrounded(session())
        record = RunRecord.from_documents(catalog[-1].documents())
        assert len(record.outcomes) == NUM and np.max(record.measured[1]) <= 10.0
        assert replay(catalog[-1].documents()).identical
