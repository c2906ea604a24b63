"""Numbers from spectra by name, and on the measured maps."""

import json

import numpy as np
import pytest

from bluesky_gp.files import read_spectra
from bluesky_gp.scalarizers.evaluation import scalarized_map
from bluesky_gp.scalarizers.names import (
    SCALARIZERS,
    Centroid,
    LoopArea,
    NetCounts,
    Peak,
    get_scalarizer,
    named_scalarizers,
    to_mapping,
    units_of,
)


def maps(path, scalarizers):
    with np.load(path) as file:
        axis = file["axis"].astype(float)
        spectra = file["spectra"].astype(float)
        found = [np.apply_along_axis(f, -1, spectra, axis) for f in scalarizers]
        return [*found, {key: file[key] for key in file.files}]


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
    (area, file) = maps(data_folder / "beps_pto_loops_50x50.npz", [LoopArea()])
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
    (area, file) = maps(data_folder / "ckpfm_bfo_10x10.npz", [LoopArea()])
    target = file["target"]
    assert not np.isnan(area[target > 5e-4]).any()
    assert np.isnan(area).sum() <= 3
    kept = ~np.isnan(area)
    assert area[kept] == pytest.approx(target[kept], abs=1e-9)


def test_measured_edges_come_out_to_rounding(data_folder):
    lanthanum = NetCounts(edge=(828, 856), background=(780, 824))
    titanium, la, file = maps(data_folder / "eels_oxide_interface_49x6.npz", [NetCounts(), lanthanum])
    assert titanium == pytest.approx(file["target"], abs=0.2)
    assert la == pytest.approx(file["target_la"], abs=0.2)


def test_measured_resonances_come_out_to_rounding(data_folder):
    position, height, file = maps(data_folder / "bepfm_resonance_32x32.npz", [Centroid(), Peak()])
    assert position == pytest.approx(file["target"], rel=1e-6)
    assert height == pytest.approx(file["target_peak_amplitude"], rel=1e-6)


def smooth(values):
    """Correlation of a map with the median of each pixel's eight neighbours, failed pixels left out."""
    padded = np.pad(values, 1, constant_values=np.nan)
    n_rows, n_cols = values.shape
    shifts = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    around = np.array([padded[i : i + n_rows, j : j + n_cols] for i, j in shifts])
    known = np.isfinite(values) & (np.isfinite(around).sum(axis=0) >= 3)
    return np.corrcoef(values[known], np.nanmedian(around[:, known], axis=0))[0, 1]


def measured(folder, name, **target):
    image = read_spectra(folder / f"{name}.npz")
    return scalarized_map(get_scalarizer(target), image.spectra, image.axis)


@pytest.mark.parametrize(
    ("name", "target", "failed", "median"),
    [
        # limit: the largest physical response of the film; 340 of its pixels are failed fits
        ("beps_pto_loops_50x50", {"kind": "coercive_voltage", "limit": 5e-4}, 900, (3.5, 4.7)),
        ("beps_pto_loops_50x50", {"kind": "coercive_voltage", "level": "middle", "limit": 5e-4}, 400, (3.5, 4.7)),
        ("beps_pto_loops_50x50", {"kind": "imprint", "level": "middle", "limit": 5e-4}, 400, (0.5, 1.5)),
        ("beps_pto_loops_50x50", {"kind": "remanent_response", "limit": 5e-4}, 340, (1e-5, 5e-5)),
        ("beps_pto_loops_50x50", {"kind": "switching_ratio", "limit": 5e-4}, 500, (0.7, 1.0)),
        ("ckpfm_bfo_10x10", {"kind": "coercive_voltage"}, 20, (2.7, 3.4)),
        ("ckpfm_bfo_10x10", {"kind": "remanent_response"}, 3, (1e-4, 2.5e-4)),
        ("ckpfm_bfo_10x10", {"kind": "switching_ratio"}, 6, (0.8, 1.1)),
        ("eels_oxide_interface_49x6", {"kind": "edge_ratio"}, 100, (3.0, 6.0)),
        ("eels_oxide_interface_49x6", {"kind": "white_line_ratio"}, 5, (1.3, 1.9)),
        ("bepfm_resonance_32x32", {"kind": "peak_position"}, 0, (50.0, 60.0)),
    ],
)
def test_on_the_measured_sets_what_is_there_is_found_and_the_rest_fails(data_folder, name, target, failed, median):
    values = measured(data_folder, name, **target)
    assert np.isnan(values).sum() <= failed
    assert median[0] < np.nanmedian(values) < median[1]


