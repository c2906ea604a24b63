"""Numbers of core-loss spectra: known counts over a known background come out, with the error that counting allows."""

import numpy as np
import pytest

from bluesky_gp.scalarizers.core_loss import EdgeRatio, NetCounts, WhiteLineRatio

ENERGY = np.arange(350.0, 862.0, 0.5)


def test_an_edge_over_a_power_law_gives_its_counts():
    background = 1e9 * ENERGY**-2.5
    edge = np.where((ENERGY >= 456) & (ENERGY < 470), 200.0, 0.0)
    assert NetCounts()(background + edge, ENERGY) == pytest.approx(200.0 * 14, rel=1e-9)
    assert NetCounts()(background, ENERGY) == pytest.approx(0.0, abs=1e-6)


def test_with_poisson_noise_the_error_is_what_counting_allows():
    background, edge = 1e9 * ENERGY**-2.5, np.where(ENERGY >= 456, 200.0, 0.0)
    rng = np.random.default_rng(0)
    counts = [NetCounts()(rng.poisson(background + edge).astype(float), ENERGY) for _ in range(200)]
    assert np.mean(counts) == pytest.approx(200.0 * 16, rel=0.02)


def test_channels_without_counts_do_not_enter_the_background():
    spectrum = np.where(ENERGY < 470, 0.0, 10.0)
    assert np.isnan(NetCounts()(spectrum, ENERGY))
    spectrum[ENERGY < 449] = 100.0
    assert np.isfinite(NetCounts()(spectrum, ENERGY))


def test_a_window_beside_the_axis_is_an_error():
    with pytest.raises(ValueError, match=r"window \(454.0, 472.0\) lies outside the axis, 0 to 9"):
        NetCounts()(np.ones(10), np.arange(10.0))


@pytest.mark.parametrize("edge", [(472, 454), (454,), "wide", 3.0])
def test_a_window_is_two_energies(edge):
    with pytest.raises(ValueError, match="net_counts: edge must be two numbers"):
        NetCounts(edge=edge)


# --- counts, bias and spread ------------------------------------------------------------------------------------------


def spectrum_of(counts, edge=0.0, rng=None):
    """A power law of `counts` a channel at 425 eV, with an edge of `edge` counts a channel from 456 eV on."""
    expected = counts * (ENERGY / 425.0) ** -3.0 + np.where(ENERGY >= 456, edge, 0.0)
    return expected if rng is None else rng.poisson(expected).astype(float)


@pytest.mark.parametrize("fit", ["log", "poisson"])
def test_both_fits_give_a_noise_free_edge_its_counts(fit):
    assert NetCounts(fit=fit)(spectrum_of(1e4, 200.0), ENERGY) == pytest.approx(200.0 * 16, rel=1e-6)


@pytest.mark.parametrize("counts", [10, 30, 100])
def test_at_few_counts_only_the_likelihood_fit_is_without_bias(counts):
    rng = np.random.default_rng(1)
    edge = counts / 10
    spectra = [spectrum_of(counts, edge, rng) for _ in range(1000)]
    log, poisson = (np.array([NetCounts(fit=fit)(s, ENERGY) for s in spectra]) for fit in ("log", "poisson"))
    background = spectrum_of(counts)[(ENERGY >= 454) & (ENERGY < 472)].sum() * 0.5
    error = np.std(poisson) / np.sqrt(len(spectra))
    assert np.mean(poisson) == pytest.approx(edge * 16, abs=3 * error)
    assert np.mean(log) - edge * 16 > 0.3 * background / (2 * counts)  # the background comes out too low


@pytest.mark.parametrize("counts", [30, 300])
def test_the_noise_that_is_stated_is_the_spread_that_is_found(counts):
    rng = np.random.default_rng(2)
    found = [NetCounts(fit="poisson").with_noise(spectrum_of(counts, 10.0, rng), ENERGY) for _ in range(500)]
    values, stated = np.transpose(found)
    assert np.mean(stated) == pytest.approx(np.std(values), rel=0.1)


def test_a_channel_without_counts_counts_for_the_likelihood():
    rng = np.random.default_rng(3)
    values = [NetCounts(fit="poisson")(spectrum_of(0.5, 2.0, rng), ENERGY) for _ in range(500)]
    assert np.nanmean(values) == pytest.approx(32.0, rel=0.05)


def test_a_fit_that_is_unknown_is_refused():
    with pytest.raises(ValueError, match="net_counts: fit must be one of log, poisson, got 'spline'"):
        NetCounts(fit="spline")


# --- two edges --------------------------------------------------------------------------------------------------------


def two_edges(titanium, lanthanum, scale=1.0):
    background = 1e4 * (ENERGY / 425.0) ** -3.0
    at = [(ENERGY >= start) & (ENERGY < end) for start, end in ((456, 470), (832, 850))]
    return scale * (background + titanium * at[0] + lanthanum * at[1])


@pytest.mark.parametrize("scale", [0.5, 1.0, 20.0])
def test_the_ratio_of_two_edges_does_not_depend_on_the_thickness(scale):
    ratio = EdgeRatio()(two_edges(600.0, 400.0, scale), ENERGY)
    assert ratio == pytest.approx(600 * 14 / (400 * 18), rel=1e-6)


def test_the_ratio_of_atoms_takes_the_cross_sections():
    spectrum = two_edges(600.0, 400.0)
    assert EdgeRatio(factor=0.25)(spectrum, ENERGY) == pytest.approx(0.25 * EdgeRatio()(spectrum, ENERGY))


def test_a_ratio_by_an_edge_that_is_not_there_is_none():
    rng = np.random.default_rng(0)
    ratios = [EdgeRatio()(rng.poisson(two_edges(600.0, 0.0)).astype(float), ENERGY) for _ in range(200)]
    assert np.isnan(ratios).mean() > 0.98
    assert np.isfinite(EdgeRatio(significance=0.0)(two_edges(600.0, 1.0), ENERGY))


# --- white lines ------------------------------------------------------------------------------------------------------


def white_lines(ratio, continuum=300.0):
    """L3 of unit width at 458 eV and L2 at 464.5 eV, over two steps of the continuum in the ratio 2:1."""
    step = continuum * (2 / 3 * (ENERGY >= 458) + 1 / 3 * (ENERGY >= 464.5))
    lines = sum(h * np.exp(-0.5 * ((ENERGY - e) / 1.0) ** 2) for h, e in ((1000.0 * ratio, 458.0), (1000.0, 464.5)))
    return 1e4 * (ENERGY / 425.0) ** -3.0 + step + lines


@pytest.mark.parametrize("ratio", [0.7, 1.0, 2.0])
def test_white_lines_over_steps_have_their_ratio(ratio):
    assert WhiteLineRatio()(white_lines(ratio), ENERGY) == pytest.approx(ratio, rel=0.01)


def test_without_the_steps_the_continuum_pulls_the_ratio():
    assert abs(WhiteLineRatio(steps=False)(white_lines(2.0), ENERGY) - 2.0) > 0.3


def test_without_an_edge_there_is_no_ratio_of_lines():
    rng = np.random.default_rng(0)
    assert np.isnan(WhiteLineRatio()(rng.poisson(spectrum_of(1e4)).astype(float), ENERGY))
