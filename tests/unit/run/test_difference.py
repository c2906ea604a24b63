"""Numbers and texts beside their record: the same to the last bit, or but for rounding."""

import numpy as np
import pytest

from bluesky_gp.run import Difference, same

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1.0, 1.0, True),
        (1.0, np.nextafter(1.0, 2.0), False),
        ([NAN, 1.0], [NAN, 1.0], True),
        ([1.0], [1.0, 1.0], False),
        ("uncertainty", "uncertainty", True),
        ("uncertainty", "ei", False),
    ],
)
def test_the_same_is_the_same_to_the_last_bit(one, other, expected):
    assert same(one, other) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1.0, 1e-9], [1.0, 2e-9], True),  # small beside the largest
        ([1.0, 2.0], [1.0, 2.0 + 1e-5], False),
        ([1.0, NAN], [1.0 + 1e-9, NAN], True),
        ([1.0, NAN], [1.0, 0.0], False),
        ([1.0, INF], [1.0, -INF], False),
        ([1.0, 2.0], [1.0, NAN], False),
        ([1.0], [1.0, 1.0], False),
        ("a", "b", False),
    ],
)
def test_rounding_is_small_beside_the_largest_number_and_explains_no_nan(one, other, expected):
    assert Difference(3, "std", np.asarray(one), np.asarray(other)).is_rounding is expected


def test_what_is_counted_or_chosen_is_never_rounded():
    assert not Difference(3, "proposed", np.array([10**7]), np.array([10**7 + 1]), rounding=0.0).is_rounding


def test_a_difference_says_where_and_how_far():
    assert (
        str(Difference(3, "std", np.array([1.0, 2.0]), np.array([1.0, 2.5])))
        == "iteration 3: std differs, by up to 0.5"
    )
    assert str(Difference(0, "best_value", 1.0, 2.0)) == "iteration 0: best_value differs, 1.0 and now 2.0"
