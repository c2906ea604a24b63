"""A target that changes with time, in runs: times come from the events, and are kept where runs are resumed."""

import numpy as np
import pytest
from flown import ScriptedFlyer
from recorded_runs import Run, cut, in_pages, through_text

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import ResumeError
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord
from bluesky_gp.verify import verify


def listed(time):
    """Return what an event has, or a page of them."""
    return time if isinstance(time, list) else [time]


class Session:
    """A detector, and an agent whose target changes within a second."""

    def __init__(self, time_kernel=1.0, *, flown=False, **options):
        self.stage = stage = PixelStage(grid=PixelGrid((8, 8)), name="stage")
        target = "height" if flown else "loop_area"
        spectrometer = SimulatedSpectrometer("ferroelectric", stage, name="det")
        self.detector = ScriptedFlyer(stage) if flown else spectrometer
        optimizer = PixelOptimizer(self.stage.grid, target, batch_size=4, n_initial=4, time_kernel=time_kernel)
        self.agent = GPAgent(optimizer, target=f"det_{target}", **options)

    def map(self, num=12, **options):
        return adaptive_map([self.detector], self.stage, self.agent, num=num, **options)

    @property
    def times(self):
        return sorted(self.agent.optimizer.state.measurements.times.tolist())


@pytest.mark.parametrize(("options", "overlap"), [({}, False), ({"flown": True}, True)])
def test_the_times_of_the_events_are_learnt_and_the_run_is_replayed_bit_for_bit(RE, docs, options, overlap):
    session = Session(**options)
    RE(session.map(overlap=overlap))
    times = [
        time
        for name, doc in docs.all
        if session.agent.target in doc.get("data", ())
        for time in listed(doc["timestamps"][session.agent.target])
    ]
    assert session.times == sorted(times) and len(set(times)) == 12
    assert docs.starts[0]["gp"]["time_kernel"] == 1.0 and docs.starts[0]["gp"]["other_keys"] == {"time": "time"}
    assert replay(docs.all).identical
    assert replay(in_pages(through_text(docs.all))).identical
    assert [clause for clause in verify(docs.all) if not clause.holds] == []


def test_killed_it_goes_on_with_the_times_that_there_were(RE, docs, tmp_path):
    RE(Session().map())
    kept = docs.all[: round(0.6 * len(docs.all))]
    path, before, docs.all[:] = cut(docs.all, len(kept), tmp_path / "killed.jsonl"), RunRecord.from_documents(kept), []
    resumed = Session()
    RE(resumed.map(resume_from=path))
    inherited = [outcome.others["time"] for outcome in before.outcomes]
    assert len(resumed.times) == 12 and resumed.times[: len(inherited)] == sorted(inherited)
    assert replay(docs.all).identical


def test_a_run_that_was_taken_to_stand_still_is_not_resumed_as_one_that_changes(RE, docs, tmp_path):
    RE(Session(time_kernel=None).map(8))
    path = cut(docs.all, len(docs.all) - 2, tmp_path / "killed.jsonl")
    with pytest.raises(ResumeError, match=r"time_kernel was None and is 1\.0"):
        RE(Session().map(resume_from=path))


def test_another_clock_than_that_of_the_events_is_named_by_its_key(RE):
    session = Session(others={"time": "det_area"})
    with pytest.raises(KeyError, match="carry no"):
        RE(session.map(4))
    counted = Session(others={"time": "stage_row"})
    RE(counted.map(8))
    assert set(counted.times) <= set(np.arange(8.0))


def test_it_learns_from_a_run_of_another_plan_by_the_times_of_its_events(RE, docs):
    first, second = Session(), Session()
    RE(first.map(8))
    second.agent.learn_from(Run(list(docs.all)))
    RE(second.map(4))
    assert len(second.times) == 12 and second.times[:8] == first.times
