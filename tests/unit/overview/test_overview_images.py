"""Overview images on a grid: where they lie, what is wrong with them, and what a record keeps."""

import json

import numpy as np
import pytest
from sklearn.decomposition import PCA

from bluesky_gp import Overview, PixelGrid
from bluesky_gp.overview import Planes, feature_groups

GRID = PixelGrid((4, 6), step=(0.5, 0.25), origin=(10.0, -3.0), units="um")


def rows_and_columns(shape):
    return np.add.outer(10.0 * np.arange(shape[0]), np.arange(shape[1]))


def test_an_image_without_a_place_covers_the_field_of_the_grid():
    planes = Overview(rows_and_columns((8, 12))).on(GRID)
    np.testing.assert_allclose(planes.images["image"], 2.0 * rows_and_columns(GRID.shape) + 5.5)
    np.testing.assert_allclose(planes.spreads["image"], np.sqrt(25.25), rtol=1e-6)


def test_an_image_of_the_grid_itself_is_taken_as_it_is():
    planes = Overview(rows_and_columns(GRID.shape)).on(GRID)
    np.testing.assert_array_equal(planes.images["image"], rows_and_columns(GRID.shape))
    assert not planes.spreads


def test_an_image_with_a_place_lies_there():
    image = np.zeros((40, 40))
    image[10, 20] = 1.0  # at stage position (10.5, -2.0): pixel (1, 4)
    planes = Overview(image, position=(8.0, -7.0), step=(0.25, 0.25)).on(GRID)
    assert np.unravel_index(np.argmax(planes.images["image"]), GRID.shape) == (1, 4)
    turned = Overview(image[::-1], position=(8.0 + 39 * 0.25, -7.0), step=(-0.25, 0.25)).on(GRID)
    np.testing.assert_allclose(turned.images["image"], planes.images["image"])


def test_a_rotated_image_lies_rotated():
    image = np.zeros((21, 21))
    image[10, 15] = 1.0  # five columns from its centre: a quarter turn on, five rows
    grid = PixelGrid((21, 21))
    planes = Overview(image, position=(20.0, 0.0), step=(1.0, 1.0), rotation=90.0).on(grid)
    place = PixelGrid((21, 21), origin=(20.0, 0.0), rotation=90.0).position((10, 15))
    assert np.unravel_index(np.argmax(planes.images["image"]), grid.shape) == tuple(np.rint(place).astype(int))


def test_several_images_have_names():
    planes = Overview({"height": rows_and_columns((4, 6)), "phase": -rows_and_columns((8, 12))}).on(GRID)
    assert list(planes.images) == ["height", "phase"] and list(planes.spreads) == ["phase"]
    assert {name.split(":")[0] for name in feature_groups(planes).names} == {"height", "phase"}


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.zeros((4, 6)), {}, "'image' has one value at all pixels"),
        (np.zeros((4, 6, 3)), {}, "'image' is in colour"),
        (np.zeros(5), {}, "'image' must have two axes"),
        (np.zeros((2, 3, 4, 5)), {}, "'image' must have two axes"),
        (np.full((4, 6), np.nan), {}, "'image' shows nothing at 24 of the 24 pixels"),
        (rows_and_columns((2, 6)), {"position": (10.0, -3.0), "step": (0.5, 0.25)}, "shows nothing at 12 of the 24"),
        ({}, {}, "there is no image"),
        (rows_and_columns((4, 6)), {"position": (0.0, 0.0)}, "position and step say together"),
        (rows_and_columns((4, 6)), {"rotation": 5.0}, "rotation with them"),
    ],
)
def test_an_image_that_cannot_help_is_answered_in_a_sentence(image, options, message):
    with pytest.raises(ValueError, match=message):
        Overview(image, **options).on(GRID)


def test_an_image_of_texts_or_complex_numbers_is_refused():
    with pytest.raises(TypeError, match="must hold real numbers, got complex128"):
        Overview(np.zeros((4, 6), dtype=complex))
    with pytest.raises(TypeError, match="must be a transformer of scikit-learn"):
        Overview(np.zeros((4, 6)), features=PCA)


def test_a_grid_of_one_axis_or_three_has_no_image():
    with pytest.raises(ValueError, match="an image needs a grid of two axes, this one has 1"):
        Overview(np.zeros((4, 6))).on(PixelGrid((6,)))


def test_gaps_at_masked_pixels_do_not_matter():
    image = rows_and_columns((4, 6))
    image[0, 0] = np.nan
    mask = np.zeros((4, 6), dtype=bool)
    mask[0, 0] = True
    assert np.isfinite(Overview(image).on(PixelGrid((4, 6), mask=mask)).images["image"]).all()


def test_what_a_record_keeps_is_what_was_used():
    planes = Overview(np.random.default_rng(0).standard_normal((9, 11)), features=PCA(2)).on(PixelGrid((4, 6)))
    again = Planes.from_mapping(json.loads(json.dumps(planes.to_mapping())))
    assert np.array_equal(again.images["image"], planes.images["image"])
    assert np.array_equal(feature_groups(again).U, feature_groups(planes).U)
    with pytest.raises(ValueError, match="overview image is damaged"):
        Planes.from_mapping({"shape": [3, 6], "images": planes.to_mapping()["images"], "spreads": {}})
    with pytest.raises(ValueError, match=r"its images have shapes \[\(4, 6\)\], the grid has \(3, 3\)"):
        planes.on(PixelGrid((3, 3)))
