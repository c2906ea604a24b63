"""A facility's catalog: a Tiled server on a real PostgreSQL, for the catalog and its tables."""

import asyncio
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg
import bluesky.plan_stubs as bps
import numpy as np
import pytest
from bluesky.preprocessors import run_decorator

from bluesky_gp.recording import open_catalog
from bluesky_gp.recording.databases import prepare_postgresql

pytestmark = pytest.mark.slow

PASSWORD = secrets.token_hex(8)
N_CHANNELS = 16


def spectrum(number):
    return np.sin(np.arange(N_CHANNELS) * number)


class Detector:
    name, parent = "det", None

    number = 0

    def read(self):
        values = {
            "det_area": self.number / 4,
            "det_label": f"pixel {self.number}",
            "det_spectrum": spectrum(self.number),
        }
        return {key: {"value": value, "timestamp": 1.0} for key, value in values.items()}

    def describe(self):
        return {
            "det_area": {"source": "test", "dtype": "number", "dtype_numpy": "<f8", "shape": []},
            "det_label": {"source": "test", "dtype": "string", "shape": []},
            "det_spectrum": {"source": "test", "dtype": "array", "dtype_numpy": "<f8", "shape": [N_CHANNELS]},
        }

    def read_configuration(self):
        return {}

    def describe_configuration(self):
        return {}


def program(name):
    """Return a program of PostgreSQL; Debian has the server's own in no search path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        pytest.skip(f"there is no PostgreSQL here (no {name}): apt-get install postgresql")
    return path


def as_server_user(*command):
    """PostgreSQL refuses to run as root."""
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    return [*user, *map(str, command)]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def database():
    """An empty database in a cluster of its own, on loopback and with a password; its URL."""
    initdb, control = program("initdb"), program("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    (folder / "password").write_text(PASSWORD)
    if os.geteuid() == 0:
        for path in (folder, folder / "password"):
            shutil.chown(path, "postgres")
    data, port = folder / "data", free_port()
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder}"
    make = as_server_user(initdb, "-U", "gp", "-A", "scram-sha-256", "--pwfile", folder / "password", "-D", data)
    start = as_server_user(control, "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
    for command in (make, start):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    yield f"postgresql://gp:{PASSWORD}@127.0.0.1:{port}/postgres"
    subprocess.run(
        as_server_user(control, "-D", data, "-m", "immediate", "stop"),
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    shutil.rmtree(folder)


@pytest.fixture
def served(tmp_path, database):
    """``bluesky-gp catalog serve`` on it: URL and API key."""
    command = [sys.executable, "-m", "bluesky_gp.cli", "catalog", "serve", str(tmp_path / "arrays"), "--port", "0"]
    environment = os.environ | {"BLUESKY_GP_DATABASE": database}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = server.stdout.readline()
    yield re.search(r"http://\S+:\d+", said).group(), (tmp_path / "arrays" / "api_key").read_text().strip()
    server.send_signal(signal.SIGINT)
    said += server.communicate(timeout=30)[0]
    assert PASSWORD not in said


def test_a_run_goes_to_postgresql_and_comes_back_while_it_goes_on_and_after(served, tmp_path, RE):  # noqa: N803
    detector, seen = Detector(), []

    @run_decorator(md={"purpose": "test"})
    def run():
        for detector.number in range(6):
            yield from bps.trigger_and_read([detector])
            catalog.flush(60)
            seen.append(len(catalog[-1].primary.read().time))

    url, key = served
    with open_catalog(url, api_key=key, journal=tmp_path / "journal") as catalog:
        RE.subscribe(catalog.writer)
        (uid,) = RE(run())
        primary = catalog[uid].primary.read()
        assert seen == [1, 2, 3, 4, 5, 6]
        assert catalog[uid].stop["exit_status"] == "success"
        assert np.array_equal(primary["det_area"], np.arange(6) / 4)
        assert primary["det_label"].values.tolist() == [f"pixel {number}" for number in range(6)]
        assert np.array_equal(primary["det_spectrum"], [spectrum(number) for number in range(6)])
        assert [name for name, _ in catalog[uid].documents()].count("event") == 6


async def execute(database, statement):
    connection = await asyncpg.connect(database)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


def test_a_database_in_which_an_administrator_has_made_the_extension_is_used(database):
    asyncio.run(execute(database, "create extension btree_gin"))
    for _ in range(2):
        prepare_postgresql(database)
    (revision,) = asyncio.run(execute(database, "select version_num from alembic_version"))
    assert revision["version_num"]


def test_a_wrong_password_is_a_sentence_without_it(database):
    with pytest.raises(ValueError, match=r"No catalog can be kept in the database 127.0.0.1:\d+/postgres: ") as raised:
        prepare_postgresql(database.replace(PASSWORD, "another"))
    assert "another" not in str(raised.value)
