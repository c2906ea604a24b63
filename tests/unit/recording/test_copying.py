"""Runs of one catalog in another: each whole and once, however often a copy is cut short."""

import sys

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import numpy as np
import pytest
import warm
from ophyd.sim import SynSignal, det, motor

from bluesky_gp.recording import JournalError, copy_runs, documents_of, open_catalog, read_journal


@pytest.fixture
def source(tmp_path, RE):
    """A catalog of three runs: a scan, one of spectra, one without events."""
    with open_catalog(tmp_path / "source") as catalog:
        RE.subscribe(catalog.writer)
        RE(bp.scan([det], motor, -1, 1, 5))
        RE(bp.count([SynSignal(name="spectrum", func=lambda: np.array([1.0, np.nan, 3.0]))], 2))
        RE(empty())
        yield catalog


def empty():
    yield from bps.open_run({"sample": "none"})
    yield from bps.close_run()


def fates(source, target):
    return [run.fate for run in copy_runs(source, target)]


def test_every_run_is_there_bit_for_bit_and_a_second_copy_changes_nothing(source, tmp_path):
    with open_catalog(tmp_path / "target") as target:
        assert fates(source, target) == ["copied"] * 3
        assert sorted(target) == sorted(source)
        for uid in source:
            assert list(map(str, read_journal(target.journal(uid)))) == list(map(str, documents_of(uid, source)))
            assert target[uid].stop == source[uid].stop
        assert fates(source, target) == ["there already"] * 3
        assert len(target) == 3


def test_a_run_without_a_journal_is_copied_from_the_catalog(source, tmp_path):
    uid = source[-2].start["uid"]
    source.journal(uid).unlink()
    with open_catalog(tmp_path / "target") as target:
        assert fates(source, target) == ["copied"] * 3
        read = target[uid].primary.read()["spectrum"]
    np.testing.assert_array_equal(read, source[uid].primary.read()["spectrum"])


def test_a_run_that_goes_on_is_left_out_until_it_has_ended(source, tmp_path):
    source.writer("start", {"uid": "going", "time": 1.0})
    source.flush(60.0)
    with open_catalog(tmp_path / "target") as target:
        assert sorted(fates(source, target)) == ["copied"] * 3 + ["goes on"]
        source.writer("stop", {"uid": "end", "run_start": "going", "time": 2.0, "exit_status": "success"})
        len(source)
        assert sorted(fates(source, target)) == ["copied"] + ["there already"] * 3


def test_a_damaged_journal_is_named_and_the_others_are_copied(source, tmp_path):
    journal = source.journal(source[0].start["uid"])
    journal.write_bytes(journal.read_bytes()[:-20])
    with open_catalog(tmp_path / "target") as target:
        found = {run.uid: run for run in copy_runs(source, target)}
        failed = found.pop(source[0].start["uid"])
        assert failed.fate == "failed" and "has no stop document at its end" in failed.reason
        assert {run.fate for run in found.values()} == {"copied"}
        assert list((tmp_path / "target" / "journal" / "pending").glob("*.part")) == []


def test_documents_that_are_no_run_are_refused(tmp_path):
    with open_catalog(tmp_path) as catalog, pytest.raises(JournalError, match="begin with its start document"):
        catalog.take_in([("stop", {"uid": "end"})])


def test_a_catalog_is_not_copied_into_itself(source):
    with pytest.raises(ValueError, match="cannot be copied into itself"):
        next(copy_runs(source, source))


COPY = """
import os, sys
from bluesky_gp.recording import copy_runs, open_catalog, journal_folder
source, target, steps = open_catalog(sys.argv[1]), open_catalog(sys.argv[2]), int(sys.argv[3])
replace, count = journal_folder.Path.replace, 0
def killed(path, new):
    global count
    count += 1
    if count > steps:
        os._exit(9)
    return replace(path, new)
journal_folder.Path.replace = killed
list(copy_runs(source, target))
"""


@pytest.mark.slow
def test_a_copy_that_is_killed_between_any_two_steps_is_gone_on_with(source, tmp_path):
    source.close()
    for steps in range(7):
        command = [sys.executable, "-c", COPY, str(tmp_path / "source"), str(tmp_path / "target"), str(steps)]
        assert warm.run(command, capture_output=True, timeout=100).returncode in (0, 9)
    with open_catalog(tmp_path / "source") as again, open_catalog(tmp_path / "target") as target:
        assert set(fates(again, target)) == {"there already"}
        assert sorted(target) == sorted(again)
        assert len(target) == 3
