"""The displacement that values of landmarks tell, of maps that are samples of the process."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import Matern

from bluesky_gp.drift.landmarks import CROSS, MapModel, matched, steepest
from bluesky_gp.drift.motion import Motion

KERNEL = Matern(3.0, nu=2.5)
CENTERS = np.array([[2.0, 2.0], [2.0, 7.0], [7.0, 2.0], [7.0, 7.0]])
AROUND = (CENTERS[:, None] + CROSS).reshape(-1, 2)
MODEL = MapModel(lambda x, y: KERNEL(x, y), 1e-4, lambda values: values)


def found(moved, seed, spread=1.0):
    """Return what is found in a map of the process that has moved."""
    every = np.vstack([AROUND, CENTERS - moved])
    root = np.linalg.cholesky(KERNEL(every) + 1e-8 * np.eye(len(every)))
    values = root @ np.random.default_rng(seed).standard_normal(len(every))
    return matched(AROUND, values[:20], CENTERS, values[20:], MODEL, np.zeros(2), spread * np.eye(2), 2.0)


@pytest.mark.parametrize("moved", [(0.0, 0.0), (0.4, -0.3), (-0.6, 0.5)])
def test_a_displacement_is_found_to_the_error_that_is_said(moved):
    matches = [found(moved, seed) for seed in range(8)]
    apart = np.array([match.displacement - moved for match in matches])
    squares = [a @ np.linalg.solve(match.covariance, a) for a, match in zip(apart, matches, strict=True)]
    assert np.sqrt(np.mean(apart**2)) < 0.2
    assert np.median(squares) < 4.0  # of two directions: 1.4 if the errors are right


def test_what_fits_no_displacement_agrees_little():
    values = np.random.default_rng(0).standard_normal(20)
    match = matched(AROUND, values, CENTERS, np.full(4, 9.0), MODEL, np.zeros(2), np.eye(2), 2.0)
    assert match.agreement < 0.05 < found((0.3, 0.2), 0).agreement


def test_a_flat_map_leaves_the_guess_as_it_is():
    match = matched(AROUND, np.zeros(20), CENTERS, np.zeros(4), MODEL, np.array([0.3, 0.0]), 0.01 * np.eye(2), 2.0)
    np.testing.assert_allclose(match.displacement, (0.3, 0.0), atol=0.15)


def test_landmarks_are_steep_apart_and_of_different_directions():
    rows, cols = np.indices((12, 12)).astype(float)
    mean = np.where(rows < 6, 3.0 * rows, 2.0 * cols)
    pixels = steepest(mean, 0.1, np.ones((12, 12), dtype=bool), 4, 2.0)
    slopes = np.abs(np.stack(np.gradient(mean), axis=-1)[tuple(pixels.T)])
    apart = np.linalg.norm(pixels[:, None] - pixels, axis=-1)[~np.eye(4, dtype=bool)]
    assert slopes.max(axis=0).min() >= 2.0 and apart.min() >= 2.0
    assert pixels.min() >= 1 and pixels.max() <= 10


def test_no_landmark_has_a_masked_pixel_beside_it():
    usable = np.zeros((9, 9), dtype=bool)
    usable[3:6, 3:6] = True
    mean = np.add.outer(np.arange(9.0), np.arange(9.0) ** 2)
    assert steepest(mean, 0.1, usable, 4, 2.0).tolist() == [[4, 4]]


def test_a_velocity_is_learnt_from_displacements_and_expected_to_go_on():
    motion = Motion(np.zeros(4), np.diag([1e-4, 1e-4, 1.0, 1.0]))
    for number in range(1, 6):
        motion = motion.after(2.0, 2.0, 0.01).seen(np.array([0.5, -0.2]) * number, 1e-4 * np.eye(2))
    np.testing.assert_allclose(motion.state[2:], (0.25, -0.1), atol=0.01)
    assert motion.error_of(np.array([1.0, 0.0]), 0.0) < motion.error_of(np.array([1.0, 0.0]), 5.0)
