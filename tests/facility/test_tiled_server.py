"""A Tiled server on PostgreSQL that is killed in mid-run, and that several instruments share."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from facility.queue_server import wait_for
from tiled.queries import Eq

from bluesky_gp import GPAgent, PixelOptimizer
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import open_catalog, read_journal
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord

pytestmark = pytest.mark.slow

NUM = 30
AWAY = "The run goes on and loses nothing: its journal"
INSTRUMENT = Path(__file__).parent / "instrument.py"


def kill_server(served, cluster):
    served.kill()
    yield
    served.start()


def kill_database(served, cluster):
    cluster.kill()
    yield
    cluster.start()


@pytest.fixture
def catalog(served, tmp_path):
    with open_catalog(served.url, api_key=served.key, journal=tmp_path / "journal") as opened:
        yield opened


@pytest.mark.parametrize("harm", [kill_server, kill_database])
def test_what_is_killed_in_mid_run_and_started_again_costs_no_pixel_and_no_standstill(
    harm, served, cluster, catalog, RE, docs, make_bench, caplog, monkeypatch
):  # fmt: skip
    monkeypatch.setattr("tiled.client.utils.TILED_RETRY_ATTEMPTS", 1)  # else Tiled itself tries for 24 s
    bench, harmed = make_bench(), harm(served, cluster)
    agent = GPAgent(PixelOptimizer(bench.grid, "height", batch_size=5, n_initial=5, seed=1), target="det_height")

    def at_pixel(name, doc):
        if "det_height" in doc["data"] and doc["seq_num"] == 10:
            catalog.flush(60)
            next(harmed)
        if "det_height" in doc["data"] and doc["seq_num"] == 20:
            wait_for(lambda: AWAY in caplog.text, what="the catalog's thread to find nobody")
            next(harmed, None)

    RE.subscribe(catalog.writer)
    RE.subscribe(at_pixel, "event")
    RE(adaptive_map([bench.detector], bench.stage, agent, num=NUM))
    assert docs.counts["primary"] == NUM  # ten of them, and two decisions, while nothing answered
    catalog.flush(120)
    uid = docs.starts[0]["uid"]
    there, journalled = (
        RunRecord.from_documents(documents)
        for documents in (catalog[uid].documents(), read_journal(catalog.journal(uid)))
    )
    assert catalog[uid].stop["exit_status"] == "success"
    assert np.array_equal(catalog[uid].primary.read()["det_height"], docs.column("det_height"))
    assert there.outcomes == journalled.outcomes
    assert replay(catalog[uid].documents()).identical


def test_four_instruments_write_at_once_and_each_finds_its_own(served, catalog, tmp_path, monkeypatch):
    monkeypatch.setenv("TILED_API_KEY", served.key)
    names = ["stem", "afm", "xrf", "iv"]
    commands = [[sys.executable, str(INSTRUMENT), served.url, name, "1", str(tmp_path / name)] for name in names]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(command, **pipes) for command in commands]
    assert [instrument.stdout.readline() for instrument in running] == ["ready\n"] * 4
    for instrument in running:
        instrument.stdin.write("\n")
        instrument.stdin.flush()
    uids = {name: json.loads(instrument.communicate()[0]) for name, instrument in zip(names, running, strict=True)}
    for name in names:
        own = catalog.search(Eq("start.instrument", name))
        assert sorted(own) == sorted(uids[name])
        for uid in own:
            read = own[uid].primary.read()[name]
            assert np.array_equal(read, np.full((5, 8), float(sum(map(ord, name)))))
