r"""Features that are alike where the image does not change on the way from one pixel to another: grains, particles.

======  ======================================================  ============
symbol  meaning                                                 shape
======  ======================================================  ============
z       the image, standardised                                 (N,)
A       affinity of neighbours, small across an edge            (N, N)
lam, v  smallest eigenvalues of the Laplacian of that graph     (r,), (N, r)
======  ======================================================  ============

.. math:: A_{ij} = e^{-(z_i - z_j)^2 / 2 s^2} + \epsilon, \qquad
          K \propto \sum_k \frac{v_k v_k^T}{(1 + \lambda_k / \lambda_c)^2}

Kernels on graphs: Smola & Kondor 2003, COLT, 144; a graph of an image's pixels: Shi & Malik 2000, IEEE Trans. Pattern
Anal. Mach. Intell. 22, 888.
"""

import numpy as np
from scipy.sparse import csc_array, diags_array
from scipy.sparse.linalg import eigsh

from bluesky_gp.gp import unit_rows
from bluesky_gp.overview.pixel_graph import affinities, damped, neighbours, on_coarse_pixels
from bluesky_gp.typing import Floats

_EDGE = 2.0  # s, in typical differences of neighbours
_LEAK = 0.02  # epsilon: how much neighbours have in common in spite of an edge
_CORNER = 0.25  # of the eigenvalues: lambda_c stands there
_SHIFT = 1e-3  # below zero, where no eigenvalue is, relative to the sum of a pixel's affinities


@on_coarse_pixels
def region_features(z: Floats, rank: int) -> Floats:
    """Return features of an image, shape of a lattice: ``(N, r)``, r at most `rank`, rows of length one."""
    i, j = neighbours(z.shape)
    step = np.abs(z.ravel()[i] - z.ravel()[j])
    scale = _EDGE * float(np.median(step)) or 1.0
    A = affinities(i, j, np.exp(-0.5 * np.square(step / scale)) + _LEAK, z.size)
    degree = np.asarray(A.sum(axis=0)).ravel()
    laplacian = csc_array(diags_array(degree) - A)
    number = min(rank + 1, z.size - 1)
    lam, v = eigsh(laplacian, k=number, sigma=-_SHIFT * float(np.median(degree)), v0=np.ones(z.size))
    return unit_rows(damped(lam, v, _CORNER))
