"""Features of an image: what they tell apart, and what they call alike."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from bluesky_gp import Overview, PixelGrid
from bluesky_gp.overview import feature_groups
from bluesky_gp.overview.quantities import edges_and_lines, principal_components
from bluesky_gp.overview.regions import region_features


def two_halves(shape=(20, 20)):
    image = np.random.default_rng(0).normal(0.0, 0.02, shape)
    image[:, shape[1] // 2 :] += 1.0
    return image


def test_pixels_of_one_region_are_alike_and_those_across_an_edge_are_not():
    U = region_features(two_halves(), 12)
    likeness = (U @ U.T).reshape(20, 20, 20, 20)
    inside, across = likeness[10, 8, 10, 2], likeness[10, 8, 10, 11]  # six pixels apart, and three
    assert inside > 0.2 and across < 0.0


def test_regions_of_a_large_image_are_those_of_larger_pixels(monkeypatch):
    monkeypatch.setattr("bluesky_gp.overview.regions._LARGEST", 100)
    U = region_features(two_halves((21, 22)), 5)
    assert U.shape == (21 * 22, 5)
    np.testing.assert_array_equal(U[0], U[1])  # the first pixels of the first row lie in one of 3 x 3
    assert U[10 * 22 + 2] @ U[10 * 22 + 7] > U[10 * 22 + 7] @ U[10 * 22 + 16]


@pytest.mark.parametrize("shape", [(1, 9), (2, 2), (3, 5), (1, 1)])
def test_images_of_a_few_pixels_have_features(shape):
    image = np.arange(np.prod(shape), dtype=float).reshape(shape)
    if image.size > 1:
        groups = feature_groups(Overview(image).on(PixelGrid(shape)))
        assert np.isfinite(groups.U).all() and groups.U.shape == (image.size, sum(groups.ranks))


def test_a_dark_line_has_a_large_curvature_and_a_bright_one_a_small_one():
    image = np.zeros((21, 21))
    image[:, 5], image[:, 15] = -1.0, 1.0
    _, larger, smaller = edges_and_lines(image)
    assert np.argmax(larger[10]) == 5 and np.argmin(smaller[10]) == 15


def test_principal_components_are_those_of_scikit_learn():
    rows = np.random.default_rng(0).standard_normal((200, 5)) * [3.0, 2.0, 1.0, 0.5, 0.1]
    ours, theirs = principal_components(rows, 3), PCA(3).fit_transform(rows)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs / theirs[:, 0].std()), atol=1e-10)


def test_a_transformer_of_ones_own_makes_a_group_of_its_own():
    grid = PixelGrid((8, 9))
    planes = Overview(np.random.default_rng(0).standard_normal((8, 9)), features=PCA(2)).on(grid)
    assert feature_groups(planes).names[-1] == "image: own"


def test_features_of_large_images_are_fewer():
    image = np.random.default_rng(0).standard_normal((300, 300))
    groups = feature_groups(Overview(image).on(PixelGrid((300, 300))))
    assert groups.U.size <= 2**23
