"""A file system so small that it can be filled, for tests of journals."""

import subprocess
import sys
from contextlib import contextmanager

import pytest


@contextmanager
def mounted(path):
    """Make a folder that is a file system of its own, of 256 KiB."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", path]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no small file system can be mounted here (root on Linux can)")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


@contextmanager
def read_only(path):
    """Make a folder one in which nothing can be written, for as long as it lasts."""
    if sys.platform != "linux" or subprocess.run(["mount", "--bind", path, path], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here (root on Linux can)")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", path, path], check=True, capture_output=True)
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def fill(folder):
    """Let something else use the disk up."""
    with (folder / "somebody else's").open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def make_room(folder):
    """Remove what has filled the disk."""
    (folder / "somebody else's").unlink()
