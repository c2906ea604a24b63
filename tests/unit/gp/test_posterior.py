import numpy as np
import pytest
from gp_problems import COVARIANCES, all_covariance, assert_same, measured, problems
from hypothesis import given
from hypothesis import strategies as st
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, RationalQuadratic, WhiteKernel

from bluesky_gp.gp.dense_covariance import DenseCovariance
from bluesky_gp.gp.lattice_covariance import LatticeCovariance
from bluesky_gp.gp.posterior import GridPosterior
from bluesky_gp.gp.rotated_matern import RotatedMatern
from bluesky_gp.gp.trend import Trend
from bluesky_gp.grid import PixelGrid

of_any_kind = pytest.mark.parametrize("of_kind", COVARIANCES)
KERNELS = [
    *[kind for nu in (0.5, 1.5, 2.5) for kind in (Matern(4.0, nu=nu), Matern([3.0, 6.0], nu=nu))],
    RBF(2.0),
    RBF([1.5, 3.0]),
    RationalQuadratic(3.0, 0.8),
    RotatedMatern((3.0, 6.0), 2.0),
    ConstantKernel(2.5) * Matern([3.0, 6.0], nu=2.5) + RBF(1.5),
    RBF(8.0) * RationalQuadratic(3.0, 0.8) + WhiteKernel(0.05),
]


# -- scikit-learn is the referee -------------------------------------------------------------------------------------


@of_any_kind
@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_the_posterior_is_the_one_of_scikit_learn(of_kind, kernel):
    problem = measured(kernel)
    mean, covariance = problem.truth()
    posterior = problem.posterior(of_kind)
    np.testing.assert_allclose(posterior.mean, mean, atol=1e-8)
    np.testing.assert_allclose(posterior.variance, covariance.diagonal(), atol=1e-8)
    np.testing.assert_allclose(all_covariance(posterior), covariance, atol=1e-8)


@of_any_kind
@given(problem=problems())
def test_of_any_problem_the_posterior_is_the_one_of_scikit_learn(of_kind, problem):
    mean, covariance = problem.truth()
    posterior = problem.posterior(of_kind)
    np.testing.assert_allclose(posterior.mean, mean, rtol=1e-9, atol=1e-9 * (1.0 + np.abs(mean).max()))
    np.testing.assert_allclose(posterior.variance, covariance.diagonal(), atol=1e-10)
    np.testing.assert_allclose(posterior.std, np.sqrt(posterior.variance))
    np.testing.assert_allclose(all_covariance(posterior), covariance, atol=1e-10)


def test_a_kernel_that_is_not_stationary_has_the_posterior_of_scikit_learn():
    problem = measured(DotProduct(1.0) + RBF(2.0) * DotProduct(3.0) + WhiteKernel(0.1), shape=(5, 6), m=12)
    mean, covariance = problem.truth()
    posterior = problem.posterior(DenseCovariance)
    np.testing.assert_allclose(posterior.mean, mean, atol=1e-9)
    np.testing.assert_allclose(all_covariance(posterior), covariance, atol=1e-9)


# -- weights ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trend", [None, "linear", "known"])
def test_the_mean_of_a_pixel_is_the_sum_of_the_measured_values_by_their_weights(trend):
    grid, rng = PixelGrid((6, 7)), np.random.default_rng(0)
    trends = {"linear": Trend.polynomial(grid.coordinates, 1), "known": Trend.known(rng.standard_normal(42))}
    S, y = rng.choice(42, 12, replace=False), rng.standard_normal(12)
    y[3] = np.nan  # it failed, and weighs nothing
    posterior = GridPosterior.of(ConstantKernel(2.0) * RBF(2.0) + WhiteKernel(0.1), grid, S, y, trend=trends.get(trend))
    measured, values = posterior.measured
    for pixel in (0, int(S[0]), 41):
        weights, offset = posterior.weights(pixel), posterior.trend.offset
        np.testing.assert_allclose(
            offset[pixel] + weights @ (values - offset[measured]), posterior.mean[pixel], atol=1e-9
        )
        assert trend == "known" or weights.sum() == pytest.approx(1.0)


