"""gpCAM: its defaults, asked for ten of the candidates by the acquisition function that the variant names."""

import numpy as np
from gpcam import GPOptimizer
from loop import Peer, serve


class Candidates(Peer):
    """Default kernel, noise, bounds and training; trained in every iteration, from where it was."""

    packages = ("gpcam", "fvgp", "numpy")
    hyperparameters = None

    def __init__(self, shape, candidates, seed, variant):
        super().__init__(shape, candidates, seed, variant)
        np.random.seed(seed)  # noqa: NPY002 - gpCAM draws from numpy's global generator

    def fit(self, pixels, values):
        """Make and train a Gaussian process."""
        super().fit(pixels, values)
        self.model = GPOptimizer(self.places[self.pixels], self.values, init_hyperparameters=self.hyperparameters)
        self.model.train()
        self.hyperparameters = self.model.hyperparameters

    def propose(self, num):
        """Ask for a batch."""
        left = self.left()
        asked = self.model.ask(list(self.places[left]), n=num, acquisition_function=self.variant)
        return np.ravel_multi_index(np.array(asked["x"]).round().astype(int).T, self.shape)

    def map(self):
        """Return the posterior mean."""
        return self.model.posterior_mean(self.places)["m(x)"]


if __name__ == "__main__":
    serve(Candidates)
