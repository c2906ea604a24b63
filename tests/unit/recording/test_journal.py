import json
from pathlib import Path

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
from event_model import DocumentNames, schema_validators
from hypothesis import given, settings
from hypothesis import strategies as st

from bluesky_gp.recording.journal import (
    Journal,
    JournalError,
    JournalReader,
    decode,
    encode,
    finish_journal,
    read_journal,
)

KINDS = st.one_of(
    npst.boolean_dtypes(),
    npst.integer_dtypes(endianness="?"),
    npst.unsigned_integer_dtypes(endianness="?"),
    npst.floating_dtypes(endianness="?"),
    npst.complex_number_dtypes(endianness="?"),
    npst.unicode_string_dtypes(),
    npst.byte_string_dtypes(),
    npst.datetime64_dtypes(endianness="?"),
    npst.timedelta64_dtypes(endianness="?"),
)
ARRAYS = KINDS.flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
VIEWS = st.sampled_from([lambda a: a, lambda a: a.T, lambda a: a[::-1] if a.ndim else a])
SCALARS = KINDS.flatmap(lambda dtype: npst.arrays(dtype, ())).map(lambda array: array[()])
KEYS = st.text().filter(lambda key: key != "__ndarray__")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | SCALARS
    | st.builds(lambda f, a: f(a), VIEWS, ARRAYS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=4)

START = {"uid": "2a8e1c6e-5b1f-4a63-9d0c-0d6f1f0a8f11", "time": 1.5e9}
DESCRIPTOR = {
    "uid": "d",
    "time": 1.5e9 + 1,
    "run_start": START["uid"],
    "name": "primary",
    "data_keys": {"spectrum": {"dtype": "array", "shape": [3], "source": "test"}},
}


def event(seq_num):
    data = {"spectrum": np.array([seq_num, np.nan, np.inf])}
    stamps = {"spectrum": 1.5e9}
    return {
        "uid": f"e{seq_num}",
        "time": 1.5e9 + seq_num,
        "descriptor": "d",
        "seq_num": seq_num,
        "data": data,
        "timestamps": stamps,
    }


STOP = {"uid": "s", "time": 2e9, "run_start": START["uid"], "exit_status": "success"}
RUN = [("start", START), ("descriptor", DESCRIPTOR), ("event", event(1)), ("event", event(2)), ("stop", STOP)]


def same(one, other):
    """Equal bit for bit; numpy's float64, str and bytes scalars may come back as Python's, which have the same bits."""
    if isinstance(one, np.ndarray | np.generic) and not isinstance(one, float | str):
        alike = isinstance(other, np.ndarray) == isinstance(one, np.ndarray)
        return alike and one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return isinstance(other, float) and (repr(float(one)) == repr(other))
    return type(other) in type(one).__mro__ and one == other


def write(path, documents):
    journal = Journal(path)
    for name, doc in documents:
        journal.append(name, doc)
    journal.close()
    return path


@given(DOCUMENTS)
def test_a_document_comes_back_bit_for_bit(doc):
    assert same(doc, decode(encode("event", doc))[1])


@given(DOCUMENTS)
def test_a_document_is_one_line_of_ascii(doc):
    line = encode("event", doc)
    assert line.isascii()
    assert line.index(b"\n") == len(line) - 1


def test_the_line_of_an_array_is_what_the_documentation_says():
    line = json.loads(encode("event", {"data": {"map": np.arange(2, dtype="<i2")}}))
    array = {"__ndarray__": "AAABAA==", "dtype": "<i2", "shape": [2]}
    assert line == {"name": "event", "doc": {"data": {"map": array}}}


def test_structured_arrays_come_back():
    points = np.array([(1.5, [2, 3]), (np.nan, [4, 5])], dtype=[("value", "<f8"), ("pixel", "<i4", (2,))])
    back = decode(encode("event", {"points": points}))[1]["points"]
    assert back.dtype == points.dtype
    assert back.tobytes() == points.tobytes()


def test_tuples_come_back_as_lists():
    assert decode(encode("start", {"shape": (50, 50)})) == ("start", {"shape": [50, 50]})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([object()]), "no array of dtype object"),
        (np.ma.masked_array([1.0], mask=[True]), "no masked array"),
        (Path("a"), "numpy arrays, not .*Path"),
        ({1, 2}, "numpy arrays, not set"),
    ],
)
def test_what_cannot_be_kept_exactly_is_refused(value, message):
    with pytest.raises(TypeError, match=message):
        encode("event", {"data": {"x": value}})


@pytest.mark.parametrize("value", [0, 5, "AAAA", {"__ndarray__": 0}])
def test_a_document_that_looks_like_an_array_is_refused(value):
    with pytest.raises(ValueError, match="may not have the key"):
        encode("start", {"md": {"__ndarray__": value}})


