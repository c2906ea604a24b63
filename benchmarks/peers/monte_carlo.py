"""BoTorch: SingleTaskGP as it comes, its own fit, a Monte Carlo acquisition function over the pixels."""

import numpy as np
import torch
from botorch.acquisition.logei import qLogExpectedImprovement, qLogNoisyExpectedImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.optim import optimize_acqf_discrete
from gpytorch.mlls import ExactMarginalLogLikelihood
from loop import Peer, serve


class MonteCarlo(Peer):
    """Positions in the unit square, double precision, as its documentation asks for; all else is default."""

    packages = ("botorch", "gpytorch", "torch")

    def __init__(self, shape, candidates, seed, variant):
        super().__init__(shape, candidates, seed, variant)
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self.inputs = torch.tensor(self.places / (np.array(self.shape) - 1))

    def fit(self, pixels, values):
        """Fit a new model."""
        super().fit(pixels, values)
        self.model = SingleTaskGP(self.inputs[self.pixels], torch.tensor(self.values)[:, None])
        fit_gpytorch_mll(ExactMarginalLogLikelihood(self.model.likelihood, self.model))

    def propose(self, num):
        """Choose a batch by its discrete optimizer."""
        left = self.left()
        with torch.no_grad():
            chosen, _ = optimize_acqf_discrete(self.acquisition(), q=num, choices=self.inputs[left])
        return left[torch.cdist(chosen, self.inputs[left]).argmin(dim=1).numpy()]

    def acquisition(self):
        """Return the acquisition function that the variant names."""
        if self.variant == "qLogEI":
            return qLogExpectedImprovement(self.model, self.model.posterior(self.inputs[self.pixels]).mean.max())
        return qLogNoisyExpectedImprovement(self.model, self.inputs[self.pixels])

    def map(self):
        """Return the posterior mean."""
        with torch.no_grad():
            return self.model.posterior(self.inputs).mean.numpy().ravel()


if __name__ == "__main__":
    serve(MonteCarlo)
