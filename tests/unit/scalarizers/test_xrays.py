"""Counts of X-ray lines: known counts over a known background come out."""

import numpy as np
import pytest

from bluesky_gp.scalarizers.xrays import LineCounts

ENERGY = np.arange(0.0, 20.0, 0.01)


def spectrum_of(counts, level=20.0, rng=None):
    """A Cu K-alpha line of `counts`, 0.15 keV wide at half maximum, over bremsstrahlung."""
    sigma = 0.15 / 2.355
    line = counts * 0.01 * np.exp(-0.5 * ((ENERGY - 8.046) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    expected = level * np.exp(-ENERGY / 10.0) + line
    return expected if rng is None else rng.poisson(expected).astype(float)


def test_a_line_over_bremsstrahlung_gives_its_counts():
    assert LineCounts()(spectrum_of(1e5), ENERGY) == pytest.approx(1e5, rel=0.005)
    assert LineCounts()(spectrum_of(0.0), ENERGY) == pytest.approx(0.0, abs=1.0)


def test_with_counting_noise_there_is_no_bias():
    rng = np.random.default_rng(0)
    counts = [LineCounts()(spectrum_of(200.0, 2.0, rng), ENERGY) for _ in range(500)]
    assert np.mean(counts) == pytest.approx(200.0, abs=3.0)
    assert np.std(counts) < 25.0


def test_a_window_outside_the_axis_is_an_error():
    with pytest.raises(ValueError, match=r"line_counts: window \(7.85, 8.25\) lies outside the axis, 0 to 5"):
        LineCounts()(np.ones(6), np.arange(6.0))
    with pytest.raises(ValueError, match="line_counts: above must be two numbers"):
        LineCounts(above=(9, 8))
