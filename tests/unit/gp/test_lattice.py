import numpy as np
from gp_problems import problems
from hypothesis import given
from hypothesis import strategies as st

from bluesky_gp.gp.lattice_covariance import LatticeCovariance


@given(problems(), st.integers(0, 99))
def test_a_product_by_fft_is_the_product_with_the_matrix(problem, seed):
    product = LatticeCovariance.of(problem.kernel, problem.grid).product
    everywhere = problem.grid.coordinates
    fields = np.random.default_rng(seed).standard_normal((2, problem.grid.size))
    truth = fields @ problem.kernel(everywhere, everywhere)
    np.testing.assert_allclose(product(fields), truth, atol=1e-12 * np.abs(truth).max())
    np.testing.assert_allclose(product(fields[0]), truth[0], atol=1e-12 * np.abs(truth).max())
