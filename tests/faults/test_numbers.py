"""Targets and kernels that say little to a model: the next batch is sensible all the same, and the record warns."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.preprocessing import PowerTransformer

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.recording import open_catalog
from bluesky_gp.testing.optimizers import ListOptimizer, ListState

MASK = np.zeros((8, 8), dtype=bool)
MASK[:, :2] = True


def hill(row, col):
    return float(np.exp(-((row - 5.0) ** 2 + (col - 4.0) ** 2) / 8.0))


def random(row, col):
    return float(np.random.default_rng([row, col]).normal())


TRUTHS = {
    "all equal": lambda row, col: 5.0,
    "one differs": lambda row, col: 6.0 if (row, col) == (3, 3) else 5.0,
    "twelve orders of magnitude": lambda row, col: 10.0 ** (12.0 * hill(row, col) - 6.0),
    "an outlier of 1e9": lambda row, col: 1e9 if (row, col) == OUTLIER else hill(row, col),
    "nothing but noise": random,
    "a step": lambda row, col: float(row > 3),
    "a chequerboard": lambda row, col: float((row + col) % 2),
    "the largest numbers": lambda row, col: 1e308 * (-1.0) ** (row + col),
    "the smallest numbers": lambda row, col: 5e-324 * (row + col),
}
OUTLIER = (4, 6)

OPTIONS = {
    "by default": {},
    "a kernel without noise": {"kernel": ConstantKernel() * RBF([3.0, 3.0])},
    "an ill-conditioned covariance": {"kernel": ConstantKernel(1.0, "fixed") * RBF([300.0, 300.0], "fixed")},
    "hyperparameters at their bounds": {"kernel": RBF(2.0, (1.9, 2.1)) + WhiteKernel(1e-3, (1e-3, 1e-2))},
    "doubting outliers": {"outliers": 4.0},
    "transformed": {"transform": PowerTransformer()},
}


def mapped(make_bench, RE, truth, num, **options):  # noqa: N803
    """A map of some pixels, of 48 that are not masked."""
    bench = make_bench()
    bench.grid = PixelGrid((8, 8), step=(0.5, 0.5), units="um", mask=MASK)
    bench.stage.grid = bench.grid
    bench.optimizer = PixelOptimizer(bench.grid, "height", batch_size=6, n_initial=6, **options)
    bench.agent = GPAgent(bench.optimizer, target="det_height")
    bench.detector.truth = truth
    RE(bench.map(num))
    return bench


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("truth", TRUTHS.values(), ids=TRUTHS)
def test_every_batch_is_of_new_pixels_outside_the_mask_and_every_map_of_numbers(make_bench, RE, docs, truth, options):
    mapped(make_bench, RE, truth, 48, **options)
    proposed = [tuple(pixel) for rows in docs.column("gp_proposed", "gp") for pixel in rows if pixel[0] >= 0]
    assert len(proposed) == len(set(proposed)) == 48 and not any(MASK[pixel] for pixel in proposed)
    for data in docs.data("gp_maps"):
        assert np.isfinite(data["gp_maps_mean"]).all() and np.isfinite(data["gp_maps_std"]).all()
    known = [data for data in docs.data("gp") if data["gp_n_measured"]]
    assert all(np.isfinite(data["gp_best_value"]) for data in known) and docs.stops[0]["exit_status"] == "success"


class Lost(ListOptimizer):
    """An optimizer of somebody's own, whose maps are no numbers from the second batch on."""

    def learn(self, state, points, failures=(), *, final=False):
        learnt = super().learn(state, points, failures, final=final)
        return NoNumbers(learnt.shape, learnt.values) if learnt.n_measured > 10 else learnt


class NoNumbers(ListState):
    @property
    def std(self):
        return np.full(self.shape, np.nan)


def test_a_map_that_is_no_numbers_is_not_written(make_bench, RE, docs):
    RE(make_bench(optimizer=Lost).map(30))
    assert docs.column("gp_maps_iteration", "gp_maps") == [1] and docs.counts["gp"] == 4


def warnings_of(docs):
    return docs.column("gp_warning", "gp")


def test_a_map_that_goes_well_has_no_warning(make_bench, RE, docs):
    mapped(make_bench, RE, hill, 48)
    assert set(warnings_of(docs)) == {""}


