"""Numbers of hysteresis loops: known loops give their known numbers, and failed fits none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluesky_gp.scalarizers.hysteresis import CoerciveVoltage, Imprint, LoopArea, RemanentResponse, SwitchingRatio
from bluesky_gp.scalarizers.loop_cleaning import clean_loop

BIAS = 8.0 * (1 - 4 * np.abs((np.arange(64) / 64 + 0.25) % 1 - 0.5))  # 0 -> 8 -> -8 -> 0 V
NUMBERS = [LoopArea(), CoerciveVoltage(), Imprint(), RemanentResponse(), SwitchingRatio()]


def loop(response=1.0, coercive=3.0, width=0.5, imprint=0.0):
    rising = np.roll(BIAS, -1) >= BIAS
    return response * np.tanh((BIAS - imprint - np.where(rising, coercive, -coercive)) / width)


# --- area -------------------------------------------------------------------------------------------------------------


def test_a_saturated_loop_has_four_times_response_times_coercive_voltage():
    assert LoopArea()(loop(response=2.0, coercive=3.0), BIAS) == pytest.approx(4 * 2.0 * 3.0, rel=0.02)


def test_the_area_has_a_sense():
    assert LoopArea()(-loop(), BIAS) == pytest.approx(-LoopArea()(loop(), BIAS))


def test_it_does_not_matter_where_on_the_loop_the_sweep_starts():
    for start in (1, 16, 40):
        assert LoopArea()(np.roll(loop(), start), np.roll(BIAS, start)) == pytest.approx(LoopArea()(loop(), BIAS))


def test_an_offset_and_a_slope_enclose_no_area():
    assert LoopArea()(loop() + 5.0 + 0.3 * BIAS, BIAS) == pytest.approx(LoopArea()(loop(), BIAS))


@given(st.integers(-40, 40), st.integers(0, 2**32 - 1))
def test_the_rule_knows_no_scale(exponent, seed):
    scale = 2.0**exponent  # exact, so that no comparison of the rule is decided by rounding
    rng = np.random.default_rng(seed)
    noisy = loop() + 0.05 * rng.standard_normal(64)
    noisy[rng.choice(64, rng.integers(0, 12), replace=False)] *= 100
    area, scaled = LoopArea()(noisy, BIAS), LoopArea()(scale * noisy, BIAS)
    assert scaled == pytest.approx(scale * area, nan_ok=True)


@pytest.mark.parametrize("share", [0.15, 0.3, 0.5])
def test_a_stretch_of_failed_fits_is_a_failed_measurement(share):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        spoilt = loop() + 0.02 * rng.standard_normal(64)
        stretch = (rng.integers(64) + np.arange(int(share * 64))) % 64
        spoilt[stretch] = rng.choice([-1, 1], len(stretch)) * 10 ** rng.uniform(0.7, 3.0, len(stretch))
        assert np.isnan(LoopArea()(spoilt, BIAS))


def test_isolated_spikes_are_clipped():
    spoilt = loop()
    spoilt[[5, 30, 50]] = 2000.0, -500.0, 100.0
    assert LoopArea()(spoilt, BIAS) == pytest.approx(LoopArea()(loop(), BIAS), abs=10)
    assert abs(LoopArea(robust=False)(spoilt, BIAS)) > 100
    assert np.flatnonzero(clean_loop(spoilt) != loop()).tolist() == [5, 30, 50]


@pytest.mark.parametrize("imprint", [-4.0, 0.0, 4.0])
@pytest.mark.parametrize("noise", [0.0, 0.02, 0.1, 0.3])
def test_real_loops_are_not_changed_by_a_bit(imprint, noise):
    for seed in range(20):
        real = loop(imprint=imprint) + noise * np.random.default_rng(seed).standard_normal(64)
        assert np.array_equal(clean_loop(real), real)


def test_noise_alone_is_a_measurement_of_about_zero():
    areas = [LoopArea()(np.random.default_rng(seed).standard_normal(64), BIAS) for seed in range(500)]
    assert np.isfinite(areas).all()
    assert np.mean(areas) == pytest.approx(0.0, abs=1.0)


def test_a_constant_response_has_no_area():
    assert LoopArea()(np.full(64, 3.0), BIAS) == pytest.approx(0.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loop_with_a_hole_has_failed(bad):
    spectrum = loop()
    spectrum[7] = bad
    assert np.isnan(LoopArea()(spectrum, BIAS))


def test_a_known_limit_of_the_response_clips_first():
    assert LoopArea(robust=False, limit=1.0)(100 * loop(), BIAS) == pytest.approx(
        LoopArea(robust=False)(np.clip(100 * loop(), -1, 1), BIAS)
    )


@pytest.mark.parametrize(("spikes", "fails"), [(6, False), (7, True)])
def test_more_than_a_tenth_of_the_points_beyond_the_limit_is_a_failure(spikes, fails):
    curve = np.zeros(64)
    curve[:spikes] = 2.0
    assert np.isnan(LoopArea(limit=1.0)(curve, BIAS)) == fails


def test_the_size_of_the_area_has_no_sense():
    assert LoopArea(signed=False)(-loop(), BIAS) == LoopArea()(loop(), BIAS)


# --- loops of known numbers -------------------------------------------------------------------------------------------

TRIANGLE = 1 - 4 * np.abs((np.arange(256) / 256 + 0.25) % 1 - 0.5)
SWEEPS = {
    "from zero": TRIANGLE,
    "from zero, down first": -TRIANGLE,
    "from one end": np.roll(TRIANGLE, 64),
    "closed by its first point": np.append(np.roll(TRIANGLE, 64), TRIANGLE[-64]),
    "twice round": np.tile(TRIANGLE, 2),
}


def langevin(x):
    small = np.abs(x) < 1e-3
    safe = np.where(small, 1.0, x)
    return np.where(small, x / 3, 1 / np.tanh(safe) - 1 / safe)


def langevin_area(response, coercive, width, end):
    """Integral between the branches, in closed form: that of the Langevin function is ln(sinh x / x)."""

    def integral(x):
        return np.logaddexp(x, -x) + np.log1p(-2 / (1 + np.exp(2 * x))) - np.log(2 * x)

    return 2 * response * width * (integral((end + coercive) / width) - integral((end - coercive) / width))


@pytest.mark.parametrize("sweep", SWEEPS)
@pytest.mark.parametrize("width", [0.1, 0.3])
def test_a_langevin_loop_has_its_area_and_its_coercive_voltage(sweep, width):
    bias = 10.0 * SWEEPS[sweep]
    rising = np.roll(bias, -1) >= np.roll(bias, 1)
    response = 5.0 * langevin((bias - 0.7 - np.where(rising, 2.5, -2.5)) / width)
    rounds = 2 if sweep == "twice round" else 1
    assert LoopArea()(response, bias) == pytest.approx(rounds * langevin_area(5.0, 2.5, width, 10.0), rel=0.02)
    assert CoerciveVoltage()(response, bias) == pytest.approx(2.5, rel=0.01)
    assert Imprint()(response, bias) == pytest.approx(0.7, rel=0.02)


class Preisach:
    """Relays that switch up at one bias and down at another; area and coercive voltage follow from the two alone."""

    def __init__(self, coercive=3.0, spread=0.4, imprint=0.5, seed=0):
        rng = np.random.default_rng(seed)
        self.up = coercive + imprint + spread * rng.uniform(-1, 1, 2000)
        self.down = -coercive + imprint + spread * rng.uniform(-1, 1, 2000)

    def sweep(self, bias):
        """Return the response to a bias, after one round that forgets how the relays stood."""
        state, seen = -np.ones(2000), []
        for v in np.concatenate([bias, bias]):
            state = np.where(v >= self.up, 1.0, np.where(v <= self.down, -1.0, state))
            seen.append(state.mean())
        return np.array(seen[len(bias) :])


@pytest.mark.parametrize("sweep", list(SWEEPS)[:4])
def test_a_preisach_loop_has_the_numbers_of_its_relays(sweep):
    relays = Preisach()
    bias = 8.0 * SWEEPS[sweep]
    response = relays.sweep(bias)
    assert LoopArea()(response, bias) == pytest.approx(2 * np.mean(relays.up - relays.down), rel=0.01)
    assert CoerciveVoltage()(response, bias) == pytest.approx(3.0, abs=0.05)
    assert Imprint()(response, bias) == pytest.approx(0.5, abs=0.05)
    assert RemanentResponse()(response, bias) == pytest.approx(1.0)
    assert SwitchingRatio()(response, bias) == pytest.approx(1.0)


def test_an_instrument_with_its_phase_turned_gives_the_same_voltages():
    turned = -loop(imprint=0.4)
    assert CoerciveVoltage()(turned, BIAS) == pytest.approx(CoerciveVoltage()(loop(imprint=0.4), BIAS))
    assert Imprint()(turned, BIAS) == pytest.approx(0.4, abs=0.02)
    assert RemanentResponse()(turned, BIAS) == pytest.approx(-1.0, abs=0.01)
    assert SwitchingRatio()(turned, BIAS) == pytest.approx(1.0, abs=0.02)


def test_half_of_a_response_that_is_not_switched_halves_the_ratio():
    response = loop() + np.tanh(BIAS / 1.0)
    assert SwitchingRatio()(response, BIAS) == pytest.approx(0.5, abs=0.02)
    assert RemanentResponse()(response, BIAS) == pytest.approx(1.0, abs=0.01)


def test_a_line_has_neither_remanence_nor_ratio():
    assert RemanentResponse()(0.3 * BIAS, BIAS) == pytest.approx(0.0, abs=1e-12)
    assert SwitchingRatio()(0.3 * BIAS, BIAS) == pytest.approx(0.0, abs=1e-12)
    assert CoerciveVoltage()(0.3 * BIAS, BIAS) == pytest.approx(0.0, abs=1e-12)


def test_noise_moves_the_voltages_less_than_a_step_of_the_bias():
    rng = np.random.default_rng(0)
    noisy = [loop(imprint=0.4) + 0.1 * rng.standard_normal(64) for _ in range(200)]
    assert np.std([CoerciveVoltage()(y, BIAS) for y in noisy]) < 0.1
    assert np.mean([CoerciveVoltage()(y, BIAS) for y in noisy]) == pytest.approx(3.0, abs=0.05)
    assert np.std([Imprint()(y, BIAS) for y in noisy]) < 0.1
    assert np.std([RemanentResponse()(y, BIAS) for y in noisy]) < 0.1


def test_an_offset_needs_the_middle_as_level():
    lifted = loop(imprint=0.4) + 1.5
    assert np.isnan(CoerciveVoltage()(lifted, BIAS))
    assert CoerciveVoltage(level="middle")(lifted, BIAS) == pytest.approx(3.0, abs=0.02)
    assert Imprint(level="middle")(lifted, BIAS) == pytest.approx(0.4, abs=0.02)
    assert RemanentResponse()(lifted, BIAS) == pytest.approx(1.0, abs=0.01)
    with pytest.raises(ValueError, match="imprint: level must be one of zero, middle, got 'top'"):
        Imprint(level="top")


def test_the_remanence_can_be_taken_where_the_imprint_is():
    assert RemanentResponse(bias=4.0)(loop(imprint=4.0), BIAS) == pytest.approx(1.0, abs=0.01)
    assert RemanentResponse()(loop(imprint=4.0), BIAS) < 0.1
    assert np.isnan(RemanentResponse(bias=9.0)(loop(), BIAS))


def test_of_noise_there_is_no_switching_ratio_that_would_be_the_largest_of_a_map():
    ratios = [SwitchingRatio()(np.random.default_rng(seed).standard_normal(64), BIAS) for seed in range(500)]
    assert np.isnan(ratios).mean() > 0.9
    assert np.nanmax(np.abs(ratios)) <= 2.0


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_failed_fits_give_no_number(number):
    rng = np.random.default_rng(0)
    spoilt = loop()
    spoilt[20:40] = rng.choice([-1, 1], 20) * 10 ** rng.uniform(0.7, 3.0, 20)
    assert np.isnan(number(spoilt, BIAS))


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
@pytest.mark.parametrize("axis", [np.linspace(-8, 8, 64), np.zeros(64), np.arange(64.0)[::-1]], ids=["up", "0", "down"])
def test_an_axis_that_goes_one_way_has_no_loop(number, axis):
    with pytest.raises(ValueError, match="the axis does not go there and back: no hysteresis loop"):
        number(loop(), axis)
