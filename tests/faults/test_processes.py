"""Real sessions, each a process of its own, on one catalog: some die, some come at the same moment."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import warm
from mapping_session import mapping

from bluesky_gp.recording import open_catalog, read_journal
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord

pytestmark = pytest.mark.slow

NUM = 24

SCRIPT = Path(__file__).parent.parent / "mapping_session.py"


class Session:
    """A process that maps `NUM` pixels, recorded in a folder; it has told the uid of its run and its events."""

    def __init__(self, folder, *, num=NUM, resume_from="", kill_after=None, options=()):
        command = [sys.executable, str(SCRIPT), str(folder), str(num), resume_from, *options]
        self.process = warm.Process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.uid, self.told = "", 0
        for line in self.process.stdout:
            self.uid, self.told = (self.uid, self.told + 1) if line == "event\n" else (line.strip(), 0)
            if self.told == kill_after:
                time.sleep(random.Random(kill_after).uniform(0.0, 0.05))  # noqa: S311
                self.process.kill()
        self.errors = self.process.communicate()[1]


def measured(*records):
    """Pixels and values of runs, in order."""
    return [(outcome.pixel, outcome.value) for record in records for outcome in record.outcomes]


def test_a_session_that_is_killed_is_gone_on_with_by_its_uid_and_the_catalog_has_all(tmp_path, RE, docs):
    RE(mapping(None, NUM))
    whole = RunRecord.from_documents(docs.all)
    for kill_after in (3, 19):
        folder = tmp_path / f"killed after {kill_after}"
        killed = Session(folder, kill_after=kill_after)
        again = Session(folder, resume_from=killed.uid[:8])
        assert again.process.returncode == 0, again.errors
        with open_catalog(folder) as catalog:
            runs = [catalog[killed.uid], catalog[again.uid]]
            assert [run.stop["exit_status"] for run in catalog.values()] == ["abort", "success"]
            assert sum(runs[0].stop["num_events"].values()) >= killed.told
            assert all(replay(run.documents()).identical for run in runs)
            assert measured(*(RunRecord.from_documents(run.documents()) for run in runs)) == measured(whole)
        assert not list((folder / "journal" / "pending").iterdir())


def test_a_session_killed_in_a_flight_while_it_chooses_the_batch_behind_is_gone_on_with_by_its_uid(tmp_path, RE, docs):
    killed = Session(tmp_path, num=24, kill_after=25, options=["flown"])
    RE(mapping(None, 24, flown=True))
    whole = RunRecord.from_documents(docs.all)
    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog.writer)
        (again,) = RE(mapping(catalog, 24, killed.uid, flown=True))
        runs = [catalog[killed.uid], catalog[again]]
        assert [run.stop["exit_status"] for run in runs] == ["abort", "success"]
        assert all(replay(run.documents()).identical for run in runs)
        records = [RunRecord.from_documents(run.documents()) for run in runs]
    assert [o.pixel for record in records for o in record.outcomes] == [o.pixel for o in whole.outcomes]
    pending = [record.iterations["pending"].tolist() for record in (*records, whole)]
    assert pending[0] + pending[1] == pending[2] and all(max(each) == 3 for each in pending)


def test_sessions_that_begin_at_once_take_in_what_a_dead_one_left_exactly_once(tmp_path):
    folder = tmp_path / "catalog"
    dead = [Session(folder, kill_after=9), Session(folder, kill_after=9)]
    commands = [[sys.executable, str(SCRIPT), str(folder), "3", ""]] * 3
    living = [warm.Process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for command in commands]
    said = [session.communicate() for session in living]
    assert [session.returncode for session in living] == [0, 0, 0], said
    with open_catalog(folder) as catalog:
        runs = {run.start["uid"]: run for run in catalog.values()}
        assert len(runs) == len(catalog) == 5
        assert [runs[session.uid].stop["exit_status"] for session in dead] == ["abort", "abort"]
        for uid, run in runs.items():
            events = [doc for name, doc in read_journal(catalog.journal(uid)) if name == "event"]
            assert sum(run.stop["num_events"].values()) == len(events)
    assert not list((folder / "journal" / "pending").iterdir())


SLOW = """
import sys
import bluesky.plans as bp
import numpy as np
from bluesky import RunEngine
from ophyd.sim import SynSignal
from bluesky_gp.recording import open_catalog

catalog = open_catalog(sys.argv[1])
catalog.wait()
RE = RunEngine({})
RE.subscribe(catalog.writer)
print(*RE(bp.count([SynSignal(name=f"d{i}", func=lambda: np.random.rand(2000)) for i in range(6)], 100)))
catalog.close(timeout=float(sys.argv[2]))
"""


@pytest.mark.parametrize("seconds", [0.05, 0.8])
def test_a_session_that_ends_while_its_catalog_is_written_ends_and_loses_nothing(tmp_path, seconds):
    command = [sys.executable, "-c", SLOW, str(tmp_path), str(seconds)]
    ended = warm.run(command, capture_output=True, text=True, timeout=100, check=True)
    assert "Traceback" not in ended.stderr
    with open_catalog(tmp_path) as catalog:
        assert catalog[ended.stdout.strip()].primary.read()["d5"].shape == (100, 2000)
