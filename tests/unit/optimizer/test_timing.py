import pytest

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.optimizer.timing import decision_seconds


def test_a_decision_takes_longer_with_more_pixels_and_with_a_fit():
    small, large = decision_seconds(2500, 410, 10, 0), decision_seconds(2**20, 50_000, 10, 0)
    assert 0.0 < small < 1.0 < large
    assert decision_seconds(2500, 410, 10, 1) < decision_seconds(2500, 410, 10, 5)
    assert decision_seconds(2500, 410, 10, 0) < decision_seconds(2500, 410, 10, 1)


def test_the_optimizer_knows_whether_a_fit_is_due():
    gp = PixelOptimizer(PixelGrid((30, 30)), "z")
    many = [{"_id": i, "z": float(i % 7)} for i in range(0, 900, 3)]
    gp.ingest(many)
    held = gp.expected_seconds(gp.state)
    assert held == pytest.approx(decision_seconds(900, 310, 10, 0))
    gp.ingest([{"_id": i, "z": float(i % 7)} for i in range(1, 100, 3)])
    assert gp.expected_seconds(gp.state) > held
