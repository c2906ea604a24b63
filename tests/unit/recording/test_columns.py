import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluesky_gp.recording.columns import ArrayColumn, ScalarColumn, column_of

SPECTRUM = {"source": "x", "dtype": "array", "shape": [4], "dtype_numpy": "<f8"}
COUNTS = {"source": "x", "dtype": "integer", "shape": []}
NUMBER = {"source": "x", "dtype": "number", "shape": []}


def stored(about, *values):
    """Return what a store has of values of one key, and the column that holds them."""
    column = column_of(about, values[0])
    while (wide := _widened(column, values)) != column:
        column = wide
    return [column.stored(value) for value in values], column


def _widened(column, values):
    for value in values:
        column = column.widened(value)
    return column


def test_a_spectrum_that_is_shorter_than_described_is_filled_with_nan():
    (whole, short), column = stored(SPECTRUM, np.arange(4.0), np.arange(3.0))
    assert column.shape == (4,)
    np.testing.assert_array_equal(short, [0, 1, 2, np.nan])
    np.testing.assert_array_equal(whole, [0, 1, 2, 3])
    assert column.remark(np.arange(3.0)) == "it has the shape (3,) and not (4,), what is missing is NaN"
    assert column.remark(np.arange(4.0)) == ""


@pytest.mark.parametrize(("kind", "kept"), [(np.longdouble, "f8"), (np.clongdouble, "c16"), ("m8[s]", "U")])
def test_numbers_of_more_bits_than_a_store_has_and_times_are_no_reason_to_lose_a_run(kind, kept):
    values = np.arange(4).astype(kind)
    (first, _), column = stored(SPECTRUM | {"dtype_numpy": values.dtype.str}, values, values[:2])
    assert column.dtype.str.lstrip("<").startswith(kept) and len(first) == 4


def test_a_short_frame_of_counts_makes_room_for_nan_and_keeps_every_count():
    frame = np.array([[65535, 1], [2, 3]], "u2")
    (whole, short), column = stored({"dtype": "array", "shape": [2, 2]}, frame, frame[:1])
    assert column.dtype == np.float32
    np.testing.assert_array_equal(whole, frame)
    np.testing.assert_array_equal(short, [[65535, 1], [np.nan, np.nan]])


def test_a_spectrum_that_is_longer_than_described_is_kept_whole():
    (short, whole), column = stored(SPECTRUM, np.arange(4.0), np.arange(6.0))
    np.testing.assert_array_equal(whole, np.arange(6.0))
    np.testing.assert_array_equal(short, [0, 1, 2, 3, np.nan, np.nan])
    assert column.described(SPECTRUM)["shape"] == [6]


@pytest.mark.parametrize("shape", [[None], None, [], [None, None]])
def test_a_shape_that_is_not_said_is_that_of_the_first_event_and_grows(shape):
    about = {"dtype": "array", "shape": shape}
    values, column = stored(about, np.arange(2.0), np.arange(3.0), np.arange(0.0))
    assert column.described(about)["shape"] == [3]
    np.testing.assert_array_equal(values, [[0, 1, np.nan], [0, 1, 2], [np.nan] * 3])


@pytest.mark.parametrize("value", [np.array(1.5), np.array([1.5]), np.float32(1.5), [1.5], 1.5])
def test_a_number_that_comes_as_an_array_is_a_number(value):
    values, column = stored(NUMBER, value)
    assert (values, column) == ([1.5], ScalarColumn("number"))
    assert column.described(NUMBER) == NUMBER


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, np.uint64(2**64 - 1), 10**400])
def test_an_integer_beyond_64_bits_makes_numbers_of_all_and_is_said(value):
    values, column = stored(COUNTS, 1, value)
    assert column == ScalarColumn("number")
    assert values[0] == 1.0
    assert values[1] == float(value) if abs(int(value)) < 2**1000 else np.isnan(values[1])
    assert "has more than 64 bits" in column.remark(value)


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63)])
def test_an_integer_of_64_bits_is_kept(value):
    assert stored(COUNTS, 1, value) == ([1, value], ScalarColumn("integer"))


@pytest.mark.parametrize(("value", "kept"), [(2.5, 2.5), (None, np.nan), ("N/A", np.nan), (np.nan, np.nan)])
def test_counts_that_become_something_else_are_numbers(value, kept):
    values, column = stored(COUNTS, 1, value)
    assert column == ScalarColumn("number")
    np.testing.assert_equal(values, [1.0, kept])


