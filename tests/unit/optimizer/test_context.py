import numpy as np
import pytest
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.optimizer.context import StateContext
from bluesky_gp.protocols import Acquisition, AcquisitionContext, MapAcquisition

GRID = PixelGrid((7, 6))
KERNEL = ConstantKernel(1.0, "fixed") * Matern([2.0, 3.0], "fixed", nu=2.5) + WhiteKernel(0.01, "fixed")


def height(row, col):
    return float(np.sin(row) + 0.3 * col)


def tilt(row, col):
    return float(5.0 * np.cos(row) - col)


def optimizer(**options):
    found = PixelOptimizer(GRID, "height", KERNEL, n_initial=4, others=["tilt"], **options)
    points = found.suggest(12)
    found.ingest([{**p, "height": height(p["row"], p["col"]), "tilt": tilt(p["row"], p["col"])} for p in points])
    return found


def context(found, posterior=None, seed=0):
    state = found.state
    return StateContext(state, posterior or state.posterior, state.candidates(), np.random.default_rng(seed))


def test_an_outlook_is_one():
    assert isinstance(context(optimizer()), AcquisitionContext)


def test_mean_and_deviation_are_those_of_the_pixels_that_may_be_proposed():
    found = optimizer()
    view = context(found)
    assert view.mean == pytest.approx(found.mean.ravel()[view.pixels])
    assert view.std == pytest.approx(found.std.ravel()[view.pixels])


def test_larger_is_better_where_the_user_wants_the_smallest():
    found = optimizer(maximize=False)
    view = context(found)
    assert view.sign * view.mean == pytest.approx(found.mean.ravel()[view.pixels])
    assert view.best == -found.state.best_value


def test_joint_samples_have_the_mean_and_the_covariance_of_the_posterior_in_the_targets_unit():
    found = optimizer()
    view = context(found)
    drawn = view.samples(4000)
    std, every = found.std.ravel(), np.arange(GRID.size)
    assert np.all(np.abs(drawn.mean(axis=0) - found.mean.ravel()) < 5.0 * std / np.sqrt(4000) + 1e-12)
    expected = found.state.posterior.covariance(every, every) * found.state.units.scale**2
    assert np.cov(drawn.T) == pytest.approx(expected, abs=0.15 * std.max() ** 2)


def test_another_number_is_kriged_with_the_targets_kernel_and_a_constant_of_its_own():
    found = optimizer()
    mean, std = context(found).other("tilt")
    S = found.state.pixels
    y = np.array([tilt(*place) for place in GRID.unravel(S)])
    places, every = GRID.unravel(S).astype(float), GRID.coordinates.astype(float)
    K, cross = KERNEL(places), KERNEL(every, places)
    ones = np.linalg.solve(K, np.ones(len(S)))
    level = ones @ y / ones.sum()
    assert mean == pytest.approx(level + cross @ np.linalg.solve(K, y - level), abs=1e-9)
    assert std == pytest.approx(y.std() * np.sqrt(1.0 - np.einsum("ij,ji->i", cross, np.linalg.solve(K, cross.T))))


def test_a_pixel_of_which_the_other_number_is_missing_says_nothing_of_it():
    found = PixelOptimizer(GRID, "height", KERNEL, others=["tilt"])
    points = [{"row": r, "col": c, "height": height(r, c), "tilt": tilt(r, c)} for r, c in [(0, 0), (3, 2), (6, 5)]]
    found.ingest(points)
    without, _ = context(found).other("tilt")
    found.ingest([{"row": 3, "col": 4, "height": 1.0}])
    assert context(found).other("tilt")[0] == pytest.approx(without)


def test_spectra_are_kept_beside_the_target_and_those_of_failed_pixels_left_out():
    found = PixelOptimizer(GRID, "height", others=["spectrum"])
    found.ingest([{"_id": 3, "height": np.nan}, {"_id": 1, "height": 2.0, "spectrum": [1.0, 2.0, 4.0]}])
    found.ingest([{"_id": 2, "height": 2.5, "spectrum": [0.0, 2.0, 1.0]}])
    assert context(found).measured_values("spectrum").tolist() == [[1.0, 2.0, 4.0], [0.0, 2.0, 1.0]]


