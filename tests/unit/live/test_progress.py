import io
import re

import pytest
from rich.console import Console

from bluesky_gp.live import IterationLine, ProgressBar, RunProgress
from bluesky_gp.recording import open_catalog


@pytest.fixture
def shown(RE):
    """What IterationLine shows of the runs of this test."""
    seen = []
    RE.subscribe(IterationLine(seen.append))
    return seen


def test_there_is_a_line_for_every_decision(bench, RE, shown):
    RE(bench.map(25))
    assert [progress.done for progress in shown] == [0, 10, 20, 25]
    assert [progress.iteration for progress in shown] == [0, 1, 2, 3]
    assert shown[-1].ended and not shown[-2].ended


def test_the_line_names_pixels_best_value_with_unit_and_pixel_and_the_reason_of_the_end(bench, RE, shown):
    RE(bench.map(50))
    assert str(shown[-1]) == "   50 of 50 pixels  |  best det_height 10 nm at (5, 2)  |  all measured"


def test_the_first_line_has_no_best(bench, RE, shown):
    RE(bench.map(5))
    assert str(shown[0]) == "    0 of 5 pixels"


def test_the_first_line_of_a_run_that_goes_on_has_the_unit_of_the_best(bench, RE, shown, tmp_path):
    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog.writer)
        (first,) = RE(bench.map(15))
        RE(bench.map(25, resume_from=catalog.journal(first)))
    resumed = [progress for progress in shown if progress.num == 25]
    assert "best det_height 6 nm" in str(resumed[0])
    assert {progress.units for progress in resumed} == {"nm"}


def test_a_unit_that_the_agent_was_told_is_known_from_its_first_decision():
    seen = []
    line = IterationLine(seen.append)
    line("start", {"num_points": 100, "gp": {"agent": "gp", "target": "t"}})
    line("descriptor", {"uid": "g", "name": "gp", "data_keys": {"gp_best_value": {"units": "pm V"}}})
    line("event", {"descriptor": "g", "time": 0.0, "data": decision(0, 10)})
    assert "best t 1 pm V at (0, 0)" in str(seen[0])


def test_failed_pixels_are_done_and_counted(make_bench, RE, shown):
    RE(make_bench(script={(0, 3): ["fail"]}).map(12))
    assert [(progress.done, progress.failed) for progress in shown] == [(0, 0), (10, 1), (12, 1)]


def test_the_time_left_is_what_the_pixels_so_far_took(shown, RE, bench):
    RE(bench.map(64))
    assert shown[0].seconds_left is None
    assert all(progress.seconds_left >= 0.0 for progress in shown[1:])
    assert shown[-1].seconds_left == 0.0


def test_a_pause_does_not_count_as_the_pace_of_a_pixel():
    seen = []
    line = IterationLine(seen.append)
    line("start", {"num_points": 100, "gp": {"agent": "gp", "target": "t"}})
    line("descriptor", {"uid": "g", "name": "gp", "data_keys": {}})
    times = [0.0, 10.0, 20.0, 1000.0, 1010.0]  # 10 pixels in 10 s, with a pause in the third batch
    for i, now in enumerate(times):
        line("event", {"descriptor": "g", "time": now, "data": decision(i, 10 * i)})
    assert [progress.seconds_left for progress in seen] == [None, 90.0, 80.0, 70.0, 60.0]


def decision(iteration, n_measured):
    values = {"iteration": iteration, "n_measured": n_measured, "n_failed": 0, "proposed": [[0, 0]]}
    values |= {"best_value": 1.0, "best_pixel": [0, 0], "stop_reason": ""}
    return {f"gp_{key}": value for key, value in values.items()}


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.2, "3 s left"), (89.0, "89 s left"), (600.0, "10 min left"), (9000.0, "2.5 h left")]
)
def test_times_are_written_for_people(seconds, text):
    assert text in str(RunProgress(10, "t", seconds_left=seconds))


def test_a_decision_that_will_take_long_is_announced():
    assert "the next decision takes about 12 s" in str(RunProgress(10, "t", next_time=12.3))
    assert "decision" not in str(RunProgress(10, "t", next_time=0.04))


