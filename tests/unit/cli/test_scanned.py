"""Maps from scans that no agent steered: every pixel where the stage was, or a sentence."""

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.plans import count, grid_scan, list_grid_scan, rel_grid_scan, rel_list_grid_scan, scan, spiral_square
from event_model import pack_event_page
from ophyd.sim import SynAxis, SynSignal

from bluesky_gp import PixelGrid
from bluesky_gp.cli.scanned import scanned_map
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import raster_map


class Bench:
    """Two motors and a number that tells where they are."""

    def __init__(self):
        self.y, self.x = SynAxis(name="y"), SynAxis(name="x")
        self.height = SynSignal(name="height", func=lambda: 100.0 * self.y.position + self.x.position)
        self.engine = RunEngine({}, context_managers=[])

    def documents(self, plan):
        """Run a plan, which may fail."""
        heard = []
        try:
            self.engine(plan, lambda name, doc: heard.append((name, doc)))
        except RuntimeError:
            pass
        return heard

    def map(self, plan):
        """Return the map of a plan."""
        return scanned_map(self.documents(plan), None, maximize=True).values


@pytest.fixture
def bench():
    return Bench()


def heights(rows, cols):
    return 100.0 * np.asarray(rows, dtype=float)[:, None] + np.asarray(cols, dtype=float)


def stopped(plan, number):
    """Make a plan fail when it has measured so many points."""
    saved = 0

    def count_and_stop(message):
        nonlocal saved
        if message.command == "create":
            saved += 1
            if saved > number:
                raise RuntimeError("the beam is gone")
        return message

    return bpp.msg_mutator(plan, count_and_stop)


def with_first(values, n):
    """The map of which the first `n` points, row by row, were measured."""
    flat = values.ravel().copy()
    flat[n:] = np.nan
    return flat.reshape(values.shape)


def test_a_scan_that_was_stopped_early_has_its_rows_where_they_are(bench):
    found = bench.map(stopped(grid_scan([bench.height], bench.y, 0, 9, 10, bench.x, 0, 3, 4), 22))
    assert np.array_equal(found, with_first(heights(range(10), range(4)), 22), equal_nan=True)


def test_the_first_rows_of_a_scan_from_above_are_the_last_of_the_map(bench):
    found = bench.map(stopped(grid_scan([bench.height], bench.y, 9, 0, 10, bench.x, 3, 0, 4), 16))
    expected = with_first(heights(range(10), range(4))[::-1], 16)[::-1]
    assert np.array_equal(found, expected, equal_nan=True)


def test_a_scan_that_winds_is_unwound_also_if_it_stops_in_a_backward_line(bench):
    found = bench.map(stopped(grid_scan([bench.height], bench.y, 0, 4, 5, bench.x, 0, 3, 4, snake_axes=True), 14))
    expected = heights(range(5), range(4))
    expected[3, :2], expected[4] = np.nan, np.nan
    assert np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize("snake", [False, True])
def test_uneven_steps_and_positions_in_any_order_are_rows_of_their_own(bench, snake, capsys):
    rows, cols = [0.0, 0.1, 10.0], [5.0, 1.0, 1.5, 30.0]
    found = bench.map(list_grid_scan([bench.height], bench.y, rows, bench.x, cols, snake_axes=snake))
    assert np.array_equal(found, heights(rows, sorted(cols)))
    assert "uneven" in capsys.readouterr().err


def test_a_list_of_positions_of_which_half_was_measured_is_placed(bench):
    rows, cols = [0.0, 1.0, 7.0, 8.0], [1.0, 2.0, 4.0]
    found = bench.map(stopped(list_grid_scan([bench.height], bench.y, rows, bench.x, cols), 10))
    assert np.array_equal(found, with_first(heights(rows, cols), 10), equal_nan=True)


@pytest.mark.parametrize("number", [20, 13, 10])
def test_a_relative_scan_is_placed_wherever_it_began(bench, number):
    bench.y.set(1.0), bench.x.set(7.3)
    found = bench.map(stopped(rel_grid_scan([bench.height], bench.y, -2, 2, 5, bench.x, 0, 3, 4), number))
    assert found == pytest.approx(with_first(heights(np.arange(-1, 4), np.arange(4) + 7.3), number), nan_ok=True)


def test_a_relative_list_that_was_stopped_is_placed(bench):
    bench.y.set(2.0)
    found = bench.map(stopped(rel_list_grid_scan([bench.height], bench.y, [0, 2, 3, 9], bench.x, [0, 1, 5]), 11))
    assert found == pytest.approx(with_first(heights([2, 4, 5, 11], [0, 1, 5]), 11), nan_ok=True)


@pytest.mark.parametrize(("number", "shape"), [(20, (5, 4)), (13, (5, 5)), (10, (4, 4))])
def test_a_square_spiral_is_placed_from_its_middle(bench, number, shape):
    rows, cols = np.linspace(-1, 3, shape[0]), np.linspace(3, 7, shape[1])
    plan = spiral_square([bench.height], bench.x, bench.y, 5.0, 1.0, 4.0, 4.0, shape[1], shape[0])
    found = bench.map(stopped(plan, number))
    measured = np.isfinite(found)
    assert measured.sum() == number
    assert found[measured] == pytest.approx(heights(rows, cols)[measured])


def test_a_readback_beside_its_setpoint_is_that_point(bench):
    rng = np.random.default_rng(0)
    bench.y.readback.sim_put = lambda value: None
    heard = bench.documents(grid_scan([bench.height], bench.y, 0, 4, 5, bench.x, 0, 3, 4))
    for name, doc in heard:
        if name == "event":
            doc["data"] = {**doc["data"], "x": doc["data"]["x"] + rng.uniform(-0.2, 0.2) + 0.4}
    assert np.isfinite(scanned_map(heard, None, maximize=True).values).all()


