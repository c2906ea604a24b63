"""A run heard from elsewhere: documents in any order, lost ones asked for, a run of which nothing is known yet."""

import random
import time

import pytest
from conftest import events_of
from flown import FlownBench, ScriptedFlyer

from bluesky_gp import GPAgent, PixelOptimizer
from bluesky_gp.plans import adaptive_map
from bluesky_gp.remote.heard_run import HeardRun
from bluesky_gp.remote.kept_documents import KeptDocuments
from bluesky_gp.scalarizers import get_scalarizer


@pytest.fixture
def run(RE, docs, bench):
    """The kept documents of a run in a session, and what it proposed."""
    optimizer = PixelOptimizer(bench.grid, "height", batch_size=4, n_initial=4)
    RE(adaptive_map([bench.detector], bench.stage, GPAgent(optimizer, target="det_height"), num=12))
    return kept_of(docs), docs.column("gp_proposed", "gp")


def kept_of(docs):
    kept = KeptDocuments(docs.starts[0])
    for name, doc in docs.all:
        kept.take(name, doc)
    return kept


def decision_of(run, since, order, documents=(), ahead=False):
    until = time.monotonic() + 60.0
    while time.monotonic() < until:
        answer = run.answer({"since": since, "order": order, "documents": list(documents), "ahead": ahead})
        if "computing" not in answer:
            return answer
    raise AssertionError("no answer within 60 s")


def before_the_last_question(kept):
    """The keys of all documents but the last decision's."""
    decisions = [k for k, (n, d) in kept.documents.items() if n == "event" and "gp_iteration" in d["data"]]
    order = list(kept.documents)
    return order[: order.index(decisions[2])]


def test_whatever_the_order_in_which_documents_come_the_decision_is_the_recorded_one(run):
    kept, proposed = run
    order = before_the_last_question(kept)
    heard = HeardRun(kept.documents[kept.uid][1])
    for key in random.Random(3).sample(order, len(order)) * 2:  # an event before its descriptor is lost
        heard.take(*kept.documents[key])
    assert decision_of(heard, 0, order)["proposal"]["pixels"].tolist() == proposed[2]


def test_an_agent_elsewhere_hears_when_a_target_that_changes_was_measured(RE, docs, bench):
    optimizer = PixelOptimizer(bench.grid, "height", batch_size=4, n_initial=4, time_kernel=1.0)
    agent = GPAgent(optimizer, target="det_height")
    RE(adaptive_map([bench.detector], bench.stage, agent, num=12))
    kept, proposed = kept_of(docs), docs.column("gp_proposed", "gp")
    order = before_the_last_question(kept)
    heard = HeardRun(kept.documents[kept.uid][1])
    for key in order:
        heard.take(*kept.documents[key])
    answer = decision_of(heard, 0, order)["proposal"]
    assert answer["pixels"].tolist() == proposed[2]
    times = [doc["timestamps"] for _, doc in kept.documents.values() if "det_height" in doc.get("data", ())]
    assert [each["det_height"] for each in times] == agent.optimizer.state.measurements.times.tolist()


def test_a_document_that_was_lost_is_asked_for_and_then_the_decision_is_the_recorded_one(run):
    kept, proposed = run
    order = before_the_last_question(kept)
    heard = HeardRun(kept.documents[kept.uid][1])
    for key in [*order[:5], *order[6:]]:
        heard.take(*kept.documents[key])
    assert decision_of(heard, 0, order) == {"have": 5}
    answer = decision_of(heard, 5, order[5:], [kept.documents[key] for key in order[5:]])
    assert answer["proposal"]["pixels"].tolist() == proposed[2]


def test_one_that_knows_nothing_of_a_run_says_so_and_decides_it_again_from_its_start(run):
    kept, proposed = run
    order = before_the_last_question(kept)
    heard = HeardRun(kept.documents[kept.uid][1])
    assert decision_of(heard, 9, order[9:]) == {"have": 0}
    answer = decision_of(heard, 0, order, kept.documents.values())
    assert answer["iteration"] == 2
    assert answer["proposal"]["pixels"].tolist() == proposed[2]


def test_decisions_that_were_made_ahead_are_made_so_again(RE, docs, bench):
    optimizer = PixelOptimizer(bench.grid, "height", batch_size=4, n_initial=4)
    agent = GPAgent(optimizer, target="det_height")
    RE(adaptive_map([bench.detector], bench.stage, agent, num=20, overlap=True))
    kept = kept_of(docs)
    proposed, pending = docs.column("gp_proposed", "gp"), docs.column("gp_pending", "gp")
    assert pending[4] == 4
    decisions = [k for k, (n, d) in kept.documents.items() if n == "event" and "gp_iteration" in d["data"]]
    order = list(kept.documents)
    upto = order[: order.index(decisions[3]) + 1]
    heard = HeardRun(kept.documents[kept.uid][1])
    answer = decision_of(heard, 0, upto, kept.documents.values(), ahead=True)
    assert answer["pending"] == 4
    assert answer["proposal"]["pixels"].tolist() == proposed[4]


def test_a_target_in_a_file_beside_the_events_is_read_where_the_agent_is(RE, docs, tmp_path):
    bench = FlownBench(optimizer=PixelOptimizer, batch_size=3, n_initial=3)
    flyer = ScriptedFlyer(bench.stage, frames=tmp_path)
    agent = GPAgent(bench.optimizer, target="det_spectrum", scalarizer=get_scalarizer("peak"))
    RE(adaptive_map([flyer], bench.stage, agent, num=12))
    kept = KeptDocuments(docs.starts[0])
    for name, doc in docs.all:
        for event in events_of(name, doc):
            kept.take("event", event)
        kept.take(name, doc)
    order = before_the_last_question(kept)
    heard = HeardRun(kept.documents[kept.uid][1])
    answer = decision_of(heard, 0, order, kept.documents.values())
    assert answer["proposal"]["pixels"].tolist() == docs.column("gp_proposed", "gp")[2]
    (path,) = tmp_path.iterdir()
    path.unlink()
    answer = decision_of(HeardRun(kept.documents[kept.uid][1]), 0, order, kept.documents.values())
    assert str(path) in answer["failed"]


def test_asked_twice_it_gives_the_same_answer(run):
    kept, _ = run
    order = before_the_last_question(kept)
    heard = HeardRun(kept.documents[kept.uid][1])
    first = decision_of(heard, 0, order, kept.documents.values())
    again = decision_of(heard, len(order), [])
    assert first["iteration"] == again["iteration"]
    assert first["fit_time"] == again["fit_time"]


def test_of_an_event_what_an_agent_learns_from_is_kept_and_null_is_no_number(run):
    kept, _ = run
    key = next(k for k, (n, d) in kept.documents.items() if n == "event" and "det_height" in d["data"])
    other = KeptDocuments(kept.documents[kept.uid][1])
    other.take(*kept.documents[key.partition("/")[0]])
    event = kept.documents[key][1]
    other.take("event", {**event, "data": {**event["data"], "det_spectrum": [1.0] * 4096, "det_height": None}})
    data = other.documents[key][1]["data"]
    assert "det_spectrum" not in data
    assert data["det_height"] != data["det_height"]


def test_a_run_that_no_agent_steers_is_refused(RE, docs, bench):
    with pytest.raises(ValueError, match=r"is steered by no agent: open it with plans.start_metadata"):
        KeptDocuments({"uid": "1234", "time": 0.0})
