"""Configurations to compare."""

import numpy as np

from bluesky_gp import PixelGrid
from bluesky_gp.rehearsal.configuration import configurations
from bluesky_gp.rehearsal.full_map import FullMap


def test_configurations_differ_from_the_first_in_one_thing_unless_all_are_wanted():
    kernels = {"default": None, "mine": "a kernel"}
    few = configurations({"a": 1, "b": 2}, [10, 5], kernels)
    assert [c.name for c in few] == [
        "a, batches of 10, default kernel",
        "a, batches of 10, mine kernel",
        "a, batches of 5, default kernel",
        "b, batches of 10, default kernel",
    ]
    assert few[0].options == {"acquisition": 1, "batch_size": 10}
    assert len(configurations({"a": 1, "b": 2}, [10, 5], kernels, every_combination=True)) == 8
    assert [c.name for c in configurations({"a": 1}, [3])] == ["a"]


def test_the_lines_to_paste_name_the_key_of_the_events_if_it_is_known():
    values = np.arange(20.0).reshape(4, 5)
    [first, *_] = configurations()
    of_a_file = first.lines(FullMap(PixelGrid((4, 5)), values, "height"), 20)
    assert "agent = GPAgent(optimizer, target='spectrometer_height')" in of_a_file
    of_a_run = first.lines(FullMap(PixelGrid((4, 5)), values, "det_height", key="det_height"), 20)
    assert "agent = GPAgent(optimizer, target='det_height')" in of_a_run
    assert "from bluesky_gp import ExpectedImprovement, GPAgent, PixelGrid, PixelOptimizer" in of_a_run
