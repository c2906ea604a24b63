from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluesky_gp.optimizer.short_path import short_path


def length(points, order, start):
    return np.linalg.norm(np.diff(np.vstack([start, points[order]]), axis=0), axis=1).sum()


points = st.lists(st.tuples(st.integers(0, 49), st.integers(0, 49)), min_size=1, max_size=12).map(
    lambda rows: np.array(rows, dtype=float)
)


@given(points, st.tuples(st.floats(-5.0, 50.0), st.floats(-5.0, 50.0)))
def test_a_short_path_visits_every_point_once_and_is_never_longer_than_the_order_given(points, start):
    order = short_path(points, np.array(start))
    assert sorted(order.tolist()) == list(range(len(points)))
    given_order = length(points, np.arange(len(points)), start)
    assert length(points, order, start) <= given_order * (1.0 + 1e-9)


def test_a_short_path_is_close_to_the_shortest():
    excess = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        points, start = rng.random((6, 2)), rng.random(2)
        shortest = min(length(points, np.array(order), start) for order in permutations(range(6)))
        excess.append(length(points, short_path(points, start), start) / shortest - 1.0)
    assert np.mean(excess) < 0.02
    assert np.max(excess) < 0.2


def test_without_a_start_the_path_begins_at_the_first_point():
    points = np.random.default_rng(0).random((9, 2))
    assert short_path(points)[0] == 0


@pytest.mark.parametrize("points", [np.zeros((1, 2)), np.zeros((5, 2)), np.zeros((3, 1)), np.ones((2, 3))], ids=str)
def test_points_in_one_place_have_a_path(points):
    assert sorted(short_path(points).tolist()) == list(range(len(points)))
    assert sorted(short_path(points, points[0]).tolist()) == list(range(len(points)))


def test_a_path_in_one_dimension_and_in_three_is_found():
    line = np.array([[4.0], [1.0], [3.0], [2.0]])
    assert short_path(line, np.array([0.0])).tolist() == [1, 3, 2, 0]
    assert short_path(np.hstack([line, line, line]), np.zeros(3)).tolist() == [1, 3, 2, 0]


@pytest.mark.parametrize("num", [300, 1500])
def test_a_path_through_hundreds_of_points_is_not_longer_than_that_of_nearest_neighbours(num):
    points = np.random.default_rng(num).random((num, 2))
    left, here, travelled = list(range(1, num)), 0, 0.0
    while left:
        nearest = min(left, key=lambda point: np.linalg.norm(points[point] - points[here]))
        travelled += np.linalg.norm(points[nearest] - points[here])
        left.remove(nearest)
        here = nearest
    order = short_path(points)
    assert sorted(order.tolist()) == list(range(num))
    assert length(points, order, points[0]) <= travelled * (1.0 + 1e-9)


@given(points, st.sampled_from([-1.0, 1.0]), st.sampled_from([-1.0, 1.0]), st.booleans())
def test_mirrored_or_turned_points_have_the_same_path(points, rows, cols, turned):
    moved = points * [rows, cols]
    np.testing.assert_array_equal(short_path(moved[:, ::-1] if turned else moved), short_path(points))
