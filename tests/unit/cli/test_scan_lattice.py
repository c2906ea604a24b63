"""Lattices that start documents state."""

import numpy as np
import pytest

from bluesky_gp.cli.scan_lattice import ScanLattice

GRID = {"shape": [2, 3], "extents": [[0, 1], [4, 2]], "snaking": [False, True], "plan_pattern": "outer_product"}


def test_a_pattern_states_the_order_of_its_pixels_counted_from_the_lowest_position():
    lattice = ScanLattice.of(GRID)
    assert [level.tolist() for level in lattice.levels] == [[0, 1], [2, 3, 4]]
    assert lattice.order.tolist() == [[0, 2], [0, 1], [0, 0], [1, 0], [1, 1], [1, 2]]


def test_events_out_of_the_order_of_the_pattern_lie_where_their_positions_say():
    placed = ScanLattice.of(GRID).place(np.array([1, 2]), np.array([[1.0, 3.1], [0.1, 2.0]]))
    assert placed.tolist() == [[1, 1], [0, 0]]


def test_a_list_snakes_along_the_axes_that_it_names():
    motors = ["SynAxis(name='y')", [0, 1], "SynAxis(name='x')", [0, 1, 5]]
    given = {"args": motors, "snake_axes": "[SynAxis(name='x')]"}
    lattice = ScanLattice.of({"shape": [2, 3], "plan_pattern": "outer_list_product", "plan_pattern_args": given})
    assert lattice.order[:, 1].tolist() == [0, 1, 2, 2, 1, 0]
    assert not lattice.is_even


@pytest.mark.parametrize("shape", [[3, 3], [2, 2], [0, 3], [1, 2, 3, 4]])
def test_a_shape_that_contradicts_the_pattern_is_refused(shape):
    motors = ["y", [0, 1], "x", [0, 1, 5]]
    start = {"shape": shape, "plan_pattern": "outer_list_product", "plan_pattern_args": {"args": motors}}
    with pytest.raises(ValueError, match="not so many different positions|cannot be rehearsed"):
        ScanLattice.of(start)


def test_a_lattice_of_one_row_has_a_position_for_it():
    lattice = ScanLattice.of({"shape": [1, 3], "extents": [[5, 5], [0, 2]], "plan_pattern": "outer_product"})
    assert lattice.place(np.array([1, 2, 3]), np.array([[5.0, 0], [5.0, 1], [5.0, 2]])).tolist() == [
        [0, 0],
        [0, 1],
        [0, 2],
    ]