# -- conditioning and observing --------------------------------------------------------------------------------------


@of_any_kind
@given(problem=problems(), data=st.data())
def test_a_pixel_taken_as_measured_is_a_pixel_measured(of_kind, problem, data):
    posterior, pixels, values, noise = problem.posterior(of_kind), problem.pixels, problem.values, problem.noise
    for _ in range(data.draw(st.integers(1, 4))):
        pixel, value = data.draw(st.integers(0, problem.grid.size - 1)), data.draw(st.floats(-5.0, 5.0))
        extra = data.draw(st.sampled_from([0.0, 0.3]))
        posterior = posterior.condition(pixel, value, extra)
        pixels, values, noise = np.append(pixels, pixel), np.append(values, value), np.append(noise, extra)
    assert_same(posterior, problem.posterior(of_kind, pixels=pixels, values=values, noise=noise), 1e-8)


@of_any_kind
@given(problem=problems(), data=st.data())
def test_a_pixel_measured_as_predicted_leaves_the_mean_and_lowers_every_variance(of_kind, problem, data):
    pixel = data.draw(st.integers(0, problem.grid.size - 1))
    posterior = problem.posterior(of_kind, trend=None)
    after = posterior.condition(pixel, posterior.mean[pixel])
    np.testing.assert_array_equal(after.mean, posterior.mean)
    assert np.all(after.variance <= posterior.variance)
    again = problem.posterior(
        of_kind,
        trend=None,
        pixels=np.append(problem.pixels, pixel),
        values=np.append(problem.values, posterior.mean[pixel]),
        noise=np.append(problem.noise, 0.0),
    )
    np.testing.assert_allclose(after.mean, again.mean, atol=1e-8 * (1.0 + np.abs(after.mean).max()))


@st.composite
def arrivals(draw):
    """A problem whose pixels come in two batches, some of them failed, some measured twice."""
    problem = draw(problems(min_pixels=2))
    failed = np.array(draw(st.lists(st.booleans(), min_size=20, max_size=20)))[: len(problem.pixels)]
    values = np.where(failed, np.nan, problem.values)
    return problem, values, draw(st.integers(0, len(values)))


@of_any_kind
@given(arrival=arrivals(), with_ahead=st.booleans(), data=st.data())
def test_a_batch_observed_is_a_fresh_fit(of_kind, arrival, with_ahead, data):
    problem, values, first = arrival
    trend = data.draw(st.sampled_from([None, problem.trend]))
    fresh = problem.posterior(of_kind, values=values, trend=trend)
    start = problem.posterior(
        of_kind, pixels=problem.pixels[:first], values=values[:first], noise=problem.noise[:first], trend=trend
    )
    foreseen, late = None, problem.pixels[first:]
    if with_ahead:
        ahead = start
        for pixel in data.draw(st.permutations(late.tolist())):
            ahead = ahead.condition(pixel, ahead.mean[pixel])
        foreseen = ahead.foreseen
    grown = start.observe(late, values[first:], problem.noise[first:], ahead=foreseen)
    assert_same(grown, fresh, 1e-8)
    assert not grown.fantasies
    np.testing.assert_array_equal(grown.pixels, fresh.pixels)


@of_any_kind
def test_fantasies_of_other_pixels_are_not_taken_for_those_observed(of_kind):
    problem = measured(RBF(2.0) + WhiteKernel(0.01))
    start = problem.posterior(of_kind)
    ahead = start.condition(3, 0.0).condition(50, 0.0).foreseen
    for pixels in ([3, 51], [3], [3, 50, 50]):
        values = np.zeros(len(pixels))
        grown = start.observe(np.array(pixels), values, ahead=ahead)
        assert_same(grown, start.observe(np.array(pixels), values))


