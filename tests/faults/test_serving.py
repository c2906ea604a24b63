"""Who may read a served catalog: real server processes on loopback."""

import json
import os
import re
import socket
import stat
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request

import psutil
import pytest
import warm
from catalog_server import Server

from bluesky_gp.recording import api_key, listen, open_catalog

SESSION = """
import sys
import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky import RunEngine
from ophyd.sim import det
from bluesky_gp.recording.opening import open_catalog

@bpp.run_decorator()
def scan():
    while True:
        yield from bps.trigger_and_read([det])
        yield from bps.sleep(0.05)
        print("measured", flush=True)

RE = RunEngine(context_managers=[])
RE.subscribe(open_catalog(sys.argv[1]).writer)
RE(scan())
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    return tmp_path_factory.mktemp("served") / "catalog"


@pytest.fixture(scope="module")
def server(served):
    server = Server(served)
    yield server
    if server.process.poll() is None:
        server.end()


@pytest.fixture
def connections(server):
    """Connections of this process to the server."""
    port, process = int(server.url.rpartition(":")[2]), psutil.Process()
    open_ones = (psutil.CONN_ESTABLISHED, psutil.CONN_CLOSE_WAIT)
    return lambda: [
        each for each in process.net_connections("tcp") if each.status in open_ones and each.raddr.port == port
    ]


@pytest.mark.slow
@pytest.mark.parametrize("key", ["", "not the key"], ids=["the key", "another key"])
def test_no_connection_stays_open_to_a_catalog_that_was_closed_or_refused(server, connections, tmp_path, key):
    try:
        with open_catalog(server.url, api_key=key or server.key, journal=tmp_path) as catalog:
            assert len(catalog) == 0 and connections()
    except PermissionError:
        assert key
    assert not connections()


@pytest.mark.slow
def test_no_connection_stays_open_to_a_server_that_has_no_such_catalog(server, connections, tmp_path):
    with pytest.raises(Exception, match="No such entry"):
        open_catalog(f"{server.url}/api/v1/metadata/nothing", api_key=server.key, journal=tmp_path)
    assert not connections()


@pytest.mark.slow
def test_a_catalog_is_served_on_loopback_unless_told_otherwise(server):
    assert server.url.startswith("http://127.0.0.1:")
    port = int(server.url.rpartition(":")[2])
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for address in others:
        with pytest.raises(OSError):  # noqa: PT011
            socket.create_connection((address, port), timeout=2)


@pytest.mark.slow
def test_a_client_reads_a_run_while_another_session_writes_it(server, served, tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(SESSION), str(served)]
    session = warm.Process(command, stdout=subprocess.PIPE, text=True)
    try:
        with open_catalog(server.url, api_key=server.key, journal=tmp_path / "journal") as catalog:
            seen = {0}
            while len(seen) < 4:  # none, some, and twice more than before
                assert session.stdout.readline() == "measured\n"
                seen.add(events_in(catalog))
            assert "stop" not in catalog[-1].metadata
    finally:
        session.kill()
        session.communicate()


def events_in(catalog):
    try:
        return len(catalog[-1].primary.read().time)
    except Exception:  # no run yet, no event yet, or in the middle of a write
        return 0


@pytest.mark.slow
def test_pages_that_are_shown_without_the_key_have_nothing_of_the_data(server, served, tmp_path):
    """They are tiled's own, and the same for an empty catalog; docs/record.md says so."""
    with open_catalog(server.url, api_key=server.key, journal=tmp_path / "journal") as catalog:
        catalog.writer("start", {"uid": "0ff1ce00-secret", "time": 1.0, "sample": "unpublished"})
        catalog.writer("stop", {"uid": "s", "run_start": "0ff1ce00-secret", "time": 2.0, "exit_status": "success"})
        assert catalog["0ff1ce00-secret"].start["sample"] == "unpublished"
    for address in ("/", "/ui/", "/docs", "/redoc", "/openapi.json", "/healthz", "/api/v1/"):
        with urllib.request.urlopen(server.url + address, timeout=60) as answer:  # noqa: S310
            text = answer.read().decode()
        assert not any(word in text for word in ("0ff1ce00", "unpublished", str(served), server.key))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "fault"), [("wrong" * 8, "does not take the key that it was given"), (None, "wants a key")]
)
def test_a_wrong_key_is_a_sentence(server, tmp_path, monkeypatch, caplog, key, fault):
    monkeypatch.delenv("TILED_API_KEY", raising=False)
    with pytest.raises(PermissionError, match=f"The server at {server.url} {fault}: open_catalog"):
        open_catalog(server.url, api_key=key, journal=tmp_path / "journal")
    assert all(record.exc_info is None for record in caplog.records if record.levelname == "ERROR")


