"""Catalogs between processes: a reader beside a run, sessions that are killed, a server that goes away."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import textwrap
import time

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import numpy as np
import pytest
import warm
from ophyd.sim import SynAxis, SynGauss

from bluesky_gp.recording import open_catalog, read_journal

pytestmark = pytest.mark.slow

SESSION = """
import sys, time
import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky import RunEngine
from ophyd.sim import SynAxis, SynGauss
from bluesky_gp.recording.opening import open_catalog

axis = SynAxis(name="axis")
det = SynGauss("det", axis, "axis", center=0, Imax=1)

@bpp.run_decorator(md={"session": sys.argv[2]})
def scan(num, pause=0.05):
    for number in range(num):
        yield from bps.mv(axis, number)
        yield from bps.trigger_and_read([det, axis])
        yield from bps.sleep(pause)
        print(number, flush=True)

catalog = open_catalog(sys.argv[1])
RE = RunEngine(context_managers=[])
RE.subscribe(catalog.writer)
"""

READER = """
import sys, time
from bluesky_gp.recording.opening import open_catalog

catalog = open_catalog(sys.argv[1])
deadline = time.monotonic() + 60
while time.monotonic() < deadline:
    try:
        run = catalog[sys.argv[2]]
        n_events = len(run.primary.read().time)
    except Exception as error:  # a read in the middle of a write: try again
        print("again", type(error).__name__, flush=True)
    else:
        print(n_events, "stop" in run.metadata, flush=True)
        if n_events >= 5:
            break
    time.sleep(0.2)
"""

SERVER = """
import sys
from pathlib import Path
import uvicorn
from tiled.server.app import build_app_from_config
from bluesky_gp.recording.tiled_server import server_configuration

