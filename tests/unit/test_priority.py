"""Work in the background lets decisions pass."""

import threading

import pytest

from bluesky_gp import priority as courtesy
from bluesky_gp.priority import give_way, urgent
from bluesky_gp.recording import open_catalog


@pytest.fixture
def passed():
    """Start a thread that gives way; return the event that it sets when it goes on."""
    threads = []

    def start():
        event = threading.Event()
        threads.append(threading.Thread(target=lambda: (give_way(), event.set())))
        threads[-1].start()
        return event

    yield start
    for thread in threads:
        thread.join()


def test_nobody_waits_where_nothing_urgent_goes_on(passed):
    with urgent():
        pass
    assert passed().wait(10)


def test_who_gives_way_waits_until_every_urgent_computation_has_ended(passed, monkeypatch):
    monkeypatch.setattr(courtesy, "_PATIENCE", 60.0)
    with urgent():
        with urgent():
            waiting = passed()
        assert not waiting.wait(0.1)
    assert waiting.wait(10)


def test_a_long_computation_is_not_waited_for(passed):
    with urgent():
        assert passed().wait(10)


def test_one_that_raises_has_ended(passed):
    with pytest.raises(ZeroDivisionError), urgent():
        1 / 0  # noqa: B018
    assert passed().wait(10)


def test_the_thread_that_writes_a_catalog_gives_way_and_who_reads_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(courtesy, "_PATIENCE", 60.0)
    with open_catalog(tmp_path) as catalog:
        catalog.wait()
        with urgent():
            catalog.writer("start", {"uid": "run", "time": 1.0})
            with pytest.raises(TimeoutError):
                catalog.flush(0.2)
            assert len(catalog) == 0
        catalog.writer("stop", {"uid": "end", "run_start": "run", "time": 2.0, "exit_status": "success"})
        assert len(catalog) == 1


def test_a_run_is_urgent_at_its_beginning_until_it_stops(tmp_path, monkeypatch, passed):
    monkeypatch.setattr(courtesy, "_PATIENCE", 60.0)
    with open_catalog(tmp_path) as catalog:
        catalog.writer("start", {"uid": "run", "time": 1.0})
        waiting = passed()
        assert not waiting.wait(0.1)
        catalog.writer("stop", {"uid": "end", "run_start": "run", "time": 2.0, "exit_status": "success"})
        assert waiting.wait(10)
