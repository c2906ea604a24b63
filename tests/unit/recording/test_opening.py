"""A real RunEngine into a real catalog on disk; servers and other processes are in test_recording_processes."""

import asyncio
import logging
import subprocess
import sys

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import databroker
import numpy as np
import pytest
from bluesky import RunEngine
from event_model import DocumentNames, schema_validators

from bluesky_gp.recording import Journal, JournalError, read_journal
from bluesky_gp.recording.opening import open_catalog

N_CHANNELS = 32


class Reading:
    """A readable whose next reading is whatever it was told."""

    parent = None

    def __init__(self, name, **data_keys):
        self.name = name
        self._keys = data_keys
        self.values = {}

    def read(self):
        return {key: {"value": value, "timestamp": 1.0} for key, value in self.values.items()}

    def describe(self):
        return self._keys

    def read_configuration(self):
        return {}

    def describe_configuration(self):
        return {}


def key(dtype, shape=(), dtype_numpy="<f8"):
    return {"dtype": dtype, "shape": list(shape), "source": "test", "dtype_numpy": dtype_numpy}


def spectrum_of(pixel):
    return np.sin(np.arange(N_CHANNELS) * (pixel + 1))


def pixels(num=3, *, after_pixel=bps.null):
    """Emit `num` pixels, each with an array, in a run."""

    @bpp.run_decorator(md={"purpose": "test"})
    def run():
        yield from measure(detector(), range(num), after_pixel)

    return (yield from run())


def detector():
    keys = {
        "det_row": key("integer", (), "<i8"),
        "det_area": key("number"),
        "det_spectrum": key("array", (N_CHANNELS,)),
    }
    return Reading("det", **keys)


def measure(det, numbers, after_pixel=bps.null):
    for number in numbers:
        det.values = {"det_row": number, "det_area": number / 8, "det_spectrum": spectrum_of(number)}
        yield from bps.checkpoint()
        yield from bps.trigger_and_read([det])
        yield from after_pixel()


def small_map():
    """Emit what an adaptive map emits: two batches of six pixels, a decision before each, one failed pixel."""
    det = detector()
    agent = Reading(
        "gp",
        gp_proposed=key("array", (6, 2), "<i8"),
        gp_mean_map=key("array", (5, 5)),
        gp_best=key("number"),
        gp_stop_reason=key("string", (), "<U1"),
    )
    failed = {"gp_failed_pixel": np.array([4, 3]), "gp_failed_reason": "it timed out"}
    failures = Reading("failures", gp_failed_pixel=key("array", (2,), "<i8"), gp_failed_reason=key("string", (), "<U1"))
    failures.values = failed

    @bpp.run_decorator(md={"purpose": "test", "gp": {"schema_version": 1, "grid": {"shape": (5, 5)}}})
    def run():
        for first in (0, 6):
            agent.values = {
                "gp_proposed": np.arange(first, first + 12).reshape(6, 2),
                "gp_mean_map": np.full((5, 5), np.nan if first == 0 else float(first)),
                "gp_best": first,  # a whole number, although a number was announced
                "gp_stop_reason": "",
            }
            yield from bps.trigger_and_read([agent], name="gp")
            yield from measure(det, range(first, first + 6))
        yield from bps.trigger_and_read([failures], name="gp_failures")

    return (yield from run())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("a catalog of ours äöü")


@pytest.fixture(scope="module")
def catalog(folder):
    with open_catalog(folder) as catalog:
        yield catalog


@pytest.fixture(scope="module")
def heard():
    return []


@pytest.fixture(scope="module")
def uid(catalog, heard):
    """A run that has just ended."""
    loop = asyncio.new_event_loop()
    RE = RunEngine({"scan_id": 41}, loop=loop, context_managers=[])
    RE.subscribe(catalog.writer)
    RE.subscribe(lambda name, doc: heard.append((name, doc)))
    (uid,) = RE(small_map())
    loop.call_soon_threadsafe(loop.stop)
    RE._th.join()
    loop.close()
    return uid


def test_a_run_that_has_ended_is_in_the_catalog(catalog, uid):
    assert catalog[-1].start["uid"] == uid
    assert catalog[uid].stop["exit_status"] == "success"
    assert catalog[uid[:8]].start["purpose"] == "test"
    assert catalog[42].start["uid"] == uid
    assert list(catalog) == [uid]
    assert len(catalog) == 1
    assert uid in catalog


def test_every_stream_comes_back_as_arrays(catalog, uid):
    run = catalog[uid]
    assert set(run) == {"primary", "gp", "gp_failures"}
    primary, gp = run.primary.read(), run.gp.read()
    assert np.array_equal(primary["det_spectrum"], [spectrum_of(pixel) for pixel in range(12)])
    assert primary["det_row"].dtype == np.int64
    assert np.array_equal(primary["det_area"], np.arange(12) / 8)
    assert gp["gp_proposed"].dtype == np.int64
    assert np.array_equal(gp["gp_proposed"][1], np.arange(6, 18).reshape(6, 2))
    assert np.isnan(gp["gp_mean_map"][0]).all()
    assert (gp["gp_mean_map"][1] == 6.0).all()
    assert len(set(gp["gp_mean_map"].dims)) == 3  # of a square map too
    assert gp["gp_best"].dtype == np.float64
    assert run.gp_failures.read()["gp_failed_reason"].item() == "it timed out"


