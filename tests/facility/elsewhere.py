"""A proxy and an agent in processes of their own, which a test may kill, restart, stop or have lose documents."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from facility.queue_server import wait_for

from bluesky_gp.cli.channel_access import free_ports

PROXY = "from bluesky.commandline.zmq_proxy import main; main()"


class Elsewhere:
    """bluesky's 0MQ proxy and ``bluesky-gp agent``, each a process, with what they print in `folder`."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.into, self.out, self.answers = free_ports(3)
        self.processes = {}
        self._open = ExitStack()

    def __enter__(self):
        self.start("proxy")
        self.start("agent")
        return self

    def __exit__(self, *error):
        for name in tuple(self.processes):
            self.kill(name)
        self._open.close()

    @property
    def addresses(self):
        """What a `RemoteAgent` has to know, and patience with a slow machine."""
        return {"ask": f"127.0.0.1:{self.answers}", "publish": f"127.0.0.1:{self.into}", "greeting": 60.0}

    def start(self, name):
        """Start the proxy or the agent; the agent is there when it says so."""
        commands = {
            "proxy": [
                "-c", PROXY, "--in-address", f"tcp://127.0.0.1:{self.into}", "--out-address",
                f"tcp://127.0.0.1:{self.out}",
            ],
            "agent": [
                "-m", "bluesky_gp.cli", "agent", "--documents", f"127.0.0.1:{self.out}", "--listen",
                f"127.0.0.1:{self.answers}",
            ],
        }  # fmt: skip
        path = self.folder / f"{name}.log"
        before = path.read_text().count("answers at") if path.exists() else 0
        log = self._open.enter_context(path.open("ab"))
        self.processes[name] = subprocess.Popen([sys.executable, *commands[name]], stdout=log, stderr=log)
        if name == "agent":
            wait_for(lambda: path.read_text().count("answers at") > before, what="the agent")

    def kill(self, name):
        """End a process as kill -9 does."""
        process = self.processes.pop(name)
        process.kill()
        process.wait(10)
