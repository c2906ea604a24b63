"""A run with every kind of action in it, killed with SIGKILL, is resumed as it would have gone on, and replays."""

import re
import sys
from pathlib import Path

import pytest
import warm

from bluesky_gp.recording import open_catalog, read_journal
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord

SESSION = Path(__file__).parent.parent / "hands_session.py"
KINDS = set("learn_from add_pixels forbid allow restrict configure go_on pause finish agree edit veto".split())

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL"),
]


def session(folder, killed_at="", resume_from=""):
    """Run a session; return its exit status, and the documents of its map."""
    command = [sys.executable, str(SESSION), str(folder), str(killed_at), resume_from]
    done = warm.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert killed_at or done.returncode == 0, done.stdout + done.stderr
    uid = re.findall(r"^run (\S+)$", done.stdout, re.MULTILINE)[-1]
    (path,) = Path(folder, "journal").rglob(f"*{uid}*.jsonl")
    return done.returncode, uid, list(read_journal(path))


def pixels(record):
    return [outcome.pixel for outcome in record.outcomes]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    _, _, documents = session(tmp_path_factory.mktemp("whole"))
    return documents


def test_a_run_with_every_kind_of_action_replays(whole):
    record = RunRecord.from_documents(whole)
    assert {action.kind for action in record.actions} == KINDS
    assert [outcome.pixel for outcome in record.outcomes if outcome.reason == "a bubble"] == [98]
    assert record.stop["exit_status"] == "success" and record.iterations["stop_reason"][-1] == "enough"
    result = replay(whole)
    assert result.identical, str(result.difference)


@pytest.mark.parametrize("killed_at", [1, 8, 9])
def test_killed_it_is_resumed_as_it_would_have_gone_on_and_both_replay(whole, killed_at, tmp_path):
    status, uid, first = session(tmp_path, killed_at)
    assert status == -9 and replay(first).identical
    _, _, second = session(tmp_path, "", uid)
    record = RunRecord.from_documents(second)
    assert pixels(record.together) == pixels(RunRecord.from_documents(whole))
    result = replay(second)
    assert result.identical, str(result.difference)
    with open_catalog(tmp_path) as catalog:
        assert len(catalog) == 3 and replay(catalog[-1].documents()).identical
