"""Documents as lines of text and back."""

import json
from pathlib import Path

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import same

from bluesky_gp.recording.codec import decode, encode

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
        (np.ma.masked_array(["a"], mask=[True]), "no masked array of dtype <U1"),
        (Path("a"), "numpy arrays, not .*Path"),
        ({1, 2}, "numpy arrays, not set"),
    ],
)
def test_what_cannot_be_kept_exactly_is_refused(value, message):
    with pytest.raises(TypeError, match=message):
        encode("event", {"data": {"x": value}})


@pytest.mark.parametrize("kind", ["?", "u1", "u2", ">i4", "f4", "f8", "c8", "c16"])
def test_masked_numbers_are_missing_and_the_others_as_they_were(kind):
    whole = np.array([1, 0, 1]).astype(kind)
    back = decode(encode("event", {"x": np.ma.masked_array(whole, mask=[False, True, False])}))[1]["x"]
    assert np.isnan(back[1]) and (back[0], back[2]) == (whole[0], whole[2])
    unmasked = decode(encode("event", {"x": np.ma.masked_array(whole)}))[1]["x"]
    assert unmasked.dtype == whole.dtype and np.array_equal(unmasked, whole)


def test_a_number_that_is_masked_is_missing():
    assert np.isnan(decode(encode("event", {"x": np.ma.masked}))[1]["x"])


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


def test_a_complex_number_comes_back():
    assert decode(encode("event", {"z": 1 + 2j}))[1]["z"] == 1 + 2j


def test_a_key_of_numpy_is_named():
    with pytest.raises(TypeError, match=r"keys of text, got np.int64\(3\) \(int64\) in a stop"):
        encode("stop", {"num_events": {np.int64(3): 1}})


def test_a_document_that_could_not_be_read_back_is_refused(monkeypatch):
    monkeypatch.setattr("bluesky_gp.recording.codec.LONGEST_LINE", 1000)
    with pytest.raises(ValueError, match="A document may have 1000 bytes, and this event has 1[0-9]{3}: put it into"):
        encode("event", {"a": "a" * 1000})
