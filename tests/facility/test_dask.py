"""Decisions on the workers of Dask: the same as on a thread, and without the worker that died."""

import json
import os
import signal

import numpy as np
import pytest
from click.testing import CliRunner
from distributed import Client, LocalCluster

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.cli.rehearse import rehearse as command
from bluesky_gp.plans import adaptive_map
from bluesky_gp.rehearsal import rehearse

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # distributed warns of ports, of files, of time

NUM = 25
ROW, COL = np.indices((8, 8))
HILL = np.exp(-((ROW - 3.0) ** 2 + (COL - 5.0) ** 2) / 8.0)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with LocalCluster(local_directory=str(tmp_path_factory.mktemp("dask")), **options) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    """A client of two workers: one that a test has killed is started again."""
    with Client(cluster) as client:
        client.wait_for_workers(2, timeout=120)
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

    options = {"num": 12, "seeds": range(2), "baselines": False}
    here = rehearse(PixelGrid((8, 8)), HILL, n_jobs=1, **options)
    there = rehearse(PixelGrid((8, 8)), HILL, executor=client.get_executor(), progress=kill_one, **options)
    assert there.floor == here.floor
    for one, other in zip(there.runs, here.runs, strict=True):
        assert (one.method, one.seed) == (other.method, other.seed)
        assert np.array_equal(one.order, other.order) and np.array_equal(one.error, other.error)


def test_the_command_rehearses_on_the_workers_of_a_scheduler(cluster, client, tmp_path):
    np.save(tmp_path / "hill.npy", HILL)
    options = "--num 12 --seeds 1 --acquisitions ei --no-baselines --no-check --no-figure --json".split()
    answers = [
        CliRunner().invoke(command, [str(tmp_path / "hill.npy"), *options, *where])
        for where in (["--jobs", "1"], ["--scheduler", cluster.scheduler_address])
    ]
    assert [answer.exit_code for answer in answers] == [0, 0], answers[1].output
    here, there = (json.loads(answer.stdout) | {"cpu_seconds": 0.0} for answer in answers)
    assert here["methods"] and there == here


def test_a_client_in_place_of_its_executor_is_refused_in_a_sentence(bench, client):
    with pytest.raises(TypeError, match=r"got Client: give executor=client.get_executor\(\)"):
        GPAgent(bench.optimizer, target="det_height", executor=client)
