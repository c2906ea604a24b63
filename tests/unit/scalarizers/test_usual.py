"""The target that is taken where nobody says one suits the spectra."""

import numpy as np
import pytest

from bluesky_gp.scalarizers import get_scalarizer, usual_target

THERE = np.concatenate([np.linspace(-3.0, 3.0, 20), np.linspace(3.0, -3.0, 20)])
LOOP = np.tanh(THERE)


@pytest.mark.parametrize("units", ["A", "nA", "pA", "S", "nS"])
@pytest.mark.parametrize("axis", [THERE, np.linspace(-1.0, 1.0, 40)])
def test_a_sweep_of_a_current_is_no_loop(units, axis):
    assert usual_target(LOOP, axis, "V", units) == "peak"


@pytest.mark.parametrize("units", ["pm", "a.u.", "V", ""])
def test_a_bias_that_goes_there_and_back_makes_a_loop(units):
    assert usual_target(LOOP, THERE, "V", units) == "loop_area"


def test_a_bias_that_goes_one_way_makes_none():
    assert usual_target(LOOP, np.linspace(-1.0, 1.0, 40), "V", "") == "peak"


def edge(onset, axis, height=0.3):
    counts = 1e9 * np.abs(axis) ** -2.7
    return counts * (1.0 + height * (axis >= onset))


@pytest.mark.parametrize(
    ("onset", "start", "end", "expected"),
    [(455.0, 350.0, 862.0, "net_counts"), (532.0, 350.0, 862.0, "area"), (931.0, 850.0, 1200.0, "area")],
    ids=["Ti", "O, and no Ti where it would be", "Cu"],
)
def test_a_core_loss_is_asked_for_titanium_only_where_it_is(onset, start, end, expected):
    axis = np.arange(start, end, 0.5)
    target = usual_target(edge(onset, axis), axis, "eV", "counts")
    assert target == expected
    assert np.isfinite(get_scalarizer(target)(edge(onset, axis), axis))


@pytest.mark.parametrize(("units", "factor", "kind"), [("keV", 1.0, ""), ("eV", 1000.0, ""), ("eV", 1000.0, "EDS_TEM")])
def test_x_rays_leave_out_the_peak_at_zero(units, factor, kind):
    energy = np.arange(-0.1, 20.0, 0.01)
    zero = 1e6 * np.exp(-0.5 * (energy / 0.04) ** 2)
    line = 1e3 * np.exp(-0.5 * ((energy - 8.05) / 0.07) ** 2)
    axis = factor * energy
    target = get_scalarizer(usual_target(zero + line, axis, units, "counts", kind))
    assert target(zero + line, axis) == pytest.approx(get_scalarizer("area")(line, axis), rel=0.01)
    assert target.name == "area"  # type: ignore[attr-defined]


def test_without_a_unit_it_is_the_centroid():
    assert usual_target(np.ones(4), np.arange(4.0), "", "") == "centroid"
