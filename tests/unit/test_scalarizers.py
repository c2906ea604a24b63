"""Numbers from spectra: the published formulas, the measured maps, and what counts as failed."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluesky_gp.loops import clean_loop
from bluesky_gp.scalarizers import (
    SCALARIZERS,
    LoopArea,
    NetCounts,
    centroid,
    get_scalarizer,
    loop_area,
    named_scalarizers,
    net_counts,
    peak,
    thickness,
    to_mapping,
    units_of,
)

BIAS = 8.0 * (1 - 4 * np.abs((np.arange(64) / 64 + 0.25) % 1 - 0.5))  # 0 -> 8 -> -8 -> 0 V
ENERGY = np.arange(350.0, 862.0, 0.5)


def loop(response=1.0, coercive=3.0, width=0.5, imprint=0.0):
    rising = np.roll(BIAS, -1) >= BIAS
    return response * np.tanh((BIAS - imprint - np.where(rising, coercive, -coercive)) / width)


def maps(path, scalarizers):
    with np.load(path) as file:
        axis = file["axis"].astype(float)
        spectra = file["spectra"].astype(float)
        found = [np.apply_along_axis(f, -1, spectra, axis) for f in scalarizers]
        return [*found, {key: file[key] for key in file.files}]


# --- hysteresis loops -------------------------------------------------------------------------------------------------


def test_a_saturated_loop_has_four_times_response_times_coercive_voltage():
    assert loop_area(loop(response=2.0, coercive=3.0), BIAS) == pytest.approx(4 * 2.0 * 3.0, rel=0.02)


def test_the_area_has_a_sense():
    assert loop_area(-loop(), BIAS) == pytest.approx(-loop_area(loop(), BIAS))


def test_it_does_not_matter_where_on_the_loop_the_sweep_starts():
    for start in (1, 16, 40):
        assert loop_area(np.roll(loop(), start), np.roll(BIAS, start)) == pytest.approx(loop_area(loop(), BIAS))


def test_an_offset_and_a_slope_enclose_no_area():
    assert loop_area(loop() + 5.0 + 0.3 * BIAS, BIAS) == pytest.approx(loop_area(loop(), BIAS))


@given(st.integers(-40, 40), st.integers(0, 2**32 - 1))
def test_the_rule_knows_no_scale(exponent, seed):
    scale = 2.0**exponent  # exact, so that no comparison of the rule is decided by rounding
    rng = np.random.default_rng(seed)
    noisy = loop() + 0.05 * rng.standard_normal(64)
    noisy[rng.choice(64, rng.integers(0, 12), replace=False)] *= 100
    area, scaled = loop_area(noisy, BIAS), loop_area(scale * noisy, BIAS)
    assert scaled == pytest.approx(scale * area, nan_ok=True)


@pytest.mark.parametrize("share", [0.15, 0.3, 0.5])
def test_a_stretch_of_failed_fits_is_a_failed_measurement(share):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        spoilt = loop() + 0.02 * rng.standard_normal(64)
        stretch = (rng.integers(64) + np.arange(int(share * 64))) % 64
        spoilt[stretch] = rng.choice([-1, 1], len(stretch)) * 10 ** rng.uniform(0.7, 3.0, len(stretch))
        assert np.isnan(loop_area(spoilt, BIAS))


def test_isolated_spikes_are_clipped():
    spoilt = loop()
    spoilt[[5, 30, 50]] = 2000.0, -500.0, 100.0
    assert loop_area(spoilt, BIAS) == pytest.approx(loop_area(loop(), BIAS), abs=10)
    assert abs(LoopArea(robust=False)(spoilt, BIAS)) > 100
    assert np.flatnonzero(clean_loop(spoilt) != loop()).tolist() == [5, 30, 50]


@pytest.mark.parametrize("imprint", [-4.0, 0.0, 4.0])
@pytest.mark.parametrize("noise", [0.0, 0.02, 0.1, 0.3])
def test_real_loops_are_not_changed_by_a_bit(imprint, noise):
    for seed in range(20):
        real = loop(imprint=imprint) + noise * np.random.default_rng(seed).standard_normal(64)
        assert np.array_equal(clean_loop(real), real)


def test_noise_alone_is_a_measurement_of_about_zero():
    areas = [loop_area(np.random.default_rng(seed).standard_normal(64), BIAS) for seed in range(500)]
    assert np.isfinite(areas).all()
    assert np.mean(areas) == pytest.approx(0.0, abs=1.0)


def test_a_constant_response_has_no_area():
    assert loop_area(np.full(64, 3.0), BIAS) == pytest.approx(0.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loop_with_a_hole_has_failed(bad):
    spectrum = loop()
    spectrum[7] = bad
    assert np.isnan(loop_area(spectrum, BIAS))


def test_a_known_limit_of_the_response_clips_first():
    assert LoopArea(robust=False, limit=1.0)(100 * loop(), BIAS) == pytest.approx(
        LoopArea(robust=False)(np.clip(100 * loop(), -1, 1), BIAS)
    )


@pytest.mark.parametrize(("spikes", "fails"), [(6, False), (7, True)])
def test_more_than_a_tenth_of_the_points_beyond_the_limit_is_a_failure(spikes, fails):
    curve = np.zeros(64)
    curve[:spikes] = 2.0
    assert np.isnan(LoopArea(limit=1.0)(curve, BIAS)) == fails


# --- edges, centroids -------------------------------------------------------------------------------------------------


def test_an_edge_over_a_power_law_gives_its_counts():
    background = 1e9 * ENERGY**-2.5
    edge = np.where((ENERGY >= 456) & (ENERGY < 470), 200.0, 0.0)
    assert net_counts(background + edge, ENERGY) == pytest.approx(200.0 * 14, rel=1e-9)
    assert net_counts(background, ENERGY) == pytest.approx(0.0, abs=1e-6)


def test_with_poisson_noise_the_error_is_what_counting_allows():
    background, edge = 1e9 * ENERGY**-2.5, np.where(ENERGY >= 456, 200.0, 0.0)
    rng = np.random.default_rng(0)
    counts = [net_counts(rng.poisson(background + edge).astype(float), ENERGY) for _ in range(200)]
    assert np.mean(counts) == pytest.approx(200.0 * 16, rel=0.02)


def test_channels_without_counts_do_not_enter_the_background():
    spectrum = np.where(ENERGY < 470, 0.0, 10.0)
    assert np.isnan(net_counts(spectrum, ENERGY))
    spectrum[ENERGY < 449] = 100.0
    assert np.isfinite(net_counts(spectrum, ENERGY))


def test_a_window_beside_the_axis_is_an_error():
    with pytest.raises(ValueError, match=r"window \(454.0, 472.0\) lies outside the axis, 0 to 9"):
        net_counts(np.ones(10), np.arange(10.0))


@pytest.mark.parametrize("edge", [(472, 454), (454,), "wide", 3.0])
def test_a_window_is_two_energies(edge):
    with pytest.raises(ValueError, match="net_counts: edge must be two energies"):
        NetCounts(edge=edge)


def test_the_centroid_of_a_peak_is_where_it_is():
    axis = np.arange(100.0)
    assert centroid(np.exp(-0.5 * ((axis - 42.5) / 3) ** 2), axis) == pytest.approx(42.5)
    assert np.isnan(centroid(np.zeros(100), axis))


@pytest.mark.parametrize("t_over_lambda", [0.0, 0.3, 1.7])
def test_the_log_ratio_gives_the_thickness_in_mean_free_paths(t_over_lambda):
    energy = np.arange(-20.0, 480.0, 0.5)
    zero, loss = np.exp(-0.5 * (energy / 0.5) ** 2), np.exp(-0.5 * ((energy - 17.0) / 2.0) ** 2)
    rest = np.exp(t_over_lambda) - 1.0
    spectrum = 1e6 * (zero / zero.sum() + rest * loss / loss.sum())
    assert thickness(spectrum, energy) == pytest.approx(t_over_lambda, abs=1e-9)


@pytest.mark.parametrize("spectrum", [np.zeros(100), -np.ones(100), np.r_[np.zeros(50), np.ones(50)]])
def test_without_a_zero_loss_peak_there_is_no_thickness(spectrum):
    assert np.isnan(thickness(spectrum, np.arange(-20.0, 80.0)))


def test_a_zero_loss_window_beside_the_axis_is_an_error():
    with pytest.raises(ValueError, match=r"thickness: window \(-4.0, 4.0\) lies outside the axis, 350 to 861.5"):
        thickness(np.ones(len(ENERGY)), ENERGY)
    with pytest.raises(ValueError, match="thickness: zero_loss must be two energies, start and end"):
        get_scalarizer({"kind": "thickness", "zero_loss": [4, -4]})


# --- the measured maps ------------------------------------------------------------------------------------------------


def test_measured_piezoresponse_areas_come_out_to_rounding(data_folder):
    naive, clipped, file = maps(
        data_folder / "beps_pto_loops_50x50.npz", [LoopArea(robust=False), LoopArea(robust=False, limit=5e-4)]
    )
    assert naive == pytest.approx(file["target_naive"], rel=1e-4, abs=1e-8)
    assert clipped == pytest.approx(file["target"], abs=1e-8)


def test_with_the_limit_of_the_film_the_failed_fits_are_the_marked_ones(data_folder):
    (area, file) = maps(data_folder / "beps_pto_loops_50x50.npz", [LoopArea(limit=5e-4)])
    assert np.array_equal(np.isfinite(area), file["valid"])
    assert area[file["valid"]] == pytest.approx(file["target"][file["valid"]], abs=1e-8)


def test_measured_failures_are_found_and_real_loops_kept(data_folder):
    (area, file) = maps(data_folder / "beps_pto_loops_50x50.npz", [loop_area])
    valid, target, failed = file["valid"], file["target"], np.isnan(area)
    assert failed[~valid].sum() >= 0.92 * (~valid).sum()
    assert failed[valid].mean() < 0.04
    kept = valid & ~failed
    assert np.corrcoef(area[kept], target[kept])[0, 1] > 0.99
    top = kept & (target >= np.quantile(target[valid], 0.95))
    assert not failed[valid & (target >= np.quantile(target[valid], 0.95))].any()
    assert (area[top] >= np.quantile(area[kept], 0.94)).mean() > 0.97
    # the naive area is fooled up to 0.16; nothing that is kept is above the largest smooth loops
    assert np.nanmax(area) < 0.01


def test_measured_contact_kelvin_loops_come_out_to_rounding(data_folder):
    (area, file) = maps(data_folder / "ckpfm_bfo_10x10.npz", [loop_area])
    target = file["target"]
    assert not np.isnan(area[target > 5e-4]).any()
    assert np.isnan(area).sum() <= 3
    kept = ~np.isnan(area)
    assert area[kept] == pytest.approx(target[kept], abs=1e-9)


def test_measured_edges_come_out_to_rounding(data_folder):
    lanthanum = NetCounts(edge=(828, 856), background=(780, 824))
    titanium, la, file = maps(data_folder / "eels_oxide_interface_49x6.npz", [net_counts, lanthanum])
    assert titanium == pytest.approx(file["target"], abs=0.2)
    assert la == pytest.approx(file["target_la"], abs=0.2)


def test_measured_resonances_come_out_to_rounding(data_folder):
    position, height, file = maps(data_folder / "bepfm_resonance_32x32.npz", [centroid, peak])
    assert position == pytest.approx(file["target"], rel=1e-6)
    assert height == pytest.approx(file["target_peak_amplitude"], rel=1e-6)


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCALARIZERS)
def test_every_scalarizer_is_plain_data_and_back(name):
    scalarizer = get_scalarizer(name)
    mapping = json.loads(json.dumps(to_mapping(scalarizer)))
    assert mapping["kind"] == name == scalarizer.name
    assert get_scalarizer(mapping) == scalarizer


def test_a_callable_is_handed_back():
    assert get_scalarizer(np.max) is np.max
    assert to_mapping(len)["kind"] == "builtins.len"


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("lop_area", ValueError, "scalarizer 'lop_area' is unknown, there are centroid, loop_area"),
        ({"edge": [1, 2]}, ValueError, "scalarizer None is unknown"),
        ({"kind": "net_counts", "egde": [1, 2]}, ValueError, "scalarizer 'net_counts'.*egde"),
        (3, TypeError, "expected a name, a mapping with 'kind', or f"),
    ],
)
def test_an_unknown_scalarizer_is_refused_with_what_there_is(value, error, message):
    with pytest.raises(error, match=message):
        get_scalarizer(value)


def test_scalarizers_are_named_by_themselves_or_by_the_user():
    assert list(named_scalarizers("loop_area")) == ["loop_area"]
    assert list(named_scalarizers({"kind": "net_counts", "edge": [828, 856]})) == ["net_counts"]
    assert list(named_scalarizers(["loop_area", np.mean])) == ["loop_area", "mean"]
    assert named_scalarizers({"ti": "net_counts"}) == {"ti": NetCounts()}
    with pytest.raises(ValueError, match="two have one name"):
        named_scalarizers(["net_counts", {"kind": "net_counts", "edge": [828, 856]}])


def test_units_follow_those_of_the_spectrum():
    assert units_of(loop_area, "pm", "V") == "V pm"
    assert units_of(net_counts, "counts", "eV") == "counts eV"
    assert units_of(centroid, "a.u.", "kHz") == "kHz"
    assert units_of(np.max, "a.u.", "kHz") == ""
