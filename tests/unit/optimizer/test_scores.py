import numpy as np
import pytest
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

from bluesky_gp.acquisition import ConfidenceBound, ExpectedImprovement, PosteriorUncertainty, ProbabilityOfImprovement
from bluesky_gp.gp import GridPosterior
from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer.scores import ScoresByPixel

GRID = PixelGrid((80, 64))


@pytest.fixture
def posterior():
    rng = np.random.default_rng(0)
    pixels = rng.choice(GRID.size, 600, replace=False)
    return GridPosterior.of(Matern(1.5, nu=1.5) + WhiteKernel(0.1), GRID, pixels, rng.standard_normal(600))


@pytest.mark.parametrize(
    "acquisition",
    [ExpectedImprovement(), ProbabilityOfImprovement(), ConfidenceBound(), PosteriorUncertainty()],
    ids=repr,
)
def test_scores_are_computed_where_the_posterior_has_changed_and_are_those_of_all_pixels(acquisition, posterior):
    assert acquisition.by_pixel
    asked = []

    def compute(posterior, pixels):
        asked.append(len(pixels))
        return acquisition(posterior.mean[pixels], posterior.std[pixels], 0.5, rng=np.random.default_rng())

    remembered, pixels = ScoresByPixel(compute, GRID.size), np.arange(1, GRID.size)
    for value in (None, 3.0, None):
        scores = remembered(posterior, pixels)
        np.testing.assert_array_equal(scores, compute(posterior, pixels))
        chosen = int(pixels[7])
        posterior = posterior.condition(chosen, float(posterior.mean[chosen]) if value is None else value)
        pixels = pixels[pixels != chosen]
    assert asked[0] == GRID.size - 1 and 0 < max(asked[2::2]) < GRID.size / 4
