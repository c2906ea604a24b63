"""A map with one hill and a failed pixel, for commands that read maps."""

import numpy as np

SHAPE = (9, 8)


def hill():
    row, col = np.indices(SHAPE)
    values = np.exp(-((row - 6.0) ** 2 + (col - 2.0) ** 2) / 10.0)
    values[0, 7] = np.nan
    return values