@pytest.mark.slow
def test_nothing_is_answered_without_the_key_and_the_key_is_never_printed(server):
    """The last that asks this server, whatever it has said until now."""
    addresses = ["/api/v1/metadata/", "/api/v1/search/", "/api/v1/array/full/x", "/api/v1/metadata/no-such-run"]
    assert [server.status(address) for address in addresses] == [401] * 4
    assert server.status(f"/api/v1/metadata/?api_key={server.key[:-1]}0x") == 401
    assert server.status(f"/api/v1/metadata/?api_key={server.key}") == 200
    assert server.status(f"/api/v1/array/full/x?api_key={server.key}") == 404
    key = server.key
    server.end()
    assert key not in server.said
    assert server.said.count("\n") <= 3


@pytest.mark.slow
@pytest.mark.parametrize("right", [True, False])
def test_a_key_that_is_given_in_the_url_is_never_printed(tmp_path, right):
    server = Server(tmp_path / "catalog")
    key = server.key if right else "0123456789abcdef" * 2
    command = [sys.executable, "-m", "bluesky_gp.cli", "runs", "--catalog", f"{server.url}/?api_key={key}"]
    try:
        answer = warm.run(command, capture_output=True, text=True, check=False)
    finally:
        server.end()
    assert answer.returncode == (0 if right else 2) and server.url in answer.stdout + answer.stderr
    assert key not in answer.stdout + answer.stderr + server.said


@pytest.mark.slow
def test_what_a_dead_session_left_is_served_too(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(SESSION), str(tmp_path / "catalog")]
    session = warm.Process(command, stdout=subprocess.PIPE, text=True)
    for _ in range(3):
        session.stdout.readline()
    session.kill()
    session.communicate()
    server = Server(tmp_path / "catalog")
    try:
        environment = os.environ | {"TILED_API_KEY": server.key}
        listing = [sys.executable, "-m", "bluesky_gp.cli", "runs", "--catalog", server.url, "--json"]
        out = warm.run(listing, env=environment, capture_output=True, text=True, check=True).stdout
        (run,) = json.loads(out)
        assert run["exit_status"] == "abort"
        assert run["num_events"] >= 3
    finally:
        server.end()


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    path, key = api_key(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{64}", key)
    assert api_key(tmp_path) == (path, key)
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_keys_of_two_folders_differ(tmp_path):
    (tmp_path / "other").mkdir()
    assert api_key(tmp_path)[1] != api_key(tmp_path / "other")[1]


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes here")
def test_a_key_that_others_may_read_is_refused(tmp_path):
    path, _ = api_key(tmp_path)
    path.chmod(0o640)
    with pytest.raises(PermissionError, match="can be read by others: chmod 600 it"):
        api_key(tmp_path)


@pytest.mark.parametrize("content", ["", "short", "x" * 40 + "\n; rm -rf", "ä" * 10])
def test_a_file_that_holds_no_key_is_refused(tmp_path, content):
    path, _ = api_key(tmp_path)
    path.write_text(content)
    with pytest.raises(ValueError, match="holds no key of 32 letters and digits"):
        api_key(tmp_path)


def test_a_port_that_is_taken_is_an_error():
    with listen("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", first.getsockname()[1])
