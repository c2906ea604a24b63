"""A Tiled server on PostgreSQL that is killed in mid-run, and that several instruments share."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import warm
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


@pytest.fixture
def catalog(served, tmp_path):
    with open_catalog(served.url, api_key=served.key, journal=tmp_path / "journal") as opened:
        yield opened


def test_server_and_database_killed_in_mid_run_and_started_again_cost_no_pixel_and_no_standstill(
    served, cluster, catalog, RE, docs, make_bench, caplog, monkeypatch
):  # fmt: skip
    monkeypatch.setattr("tiled.client.utils.TILED_RETRY_ATTEMPTS", 1)  # else Tiled itself tries for 24 s
    bench, harmed = make_bench(), {8: served, 20: cluster}
    agent = GPAgent(PixelOptimizer(bench.grid, "height", batch_size=5, n_initial=5, seed=1), target="det_height")

    def at_pixel(name, doc):
        if "det_height" not in doc["data"]:
            return
        if (pixel := doc["seq_num"]) in harmed:
            catalog.flush(120)
            caplog.clear()
            harmed[pixel].kill()
        elif pixel - 8 in harmed:  # measured while nothing answered, as were those before it, and a decision
            wait_for(lambda: AWAY in caplog.text, what="the catalog's thread to find nobody")
            harmed[pixel - 8].start()

    RE.subscribe(catalog.writer)
    RE.subscribe(at_pixel, "event")
    RE(adaptive_map([bench.detector], bench.stage, agent, num=NUM))
    assert docs.counts["primary"] == NUM  # twice eight of them, and two decisions, while nothing answered
    catalog.flush(120)  # also what waits since the database was killed
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
    command = [sys.executable, str(INSTRUMENT), served.url, str(tmp_path), *names]
    uids = json.loads(warm.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    for name in names:
        own = catalog.search(Eq("start.instrument", name))
        assert sorted(own) == sorted(uids[name])
        for uid in own:
            read = own[uid].primary.read()[name]
            assert np.array_equal(read, np.full((5, 8), float(sum(map(ord, name)))))
