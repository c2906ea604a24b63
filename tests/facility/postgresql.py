"""A PostgreSQL of the tests' own, and Tiled servers on it: started, killed, started again."""

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest
import warm
from facility.queue_server import wait_for

from bluesky_gp.cli.channel_access import free_ports

PASSWORD = secrets.token_hex(8)


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


class Cluster:
    """Databases on loopback, with a password."""

    def __init__(self):
        self._control = program("pg_ctl")
        self.folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        (self.port,) = free_ports(1)
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (self.folder, password):
                shutil.chown(path, "postgres")
        self._run(program("initdb"), "-U", "gp", "-A", "scram-sha-256", "--pwfile", password, "-D", self._data)
        self.start()

    @property
    def _data(self):
        return self.folder / "data"

    def url(self, name):
        return f"postgresql://gp:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def new(self):
        """Return the URL of a new, empty database."""
        name = f"runs_{secrets.token_hex(4)}"
        asyncio.run(execute(self.url("postgres"), f"create database {name}"))
        return self.url(name)

    def start(self):
        """Start it, and wait until it answers."""
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder}"
        self._run(self._control, "-D", self._data, "-l", self.folder / "log", "-w", "-t", "120", "-o", options, "start")

    @property
    def pid(self):
        """The number of its first process."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def kill(self):
        """End all of its processes at once, as a power failure does."""
        first = psutil.Process(self.pid)
        processes = [first, *first.children()]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=60)  # or the memory that they share is still in use

    def remove(self):
        self._run(self._control, "-D", self._data, "-m", "immediate", "stop", check=False)
        shutil.rmtree(self.folder)

    def _run(self, *command, check=True):
        subprocess.run(as_server_user(*command), check=check, stdout=subprocess.DEVNULL, cwd=self.folder)


async def execute(database, statement):
    """Return the rows that a database answers with."""
    connection = await asyncpg.connect(database)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


def answers(url):
    """Whether a Tiled server is there."""
    with suppress(OSError), urllib.request.urlopen(f"{url}/healthz", timeout=30) as answer:  # noqa: S310
        return answer.status == 200


class Served:
    """``bluesky-gp catalog serve`` with its catalog in a database, always at the same address."""

    def __init__(self, folder, database):
        self.folder, self.database = Path(folder), database
        self._log = self.folder.with_suffix(".log")
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        command = [sys.executable, "-m", "bluesky_gp.cli", "catalog", "serve", str(self.folder)]
        with self._log.open("ab") as log:  # no pipe: nobody would read it, and the server wait for room in it
            self.process = warm.Process(
                [*command, "--port", str(self.port)],
                env=os.environ | {"BLUESKY_GP_DATABASE": self.database},
                stdout=log,
                stderr=log,
            )
        wait_for(lambda: answers(self.url), timeout=300.0, what="the server")

    @property
    def said(self):
        return self._log.read_text()

    @property
    def key(self):
        return (self.folder / "api_key").read_text().strip()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        """End it in order."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
