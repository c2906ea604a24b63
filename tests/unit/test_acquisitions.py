"""What holds for every acquisition function that has a name."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern, WhiteKernel
from sklearn.preprocessing import PowerTransformer

import bluesky_gp
from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.acquisitions import BY_NAME
from bluesky_gp.cli.demo import ACQUISITIONS
from bluesky_gp.description import describe, make
from bluesky_gp.protocols import Acquisition, MapAcquisition
from bluesky_gp.replay import replay

SHAPE = (9, 7)
RANDOM = {"thompson", "mes", "goal"}
KERNEL = ConstantKernel(1.0, "fixed") * Matern(2.0, "fixed", nu=2.5) + WhiteKernel(0.01, "fixed")
CASES = {
    "one axis": {"grid": (40,)},
    "three axes": {"grid": (4, 5, 3)},
    "a mask": {"grid": PixelGrid(SHAPE, mask=np.add.outer(np.arange(9), np.arange(7)) % 3 == 0)},
    "smaller is better": {"maximize": False},
    "a transformation": {"transform": PowerTransformer(standardize=False)},
    "a polynomial trend": {"mean": 1},
    "a kernel that is not stationary": {"kernel": DotProduct() * 0.1 + KERNEL},
    "no noise": {"kernel": ConstantKernel(1.0, "fixed") * Matern(2.0, "fixed", nu=2.5)},
}
every = pytest.mark.parametrize("name", BY_NAME)


def taught(name, *, pixels=None, values=None, **options):
    """An optimizer whose batches are all the acquisition function's, with twelve pixels measured."""
    options = {"grid": SHAPE, "kernel": KERNEL, "batch_size": 4, "n_initial": 4, "batch": 1.0, **options}
    grid = options.pop("grid")
    grid = grid if isinstance(grid, PixelGrid) else PixelGrid(grid)
    found = PixelOptimizer(grid, "height", acquisition=BY_NAME[name](), **options)
    rng = np.random.default_rng(7)
    pixels = grid.unravel(rng.choice(np.flatnonzero(grid.allowed), 12, replace=False)) if pixels is None else pixels
    values = 3.0 + rng.standard_normal(12) if values is None else values
    points = zip(pixels.tolist(), values.tolist(), strict=True)
    found.ingest([{**dict(zip(grid.axes, pixel, strict=True)), "height": value} for pixel, value in points])
    return found


def proposed(found):
    return found.propose(found.state, 4)


def places(proposal):
    return sorted(map(tuple, proposal.pixels.tolist()))


@every
def test_it_has_a_name_for_users_too(name):
    kind = BY_NAME[name]
    assert isinstance(kind(), Acquisition | MapAcquisition)
    assert getattr(bluesky_gp, kind.__name__) is kind


def test_the_command_line_takes_every_name():
    assert set(ACQUISITIONS) == set(BY_NAME)


@every
def test_it_is_made_again_from_what_the_record_says(name):
    acquisition = BY_NAME[name]()
    assert make(describe(acquisition)) == acquisition


@every
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_has_a_number_for_every_pixel_that_may_be_proposed_and_for_no_other(name, case):
    found = taught(name, **case)
    proposal = proposed(found)
    candidates = found.state.candidates()
    assert np.array_equal(np.flatnonzero(np.isfinite(proposal.acquisition)), candidates)
    assert np.isfinite(proposal.scores).all()
    chosen = found.grid.ravel(proposal.pixels)
    assert len(set(chosen.tolist())) == 4 and set(chosen.tolist()) <= set(candidates.tolist())


@every
def test_what_is_recorded_is_what_the_first_pixel_was_chosen_by(name):
    found = taught(name)
    proposal = found.propose(found.state, 1)
    assert proposal.scores[0] == proposal.acquisition[tuple(proposal.pixels[0])]
    assert proposal.scores[0] == pytest.approx(np.nanmax(proposal.acquisition), rel=1e-8)


@every
@pytest.mark.parametrize(("shift", "scale"), [(1e3, 1.0), (0.0, 1e-9), (-7.0, 3e6)])
def test_the_choice_does_not_depend_on_the_unit_of_the_target(name, shift, scale):
    values = np.random.default_rng(5).standard_normal(12)
    assert places(proposed(taught(name, values=shift + scale * values))) == places(
        proposed(taught(name, values=values))
    )


@every
def test_the_smallest_is_sought_as_the_largest_of_the_negative(name):
    values = np.random.default_rng(5).standard_normal(12)
    least = proposed(taught(name, values=values, maximize=False))
    assert places(least) == places(proposed(taught(name, values=-values)))


@pytest.mark.parametrize("name", [name for name in BY_NAME if name not in RANDOM])
@pytest.mark.parametrize(
    "turn", [np.flipud, np.fliplr, np.transpose, np.rot90], ids=["upside down", "mirrored", "transposed", "turned"]
)
def test_a_mirrored_or_turned_map_gives_mirrored_or_turned_choices(name, turn):
    numbers = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    turned = turn(numbers)
    pixels = np.random.default_rng(3).choice(numbers.size, 12, replace=False)
    there = np.array([np.argwhere(turned == pixel)[0] for pixel in pixels])
    here, other = (
        proposed(taught(name, grid=grid, pixels=places))
        for grid, places in ((SHAPE, np.argwhere(numbers >= 0)[pixels]), (turned.shape, there))
    )
    assert {turned[place] for place in places(other)} == {numbers[place] for place in places(here)}
    np.testing.assert_allclose(other.acquisition, turn(here.acquisition), rtol=1e-6)


@every
def test_it_depends_on_the_seed_if_it_is_random_and_on_nothing_else(name):
    first, again, another = (proposed(taught(name, seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.acquisition, again.acquisition, equal_nan=True)
    assert np.array_equal(first.pixels, again.pixels) and np.array_equal(first.scores, again.scores)
    assert np.array_equal(first.acquisition, another.acquisition, equal_nan=True) == (name not in RANDOM)


@every
def test_pixels_under_way_count_as_measured(name):
    found = taught(name)
    first = proposed(found)
    under_way = found.grid.ravel(first.pixels)
    more = found.propose(found.state, 4, pending=under_way.tolist())
    assert not set(found.grid.ravel(more.pixels).tolist()) & set(under_way.tolist())
    assert np.isnan(more.acquisition.ravel()[under_way]).all()


@every
def test_a_run_is_replayed_to_the_last_bit(name, make_bench, RE, docs):
    bench = make_bench(optimizer=PixelOptimizer, acquisition=BY_NAME[name](), batch=0.6, batch_size=5, n_initial=5)
    RE(bench.map(18))
    result = replay(docs.all)
    assert result.identical, str(result.difference)
    assert result.n_iterations == 5
