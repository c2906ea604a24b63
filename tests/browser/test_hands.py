"""Hands on a running session from the page in a real browser, and the session obeys."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import warm
from view_runs import documents_of_run, keep
from viewing import until, viewing

from bluesky_gp.packed import bits_from_text
from bluesky_gp.recording import journals_of, read_journal, run_of
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parent.parent


@contextmanager
def measuring(folder, num, review, exposure):
    """Run a session in a process of its own; yield a function that returns its record so far, and the process."""
    command = [sys.executable, str(TESTS / "steered_session.py"), str(folder), str(num), review, str(exposure)]
    process = warm.Process(command, env={**os.environ, "PYTHONPATH": str(TESTS)}, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def record_of(folder, other=""):
    """Return the record of the only run, but for another one."""
    [journal] = [path for path in journals_of(folder) if not other or other not in path.name]
    return RunRecord.from_documents(read_journal(journal))


@pytest.fixture
def looked_at(browse, tmp_path, monkeypatch):
    """Open the page of a run that goes on."""
    monkeypatch.setenv("BLUESKY_GP_HANDS", str(tmp_path / "hands"))
    folder = tmp_path / "catalog"

    @contextmanager
    def look(num, review="none", exposure=0.04):
        with measuring(folder, num, review, exposure) as process:
            until(lambda: folder.exists() and any(run_of(path) for path in journals_of(folder)))
            with viewing(folder) as (url, server):
                page = browse(url)
                page.click("#runs button:not([disabled])")
                page.wait_for_selector("button[data-action='add_pixels']:visible")
                yield page, folder, process, server

    return look


def over(page, panel, row, col):
    """Return where a pixel is on the screen."""
    box = page.locator(".panel canvas").nth(panel).bounding_box()
    return box["x"] + (col + 0.5) / 20 * box["width"], box["y"] + (row + 0.5) / 20 * box["height"]


def test_a_pixel_is_added_and_a_rectangle_forbidden_and_the_session_obeys(looked_at):
    with looked_at(400, exposure=0.1) as (page, folder, process, server):
        page.fill("input[placeholder='your name']", "jane")
        page.mouse.click(*over(page, 1, 17, 3))
        page.click("button[data-action='add_pixels']")
        page.locator(".hands", has_text="add_pixels: it counts from the next decision on").wait_for()
        page.mouse.move(*over(page, 1, 0, 0))
        page.mouse.down()
        page.mouse.move(*over(page, 1, 5, 5), steps=3)
        page.mouse.up()
        page.click("button[data-action='forbid']")
        page.locator(".hands li", has_text="jane: forbid").first.wait_for()
        page.click("button[data-action='configure']")  # nothing was said that could be changed
        page.wait_for_selector(".hands p.failed")
        page.get_by_label("pixels apart").fill("1.5")
        page.get_by_label("when the run ends by itself").select_option("seconds")
        page.get_by_label("the limit of that rule").fill("1000000")
        page.click("button[data-action='configure']")
        page.locator(".hands li", has_text="jane: configure").first.wait_for()
        at = len(record_of(folder).iterations["iteration"])
        until(lambda: len(record_of(folder).iterations["iteration"]) > at + 3)
        page.close()
        server.kill()  # a page that dies harms nothing
        until(lambda: len(record_of(folder).iterations["iteration"]) > at + 5)
        assert process.poll() is None
        record = record_of(folder)
    kinds = ("add_pixels", "forbid", "configure")
    assert [(action.kind, action.who) for action in record.actions] == [(kind, "jane") for kind in kinds]
    assert record.actions[-1].arguments == {
        "min_distance": 1.5,
        "stopping": [
            {"class": "bluesky_gp:NothingLearnt", "num": 30},
            {"class": "bluesky_gp:MaxTime", "seconds": 1000000},
        ],
    }
    attempted = record.grid.unravel([outcome.pixel for outcome in record.outcomes])
    assert (attempted == (17, 3)).all(axis=1).any()
    heeded = int(np.argmax(record.iterations["n_actions"] >= 2))
    later = record.iterations["proposed"][heeded:].reshape(-1, 2)
    assert not ((later >= 0) & (later <= 5)).all(axis=1).any()


def test_a_polygon_is_drawn_corner_by_corner_and_another_run_is_learnt_from(looked_at):
    with looked_at(400, exposure=0.15) as (page, folder, _, _):
        taught = documents_of_run(num=6, shape=(20, 20))
        keep(folder / "earlier", taught)  # a journal of another place is none of its
        (earlier,) = journals_of(folder / "earlier")
        uid = run_of(earlier).start["uid"]
        earlier.rename(folder / "journal" / earlier.name)
        page.click("button[data-draws='polygon']")
        for corner in ((-0.4, -0.4), (12, 2), (2, 12)):
            page.mouse.click(*over(page, 1, *corner))
        page.click("button[data-draws='polygon']")
        page.locator(".hands", has_text="Polygon of 3 corners.").wait_for()
        page.click("button[data-action='forbid']")
        page.locator(".hands li", has_text="forbid").first.wait_for()
        page.locator(f"option[value='{uid}']").first.wait_for(state="attached")
        page.get_by_label("a run to learn from").select_option(uid)
        page.locator(".hands summary").click()
        page.get_by_label("its pixels").fill("twenty")
        page.click("button[data-action='learn_from']")
        page.locator(".hands p.failed", has_text="Its pixels: give 2 numbers").wait_for()
        for name, text in (("its pixels", "20, 20"), ("its step", "0.04, 0.08"), ("the noise of its values", "0.5")):
            page.get_by_label(name).fill(text)
        page.click("button[data-action='learn_from']")
        page.locator(".hands li", has_text="learn_from 6 pixels of run").first.wait_for()
        page.locator(".told", has_text="and 6 of other runs").wait_for()
        page.click("button[data-action='finish']")
        record = until(lambda: (found := record_of(folder, uid)).stop and found)
    [forbidden] = [action for action in record.actions if action.kind == "forbid"]
    [learnt] = [action for action in record.actions if action.kind == "learn_from"]
    theirs = record.grid.unravel([outcome.pixel for outcome in RunRecord.from_documents(taught).outcomes])
    assert (
        learnt.arguments["pixels"] == record.grid.ravel(np.rint(0.4 * theirs).astype(int)).tolist()
    )  # their step over ours
    assert learnt.arguments["std"] == [0.5] * 6
    assert np.abs(np.subtract(forbidden.arguments["region"]["polygon"], [(-0.4, -0.4), (12, 2), (2, 12)])).max() < 0.2
    mask = bits_from_text(forbidden.arguments["mask"], (20, 20))
    assert mask[2, 2] and not mask[12, 12]
    later = record.iterations["proposed"][record.iterations["n_actions"] >= 1].reshape(-1, 2)
    assert not mask[tuple(later[later[:, 0] >= 0].T)].any()


def test_a_batch_in_review_is_vetoed_and_agreed_to_and_the_run_is_ended_as_a_success(looked_at):
    with looked_at(60, "review") as (page, folder, process, _):
        page.locator(".review input").first.wait_for()
        first = record_of(folder).iterations["proposed"][-1]
        page.locator(".review input").first.uncheck()
        page.locator(".review button", has_text="without the unticked").click()
        until(lambda: len(record_of(folder).iterations["iteration"]) == 2)
        second = record_of(folder).iterations["proposed"][-1]
        assert not (second == first[0]).all(axis=1).any()
        page.locator(".hands li", has_text="veto").wait_for()
        page.locator(".review button[data-action='agree']").click()
        until(lambda: len(record_of(folder).iterations["iteration"]) == 3)
        assert {outcome.pixel for outcome in record_of(folder).outcomes} == set(record_of(folder).grid.ravel(second))
        page.click("button[data-action='finish']")
        until(lambda: process.poll() is not None)
        record = record_of(folder)
    assert record.stop["exit_status"] == "success"
    [journal] = journals_of(folder)
    assert replay(read_journal(journal)).identical
