"""A served catalog: a real server process on loopback."""

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import warm


class Server:
    """``bluesky-gp catalog serve FOLDER --port 0`` and what it has said."""

    def __init__(self, folder, *options):
        command = [sys.executable, "-m", "bluesky_gp.cli", "catalog", "serve", str(folder), "--port", "0", *options]
        self.process = warm.Process(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = self.process.stdout.readline()
        self.url = re.search(r"http://\S+:\d+", self.said).group()
        self.key_file = Path(re.search(r"its key in (.*); Ctrl-C", self.said).group(1))

    @property
    def key(self):
        return self.key_file.read_text().strip()

    def status(self, address):
        try:
            with urllib.request.urlopen(self.url + address, timeout=60) as answer:  # noqa: S310
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.said += self.process.communicate(timeout=30)[0]
