"""The page over a served catalog: nothing of the session that measures but what the server and the mailbox have."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import warm
from catalog_server import Server
from viewing import until, viewing

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parent.parent.parent
PATIENCE = 300.0  # s


class Page:
    """Asks the page's server as a browser does."""

    def __init__(self, address):
        self.base, _, token = address.partition("/#token=")
        self.headers = {"Authorization": f"Bearer {token}"}

    def raw(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/api{path}", data, self.headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
            return answer.read()

    def __call__(self, path, body=None):
        return json.loads(self.raw(path, body))


@pytest.fixture
def served(tmp_path):
    """The page of a served catalog into which a session of another machine, as it were, measures."""
    server = Server(tmp_path / "catalog")
    common = {"TILED_API_KEY": server.key, "BLUESKY_GP_HANDS": str(tmp_path / "hands"), "PYTHONPATH": str(TESTS)}
    command = [sys.executable, str(TESTS / "steered_session.py"), server.url, "400", "", "0.2"]
    there = {**os.environ, **common, "XDG_DATA_HOME": str(tmp_path / "there")}
    session = warm.Process(command, env=there, stderr=subprocess.PIPE)
    try:
        with viewing(server.url, environment={**common, "XDG_DATA_HOME": str(tmp_path / "here")}) as (address, _):
            yield Page(address), server, session
    finally:
        for process in (session, server.process):
            process.kill()
            process.communicate()


def test_a_run_that_goes_on_at_a_server_is_followed_steered_and_seen_to_its_end(served):
    page, server, session = served
    [run] = until(lambda: page("/runs")["runs"], PATIENCE)
    uid = f"/runs/{run['uid']}"
    assert run["steered"] and (run["exit_status"] or run["goes_on"] is None)
    until(lambda: page(uid)["decisions"], PATIENCE)
    for action, arguments in (("add_pixels", {"pixels": [[17, 3]]}), ("finish", {"reason": "enough"})):
        name = page(f"{uid}/hands", {"action": action, "arguments": arguments, "who": "jane"})["name"]
        assert until(lambda: page(f"{uid}/hands/{name}")["accepted"], PATIENCE) is True  # noqa: B023 - it is called here
    course = until(lambda: (found := page(uid))["ended"] and found, PATIENCE)
    assert [(action["action"], action["who"]) for action in course["actions"]] == [
        ("add_pixels", "jane"),
        ("finish", "jane"),
    ]
    assert page.raw(f"{uid}/decisions/0/maps")
    assert page(f"{uid}/decisions/0/pixels/343")["choice"]["by"] in (None, "design")
    session.wait(60)
    server.process.kill()  # what was looked at stays
    assert page(uid)["ended"] == "success" and page("/runs")["runs"]
