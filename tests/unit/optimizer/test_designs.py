import json

import numpy as np
import pytest
from gp_problems import masked_grids
from hypothesis import given
from hypothesis import strategies as st

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.optimizer import Recipe
from bluesky_gp.optimizer.designs import CenterFirst, CoarseGrid, Listed, PoissonDisk, Random, Sobol

DESIGNS = [Random(), Sobol(), CoarseGrid(), PoissonDisk(), CenterFirst()]
NAMES = ["random", "sobol", "grid", "poisson", "center"]


def distances(grid, pixels, others):
    return np.linalg.norm(grid.unravel(pixels)[:, None] - grid.unravel(others)[None], axis=-1)


def gap(grid, pixels):
    """How far the pixel that is furthest from all of some is from the nearest of them."""
    return distances(grid, np.arange(grid.size), pixels).min(axis=1).max()


def optimizer(grid, **options):
    return PixelOptimizer(grid, "z", **{"batch_size": 4, "n_initial": 10, **options})


def first(gp):
    """Measure until the model is asked; the flat indices in their order."""
    found = []
    while True:
        proposal = gp.propose(gp.state, gp.batch_size)
        if not len(proposal.pixels) or np.isfinite(proposal.scores).any():
            return found
        batch = gp.grid.ravel(proposal.pixels).tolist()
        found += batch
        gp.ingest([{"_id": pixel, "z": 1.0} for pixel in batch])  # constant: nothing is fitted, which takes long


# -- every design ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", DESIGNS, ids=NAMES)
@given(grid=masked_grids(), num=st.integers(1, 40), seed=st.integers(0, 99))
def test_a_design_has_no_pixel_twice_none_that_is_masked_and_no_more_than_asked_for(design, grid, num, seed):
    pixels = design(grid, num, rng=np.random.default_rng(seed))
    assert len(set(pixels.tolist())) == len(pixels) <= num
    assert grid.allowed[pixels].all()
    np.testing.assert_array_equal(design(grid, num, rng=np.random.default_rng(seed)), pixels)


