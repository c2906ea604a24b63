"""``stage.row`` and ``stage.col``: motors in pixels that the plans of bluesky move as they move any others."""

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import numpy as np
import pytest
from bluesky import FailedStatus
from bluesky.protocols import Checkable, HasHints, HasParent, Locatable, Movable, Readable, Stoppable
from bluesky.simulators import check_limits

from bluesky_gp.devices import PixelStage, SimulatedAxis, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.grid import PixelGrid
from bluesky_gp.plans import raster_map

GRID = PixelGrid(shape=(5, 4), step=(0.5, -2.0), origin=(1.0, 10.0), rotation=30.0, units="um")


@pytest.fixture
def stage():
    return PixelStage(grid=GRID, name="stage")


@pytest.fixture
def slow():
    axes = [
        SimulatedAxis(name=n, velocity=50.0, units="um", position=p) for n, p in zip("yx", GRID.origin, strict=True)
    ]
    return PixelStage(grid=GRID, axes=axes, name="stage")


def where(stage):
    return tuple(np.round(stage.locate()["readback"], 6))


def pixels(docs):
    return [(event["data"]["stage_row"], event["data"]["stage_col"]) for event in docs.events()]


def test_they_speak_the_protocols_of_a_motor(stage):
    for device in (stage.row, stage.col, stage.pixels):
        for protocol in (Readable, Movable, Locatable, Checkable, Stoppable, HasHints, HasParent):
            assert isinstance(device, protocol), (device, protocol)


def test_they_are_called_as_the_axes_of_the_grid_and_an_attribute_of_the_stage_is_not_hidden():
    stage = PixelStage(grid=PixelGrid((3, 4), axes=("line", "position")), name="probe")
    assert [axis.name for axis in stage.pixels.pseudo_positioners] == ["line", "position"]
    assert stage.line.key == "probe_line"
    assert stage.pixels.position == (0.0, 0.0)


def test_one_moves_and_the_other_stays(RE, stage):
    RE(bps.mv(stage.row, 3))
    RE(bps.mv(stage.col, 2))
    assert where(stage) == (3, 2)
    assert (stage.row.position, stage.row.locate()["setpoint"]) == (pytest.approx(3), 3)


def test_an_axis_that_was_moved_by_hand_is_not_brought_back(RE, stage):
    RE(bps.mv(stage.row, 3, stage.col, 2))
    for axis, value in zip(stage.axes, GRID.position((1.0, 0.0)), strict=True):
        axis.set(value).wait()
    RE(bps.mv(stage.col, 3))
    assert where(stage) == (1, 3)


def test_a_grid_scan_of_bluesky_records_what_a_raster_map_does(RE, stage, docs):
    spectrometer = SimulatedSpectrometer(SyntheticFerroelectric(GRID.shape), stage, name="spectrometer")
    RE(raster_map([spectrometer], stage))
    ours, (keys,) = pixels(docs), [set(doc["data_keys"]) for doc in docs.of("descriptor")]
    docs.all.clear()
    RE(bp.grid_scan([spectrometer], stage.row, 0, 4, 5, stage.col, 0, 3, 4, snake_axes=True))
    assert np.allclose(pixels(docs), ours)
    assert docs.descriptor("primary")["object_keys"].keys() == {"spectrometer", "stage"}
    assert set(docs.descriptor("primary")["data_keys"]) == keys
    assert docs.starts[0]["hints"]["dimensions"] == [(["stage_row"], "primary"), (["stage_col"], "primary")]


def test_a_line_records_its_axis_and_what_is_read_beside_it(RE, stage, docs):
    RE(bps.mv(stage.row, 2))
    RE(bp.scan([stage.col], stage.row, 1, 3, 3))
    assert np.allclose(pixels(docs), [(1, 0), (2, 0), (3, 0)])
    assert set(docs.descriptor("primary")["object_keys"]["row"]) == {"stage_row", "stage_y", "stage_y_setpoint"}


def test_relative_plans_count_from_where_the_stage_is_and_bring_it_back(RE, stage, docs):
    RE(bps.mv(stage.row, 2, stage.col, 1))
    RE(bp.rel_grid_scan([], stage.row, -1, 1, 3, stage.col, 0, 1, 2))
    assert np.allclose(pixels(docs), [(r, c) for r in (1, 2, 3) for c in (1, 2)])
    assert where(stage) == (2, 1)


def test_set_one_after_the_other_both_arrive(RE, slow):
    def plan():
        yield from bps.abs_set(slow.row, 4, group="move")
        yield from bps.abs_set(slow.col, 3, group="move")
        yield from bps.wait("move")

    RE(plan())
    assert where(slow) == (4, 3)


@pytest.mark.parametrize("success", [True, False])
def test_after_a_stop_the_move_that_waited_does_not_begin(slow, success):
    first, second = slow.row.set(4), slow.col.set(3)
    slow.row.stop(success=success)
    with pytest.raises(RuntimeError):
        second.wait(1)
    assert first.done
    assert where(slow)[1] != 3


def test_a_row_that_is_not_there_is_refused_before_anything_moves(RE, stage):
    with pytest.raises(ValueError, match=r"stage: row goes from 0 to 4, got 5"):
        check_limits(bp.scan([], stage.row, 0, 7, 8))
    with pytest.raises(ValueError, match=r"row goes from 0 to 4, got nan"):
        stage.row.set(float("nan"))
    with pytest.raises(ValueError, match=r"stage: 'layer' is no axis of its grid, those are row, col"):
        stage.set({"layer": 1})
    assert where(stage) == (0, 0)


def test_a_masked_pixel_is_refused_whichever_way_it_is_asked_for(RE):
    stage = PixelStage(grid=PixelGrid((3, 3), mask=np.eye(3) - np.diag([1, 0, 1]) > 0), name="stage")
    RE(bps.mv(stage.row, 1))
    with pytest.raises((ValueError, FailedStatus), match="masked"):
        RE(bps.mv(stage.col, 1))
    RE(bps.mv(stage.row, 2, stage.col, 1))
    assert where(stage) == (2, 1)
