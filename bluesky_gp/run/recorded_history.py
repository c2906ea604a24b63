"""The history that a recorded run leaves to one that resumes it, and its decisions one by one."""

from collections.abc import Iterable

from bluesky_gp.run.history import History, Step
from bluesky_gp.run.outcomes import Outcome
from bluesky_gp.run.record import RunRecord


def history_of(record: RunRecord) -> History:
    """Return what a run that resumes `record` begins with: what that one inherited, and all that it added.

    A last decision that proposed nothing is left out: whether there is more to measure is asked again.
    """
    steps = [*record.inherited.steps, *steps_of(record)]
    while steps and not steps[-1].proposed:
        steps.pop()
    base = record.inherited
    outcomes = (*base.learnt, *base.unlearnt, *record.outcomes)
    learnt = sum(len(step.learnt) for step in steps)
    return History(record.start["uid"], base.told, tuple(steps), tuple(outcomes[learnt:])).untimed


def steps_of(record: RunRecord) -> list[Step]:
    """Return the decisions of one run, in order.

    Raises
    ------
    ValueError
        If one of them is missing, or pixels that one of them knew.
    """
    base, columns = record.inherited, record.iterations
    outcomes = (*base.learnt, *base.unlearnt, *record.outcomes)
    first, taken = len(base.steps), len(base.learnt)
    steps: list[Step] = []
    for number in range(len(columns.get("iteration", ()))):
        if columns["iteration"][number] != first + number:
            raise ValueError(f"the record of run {record.start['uid']} lacks iteration {first + number}")
        known = int(columns["n_outcomes"][number])
        if not taken <= known <= len(outcomes):
            raise ValueError(
                f"the record of run {record.start['uid']} lacks pixels: iteration {first + number} knew {known}, and "
                f"there are {len(outcomes)}. If the catalog was written in part, take the journal"
            )
        rows = [row for row in columns["proposed"][number].astype(int).tolist() if row[0] >= 0]
        proposed = tuple(record.grid.ravel(rows).tolist()) if rows else ()
        steps.append(Step(outcomes[taken:known], _asked(record, outcomes[:known], proposed), proposed))
        taken = known
    return steps


def _asked(record: RunRecord, known: Iterable[Outcome], proposed: tuple[int, ...]) -> int:
    """For how many pixels the optimizer was asked: a map that ends has fewer left."""
    gp = record.start["gp"]
    if not proposed:
        return 0  # the run ended there
    if gp.get("num") is None:
        return int(gp["batch_size"])
    return min(int(gp["batch_size"]), int(gp["num"]) - len({outcome.pixel for outcome in known}))
