"""A hill with noise, measured again."""

import numpy as np
import pytest

from bluesky_gp import PixelGrid
from bluesky_gp.rehearsal import rehearse

SHAPE = (12, 12)


@pytest.fixture(scope="session")
def hill():
    """A map with noise of 0.1, four pixels of it failed."""
    row, col = np.indices(SHAPE)
    noise = 0.1 * np.random.default_rng(0).standard_normal(SHAPE)
    values = np.exp(-((row - 3.0) ** 2 + (col - 8.0) ** 2) / 15.0) + noise
    values[10:, :2] = np.nan
    return values


@pytest.fixture(scope="session")
def rehearsal_of(hill):
    """Rehearse a map, the hill unless told otherwise, with few points and seeds."""

    def rehearsed(values=None, choices=None, **options):
        told = {"num": 40, "seeds": range(2), "n_jobs": 1, "target": "height"} | options
        return rehearse(PixelGrid(SHAPE), hill if values is None else values, choices, **told)

    return rehearsed


@pytest.fixture(scope="session")
def rehearsal(rehearsal_of):
    """A rehearsal of the hill."""
    return rehearsal_of()
