"""Actions are checked as a whole: whatever is handed over, one more action waits, or nothing has changed."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.run import Orders

MASK = np.zeros((6, 7), dtype=bool)
MASK[2, 3] = True
GRID = PixelGrid((6, 7), mask=MASK)

numbers = st.integers(-2, 8) | st.floats() | st.booleans() | st.none() | st.text(max_size=3)
pixels = st.lists(st.lists(st.integers(-1, 7), min_size=2, max_size=2), max_size=4)
rubbish = st.recursive(numbers, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))
kinds = st.sampled_from(["rectangle", "polygon", "pixels", "mask", "above", "below", "circle"])
regions = st.dictionaries(kinds, pixels | rubbish, max_size=2) | rubbish
names = st.sampled_from(["acquisition", "batch", "purpose", "batch_size", "min_distance", "stopping", "num", "seed"])
values = (
    st.sampled_from(["ucb", "best", "map", 0.3, 2, 5, 60, -1, float("nan"), [], [3], {"class": "os:system"}]) | rubbish
)
asks = st.one_of(
    st.tuples(st.just("add_pixels"), st.fixed_dictionaries({"pixels": pixels | rubbish})),
    st.tuples(st.sampled_from(["forbid", "allow", "restrict"]), st.fixed_dictionaries({"region": regions})),
    st.tuples(st.just("configure"), st.dictionaries(names, values, max_size=3)),
    st.tuples(st.just("go_on"), st.fixed_dictionaries({"more": numbers})),
    st.tuples(st.just("edit"), st.fixed_dictionaries({"pixels": pixels})),
)


@settings(max_examples=150)
@given(st.lists(asks, max_size=6))
def test_one_action_waits_or_nothing_has_changed(given):
    agent = GPAgent(PixelOptimizer(GRID, "height"), target="det_height")
    for method, arguments in given:
        before = agent.hands.waiting
        try:
            getattr(agent, method)(**arguments)
        except (TypeError, ValueError, RuntimeError) as error:
            assert agent.hands.waiting == before and str(error)
        else:
            assert agent.hands.waiting[:-1] == before
    actions = agent.hands.waiting
    assert json.loads(json.dumps([a.to_mapping() for a in actions])) == [a.to_mapping() for a in actions]
    orders = Orders().after(actions, (), GRID)
    optimizer = orders.changed(agent.optimizer)
    proposal = optimizer.propose(orders.bounded(optimizer, agent.optimizer.state), 5)
    flat = GRID.ravel(proposal.pixels)
    assert GRID.allowed[flat].all() and (orders.barred is None or not orders.barred[flat].any())
    assert all(GRID.allowed[pixel] for pixel in orders.wanted)


@pytest.mark.parametrize(
    ("region", "sentence"),
    [
        ({}, "a region has one of the keys rectangle, polygon"),
        ({"circle": [3, 3, 1]}, "a region has one of the keys"),
        ({"rectangle": [[0, 0], [1, 1]], "above": 3}, "a region has one of the keys"),
        ({"rectangle": [[0, 0], [6, 1]]}, "lies outside the grid"),
        ({"rectangle": [[0, 0], [2.5, 1]]}, "a rectangle has two corners of whole numbers, row, col each"),
        ({"pixels": []}, r"pixels are a list such as \[\[row, col\], ...\] of whole numbers"),
        ({"pixels": [[2, 3]]}, r"\[\[2, 3\]\] are masked"),
        ({"polygon": [[20, 20], [30, 20], [20, 30]]}, "has no pixel of the grid"),
        ({"mask": [[True]]}, r"a mask has the grid's shape \(6, 7\)"),
        ({"above": 0.3}, "nothing is known of the map yet"),
        (
            {"rectangle": [[0, 0], [5, 6]]},
            r"forbid rectangle \(0, 0\) to \(5, 6\), 42 pixels, leaves no pixel to measure",
        ),
        ({"mask": np.ones((6, 7), dtype=bool)}, "forbid a mask, 42 pixels, leaves no pixel to measure"),
    ],
)
def test_a_region_that_is_none_is_refused_with_a_sentence(region, sentence):
    agent = GPAgent(PixelOptimizer(GRID, "height"), target="det_height")
    with pytest.raises((TypeError, ValueError), match=sentence):
        agent.forbid(region)
    assert agent.hands.waiting == ()
