r"""Features that are alike where no thin line of the image lies between: domains and grains whose walls it shows.

======  ======================================================  ================
symbol  meaning                                                 shape
======  ======================================================  ================
w       strength of a line halfway between two neighbours       (pairs,)
A       affinity of neighbours, small across a line             (N, N)
D       sums of the rows of A                                   (N,)
lam, v  smallest eigenvalues of I - D^-1 A, right eigenvectors  (r,), (N, r)
======  ======================================================  ================

.. math:: A_{ij} = e^{-w_{ij}^2 / 2 t^2} + \epsilon

Halfway, as a line covers pixels that belong to one of its sides: the larger of both pixels' strengths would cut them
off from that side too.

Divided by D (Shi & Malik 2000, IEEE Trans. Pattern Anal. Mach. Intell. 22, 888): without it, as in `regions`, each
pixel of a line is a region of its own, alike to nothing, and such pixels take the features that grains should have.
"""

import numpy as np
from scipy.sparse import csc_array, diags_array, eye_array
from scipy.sparse.linalg import eigsh

from bluesky_gp.gp import unit_rows
from bluesky_gp.overview.lines import line_strength_between
from bluesky_gp.overview.pixel_graph import affinities, damped, neighbours, on_coarse_pixels
from bluesky_gp.typing import Floats

_LINE = 0.25  # t, in strengths of a strong line
_STRONG = 0.98  # quantile of the strengths that counts as one
_LEAK = 0.003  # epsilon: how much neighbours have in common in spite of a line
_CORNER = 0.15  # of the eigenvalues: those above are damped
_SHIFT = 1e-3  # below zero, where no eigenvalue is


@on_coarse_pixels
def enclosure_features(z: Floats, rank: int) -> Floats:
    """Return features of an image, shape of a lattice: ``(N, r)``, r at most `rank`, rows of length one."""
    i, j = neighbours(z.shape)
    strength = line_strength_between(z)
    w = strength[tuple(np.add(np.unravel_index(i, z.shape), np.unravel_index(j, z.shape)))]
    strong = _LINE * float(np.quantile(strength, _STRONG)) or 1.0
    A = affinities(i, j, np.exp(-0.5 * np.square(w / strong)) + _LEAK, z.size)
    root = diags_array(1.0 / np.sqrt(np.asarray(A.sum(axis=0)).ravel()))
    laplacian = csc_array(eye_array(z.size) - root @ A @ root)
    lam, v = eigsh(laplacian, k=min(rank + 1, z.size - 1), sigma=-_SHIFT, v0=np.ones(z.size))
    return unit_rows(root @ damped(lam, v, _CORNER))