def test_the_number_of_pixels_follows_people_while_the_run_goes_on(make_bench, RE, shown):
    from bluesky_gp import PixelOptimizer

    bench = make_bench(optimizer=PixelOptimizer, batch_size=5, n_initial=5)

    def more(name, doc):
        if name == "event" and "det_height" in doc["data"] and doc["seq_num"] == 8:
            bench.agent.go_on(10)

    RE(bench.map(12), more)
    assert [(progress.done, progress.num) for progress in shown] == [
        (0, 12),
        (5, 12),
        (10, 22),
        (15, 22),
        (20, 22),
        (22, 22),
    ]
    assert [progress.seconds_left > 0.0 for progress in shown[1:]] == [True] * 4 + [False]


def test_no_time_is_left_for_pixels_beyond_the_number_that_people_want(make_bench, RE, shown):
    from bluesky_gp import PixelOptimizer

    bench = make_bench(optimizer=PixelOptimizer, batch_size=5, n_initial=5)
    bench.agent.add_pixels([[3, col] for col in range(8)])
    RE(bench.map(5))
    assert [progress.done for progress in shown] == [0, 5, 8]
    assert all(progress.seconds_left >= 0.0 for progress in shown if progress.seconds_left is not None)


def test_what_the_agent_knew_before_the_run_is_not_counted(make_bench, RE, shown):
    from bluesky_gp import PixelOptimizer

    bench = make_bench(optimizer=PixelOptimizer)
    bench.optimizer.ingest([{"row": 4, "col": 4, "height": 3.0}])
    RE(bench.map(5))
    assert [progress.done for progress in shown] == [0, 5]


def test_runs_without_an_agent_print_nothing(bench, RE, shown):
    from bluesky_gp.plans import raster_map

    RE(raster_map([bench.detector], bench.stage, every=4))
    assert shown == []


def test_it_prints_by_default(bench, RE, capsys):
    RE.subscribe(IterationLine())
    RE(bench.map(5))
    assert capsys.readouterr().out.splitlines()[0] == "    0 of 5 pixels"


def test_the_bar_shows_every_pixel_the_iteration_and_the_best(bench, RE):
    out = io.StringIO()
    with ProgressBar(Console(file=out, force_terminal=True, width=120)) as bar:
        RE.subscribe(bar)
        RE(bench.map(50))
    text = out.getvalue()
    assert "50 of 50 pixels" in text and "iteration 5" in text and "best det_height 10 nm at (5, 2)" in text


def test_what_more_pixels_would_gain_is_said_where_the_agent_knows(make_bench, RE, shown):
    from bluesky_gp import PixelOptimizer

    RE(make_bench((12, 12), optimizer=PixelOptimizer).map(40))
    number = r"\d\S*"
    assert shown[0].outlook == "" == shown[-1].outlook  # nothing known yet, nothing more to come
    for progress in shown[1:-1]:
        pattern = rf"100 more: best \+{number}, map error {number} to {number} nm"
        assert re.fullmatch(pattern, progress.outlook) and progress.outlook in str(progress)


def test_a_gain_that_is_nothing_beside_the_error_of_the_map_is_none():
    progress = RunProgress(500, "t", forecast_num=100, best_gain=1e-9, map_error=0.21, map_gain=0.04)
    assert progress.outlook == "100 more: best +0, map error 0.21 to 0.17"


def test_large_numbers_have_no_exponent():
    best = {"best_value": 44859.0, "best_pixel": (1, 2), "units": "counts eV"}
    progress = RunProgress(500, "t", 40, **best, forecast_num=100, best_gain=0.0, map_error=222.0, map_gain=81.0)
    assert progress.outlook == "100 more: best +0, map error 220 to 140 counts eV"
    assert progress.best == "best t 44860 counts eV at (1, 2)"


def test_the_bar_shows_what_more_pixels_would_gain_below_the_best(make_bench, RE):
    from bluesky_gp import PixelOptimizer

    out = io.StringIO()
    with ProgressBar(Console(file=out, force_terminal=True, width=120)) as bar:
        RE.subscribe(bar)
        RE(make_bench((12, 12), optimizer=PixelOptimizer).map(40))
    assert "100 more: best +" in out.getvalue()
