"""Runs whose documents are not as a store wants them, into a real catalog and back."""

import math

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import numpy as np
import pytest
from event_model import DocumentNames, schema_validators
from ophyd.sim import SynAxis, SynGauss
from readings import Given

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import JournalError, open_catalog, read_journal
from bluesky_gp.replay import replay


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    with open_catalog(tmp_path_factory.mktemp("catalog")) as catalog:
        yield catalog


@pytest.fixture
def record(catalog, RE):  # noqa: N803
    """Record a run of a detector's readings, and return it as the catalog has it."""
    RE.subscribe(catalog.writer)

    def record(detector, num=1, **md):
        (uid,) = RE(bp.count([detector], num), **md)
        return catalog[uid]

    return record


def test_a_run_with_one_short_spectrum_is_in_the_catalog_and_says_so(record, catalog, caplog):
    run = record(Given([np.arange(4.0), np.arange(3.0), np.arange(4.0)], shape=[4]), 3)
    assert run.stop["exit_status"] == "success"
    values = run.primary.read()["det"].values
    np.testing.assert_array_equal(values, [[0, 1, 2, 3], [0, 1, 2, np.nan], [0, 1, 2, 3]])
    said = "det in event 2 of primary: it has the shape (3,) and not (4,), what is missing is NaN"
    assert said in run.metadata["notes"][0]
    assert said in caplog.text
    events = [doc for name, doc in read_journal(catalog.journal(run.start["uid"])) if name == "event"]
    assert [event["data"]["det"].shape for event in events] == [(4,), (3,), (4,)]
    assert list(catalog.journal(run.start["uid"]).parent.glob("pending/*")) == []


def test_a_run_that_goes_on_after_a_short_spectrum_can_be_read(RE, catalog):  # noqa: N803
    detector = Given([np.arange(n) for n in (4, 4, 3, 4)], shape=[4])
    seen = []

    def look():
        catalog.flush(20.0)
        seen.append(catalog[-1].primary.read()["det"].dtype)

    def plan():
        yield from bps.open_run()
        for n in range(4):
            yield from bps.trigger_and_read([detector])
            if n in (1, 3):
                look()
        yield from bps.close_run()

    RE.subscribe(catalog.writer)
    RE(plan())
    assert seen == [np.int64, np.float64]
    np.testing.assert_array_equal(catalog[-1].primary.read()["det"].values[2], [0, 1, 2, np.nan])


def test_a_detector_without_a_shape_is_read_as_its_longest_event(record):
    run = record(Given([np.arange(2.0), np.arange(3.0)], shape=[None]), 2)
    np.testing.assert_array_equal(run.primary.read()["det"].values, [[0, 1, np.nan], [0, 1, 2]])


def test_a_number_that_is_a_0_d_array_is_a_number(record):
    assert record(Given([np.array(1.5)], dtype="number", shape=[])).primary.read()["det"].values.tolist() == [1.5]


def test_an_integer_beyond_64_bits_is_said_and_the_run_is_in_the_catalog(record):
    run = record(Given([1, 2**70], dtype="integer", shape=[]), 2)
    assert run.primary.read()["det"].values.tolist() == [1.0, 2.0**70]
    assert "has more than 64 bits" in run.metadata["notes"][0]


@pytest.mark.parametrize("key", ["det area (nA)", "1st", "_x", "time", "seq_num", "det_" + 70 * "x"])
def test_a_key_that_is_no_name_of_a_column_is_read_as_it_is(record, key):
    run = record(Given([1.5, 2.5], key=key, dtype="number", shape=[]), 2)
    assert run.stop["exit_status"] == "success"
    assert [doc["data"] for name, doc in run.documents() if name == "event"] == [{key: 1.5}, {key: 2.5}]
    descriptor = next(doc for name, doc in run.documents() if name == "descriptor")
    assert [*descriptor["data_keys"]] == [key] and descriptor["object_keys"] == {"det": [key]}
    read = run.primary.read()
    name = f"{key}_" if f"{key}_" in read else key  # of a coordinate with its name
    assert read[name].values.tolist() == [1.5, 2.5]


def test_camera_images_keep_their_integers(record):
    run = record(Given([np.full((2, 3), 65535, "u2")], shape=[2, 3]))
    assert run.primary.read()["det"].dtype == np.uint16


