"""Decisions on the workers of Dask: the same as on a thread, and without the worker that died."""

import os
import signal

import numpy as np
import pytest
from distributed import Client, LocalCluster

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.plans import adaptive_map
from bluesky_gp.rehearsal import rehearse

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # distributed warns of ports, of files, of time

NUM = 25


@pytest.fixture
def client(tmp_path):
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with LocalCluster(local_directory=str(tmp_path), **options) as cluster, Client(cluster) as client:
        yield client


def pixels(RE, docs, bench, executor):
    agent = GPAgent(
        PixelOptimizer(bench.grid, "height", batch_size=5, n_initial=5), target="det_height", executor=executor
    )
    docs.all.clear()
    RE(adaptive_map([bench.detector], bench.stage, agent, num=NUM))
    return [(event["stage_row"], event["stage_col"]) for event in docs.data()]


def test_the_decisions_are_those_of_a_thread(RE, docs, make_bench, client):
    assert pixels(RE, docs, make_bench(), client.get_executor()) == pixels(RE, docs, make_bench(), None)


def test_a_worker_that_dies_does_not_end_the_run(RE, docs, make_bench, client):
    workers = list(client.run(os.getpid).values())
    token = RE.subscribe(lambda name, doc: _kill_once(name, doc, workers), "event")
    there = pixels(RE, docs, make_bench(), client.get_executor())
    RE.unsubscribe(token)
    assert not workers[1:]
    assert len(set(there)) == NUM


def _kill_once(name, doc, workers):
    if doc["seq_num"] == 8 and len(workers) > 1:
        os.kill(workers.pop(), signal.SIGKILL)


def test_a_rehearsal_on_workers_of_which_one_dies_is_that_of_this_process(client):
    workers = list(client.run(os.getpid).values())

    def kill_one(done, total):
        if done == 2:
            os.kill(workers[0], signal.SIGKILL)

    row, col = np.indices((8, 8))
    hill = np.exp(-((row - 3.0) ** 2 + (col - 5.0) ** 2) / 8.0)
    options = {"num": 12, "seeds": range(2), "baselines": False}
    here = rehearse(PixelGrid((8, 8)), hill, n_jobs=1, **options)
    there = rehearse(PixelGrid((8, 8)), hill, executor=client.get_executor(), progress=kill_one, **options)
    assert there.floor == here.floor
    for one, other in zip(there.runs, here.runs, strict=True):
        assert (one.method, one.seed) == (other.method, other.seed)
        assert np.array_equal(one.order, other.order) and np.array_equal(one.error, other.error)


def test_a_client_in_place_of_its_executor_is_refused_in_a_sentence(bench, client):
    with pytest.raises(TypeError, match=r"got Client: give executor=client.get_executor\(\)"):
        GPAgent(bench.optimizer, target="det_height", executor=client)
