"""Disks that are full, read-only or gone under a run that goes on."""

import contextlib
import logging
import shutil
import threading

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import numpy as np
import pytest
from bluesky import plans as bp
from bluesky.utils import RunEngineInterrupted
from disks import fill, make_room, mounted
from ophyd import Signal
from ophyd.sim import SynAxis, SynGauss

from bluesky_gp.recording import JournalError, open_catalog, read_journal, spill

pytestmark = pytest.mark.slow

NUM = 12


@pytest.fixture
def small_disk(tmp_path):
    with mounted(tmp_path / "small disk") as path:
        yield path


class Bench:
    """A run over a journal on a small disk and a catalog on another, at whose fourth event something happens."""

    def __init__(self, RE, journal, catalog, happens):  # noqa: N803
        self.RE = RE
        self.journal = journal
        self.axis = SynAxis(name="axis")
        self.det = SynGauss("det", self.axis, "axis", center=0, Imax=1)
        self.catalog = open_catalog(catalog, journal=journal)
        self.catalog.wait()
        self.emitted = []
        RE.subscribe(self._hear)
        self.happens = happens
        RE.subscribe(self.catalog.writer)

    def _hear(self, name, doc):
        self.emitted.append((name, doc))
        if name == "event" and doc["seq_num"] == 4:
            self.happens()

    @property
    def events(self):
        return [doc["seq_num"] for name, doc in self.emitted if name == "event"]

    def scan(self):
        positions = np.arange(1.0, NUM + 1.0)
        return self.RE(bp.list_scan([self.det], self.axis, positions, md={"note": "x" * 60_000}))

    def in_the_journal(self):
        (uid,) = {doc["uid"] for name, doc in self.emitted if name == "start"}
        return [(name, doc["uid"]) for name, doc in read_journal(self.catalog.journal(uid))]

    def everything(self):
        return [(name, doc["uid"]) for name, doc in self.emitted]


@pytest.fixture
def make_run(RE, tmp_path):
    made = []

    def make(journal, happens):
        made.append(Bench(RE, journal, tmp_path / "catalog", happens))
        return made[-1]

    yield make
    for bench in made:
        if RE.state == "paused":
            RE.abort()
        bench.catalog.close()


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.WARNING)


def test_a_full_disk_pauses_the_run_before_the_next_move_and_names_the_folder(make_run, small_disk, caplog):
    run = make_run(small_disk / "journal", lambda: fill(small_disk))
    with pytest.raises(RunEngineInterrupted):
        run.scan()
    assert run.RE.state == "paused"
    assert run.axis.readback.get() == run.events[-1] < NUM
    assert f"Make room or rights in {small_disk / 'journal' / 'pending'}" in caplog.text
    assert "The run pauses before its next move" in caplog.text


def test_after_room_is_made_the_run_goes_on_and_no_document_is_lost(make_run, small_disk):
    run = make_run(small_disk / "journal", lambda: fill(small_disk))
    with pytest.raises(RunEngineInterrupted):
        run.scan()
    make_room(small_disk)
    (uid,) = run.RE.resume()
    assert run.events == list(range(1, NUM + 1))
    assert run.in_the_journal() == run.everything()
    assert run.catalog[uid].primary.read()["axis"].values.tolist() == list(range(1, NUM + 1))


def test_resumed_without_room_it_pauses_again_one_point_later(make_run, small_disk):
    run = make_run(small_disk / "journal", lambda: fill(small_disk))
    with pytest.raises(RunEngineInterrupted):
        run.scan()
    before = len(run.events)
    with pytest.raises(RunEngineInterrupted):
        run.RE.resume()
    assert len(run.events) == before + 1
    make_room(small_disk)
    run.RE.resume()
    assert run.in_the_journal() == run.everything()


def test_what_waits_is_written_when_there_is_room_without_anybody_asking(make_run, small_disk, caplog):
    run = make_run(small_disk / "journal", lambda: fill(small_disk))
    with pytest.raises(RunEngineInterrupted):
        run.scan()
    make_room(small_disk)
    run.catalog.flush()
    assert run.in_the_journal() == run.everything()
    assert "is complete again: RE.resume() goes on" in caplog.text