def test_complex_spectra_come_back_as_arrays_and_as_documents(record):
    given = np.array([1 + 2j, 3.0])
    run = record(Given([given], shape=[2]))
    np.testing.assert_array_equal(run.primary.read()["det"].values[0], given)
    documents = list(run.documents())
    assert [name for name, _ in documents] == ["start", "descriptor", "event", "stop"]
    np.testing.assert_array_equal(documents[2][1]["data"]["det"], given)
    for name, doc in documents:
        schema_validators[DocumentNames[name]].validate(doc)


LENGTHS = {
    "spectra": [np.arange(4.0), np.arange(3.0), np.arange(5.0), np.arange(1.0)],
    "complex": [np.arange(4) * 1j, np.arange(2) * (1 + 0j)],
    "images": [np.arange(6, dtype="u2").reshape(2, 3), np.arange(2, dtype="u2").reshape(1, 2)],
    "with NaN of its own": [np.array([1.0, np.nan]), np.array([np.nan])],
    "nothing": [np.arange(4.0), np.array([])],
}


@pytest.mark.parametrize("given", LENGTHS.values(), ids=LENGTHS)
def test_documents_have_arrays_as_long_as_they_came(record, given):
    run = record(Given(given, shape=list(given[0].shape)), len(given))
    came = [np.asarray(doc["data"]["det"], given[0].dtype) for name, doc in run.documents() if name == "event"]
    for one, other in zip(came, given, strict=True):
        assert one.shape == other.shape
        np.testing.assert_array_equal(one, other)


def test_a_stream_without_an_event_is_there_with_its_description(RE, catalog):  # noqa: N803
    def plan():
        yield from bps.open_run()
        yield from bps.declare_stream(Given([], shape=[4]), name="primary")
        yield from bps.close_run()

    RE.subscribe(catalog.writer)
    RE(plan())
    assert catalog[-1].primary.metadata["data_keys"]["det"]["shape"] == [4]


METADATA = {
    "seed": 2**60 + 1,
    "barcode": 12345678901234567,
    "longer": [2**70, -(2**80)],
    "limits": {"low": -math.inf, "high": math.inf},
    "unknown": math.nan,
    "numpy": np.int64(2**60 + 1),
    "axis": np.array([1.0, np.nan]),
}


def test_every_number_of_a_start_document_comes_back(record):
    run = record(Given([1.0], dtype="number", shape=[]), **METADATA)
    for start in (run.start, run.metadata["start"], next(iter(run.documents()))[1]):
        np.testing.assert_equal({key: start[key] for key in METADATA}, METADATA | {"axis": [1.0, np.nan]})


@pytest.mark.parametrize("seed", [2**53 + 1, 2**70])
def test_a_run_whose_seed_no_number_of_json_holds_is_replayed_from_the_catalog(RE, catalog, seed):  # noqa: N803
    optimizer = PixelOptimizer(PixelGrid((5, 5)), "det", seed=seed, n_initial=4, batch_size=4)
    RE.subscribe(catalog)
    axes = SynAxis(name="y"), SynAxis(name="x")
    (uid,) = RE(adaptive_map([SynGauss("det", axes[0], "y", 2.0, 1.0)], axes, GPAgent(optimizer, target="det"), num=8))
    assert catalog[uid].start["gp"]["seed"] == seed and replay(catalog[uid].documents()).identical


def test_masked_spectra_and_numbers_are_missing_in_the_catalog(record):
    masked = np.ma.masked_array(np.arange(4, dtype="u2"), mask=[0, 1, 0, 0])
    run = record(Given([np.arange(4, dtype="u2"), masked], shape=[4]), 2)
    np.testing.assert_array_equal(run.primary.read()["det"].values, [[0, 1, 2, 3], [0, np.nan, 2, 3]])
    run = record(Given([1.5, np.ma.masked], dtype="number", shape=[]), 2)
    np.testing.assert_array_equal(run.primary.read()["det"].values, [1.5, np.nan])


def test_other_clients_find_text_where_tiled_takes_no_number(record, catalog):
    run = record(Given([1.0], dtype="number", shape=[]), **METADATA)
    start = run.base.metadata["start"]
    assert (start["seed"], start["longer"][0], start["limits"]["high"]) == (2**60 + 1, str(2**70), "inf")


