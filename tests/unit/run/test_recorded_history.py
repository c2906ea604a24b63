"""The history that a recorded run leaves to one that resumes it."""

from dataclasses import replace

import numpy as np
import pytest

from bluesky_gp.run.record import RunRecord
from bluesky_gp.run.recorded_history import history_of, steps_of


@pytest.fixture
def record(make_bench, RE, docs):
    """A run of 12 pixels in batches of five, one of which fails."""
    RE(make_bench(script={(0, 3): ["fail"]}, batch_size=5).map(12))
    return RunRecord.from_documents(docs.all)


def test_every_decision_has_what_it_learnt_asked_and_proposed(record):
    steps = steps_of(record)
    assert [step.asked for step in steps] == [5, 5, 2, 0]
    assert [len(step.learnt) for step in steps] == [0, 5, 5, 2]
    assert [outcome.failed for outcome in steps[1].learnt] == [False, False, False, True, False]
    assert steps[-1].proposed == ()


def test_a_last_decision_that_proposed_nothing_is_asked_again(record):
    history = history_of(record)
    assert len(history.steps) == 3 and len(history.unlearnt) == 2
    assert history.attempted == frozenset(range(12)) and history.uid == record.start["uid"]
    assert all(outcome.seconds == 0.0 for outcome in history.learnt)


def test_a_record_that_lacks_a_decision_or_pixels_is_refused(record):
    numbers = np.array(record.iterations["iteration"])
    skipped = replace(record, iterations={**record.iterations, "iteration": np.where(numbers == 2, 3, numbers)})
    with pytest.raises(ValueError, match="lacks iteration 2"):
        steps_of(skipped)
    with pytest.raises(ValueError, match="lacks pixels: iteration 2 knew 10, and there are 9"):
        steps_of(replace(record, outcomes=record.outcomes[:9]))
