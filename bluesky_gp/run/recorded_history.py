"""The history that a recorded run leaves to one that resumes it, and its decisions one by one."""

from collections.abc import Iterable

from bluesky_gp.run.actions import FINISH, GO_ON, PAUSE, Action
from bluesky_gp.run.history import History, Step
from bluesky_gp.run.outcomes import Outcome
from bluesky_gp.run.record import RunRecord

_DONE_WITH = (FINISH, GO_ON, PAUSE)  # kinds of actions that mean nothing to a run that goes on later


def history_of(record: RunRecord) -> History:
    """Return what a run that resumes `record` begins with: what that one inherited, and all that it added.

    A last decision that proposed nothing is left out: whether there is more to measure is asked again.
    """
    outcomes, actions = _all(record)
    return left_by(record.start["uid"], record.inherited, steps_of(record), outcomes, actions)


def left_by(
    uid: str, base: History, steps: Iterable[Step], outcomes: tuple[Outcome, ...], actions: tuple[Action, ...]
) -> History:
    """Return the history that a run leaves.

    Parameters
    ----------
    uid : str
        Of the run.
    base : History
        What it began with.
    steps : iterable of Step
        Its own decisions.
    outcomes, actions : tuple
        All of both, inherited ones included.
    """
    kept = [*base.steps, *steps]
    while kept and not kept[-1].proposed:
        kept.pop()
    learnt, heeded = sum(len(step.learnt) for step in kept), sum(len(step.heeded) for step in kept)
    unheeded = tuple(action for action in actions[heeded:] if action.kind not in _DONE_WITH)
    return History(uid, base.told, tuple(kept), outcomes[learnt:], unheeded).untimed


def steps_of(record: RunRecord) -> list[Step]:
    """Return the decisions of one run, in order.

    Raises
    ------
    ValueError
        If one of them is missing, or pixels or actions that one of them knew.
    """
    base, columns = record.inherited, record.iterations
    outcomes, actions = _all(record)
    first, taken, obeyed = len(base.steps), len(base.learnt), len(base.heeded)
    steps: list[Step] = []
    for number in range(len(columns.get("iteration", ()))):
        if columns["iteration"][number] != first + number:
            raise ValueError(f"the record of run {record.start['uid']} lacks iteration {first + number}")
        known = _count(record, "n_outcomes", number, taken, len(outcomes), "pixels")
        heeded = _count(record, "n_actions", number, obeyed, len(actions), "actions of people")
        rows = [row for row in columns["proposed"][number].astype(int).tolist() if row[0] >= 0]
        proposed = tuple(record.grid.ravel(rows).tolist()) if rows else ()
        asked = _asked(record, number, outcomes[:known]) if proposed else 0  # the run ended there
        pending = int(columns["pending"][number]) if "pending" in columns else 0
        steps.append(Step(outcomes[taken:known], asked, proposed, actions[obeyed:heeded], pending))
        taken, obeyed = known, heeded
    return steps


def _all(record: RunRecord) -> tuple[tuple[Outcome, ...], tuple[Action, ...]]:
    base = record.inherited
    return (
        (*base.learnt, *base.unlearnt, *record.outcomes),
        (*base.heeded, *base.unheeded, *record.actions),
    )


def _count(record: RunRecord, column: str, number: int, taken: int, there: int, what: str) -> int:
    """Return how many outcomes or actions a decision knew; none of the latter in records before there were any."""
    if column not in record.iterations and column == "n_actions":
        return taken
    known, iteration = int(record.iterations[column][number]), record.iterations["iteration"][number]
    if not taken <= known <= there:
        raise ValueError(
            f"the record of run {record.start['uid']} lacks {what}: iteration {iteration} knew {known}, and "
            f"there are {there}. If the catalog was written in part, take the journal"
        )
    return known


def _asked(record: RunRecord, number: int, known: Iterable[Outcome]) -> int:
    """For how many pixels the optimizer was asked; where a record does not say so, a map that ends has fewer left."""
    if "asked" in record.iterations:
        return int(record.iterations["asked"][number])
    gp = record.start["gp"]
    if gp.get("num") is None:
        return int(gp["batch_size"])
    return min(int(gp["batch_size"]), int(gp["num"]) - len({outcome.pixel for outcome in known}))
