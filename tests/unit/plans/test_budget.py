"""Maps that end when their seconds or their dose are spent: recorded, shown, resumed, replayed."""

import pytest
from flown import FlownBench
from recorded_runs import after_pixels, cut

from bluesky_gp import PixelOptimizer
from bluesky_gp.live import IterationLine
from bluesky_gp.optimizer import MaxDose
from bluesky_gp.recording import read_journal
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord, agent_entry
from bluesky_gp.verify import verify

DOSE = MaxDose(1.3, per_pixel=0.1, unit="pC")


def test_a_map_ends_at_its_dose_to_the_pixel_and_says_so(bench, RE, docs):
    RE(bench.map(60, dose=DOSE))
    assert docs.counts["primary"] == 13
    assert docs.column("gp_stop_reason", "gp")[-1] == "dose of 1.3 of 1.3 pC"
    assert [clause for clause in verify(docs.all) if not clause.holds] == []
    assert agent_entry(docs.starts[0])["budget"] == {"dose": 1.3, "per_pixel": 0.1, "unit": "pC"}


def test_a_map_ends_when_its_seconds_have_passed(bench, RE, docs):
    RE(bench.map(60, seconds=1e-9))
    assert docs.counts["primary"] == 10  # the first batch, before which nobody knew the pace
    assert docs.column("gp_stop_reason", "gp")[-1].endswith(" s of 1e-09 s")


def test_num_comes_first_where_it_is_less(bench, RE, docs):
    RE(bench.map(12, seconds=1e6, dose=DOSE))
    assert (docs.counts["primary"], docs.column("gp_stop_reason", "gp")[-1]) == (12, "num")


def test_a_budget_that_is_none_is_refused_before_there_is_a_run(bench, RE, docs):
    with pytest.raises(TypeError, match="adaptive_map: seconds must be a number, got 'an hour'"):
        RE(bench.map(12, seconds="an hour"))
    assert not docs.starts


def test_the_line_says_what_is_left(bench, RE):
    seen = []
    RE.subscribe(IterationLine(seen.append))
    RE(bench.map(60, dose=DOSE))
    assert [progress.budget for progress in seen] == [
        "1.3 pC of the budget left",
        "0.3 pC of the budget left",
        "0 pC of the budget left",
    ]
    assert "  |  0.3 pC of the budget left" in str(seen[1])
    assert "budget" not in str(seen[-1])


def test_without_a_budget_nothing_is_said_of_one(bench, RE, docs):
    seen = []
    RE.subscribe(IterationLine(seen.append))
    RE(bench.map(12))
    assert "budget" not in docs.starts[0]["gp"]
    assert not any("budget" in str(progress) for progress in seen)


@pytest.mark.parametrize("overlap", [False, True])
def test_a_run_that_is_resumed_has_the_dose_of_both_and_is_replayed(RE, docs, make_bench, tmp_path, overlap):
    def mapped(**options):
        docs.all.clear()
        bench = make_bench(optimizer=PixelOptimizer, batch_size=2, n_initial=2)
        RE(bench.map(40, dose=DOSE, overlap=overlap, **options))
        return list(docs.all), pixels(docs.all)

    whole, expected = mapped()
    left = cut(whole, after_pixels(whole, 7), tmp_path / "left.jsonl")
    rest, found = mapped(resume_from=left)
    assert [*pixels(read_journal(left)), *found] == expected
    assert len(expected) == 13
    assert replay(whole).identical and replay(rest).identical


def pixels(documents):
    return [outcome.pixel for outcome in RunRecord.from_documents(documents).outcomes]


def test_a_flown_batch_is_cut_to_the_dose(RE, docs):
    RE(FlownBench(None, PixelOptimizer, batch_size=5, n_initial=5).map(40, dose=DOSE))
    assert docs.counts["primary"] == 13
