import numpy as np
import pytest

from bluesky_gp.gp.descent import Place, descend

EVERYWHERE = np.array([[-50.0, 50.0]] * 2)
H = np.array([[3.0, 1.0], [1.0, 2.0]])


def parabola(x):
    gap = x - [1.0, -0.5]
    return float(0.5 * gap @ H @ gap), H @ gap


def valley(x):
    """Rosenbrock's."""
    f = (1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2
    return float(f), np.array([-2.0 * (1.0 - x[0]) - 400.0 * x[0] * (x[1] - x[0] ** 2), 200.0 * (x[1] - x[0] ** 2)])


def place(objective, x, curvature):
    x = np.array(x, dtype=float)
    return Place(x, *objective(x), np.array(curvature, dtype=float))


def test_of_a_parabola_whose_curvature_is_known_the_first_step_is_the_last():
    end = descend(parabola, place(parabola, [0.0, 0.0], H), EVERYWHERE)
    np.testing.assert_allclose(end.x, [1.0, -0.5])
    assert end.success and end.nfev == 1


@pytest.mark.parametrize("curvature", [np.eye(2), 30.0 * np.eye(2), np.diag([0.02, 40.0])])
def test_a_wrong_curvature_is_learnt_from_the_gradients(curvature):
    end = descend(parabola, place(parabola, [0.0, 0.0], curvature), EVERYWHERE)
    assert end.fun == pytest.approx(0.0, abs=2e-2)
    assert end.success and end.nfev < 20


def test_a_bent_valley_is_followed_to_its_end():
    end = descend(valley, place(valley, [-1.0, 1.0], [[802.0, 400.0], [400.0, 200.0]]), EVERYWHERE)
    assert end.fun < 0.02 and end.success


@pytest.mark.parametrize(
    ("bounds", "end"), [([[-5.0, 0.5], [-5.0, 5.0]], [0.5, -0.25]), ([[2.0, 5.0], [3.0, 5.0]], [2.0, 3.0])]
)
def test_no_step_leaves_the_bounds_and_the_rest_is_minimised_at_them(bounds, end):
    low, high = np.array(bounds).T
    asked = []

    def watched(x):
        asked.append(x)
        return parabola(x)

    found = descend(watched, place(parabola, np.clip([0.0, 0.0], low, high), H), np.array(bounds))
    np.testing.assert_allclose(found.x, end)
    assert found.success and all(np.all((low <= x) & (x <= high)) for x in asked)


def test_where_a_step_leads_to_nothing_that_is_a_number_a_shorter_one_is_tried():
    def cliff(x):
        return (1e25, np.zeros(2)) if x[0] > 0.8 else parabola(x)

    end = descend(cliff, place(cliff, [0.0, 0.0], H), EVERYWHERE)
    assert end.x[0] <= 0.8 and end.fun < parabola(np.array([0.6, 0.0]))[0]


def test_what_has_no_minimum_ends_and_says_so():
    def endless(x):
        return -float(x.sum()), -np.ones(2)

    end = descend(endless, place(endless, [0.0, 0.0], 1e-3 * np.eye(2)), np.array([[-1e9, 1e9]] * 2))
    assert not end.success and end.nfev <= 40


@pytest.mark.parametrize("curvature", [0.02 * np.eye(2), 0.3 * np.eye(2)])
def test_of_a_curvature_believed_too_small_the_steps_that_led_up_say_more(curvature):
    begin = place(parabola, [0.0, 0.0], curvature)
    heeding, heedless = (descend(parabola, begin, EVERYWHERE, heeding=each) for each in (True, False))
    assert heeding.success and heeding.fun < 1e-3
    assert heeding.nfev < heedless.nfev


def test_a_leg_has_no_more_evaluations_than_it_is_given():
    end = descend(valley, place(valley, [-1.0, 1.0], [[802.0, 400.0], [400.0, 200.0]]), EVERYWHERE, most=5)
    assert end.nfev == 5 and not end.success
