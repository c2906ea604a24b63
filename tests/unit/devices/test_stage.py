"""A PixelStage moves any axes in pixels, and says no before anything moves."""

import time

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import numpy as np
import pytest
from bluesky import FailedStatus
from bluesky.protocols import (
    Checkable,
    Configurable,
    HasHints,
    HasParent,
    Locatable,
    Movable,
    Pausable,
    Readable,
    Stageable,
    Stoppable,
)
from bluesky.simulators import check_limits
from ophyd.sim import SynAxis
from ophyd.status import StatusBase

from bluesky_gp.devices import PixelStage, SimulatedAxis
from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import Stage

GRID = PixelGrid(shape=(5, 4), step=(0.5, -2.0), origin=(1.0, 10.0), units="um")


class PlainAxis:
    """A Movable that knows nothing of ophyd: a name, set, read and describe."""

    parent = None

    def __init__(self, name):
        self.name = name
        self.where = 0.0
        self.log = []

    def set(self, value):
        self.where = value
        self.log.append(value)
        status = StatusBase()
        status.set_finished()
        return status

    def read(self):
        return {self.name: {"value": self.where, "timestamp": time.time()}}

    def describe(self):
        return {self.name: {"source": "plain", "dtype": "number", "shape": []}}


class FullAxis(PlainAxis):
    """One that can be staged, stopped and paused."""

    def stage(self):
        self.log.append("stage")
        return [self]

    def unstage(self):
        self.log.append("unstage")
        return [self]

    def stop(self, success=True):
        self.log.append("stop")

    def pause(self):
        self.log.append("pause")

    def resume(self):
        self.log.append("resume")


class PendingAxis(PlainAxis):
    """One whose move ends when the test says so."""

    def set(self, value):
        self.where = value
        self.status = StatusBase()
        return self.status


class StuckAxis(PlainAxis):
    def set(self, value):
        status = StatusBase()
        status.set_exception(TimeoutError("no encoder"))
        return status


class BrokenAxis(PlainAxis):
    def set(self, value):
        raise ConnectionError("no controller")


@pytest.fixture
def stage():
    return PixelStage(grid=GRID, name="stage")


def test_it_speaks_every_protocol_that_a_stage_has(stage):
    moving = (Movable, Locatable, Checkable, Stoppable, Pausable, Stage)
    for protocol in (*moving, Readable, Stageable, Configurable, HasHints, HasParent):
        assert isinstance(stage, protocol), protocol


def test_a_pixel_is_where_the_grid_says(stage):
    status = stage.set((2, 3))
    assert status.done
    assert status.success
    assert [axis.position for axis in stage.axes] == [2.0, 4.0]
    assert stage.locate() == {"setpoint": (2.0, 3.0), "readback": (2.0, 3.0)}


def test_before_the_first_move_it_is_where_the_axes_are(stage):
    assert stage.locate() == {"setpoint": (0.0, 0.0), "readback": (0.0, 0.0)}


def test_the_read_back_is_where_the_axes_are_not_what_was_asked(stage):
    stage.set((2, 3))
    stage.axes[0].set(1.25)
    assert stage.locate() == {"setpoint": (2.0, 3.0), "readback": (0.5, 3.0)}
    reading = stage.read()
    assert {key: reading[key]["value"] for key in ("stage_row", "stage_col", "stage_y", "stage_x")} == {
        "stage_row": 0.5,
        "stage_col": 3.0,
        "stage_y": 1.25,
        "stage_x": 4.0,
    }


@pytest.mark.parametrize("rotation", [30.0, -120.0])
def test_a_rotated_lattice_over_axes_that_are_not_ophyd(rotation):
    grid = PixelGrid(shape=(5, 4), step=(0.5, 2.0), origin=(1.0, 10.0), rotation=rotation)
    stage = PixelStage(grid=grid, axes=[PlainAxis("u"), PlainAxis("v")], name="stage")
    for pixel in np.ndindex(grid.shape):
        stage.set(pixel).wait(1)
        assert stage.locate()["readback"] == pytest.approx(pixel, abs=1e-12)
        assert [axis.where for axis in stage.axes] == pytest.approx(grid.position(pixel))


@pytest.mark.parametrize("shape", [(6,), (3, 4, 2)])
def test_one_axis_or_three(shape, RE, docs):
    stage = PixelStage(grid=PixelGrid(shape=shape), name="stage")
    last = tuple(n - 1 for n in shape)
    RE(bp.list_scan([], stage, [last]))
    assert [docs.column(key)[0] for key in stage.pixel_keys] == list(last)