def test_what_a_state_knows_of_others_can_be_told_to_another():
    found = optimizer()
    twin = PixelOptimizer(GRID, "height", KERNEL, n_initial=4, others=["tilt"])
    twin.ingest(found.points(found.state))
    assert np.array_equal(twin.state.others["tilt"], found.state.others["tilt"])


def test_a_number_that_nobody_told_of_is_asked_for_by_name():
    with pytest.raises(KeyError, match=r"others=\['width'\]"):
        context(optimizer()).other("width")


def test_a_spectrum_of_another_length_is_refused():
    found = PixelOptimizer(GRID, "height", others=["spectrum"])
    found.ingest([{"_id": 1, "height": 2.0, "spectrum": [1.0, 2.0]}])
    with pytest.raises(ValueError, match=r"\(3,\) came after some of shape \(2,\)"):
        found.ingest([{"_id": 2, "height": 2.0, "spectrum": [1.0, 2.0, 3.0]}])


def test_what_is_asked_once_is_made_once_in_a_batch_and_anew_in_the_next():
    class Counting:
        asked, made = 0, 0

        def on(self, view):
            self.asked += 1
            view.once("mine", self.make)
            return view.std

        def make(self):
            self.made += 1

    counting = Counting()
    found = optimizer(acquisition=counting, batch=1.0)
    found.suggest(4)
    assert (counting.asked > 4, counting.made) == (True, 1)
    found.suggest(4)
    assert counting.made == 2


def test_the_stage_is_at_the_pixel_chosen_last():
    found = optimizer()
    assert context(found).last == found.state.pixels[-1]
    assert context(found, found.state.posterior.condition(9, 0.0)).last == 9


def test_an_acquisition_of_either_kind_is_scored_by_what_it_takes():
    class Spread:
        def on(self, view):
            return view.posterior.variance[view.pixels]

    def of_numbers(mean, std, best, *, rng):
        return mean - best

    view = context(optimizer())
    assert isinstance(Spread(), MapAcquisition)
    assert isinstance(of_numbers, Acquisition)
    assert view.scored_by(Spread()) == pytest.approx(view.posterior.variance[view.pixels])
    assert view.scored_by(of_numbers) == pytest.approx(view.mean - view.best)


def rough(row, col):
    """Noise to a model, or nearly."""
    return float(np.sin(37.0 * row + 61.0 * col))


def test_another_number_is_predicted_as_if_it_were_the_target_and_leaves_the_target_alone():
    found, alone, other = (
        PixelOptimizer(GRID, "height", others=["rough"]),
        PixelOptimizer(GRID, "height"),
        PixelOptimizer(GRID, "rough"),
    )
    for _ in range(3):
        points = [
            {**p, "height": height(p["row"], p["col"]), "rough": rough(p["row"], p["col"])} for p in found.suggest(9)
        ]
        for one in (found, alone, other):
            one.ingest(points)
    assert found.state.theta.tobytes() == alone.state.theta.tobytes()
    assert found.mean.tobytes() == alone.mean.tobytes() and found.std.tobytes() == alone.std.tobytes()
    mean, std = found.state.other("rough")
    assert mean == pytest.approx(other.mean, abs=1e-9) and std == pytest.approx(other.std, rel=1e-9)
    assert np.array_equal(context(found).other("rough")[1], std.ravel())


def test_a_pixel_of_the_batch_is_known_of_every_number():
    found = optimizer()
    posterior = found.state.posterior
    chosen = posterior.condition(20, float(posterior.mean[20])).condition(9, 0.0)
    before, after = context(found).other("tilt"), context(found, chosen).other("tilt")
    scale = before[1] / posterior.std
    assert after[0] == pytest.approx(before[0])
    assert after[1] == pytest.approx(scale * chosen.std)
