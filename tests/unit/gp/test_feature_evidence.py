"""The likelihood of blocks of values that share features: what dense matrices and scikit-learn's formula give."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import block_diag
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from bluesky_gp.gp import FeatureCovariance, FitProblem, KernelChoice, Trend, covariance_of
from bluesky_gp.gp.course import Course
from bluesky_gp.gp.feature_evidence import FeatureEvidence
from bluesky_gp.grid import PixelGrid

GRID, BLOCKS, M = PixelGrid((12, 12)), (25, 20, 15), 60


@pytest.fixture(params=[False, True], ids=["alike", "shares of the noise"])
def problem(request):
    """Sixty values in three blocks, and seven features in two groups."""
    rng = np.random.default_rng(0)
    choice = KernelChoice.default(GRID.shape).sharing((3, 4))
    base = covariance_of(choice.kernel.k1, GRID)
    covariance = FeatureCovariance.of(base, choice.kernel.k2, rng.standard_normal((GRID.size, 7)) / 3.0)
    S, y, share = rng.choice(GRID.size, M, replace=False), rng.standard_normal(M), rng.uniform(0.5, 1.5, M)
    return FitProblem(
        covariance,
        choice.prior,
        Trend.known(np.zeros(GRID.size)),
        S,
        y,
        np.full(M, 0.02),
        share=share if request.param else None,
        blocks=BLOCKS,
    )


@pytest.fixture
def theta(problem):
    theta = problem.covariance.kernel.theta
    return theta + 0.3 * np.random.default_rng(1).standard_normal(len(theta))


@pytest.fixture
def dense(problem, theta):
    """Covariance of the values, each block apart from the others but for the features."""
    there = problem.covariance.with_theta(theta)
    lattice = replace(problem, covariance=there.base, blocks=())
    A = np.tril(lattice.noisy(there.base.kernel.theta))
    V = there.V[problem.S]
    return np.where(block_diag(*[np.ones((n, n)) for n in BLOCKS]), A + np.tril(A, -1).T, 0.0) + V @ V.T


def test_the_likelihood_is_that_of_the_dense_matrix(problem, theta, dense):
    evidence = problem.evidence(theta)
    assert isinstance(evidence, FeatureEvidence)
    expected = -0.5 * (problem.y @ np.linalg.solve(dense, problem.y) + np.linalg.slogdet(2.0 * np.pi * dense)[1])
    assert evidence.log_likelihood == pytest.approx(expected)


def test_the_values_left_out_are_predicted_as_by_the_dense_matrix(problem, theta, dense):
    inverse = np.linalg.inv(dense)
    np.testing.assert_allclose(problem.evidence(theta).left_out, inverse @ problem.y / np.diagonal(inverse), rtol=1e-9)


def test_gradient_and_information_of_one_block_are_those_of_all_values_together(problem, theta):
    one, together = (replace(problem, blocks=blocks).evidence(theta) for blocks in ((M,), ()))
    assert one.log_likelihood == pytest.approx(together.log_likelihood)
    np.testing.assert_allclose(one.gradient, together.gradient, rtol=1e-8)
    np.testing.assert_allclose(one.information, together.information, rtol=1e-8)
    np.testing.assert_allclose(one.left_out, together.left_out, rtol=1e-8)


@pytest.mark.parametrize("basis", [0, 1])
def test_the_gradient_is_the_derivative_while_each_block_has_a_trend_of_its_own(problem, theta, basis):
    problem = replace(problem, trend=Trend.polynomial(GRID.coordinates, basis))
    along = np.random.default_rng(2).standard_normal(len(theta))
    ahead, behind = (problem.objective(theta + step * along)[0] for step in (1e-5, -1e-5))
    assert problem.objective(theta)[1] @ along == pytest.approx((ahead - behind) / 2e-5, rel=1e-6)
    assert len(problem.evidence(theta).fitted.beta) == len(BLOCKS) * problem.trend.basis.shape[1]


def test_without_features_values_are_left_out_block_by_block(problem):
    pixels = replace(problem, covariance=problem.covariance.base)
    theta = pixels.covariance.kernel.theta
    apart = [part.evidence(theta).left_out for part in pixels.parts]
    np.testing.assert_allclose(pixels.evidence(theta).left_out, np.concatenate(apart))


def test_relevances_that_are_fixed_have_no_gradient(problem):
    kernel = problem.covariance.kernel.k2
    kernel = type(kernel)(kernel.relevance, kernel.ranks, "fixed")
    fixed = replace(problem, covariance=FeatureCovariance.of(problem.covariance.base, kernel, problem.covariance.U))
    evidence = fixed.evidence(fixed.covariance.kernel.theta)
    assert evidence.gradient.shape == (6,) and evidence.information.shape == (6, 6)


def test_blocks_of_a_target_that_changes_with_time_are_taken_as_independent(problem):
    course = Course.of(np.linspace(0.0, 600.0, M))
    timed = replace(problem, time=ConstantKernel(0.1) * RBF(100.0), course=course, prior=None)
    value, gradient = timed.objective(timed.kernel.theta)
    alone = [part.objective(timed.kernel.theta)[0] for part in timed.parts]
    assert value == pytest.approx(sum(alone)) and len(gradient) == len(timed.kernel.theta)