@pytest.mark.parametrize(
    ("truth", "options", "message"),
    [
        ("all equal", "by default", "all 48 values are equal"),
        ("twelve orders of magnitude", "by default", "orders of magnitude: a transform may suit them"),
        ("an outlier of 1e9", "by default", r"pixel (4, 6) has 1e+09, far from all others: if it is wrong, agent.mark"),
        ("nothing but noise", "an ill-conditioned covariance", "the covariance is ill-conditioned: 1e-"),
        (
            "nothing but noise",
            "hyperparameters at their bounds",
            "at the bounds of the fit: k1__length_scale, k2__noise",
        ),
    ],
)
def test_what_is_doubtful_is_in_the_record_in_words(make_bench, RE, docs, truth, options, message):
    mapped(make_bench, RE, TRUTHS[truth], 48, **OPTIONS[options])
    assert message in warnings_of(docs)[-1]


def test_a_warning_can_be_read_back_from_the_catalog(make_bench, RE, tmp_path):
    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog.writer)
        mapped(make_bench, RE, TRUTHS["all equal"], 12)
        assert catalog[-1]["gp"].read()["gp_warning"].values[-1] == "all 12 values are equal"


def test_an_outlier_that_is_marked_as_failed_troubles_nobody_any_more(make_bench, RE, docs):
    bench = mapped(make_bench, RE, TRUTHS["an outlier of 1e9"], 48)
    optimizer = bench.optimizer
    optimizer.register_failures([{"row": OUTLIER[0], "col": OUTLIER[1]}])
    assert optimizer.state.warning == ""
    assert optimizer.mean.max() < 2.0 and optimizer.best["height"] < 1.5


def test_a_fit_that_does_not_converge_is_told_and_the_run_goes_on(make_bench, RE, docs, monkeypatch):
    from scipy.optimize import minimize

    def impatient(*args, options, **more):
        return minimize(*args, options={**options, "maxiter": 1}, **more)

    monkeypatch.setattr("bluesky_gp.gp.fit._LEGS", (0, 0))  # so that L-BFGS, which is asked last, has to find it
    monkeypatch.setattr("bluesky_gp.gp.fit.minimize", impatient)
    mapped(make_bench, RE, hill, 30)
    assert "the fit of the hyperparameters did not converge" in warnings_of(docs)[-1]
    assert docs.stops[0]["exit_status"] == "success" and docs.counts["primary"] == 30


def test_hyperparameters_that_give_no_posterior_are_those_before_the_first_fit(make_bench, RE, docs, monkeypatch):
    from bluesky_gp.gp.fit import Fit, FitProblem

    lost = lambda self, starts, *search: Fit(np.full(len(starts[0]), np.nan), 0.0, 1)  # noqa: E731
    monkeypatch.setattr(FitProblem, "solve", lost)
    bench = mapped(make_bench, RE, hill, 30)
    assert "the fitted hyperparameters gave no posterior" in warnings_of(docs)[-1]
    assert np.isfinite(bench.optimizer.mean).all()
    assert [len(set(map(tuple, rows))) for rows in docs.column("gp_proposed", "gp")][:5] == [6] * 5


def test_values_that_a_transform_does_not_take_are_taken_as_they_are(make_bench, RE, docs):
    mapped(make_bench, RE, random, 30, transform=PowerTransformer("box-cox"))
    assert "taken as they are, without the transform: " in warnings_of(docs)[-1]


def test_an_acquisition_function_that_gives_no_numbers_is_told(make_bench, RE, docs):
    def half(mean, std, best, *, rng):
        return np.where(np.arange(len(mean)) % 2, std, np.nan)

    mapped(make_bench, RE, hill, 30, acquisition=half)
    assert "the acquisition function gave no number for 12 of 24 pixels" in warnings_of(docs)[-2]


def test_a_kernel_that_is_broken_from_the_beginning_is_an_error_that_says_so():
    optimizer = PixelOptimizer(PixelGrid((8, 8)), "height", kernel=ConstantKernel(np.nan, "fixed") * RBF(2.0))
    with pytest.raises(np.linalg.LinAlgError, match="gives no posterior that is a number everywhere"):
        optimizer.ingest([{"_id": i, "height": float(i)} for i in range(0, 60, 3)])


def test_a_pixel_measured_many_times_without_noise_is_measured():
    optimizer = PixelOptimizer(PixelGrid((8, 8)), "height", kernel=ConstantKernel() * RBF([3.0, 3.0]))
    for value in (1.0, 1.0, 1.1):
        optimizer.ingest([{"_id": i, "height": value + hill(*divmod(i, 8))} for i in range(0, 64, 5)])
    assert np.isfinite(optimizer.mean).all() and len(optimizer.suggest(10)) == 10
    assert "ill-conditioned" in optimizer.state.warning