app = build_app_from_config(server_configuration(Path(sys.argv[1]), api_key=sys.argv[3]))
uvicorn.run(app, port=int(sys.argv[2]), log_level="error")
"""


def python(code, *arguments, **options):
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return warm.Process(command, stdout=subprocess.PIPE, text=True, **options)


@bpp.run_decorator(md={"purpose": "test"})
def slow_scan(while_it_runs, num=200):
    """Emit an event after another until `while_it_runs` says that it has seen enough."""
    axis = SynAxis(name="axis")
    det = SynGauss("det", axis, "axis", center=0, Imax=1)
    for number in range(num):
        yield from bps.mv(axis, number)
        yield from bps.trigger_and_read([det, axis])
        yield from bps.sleep(0.05)
        if while_it_runs(number):
            return


def test_a_second_process_reads_a_run_that_is_going_on(tmp_path, RE):
    reader = None

    def until_it_was_read(number):
        nonlocal reader
        if number == 0:
            reader = python(READER, tmp_path, docs[0]["uid"])
        return reader.poll() is not None

    docs = []
    with open_catalog(tmp_path) as catalog:
        len(catalog)
        RE.subscribe(catalog.writer)
        RE.subscribe(lambda name, doc: docs.append(doc), "start")
        (uid,) = RE(slow_scan(until_it_was_read, num=1000))
        n_read, stopped = reader.communicate()[0].splitlines()[-1].split()
        assert int(n_read) >= 5
        assert stopped == "False"
        assert catalog[uid].stop["exit_status"] == "success"
        assert len(catalog[uid].primary.read().time) == catalog[uid].stop["num_events"]["primary"]


def test_a_session_that_is_killed_loses_nothing_that_was_measured(tmp_path):
    session = python(SESSION + "RE(scan(1000))", tmp_path, "killed")
    printed = []
    for line in session.stdout:
        printed.append(int(line))
        if len(printed) == 30:
            break
    session.send_signal(signal.SIGKILL)
    session.communicate()
    with open_catalog(tmp_path) as catalog:
        (uid,) = catalog
        run = catalog[uid]
        assert run.stop["exit_status"] == "abort"
        positions = run.primary.read()["axis"].values
        assert np.array_equal(positions, np.arange(len(positions)))
        assert len(positions) >= 30
        assert run.stop["num_events"]["primary"] == len(positions)
        assert [name for name, _ in read_journal(catalog.journal(uid))].count("event") == len(positions)


def test_sessions_that_end_without_closing_leave_a_whole_catalog(tmp_path):
    endings = ["", "catalog.close()", "raise SystemExit", "del catalog"]
    for ending in endings:
        session = python(SESSION + f"RE(scan(3))\n{ending}", tmp_path, ending, stderr=subprocess.PIPE)
        _, err = session.communicate(timeout=120)
        assert session.returncode == 0 and "Traceback" not in err, err
    with open_catalog(tmp_path) as catalog:
        found = {run.start["session"]: run for run in catalog.values()}
        assert set(found) == set(endings)
        assert [run.stop["exit_status"] for run in found.values()] == ["success"] * 4
        assert [len(run.primary.read().time) for run in found.values()] == [3] * 4


def test_a_session_that_ends_in_the_middle_of_a_run_is_taken_in(tmp_path):
    session = python(SESSION + "import threading, os\nRE(scan(3)); RE(bps.open_run())", tmp_path, "ended")
    session.communicate(timeout=60)
    with open_catalog(tmp_path) as catalog:
        assert [run.stop["exit_status"] for run in catalog.values()] == ["success", "success"]


def test_two_sessions_on_one_folder_do_not_hurt_each_other(tmp_path):
    sessions = [python(SESSION + "RE(scan(20)); RE(scan(20))", tmp_path, name) for name in "ab"]
    for session in sessions:
        session.communicate(timeout=120)
        assert session.returncode == 0
    with open_catalog(tmp_path) as catalog:
        assert sorted(run.start["session"] for run in catalog.values()) == ["a", "a", "b", "b"]
        assert [len(run.primary.read().time) for run in catalog.values()] == [20] * 4
        assert not list((tmp_path / "journal" / "pending").glob("*.jsonl"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    open_catalog(folder).close()
    return folder


@pytest.fixture(scope="module")
def only_server(folder):
    server = Server(folder)
    yield server
    server.kill()


@pytest.fixture
def server(only_server):
    """A Tiled server on loopback over a folder, which can be killed and started again."""
    only_server.start()
    return only_server


class Server:
    def __init__(self, folder):
        self.folder = folder
        self.process = None
        self.key = secrets.token_hex(16)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        if self.process is not None and self.process.poll() is None:
            return
        self.process = python(SERVER, self.folder, self.port, self.key)
        while self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("the server did not start")

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def test_runs_go_to_a_server_and_come_back(tmp_path, server, RE):
    with open_catalog(server.url, api_key=server.key, journal=tmp_path / "journal") as catalog:
        RE.subscribe(catalog.writer)
        (uid,) = RE(slow_scan(lambda number: number == 4))
        assert len(catalog[uid].primary.read().time) == 5
        assert catalog.journal(uid).parent == tmp_path / "journal"
        assert server.key not in repr(catalog)


def test_a_server_that_dies_does_not_end_the_run_which_is_whole_when_it_is_back(tmp_path, server, RE):
    def kill_it(number):
        if number == 10:
            server.kill()
        return number == 30

    with open_catalog(server.url, api_key=server.key, journal=tmp_path / "journal") as catalog:
        len(catalog)
        RE.subscribe(catalog.writer)
        (uid,) = RE(slow_scan(kill_it))
        assert [name for name, _ in read_journal(catalog.journal(uid))][-1] == "stop"
        server.start()
        catalog.flush(120)
        assert len(catalog[uid].primary.read().time) == 31
        assert catalog[uid].stop["exit_status"] == "success"


def test_a_profile_is_a_catalog_too(tmp_path, server):
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    (profiles / "ours.yml").write_text(f"facility:\n  uri: {server.url}\n")
    code = SESSION.replace("open_catalog(sys.argv[1])", "open_catalog('facility', journal=sys.argv[1])") + "RE(scan(2))"
    environment = os.environ | {"TILED_PROFILES": str(profiles), "TILED_API_KEY": server.key}
    session = python(code, tmp_path / "journal", "profile", env=environment, cwd=tmp_path)
    session.communicate(timeout=60)
    with open_catalog(server.url, api_key=server.key, journal=tmp_path / "journal") as catalog:
        assert catalog[-1].start["session"] == "profile"
        assert len(catalog[-1].primary.read().time) == 2


def test_a_container_of_something_else_is_refused(tmp_path, server):
    with (
        open_catalog(server.url, api_key=server.key, journal=tmp_path / "journal") as catalog,
        pytest.raises(ValueError, match="is no catalog of Bluesky runs. Give the URL of one"),
    ):
        catalog.client.create_container("other")
        open_catalog(f"{server.url}/api/v1/metadata/other", api_key=server.key, journal=tmp_path / "journal")


def test_a_server_that_is_not_there_is_an_error_at_once(tmp_path, server):
    server.kill()
    for _ in range(2):
        with pytest.raises(ConnectionError, match=f"No server answers at {server.url}"):
            open_catalog(server.url, api_key=server.key, journal=tmp_path / "journal")
