import mpmath
import numpy as np
import pytest
from contexts import outlook_of
from hypothesis import given
from hypothesis import strategies as st

from bluesky_gp import KnowledgeGradient, PixelGrid
from bluesky_gp.acquisition.knowledge_gradient import log_expected_rise

Z = np.linspace(-10.0, 10.0, 20_001)
DENSITY = np.exp(-0.5 * Z**2) / np.sqrt(2.0 * np.pi) * (Z[1] - Z[0])


def exact_log_rise(a, b):
    """The same by integration from corner to corner of the highest of the lines, down to e^-1000."""
    with mpmath.workdps(500):
        a, b = [mpmath.mpf(x) for x in a], [mpmath.mpf(x) for x in b]
        meets = {(p - q) / (s - r) for p, r in zip(a, b, strict=True) for q, s in zip(a, b, strict=True) if r != s}
        corners = [-mpmath.inf, *sorted(meets), mpmath.inf]
        total = -max(a)
        for low, high in zip(corners, corners[1:], strict=False):
            inside = high - 1 if low == -mpmath.inf else low + 1 if high == mpmath.inf else (low + high) / 2
            p, r = max(zip(a, b, strict=True), key=lambda line: line[0] + line[1] * inside)
            total += p * (mpmath.ncdf(high) - mpmath.ncdf(low)) - r * (mpmath.npdf(high) - mpmath.npdf(low))
        return float(mpmath.log(total)) if total > mpmath.exp(-1000) else -1000.0


@given(st.integers(2, 8), st.integers(0, 2**16), st.floats(0.1, 5.0))
def test_the_expected_maximum_of_lines_is_that_of_an_integral_from_corner_to_corner(n, seed, apart):
    rng = np.random.default_rng(seed)
    a, b = apart * rng.standard_normal(n), rng.standard_normal((n, 3))
    expected = [exact_log_rise(a, column) for column in b.T]
    assert np.maximum(log_expected_rise(a, b), -1000.0) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("depth", [8.0, 40.0, 500.0])
def test_it_is_right_however_far_below_the_top_the_others_are(depth):
    a, b = np.array([0.0, -depth, -depth - 1.0, -2.0 * depth]), np.array([0.1, 1.1, -0.8, 1.9])
    with mpmath.workdps(60):  # the corners nearest to Z = 0 on both sides; those behind them add nothing
        near = [(mpmath.mpf(1), mpmath.mpf(depth)), (mpmath.mpf("0.9"), (depth + 1) / mpmath.mpf("0.9"))]
        rise = sum(slope * (mpmath.npdf(z) - z * mpmath.ncdf(-z)) for slope, z in near)
        expected = float(mpmath.log(rise))
    assert log_expected_rise(a, b[:, None])[0] == pytest.approx(expected, rel=1e-9)


def test_equal_means_and_lines_that_are_the_same_are_counted_once():
    b = np.array([0.0, 1.0, 1.0, -2.0])[:, None]
    assert log_expected_rise(np.zeros(4), b)[0] == pytest.approx(np.log(3.0 / np.sqrt(2.0 * np.pi)))


def test_where_a_measurement_changes_nothing_it_is_a_number_and_very_small():
    assert log_expected_rise(np.array([1.0, 0.0]), np.zeros((2, 3))).tolist() == [-1e300] * 3


@pytest.mark.parametrize("grid", [(30,), (6, 5), (4, 3, 3)])
def test_it_is_how_much_the_top_of_the_mean_rises_on_average(grid):
    view = outlook_of(PixelGrid(grid))
    posterior, std = view.posterior, view.posterior.measured_std(view.pixels)
    scores = KnowledgeGradient().on(view)
    for pixel, spread, score in list(zip(view.pixels.tolist(), std, scores, strict=True))[::5]:
        low, high = (posterior.condition(pixel, posterior.mean[pixel] + step * spread).mean for step in (-1.0, 1.0))
        tops = (0.5 * (low + high) + 0.5 * (high - low) * Z[:, None]).max(axis=1)
        assert np.exp(score) == pytest.approx(DENSITY @ tops - posterior.mean.max(), rel=1e-4, abs=1e-7)


def test_in_a_batch_it_knows_of_the_pixels_chosen_before():
    view = outlook_of(PixelGrid((6, 5)))
    KnowledgeGradient().on(view)
    ahead = view.posterior
    for pixel in view.pixels[[3, 11, 4]].tolist():
        ahead = ahead.condition(pixel, ahead.mean[pixel])
    rest = np.delete(view.pixels, [3, 4, 11])
    fresh = KnowledgeGradient().on(outlook_of(view.grid, posterior=ahead, pixels=rest))
    assert KnowledgeGradient().on(view.with_(posterior=ahead, pixels=rest)) == pytest.approx(fresh)


def test_a_masked_pixel_is_no_alternative_however_high_its_mean():
    mask = np.zeros((6, 5), dtype=bool)
    open_view = outlook_of(PixelGrid((6, 5)))
    top = int(np.argmax(open_view.posterior.mean))
    mask.flat[top] = True
    posterior = open_view.posterior
    without = outlook_of(PixelGrid((6, 5), mask=mask), posterior=posterior, pixels=np.delete(np.arange(30), top)[::4])
    scores = KnowledgeGradient().on(without)
    allowed = np.flatnonzero(without.grid.allowed)
    b = posterior.covariance(allowed, without.pixels) / posterior.measured_std(without.pixels)
    assert scores == pytest.approx(log_expected_rise(posterior.mean[allowed], b))


def test_those_of_the_shortlist_are_exact_and_all_others_have_a_lower_bound():
    view = outlook_of(PixelGrid((6, 5)))
    exact, listed = (KnowledgeGradient(num, rivals).on(view) for num, rivals in ((30, 3), (6, 3)))
    same = np.isclose(listed, exact, rtol=1e-9)
    assert 6 <= same.sum() < len(exact)
    assert np.all(listed <= exact + 1e-9)
    assert np.argmax(listed) == np.argmax(exact)