def test_pages_of_events_are_the_same_map(bench):
    heard = bench.documents(grid_scan([bench.height], bench.y, 0, 3, 4, bench.x, 0, 3, 4))
    events = [doc for name, doc in heard if name == "event"]
    paged = [heard[0], heard[1], ("event_page", pack_event_page(*events)), heard[-1]]
    assert np.array_equal(scanned_map(paged, None, maximize=True).values, heights(range(4), range(4)))


def test_a_coarse_raster_of_ours_is_a_map(bench):
    sample = SyntheticFerroelectric(shape=(12, 12))
    stage = PixelStage(grid=PixelGrid((12, 12)), name="stage")
    spectrometer = SimulatedSpectrometer(sample, stage, name="spectrometer")
    full = scanned_map(bench.documents(raster_map([spectrometer], stage, every=3)), None, maximize=True)
    expected = SyntheticFerroelectric(shape=(12, 12)).truth("loop_area")[::3, ::3]
    assert full.values == pytest.approx(expected, rel=0.1, nan_ok=True)
    assert (full.target, full.units) == ("spectrometer_loop_area", "V pm")


def shaped(bench, points, md):
    """A plan of somebody's own, with metadata of their own."""

    @bpp.run_decorator(md={"detectors": ["height"], **md})
    def plan():
        for y, x in points:
            yield from bps.mv(bench.y, y, bench.x, x)
            yield from bps.trigger_and_read([bench.height, bench.y, bench.x])

    return plan()


DIMENSIONS = {"hints": {"dimensions": [(["y"], "primary"), (["x"], "primary")]}}


def test_a_complete_scan_is_a_map_even_if_only_its_shape_is_known(bench):
    points = [(y, x) for y in (0.0, 5.0, 6.0, 7.0) for x in (3.0, 2.0, -1.0)]
    np.random.default_rng(1).shuffle(points)
    found = bench.map(shaped(bench, points, {"shape": [4, 3], **DIMENSIONS}))
    assert np.array_equal(found, heights([0, 5, 6, 7], [-1, 2, 3]))


@pytest.mark.parametrize(
    ("points", "md", "message"),
    [
        ([(0, 0), (0, 1), (1, 0)], {"shape": [2, 2]}, "it is not complete"),
        ([(0, 0), (0, 1), (0, 0), (1, 1)], {"shape": [2, 2]}, r"more than one event at pixel \(0, 0\)"),
        ([(0, 0), (0, 0.5), (1, 0)], {"shape": [2, 2], "extents": [[0, 1], [0, 1]]}, "which pixels were measured"),
        ([(0, 0), (0, 1)], {"shape": [2, 2], "extents": [[0, 1], [0, 1]], "plan_name": "rel_mine"}, "not complete"),
        ([(0, 0)], {"shape": [10**6, 10**6]}, "one to three axes are"),
        ([(0, 0)], {"shape": [2]}, "no 'shape', or not the axes of one"),
    ],
)
def test_a_scan_of_which_the_pixels_cannot_be_told_is_refused(bench, points, md, message):
    with pytest.raises(ValueError, match=message):
        bench.map(shaped(bench, points, {**md, **DIMENSIONS}))


def test_a_scan_that_measures_each_point_twice_is_refused(bench):
    def twice(detectors, step, pos_cache):
        yield from bps.one_nd_step(detectors, step, pos_cache)
        yield from bps.trigger_and_read([*detectors, *step])

    with pytest.raises(ValueError, match=r"more than one event at pixel \(0, 0\)"):
        bench.map(grid_scan([bench.height], bench.y, 0, 3, 4, bench.x, 0, 3, 4, per_step=twice))


@pytest.mark.parametrize("points", [[1.0, 2.0, 2.0], [0.0, 0.0, 3.0]])
def test_a_list_that_goes_to_a_position_twice_is_refused(bench, points):
    with pytest.raises(ValueError, match="not so many different positions"):
        bench.map(list_grid_scan([bench.height], bench.y, points, bench.x, [0.0, 1.0]))


def test_a_run_that_ended_before_its_first_point_says_so(bench):
    with pytest.raises(ValueError, match="no event in stream 'primary'; it ended before its first point"):
        bench.map(stopped(grid_scan([bench.height], bench.y, 0, 3, 4, bench.x, 0, 3, 4), 0))
    for plan in (count([]), count([bench.height]), scan([bench.height], bench.y, 0, 1, 5)):
        with pytest.raises(ValueError, match="is no map: its start document has no 'shape'"):
            bench.map(plan)


def test_of_several_numbers_the_hinted_one_is_meant_or_the_one_that_is_named(bench):
    bench.height.kind = "hinted"
    width = SynSignal(name="width", func=lambda: 1.0, kind="normal")
    heard = bench.documents(grid_scan([width, bench.height], bench.y, 0, 3, 4, bench.x, 0, 3, 4))
    assert scanned_map(heard, None, maximize=True).target == "height"
    width.kind = "hinted"
    heard = bench.documents(grid_scan([width, bench.height], bench.y, 0, 3, 4, bench.x, 0, 3, 4))
    with pytest.raises(ValueError, match="--target must name one number of the run's events: width, height"):
        scanned_map(heard, None, maximize=True)
    assert scanned_map(heard, "height", maximize=False).best_pixel == (0, 0)
