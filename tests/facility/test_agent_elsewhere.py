"""An agent in another process decides as one in the session does, whatever becomes of it and of its wires."""

import random
import threading

import bluesky.plan_stubs as bps
import numpy as np
import pytest
import zmq
from event_model import DocumentNames, schema_validators
from facility.elsewhere import NATS, Elsewhere
from facility.queue_server import wait_for

from bluesky_gp import GPAgent, PixelOptimizer
from bluesky_gp.cli.channel_access import free_ports
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import Journal
from bluesky_gp.remote import NoAgentError, RemoteAgent
from bluesky_gp.remote.wires import source_of
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord
from bluesky_gp.verify import verify

pytestmark = pytest.mark.slow

NUM = 24
SCRIPT = {(5, 2): ["nan"], (0, 0): ["fail"]}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    with Elsewhere(tmp_path_factory.mktemp("elsewhere")) as running:
        yield running


@pytest.fixture
def bench(make_bench):
    """A map whose maximum is rejected, and where a pixel that a person wants fails."""
    return make_bench(script=SCRIPT)


def optimizer_of(bench):
    return PixelOptimizer(bench.grid, "height", batch_size=4, n_initial=4, seed=2)


def mapped(RE, docs, bench, agent, events=None, **options):
    """Map with people's hands in it, and `events` by the number of the batch before which they happen."""
    hands = {
        2: lambda: agent.add_pixels([(0, 0)]),
        3: lambda: agent.forbid({"below": 5.0}),
        4: lambda: agent.configure(batch_size=3, acquisition="ucb"),
    }
    batches = []

    def before(pixels):
        batches.append(pixels)
        for what in (hands, events or {}):
            what.get(len(batches), lambda: None)()
        yield from bps.null()

    docs.all.clear()
    RE(adaptive_map([bench.detector], bench.stage, agent, num=NUM, per_batch=before, **options))
    return pixels_of(docs), decisions_of(docs)


def pixels_of(docs):
    return [(event["stage_row"], event["stage_col"]) for event in docs.data()]


def decisions_of(docs):
    """All that the record has of decisions, and their maps, but for times."""
    return [
        {key: np.asarray(value).tolist() for key, value in data.items() if not key.endswith("_time")}
        for stream in ("gp", "gp_maps")
        for data in docs.data(stream)
    ]


@pytest.fixture(scope="module")
def comparison():
    return {}


@pytest.fixture
def in_session(RE, docs, make_bench, comparison):
    """The pixels and decisions of an agent in the session: of one run, for all tests of this file."""
    if not comparison:
        bench = make_bench(script=SCRIPT)
        comparison["map"] = mapped(RE, docs, bench, GPAgent(optimizer_of(bench), target="det_height"))
        docs.all.clear()
    return comparison["map"]


@pytest.fixture
def agent(bench, elsewhere):
    agent = RemoteAgent(optimizer_of(bench), target="det_height", **elsewhere.addresses)
    yield agent
    agent.close()


def same(found, expected):
    assert found[0] == expected[0]
    assert repr(found[1]) == repr(expected[1])  # NaN is NaN


def test_decisions_that_overlap_with_measurements_are_the_same_too(RE, docs, bench, agent, make_bench):
    ours = GPAgent(optimizer_of(bench), target="det_height")
    expected = mapped(RE, docs, make_bench(script=SCRIPT), ours, overlap=True)
    assert sum(docs.column("gp_pending", "gp"))
    same(mapped(RE, docs, bench, agent, overlap=True), expected)


def test_its_decisions_are_those_of_an_agent_in_the_session_bit_for_bit(RE, docs, bench, agent, in_session):
    same(mapped(RE, docs, bench, agent), in_session)
    assert docs.starts[0]["gp"]["elsewhere"] == agent.ask
    record = RunRecord.from_documents(docs.all)
    assert len(record.iterations["iteration"]) == len(docs.events("gp"))
    assert replay(docs.all).identical
    assert all(clause.holds for clause in verify(docs.all))


def test_killed_in_mid_run_it_catches_up_and_the_plan_waits_for_it(RE, docs, bench, agent, in_session, elsewhere):
    def kill():
        elsewhere.kill("agent")
        threading.Thread(target=elsewhere.start, args=["agent"]).start()

    same(mapped(RE, docs, bench, agent, {4: kill}), in_session)


def test_a_proxy_that_restarts_in_mid_run_changes_nothing(RE, docs, bench, agent, in_session, elsewhere):
    same(
        mapped(RE, docs, bench, agent, {2: lambda: elsewhere.kill("proxy"), 4: lambda: elsewhere.start("proxy")}),
        in_session,
    )


