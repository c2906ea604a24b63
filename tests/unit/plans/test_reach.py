"""Units and coupled axes, as plans and stages meet them."""

import asyncio

import pytest
from ophyd import Component, PseudoPositioner, PseudoSingle, SoftPositioner
from ophyd.pseudopos import pseudo_position_argument, real_position_argument
from ophyd.sim import SynSignal

from bluesky_gp import GPAgent, PixelGrid
from bluesky_gp.devices import PixelStage, SimulatedAxis
from bluesky_gp.plans import adaptive_map, go_to_best, raster_map
from bluesky_gp.testing import ListOptimizer

GRID = PixelGrid((4, 3), step=(20.0, 20.0), units="um")


def soft(unit):
    return SoftPositioner(name="y", egu=unit, init_pos=0.0), SoftPositioner(name="x", egu=unit, init_pos=0.0)


def simulated(unit):
    return SimulatedAxis(name="y", units=unit), SimulatedAxis(name="x", units=unit)


def asynchronous(unit):
    from ophyd_async.core import init_devices

    from bluesky_gp.devices.ophyd_async import AsyncAxis

    with init_devices():
        y, x = AsyncAxis(units=unit), AsyncAxis(units=unit)
    return y, x


def position(axis):
    if hasattr(axis, "position"):
        return axis.position
    return asyncio.run_coroutine_threadsafe(axis.readback.get_value(), _loop()).result()


def _loop():
    from bluesky.run_engine import get_bluesky_event_loop

    return get_bluesky_event_loop()


@pytest.mark.parametrize("make", [soft, simulated, asynchronous])
def test_motors_in_another_unit_than_the_grid_are_refused_before_anything_moves(RE, docs, make):
    axes = make("mm")
    agent = GPAgent(ListOptimizer(GRID, "height"), target="det")
    for plan in (adaptive_map([], axes, agent, num=6), raster_map([], axes, grid=GRID)):
        with pytest.raises(ValueError, match="y, x: the grid is in 'um', but y says 'mm'; the same grid there is"):
            RE(plan)
    assert docs.all == [] and [position(axis) for axis in axes] == [0.0, 0.0]


def test_the_best_pixel_is_not_sought_with_motors_of_another_unit(RE):
    agent = GPAgent(ListOptimizer(GRID, "height"), target="det")
    y, x = simulated("um")
    RE(adaptive_map([SynSignal(name="det", func=lambda: y.position + x.position)], (y, x), agent, num=6))
    others = simulated("mm")
    with pytest.raises(ValueError, match="y, x: the grid is in 'um', but y says 'mm'"):
        RE(go_to_best(others, agent))
    assert [axis.position for axis in others] == [0.0, 0.0]


@pytest.mark.parametrize("make", [soft, simulated, asynchronous])
def test_motors_in_another_spelling_of_the_unit_are_moved(RE, docs, caplog, make):
    RE(raster_map([], make("micron"), grid=GRID))
    assert docs.counts["primary"] == 12 and "unit" not in caplog.text


@pytest.mark.parametrize("make", [soft, simulated])
def test_a_pixel_stage_over_such_axes_refuses_a_plan_and_a_move_by_hand(RE, docs, make):
    axes = make("mm")
    stage = PixelStage(grid=GRID, axes=axes, name="stage")
    with pytest.raises(ValueError, match="stage: the grid is in 'um', but y says 'mm'"):
        RE(raster_map([], stage))
    with pytest.raises(ValueError, match="stage: the grid is in 'um', but y says 'mm'"):
        stage.set((1, 1))
    assert docs.all == [] and [axis.position for axis in axes] == [0.0, 0.0]


def test_one_axis_of_another_unit_is_found_among_several(RE):
    axes = (SimulatedAxis(name="y", units="um"), SimulatedAxis(name="x", units="nm"))
    with pytest.raises(ValueError, match=r"x says 'nm'; .*step=\(20000.0, 20000.0\)"):
        RE(raster_map([], axes, grid=GRID))


def test_nobody_says_a_unit_and_a_sentence_does(RE, docs, caplog):
    RE(raster_map([], soft(""), grid=PixelGrid((2, 2))))
    assert "y, x: neither the grid nor y names a unit: a step of 1 is taken to be 1 of what y counts" in caplog.text
    assert docs.counts["primary"] == 4


class Lab(PseudoPositioner):
    """The frame of a sample that is rotated; it counts its moves, for each but the last of a pixel is cancelled."""

    n_moves = 0
    px, py, pz = Component(PseudoSingle), Component(PseudoSingle), Component(PseudoSingle)
    rx, ry, rz = (Component(SoftPositioner, init_pos=0.0, limits=(-50.0, 50.0)) for _ in range(3))

    def move(self, *args, **kwargs):
        self.n_moves += 1
        return super().move(*args, **kwargs)

    @pseudo_position_argument
    def forward(self, there):
        return self.RealPosition(rx=0.8 * there.px - 0.6 * there.py, ry=0.6 * there.px + 0.8 * there.py, rz=there.pz)

    @real_position_argument
    def inverse(self, real):
        return self.PseudoPosition(px=0.8 * real.rx + 0.6 * real.ry, py=-0.6 * real.rx + 0.8 * real.ry, pz=real.rz)


@pytest.mark.parametrize("names", ["py px", "px py", "px pz py"])
@pytest.mark.parametrize("over", ["motors", "a stage"])
def test_axes_of_one_positioner_are_moved_together(RE, docs, names, over):
    lab = Lab(name="lab")
    axes = [getattr(lab, name) for name in names.split()]
    grid = PixelGrid((3, 2, 2)[: len(axes)])
    stage = PixelStage(grid=grid, axes=axes, name="stage") if over == "a stage" else axes
    det = SynSignal(name="det", func=lambda: sum(axis.position for axis in axes))
    agent = GPAgent(ListOptimizer(grid, "height", batch_size=3), target="det")
    RE(adaptive_map([det], stage, agent, num=6))
    assert docs.counts["primary"] == lab.n_moves == 6 and "gp_failures" not in docs.counts
    visited = set(zip(*(docs.column(axis.name) for axis in axes), strict=True))
    assert len({tuple(round(p, 6) for p in place) for place in visited}) == 6
    RE(go_to_best(stage, agent))
    assert [axis.position for axis in axes] == pytest.approx(agent.optimizer.state.best_pixel)


def test_a_positioner_that_cannot_reach_a_corner_says_so_before_it_moves(RE, docs):
    lab = Lab(name="lab")
    with pytest.raises(ValueError, match=r"lab: pixel \(\d, \d\) of the grid, at .*cannot be reached"):
        RE(raster_map([], (lab.py, lab.px), grid=PixelGrid((3, 3), step=(30.0, 30.0))))
    assert docs.all == [] and lab.real_position == (0.0, 0.0, 0.0)
