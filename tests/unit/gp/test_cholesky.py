import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from bluesky_gp.gp import LatticeCovariance
from bluesky_gp.gp.cholesky import CholeskySolver
from bluesky_gp.grid import PixelGrid


def positive_definite(m, seed=0):
    root = np.random.default_rng(seed).standard_normal((m, m))
    return root @ root.T + np.eye(m)


@given(st.integers(1, 30), st.integers(0, 99))
def test_the_factor_solves_inverts_and_has_the_determinant_of_k(m, seed):
    K, b = positive_definite(m, seed), np.random.default_rng(seed).standard_normal((m, 3))
    solver = CholeskySolver.factorise(K)
    assert solver.jitter == 0.0
    np.testing.assert_allclose(K @ solver.solve(b), b, atol=1e-10)
    np.testing.assert_allclose(K @ solver.solve(b[:, 0]), b[:, 0], atol=1e-10)
    np.testing.assert_allclose(solver.half(b).T @ solver.half(b), b.T @ solver.solve(b), atol=1e-10)
    np.testing.assert_allclose(np.tril(solver.inverse()), np.tril(np.linalg.inv(K)), atol=1e-10)
    assert solver.log_determinant == pytest.approx(np.linalg.slogdet(K)[1])


@given(st.integers(1, 12), st.integers(0, 30), st.integers(0, 99))
def test_the_quicker_way_takes_off_a_variance_what_the_other_does(m, k, seed):
    K, cross = positive_definite(m, seed), np.random.default_rng(seed).standard_normal((m, k))
    plain, quick = (CholeskySolver.factorise(K, quick=quick) for quick in (False, True))
    np.testing.assert_allclose(quick.reduce(cross), plain.reduce(cross), rtol=1e-9, atol=1e-12)


@given(st.integers(0, 20), st.integers(0, 10), st.integers(0, 99))
def test_a_factor_grown_by_rows_is_the_factor_of_the_larger_matrix(m, k, seed):
    K = positive_definite(m + k, seed)
    grown = CholeskySolver.factorise(K[:m, :m]).bordered(K[:m, m:], K[m:, m:])
    np.testing.assert_allclose(grown.L, CholeskySolver.factorise(K).L, atol=1e-11)


@pytest.mark.parametrize("m", [4, 6, 8, 10])
@pytest.mark.parametrize("amplitude", [1e-6, 1.0, 1e6])
def test_a_factor_that_takes_the_place_of_its_matrix_is_as_wary_of_rounding_as_any(m, amplitude):
    S = np.arange(m)
    for length in np.arange(3.0, 60.0, 3.0):
        prior = LatticeCovariance.of(ConstantKernel(amplitude) * RBF(length), PixelGrid((m,)))
        found = CholeskySolver.of(prior, S, np.zeros(m))
        truth = CholeskySolver.factorise(prior.block(S, S) + prior.noise * np.eye(m))
        assert found.jitter == truth.jitter
        np.testing.assert_array_equal(found.L, truth.L)


def test_of_no_pixels_there_is_nothing_to_solve():
    solver = CholeskySolver.factorise(np.empty((0, 0)))
    assert solver.solve(np.empty(0)).shape == (0,)
    assert solver.half(np.empty((0, 3))).shape == (0, 3)
    assert solver.log_determinant == 0.0
    np.testing.assert_allclose(solver.bordered(np.empty((0, 1)), np.array([[4.0]])).L, [[2.0]])


def test_a_singular_matrix_gets_as_little_jitter_as_it_takes():
    solver = CholeskySolver.factorise(5.0 * np.ones((3, 3)))
    assert solver.jitter == 1e-10
    np.testing.assert_allclose(solver.L @ solver.L.T, 5.0 * np.ones((3, 3)) + 5e-10 * np.eye(3), rtol=1e-15)


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_a_pivot_that_is_rounding_is_not_taken_for_one(scale):
    # 1 + 2^-52 is the next number after 1: positive definite, if barely, and its inverse nothing but rounding.
    K = scale * np.array([[1.0, 1.0], [1.0, 1.0 + 2.0**-52]])
    assert CholeskySolver.factorise(K).jitter == 1e-10


def test_a_row_that_repeats_another_gets_jitter_when_the_factor_grows():
    K = positive_definite(4)
    grown = CholeskySolver.factorise(K).bordered(K[:, [2]], K[[2]][:, [2]])
    again = np.ix_([0, 1, 2, 3, 2], [0, 1, 2, 3, 2])
    assert grown.jitter == 1e-10
    np.testing.assert_allclose(grown.L @ grown.L.T, K[again], atol=1e-8)
    further = grown.bordered(K[[0, 1, 2, 3, 2]][:, [1]], K[[1]][:, [1]])  # the jitter stays, for the new row too
    assert further.jitter == 1e-10
    assert np.all(np.isfinite(further.inverse()))


@pytest.mark.parametrize(
    ("K", "message"),
    [
        (np.array([[np.nan]]), "covariance of the measured pixels is not finite"),
        (np.array([[1.0, np.inf], [np.inf, 1.0]]), "is not finite"),
        (-np.eye(2), "covariance of 2 pixels is not positive definite, jitter 1e-4 included"),
    ],
)
def test_what_cannot_be_factorised_is_a_clear_error(K, message):
    with pytest.raises(np.linalg.LinAlgError, match=message):
        CholeskySolver.factorise(K)


def test_large_factors_grow_and_solve_as_small_ones_do():
    rng = np.random.default_rng(0)
    A = rng.standard_normal((290, 400))
    K, b = A @ A.T, rng.standard_normal((280, 30))
    first = CholeskySolver.factorise(K[:280, :280])
    grown = first.bordered(K[:280, 280:], K[280:, 280:])
    np.testing.assert_allclose(grown.L, np.linalg.cholesky(K), atol=1e-9)
    np.testing.assert_allclose(first.L @ first.half(b), b, atol=1e-9)
    assert CholeskySolver.factorise(np.ones((260, 260))).jitter > 0.0