def test_a_list_scan_records_pixels_and_positions(stage, RE, docs):
    pixels = [(0, 0), (2, 3), (4, 1)]
    RE(bp.list_scan([], stage, pixels))
    assert list(zip(docs.column("stage_row"), docs.column("stage_col"), strict=True)) == pixels
    assert list(zip(docs.column("stage_y"), docs.column("stage_x"), strict=True)) == [(1, 10), (2, 4), (3, 8)]
    keys = docs.descriptor("primary")["data_keys"]
    assert {k: keys["stage_row"][k] for k in ("units", "dtype", "dtype_numpy")} == {
        "units": "px",
        "dtype": "number",
        "dtype_numpy": "<f8",
    }
    assert keys["stage_y"]["units"] == "um"
    assert docs.descriptor("primary")["hints"]["stage"] == {"fields": ["stage_row", "stage_col"]}
    assert docs.descriptor("primary")["configuration"]["stage"]["data"] == {
        "stage_step": [0.5, -2.0],
        "stage_origin": [1.0, 10.0],
        "stage_rotation": 0.0,
    }


def test_a_grid_scan_over_its_axes_is_an_ordinary_one(stage, RE, docs):
    y, x = stage.axes
    RE(bp.grid_scan([], y, 1.0, 3.0, 5, x, 10.0, 4.0, 4))
    positions = list(zip(docs.column("stage_y"), docs.column("stage_x"), strict=True))
    assert np.allclose([stage.grid.pixel(p) for p in positions], list(np.ndindex(5, 4)))
    assert stage.locate()["readback"] == pytest.approx((4, 3))


def test_motors_of_ophyd_sim_work(RE, docs):
    stage = PixelStage(grid=GRID, axes=[SynAxis(name="m1"), SynAxis(name="m2")], name="stage")
    RE(bp.list_scan([], stage, [(1, 2)]))
    assert (docs.column("stage_row"), docs.column("stage_col")) == ([1.0], [2.0])
    assert (docs.column("m1"), docs.column("m2_setpoint")) == ([1.5], [6.0])


def test_the_names_of_the_grids_axes_are_the_event_keys():
    stage = PixelStage(grid=PixelGrid(shape=(2, 2), axes=("line", "sample")), name="afm")
    assert list(stage.read())[:2] == ["afm_line", "afm_sample"] == list(stage.pixel_keys)


def test_a_renamed_axis_is_still_found():
    axis = PlainAxis("u")
    stage = PixelStage(grid=PixelGrid(shape=(4,)), axes=[axis], name="stage")
    stage.set((1,))
    stage.read()
    axis.name = "w"
    assert stage.locate()["readback"] == (1.0,)


def test_both_axes_move_at_once_and_the_status_ends_with_the_last():
    axes = [PendingAxis("u"), PendingAxis("v")]
    stage = PixelStage(grid=PixelGrid(shape=(4, 4)), axes=axes, name="stage")
    status = stage.set((1, 2))
    assert [axis.where for axis in axes] == [1.0, 2.0]
    axes[1].status.set_finished()
    assert not status.done
    axes[0].status.set_finished()
    status.wait(1)


def test_a_failure_waits_for_the_other_axis_and_names_the_first_that_failed():
    axes = [PendingAxis("u"), PendingAxis("v")]
    stage = PixelStage(grid=PixelGrid(shape=(4, 4)), axes=axes, name="stage")
    status = stage.set((1, 2))
    axes[1].status.set_exception(TimeoutError("no encoder"))
    assert not status.done
    axes[0].status.set_finished()
    with pytest.raises(RuntimeError, match=r"stage: axis v did not get there: TimeoutError\('no encoder'\)") as caught:
        status.wait(1)
    assert isinstance(caught.value.__cause__, TimeoutError)


def test_an_axis_that_raises_is_named_too():
    stage = PixelStage(grid=PixelGrid(shape=(4, 4)), axes=[BrokenAxis("u"), PlainAxis("v")], name="stage")
    with pytest.raises(RuntimeError, match=r"stage: axis u did not get there: ConnectionError\('no controller'\)"):
        stage.set((1, 2)).wait(1)


