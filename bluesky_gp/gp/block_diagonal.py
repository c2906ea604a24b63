"""Matrices along a diagonal.

`scipy.linalg.block_diag` asks whether they are Dask's, which fails while another thread is importing dask.array: that
of a catalog does, in the first seconds of a run.
"""

import numpy as np

from bluesky_gp.typing import Floats


def block_diagonal(*blocks: Floats) -> Floats:
    """Return a matrix with these blocks along its diagonal, in their order, and zeros elsewhere."""
    matrix = np.zeros(np.sum([block.shape for block in blocks], axis=0))
    row, column = 0, 0
    for block in blocks:
        n_rows, n_columns = block.shape
        matrix[row : row + n_rows, column : column + n_columns] = block
        row, column = row + n_rows, column + n_columns
    return matrix
