import pytest
from ophyd.sim import SynAxis

from bluesky_gp.plans import Motors, as_stage, axes_of, devices_of, moves_to


def test_a_pair_of_motors_needs_a_grid(bench):
    with pytest.raises(ValueError, match=r"has no grid of its own: pass grid=PixelGrid"):
        as_stage((SynAxis(name="a"), SynAxis(name="b")), None)
    with pytest.raises(ValueError, match=r"a grid of 2 axes takes as many motors, got \['a'\]"):
        as_stage((SynAxis(name="a"),), bench.grid)


def test_motors_unpack_into_what_they_are(bench):
    a, b = SynAxis(name="a"), SynAxis(name="b")
    stage = as_stage((a, b), bench.grid)
    assert isinstance(stage, Motors) and [*stage] == [a, b] and stage.name == "a, b"
    assert as_stage(stage, None) is stage


def test_of_either_stage_it_is_told_what_is_moved_staged_and_read(bench):
    a, b = SynAxis(name="a"), SynAxis(name="b")
    pair = as_stage((a, b), bench.grid)
    assert moves_to(pair, (2, 3)) == [(a, 1.0), (b, 1.5)] and moves_to(bench.stage, (2, 3)) == [(bench.stage, (2, 3))]
    assert devices_of(pair) == [a, b] and devices_of(bench.stage) == [bench.stage]
    assert axes_of(pair).to_mapping() == {"keys": ["a", "b"], "space": "stage"}
    assert axes_of(bench.stage).to_mapping() == {"keys": ["stage_row", "stage_col"], "space": "pixel"}
