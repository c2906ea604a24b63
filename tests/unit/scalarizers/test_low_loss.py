"""Numbers of low-loss spectra: known thickness and plasmons come out."""

import numpy as np
import pytest

from bluesky_gp.plain_data import make
from bluesky_gp.scalarizers.low_loss import PlasmonEnergy, PlasmonWidth, Thickness
from bluesky_gp.scalarizers.names import get_scalarizer

ENERGY = np.arange(350.0, 862.0, 0.5)


@pytest.mark.parametrize("t_over_lambda", [0.0, 0.3, 1.7])
def test_the_log_ratio_gives_the_thickness_in_mean_free_paths(t_over_lambda):
    energy = np.arange(-20.0, 480.0, 0.5)
    zero, loss = np.exp(-0.5 * (energy / 0.5) ** 2), np.exp(-0.5 * ((energy - 17.0) / 2.0) ** 2)
    rest = np.exp(t_over_lambda) - 1.0
    spectrum = 1e6 * (zero / zero.sum() + rest * loss / loss.sum())
    assert Thickness()(spectrum, energy) == pytest.approx(t_over_lambda, abs=1e-9)


@pytest.mark.parametrize("spectrum", [np.zeros(100), -np.ones(100), np.r_[np.zeros(50), np.ones(50)]])
def test_without_a_zero_loss_peak_there_is_no_thickness(spectrum):
    assert np.isnan(Thickness()(spectrum, np.arange(-20.0, 80.0)))


def test_a_zero_loss_window_beside_the_axis_is_an_error():
    with pytest.raises(ValueError, match=r"thickness: window \(-4.0, 4.0\) lies outside the axis, 350 to 861.5"):
        Thickness()(np.ones(len(ENERGY)), ENERGY)
    with pytest.raises(ValueError, match="thickness: zero_loss must be two numbers, start and end"):
        get_scalarizer({"kind": "thickness", "zero_loss": [4, -4]})


# --- plasmons ---------------------------------------------------------------------------------------------------------

LOSS = np.arange(-20.0, 300.0, 0.2)


def low_loss(plasmon=15.0, damping=2.0, t_over_lambda=0.5, resolution=0.4):
    """Zero loss and up to eight plasmons, the n-th the n-fold convolution of the Drude function, by Poisson's law."""
    loss = np.clip(LOSS, 0.0, None)
    drude = damping * loss / ((loss**2 - plasmon**2) ** 2 + (damping * loss) ** 2)
    drude /= drude.sum()
    zero = np.exp(-0.5 * (LOSS / resolution) ** 2)
    zero /= zero.sum()
    start = np.argmin(np.abs(LOSS))
    spectrum, term = zero.copy(), zero
    for n in range(1, 9):
        term = np.convolve(term, drude)[start : start + len(LOSS)] * t_over_lambda / n
        spectrum = spectrum + term
    return 1e6 * np.exp(-t_over_lambda) * spectrum


@pytest.mark.parametrize("t_over_lambda", [0.1, 0.5, 1.5])
@pytest.mark.parametrize(("plasmon", "damping"), [(15.0, 0.8), (16.7, 3.2), (26.0, 6.0)])
def test_a_drude_plasmon_has_its_energy_and_width_whatever_the_thickness(plasmon, damping, t_over_lambda):
    spectrum = low_loss(plasmon, damping, t_over_lambda)
    assert PlasmonEnergy()(spectrum, LOSS) == pytest.approx(plasmon, rel=0.01)
    resolved = 0.1 * damping if damping > 2 else 0.94  # else the zero loss, 0.94 eV wide, is in the width
    assert PlasmonWidth()(spectrum, LOSS) == pytest.approx(damping, abs=resolved)
    # some of the loss lies beyond the axis
    assert Thickness(zero_loss=(-3, 3))(spectrum, LOSS) == pytest.approx(t_over_lambda, abs=0.03)


def test_with_counting_noise_the_energy_is_known_to_a_part_of_the_width():
    rng = np.random.default_rng(0)
    noisy = [rng.poisson(low_loss(16.7, 3.2) * 0.01).astype(float) for _ in range(50)]
    energies = [PlasmonEnergy()(s, LOSS) for s in noisy]
    assert np.isfinite(energies).all()
    assert np.mean(energies) == pytest.approx(16.7, abs=0.1)
    assert np.std(energies) < 0.3


def test_the_tail_of_the_zero_loss_is_no_plasmon():
    tail = 1e6 / (1 + LOSS**2)
    assert np.isnan(PlasmonEnergy()(tail, LOSS))
    assert np.isnan(PlasmonWidth()(np.zeros_like(LOSS), LOSS))


def test_a_fit_of_noise_gives_some_energy_or_none_and_never_a_warning():
    rng = np.random.default_rng(0)
    energies = np.array([PlasmonEnergy()(rng.standard_normal(len(LOSS)), LOSS) for _ in range(100)])
    known = energies[np.isfinite(energies)]
    assert ((known > 5.0) & (known < 60.0)).all()


