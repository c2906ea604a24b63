import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluesky_gp.recording.metadata import restored, storable

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_what_is_kept_comes_back_as_it_was(value):
    kept, places = storable(value)
    json.dumps(kept, allow_nan=False)
    np.testing.assert_equal(restored(kept, json.loads(json.dumps(places))), value)


@pytest.mark.parametrize("number", [2**53 + 1, -(2**63), 2**64 - 1, 0, True])
def test_an_integer_of_64_bits_is_kept_as_it_is(number):
    assert storable({"seed": number}) == ({"seed": number}, [])


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, math.inf, -math.inf])
def test_a_number_that_no_store_takes_is_text_and_its_place_is_noted(number):
    assert storable({"a": [1, {"b": number}]}) == ({"a": [1, {"b": str(number)}]}, [["a", 1, "b"]])


def test_what_numpy_gives_becomes_python_s():
    given_ = {"scan_id": np.int64(5), "axis": np.array([1.5, np.inf]), "on": np.bool_(True), "z": np.complex64(1j)}
    kept, places = storable(given_)
    assert kept == {"scan_id": 5, "axis": [1.5, "inf"], "on": True, "z": "1j"}
    assert restored(kept, places) == {"scan_id": 5, "axis": [1.5, np.inf], "on": True, "z": 1j}


def test_keys_are_text():
    assert storable({"names": {1: "a", np.int64(2): "b"}})[0] == {"names": {"1": "a", "2": "b"}}


def test_a_place_that_is_not_there_changes_nothing():
    assert restored({"a": "1"}, [["b"], ["a", "c"], ["a", 7]]) == {"a": "1"}
