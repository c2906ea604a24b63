"""Sentences about a rehearsal."""

from dataclasses import replace

import numpy as np
import pytest

from bluesky_gp import PixelGrid
from bluesky_gp.cli.rehearsal_report import report
from bluesky_gp.rehearsal import configurations, rehearse

SHAPE = (8, 8)


def rehearsed(values, num, **options):
    told = {"seeds": range(2), "n_jobs": 1, "baselines": False, "target": "height"} | options
    return rehearse(PixelGrid(SHAPE), values, configurations()[:1], num=num, **told)


def printed(rehearsal, capsys):
    report(rehearsal, [])
    return " ".join(capsys.readouterr().out.split())


@pytest.fixture(scope="module")
def hill():
    row, col = np.indices(SHAPE)
    return np.exp(-((row - 3.0) ** 2 + (col - 5.0) ** 2) / 10.0)


def test_of_noise_it_says_that_nothing_can_be_learnt_and_gives_nothing_to_paste(capsys):
    told = printed(rehearsed(np.random.default_rng(0).normal(size=SHAPE), 30), capsys)
    assert "Nothing can be learnt: each pixel predicted from all others has an error of 1.0" in told
    assert "measure every pixel, or each of them for longer" in told
    assert "Recommended" not in told and "PixelOptimizer" not in told and "adaptive_map" not in told


def test_where_every_pixel_is_needed_it_says_so(hill, capsys):
    found = rehearsed(hill, 64)
    costly = [replace(run, error=np.where(run.num < 64, 0.9, run.error)) for run in found.runs]
    told = printed(replace(found, runs=tuple(costly)), capsys)
    assert "Every pixel is needed: nothing is saved, and a raster scan gives the same." in told


def test_where_the_points_were_too_few_for_any_map_it_says_to_try_more(hill, capsys):
    found = rehearsed(hill, 12)
    poor = [replace(run, error=np.full_like(run.error, 1.1)) for run in found.runs]
    told = printed(replace(found, runs=tuple(poor)), capsys)
    assert "With 12 points the map shows no more than its mean, error 1.10: try more (--num)." in told
    assert "None was enough within 12 points." in told and "Good enough here" not in told


def test_of_a_smooth_map_it_recommends_a_part_of_the_pixels(hill, capsys):
    told = printed(rehearsed(hill, 40), capsys)
    assert "Recommended: ei with " in told
    assert "optimizer = PixelOptimizer(grid, target='height'" in told
