"""Features of an image: what they tell apart, and what they call alike."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from bluesky_gp import Overview, PixelGrid
from bluesky_gp.overview import feature_groups
from bluesky_gp.overview.enclosures import enclosure_features
from bluesky_gp.overview.quantities import edges_and_lines, principal_components, standardised
from bluesky_gp.overview.regions import region_features


def two_halves(shape=(20, 20)):
    image = np.random.default_rng(0).normal(0.0, 0.02, shape)
    image[:, shape[1] // 2 :] += 1.0
    return image


def walled(shape=(24, 24)):
    """Two halves of one grey, and a thin dark wall between them."""
    image = np.random.default_rng(0).normal(0.0, 0.02, shape)
    image[:, shape[1] // 2] -= 1.0
    return image


@pytest.mark.parametrize(
    ("features", "image", "row", "place", "inside", "across"),
    [(region_features, two_halves(), 10, 8, 2, 11), (enclosure_features, walled(), 12, 9, 2, 14)],
    ids=["across an edge", "across a wall"],
)
def test_pixels_of_one_region_are_alike_and_those_beyond_its_end_are_not(features, image, row, place, inside, across):
    U = features(image, 12)
    likeness = (U @ U.T).reshape(*image.shape, *image.shape)[row, place, row]
    assert likeness[inside] > 0.2 and likeness[across] < 0.0


@pytest.mark.parametrize("beside", [-0.3, 0.3])
def test_pixels_that_a_line_covers_belong_to_the_side_on_which_they_lie(beside):
    column = np.arange(24)
    image = np.tile(-np.exp(-2.0 * (column - 12 - beside) ** 2), (24, 1))
    U = enclosure_features(image, 12)
    likeness = (U @ U.T).reshape(24, 24, 24, 24)[12, 12, 12]
    left, right = likeness[9], likeness[15]
    assert right < 0.0 < left if beside > 0.0 else left < 0.0 < right


@pytest.mark.parametrize(("image", "features"), [(walled(), enclosure_features), (two_halves(), region_features)])
def test_regions_lie_between_lines_or_between_edges_whichever_the_image_shows(image, features):
    planes = Overview(image).on(PixelGrid(image.shape))
    z = standardised(planes.images["image"])
    for groups, truth in (
        (feature_groups(planes), features(z, 96)),
        (feature_groups(planes, by_lines=False), region_features(z, 96)),
    ):
        U = groups.U[:, -96:]  # the last group; of eigenvectors the products count, not the signs
        np.testing.assert_allclose(U @ U.T, truth @ truth.T, atol=1e-5)


def test_regions_of_a_large_image_are_those_of_larger_pixels(monkeypatch):
    monkeypatch.setattr("bluesky_gp.overview.pixel_graph._LARGEST", 100)
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
