"""GPim: its boptimizer with expected improvement and its batches, kept apart by the kernel's length scale."""

import numpy as np
from gpim import boptimizer
from loop import Peer, serve


class GPimBatch(Peer):
    """Default kernel and training: 1000 iterations whenever there are new data, from where it was."""

    packages = ("gpim", "pyro-ppl", "torch")
    model = None

    def fit(self, pixels, values):
        """Train on all that was measured."""
        super().fit(pixels, values)
        sparse, seen, grid = self.images()
        if self.model is None:
            # A batch of ten is its own default; pixels that were measured are masked out for it.
            options = {"acquisition_function": "ei", "batch_update": True, "verbose": 0, "seed": self.seed}
            self.model = boptimizer(sparse, seen, grid, target_function=None, **options)
            self.model.surrogate_model.train()
            return
        self.model.X_sparse, self.model.y_sparse = sparse, seen
        self.model.update_posterior()

    def propose(self, num):
        """Ask for a batch."""
        free = np.full(len(self.places), np.nan)
        free[self.left()] = 1.0
        self.model.mask = free.reshape(self.shape)
        _, indices = self.model.next_point()
        return np.ravel_multi_index(np.array(indices).T, self.shape)[:num]

    def map(self):
        """Return the posterior mean."""
        everywhere = self.images()[2]  # without it, the pixels that its acquisition function looked at last
        return np.asarray(self.model.surrogate_model.predict(everywhere, verbose=0)[0]).ravel()

    def images(self):
        """Return positions and values with NaN where nothing was measured, and all positions."""
        grid = self.places.T.reshape(-1, *self.shape)
        seen = np.full(len(self.places), np.nan)
        seen[self.pixels] = self.values
        seen = seen.reshape(self.shape)
        return np.where(np.isnan(seen), np.nan, grid), seen, grid


if __name__ == "__main__":
    serve(GPimBatch)
