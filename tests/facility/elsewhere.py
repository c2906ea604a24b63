"""A proxy or a NATS server, and an agent, in processes of their own, which a test may kill and restart."""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import warm
from facility.queue_server import wait_for

from bluesky_gp.cli.channel_access import free_ports

NATS = shutil.which("nats-server", path=f"{os.environ['PATH']}:/usr/sbin")  # where Debian has it
PROXY = "from bluesky.commandline.zmq_proxy import main; main()"


class Elsewhere:
    """bluesky's 0MQ proxy, or a NATS server, and ``bluesky-gp agent``, processes that print into `folder`."""

    def __init__(self, folder, carrier="proxy"):
        self.carrier = carrier
        self.folder = Path(folder)
        self.into, self.out, self.answers = free_ports(3)
        self.processes = {}
        self._open = ExitStack()

    def __enter__(self):
        self.start(self.carrier)
        self.start("agent")
        return self

    def __exit__(self, *error):
        for name in tuple(self.processes):
            self.kill(name)
        self._open.close()

    @property
    def addresses(self):
        """What a `RemoteAgent` has to know, and patience with a slow machine."""
        publish = self.documents if self.carrier == "nats" else f"127.0.0.1:{self.into}"
        return {"ask": f"127.0.0.1:{self.answers}", "publish": publish, "greeting": 60.0}

    @property
    def documents(self):
        """What the agent has to know."""
        return f"nats://127.0.0.1:{self.out}" if self.carrier == "nats" else f"127.0.0.1:{self.out}"

    def start(self, name):
        """Start the proxy, the NATS server or the agent; the agent is there when it says so."""
        here = "tcp://127.0.0.1"
        commands = {
            "proxy": [
                sys.executable, "-c", PROXY, "--in-address", f"{here}:{self.into}",
                "--out-address", f"{here}:{self.out}",
            ],
            "nats": [NATS, "-js", "-sd", str(self.folder / "nats"), "-a", "127.0.0.1", "-p", str(self.out)],
            "agent": [
                sys.executable, "-m", "bluesky_gp.cli", "agent", "--documents", self.documents, "--listen",
                f"127.0.0.1:{self.answers}",
            ],
        }  # fmt: skip
        path = self.folder / f"{name}.log"
        before = path.read_text().count("answers at") if path.exists() else 0
        log = self._open.enter_context(path.open("ab"))
        start = subprocess.Popen if name == "nats" else warm.Process
        self.processes[name] = start(commands[name], stdout=log, stderr=log)
        if name == "agent":
            wait_for(lambda: path.read_text().count("answers at") > before, what="the agent")

    def kill(self, name):
        """End a process as kill -9 does."""
        process = self.processes.pop(name)
        process.kill()
        process.wait(10)
