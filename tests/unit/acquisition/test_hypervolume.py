import mpmath
import numpy as np
import pytest
from views import measured, optimizer, view

from bluesky_gp import ExpectedImprovement
from bluesky_gp.acquisition.hypervolume import (
    ExpectedHypervolumeImprovement,
    log_hypervolume_improvement,
    pareto_front,
)
from bluesky_gp.plain_data import describe, make

FRONT = np.array([[5.0, 3.0, 2.9, 1.0], [0.5, 1.0, 3.0, 4.0]])
REFERENCE = np.array([0.0, 0.0])


def area(front, reference):
    """What a set of points dominates, by staircase."""
    points = sorted(front.T.tolist(), reverse=True)
    total, floor = 0.0, reference[1]
    for a, b in points:
        if a > reference[0] and b > floor:
            total, floor = total + (a - reference[0]) * (b - floor), b
    return total


def improvement(a, b):
    return area(np.column_stack([FRONT, [a, b]]), REFERENCE) - area(FRONT, REFERENCE)


@pytest.mark.parametrize("mean", [(4.0, 2.0), (1.0, 1.0), (6.0, 6.0), (-1.0, 5.0)])
def test_it_is_the_mean_growth_of_the_dominated_area(mean):
    rng = np.random.default_rng(2)
    a, b = (m + s * rng.standard_normal(40_000) for m, s in zip(mean, (0.8, 1.1), strict=True))
    gains = np.array([improvement(*pair) for pair in zip(a, b, strict=True)])
    pairs = [(np.array([m]), np.array([s])) for m, s in zip(mean, (0.8, 1.1), strict=True)]
    score = np.exp(log_hypervolume_improvement(*pairs, FRONT, REFERENCE))[0]
    assert score == pytest.approx(gains.mean(), abs=5 * gains.std() / np.sqrt(len(gains)))


@mpmath.workdps(60)
def exact(mean, std):
    def gain(mu, sd, bar):
        z = (mpmath.mpf(mu) - mpmath.mpf(bar)) / mpmath.mpf(sd)
        return sd * (mpmath.npdf(z) + z * mpmath.ncdf(z))

    bars, floors = [*FRONT[0], REFERENCE[0]], [REFERENCE[1], *FRONT[1]]
    total = gain(mean[0], std, bars[0]) * gain(mean[1], std, floors[0])
    for i in range(1, len(bars)):
        width = gain(mean[0], std, bars[i]) - gain(mean[0], std, bars[i - 1])
        total += width * gain(mean[1], std, floors[i])
    return float(mpmath.log(total))


@pytest.mark.parametrize("std", [1.0, 0.1, 1e-3])
@pytest.mark.parametrize("mean", [(-30.0, -20.0), (-1.0, -1.0), (2.95, 2.0), (50.0, -30.0), (4.0, 9.0)])
def test_far_from_the_front_it_is_exact_as_well(mean, std):
    pairs = [(np.array([m]), np.array([std])) for m in mean]
    got = log_hypervolume_improvement(*pairs, FRONT, REFERENCE)[0]
    assert got == pytest.approx(exact(mean, std), rel=1e-10, abs=1e-10)


def test_known_numbers_give_the_growth_itself_or_nothing():
    mean = np.array([[4.0, 1.0], [2.0, 0.5]])
    scores = log_hypervolume_improvement((mean[0], np.zeros(2)), (mean[1], np.zeros(2)), FRONT, REFERENCE)
    assert np.exp(scores) == pytest.approx([improvement(4.0, 2.0), 0.0])


def test_without_a_front_it_is_the_product_of_two_improvements():
    mean, std, rng = np.array([0.3, -2.0]), np.array([1.0, 0.5]), None
    ei = ExpectedImprovement()(mean, std, 0.0, rng=rng)
    scores = log_hypervolume_improvement((mean, std), (mean, std), np.empty((2, 0)), REFERENCE)
    assert scores == pytest.approx(2.0 * ei)


def test_a_front_has_what_nothing_exceeds_in_both():
    values = np.array([[1.0, 2.0, 3.0, 2.0, 3.0, 0.5], [5.0, 4.0, 1.0, 3.0, 2.0, 9.0]])
    front = pareto_front(values, np.array([0.6, 1.5]))
    assert front.tolist() == [[3.0, 2.0, 1.0], [2.0, 4.0, 5.0]]


def test_it_looks_at_means_of_both_numbers_at_the_measured_pixels():
    found = view()
    mean, std = found.other("tilt")
    both = np.stack([found.state.mean.ravel()[found.measured], mean[found.measured]])
    acquisition = ExpectedHypervolumeImprovement("tilt", reference=(2.0, -8.0))
    reference = np.array([2.0, -8.0])
    second = mean[found.pixels], std[found.pixels]
    expected = log_hypervolume_improvement((found.mean, found.std), second, pareto_front(both, reference), reference)
    assert acquisition.on(found) == pytest.approx(expected)


@pytest.mark.parametrize("reference", [None, (2.0, 8.0)])
def test_smaller_is_better_turns_everything_round(reference):
    found = view(maximize=False)
    turned = view(scale=-1.0)
    one = ExpectedHypervolumeImprovement("tilt", True, reference).on(found)
    other = ExpectedHypervolumeImprovement("tilt", True, reference and (-reference[0], reference[1])).on(turned)
    assert one == pytest.approx(other)


def test_shift_and_scale_choose_the_same_pixels():
    def chosen(scale, shift):
        acquisition = ExpectedHypervolumeImprovement("tilt")
        return optimizer(acquisition=acquisition, batch=1.0, scale=scale, shift=shift).suggest(5)

    assert chosen(1.0, 0.0) == chosen(1e-6, 40.0)


def test_a_larger_front_of_both_is_found_than_by_one_target_alone():
    def dominated(acquisition):
        found = optimizer(num=6, acquisition=acquisition, batch=1.0, batch_size=2)
        for _ in range(5):
            found.ingest(measured(found.suggest(2)))
        return area(np.stack([found.state.values, found.state.others["tilt"]]), np.array([2.0, -9.0]))

    both = dominated(ExpectedHypervolumeImprovement("tilt", reference=(2.0, -9.0)))
    assert both > dominated(ExpectedImprovement())


def test_before_the_other_number_came_nothing_is_scored():
    assert np.isnan(ExpectedHypervolumeImprovement("width").on(view(others=("width",)))).all()


def test_it_is_described_and_made_again():
    acquisition = ExpectedHypervolumeImprovement("tilt", False, (0.5, 1.0))
    again = make(describe(acquisition))
    assert describe(again) == describe(acquisition)
    assert np.array_equal(again.on(view()), acquisition.on(view()))