@pytest.mark.parametrize(
    "doc",
    [
        b'{"__ndarray__":"AAAA","dtype":"|O","shape":[1]}',
        b'{"__ndarray__":"AAAA","dtype":"<f8","shape":[1099511627776]}',
        b'{"__ndarray__":"AAAA","dtype":"<f8","shape":[-1]}',
        b'{"__ndarray__":"AAAA","dtype":"<f8","shape":"x"}',
        b'{"__ndarray__":"AAAAAAAAAAA=","dtype":"<i2","shape":[1]}',
        b'{"__ndarray__":7,"dtype":"<f8","shape":[]}',
        b'{"__ndarray__":"%%%%","dtype":"<f8","shape":[]}',
        b'{"__ndarray__":"AAAA"}',
        b'{"__ndarray__":"AAAA","dtype":[["x"]],"shape":[]}',
        b'{"__ndarray__":"AAAA","dtype":{"a":1},"shape":[]}',
        b"[" * 100_000,
        b"9" * 100_000,
        b"7",
        b"",
    ],
)
def test_a_line_made_to_harm_is_an_error_and_no_more(doc):
    with pytest.raises(ValueError):  # noqa: PT011
        decode(b'{"name":"event","doc":' + doc + b"}\n")


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_a_value_error(line):
    try:
        decode(line)
    except ValueError:
        pass


def test_a_journal_reads_back_as_it_was_written(tmp_path):
    path = write(tmp_path / "a.jsonl", RUN)
    assert all(
        name == other and same(doc, back) for (name, doc), (other, back) in zip(RUN, read_journal(path), strict=True)
    )


def test_a_journal_cut_anywhere_yields_the_complete_lines_before(tmp_path):
    path = write(tmp_path / "a.jsonl", RUN)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        n_lines = whole[:length].count(b"\n")
        assert [name for name, _ in read_journal(path)] == [name for name, _ in RUN][: max(0, n_lines - 1)]


def test_a_reader_goes_on_where_it_stopped(tmp_path):
    journal = Journal(tmp_path / "a.jsonl")
    reader = JournalReader(journal.path)
    assert list(reader.read()) == []
    journal.append("start", START)
    assert list(reader.read()) == [("start", START)]
    journal.append("stop", STOP)
    assert list(reader.read()) == [("stop", STOP)]
    journal.close()


def test_a_damaged_line_is_named_and_what_stands_before_it_is_read(tmp_path):
    path = write(tmp_path / "a.jsonl", RUN)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = b"\x00" * 20 + b"\n"
    path.write_bytes(b"".join(lines))
    reader = read_journal(path)
    assert [next(reader)[0], next(reader)[0]] == ["start", "descriptor"]
    with pytest.raises(JournalError, match=r"a\.jsonl, line 4 is damaged"):
        next(reader)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"name":"start","doc":{}}\n')
    with pytest.raises(JournalError, match="no journal that this version reads"):
        list(read_journal(path))


def test_a_journal_is_never_overwritten(tmp_path):
    path = write(tmp_path / "a.jsonl", RUN)
    with pytest.raises(JournalError, match=r"a\.jsonl cannot be written"):
        Journal(path)
    assert len(list(read_journal(path))) == len(RUN)


@pytest.mark.parametrize("fsync", ["document", "second", "never"])
def test_every_fsync_policy_writes_at_once(tmp_path, fsync):
    journal = Journal(tmp_path / "a.jsonl", fsync=fsync)
    journal.append("start", START)
    journal.sync()
    assert list(read_journal(journal.path)) == [("start", START)]
    journal.close()
    journal.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here to stand for a full disk")
def test_a_full_disk_is_an_error_that_names_the_folder():
    class Full(Journal):
        def __init__(self):
            super().__init__(Path("/dev/full"))

    with pytest.raises(JournalError, match="/dev/full cannot be written"):
        Full()


def test_the_end_of_a_run_whose_session_died_is_added(tmp_path):
    path = write(tmp_path / "a.jsonl", [*RUN[:-1], ("event", event(2))])
    with path.open("ab") as file:
        file.write(b'{"name":"event","doc":{"uid":"half')
    assert finish_journal(path) == START["uid"]
    *before, (name, stop) = read_journal(path)
    assert [name for name, _ in before] == ["start", "descriptor", "event", "event", "event"]
    assert name == "stop"
    schema_validators[DocumentNames.stop].validate(stop)
    assert stop["run_start"] == START["uid"]
    assert stop["exit_status"] == "abort"
    assert stop["num_events"] == {"primary": 2}
    assert stop["time"] == 1.5e9 + 2


def test_a_finished_journal_stays_as_it_is(tmp_path):
    path = write(tmp_path / "a.jsonl", RUN)
    before = path.read_bytes()
    assert finish_journal(path) == START["uid"]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([], "no start document"),
        ([("start", {})], "a start document that is none"),
        (RUN[2:3], "an? event document that is none"),
    ],
)
def test_a_journal_of_no_run_is_not_finished(tmp_path, documents, message):
    with pytest.raises(JournalError, match=message):
        finish_journal(write(tmp_path / "a.jsonl", documents))
