"""Positions of a table lie where they were measured, or are refused."""

import numpy as np
import pytest
from spectrum_files import CHANNELS, COLS, ROWS, SPECTRA

from bluesky_gp.files import read_spectra

Y, X = (index.ravel() for index in np.indices((ROWS, COLS)))


def um(*dimensions):
    return [(name, "um", np.asarray(index), np.asarray(values)) for name, index, values in dimensions]


def test_a_region_whose_indices_begin_at_two_has_no_empty_rows(usid):
    image = read_spectra(usid(positions=um(("X", X + 2, 0.25 * (X + 2)), ("Y", Y + 7, 0.5 * (Y + 7)))))
    assert np.array_equal(image.spectra, SPECTRA)
    assert image.grid.position((0, 0)).tolist() == [3.5, 0.5]


def test_positions_numbered_along_both_axes_at_once_go_to_the_lattice_of_their_values(usid):
    rng = np.random.default_rng(0)
    chosen = rng.permutation(ROWS * COLS)[:9]
    n = np.arange(9)
    image = read_spectra(
        usid(
            SPECTRA.reshape(-1, CHANNELS)[chosen],
            positions=um(("X", n, 0.25 * X[chosen]), ("Y", n, 0.5 * Y[chosen] + 10.0)),
        )
    )
    expected = np.full(SPECTRA.shape, np.nan).reshape(-1, CHANNELS)
    expected[chosen] = SPECTRA.reshape(-1, CHANNELS)[chosen]
    assert np.array_equal(image.spectra, expected.reshape(SPECTRA.shape), equal_nan=True)
    assert (image.step, image.origin) == ((0.5, 0.25), (10.0, 0.0))


@pytest.mark.parametrize("kind", ["random", "a line across", "each twice", "a spiral"])
def test_positions_that_are_no_lattice_are_refused_in_words(usid, kind):
    n = np.arange(ROWS * COLS)
    rng = np.random.default_rng(0)
    angle = 0.7 * n
    index, values = {
        "random": ((n, n), rng.random((2, len(n)))),
        "a line across": ((n, n), (n * 0.1, n * 0.2)),
        "each twice": ((X // 2, Y), (X // 2, Y)),
        "a spiral": ((n, n), (n * np.cos(angle), n * np.sin(angle))),
    }[kind]
    with pytest.raises(
        ValueError, match="12 positions are no lattice of pixels.* expected rows and columns, each pixel once"
    ):
        read_spectra(usid(positions=um(("X", index[0], values[0]), ("Y", index[1], values[1]))))


def test_a_line_of_positions_is_a_map_of_one_axis(usid):
    n = np.arange(ROWS * COLS)
    image = read_spectra(usid(positions=um(("X", n, 0.1 * n), ("Y", 0 * n, 0.0 * n))))
    assert (image.shape, image.units) == ((ROWS * COLS,), "um")


def test_readbacks_that_tremble_leave_each_pixel_in_its_place(usid):
    rng = np.random.default_rng(0)
    tremble = rng.uniform(-0.02, 0.02, (2, ROWS * COLS))
    image = read_spectra(usid(positions=um(("X", X, 0.25 * X + tremble[0]), ("Y", Y, 0.5 * Y + tremble[1]))))
    assert np.array_equal(image.spectra, SPECTRA)
