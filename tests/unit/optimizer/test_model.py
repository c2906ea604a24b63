"""What an optimizer may be told, and what it makes of it."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel
from sklearn.preprocessing import FunctionTransformer

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.gp import LIKELIHOOD, FitProblem, LatticeCovariance, contradicts, likelihood_pixels
from bluesky_gp.optimizer.model import Measurements, Model
from bluesky_gp.optimizer.recipe import Recipe

GRID = PixelGrid((20, 24), step=(0.5, 2.0), origin=(10.0, -5.0), units="um")
ROWS, COLS = np.indices(GRID.shape)
FIXED = ConstantKernel(1.0, "fixed") * RBF([4.0, 4.0], "fixed") + WhiteKernel(0.01, "fixed")
SOME = np.random.default_rng(0).choice(GRID.size, 60, replace=False)


def points(values, pixels=SOME, **more):
    return [{"_id": int(i), "z": float(values.ravel()[i]), **more} for i in pixels]


def learnt(values, pixels=SOME, **options):
    gp = PixelOptimizer(GRID, "z", **options)
    gp.ingest(points(values, pixels))
    return gp


def test_a_known_mean_is_what_is_predicted_far_from_all_pixels():
    trend = 3.0 + 0.1 * ROWS - 0.2 * COLS
    corner = np.flatnonzero((ROWS < 6).ravel() & (COLS < 6).ravel())
    for mean in (trend, lambda xy: 3.0 + 0.1 * (xy[:, 0] - 10.0) / 0.5 - 0.2 * (xy[:, 1] + 5.0) / 2.0):
        gp = learnt(trend + 0.1 * np.sin(ROWS), corner, mean=mean, kernel=FIXED)
        assert gp.mean[19, 23] == pytest.approx(trend[19, 23], abs=1e-6)


def test_a_constant_known_mean_is_a_float():
    gp = learnt(np.sin(ROWS / 3.0), mean=0.25, kernel=FIXED)
    residual = GaussianProcessRegressor(FIXED, optimizer=None)
    y = np.sin(ROWS / 3.0).ravel()[SOME]
    residual.fit(GRID.coordinates[SOME], (y - 0.25) / y.std())
    np.testing.assert_allclose(gp.mean.ravel(), 0.25 + y.std() * residual.predict(GRID.coordinates), atol=1e-7)


@pytest.mark.parametrize("degree", [1, 2])
def test_a_polynomial_trend_continues_beyond_the_pixels(degree):
    surface = 5.0 + 0.3 * ROWS - 0.1 * COLS + (0.02 * ROWS * COLS if degree == 2 else 0.0)
    left = np.flatnonzero((COLS < 12).ravel())[::3]
    gp = learnt(surface, left, mean=degree, kernel=FIXED)
    np.testing.assert_allclose(gp.mean, surface, atol=0.05)


@pytest.mark.parametrize("mean", [3, np.zeros((3, 3)), lambda xy: xy, np.full(GRID.shape, np.nan)])
def test_a_mean_that_does_not_fit_is_refused_before_the_first_pixel(mean):
    with pytest.raises(ValueError, match="PixelOptimizer: mean|degree 0, 1 or 2"):
        PixelOptimizer(GRID, "z", mean=mean)


def test_the_known_error_of_a_value_is_its_noise():
    values = np.sin(ROWS / 3.0)
    gp = PixelOptimizer(GRID, "z", kernel=FIXED)
    gp.ingest(points(values, SOME[:30]))
    gp.ingest(points(values + 0.5, SOME[30:], z_std=10.0))
    y = values.ravel()[SOME].copy()
    y[30:] += 0.5
    scale, center = y.std(), y.mean()
    noise = np.where(np.arange(60) < 30, 0.0, (10.0 / scale) ** 2)
    referee = GaussianProcessRegressor(FIXED, alpha=noise + 1e-14, optimizer=None)
    referee.fit(GRID.coordinates[SOME], (y - center) / scale)
    np.testing.assert_allclose(gp.state.posterior.noise, noise)
    trusting = learnt(values + np.where(np.isin(np.arange(480), SOME[30:]), 0.5, 0.0).reshape(GRID.shape), kernel=FIXED)
    truth = values.ravel()[SOME[:30]]
    assert np.abs(gp.mean.ravel()[SOME[:30]] - truth).max() < np.abs(trusting.mean.ravel()[SOME[:30]] - truth).max()


def test_a_negative_error_is_refused():
    with pytest.raises(ValueError, match="z_std is a standard deviation, got -1"):
        PixelOptimizer(GRID, "z").ingest([{"_id": 1, "z": 1.0, "z_std": -1.0}])


def test_a_skewed_target_is_handed_back_in_its_own_unit_and_never_below_zero():
    values = np.exp(3.0 * np.sin(ROWS / 4.0) * np.cos(COLS / 5.0))
    gp = learnt(values, transform=FunctionTransformer(np.log, np.exp))
    assert (gp.mean > 0.0).all()
    assert gp.best["z"] == pytest.approx(values.ravel()[SOME].max(), rel=0.2)
    plain = learnt(values)
    log_error = [np.abs(np.log(np.maximum(o.mean, 1e-3)) - np.log(values)).mean() for o in (gp, plain)]
    assert log_error[0] < 0.5 * log_error[1]
    assert len(gp.suggest()) == 10


def test_an_earlier_map_is_the_prior_of_the_next():
    rng = np.random.default_rng(1)
    noisy = np.sin(ROWS / 3.0) + 0.1 * rng.standard_normal(GRID.shape)
    theta = learnt(noisy, np.arange(0, GRID.size, 2)).state.theta
    few = SOME[:6]
    believing = learnt(noisy, few, prior={"theta": theta, "std": 0.1})
    np.testing.assert_allclose(believing.state.theta, theta, atol=0.4)
    assert np.abs(learnt(noisy, few).state.theta - theta).max() > 0.4


@pytest.mark.parametrize("prior", [{"theta": [0.0]}, {"theta": [0.0] * 6, "std": 0.0}])
def test_a_prior_that_does_not_fit_the_kernel_is_refused(prior):
    with pytest.raises(ValueError, match="prior must hold 'theta', 6 logarithms"):
        PixelOptimizer(GRID, "z", prior=prior)


def test_an_outlier_is_doubted_on_demand_and_the_doubt_is_in_the_state():
    rng = np.random.default_rng(2)
    values = np.sin(ROWS / 4.0) + 0.02 * rng.standard_normal(GRID.shape)
    pixels = np.arange(0, GRID.size, 3)
    spoilt = values.copy()
    spoilt.ravel()[pixels[50]] = 30.0
    kernel = ConstantKernel(1.0, "fixed") * Matern([6.0, 6.0], "fixed", nu=2.5) + WhiteKernel(1e-3, "fixed")
    believing, doubting = learnt(spoilt, pixels, kernel=kernel), learnt(spoilt, pixels, kernel=kernel, outliers=5.0)
    assert np.flatnonzero(doubting.state.measurements.extra_noise).tolist() == [50]
    assert not believing.state.measurements.extra_noise.any()
    away = np.abs(np.arange(GRID.size) - pixels[50]).reshape(GRID.shape) > 60
    assert np.abs(doubting.mean - values)[away].mean() < 0.5 * np.abs(believing.mean - values)[away].mean()


def test_the_threshold_of_an_outlier_is_positive():
    with pytest.raises(ValueError, match="outliers is a number of standard deviations"):
        PixelOptimizer(GRID, "z", outliers=0.0)


def test_values_that_contradict_the_model_are_fitted_at_once():
    values = np.sin(ROWS / 3.0) * np.cos(COLS / 4.0) + 0.05 * np.random.default_rng(3).standard_normal(GRID.shape)
    gp = learnt(values, np.arange(0, 400, 2))
    assert gp.state.n_fitted == 200
    gp.ingest(points(values, [401, 403]))
    assert gp.state.n_fitted == 200
    gp.ingest(points(values + 3.0, [405, 407]))
    assert gp.state.n_fitted == 204


def test_surprise_is_beyond_the_quantile_of_chi_squared():
    assert not contradicts(np.empty(0))
    assert not contradicts(np.array([3.2]))  # 0.1 % of normal errors are larger than 3.29
    assert contradicts(np.array([3.4]))


def test_of_very_many_pixels_the_likelihood_looks_at_a_thousand_near_and_far():
    places = np.argwhere(np.ones((80, 80)))
    chosen = likelihood_pixels(np.arange(6400), places.astype(float))
    assert len(chosen) == len(set(chosen.tolist())) == LIKELIHOOD
    np.testing.assert_array_equal(chosen, likelihood_pixels(np.arange(6400), places.astype(float)))
    near = np.abs(places[chosen][:, None] - places[chosen][None]).sum(axis=-1) == 1
    assert near.any(axis=1).sum() > 500, "most have a neighbour among them"
    assert likelihood_pixels(np.arange(5), places[:5].astype(float)).tolist() == [0, 1, 2, 3, 4]


def test_a_fit_to_very_many_pixels_takes_them_in_blocks_and_says_so(monkeypatch):
    monkeypatch.setattr("bluesky_gp.gp.fit_schedule.LIKELIHOOD", 60)
    monkeypatch.setattr("bluesky_gp.gp.fit_schedule.BLOCK", 40)
    grid = PixelGrid((12, 12))
    rng = np.random.default_rng(0)
    new = Measurements.of(rng.choice(144, 90, replace=False), rng.standard_normal(90), np.zeros(90), {})
    said = {}
    for numerics, outliers in (("0.3", None), ("0.2", None), ("0.3", 4.0)):
        model = Model.of(
            grid,
            kernel=None,
            prior=None,
            mean=None,
            transform=None,
            outliers=outliers,
            maximize=True,
            numerics=numerics,
        )
        said[numerics, outliers] = model.learn(model.beginning("z"), new, final=False).method
    assert said["0.3", None] == "likelihood of 90 of 90 pixels in 3 blocks"
    assert "blocks" not in said["0.2", None] + said["0.3", 4.0]


def test_a_pixel_measured_twice_is_known_better():
    model = Model.of(GRID, kernel=FIXED, prior=None, mean=0.0, transform=None, outliers=None, maximize=True)
    state = model.beginning("z")
    for pixels in ([5], [5]):
        new = Measurements.of(np.array(pixels), np.array([1.0]), np.zeros(1), {})
        state = model.learn(state, new, final=False)
    assert state.posterior.variance[5] == pytest.approx(0.01 / 2, rel=0.02)


# -- the kernel of a user --------------------------------------------------------------------------------------------

FAR_OFF = {
    "all noise": (ConstantKernel() * RBF(500.0) + WhiteKernel(1.0), [1.0, 4.0, 0.01]),
    "no correlation": (ConstantKernel() * RBF(0.05) + WhiteKernel(1e-3), [1.0, 4.0, 0.01]),
    "long and short": (RBF([200.0, 0.1]) + WhiteKernel(0.5), [3.0, 5.0, 0.01]),
}


def mapped(kernel, **options):
    """Learn sixty pixels of a smooth map, fifteen at a time; return the optimizer and the error of its map."""
    rng = np.random.default_rng(0)
    truth = LatticeCovariance.of(RBF([3.0, 5.0]), GRID).sample(rng)
    values, pixels = truth + 0.1 * rng.standard_normal(GRID.size), rng.permutation(GRID.size)[:60]
    gp = PixelOptimizer(GRID, "z", kernel=kernel, **options)
    for k in (15, 30, 45, 60):
        gp.ingest(points(values, pixels[k - 15 : k]))
    return gp, np.sqrt(np.mean((gp.mean.ravel() - truth) ** 2)) / truth.std()


@pytest.mark.parametrize(("kernel", "right"), FAR_OFF.values(), ids=FAR_OFF)
def test_a_kernel_whose_values_are_far_off_maps_as_well_as_one_whose_values_are_right(kernel, right):
    near, error = mapped(kernel.clone_with_theta(np.log(right)))
    gp, far_off = mapped(kernel)
    assert far_off < error + 0.05
    assert gp.state.log_marginal_likelihood > near.state.log_marginal_likelihood - 0.1
    alone, worse = mapped(kernel, n_restarts=0)
    assert worse > 0.7 and alone.state.log_marginal_likelihood < gp.state.log_marginal_likelihood - 40.0


def test_a_fit_that_takes_everything_for_noise_says_so():
    kernel, _ = FAR_OFF["no correlation"]
    assert "takes neighbouring pixels as unrelated" in mapped(kernel, n_restarts=0)[0].state.warning
    assert "unrelated" not in mapped(kernel)[0].state.warning
    noise = np.random.default_rng(3).standard_normal(GRID.shape)
    assert "takes neighbouring pixels as unrelated" in learnt(noise, kernel=RBF(3.0) + WhiteKernel(0.1)).state.warning


def test_a_line_of_one_pixel_has_no_neighbours_to_speak_of():
    gp = PixelOptimizer(PixelGrid((1,)), "z", kernel=RBF() + WhiteKernel())
    gp.ingest([{"_id": 0, "z": value} for value in (1.0, 2.0, 1.5, 1.2, 0.3)])
    assert "unrelated" not in gp.state.warning


@pytest.mark.parametrize(("gap", "told"), [(6.0, True), (1e25, True), (4.0, False)])
def test_hyperparameters_that_were_far_below_are_told_when_better_ones_are_found(monkeypatch, gap, told):
    solve = FitProblem.solve
    monkeypatch.setattr(FitProblem, "solve", lambda self, *starts: solve(self, *starts)._replace(gap=gap))
    gp = PixelOptimizer(GRID, "z", kernel=RBF(3.0) + WhiteKernel(0.1))
    values = np.sin(ROWS / 3.0) + np.cos(COLS / 4.0)
    gp.ingest(points(values, SOME[:20]))
    assert "fit before" not in gp.state.warning  # there was none
    gp.ingest(points(values, SOME[20:40]))
    assert ("the hyperparameters of the fit before lead to a log likelihood" in gp.state.warning) is told


def test_how_often_a_fit_starts_is_recorded_and_older_records_started_once():
    kernel = RBF(3.0) + WhiteKernel(0.1)
    described = PixelOptimizer(GRID, "z", kernel=kernel).describe()
    assert described["n_restarts"] == 4
    assert PixelOptimizer(GRID, "z").describe()["n_restarts"] == 0  # its starts are chosen already
    with_prior = PixelOptimizer(GRID, "z", kernel=kernel, prior={"theta": kernel.theta.tolist()})
    assert with_prior.describe()["n_restarts"] == 0
    older = {name: value for name, value in described.items() if name != "n_restarts"}
    assert Recipe.of(described).restarts == 4
    assert Recipe.of(older).restarts == 0


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (-1, "n_restarts must be at least 0, got -1"),
        (1.5, "n_restarts must be a whole number, got 1.5"),
        (True, "n_restarts must be a whole number, got True"),
        ("many", "n_restarts must be a whole number, got 'many'"),
    ],
)
def test_a_number_of_restarts_that_is_none_is_refused(number, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        PixelOptimizer(GRID, "z", kernel=RBF() + WhiteKernel(), n_restarts=number)