@of_any_kind
def test_only_a_posterior_without_fantasies_observes(of_kind):
    posterior = measured(RBF(2.0)).posterior(of_kind).condition(3, 0.0)
    with pytest.raises(ValueError, match="take the posterior without fantasies, and what they foresee"):
        posterior.observe(np.array([3]), np.array([0.0]))


@of_any_kind
def test_observing_nothing_changes_nothing(of_kind):
    posterior = measured(RBF(2.0) + WhiteKernel(0.01)).posterior(of_kind)
    assert_same(posterior.observe(np.array([], dtype=np.intp), np.array([])), posterior, 1e-12)


@of_any_kind
def test_conditioning_and_observing_leave_the_posterior_they_start_from(of_kind):
    posterior = measured(RBF(2.0) + WhiteKernel(0.01)).posterior(of_kind)
    mean, variance = posterior.mean.copy(), posterior.variance.copy()
    posterior.condition(3, 9.0).covariance_column(5)
    posterior.observe(np.array([3, 4]), np.array([9.0, np.nan]))
    np.testing.assert_array_equal(posterior.mean, mean)
    np.testing.assert_array_equal(posterior.variance, variance)


# -- failed pixels ---------------------------------------------------------------------------------------------------


@of_any_kind
@given(arrival=arrivals())
def test_a_failed_pixel_counts_as_measured_at_its_predicted_mean(of_kind, arrival):
    problem, values, _ = arrival
    has_value = np.isfinite(values)
    known = problem.posterior(
        of_kind, pixels=problem.pixels[has_value], values=values[has_value], noise=problem.noise[has_value]
    )
    posterior = problem.posterior(of_kind, values=values)
    np.testing.assert_allclose(posterior.mean, known.mean, atol=1e-9 * (1.0 + np.abs(known.mean).max()))
    predicted = np.where(has_value, values, known.mean[problem.pixels])
    assert_same(posterior, problem.posterior(of_kind, values=predicted), 1e-8)
    np.testing.assert_array_equal(posterior.measured[0], problem.pixels[has_value])


@of_any_kind
def test_where_every_pixel_failed_the_mean_is_the_prior_and_the_variance_is_not(of_kind):
    problem = measured(RBF(2.0) + WhiteKernel(0.01))
    posterior = problem.posterior(of_kind, values=np.full(25, np.nan), trend=None)
    np.testing.assert_array_equal(posterior.mean, 0.0)
    assert posterior.variance[problem.pixels].max() < 0.02
    assert np.isfinite(posterior.sample(np.random.default_rng(0))).all()


@of_any_kind
def test_of_no_pixel_the_posterior_is_the_prior(of_kind):
    nothing = np.array([], dtype=np.intp)
    posterior = GridPosterior.fit(of_kind.of(RBF(2.0) + WhiteKernel(0.1), PixelGrid((4, 3))), nothing, np.array([]))
    np.testing.assert_array_equal(posterior.mean, 0.0)
    np.testing.assert_array_equal(posterior.variance, 1.0)
    assert posterior.observe(np.array([2]), np.array([7.0])).mean[0] == pytest.approx(7.0)


# -- without noise ---------------------------------------------------------------------------------------------------


@of_any_kind
@pytest.mark.parametrize("kernel", [Matern(3.0, nu=0.5), Matern(3.0, nu=2.5), RBF(2.0)], ids=str)
def test_without_noise_the_mean_goes_through_the_values(of_kind, kernel):
    posterior = measured(kernel, noise=0.0).posterior(of_kind)
    pixels, values = posterior.measured
    np.testing.assert_allclose(posterior.mean[pixels], values, atol=1e-4)
    assert posterior.variance.min() >= 0.0
    assert posterior.variance[pixels].max() < 1e-6


