import numpy as np
import pytest
from gp_problems import COVARIANCES, all_covariance, problems
from hypothesis import given
from hypothesis import strategies as st

from bluesky_gp.gp import lattice_covariance as module
from bluesky_gp.gp.trend import Trend

of_any_kind = pytest.mark.parametrize("of_kind", COVARIANCES)


@of_any_kind
@pytest.mark.parametrize("solved", ["directly", "by iteration"])
@given(problem=problems(), data=st.data())
def test_blocks_tiles_and_products_are_those_of_the_columns(of_kind, solved, problem, data):
    trend = data.draw(st.sampled_from([problem.trend, Trend.polynomial(problem.grid.coordinates, 1)]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "DENSE", 0 if solved == "by iteration" else module.DENSE)
        posterior = problem.posterior(of_kind, trend=trend)
    for pixel in data.draw(st.lists(st.integers(0, problem.grid.size - 1), max_size=2, unique=True)):
        posterior = posterior.condition(pixel, 0.3)
    columns, every = all_covariance(posterior), np.arange(problem.grid.size)
    tolerance = {"atol": 1e-6 * posterior.variance.max(), "rtol": 1e-6}
    rows = np.random.default_rng(0).choice(every, 1 + len(every) // 2, replace=False)
    np.testing.assert_allclose(posterior.covariance(rows, every), columns[rows], **tolerance)
    for places, block in posterior.covariance_tiles(rows, 3):
        np.testing.assert_allclose(block, columns[np.ix_(rows[places], rows[places[0] :])], **tolerance)
    field = np.random.default_rng(1).standard_normal(len(every))
    tolerance["atol"] *= np.abs(field).sum()
    np.testing.assert_allclose(posterior.product(field), columns @ field, **tolerance)
