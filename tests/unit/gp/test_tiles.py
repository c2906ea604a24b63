import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bluesky_gp.gp.tiles import tiled


@given(st.integers(1, 10**5), st.integers(0, 10**5))
def test_tiles_cover_every_pixel_once_and_fit_into_memory(n, width):
    tiles = tiled(n, width)
    np.testing.assert_array_equal(np.concatenate(tiles), np.arange(n))
    assert max(len(tile) for tile in tiles) * width <= max(4_000_000 + width, width)
