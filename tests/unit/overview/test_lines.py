import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from bluesky_gp.overview.lines import line_strength_between, shows_lines
from bluesky_gp.overview.quantities import standardised

SHAPE = (50, 50)


def noise(seed=0):
    return np.random.default_rng(seed).standard_normal(SHAPE)


def hills(width=4.0, seed=0):
    field = gaussian_filter(noise(seed), width, mode="wrap")
    return field / field.std()


def wall():
    """A line one pixel wide where a field of hills is zero."""
    return np.exp(-0.5 * (hills(5.0) / 0.12) ** 2)


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["bright", "dark"])
def test_an_image_of_thin_walls_shows_lines(sign):
    assert shows_lines(standardised(sign * wall() + 0.15 * hills(seed=1) + 0.01 * noise(2)))


@pytest.mark.parametrize(
    "image",
    [noise(), hills(), np.tanh(8.0 * hills()), np.zeros(SHAPE), np.indices(SHAPE)[0] > 20.0, hills() > 1.5],
    ids=["noise", "hills", "domains", "nothing", "an edge", "particles"],
)
def test_other_images_do_not(image):
    assert not shows_lines(standardised(image.astype(float)))


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["bright", "dark"])
def test_lines_are_strong_where_the_wall_is(sign):
    strength = line_strength_between(sign * wall())[::2, ::2]
    assert strength[wall() > 0.9].mean() > 20.0 * strength[wall() < 0.01].mean()
