"""Soft IOCs for the tests, each in a process of its own.

Imported by conftest.py before anything imports ophyd: Channel Access reads its environment once, when it is loaded. The
ports are this session's own, so that suites can run side by side.
"""

import os
import signal
import subprocess
import sys
import time

import warm

from bluesky_gp.cli.channel_access import LOOPBACK, client_environment, free_ports, is_free

*PORTS, REPEATER = free_ports(4)
os.environ.update(client_environment(PORTS[0], repeater_port=REPEATER))
os.environ["EPICS_CA_ADDR_LIST"] = " ".join(f"{LOOPBACK}:{port}" for port in PORTS)


class SoftIOC:
    """``bluesky-gp ioc`` with options, or a Python file that serves one; can be killed and started again."""

    def __init__(self, *options, port=PORTS[0], script=None):
        program = ["-m", "bluesky_gp.cli", "ioc", "--until-stdin-ends"] if script is None else [str(script)]
        self.command = [sys.executable, *program, "--port", str(port), *map(str, options)]
        self.port = port
        self.process = None

    def start(self):
        self.process = warm.Process(self.command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        while is_free(LOOPBACK, self.port):
            assert self.process.poll() is None, f"{self.command} ended with {self.process.returncode}"
            time.sleep(0.02)
        return self

    def send(self, number):
        self.process.send_signal(number)
        self.process.wait(20)
        self.process.stdin.close()

    def kill(self):
        self.send(signal.SIGKILL)

    def restart(self):
        if self.process.returncode is None:
            self.kill()
        self.start()

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        if self.process.returncode is None:
            self.send(signal.SIGTERM)