@pytest.mark.parametrize("initial", NAMES)
@given(grid=masked_grids(), num=st.integers(1, 30), seed=st.integers(0, 99), batch_size=st.integers(1, 12))
def test_as_many_first_pixels_are_measured_as_were_asked_for(initial, grid, num, seed, batch_size):
    gp, twin = (optimizer(grid, n_initial=num, seed=seed, batch_size=batch_size, initial=initial) for _ in range(2))
    pixels = first(gp)
    assert pixels == first(twin)
    assert len(set(pixels)) == len(pixels)
    assert grid.allowed[pixels].all()
    whole = -(-num // batch_size) * batch_size if initial == "random" else num
    assert len(pixels) == min(whole, grid.allowed.sum())


@pytest.mark.parametrize("design", DESIGNS[1:], ids=NAMES[1:])
@pytest.mark.parametrize(
    ("shape", "num"), [((50, 50), 10), ((50, 50), 25), ((20, 60), 12), ((40,), 7), ((8, 9, 10), 20)]
)
def test_a_design_leaves_smaller_gaps_than_chance(design, shape, num):
    grid = PixelGrid(shape)
    seeds = [np.random.default_rng(seed) for seed in range(20)]
    by_chance = np.mean([gap(grid, Random()(grid, num, rng=rng)) for rng in seeds])
    assert np.mean([gap(grid, design(grid, num, rng=rng)) for rng in seeds]) < 0.95 * by_chance


@pytest.mark.parametrize("initial", NAMES[1:])
def test_half_of_a_map_masked_is_no_half_of_a_design(initial):
    mask = np.zeros((20, 20), dtype=bool)
    mask[:, :10] = True
    assert len(set(optimizer(PixelGrid((20, 20), mask=mask), initial=initial)._proposer.first.planned)) == 10


@pytest.mark.parametrize("initial", ["random", "sobol", "poisson"])
def test_the_seed_decides_a_random_design(initial):
    same, other = (optimizer(PixelGrid((30, 30)), initial=initial, seed=seed) for seed in (3, 4))
    assert first(optimizer(PixelGrid((30, 30)), initial=initial, seed=3)) == first(same) != first(other)


# -- what each is ----------------------------------------------------------------------------------------------------


def test_random_pixels_are_never_masked_nor_taken_twice():
    mask = np.zeros((20, 30), dtype=bool)
    mask[:4] = True
    pixels = Random()(PixelGrid((20, 30), mask=mask), 200, rng=np.random.default_rng(0))
    assert len(set(pixels.tolist())) == 200
    assert not mask.ravel()[pixels].any()


def test_random_first_pixels_are_those_of_runs_recorded_before_there_were_designs():
    rng = np.random.default_rng([5, 0])
    expected = rng.choice(np.arange(30), size=4, replace=False)
    gp = optimizer(PixelGrid((5, 6)), seed=5)
    assert {point["_id"] for point in gp.suggest()} == set(expected.tolist())


@pytest.mark.parametrize(
    ("num", "rows"), [(9, [3, 3, 3]), (10, [3, 4, 3]), (12, [4, 4, 4]), (1, [1]), (2, [2]), (400, [20] * 20)]
)
def test_a_coarse_grid_is_evenly_spaced_rows(num, rows):
    pixels = PixelGrid((20, 20)).unravel(CoarseGrid()(PixelGrid((20, 20)), num, rng=None))
    _, counts = np.unique(pixels[:, 0], return_counts=True)
    assert sorted(counts.tolist()) == sorted(rows)
    for row in np.unique(pixels[:, 0]):
        steps = np.diff(pixels[pixels[:, 0] == row, 1])
        assert np.ptp(steps) <= 1 if len(steps) else True


def test_a_coarse_grid_of_a_long_map_is_long():
    pixels = PixelGrid((10, 40)).unravel(CoarseGrid()(PixelGrid((10, 40)), 16, rng=None))
    assert (len(np.unique(pixels[:, 0])), len(np.unique(pixels[:, 1]))) == (2, 8)


def test_poisson_disks_do_not_overlap():
    grid = PixelGrid((40, 40))
    pixels = PoissonDisk()(grid, 20, rng=np.random.default_rng(0))
    pairs = distances(grid, pixels, pixels)[np.triu_indices(20, 1)]
    assert pairs.min() >= 0.55 * np.sqrt(grid.size / 20)


def test_center_first_begins_at_the_centre_and_goes_on_to_the_corners():
    grid = PixelGrid((9, 9))
    pixels = grid.unravel(CenterFirst()(grid, 5, rng=None)).tolist()
    assert pixels[0] == [4, 4]
    assert sorted(pixels[1:]) == [[0, 0], [0, 8], [8, 0], [8, 8]]


@given(grid=masked_grids(), num=st.integers(1, 20))
def test_each_pixel_of_center_first_is_the_furthest_from_those_before(grid, num):
    pixels = CenterFirst()(grid, num, rng=None)
    allowed = np.flatnonzero(grid.allowed)
    assert len(pixels) == min(num, len(allowed))
    for place in range(1, len(pixels)):
        reach = distances(grid, allowed, pixels[:place]).min(axis=1)
        assert reach[allowed == pixels[place]] == reach.max()


# -- pixels of the user's ---------------------------------------------------------------------------------------------


def test_a_list_comes_first_and_random_pixels_after_it():
    gp = optimizer(PixelGrid((6, 7)), initial=[(0, 0), (5, 6), (3, 3)], batch_size=3)
    pixels = first(gp)
    assert set(pixels[:3]) == {0, 41, 24}
    assert len(set(pixels)) == 10


def test_a_list_longer_than_n_initial_is_measured_whole():
    places = [(row, col) for row in range(3) for col in range(4)]
    gp = optimizer(PixelGrid((6, 7)), initial=places, n_initial=2)
    assert gp._proposer.first.num == 12
    assert set(first(gp)) == set(gp.grid.ravel(places).tolist())


def test_on_one_axis_a_list_of_numbers_will_do():
    assert set(first(optimizer(PixelGrid((30,)), initial=np.array([3, 14, 3]), n_initial=2))) == {3, 14}


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        ([(1, 1), (0, 2)], r"\[\[0, 2\]\] to begin with are masked"),
        ([(1, 1), (7, 2)], r"\[\[7, 2\]\] lies outside"),
        ([3, 4], "need row and col, got"),
        ([], "need row and col, got"),
        ("sobel", "initial is one of random, sobol, .*, center, overview, a list of pixels or a design, got 'sobel'"),
        (lambda grid, num, *, rng: np.array([[1, 1]]), "must return flat indices of the grid's 12 pixels"),
        (lambda grid, num, *, rng: np.array([12]), "must return flat indices of the grid's 12 pixels"),
    ],
)
def test_what_is_no_design_is_an_error_that_says_so(initial, message):
    mask = np.zeros((3, 4), dtype=bool)
    mask[0, 2] = True
    with pytest.raises(ValueError, match=message):
        optimizer(PixelGrid((3, 4), mask=mask), initial=initial)


