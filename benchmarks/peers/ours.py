"""bluesky_gp as it comes."""

import numpy as np
from loop import Peer, serve

from bluesky_gp import PixelGrid, PixelOptimizer


class Ours(Peer):
    """PixelOptimizer with no option set; the variant is its purpose."""

    packages = ("bluesky_gp", "numpy", "scipy", "scikit-learn")

    def __init__(self, shape, candidates, seed, variant):
        super().__init__(shape, candidates, seed, variant)
        mask = np.ones(shape, dtype=bool)
        mask.flat[candidates] = False
        self.optimizer = PixelOptimizer(
            PixelGrid(tuple(shape), mask=mask if mask.any() else None), "z", seed=seed, purpose=variant or None
        )
        self.known = 0

    def fit(self, pixels, values):
        """Learn what is new."""
        new = zip(pixels[self.known :], values[self.known :], strict=True)
        self.optimizer.ingest([{"_id": int(pixel), "z": float(value)} for pixel, value in new])
        self.known = len(pixels)

    def propose(self, num):
        """Return a batch."""
        return [point["_id"] for point in self.optimizer.suggest(num)]

    def map(self):
        """Return the posterior mean."""
        return self.optimizer.mean.ravel()


if __name__ == "__main__":
    serve(Ours)