def test_a_stuck_axis_fails_the_plan_by_name(RE):
    stage = PixelStage(grid=PixelGrid(shape=(4, 4)), axes=[PlainAxis("u"), StuckAxis("v")], name="stage")
    with pytest.raises(FailedStatus) as caught:
        RE(bps.mv(stage, (1, 2)))
    assert "stage: axis v did not get there" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("pixel", "message"),
    [
        ((5, 0), r"stage: pixel \(5, 0\) lies outside the grid of shape \(5, 4\)"),
        ((0, -1), r"stage: pixel \(0, -1\) lies outside"),
        ((1, 1), r"stage: pixel \(1, 1\) is masked"),
        ((1,), r"stage: expected a pixel \(row, col\), got \(1,\)"),
        (3, r"stage: expected a pixel \(row, col\), got 3"),
        ((0, np.nan), r"stage: expected a pixel"),
        ((4, 0), r"stage: pixel \(4, 0\) needs stage_y at 3 um, outside its limits -inf to 2.5"),
    ],
)
def test_a_pixel_that_must_not_be_is_refused_before_anything_moves(pixel, message):
    mask = np.zeros((5, 4), dtype=bool)
    mask[1, 1] = True
    grid = PixelGrid(shape=(5, 4), step=(0.5, -2.0), origin=(1.0, 10.0), units="um", mask=mask)
    stage = PixelStage(grid=grid, limits=[(-np.inf, 2.5), (0, 20)], name="stage")
    for refuses in (stage.check_value, stage.set):
        with pytest.raises(ValueError, match=message):
            refuses(pixel)
    assert stage.locate() == {"setpoint": (0.0, 0.0), "readback": (0.0, 0.0)}


def test_an_axis_is_asked_what_it_refuses():
    axes = [SimulatedAxis(name="y", limits=(0, 2)), SimulatedAxis(name="x")]
    stage = PixelStage(grid=PixelGrid(shape=(5, 4)), axes=axes, name="stage")
    stage.check_value((2, 3))
    with pytest.raises(
        ValueError, match=r"stage: pixel \(3, 0\) needs y at 3 px, which it refuses: y: 3.0 px is outside"
    ):
        stage.check_value((3, 0))
    assert stage.limits == ((0, 2), (-np.inf, np.inf))


def test_limits_of_an_axis_without_check_value_hold_too():
    axis = PlainAxis("u")
    axis.limits = (0.0, 2.0)  # type: ignore[attr-defined]
    stage = PixelStage(grid=PixelGrid(shape=(5,)), axes=[axis], limits=[(1.0, 5.0)], name="stage")
    assert stage.limits == ((1.0, 2.0),)
    with pytest.raises(ValueError, match="needs u at 3 px, outside its limits 1 to 2"):
        stage.check_value((3,))


def test_limits_of_zero_and_zero_are_none_as_in_epics():
    axis = PlainAxis("u")
    axis.limits = (0, 0)  # type: ignore[attr-defined]
    assert PixelStage(grid=PixelGrid(shape=(5,)), axes=[axis], name="stage").limits == ((-np.inf, np.inf),)


def test_a_limit_inside_the_grid_is_found_before_the_first_move():
    stage = PixelStage(grid=GRID, limits=[(0, 10), (5, 20)], name="stage")
    with pytest.raises(ValueError, match=r"stage: pixel \(0, 3\) needs stage_x at 4 um, outside its limits 5 to 20"):
        stage.check_grid()
    PixelStage(grid=GRID, limits=[(0, 10), (0, 20)], name="stage").check_grid()


def test_pixels_that_are_masked_need_not_be_reachable():
    mask = np.zeros((5, 4), dtype=bool)
    mask[:, 3] = True
    grid = PixelGrid(shape=(5, 4), step=GRID.step, origin=GRID.origin, mask=mask)
    PixelStage(grid=grid, limits=[(0, 10), (5, 20)], name="stage").check_grid()


@pytest.mark.parametrize("seed", range(5))
def test_the_extreme_pixels_answer_for_all(seed):
    rng = np.random.default_rng(seed)
    grid = PixelGrid(shape=(6, 5), rotation=float(rng.uniform(-180, 180)), mask=rng.random((6, 5)) < 0.5)
    positions = grid.position(grid.coordinates[grid.allowed])
    low, high = positions.min(axis=0), positions.max(axis=0)
    PixelStage(grid=grid, limits=np.column_stack([low - 1e-9, high + 1e-9]), name="stage").check_grid()
    for i in range(2):
        high[i] -= 1e-6
        with pytest.raises(ValueError, match="outside its limits"):
            PixelStage(grid=grid, limits=np.column_stack([low - 1e-9, high + 1e-9]), name="stage").check_grid()
        high[i] += 1e-6


