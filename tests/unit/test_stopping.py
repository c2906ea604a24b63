import re

import pytest

from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer import PixelOptimizer
from bluesky_gp.stopping import ImprovementBelow, MaxPixels


def learnt(stopping=(), num=12, **options):
    optimizer = PixelOptimizer(PixelGrid((4, 5)), "height", n_initial=4, stopping=stopping, **options)
    optimizer.ingest([{"_id": pixel, "height": 1e-9 * (pixel % 7)} for pixel in range(num)])
    return optimizer


def test_a_number_of_pixels_stops_when_so_many_were_attempted_failed_ones_included():
    optimizer = learnt()
    optimizer.register_failures(optimizer.suggest(1))
    assert MaxPixels(14)(optimizer.state) == ""
    assert MaxPixels(13)(optimizer.state) == "13 pixels attempted"


def test_improvement_is_measured_in_the_unit_of_the_target():
    state = learnt().state
    assert ImprovementBelow(1e-20)(state) == ""
    reason = ImprovementBelow(1e-8)(state)
    assert re.fullmatch(r"expected improvement \S+e-\d+ below 1e-08", reason)
    assert 0.0 < float(reason.split()[2]) < 1e-8


@pytest.mark.parametrize("maximize", [True, False])
def test_improvement_does_not_stop_before_the_first_value_nor_where_nothing_is_left(maximize):
    optimizer = PixelOptimizer(PixelGrid((2, 2)), "height", maximize=maximize)
    assert ImprovementBelow(1e9)(optimizer.state) == ""
    optimizer.ingest([{"_id": i, "height": 1.0 * i} for i in range(4)])
    assert ImprovementBelow(1e9)(optimizer.state) == ""


def test_the_first_rule_that_fires_is_the_reason_and_nothing_is_proposed():
    optimizer = learnt([MaxPixels(100), MaxPixels(12), lambda state: "bored"])
    assert optimizer.suggest() == []
    proposal = optimizer.propose(optimizer.state, 5)
    assert proposal.stop_reason == "12 pixels attempted"
    assert proposal.pixels.shape == (0, 2)