def test_a_design_of_the_user_is_followed():
    def diagonal(grid, num, *, rng):
        return np.arange(num) * (grid.shape[1] + 1)

    assert sorted(first(optimizer(PixelGrid((12, 12)), initial=diagonal))) == list(range(0, 130, 13))


# -- in an optimizer -------------------------------------------------------------------------------------------------


def test_pixels_measured_unasked_and_pending_count_and_are_passed_over():
    gp = optimizer(PixelGrid((12, 12)), initial="sobol")
    planned = gp._proposer.first.planned.tolist()
    gp.ingest([{"_id": planned[0], "z": 1.0}, {"_id": planned[5], "z": 2.0}])
    pending = planned[1:3]
    asked = [point["_id"] for point in gp.suggest(10, pending=pending)]
    assert sorted(asked) == sorted([*planned[3:5], *planned[6:]])
    model = gp.propose(gp.state, 4, pending=[*pending, *asked])
    assert np.isfinite(model.scores).all()


def test_where_every_planned_pixel_failed_or_is_pending_random_ones_follow():
    gp = optimizer(PixelGrid((12, 12)), initial="grid")
    planned = gp._proposer.first.planned.tolist()
    assert len(gp.suggest(4, pending=planned)) == 4
    gp.register_failures([{"_id": pixel} for pixel in planned])
    assert len(gp.suggest(4)) == 4
    assert gp.propose(gp.state, 4).stop_reason == ""


def test_random_first_pixels_keep_a_minimum_distance():
    gp = optimizer(PixelGrid((30, 30)), min_distance=8.0, batch_size=6, n_initial=6)
    for _ in range(2):
        pixels = gp.grid.ravel(gp.propose(gp.state, 6, pending=[465]).pixels)
        pixels = np.append(pixels, 465)
        assert distances(gp.grid, pixels, pixels)[np.triu_indices(7, 1)].min() >= 8.0


@pytest.mark.parametrize("initial", [*NAMES, [(0, 0), (5, 6)]], ids=str)
def test_a_record_says_how_a_run_began(initial):
    grid = PixelGrid((9, 8))
    gp = optimizer(grid, initial=initial, min_distance=2.0)
    again = PixelOptimizer.of(Recipe.of(json.loads(json.dumps(gp.describe()))))
    assert again.describe() == {**gp.describe(), "stopping": []}
    assert first(again) == first(gp)


def test_a_record_of_before_there_were_designs_began_at_random():
    gp = optimizer(PixelGrid((9, 8)))
    older = {name: value for name, value in gp.describe().items() if name not in ("initial", "min_distance", "purpose")}
    assert PixelOptimizer.of(Recipe.of(older)).describe() == {**gp.describe(), "stopping": []}


def test_pixels_of_a_list_are_listed_once():
    assert Listed([(1, 2), [1, 2], np.array([3, 4])]).pixels == ((1, 2), (3, 4))
