"""The result of a demonstration, as plain data and as a table."""

import json

import numpy as np
import pytest

from bluesky_gp import PixelOptimizer
from bluesky_gp.cli.report import report, summary
from bluesky_gp.run import RunRecord


@pytest.fixture
def record(make_bench, RE, docs):
    """A run of 12 of 64 pixels, the first of which fails."""
    begin = [(0, 3), (5, 2), (7, 7), (2, 5)]
    bench = make_bench(script={(0, 3): ["fail"]}, optimizer=PixelOptimizer, batch_size=4, initial=begin)
    RE(bench.map(12))
    return RunRecord.from_documents(docs.all)


TRUTH = 10.0 - np.hypot(np.indices((8, 8))[0] - 5, np.indices((8, 8))[1] - 2)


def test_the_numbers_are_plain_data_and_count_failed_pixels_as_measured(record):
    result = summary(record, TRUTH)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert (result["num"], result["n_failed"], result["share"]) == (12, 1, 12 / 64)
    assert result["seconds_measured"] == pytest.approx(12 * 2.35)
    assert result["best_measured"] == pytest.approx(TRUTH[tuple(result["best_pixel"])])
    assert result["n_iterations"] == len(record.iterations["iteration"]) and result["best_pixel"] == [5, 2]


def test_a_truth_that_is_not_known_is_said_to_be_unknown(record, capsys):
    result = summary(record, np.where(TRUTH == TRUTH.max(), np.nan, TRUTH)) | {"catalog": "folder", "figure": None}
    report(result)
    printed = capsys.readouterr().out
    assert "unknown, rank" in printed and "12 of 64, 18.8% of the full map" in printed
    assert "catalog = open_catalog('folder')" in printed and "figure" not in printed


def test_figures_of_the_published_experiment_stand_beside_its_own_alone(record, capsys):
    result = summary(record, TRUTH) | {"catalog": "folder", "figure": None}
    report(result)
    assert not any(words in capsys.readouterr().out for words in ("published", "2.35 s a pixel"))
    report(result, published=True)
    assert capsys.readouterr().out.count("published: ") == 2


def test_a_run_without_a_value_has_no_result(make_bench, RE, docs):
    RE(make_bench(script={pixel: ["fail"] for pixel in np.ndindex(8, 8)}, optimizer=PixelOptimizer).map(3))
    with pytest.raises(ValueError, match="no pixel gave a value"):
        summary(RunRecord.from_documents(docs.all), TRUTH)
