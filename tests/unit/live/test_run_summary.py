import io

import pytest
from rich.console import Console

from bluesky_gp.live import RunSummary
from bluesky_gp.plans import raster_map


@pytest.fixture
def printed(RE):
    """Where the summaries of this test are printed."""
    out = io.StringIO()
    RE.subscribe(RunSummary(Console(file=out, width=100)))
    return out


def test_a_run_that_has_ended_is_summed_up(make_bench, RE, printed):
    (uid,) = RE(make_bench(script={(0, 3): ["fail"]}).map(25))
    text = printed.getvalue()
    assert f"run {uid[:8]}" in text and "success, all measured" in text
    assert "25 attempted, 1 failed" in text and "det_height 7.172 nm at (3, 0)" in text
    assert f"bluesky-gp show {uid[:8]}" in text


def test_runs_of_others_and_those_without_a_decision_print_nothing(bench, RE, printed):
    RE(raster_map([bench.detector], bench.stage, every=4))
    assert printed.getvalue() == ""


def test_a_run_that_failed_says_why(make_bench, RE, printed):
    bench = make_bench(script={(0, col): ["fail"] for col in range(8)})
    with pytest.raises(RuntimeError):
        RE(bench.map(25))
    assert "fail, " in printed.getvalue()
