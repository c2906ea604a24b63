import numpy as np

from bluesky_gp.live.sheet import MOST, Sheet


def test_a_map_of_two_axes_is_laid_as_it_is():
    values = np.arange(6.0).reshape(2, 3)
    places, shown = Sheet((2, 3)).places(np.array([[1, 2]]))
    assert Sheet((2, 3)).image(values) is values
    assert places.tolist() == [[1.0, 2.0]] and shown.all()


def test_layers_lie_side_by_side_and_their_pixels_lie_on_their_values():
    values = np.random.default_rng(0).normal(size=(4, 5, 6))
    sheet = Sheet(values.shape)
    image = sheet.image(values)
    pixels = np.argwhere(np.isfinite(values))
    places, shown = sheet.places(pixels)
    assert image.shape == sheet.shape == (9, 17) and shown.all()
    assert np.array_equal(image[tuple(places.astype(int).T)], values[tuple(pixels.T)])
    assert np.isfinite(image).sum() == values.size


def test_of_many_layers_some_are_shown_and_the_wanted_one_is_among_them():
    sheet = Sheet((3, 3, 100), wanted=41)
    assert len(sheet.layers) == MOST and {0, 41, 99} <= set(sheet.layers)
    places, shown = sheet.places(np.array([[0, 0, 41], [1, 1, 42]]))
    assert shown.tolist() == [True, False] and len(places) == 1
