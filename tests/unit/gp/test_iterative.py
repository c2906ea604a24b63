import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel

from bluesky_gp import PixelGrid
from bluesky_gp.gp.cholesky import CholeskySolver
from bluesky_gp.gp.iterative import IterativeSolver
from bluesky_gp.gp.lattice_covariance import LatticeCovariance
from bluesky_gp.gp.rotated_matern import RotatedMatern

KERNELS = [
    ConstantKernel(2.0) * RotatedMatern((4.0, 9.0), 2.0) + WhiteKernel(0.01),
    Matern([3.0, 5.0], nu=0.5) + WhiteKernel(1e-4),
    RBF(4.0) + WhiteKernel(1e-3),
]


def both(kernel, m, shape=(40, 37), seed=0, tolerance=1e-13):
    """The same system by iteration and by Cholesky."""
    grid, rng = PixelGrid(shape), np.random.default_rng(seed)
    prior = LatticeCovariance.of(kernel, grid)
    S = rng.choice(grid.size, m, replace=False)
    noise = prior.noise + 0.01 * rng.random(m)
    dense = CholeskySolver.factorise(prior.block(S, S) + np.diag(noise))
    return IterativeSolver.build(prior, S, noise, tolerance=tolerance), dense, prior, S, noise


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("m", [1, 2, 31, 700])
def test_iteration_and_factorisation_give_the_same_solution(kernel, m):
    iterative, dense, *_ = both(kernel, m)
    b = np.random.default_rng(1).standard_normal((m, 2))
    truth = dense.solve(b)
    np.testing.assert_allclose(iterative.solve(b), truth, atol=1e-8 * np.abs(truth).max())
    np.testing.assert_allclose(iterative.solve(b[:, 0]), truth[:, 0], atol=1e-8 * np.abs(truth).max())


def test_the_preconditioner_is_exact_where_every_pixel_is_a_condition():
    iterative, dense, prior, S, noise = both(KERNELS[0], 25)
    U, U_T = iterative._factor
    K = prior.block(S, S) + np.diag(noise)
    np.testing.assert_allclose((U @ U_T) @ K, np.eye(25), atol=1e-8)


def test_the_preconditioner_leaves_few_iterations(monkeypatch):
    iterative, *_ = both(KERNELS[0], 1000, shape=(128, 128), tolerance=1e-8)
    count = []
    product = IterativeSolver.product
    monkeypatch.setattr(IterativeSolver, "product", lambda self, v: count.append(1) or product(self, v))
    iterative.solve(np.random.default_rng(0).standard_normal(1000))
    assert len(count) <= 20


def test_a_solution_from_a_good_guess_is_the_same():
    iterative, dense, *_ = both(KERNELS[0], 300)
    b = np.random.default_rng(2).standard_normal(300)
    truth = dense.solve(b)
    np.testing.assert_allclose(iterative.solve(b, truth + 1e-3), truth, atol=1e-9 * np.abs(truth).max())
    np.testing.assert_array_equal(iterative.solve(np.zeros(300)), np.zeros(300))


def test_a_grown_solver_solves_the_larger_system():
    iterative, dense, prior, S, noise = both(KERNELS[0], 300)
    smaller = IterativeSolver.build(prior, S[:290], noise[:290], tolerance=1e-13)
    grown = smaller.extend(prior, S[:290], S[290:], noise[290:] - prior.noise)
    b = np.random.default_rng(3).standard_normal(300)
    truth = dense.solve(b)
    np.testing.assert_allclose(grown.solve(b), truth, atol=1e-8 * np.abs(truth).max())


@pytest.mark.parametrize(("moved", "kept"), [(0.01, True), (0.5, False)])
def test_a_solver_of_a_fit_before_serves_the_next_whose_weights_are_renewed_where_hyperparameters_moved(moved, kept):
    iterative, _, prior, S, noise = both(KERNELS[0], 290)
    other = prior.with_theta(prior.kernel.theta + moved)
    more = np.concatenate([S, np.setdiff1d(np.arange(S.max()), S)[:10]])
    noise = np.append(noise, np.full(10, 0.02))
    after = IterativeSolver.after(iterative, other, more, noise)
    b = np.random.default_rng(3).standard_normal(300)
    truth = CholeskySolver.factorise(other.block(more, more) + np.diag(noise)).solve(b)
    np.testing.assert_allclose(after.solve(b), truth, atol=1e-8 * np.abs(truth).max())
    assert np.array_equal(after.order[:290], iterative.order)
    assert np.array_equal(after.weights[:290], iterative.weights) is kept
    assert IterativeSolver.after(iterative, other, more[::-1], noise).order.tolist() != after.order.tolist()


def test_a_solver_that_grows_by_no_pixel_stays_as_it_is():
    iterative, _, prior, S, _ = both(KERNELS[0], 40)
    nothing = np.empty(0)
    assert iterative.extend(prior, S, nothing.astype(int), nothing) is iterative


def test_new_pixels_beside_each_other_are_conditions_of_each_other():
    iterative, _, prior, S, _ = both(KERNELS[0], 290)
    new = np.setdiff1d(np.arange(S.max()), S)[:3]
    grown = iterative.extend(prior, S, new, np.zeros(3))
    assert [290 in row for row in grown.conditions[-3:].tolist()] == [False, True, True]


def test_more_pixels_than_numpy_buffers_have_the_right_covariance():
    # numpy 2.4's unravel_index is wrong for more than 8192 numbers in an array of shape (n, 1)
    grid = PixelGrid((100, 100))
    prior = LatticeCovariance.of(KERNELS[0], grid)
    S = np.arange(9000)
    np.testing.assert_array_equal(
        prior.block(S, S[:3])[8500:], np.array([prior.column(p)[S] for p in range(3)]).T[8500:]
    )


def test_pixels_measured_twice_are_no_obstacle():
    grid = PixelGrid((20, 20))
    prior = LatticeCovariance.of(KERNELS[0], grid)
    S = np.tile(np.arange(0, 400, 7), 2)
    noise = np.full(len(S), prior.noise)
    b = np.random.default_rng(0).standard_normal(len(S))
    truth = CholeskySolver.factorise(prior.block(S, S) + np.diag(noise)).solve(b)
    found = IterativeSolver.build(prior, S, noise, tolerance=1e-13).solve(b)
    np.testing.assert_allclose(found, truth, atol=1e-8 * np.abs(truth).max())
