import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, WhiteKernel

from bluesky_gp.gp.covariance import covariance_of
from bluesky_gp.gp.fit import FitProblem
from bluesky_gp.gp.outliers import outlier_noise
from bluesky_gp.gp.posterior import GridPosterior
from bluesky_gp.gp.trend import Trend
from bluesky_gp.grid import PixelGrid

GRID = PixelGrid((40,))
KERNEL = RBF(5.0) + WhiteKernel(0.01)
S = np.arange(0, 40, 2)


def doubted(y, threshold=4.0):
    problem = FitProblem(covariance_of(KERNEL, GRID), None, Trend.constant(40), S, y, np.zeros(len(S)))
    return outlier_noise(problem, KERNEL.theta, threshold)


def test_values_that_the_others_expect_get_no_noise():
    np.testing.assert_array_equal(doubted(np.sin(S / 6.0)), 0.0)


def test_a_value_far_off_gets_so_much_noise_that_it_is_just_as_far_as_allowed():
    y = np.sin(S / 6.0)
    y[7] += 3.0
    extra = doubted(y)
    assert np.flatnonzero(extra).tolist() == [7]
    others = np.delete(np.arange(len(S)), 7)
    left_out = GridPosterior.of(KERNEL, GRID, S[others], y[others])
    deviation = abs(y[7] - left_out.mean[S[7]])
    assert deviation == pytest.approx(4.0 * np.sqrt(left_out.variance[S[7]] + 0.01 + extra[7]), rel=1e-2)


def test_at_most_a_tenth_of_the_values_are_doubted():
    y = np.sin(S / 6.0)
    y[[3, 9, 15]] += [3.0, -3.0, 4.0]
    assert np.count_nonzero(doubted(y)) == 2