def test_an_array_described_as_a_number_is_an_array():
    (value,), column = stored(NUMBER, np.arange(3.0))
    np.testing.assert_array_equal(value, np.arange(3.0))
    assert column.described(NUMBER) | {"source": "x"} == {
        "source": "x", "dtype": "array", "shape": [3], "dtype_numpy": "<f8",
    }  # fmt: skip


def test_one_number_for_a_waveform_is_its_first():
    """As pyepics gives a waveform of which one element is valid."""
    (first, _), column = stored(SPECTRUM, 5.0, np.arange(4.0))
    np.testing.assert_array_equal(first, [5, np.nan, np.nan, np.nan])
    assert "shape ()" in column.remark(5.0)


@pytest.mark.parametrize("kind", ["|u1", "<u2", ">u2", "<i4", "<u4", "<u8", "|b1", "<f4"])
def test_a_camera_without_dtype_numpy_keeps_its_integers(kind):
    about = {"dtype": "array", "shape": [2, 3], "source": "PV:cam"}
    taken = np.iinfo(kind).max if np.dtype(kind).kind in "iu" else 1
    (image,), column = stored(about, np.full((2, 3), taken, kind))
    assert image.dtype == np.dtype(kind) and np.all(image == taken)
    assert column.described(about)["dtype_numpy"] == kind


def test_an_image_that_comes_flat_gets_its_shape():
    (image,), _ = stored({"dtype": "array", "shape": [2, 3]}, np.arange(6, dtype="u1"))
    np.testing.assert_array_equal(image, np.arange(6).reshape(2, 3))


def test_complex_spectra_are_complex():
    (first, _), _ = stored({"dtype": "array", "shape": [2]}, np.array([1j, 2.0]), np.array([1.0, 2.0]))
    np.testing.assert_array_equal(first, [1j, 2.0])


def test_complex_spectra_described_as_numbers_lose_nothing():
    (first,), column = stored(SPECTRUM, np.full(4, 1 + 2j))
    np.testing.assert_array_equal(first, np.full(4, 1 + 2j))
    assert column.described(SPECTRUM)["dtype_numpy"] == "<c16"


def test_a_complex_number_is_kept_as_an_array_of_one():
    values, _ = stored(NUMBER, 1.0, 2 + 1j)
    assert [value.item() for value in values] == [1, 2 + 1j]


def test_digits_that_the_described_dtype_does_not_have_are_kept():
    (value,), _ = stored({"dtype": "array", "shape": [1], "dtype_numpy": "<f4"}, np.array([0.1]))
    assert value[0] == 0.1


def test_texts_of_a_list_are_as_long_as_the_longest():
    values, _ = stored({"dtype": "array", "shape": [2]}, ["a", "b"], ["a long one", "c"], ["d"])
    assert [list(value) for value in values] == [["a", "b"], ["a long one", "c"], ["d", ""]]


def test_a_structure_of_numbers_has_its_fields_in_the_last_axis():
    points = np.array([(1.5, 2), (3.5, 4)], [("x", "<f8"), ("n", "<i4")])
    (value,), _ = stored({"dtype": "array", "shape": [2], "dtype_numpy": [["x", "<f8"], ["n", "<i4"]]}, points)
    np.testing.assert_array_equal(value, [[1.5, 2], [3.5, 4]])


@pytest.mark.parametrize("value", [None, [[1, 2], [3]], {"a": 1}, "text"])
def test_what_is_no_array_is_set_aside_and_said(value):
    (_, nothing), column = stored(SPECTRUM, np.arange(4.0), value)
    np.testing.assert_array_equal(nothing, [np.nan] * 4)
    assert "is no array" in column.remark(value)


SHAPES = st.lists(st.lists(st.integers(0, 3), max_size=3).map(tuple), min_size=1, max_size=5)


@given(SHAPES, st.sampled_from(["u1", "f4", "c8", "i8", "U3", "?"]))
def test_arrays_of_any_shapes_have_one_column_and_each_is_in_it(shapes, dtype):
    arrays = [np.ones(shape, dtype) for shape in shapes]
    values, column = stored({"dtype": "array", "shape": [None]}, *arrays)
    if isinstance(column, ArrayColumn):
        assert {value.shape for value in values} == {column.shape}
        assert {value.dtype for value in values} == {column.dtype}
        for array, value in zip(arrays, values, strict=True):
            assert sorted(np.ravel(value)[np.ravel(value == np.ones((), dtype))]) == sorted(np.ravel(array))