class Spoiler:
    """Stands between a session and the proxy: loses, repeats, delays, swaps and garbles what passes."""

    def __init__(self, into, seed=1):
        self.address = f"127.0.0.1:{free_ports(1)[0]}"
        self.count = dict.fromkeys(("lost", "twice", "held", "garbled", "passed"), 0)
        self._rng, self._over = random.Random(seed), threading.Event()
        self._context = zmq.Context()
        self._hears, self._says = self._context.socket(zmq.SUB), self._context.socket(zmq.PUB)
        self._hears.subscribe(b"")
        self._hears.bind(f"tcp://{self.address}")
        self._says.connect(f"tcp://127.0.0.1:{into}")
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def close(self):
        self._over.set()
        self._thread.join(10)
        self._context.destroy(linger=0)

    def _carry(self):
        held = []
        while not self._over.is_set():
            if not self._hears.poll(50):
                continue
            message = self._hears.recv()
            fate = self._rng.choice(["lost", "twice", "held", "garbled", "passed", "passed"])
            fate = "passed" if b"bulk_events" in message else fate
            self.count[fate] += 1
            if fate == "held":
                held.append(message)
                continue
            forms = {"twice": [message, message], "passed": [message], "garbled": [message[:-9], b"x", b"\xff a {}"]}
            for form in forms.get(fate, []):
                self._says.send(form)
            while len(held) > 3:
                self._says.send(held.pop())


def test_late_repeated_lost_swapped_and_garbled_documents_change_nothing(RE, docs, bench, in_session, elsewhere):
    spoiler = Spoiler(elsewhere.into)
    agent = RemoteAgent(optimizer_of(bench), target="det_height", **{**elsewhere.addresses, "publish": spoiler.address})
    try:
        same(mapped(RE, docs, bench, agent), in_session)
    finally:
        spoiler.close()
        agent.close()
    assert min(spoiler.count.values()) > 2, spoiler.count


def test_a_run_that_was_aborted_is_resumed_with_an_agent_elsewhere(RE, docs, bench, agent, tmp_path, make_bench):
    mapped(RE, docs, bench, agent)
    journal = Journal(tmp_path / "left.jsonl")
    for name, doc in docs.all[: len(docs.all) // 2]:
        journal.append(name, doc)
    journal.close()
    ours = GPAgent(optimizer_of(bench), target="det_height")
    expected = mapped(RE, docs, make_bench(script=SCRIPT), ours, resume_from=journal.path)
    assert 0 < len(expected[0]) < NUM - 3
    same(mapped(RE, docs, make_bench(script=SCRIPT), agent, resume_from=journal.path), expected)
    assert replay(docs.all).identical


def test_where_no_agent_answers_nothing_moves_and_a_sentence_says_so(RE, docs, bench, elsewhere):
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    agent = RemoteAgent(
        optimizer_of(bench), target="det_height", **{**elsewhere.addresses, "ask": nowhere, "greeting": 0.5}
    )
    with pytest.raises(NoAgentError, match=f"no agent answers at {nowhere}; start one there"):
        RE(adaptive_map([bench.detector], bench.stage, agent, num=NUM))
    agent.close()
    assert docs.all == []


def test_where_the_agent_hears_no_proxy_nothing_moves_and_a_sentence_says_so(RE, docs, bench, elsewhere):
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    agent = RemoteAgent(
        optimizer_of(bench), target="det_height", **{**elsewhere.addresses, "publish": nowhere, "greeting": 2.0}
    )
    with pytest.raises(NoAgentError, match="hears nothing of what is published"):
        RE(adaptive_map([bench.detector], bench.stage, agent, num=NUM))
    agent.close()
    assert docs.all == []


def test_what_cannot_be_made_again_elsewhere_is_refused_before_a_run(RE, docs, bench, elsewhere):
    optimizer = PixelOptimizer(bench.grid, "height", acquisition=lambda mean, std, best, *, rng: std)
    agent = RemoteAgent(optimizer, target="det_height", **elsewhere.addresses)
    with pytest.raises(ValueError, match="cannot decide this: .*acquisition was a function of somebody's own"):
        RE(adaptive_map([bench.detector], bench.stage, agent, num=NUM))
    agent.close()
    assert docs.all == []


@pytest.fixture(scope="module")
def over_nats(tmp_path_factory):
    if NATS is None:
        pytest.skip("no nats-server: apt-get install nats-server")
    with Elsewhere(tmp_path_factory.mktemp("nats"), carrier="nats") as running:
        yield running


@pytest.fixture
def nats_agent(bench, over_nats):
    agent = RemoteAgent(optimizer_of(bench), target="det_height", **over_nats.addresses)
    yield agent
    agent.close()


def test_over_nats_everybody_hears_every_document_and_decisions_are_the_same(
    RE, docs, bench, nats_agent, in_session, over_nats
):
    source, heard = source_of(over_nats.documents), []

    def hear():
        while source.socket.poll(0):
            _, name, doc = source.socket.recv().split(b" ", 2)
            heard.append((name.decode(), source.reads(doc)))
        return heard

    wait_for(lambda: nats_agent._publisher.probe("") or hear(), what="a greeting")
    same(mapped(RE, docs, bench, nats_agent), in_session)
    assert replay(docs.all).identical
    wait_for(lambda: hear()[-1][0] == "stop", what="the stop document")
    source.close()
    theirs = [(name, doc) for name, doc in heard if name != "bulk_events"]
    assert [(name, doc["uid"]) for name, doc in theirs] == [(name, doc["uid"]) for name, doc in docs.all]
    for name, doc in theirs:
        schema_validators[DocumentNames[name]].validate(doc)


def test_a_nats_server_that_restarts_in_mid_run_changes_nothing(RE, docs, bench, nats_agent, in_session, over_nats):
    faults = {2: lambda: over_nats.kill("nats"), 4: lambda: over_nats.start("nats")}
    same(mapped(RE, docs, bench, nats_agent, faults), in_session)