def test_databroker_gives_tables(catalog, uid):
    broker = databroker.Broker(catalog)
    assert broker[-1].start["uid"] == uid
    assert broker[-1].table()["det_area"].tolist() == [pixel / 8 for pixel in range(12)]
    proposed = broker[uid].table(stream_name="gp")["gp_proposed"]
    assert np.array_equal(proposed.iloc[0], np.arange(12).reshape(6, 2))


def test_runs_stay_of_one_kind_when_databroker_has_read_them(catalog, uid):
    before = type(catalog[uid])
    databroker.Broker(catalog)[uid].table()
    assert type(catalog[uid]) is before


def test_the_documents_come_back_and_are_valid(catalog, uid):
    documents = list(catalog[uid].documents())
    for name, doc in documents:
        schema_validators[DocumentNames[name]].validate(doc)
    names = [name for name, _ in documents]
    assert (names[0], names[-1]) == ("start", "stop")
    assert (names.count("descriptor"), names.count("event")) == (3, 12 + 2 + 1)


def test_the_journal_has_every_document_as_it_was_emitted(catalog, uid, heard):
    path = catalog.journal(uid[:6])
    assert path.parent.name == "journal"
    documents = list(read_journal(path))
    assert [name for name, _ in documents] == [name for name, _ in heard]
    for (_, written), (_, emitted) in zip(documents, heard, strict=True):
        np.testing.assert_equal(written, _with_lists(emitted))


def _with_lists(value):
    if isinstance(value, dict):
        return {key: _with_lists(inner) for key, inner in value.items()}
    return [_with_lists(inner) for inner in value] if isinstance(value, list | tuple) else value


def test_nothing_is_pending_after_a_run(catalog, uid):
    pending = catalog.journal(uid).parent / "pending"
    assert list(pending.iterdir()) == []


def test_what_tiled_s_client_can_do_the_catalog_can(catalog, uid):
    from tiled.queries import Key

    assert list(catalog.search(Key("start.scan_id") == 42)) == [uid]


def test_another_catalog_opened_in_the_process_leaves_the_first_open(tmp_path, RE, catalog):
    RE.subscribe(catalog.writer)
    first = RE(small_map())
    with open_catalog(tmp_path / "another") as another:
        RE.subscribe(another.writer)
        second = RE(small_map())
        assert list(another) == list(second)
    assert {*first, *second} <= set(catalog)  # which other tests of this module use too


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Using `httpx` with `starlette.testclient`")
def test_the_same_run_is_recorded_by_whatever_else_is_subscribed(RE, catalog):
    broker = databroker.temp()
    RE.subscribe(catalog.writer)
    RE.subscribe(broker.v1.insert)
    (uid,) = RE(small_map())
    theirs, ours = broker[uid].table(), databroker.Broker(catalog)[uid].table()
    assert theirs["det_area"].tolist() == ours["det_area"].tolist()
    assert len(broker[uid].table(stream_name="gp")) == 2
    broker.v2.context.close()


def test_an_event_that_a_rewind_repeats_counts_once_and_the_journal_has_both(RE, catalog):
    pauses = iter([True])

    def pause_once():
        if next(pauses, False):
            yield from bps.pause()

    RE.subscribe(catalog.writer)
    with pytest.raises(Exception, match="pause"):
        RE(pixels(after_pixel=pause_once))
    (uid,) = RE.resume()
    run = catalog[uid]
    assert run.primary.read()["det_row"].values.tolist() == [0, 1, 2]
    assert run.stop["num_events"] == {"primary": 3}
    events = [doc["seq_num"] for name, doc in read_journal(catalog.journal(uid)) if name == "event"]
    assert events == [1, 1, 2, 3]


def test_a_run_inside_a_run_has_a_journal_of_its_own(RE, catalog):
    @bpp.set_run_key_decorator("inner")
    @bpp.run_decorator(md={"purpose": "inner"})
    def inner():
        yield from bps.trigger_and_read([det])

    @bpp.set_run_key_decorator("outer")
    @bpp.run_decorator(md={"purpose": "outer"})
    def outer():
        yield from bps.trigger_and_read([det])
        yield from inner()
        yield from bps.trigger_and_read([det])

    det = Reading("det", x=key("number"))
    det.values = {"x": 1.5}
    RE.subscribe(catalog.writer)
    outer_uid, inner_uid = RE(outer())
    assert (len(catalog[outer_uid].primary.read().time), len(catalog[inner_uid].primary.read().time)) == (2, 1)
    assert [name for name, _ in read_journal(catalog.journal(inner_uid))] == ["start", "descriptor", "event", "stop"]


