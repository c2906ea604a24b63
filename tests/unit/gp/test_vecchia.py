import numpy as np
import pytest
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

from bluesky_gp.gp.lattice_covariance import LatticeCovariance
from bluesky_gp.gp.vecchia import NEIGHBOURS, columns, conditioning_sets, positions
from bluesky_gp.grid import PixelGrid

PRIOR = LatticeCovariance.of(Matern(4.0, nu=1.5) + WhiteKernel(0.05), PixelGrid((30, 25)))


def some_pixels(m):
    return np.random.default_rng(0).choice(750, m, replace=False)


@pytest.mark.parametrize("m", [1, 2, 31, 400])
def test_a_pixel_is_conditioned_on_the_nearest_of_those_that_come_before_it(m):
    at = positions(PRIOR, some_pixels(m))
    order = np.random.default_rng(1).permutation(m)
    sets = conditioning_sets(at, order)
    for i, chosen in enumerate(sets):
        chosen = chosen[chosen >= 0]
        before = order[:i]
        assert set(chosen) <= set(before) and len(set(chosen)) == len(chosen)
        if i <= NEIGHBOURS // 3:  # all of them, where there are few
            assert len(chosen) == i
        elif m > 31 and i > 100:
            distance = np.linalg.norm(at[before] - at[order[i]], axis=1)
            nearest = np.sort(distance)[min(i, NEIGHBOURS) - 1]
            assert np.mean(np.linalg.norm(at[chosen] - at[order[i]], axis=1) <= nearest + 1e-9) > 0.9


def test_a_column_is_the_regression_of_a_pixel_on_its_conditions():
    S, noise = some_pixels(40), np.full(40, 0.05)
    order = np.arange(40)
    sets = conditioning_sets(positions(PRIOR, S), order)
    weights = columns(PRIOR, S, noise, order, sets)
    K = PRIOR.block(S, S) + np.diag(noise)
    for i in (1, 7, 39):
        c = sets[i][sets[i] >= 0]
        regression = np.linalg.solve(K[np.ix_(c, c)], K[c, i])
        left = K[i, i] - K[i, c] @ regression
        assert weights[i, 0] == pytest.approx(1.0 / np.sqrt(left))
        np.testing.assert_allclose(weights[i, 1 : 1 + len(c)], -regression / np.sqrt(left), rtol=1e-9)
        np.testing.assert_array_equal(weights[i, 1 + len(c) :], 0.0)
