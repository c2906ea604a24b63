"""A sample that drifts: spectra and image move together, by its own clock."""

from itertools import count

import numpy as np
import pytest

from bluesky_gp.devices import DriftingSample, SyntheticFerroelectric
from bluesky_gp.scalarizers import get_scalarizer

WHOLE = SyntheticFerroelectric((44, 48), failed=0.0, noise=0.0)
AREA = get_scalarizer("loop_area")
TRUTH = WHOLE.truth(AREA)[6:38:4, 6:42:4]


def drifting(**options):
    return DriftingSample(WHOLE, shape=(8, 9), **{"clock": count(0.0, 1.0).__next__, "image_noise": 0.0, **options})


def test_it_moves_along_an_arc_at_its_speed():
    sample = drifting(speed=0.05, direction=0.0, turn=0.5)
    steps = np.diff([sample.displacement(t) for t in range(0, 200, 10)], axis=0)
    np.testing.assert_allclose(np.linalg.norm(steps, axis=1), 0.5, rtol=1e-3)
    angles = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    np.testing.assert_allclose(np.degrees(np.diff(angles)), 5.0, atol=0.01)
    np.testing.assert_allclose(drifting(turn=0.0, direction=90.0).displacement(10.0), (0.0, 0.5), atol=1e-12)


def test_what_lay_at_a_pixel_lies_at_the_pixel_and_the_displacement_later():
    sample, truth = drifting(), TRUTH
    for seconds, pixel in enumerate([(1, 2), (5, 7), (3, 0)], 1):
        there = np.add(pixel, sample.displacement(seconds))
        assert AREA(sample.spectrum(there), sample.axis) == pytest.approx(truth[pixel])


def test_it_begins_again_where_it_lay():
    sample = drifting()
    for _ in range(5):
        sample.spectrum((1, 1))
    sample.begin()
    assert sample.spectrum(np.add((1, 1), sample.displacement(1.0))) == pytest.approx(WHOLE.spectrum((10, 10)))


def test_its_image_moves_with_it():
    sample = drifting(speed=0.25, direction=0.0, turn=0.0)  # a pixel of the image each time
    first, second = sample.overview(), sample.overview()
    np.testing.assert_allclose(second[1:], first[:-1], atol=1e-9)


def test_a_map_larger_than_the_sample_is_refused():
    with pytest.raises(ValueError, match=r"needs a larger sample than \(44, 48\)"):
        DriftingSample(WHOLE, shape=(20, 20))


def test_its_true_map_is_what_lay_there_at_first():
    np.testing.assert_array_equal(drifting().truth(AREA), TRUTH)
