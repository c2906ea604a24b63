"""What holds for every acquisition function that has a name."""

import numpy as np
import pytest

import bluesky_gp
from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.acquisition.names import BY_NAME
from bluesky_gp.cli.choices import ACQUISITIONS
from bluesky_gp.plain_data import describe, make
from bluesky_gp.replay import replay
from bluesky_gp.testing import AcquisitionContract

RANDOM = {"thompson", "mes", "goal"}
every = pytest.mark.parametrize("name", BY_NAME)


class TestEveryAcquisition(AcquisitionContract):
    @pytest.fixture(params=BY_NAME)
    def acquisition(self, request):
        return BY_NAME[request.param]()


def taught(name, **options):
    """An optimizer whose batches are all the acquisition function's, with twelve pixels measured."""
    found = PixelOptimizer(PixelGrid((9, 7)), "height", acquisition=BY_NAME[name](), batch=1.0, **options)
    rng = np.random.default_rng(7)
    pixels = rng.choice(found.grid.size, 12, replace=False)
    found.ingest([{"_id": int(pixel), "height": 3.0 + rng.standard_normal()} for pixel in pixels])
    return found


def proposed(found, num=4):
    return found.propose(found.state, num)


@every
def test_it_has_a_name_for_users_too(name):
    kind = BY_NAME[name]
    assert getattr(bluesky_gp, kind.__name__) is kind


def test_the_command_line_takes_every_name():
    assert set(ACQUISITIONS) == set(BY_NAME)


@every
def test_it_is_made_again_from_what_the_record_says(name):
    acquisition = BY_NAME[name]()
    assert make(describe(acquisition)) == acquisition


@every
def test_what_is_recorded_is_what_the_first_pixel_was_chosen_by(name):
    proposal = proposed(taught(name), 1)
    assert proposal.scores[0] == proposal.acquisition[tuple(proposal.pixels[0])]
    assert proposal.scores[0] == pytest.approx(np.nanmax(proposal.acquisition), rel=1e-8)


@every
def test_it_depends_on_the_seed_if_it_is_random_and_not_if_it_is_none(name):
    first, another = (proposed(taught(name, seed=seed)) for seed in (1, 2))
    assert np.array_equal(first.acquisition, another.acquisition, equal_nan=True) == (name not in RANDOM)


@every
def test_pixels_under_way_count_as_measured(name):
    found = taught(name)
    under_way = found.grid.ravel(proposed(found).pixels)
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
