"""The choice of what to measure next."""

import numpy as np

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.optimizer import MaxPixels

GRID = PixelGrid((6, 7))


def optimizer(n=0, **options):
    made = PixelOptimizer(GRID, "height", batch_size=4, n_initial=4, **options)
    made.ingest([{"_id": 5 * i, "height": float(np.sin(i))} for i in range(n)])
    return made


def test_first_pixels_have_no_scores_and_later_ones_have_them_for_every_candidate():
    first = optimizer().propose(optimizer().state, 4)
    assert np.isnan(first.scores).all() and np.isnan(first.acquisition).all()
    made = optimizer(6)
    later = made.propose(made.state, 4)
    assert np.isfinite(later.scores).all()
    assert np.isnan(later.acquisition.ravel()[made.state.pixels]).all() and np.isfinite(later.acquisition).sum() == 36


def test_pixels_under_way_are_not_proposed_and_change_what_is():
    made = optimizer(6)
    free = GRID.ravel(made.propose(made.state, 4).pixels).tolist()
    pending = GRID.ravel(made.propose(made.state, 4, pending=free).pixels).tolist()
    assert not set(free) & set(pending)


def test_a_proposal_lies_on_the_shortest_path_from_the_pixel_measured_last():
    made = optimizer(6)
    pixels = made.propose(made.state, 3).pixels
    here = GRID.unravel(made.state.pixels[-1:])[0]

    def length(order):
        points = np.vstack([here, pixels[list(order)]])
        return np.linalg.norm(np.diff(points, axis=0), axis=1).sum()

    assert length((0, 1, 2)) <= min(length(order) for order in [(0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])


def test_a_rule_ends_the_run_in_its_words_unless_rules_are_not_asked():
    made = optimizer(6, stopping=[MaxPixels(3)])
    assert len(made.propose(made.state, 4).pixels) == 0 and made.propose(made.state, 4).stop_reason
    assert len(made.propose(made.state, 4, stopping=False).pixels) == 4


def test_where_every_pixel_was_attempted_nothing_is_proposed():
    made = PixelOptimizer(PixelGrid((2, 2)), "height")
    made.ingest([{"_id": i, "height": 1.0} for i in range(4)])
    assert made.propose(made.state, 4).stop_reason == "every pixel was attempted"