@of_any_kind
def test_without_noise_a_pixel_measured_twice_has_the_average_of_its_values(of_kind):
    pixels, values = np.array([3, 3, 40]), np.array([1.0, 1.2, 0.0])
    fresh = GridPosterior.fit(of_kind.of(RBF(3.0), PixelGrid((8, 8))), pixels, values)
    grown = GridPosterior.fit(of_kind.of(RBF(3.0), PixelGrid((8, 8))), pixels[[0, 2]], values[[0, 2]]).observe(
        pixels[[1]], values[[1]]
    )
    for posterior in (fresh, grown):
        assert posterior.mean[3] == pytest.approx(1.1, abs=1e-5)
        assert posterior.variance[3] == pytest.approx(0.0, abs=1e-9)
        assert posterior.condition(3, 1.1).condition(3, 1.1).variance.max() <= posterior.variance.max()
        assert np.isfinite(posterior.sample(np.random.default_rng(0))).all()


@of_any_kind
def test_without_noise_a_pixel_can_be_taken_as_measured_twice(of_kind):
    once = measured(RBF(2.0), noise=0.0, m=3).posterior(of_kind).condition(50, 0.3)
    twice = once.condition(50, once.mean[50])
    np.testing.assert_allclose(twice.mean, once.mean, atol=1e-6)
    np.testing.assert_allclose(twice.variance, once.variance, atol=1e-6)


def test_a_measurement_spreads_by_the_noise_too_and_never_by_nothing():
    posterior = measured(RBF(3.0) + WhiteKernel(0.09)).posterior(LatticeCovariance)
    np.testing.assert_allclose(posterior.measured_std(np.arange(9)) ** 2, posterior.variance[:9] + 0.09)
    certain = measured(RBF(3.0), noise=0.0).posterior(LatticeCovariance)
    assert np.all(certain.measured_std(certain.pixels) >= 1e-6)


# -- samples ---------------------------------------------------------------------------------------------------------


@of_any_kind
@pytest.mark.parametrize("fantasies", [0, 2])
@pytest.mark.parametrize("failed", [0, 2])
def test_joint_samples_have_the_mean_and_the_covariance_of_the_posterior(of_kind, fantasies, failed):
    problem = measured(ConstantKernel(2.0) * Matern([2.0, 3.0], nu=2.5) + WhiteKernel(0.2), shape=(4, 6), m=7)
    problem.values[:failed] = np.nan
    posterior = problem.posterior(of_kind, trend=None)
    for pixel in range(fantasies):
        posterior = posterior.condition(5 * pixel + 1, 1.5, noise=0.4 * pixel)
    rng, n = np.random.default_rng(0), 4000
    samples = np.stack([posterior.sample(rng) for _ in range(n)]) - posterior.mean
    truth = all_covariance(posterior)
    np.testing.assert_allclose(truth.diagonal(), posterior.variance, atol=1e-12)
    standard = np.sqrt((np.outer(posterior.variance, posterior.variance) + truth**2) / n)
    assert (np.abs(samples.T @ samples / n - truth) / standard).max() < 5.0
    assert (np.abs(samples.mean(axis=0)) / np.sqrt(posterior.variance / n)).max() < 5.0


@of_any_kind
def test_a_sample_is_a_function_of_its_generator(of_kind):
    posterior = measured(RBF(2.0) + WhiteKernel(0.1)).posterior(of_kind)
    first, second = (posterior.sample(np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


# -- symmetry --------------------------------------------------------------------------------------------------------


@given(problem=problems())
def test_a_mirrored_map_has_the_mirrored_posterior(problem):
    mirror = np.arange(problem.grid.size).reshape(problem.grid.shape)[..., ::-1]
    if "RotatedMatern" in str(problem.kernel) and problem.grid.ndim == 2:
        mirror = mirror[::-1]  # a rotated metric keeps only the half turn
    mirror = mirror.ravel()
    mirrored = problem.posterior(LatticeCovariance, pixels=mirror[problem.pixels])
    posterior = problem.posterior(LatticeCovariance)
    np.testing.assert_allclose(mirrored.mean[mirror], posterior.mean, atol=1e-9 * (1.0 + np.abs(posterior.mean).max()))
    np.testing.assert_allclose(mirrored.variance[mirror], posterior.variance, atol=1e-10)