def test_numbers_of_a_configuration_come_back_in_the_documents(record):
    detector = Given([1.0], dtype="number", shape=[])
    detector.configuration = {"serial": 2**60 + 1, "limit": math.inf}
    run = record(detector)
    assert run.primary.metadata["configuration"]["det"]["data"]["serial"] == 2**60 + 1
    descriptor = next(doc for name, doc in run.documents() if name == "descriptor")
    assert descriptor["configuration"]["det"]["data"] == {"serial": 2**60 + 1, "limit": math.inf}


def emit(writer, pages):
    """Emit a run of five events, in pages."""
    uid = "0badcafe-0000-4000-8000-00000000000" + str(len(pages))
    about = {
        "det": {"source": "x", "dtype": "array", "shape": [2]},
        "n": {"source": "x", "dtype": "number", "shape": []},
    }
    writer("start", {"uid": uid, "time": 1.0, "scan_id": 5})
    described = {"uid": f"d{uid}", "run_start": uid, "time": 2.0, "name": "primary", "data_keys": about}
    writer("descriptor", described | {"configuration": {}, "object_keys": {}, "hints": {}})
    for numbers in pages:
        page = {
            "descriptor": f"d{uid}", "uid": [f"e{n}{uid}" for n in numbers], "seq_num": list(numbers),
            "time": [3.0 + n for n in numbers],
            "data": {"det": [[n, n] for n in numbers], "n": [float(n) for n in numbers]},
            "timestamps": {key: [3.0 + n for n in numbers] for key in ("det", "n")}, "filled": {},
        }  # fmt: skip
        writer("event_page", page)
    writer("stop", {"uid": f"s{uid}", "run_start": uid, "time": 9.0, "exit_status": "success"})
    return uid


@pytest.mark.parametrize("pages", [[[1, 2, 3, 4, 5]], [[1, 2], [3, 4, 5]], [[1, 2, 3], [2, 3], [4, 5]]])
def test_events_of_pages_reach_journal_and_catalog_once(catalog, pages):
    uid = emit(catalog.writer, pages)
    assert catalog[uid].primary.read()["n"].values.tolist() == [1, 2, 3, 4, 5]
    assert catalog[uid].primary.read()["det"].values[:, 0].tolist() == [1, 2, 3, 4, 5]
    assert [name for name, _ in read_journal(catalog.journal(uid))].count("event_page") == len(pages)


def test_a_run_in_which_the_clock_is_set_back_is_read_in_its_order(catalog):
    uid = "0badcafe-0000-4000-8000-00000000000c"
    about = {"n": {"source": "x", "dtype": "number", "shape": []}}
    described = {"data_keys": about, "configuration": {}, "object_keys": {}, "hints": {}, "name": "primary"}
    catalog.writer("start", {"uid": uid, "time": 5000.0})
    catalog.writer("descriptor", {"uid": f"d{uid}", "run_start": uid, "time": 5001.0, **described})
    for number, time in enumerate([5002.0, 1403.0, 1404.0], start=1):
        stamped = {"time": time, "timestamps": {"n": time}, "data": {"n": float(number)}}
        catalog.writer("event", {"uid": f"e{number}", "descriptor": f"d{uid}", "seq_num": number, **stamped})
    catalog.writer("stop", {"uid": f"s{uid}", "run_start": uid, "time": 1405.0, "exit_status": "success"})
    documents = [(name, doc.get("seq_num")) for name, doc in catalog[uid].documents()]
    assert documents == [("start", None), ("descriptor", None), *(("event", n) for n in (1, 2, 3)), ("stop", None)]
    assert catalog[-1].start["uid"] == uid  # the last run, though another one ended later by the clock


def test_slips_with_a_catalog_are_answered_in_a_sentence(record, catalog):
    record(Given([1.0], dtype="number", shape=[]))
    with pytest.raises(AttributeError, match=r"no 'primary'; if its last run has, it is catalog\[-1\].primary"):
        _ = catalog.primary
    for ask in (catalog.journal, catalog.holds):
        with pytest.raises(TypeError, match="a run is told by its uid or the beginning of it, a text, got 3"):
            ask(3)
    with pytest.raises(JournalError, match="A start document has the uid of its run, and this one has None"):
        catalog.take_in([("start", {"time": 0.0})])
