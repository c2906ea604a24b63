"""The page's server as a process."""

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from time import monotonic, sleep

import warm


@contextmanager
def viewing(*arguments, environment=None):
    """Run ``bluesky-gp view``; yield its address and its process."""
    command = [sys.executable, "-m", "bluesky_gp.cli", "view", *map(str, arguments)]
    env = {**os.environ, **(environment or {})}
    process = warm.Process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    try:
        found = re.search(r"http\S+", process.stdout.readline())
        assert found is not None, process.stderr.read()
        yield found.group(), process
    finally:
        process.terminate()
        process.communicate(timeout=120)  # it gives way to all else


def until(condition, seconds=60.0):
    """Wait for something to become true; return it."""
    end = monotonic() + seconds
    while not (found := condition()):
        assert monotonic() < end, "it did not happen"
        sleep(0.2)
    return found
