"""What acquisition functions are shown: a small map of which some pixels are measured."""

import numpy as np
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from bluesky_gp import PixelOptimizer
from bluesky_gp.optimizer.context import StateContext

KERNEL = ConstantKernel(1.0, "fixed") * Matern(2.0, "fixed", nu=2.5) + WhiteKernel(0.02, "fixed")


class View(StateContext):
    """An context of which another of the same batch can be made."""

    def with_(self, **changes):
        kept = {"posterior": self.posterior, "pixels": self.pixels, "rng": self.rng, "memory": self.memory}
        return View(self.state, **{**kept, **changes})


def outlook_of(grid, *, posterior=None, pixels=None, seed=0, kernel=KERNEL, num=8, **options):
    """An context on a grid of which `num` pixels are measured, or on a given posterior."""
    found = PixelOptimizer(grid, "height", kernel, **options)
    rng = np.random.default_rng(11)
    measured = rng.choice(np.flatnonzero(grid.allowed), num, replace=False)
    found.ingest([{"_id": int(i), "height": float(rng.standard_normal())} for i in measured])
    posterior = found.state.posterior if posterior is None else posterior
    pixels = found.state.candidates() if pixels is None else pixels
    return View(found.state, posterior, pixels, np.random.default_rng(seed))
