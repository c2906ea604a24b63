import numpy as np
import pytest

from bluesky_gp.gp.low_rank import radial_features


@pytest.mark.parametrize("X", [np.linspace(0.0, 4.0, 300)[:, None], np.random.default_rng(0).standard_normal((300, 2))])
def test_products_of_features_are_the_kernel(X):
    U = radial_features(X, 1.5, 60)
    K = np.exp(-0.5 * ((X[:, None] - X) ** 2).sum(axis=-1) / 1.5**2)
    assert np.sqrt(np.mean(np.square(U @ U.T - K))) < 0.005
    np.testing.assert_allclose(np.square(U).sum(axis=1), 1.0)


def test_there_are_no_more_features_than_asked_for_and_rows_stay_of_length_one():
    U = radial_features(np.random.default_rng(0).standard_normal((500, 6)), 0.5, 8)
    assert U.shape == (500, 8)
    np.testing.assert_allclose(np.square(U).sum(axis=1), 1.0)


@pytest.mark.parametrize("X", [np.zeros((9, 1)), np.array([[0.0], [1.0]] * 5)])
def test_quantities_of_one_or_two_values_have_features_too(X):
    assert np.isfinite(radial_features(X, 1.0, 12)).all()


def test_the_same_quantities_give_the_same_features_to_the_last_bit():
    X = np.random.default_rng(3).standard_normal((400, 3))
    assert np.array_equal(radial_features(X, 1.0, 20), radial_features(X.copy(), 1.0, 20))