def test_blueskys_own_check_of_limits_asks_the_stage(stage, RE):
    check_limits(bp.list_scan([], stage, [(0, 0), (4, 3)]))
    with pytest.raises(ValueError, match=r"pixel \(9, 0\) lies outside"):
        check_limits(bp.list_scan([], stage, [(0, 0), (9, 0)]))


def test_staging_stopping_and_pausing_reach_the_axes_that_can():
    full, plain = FullAxis("u"), PlainAxis("v")
    stage = PixelStage(grid=PixelGrid(shape=(4, 4)), axes=[full, plain], name="stage")
    assert stage.stage() == [stage, full]
    stage.stop()
    stage.pause()
    stage.resume()
    assert stage.unstage() == [full, stage]
    assert full.log == ["stage", "stop", "pause", "resume", "unstage"]
    assert plain.log == []


def test_an_axis_that_cannot_be_stopped_does_not_keep_the_other_moving(caplog):
    axes = [FullAxis("u"), FullAxis("v")]

    def stop(success=True):
        raise ConnectionError("no controller")

    axes[0].stop = stop
    PixelStage(grid=PixelGrid(shape=(4, 4)), axes=axes, name="stage").stop()
    assert axes[1].log == ["stop"]
    assert "axis u could not be stopped" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"axes": [PlainAxis("u")]}, ValueError, r"stage: a grid of shape \(5, 4\) needs 2 axes, got 1"),
        ({"axes": ["u", "v"]}, ValueError, "stage: there is no device 'u' in the registry None"),
        ({"axes": ["u", "w"], "registry": {"u": PlainAxis("u")}}, ValueError, "there is no device 'w' in the registry"),
        ({"axes": [3, 4]}, TypeError, "stage: an axis must have name, set, read and describe, got 3"),
        ({"limits": [(0, 1)]}, ValueError, r"stage: limits must be 2 pairs \(low, high\)"),
        ({"limits": [(1, 0), (0, 1)]}, ValueError, r"stage: limits must be 2 pairs \(low, high\)"),
    ],
)
def test_a_stage_that_cannot_be_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        PixelStage(grid=GRID, name="stage", **arguments)


def test_an_asynchronous_axis_is_refused_with_the_way_out():
    class Asynchronous(PlainAxis):
        async def read(self):
            return {}

    with pytest.raises(TypeError, match="axis u answers asynchronously .* adaptive_map takes a pair"):
        PixelStage(grid=PixelGrid(shape=(4,)), axes=[Asynchronous("u")], name="stage")


def test_an_axis_whose_position_cannot_be_told_is_an_error():
    axis = PlainAxis("u")
    axis.read = lambda: {"this": {"value": 0, "timestamp": 0}, "that": {"value": 0, "timestamp": 0}}
    stage = PixelStage(grid=PixelGrid(shape=(4,)), axes=[axis], name="stage")
    with pytest.raises(ValueError, match=r"axis u: which of \['this', 'that'\] is its position"):
        stage.read()


@pytest.mark.parametrize("axes", [SynAxis(name="piezo"), "piezo"])
def test_one_axis_instead_of_a_list_is_refused_with_what_to_write(axes):
    with pytest.raises(TypeError, match=r"line: axes must be a list, .* got '?piezo'?: write \['?piezo'?\]"):
        PixelStage(grid=PixelGrid(4), axes=axes, name="line")


def test_an_axis_in_another_unit_is_refused_when_the_stage_is_staged_and_when_it_is_set():
    axes = [SimulatedAxis(name="y", units="um"), SimulatedAxis(name="x", units="mm")]
    stage = PixelStage(grid=PixelGrid((2, 2), step=(5.0, 5.0), units="um"), axes=axes, name="stage")
    for move in (stage.stage, lambda: stage.set((1, 1))):
        with pytest.raises(ValueError, match="stage: the grid is in 'um', but x says 'mm'"):
            move()
    assert [axis.position for axis in axes] == [0.0, 0.0]


def test_axes_of_a_grid_without_a_unit_are_moved_and_the_log_says_what_a_step_is(caplog):
    stage = PixelStage(grid=PixelGrid(4), axes=[SimulatedAxis(name="y", units="nm")], name="stage")
    stage.set((2,)).wait(1)
    stage.set((3,)).wait(1)
    assert caplog.text.count("stage: the grid names no unit: its steps are taken to be in 'nm', as y counts") == 1
