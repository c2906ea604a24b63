import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer, PowerTransformer, QuantileTransformer

from bluesky_gp.optimizer.units import AffineUnits, TransformedUnits

RNG = np.random.default_rng(0)
SKEWED = np.exp(RNG.standard_normal(200))
LOG = FunctionTransformer(np.log, np.exp)


def test_standardised_values_have_mean_zero_and_spread_one_and_come_back():
    units = AffineUnits.of(SKEWED, 1.0)
    inward = units.inward(SKEWED)
    assert inward.mean() == pytest.approx(0.0, abs=1e-12)
    assert inward.std() == pytest.approx(1.0)
    np.testing.assert_allclose(units.outward(inward, np.zeros(200))[0], SKEWED)
    assert units.inward_variance(SKEWED, np.full(200, units.scale))[0] == pytest.approx(1.0)


def test_where_smaller_is_better_inside_larger_is():
    units = AffineUnits.of(np.array([1.0, 3.0]), -1.0)
    np.testing.assert_allclose(units.inward(np.array([1.0, 3.0])), [1.0, -1.0])
    np.testing.assert_allclose(units.outward(np.array([1.0]), np.array([0.25])), [[1.0], [0.5]])


@pytest.mark.parametrize("values", [np.ones(5), np.array([1e9, 1e9 * (1 + 1e-16)])])
def test_equal_values_have_no_spread(values):
    assert AffineUnits.of(values, 1.0).constant
    assert AffineUnits.of(values, 1.0).scale == 1.0


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("transformer", [LOG, PowerTransformer(), QuantileTransformer(n_quantiles=50)], ids=str)
def test_a_transformer_and_its_inverse_give_the_values_back(transformer, sign):
    units = TransformedUnits.of(SKEWED, sign, transformer)
    back, std = units.outward(units.inward(SKEWED), np.zeros(200))
    np.testing.assert_allclose(back, SKEWED, rtol=1e-6)
    np.testing.assert_allclose(std, 0.0, atol=1e-6)
    assert np.isnan(units.inward(np.array([np.nan, 1.0]))).tolist() == [True, False]


def test_moments_of_a_log_normal_are_those_of_the_formula():
    units = TransformedUnits.of(SKEWED, 1.0, LOG)
    mean, std = units.outward(np.array([0.3]), np.array([0.2]))
    mu = units.standard.center + units.standard.scale * 0.3
    s2 = units.standard.scale**2 * 0.2
    assert mean[0] == pytest.approx(np.exp(mu + s2 / 2), rel=1e-9)
    assert std[0] == pytest.approx(np.exp(mu + s2 / 2) * np.sqrt(np.exp(s2) - 1), rel=1e-7)


def test_a_known_error_is_stretched_by_the_slope_of_the_transformation():
    units = TransformedUnits.of(SKEWED, 1.0, LOG)
    variance = units.inward_variance(np.array([2.0]), np.array([0.02]))
    assert np.sqrt(variance[0]) == pytest.approx(0.01 / units.standard.scale, rel=1e-3)