def test_remanence_and_area_of_measured_loops_find_the_same_pixels(data_folder):
    area, remanence = (
        measured(data_folder, "beps_pto_loops_50x50", kind=kind, limit=5e-4)
        for kind in ("loop_area", "remanent_response")
    )
    known = np.isfinite(area) & np.isfinite(remanence)
    assert np.corrcoef(area[known], remanence[known])[0, 1] > 0.85


def test_the_likelihood_fit_of_measured_edges_differs_by_a_percent_or_two_only(data_folder):
    log, poisson = (
        measured(data_folder, "eels_oxide_interface_49x6", kind="net_counts", fit=fit) for fit in ("log", "poisson")
    )
    assert np.corrcoef(log.ravel(), poisson.ravel())[0, 1] > 0.999
    assert -0.03 < np.median(poisson / log) - 1 < 0.0  # "log" puts the background too low


def test_components_of_measured_edges_are_the_layers(data_folder):
    path = str(data_folder / "eels_oxide_interface_49x6.npz")
    scores = [
        measured(data_folder, "eels_oxide_interface_49x6", kind="component", file=path, index=i) for i in range(4)
    ]
    lanthanum = measured(
        data_folder, "eels_oxide_interface_49x6", kind="net_counts", edge=[828, 856], background=[780, 824]
    )
    assert max(smooth(score) for score in scores) > 0.9 > smooth(lanthanum)
    assert max(np.corrcoef(score.ravel(), lanthanum.ravel())[0, 1] for score in scores) > 0.8


# --- names ------------------------------------------------------------------------------------------------------------


NEEDED = {"cosine": {"reference": [1.0, 2.0, 3.0]}, "component": {"components": [[1.0, 2.0], [3.0, 4.0]], "index": 1}}


@pytest.mark.parametrize("name", SCALARIZERS)
def test_every_scalarizer_is_plain_data_and_back(name):
    scalarizer = get_scalarizer({"kind": name, **NEEDED.get(name, {})})
    mapping = json.loads(json.dumps(to_mapping(scalarizer)))
    assert mapping["kind"] == name == scalarizer.name  # type: ignore[attr-defined]
    assert get_scalarizer(mapping) == scalarizer


def test_a_callable_is_handed_back():
    assert get_scalarizer(np.max) is np.max
    assert to_mapping(len)["kind"] == "builtins.len"


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (
            "lop_area",
            ValueError,
            "scalarizer 'lop_area' is unknown, there are area, centroid, .*; did you mean 'loop_area'",
        ),
        ({"edge": [1, 2]}, ValueError, "scalarizer None is unknown"),
        (
            {"kind": "net_counts", "egde": [1, 2]},
            ValueError,
            "'net_counts': there is no setting 'egde', .* mean 'edge'",
        ),
        (
            {"kind": "line_counts", "lines": [1, 2]},
            ValueError,
            "'line_counts': there is no setting 'lines', .* mean 'line'",
        ),
        (LoopArea, TypeError, r"LoopArea is a class; give an object, LoopArea\(...\)"),
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
    assert units_of(LoopArea(), "pm", "V") == "V pm"
    assert units_of(NetCounts(), "counts", "eV") == "counts eV"
    assert units_of(Centroid(), "a.u.", "kHz") == "kHz"
    assert units_of(np.max, "a.u.", "kHz") == ""
