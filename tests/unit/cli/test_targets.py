"""What ``--target`` takes, and what it is by default."""

import numpy as np
import pytest

from bluesky_gp.cli.targets import experiment, parsed_target
from bluesky_gp.scalarizers import (
    CoerciveVoltage,
    CosineSimilarity,
    NetCounts,
    PeakPosition,
    Thickness,
    get_scalarizer,
)


@pytest.mark.parametrize(
    ("text", "scalarizer"),
    [
        ("net_counts", NetCounts()),
        ("net_counts:edge=828..856,background=780..824,fit=poisson", NetCounts((828, 856), (780, 824), "poisson")),
        ("thickness:zero_loss=-4.5..4.5", Thickness((-4.5, 4.5))),
        ("thickness:zero_loss=-4.5..-.5", Thickness((-4.5, -0.5))),
        ("peak_position: window = 1e2 .. 3e2", PeakPosition((100, 300))),
        ("coercive_voltage:limit=5e-4,level=middle,robust=false", CoerciveVoltage(False, 5e-4, "middle")),
        ('{"kind": "net_counts", "edge": [828, 856]}', NetCounts((828, 856))),
        ('{"kind": "cosine", "reference": [1, 2]}', CosineSimilarity((1.0, 2.0))),
    ],
)
def test_a_target_is_a_name_with_parameters_or_json(text, scalarizer):
    name, described = parsed_target(text)
    assert get_scalarizer(described) == scalarizer
    assert name == scalarizer.name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("net_counts:edge", "expected name:key=value,key=value, a window as key=start..end, got 'edge'"),
        ("net_counts:edge=", "got 'edge='"),
        ("net_counts:edge=1..2,,", "got ''"),
        ("{net_counts}", "no JSON"),
        ('{"edge": [1, 2]}', "'kind' must say which scalarizer"),
    ],
)
def test_a_target_that_cannot_be_read_says_how_it_is_written(text, message):
    with pytest.raises(ValueError, match=message):
        parsed_target(text)


def test_what_is_compared_with_comes_from_the_same_file_unless_it_is_said(tmp_path):
    assert parsed_target("cosine", "map.npz") == ("cosine", {"kind": "cosine", "file": "map.npz"})
    assert parsed_target("cosine:file=other.npz,pixel=1..2", "map.npz")[1] == {
        "kind": "cosine",
        "file": "other.npz",
        "pixel": [1, 2],
    }
    assert parsed_target('{"kind": "component", "components": [[1]]}', "map.npz")[1]["components"] == [[1]]
    assert parsed_target("peak", "map.npz") == ("peak", "peak")


@pytest.mark.parametrize(
    ("units", "axis", "target"),
    [
        ("V", [0.0, 1.0, 0.0, -1.0], "loop_area"),
        ("eV", [-10.0, 0.0, 10.0, 20.0], "thickness"),
        ("eV", [420.0, 440.0, 448.0, 460.0], "net_counts"),
        ("keV", [0.0, 1.0, 2.0, 3.0], "area"),
        ("", [0.0, 1.0, 2.0, 3.0], "centroid"),
    ],
)
def test_the_usual_target_follows_from_the_axis(tmp_path, units, axis, target):
    spectra = 1.0 + np.random.default_rng(0).random((4, 3, 4))
    np.savez(tmp_path / "map.npz", spectra=spectra, axis=axis, meta=f'{{"axis_units": "{units}"}}')
    assert experiment(str(tmp_path / "map.npz"), None).target == target


def test_a_target_that_fails_everywhere_says_why(tmp_path):
    np.savez(tmp_path / "map.npz", spectra=np.ones((4, 3, 4)), axis=np.arange(4.0))
    with pytest.raises(
        ValueError, match=r"'net_counts' fails at every pixel, .*lies outside the axis, 0 to 3.*--target"
    ):
        experiment(str(tmp_path / "map.npz"), "net_counts")


def test_a_synthetic_sample_has_its_own_truth():
    found = experiment("ferroelectric", "coercive_voltage")
    assert found.target == "coercive_voltage"
    assert 2.0 < np.nanmedian(found.truth) < 3.0
