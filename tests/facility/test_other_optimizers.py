"""Optimizers of other people under our plan: the same record, resumed by telling them again."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from journals import write

from bluesky_gp import GPAgent, PixelGrid
from bluesky_gp.optimizer import AskTell
from bluesky_gp.plans import adaptive_map
from bluesky_gp.run import RunRecord
from bluesky_gp.testing import ListOptimizer

EXAMPLE = Path(__file__).parents[2] / "examples" / "other_optimizers.py"
spec = importlib.util.spec_from_file_location("other_optimizers", EXAMPLE)
others = importlib.util.module_from_spec(spec)
spec.loader.exec_module(others)


def random(grid, target, **options):
    return AskTell(lambda: others.RandomPixels(grid, target, seed=3), grid, target, **options)


def simplex(grid, target, **options):
    return AskTell(lambda: others.NelderMead(grid, target), grid, target, **options)


def pixels(docs):
    return [outcome.pixel for outcome in RunRecord.from_documents(docs.all).outcomes]


@pytest.mark.parametrize("optimizer", [random, simplex])
def test_it_chooses_pixels_and_its_run_is_recorded_as_ours(RE, docs, make_bench, optimizer):
    bench = make_bench(optimizer=optimizer, batch_size=1, script={(0, 3): ["fail"]})
    RE(bench.map(8))
    record = RunRecord.from_documents(docs.all)
    assert len({outcome.pixel for outcome in record.outcomes}) == 8
    assert record.iterations["best_value"][-1] == max(o.value for o in record.outcomes if not o.failed)
    assert docs.starts[0]["gp"]["optimizer"] in ("RandomPixels", "NelderMead")
    assert docs.stops[0]["exit_status"] == "success"


def test_a_simplex_finds_the_hill(RE, docs, make_bench):
    bench = make_bench(optimizer=simplex, batch_size=1)
    RE(bench.map(30))
    assert bench.agent.optimizer.state.best_pixel == (5, 2)
    assert docs.column("gp_stop_reason", "gp")[-1] == "nothing more was suggested"


@pytest.mark.parametrize("optimizer", [random, simplex])
def test_a_run_that_is_resumed_goes_on_as_if_it_had_not_ended(RE, docs, make_bench, optimizer, tmp_path):
    RE(make_bench(optimizer=optimizer, batch_size=1).map(12))
    whole = pixels(docs)
    docs.all.clear()
    RE(make_bench(optimizer=optimizer, batch_size=1).map(7))
    first = pixels(docs)
    journal = tmp_path / "run.jsonl"
    write(journal, docs.all)
    docs.all.clear()
    RE(make_bench(optimizer=optimizer, batch_size=1).map(12, resume_from=journal))
    assert first + pixels(docs) == whole


def test_a_question_that_is_repeated_gets_the_same_answer():
    grid = PixelGrid((6, 5))
    optimizer = random(grid, "height", batch_size=3)
    state = optimizer.beginning
    first, again = (optimizer.propose(state, 3) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)
    told = optimizer.learn(first.state, [{"_id": int(grid.ravel([p])[0]), "height": 1.0} for p in first.pixels])
    second = optimizer.propose(told, 3)
    assert np.array_equal(optimizer.propose(state, 3).pixels, first.pixels)
    assert np.array_equal(optimizer.propose(told, 3).pixels, second.pixels)


def test_suggestions_go_to_pixels_that_are_free_and_allowed():
    class Corner:
        def suggest(self, num_points=None):
            return [{"row": 0.1, "col": -0.2, "_id": name} for name in range(num_points)]

        def __init__(self):
            self.told = []

        def ingest(self, points):
            self.told.append(points)

    corner = Corner()
    mask = np.zeros((3, 3), dtype=bool)
    mask[0, 1] = True
    optimizer = AskTell(lambda: corner, PixelGrid((3, 3), mask=mask), "height")
    proposal = optimizer.propose(optimizer.beginning, 2)
    assert proposal.pixels.tolist() == [[0, 0], [1, 0]]
    told = optimizer.learn(proposal.state, [{"_id": 0, "height": 2.0}, {"_id": 3, "height": 1.0}])
    assert optimizer.propose(told, 1).pixels.tolist() == [[1, 1]]
    assert {"_id": 0, "row": 0.0, "col": 0.0, "height": 2.0} in corner.told[0]
    assert {"row": 1.0, "col": 0.0, "height": 1.0} in corner.told[0]  # moved: nobody suggested it
    assert all(points == [{"_id": 0, "row": 0.0, "col": 0.0, "height": 2.0}] for points in corner.told[1:])


def test_one_that_only_suggests_and_ingests_is_refused_with_the_way_to_drive_it():
    with pytest.raises(TypeError, match=r"has no 'propose'; AskTell\(make, grid, target\) of bluesky_gp.optimizer"):
        GPAgent(others.RandomPixels(PixelGrid((3, 3)), "height"), target="det_height")
    GPAgent(ListOptimizer(PixelGrid((3, 3)), "height"), target="det_height")


def test_a_map_over_every_pixel_ends_in_order(RE, docs, make_bench):
    bench = make_bench(shape=(3, 3), optimizer=random, batch_size=2)
    RE(adaptive_map(*bench.things, num=9))
    assert sorted(pixels(docs)) == list(range(9))
