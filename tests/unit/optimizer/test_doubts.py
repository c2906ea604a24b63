"""Doubts about the state of an optimizer, in words for the record."""

import re

import numpy as np
import pytest

from bluesky_gp import PixelGrid, PixelOptimizer
from bluesky_gp.optimizer.doubts import diagnose, with_unscored

GRID = PixelGrid((6, 6))


def state(values):
    optimizer = PixelOptimizer(GRID, "height", n_initial=4)
    optimizer.ingest([{"_id": 2 * i, "height": float(value)} for i, value in enumerate(values)])
    return optimizer.state


def smooth(n):
    row, col = GRID.unravel(2 * np.arange(n)).T
    return np.exp(-((row - 2.0) ** 2 + (col - 3.0) ** 2) / 6.0) + 0.02 * np.random.default_rng(0).standard_normal(n)


def test_a_map_like_others_raises_no_doubt():
    assert diagnose(state(smooth(16))) == ""


@pytest.mark.parametrize(
    ("values", "doubt"),
    [
        ([np.nan] * 10, "not one of 10 pixels has a value"),
        ([3.0] * 12, "all 12 values are equal"),
        ([*smooth(14), 1e9], r"pixel \(4, 4\) has 1e\+09, far from all others"),
        (np.logspace(-4, 4, 12), "the values span 8 orders of magnitude"),
    ],
)
def test_what_a_person_should_look_at_is_said(values, doubt):
    assert re.search(doubt, diagnose(state(values)))


def test_too_few_failures_are_no_doubt_yet():
    assert diagnose(state([np.nan] * 9)) == ""


def test_candidates_without_a_score_are_counted_behind_other_doubts():
    assert with_unscored("", np.array([1.0, np.nan, np.nan])) == (
        "the acquisition function gave no number for 2 of 3 pixels"
    )
    assert with_unscored("a doubt", np.array([np.nan])).startswith("a doubt; the acquisition function")
    assert with_unscored("a doubt", np.ones(3)) == "a doubt"
