"""Runs of a catalog as a session reads them, while they go on."""

from time import monotonic, sleep

import pytest
from bluesky import RunEngine, RunEngineInterrupted
from bluesky import plan_stubs as bps
from bluesky import preprocessors as bpp
from ophyd.sim import det

from bluesky_gp.recording import open_catalog


@pytest.fixture(scope="module")
def going(tmp_path_factory):
    """A catalog with a run that is paused, and its RunEngine."""

    @bpp.run_decorator()
    def plan():
        yield from bps.trigger_and_read([det])
        yield from bps.pause()

    with open_catalog(tmp_path_factory.mktemp("going")) as catalog:
        RE = RunEngine({}, call_returns_result=True)  # noqa: N806
        RE.subscribe(catalog.writer)
        with pytest.raises(RunEngineInterrupted):
            RE(plan())
        until = monotonic() + 120.0
        while not len(catalog) and monotonic() < until:
            sleep(0.1)
        yield catalog, RE
        if RE.state == "paused":
            RE.abort()


def test_a_run_that_goes_on_says_so_where_its_stop_document_is_looked_up(going):
    catalog, _ = going
    with pytest.raises(KeyError, match=r"run .{8} has no stop document: it goes on"):
        catalog[-1].metadata["stop"]


def test_a_run_that_goes_on_has_no_stop_among_its_metadata(going):
    metadata = going[0][-1].metadata
    assert "stop" not in metadata and metadata.get("stop") is None
    assert "stop" not in dict(metadata) and metadata["start"]["scan_id"] == 1


def test_any_other_key_that_is_not_there_is_missing_as_ever(going):
    with pytest.raises(KeyError, match=r"^'stopp'$"):
        going[0][-1].metadata["stopp"]


def test_a_run_that_has_ended_has_its_stop_document(going):
    catalog, RE = going  # noqa: N806
    RE.resume()
    assert catalog[-1].metadata["stop"]["exit_status"] == "success"