def test_a_run_aborted_while_the_disk_is_full_is_whole_once_there_is_room(make_run, small_disk, caplog):
    run = make_run(small_disk / "journal", lambda: fill(small_disk))
    with pytest.raises(RunEngineInterrupted):
        run.scan()
    run.RE.abort("the disk is full")
    assert "are in memory only; leave this session open until there is room" in caplog.text
    make_room(small_disk)
    run.catalog.flush()
    assert run.in_the_journal() == run.everything()
    assert run.catalog[-1].stop["exit_status"] == "abort"


def test_what_no_room_was_made_for_is_kept_elsewhere_and_taken_in_at_the_next_opening(
    make_run, small_disk, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(spill, "folder", lambda: tmp_path / "elsewhere")
    run = make_run(small_disk / "journal", lambda: fill(small_disk))
    with pytest.raises(RunEngineInterrupted):
        run.scan()
    run.RE.abort("the disk is full")
    run.catalog.close()
    assert "1 event, 1 stop) of the run" in caplog.text
    make_room(small_disk)
    run.catalog = open_catalog(tmp_path / "catalog", journal=small_disk / "journal")
    assert run.catalog[-1].stop["uid"] == run.everything()[-1][1]
    assert run.in_the_journal() == run.everything()
    assert len(run.catalog[-1].primary.read().time) == len(run.events)


def test_a_folder_that_somebody_removes_is_made_again_with_all_that_was_in_it(make_run, tmp_path):
    run = make_run(tmp_path / "journal", lambda: shutil.rmtree(tmp_path / "journal"))
    (uid,) = run.scan()
    run.catalog.flush()
    assert run.in_the_journal() == run.everything()
    assert len(run.catalog[uid].primary.read().time) == NUM


def test_a_folder_that_cannot_be_made_again_pauses_the_run(make_run, tmp_path, caplog):
    journal = tmp_path / "journal"

    def take_away():
        shutil.rmtree(journal)
        journal.write_text("a file in its place")
        with contextlib.suppress(TimeoutError):
            run.catalog.flush(0.1)

    run = make_run(journal, take_away)
    with pytest.raises(RunEngineInterrupted):
        run.scan()
    assert f"Make room or rights in {journal / 'pending'}" in caplog.text
    journal.unlink()
    run.RE.resume()
    assert run.in_the_journal() == run.everything()


def test_a_run_that_cannot_begin_its_journal_ends_before_it_moves(make_run, small_disk):
    fill(small_disk)
    run = make_run(small_disk.parent / "journal", lambda: None)
    with open_catalog(small_disk.parent / "other", journal=small_disk.parent / "elsewhere") as catalog:
        shutil.rmtree(small_disk.parent / "elsewhere")
        (small_disk.parent / "elsewhere").symlink_to(small_disk)
        run.RE.subscribe(catalog.writer)
        with pytest.raises(JournalError, match="Make room or rights in .*elsewhere"):
            run.scan()
    assert run.events == []
    assert run.axis.readback.get() == 0


def test_an_event_of_a_monitor_that_is_not_written_pauses_the_run_too(make_run, small_disk):
    """Such events come from another thread than the plan's."""
    run = make_run(small_disk / "journal", lambda: None)
    signal = Signal(name="signal", value=0)

    @bpp.run_decorator()
    def monitored():
        yield from bps.monitor(signal, name="signal")
        yield from bps.checkpoint()
        fill(small_disk)
        thread = threading.Thread(target=lambda: [signal.put("x" * 9000 + str(i)) for i in range(2)])
        thread.start()
        yield from bps.sleep(0.3)
        thread.join()
        yield from bps.checkpoint()
        yield from bps.mv(run.axis, 5)

    with pytest.raises(RunEngineInterrupted):
        run.RE(monitored())
    assert run.axis.readback.get() == 0
    make_room(small_disk)
    run.RE.resume()
    assert run.in_the_journal() == run.everything()
