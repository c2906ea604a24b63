"""Shifts between two images: right in sign and axis, next to the guess on a crystal, refused where they are open."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from bluesky_gp.drift.registration import registered
from bluesky_gp.drift.track import DriftError, DriftLimits, Sight, Track

ROWS, COLS = np.indices((72, 80)).astype(float)
GRAIN = gaussian_filter(np.random.default_rng(0).standard_normal(ROWS.shape), 2.0)
GRAIN /= GRAIN.std()
CRYSTAL = np.cos(2 * np.pi * ROWS / 8) + np.cos(2 * np.pi * COLS / 8)


def seen(texture, by, noise=0.1, seed=1):
    """The middle of a texture, which has moved, with noise."""
    noisy = shift(texture, by, order=3, mode="reflect")[8:-8, 8:-8]
    return noisy + noise * np.random.default_rng(seed).standard_normal(noisy.shape)


@pytest.mark.parametrize("by", [(1.3, -2.6), (-0.4, 3.1), (-2.2, -1.7), (0.0, 0.0)])
def test_the_shift_is_that_of_the_sample_in_both_axes_and_signs(by):
    found = registered(seen(GRAIN, (0, 0), seed=2), seen(GRAIN, by), np.zeros(2))
    np.testing.assert_allclose(found.displacement, by, atol=0.1)
    assert found.agreement > 0.9 and found.overlap == pytest.approx(1.0, abs=0.2)


def test_the_error_that_is_told_is_that_which_is_made():
    reference, by = seen(GRAIN, (0, 0), 0.5, seed=0), (0.37, -0.81)
    found = [registered(reference, seen(GRAIN, by, 0.5, seed=i), np.zeros(2)) for i in range(1, 9)]
    errors = np.linalg.norm([shift.displacement - by for shift in found], axis=1)
    told = np.sqrt(np.mean([np.trace(shift.covariance) for shift in found]))
    assert 0.3 < np.sqrt(np.mean(errors**2)) / told < 3.0


@pytest.mark.parametrize("cells", [0, 1, -1])
def test_on_a_crystal_the_shift_next_to_the_guess_is_taken(cells):
    by = np.array([8.0 * cells + 1.5, 0.5])
    found = registered(seen(CRYSTAL, (0, 0)), seen(CRYSTAL, (1.5, 0.5)), np.array([8.0 * cells, 0.0]))
    np.testing.assert_allclose(found.displacement, by, atol=0.1)


def test_what_grows_slowly_over_the_field_moves_nothing():
    image = seen(GRAIN, (1.5, -0.8))
    rows, cols = np.indices(image.shape) / image.shape[0]
    contaminated = image * (1.0 - 0.5 * rows) + 3.0 * np.exp(-((rows - 0.3) ** 2 + (cols - 0.6) ** 2) / 0.05)
    found = registered(seen(GRAIN, (0, 0), seed=2), contaminated, np.zeros(2))
    np.testing.assert_allclose(found.displacement, (1.5, -0.8), atol=0.3)


def sight(image, time=0.0, carried=(0.0, 0.0), scale=0.25):
    return Sight(image, time, np.array(carried), np.zeros(2), scale * np.eye(2))


def followed(images, **limits):
    track = Track.begin(sight(images[0]), DriftLimits(**limits))
    for number, image in enumerate(images[1:], 1):
        track = track.then(sight(image, 10.0 * number))
    return track


def test_displacements_are_in_pixels_of_the_map_and_look_half_an_interval_ahead():
    track = followed([seen(GRAIN, (4 * 0.1 * i, -4 * 0.2 * i)) for i in range(4)])
    np.testing.assert_allclose(track.displacement, (0.3, -0.6), atol=0.03)
    np.testing.assert_allclose(track.correction, (0.35, -0.7), atol=0.06)
    assert track.velocity == pytest.approx((0.01, -0.02), abs=0.005)


def test_a_pause_is_not_looked_ahead_for():
    track = followed([seen(GRAIN, (0.4 * i, 0)) for i in range(3)])
    after = track.then(sight(seen(GRAIN, (1.6, 0)), 3600.0))
    assert after.ahead == 5.0


def test_an_image_taken_through_the_correction_shows_what_is_left():
    track = Track.begin(sight(seen(GRAIN, (0, 0))), DriftLimits())
    after = track.then(sight(seen(GRAIN, (0.8, 0.4)), 1.0, carried=(1.0, -2.0)))
    np.testing.assert_allclose(after.displacement, (1.2, -1.9), atol=0.05)


def test_a_sample_that_changes_is_compared_with_a_later_image():
    other = np.roll(GRAIN, 31, axis=0)
    mixtures = [np.cos(a) * GRAIN + np.sin(a) * other for a in np.linspace(0.0, np.pi / 2, 9)]
    track = followed([seen(mixture, (0.4 * i, 0), 0.02) for i, mixture in enumerate(mixtures)])
    np.testing.assert_allclose(track.displacement, (0.8, 0.0), atol=0.12)
    assert 0 < track.compared < 8


def test_a_shift_farther_off_than_the_window_is_refused():
    with pytest.raises(DriftError, match=r"displaced by \(1.00, 0.50\).*window=0.6: the sample has jumped"):
        followed([seen(GRAIN, (0, 0), 0.0), seen(GRAIN, (4, 2), 0.0)], window=0.6)


def test_another_place_is_refused():
    with pytest.raises(DriftError, match="drift: "):
        followed([seen(GRAIN, (0, 0)), seen(np.roll(GRAIN, 33, axis=1), (0, 0))])


def test_edges_of_one_direction_are_refused():
    stripes = np.tanh(np.sin(ROWS / 5) * 3)
    with pytest.raises(DriftError, match="edges of one direction"):
        followed([seen(stripes, (0, 0), seed=2), seen(stripes, (1, 0))])


def test_a_correction_is_clipped_up_to_half_a_pixel_and_refused_beyond():
    images = [seen(GRAIN, (0.4 * i, 0)) for i in range(5)]
    clipped = followed(images[:3], limit=0.2)
    assert clipped.correction == pytest.approx((0.2, 0.0), abs=0.05) and clipped.left[0] > 0.0
    with pytest.raises(DriftError, match=r"corrections end at limit=0.2: what is left"):
        followed([*images, *[seen(GRAIN, (0.4 * i, 0)) for i in range(5, 9)]], limit=0.2)


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (np.full((56, 64), 2.0), "the same everywhere"),
        (np.full((56, 64), np.nan), "all finite"),
        (np.zeros((3, 4)), r"has shape \(3, 4\), the first one had"),
    ],
)
def test_an_image_that_shows_nothing_is_refused(image, why):
    track = followed([seen(GRAIN, (0, 0))])
    with pytest.raises(DriftError, match=why):
        track.then(sight(image))
