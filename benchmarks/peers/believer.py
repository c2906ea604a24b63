"""scikit-learn's Gaussian process as kriging believer: expected improvement, each pixel added at its predicted mean."""

import numpy as np
from loop import Peer, serve
from scipy.stats import norm
from sklearn.base import clone
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

KERNEL = ConstantKernel(1.0, (1e-4, 1e4)) * Matern([6.0, 6.0], (0.7, 100.0), nu=2.5) + WhiteKernel(0.01, (1e-6, 1e1))


class Believer(Peer):
    """Matern 5/2 with a length scale per axis and white noise, fitted in every iteration from where it was."""

    packages = ("scikit-learn", "scipy", "numpy")
    kernel = KERNEL

    def fit(self, pixels, values):
        """Fit the hyperparameters."""
        super().fit(pixels, values)
        self.model = GaussianProcessRegressor(self.kernel, normalize_y=True).fit(self.places[pixels], values)
        self.kernel = self.model.kernel_

    def propose(self, num):
        """Choose one pixel after another."""
        chosen, believed, model = [], [], self.model
        best = model.predict(self.places[self.pixels]).max()
        noise = self.kernel.k2.noise_level * np.var(self.values)
        for _ in range(num):
            mean, std = model.predict(self.places, return_std=True)
            score = improvement(mean - best, np.sqrt(np.maximum(std**2 - noise, 1e-12 * noise)))
            left = np.setdiff1d(self.left(), chosen)
            chosen.append(int(left[np.argmax(score[left])]))
            believed.append(mean[chosen[-1]])
            model = clone(self.model).set_params(kernel=self.kernel, optimizer=None)
            model.fit(self.places[[*self.pixels, *chosen]], [*self.values, *believed])
        return chosen

    def map(self):
        """Return the posterior mean."""
        return self.model.predict(self.places)


def improvement(gain, std):
    """Return the expected improvement."""
    return gain * norm.cdf(gain / std) + std * norm.pdf(gain / std)


if __name__ == "__main__":
    serve(Believer)