def test_a_writer_that_is_subscribed_twice_records_once(RE, catalog):
    RE.subscribe(catalog.writer)
    RE.subscribe(catalog.writer)
    (uid,) = RE(pixels(), catalog.writer)
    assert len(catalog[uid].primary.read().time) == 3
    assert [name for name, _ in read_journal(catalog.journal(uid))].count("event") == 3


def test_a_run_that_is_going_on_can_be_read(RE, catalog):
    seen = []

    def look():
        if len(seen) < 2:
            catalog.flush()
            seen.append(len(catalog[-1].primary.read().time))
        yield from bps.null()

    RE.subscribe(catalog.writer)
    RE(pixels(after_pixel=look))
    assert seen == [1, 2]


def test_a_value_that_the_journal_does_not_take_ends_the_run_with_its_name(RE, catalog):
    det = Reading("det", x=key("number"))
    det.values = {"x": {1, 2}}
    RE.subscribe(catalog.writer)
    with pytest.raises(TypeError, match="numpy arrays, not set"):
        RE(bpp.run_wrapper(bps.trigger_and_read([det])))
    assert catalog[-1].stop["exit_status"] == "fail"


def test_a_folder_that_is_open_is_not_opened_twice(catalog, folder):
    assert open_catalog(folder) is catalog
    assert open_catalog(str(folder) + "/") is catalog


def test_the_catalog_says_what_it_is(catalog, folder, uid):
    assert repr(catalog) == f"<Catalog {folder}, {len(catalog)} runs>"


@pytest.mark.slow
def test_a_closed_catalog_can_be_opened_again(tmp_path, RE):
    first = open_catalog(tmp_path)
    token = RE.subscribe(first.writer)
    (uid,) = RE(pixels())
    RE.unsubscribe(token)
    first.close()
    first.close()
    assert repr(first) == f"<Catalog {tmp_path}, closed>"
    with pytest.raises(RuntimeError, match=r"is closed: open_catalog\("):
        first[-1]
    with pytest.raises(RuntimeError, match="open it again and subscribe"):
        first.writer("start", {"uid": "x", "time": 0.0})
    with open_catalog(tmp_path) as second:
        assert len(second[uid].primary.read().time) == 3


@pytest.mark.slow
def test_the_journal_can_be_elsewhere(tmp_path, RE):
    with open_catalog(tmp_path / "catalog", journal=tmp_path / "fast disk", fsync="document") as catalog:
        RE.subscribe(catalog.writer)
        (uid,) = RE(pixels())
        assert list(catalog) == [uid]
        assert catalog.journal(uid).parent == tmp_path / "fast disk"


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=r"Nothing can be recorded in .*file.*Give a folder"):
        open_catalog(tmp_path / "file" / "data")


@pytest.mark.slow
def test_a_catalog_that_is_none_is_an_error_at_its_first_use_and_the_run_goes_on(tmp_path, RE, caplog):
    (tmp_path / "catalog.db").write_text("This is no database.")
    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog.writer)
        (uid,) = RE(pixels())
        assert [name for name, _ in read_journal(catalog.journal(uid))].count("event") == 3
        with pytest.raises(Exception, match="not a database"):
            catalog[-1]
    assert f"The catalog {tmp_path} cannot be opened. Runs go on and are kept in" in caplog.text


def leave_a_journal(folder, documents):
    """Write what a session that died leaves behind."""
    path = folder / "journal" / "pending" / "20260101T000000Z_0a1b2c3d.jsonl"
    journal = Journal(path)
    for name, doc in documents:
        journal.append(name, doc)
    journal.close()
    return path


@pytest.mark.slow
def test_a_run_whose_session_died_is_taken_in_at_the_next_opening(tmp_path, heard, uid):
    path = leave_a_journal(tmp_path, heard[:9])
    with path.open("ab") as file:
        file.write(b'{"name":"event","doc":{"uid":"half of it')
    for _ in range(2):
        with open_catalog(tmp_path) as catalog:
            assert list(catalog) == [uid]
            assert len(catalog[uid].primary.read().time) == 5
            assert catalog[uid].stop["exit_status"] == "abort"
            assert "session ended before the run" in catalog[uid].stop["reason"]
            assert catalog.journal("0a1b2c3d") == tmp_path / "journal" / path.name
    assert not path.exists()


@pytest.mark.slow
def test_a_run_that_is_half_in_the_catalog_is_replaced(tmp_path, heard, uid, caplog):
    with open_catalog(tmp_path) as catalog:
        for name, doc in heard[:5]:
            catalog.writer(name, doc)
        catalog.flush()
        assert "stop" not in catalog[uid].metadata
    assert "the catalog's next opening takes it in" in caplog.text
    with open_catalog(tmp_path) as catalog:
        assert list(catalog) == [uid]
        assert catalog[uid].stop["exit_status"] == "abort"
        assert catalog[uid].stop["num_events"] == {"gp": 1, "primary": 1}


def test_importing_costs_a_session_no_tiled():
    code = "import sys, bluesky_gp.recording.opening; print({'tiled', 'databroker', 'pandas'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.WARNING)