def test_the_simulators_thickness_and_plasmon_come_out():
    geometry = pytest.importorskip("nion.utils.Geometry")
    samples = pytest.importorskip("nion.usim_device.SampleSimulator")
    cameras = pytest.importorskip("nion.usim_device.EELSCameraSimulator")
    calibration = pytest.importorskip("nion.data.Calibration").Calibration(-20.0, 0.2, "eV")
    where, size = geometry.FloatPoint(0.0, 0.0), geometry.FloatSize(1e-6, 1e-6)
    for thickness in (0.3, 1.0):
        spectrum = np.zeros(len(LOSS))
        flake = samples.FlakeFeature(where, size, [], 20.0, 4)
        cameras.plot_spectrum(flake, spectrum, thickness, calibration)
        zero = np.exp(-0.5 * (LOSS / 0.4) ** 2)
        spectrum += zero / zero.sum() * spectrum.sum() / np.expm1(thickness)
        assert Thickness()(spectrum, LOSS) == pytest.approx(thickness, abs=0.01)
        # its plasmons are Gaussian, of a standard deviation of sqrt(20) eV
        assert PlasmonEnergy()(spectrum, LOSS) == pytest.approx(20.0, abs=0.6)


def test_a_plasmon_is_looked_for_in_a_window():
    with pytest.raises(ValueError, match=r"plasmon_energy: window \(10.0, 40.0\) lies outside the axis, 350 to 861.5"):
        PlasmonEnergy()(np.ones(len(ENERGY)), ENERGY)
    with pytest.raises(ValueError, match="plasmon_width: window must be two numbers, start and end"):
        PlasmonWidth(window=12.0)


SHIFTS = [-6.0, -2.0, 0.0, 2.0, 3.5, 5.0]


def shifted(shift, plasmon=22.0):
    axis = np.arange(-50.0, 460.0, 0.5)
    energy = axis - shift
    zero = 1000.0 * np.exp(-0.5 * (energy / 0.5) ** 2)
    loss = np.where(energy > 4.0, 60.0 * np.exp(-(((energy - plasmon) / 6.0) ** 2)), 0.0)
    return zero, loss, axis


@pytest.mark.parametrize("shift", SHIFTS)
def test_the_thickness_does_not_depend_on_where_the_zero_loss_has_drifted_to(shift):
    zero, loss, axis = shifted(shift)
    assert Thickness()(zero + loss, axis) == pytest.approx(np.log((zero + loss).sum() / zero.sum()), rel=0.01)


@pytest.mark.parametrize("shift", SHIFTS)
def test_the_plasmon_is_measured_from_the_zero_loss(shift):
    zero, loss, axis = shifted(shift)
    still, still_loss, _ = shifted(0.0)
    expected = PlasmonEnergy()(still + still_loss, axis), PlasmonWidth()(still + still_loss, axis)
    assert (PlasmonEnergy()(zero + loss, axis), PlasmonWidth()(zero + loss, axis)) == pytest.approx(expected, rel=1e-3)


def test_a_spectrum_that_begins_above_the_zero_loss_has_a_plasmon_and_no_thickness():
    zero, loss, axis = shifted(0.0)
    cut = axis >= 6.0
    assert np.isnan(Thickness()((zero + loss)[cut], axis[cut])) if (axis[cut] < 4.0).any() else True
    assert PlasmonEnergy()((zero + loss)[cut], axis[cut]) == PlasmonEnergy()(zero + loss, axis)


def test_a_record_of_version_0_1_0_has_the_zero_loss_where_it_was_taken_to_be():
    made = make({"class": "bluesky_gp.lowloss:Thickness", "zero_loss": [-4.0, 4.0]})
    assert made.within == 0.0
    zero, loss, axis = shifted(3.5)
    fixed = (axis >= -4.0) & (axis < 4.0)
    assert made(zero + loss, axis) == pytest.approx(np.log((zero + loss).sum() / (zero + loss)[fixed].sum()))


@pytest.mark.parametrize("within", [-1.0, np.nan, np.inf])
def test_a_distance_that_is_none_is_refused(within):
    with pytest.raises(ValueError, match="thickness: within must be a distance on the axis"):
        Thickness(within=within)


@pytest.mark.parametrize("kind", ["flat", "a slope", "counts that are noise", "a step"])
def test_counts_without_a_zero_loss_have_no_thickness_whatever_their_maximum(kind):
    axis = np.arange(-50.0, 460.0, 0.5)
    spectrum = {
        "flat": np.full(len(axis), 100.0),
        "a slope": 1000.0 - axis,
        "counts that are noise": np.random.default_rng(0).poisson(400.0, len(axis)).astype(float),
        "a step": 100.0 * (axis > 2.0) + 10.0,
    }[kind]
    assert np.isnan(Thickness()(spectrum, axis))
