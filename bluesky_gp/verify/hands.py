"""The clause of people's hands: what they asked for is in the record, whole, and a decision heeded it."""

import numpy as np

from bluesky_gp.run import ADD, AGREE, EDIT, FINISH, KINDS, VETO, Action, Orders, Step
from bluesky_gp.verify.evidence import BrokenClause, Evidence

_PUT_ASIDE = {EDIT, VETO, FINISH}  # kinds after which a batch that waits in review is not measured


def whole(run: Evidence) -> str | None:
    """Every action says what, who and when, a decision heeded it, and no other pixel is called a person's."""
    if not run.gp:
        return None
    record = run.record
    for number, action in enumerate(record.actions, start=1):
        _check(number, action)
    _check_own_pixels(run)
    knew = record.iterations["n_actions"] if "n_actions" in record.iterations else [0]
    heeded = max(int(knew[-1]) - len(record.inherited.heeded), 0)
    left = len(record.inherited.unheeded) + len(record.actions) - heeded
    if left and run.stop.get("exit_status") == "success" and not _is_late(run, left):
        raise BrokenClause(f"the run ended as a success, and no decision heeded the last {left} actions of people")
    return f"{len(record.actions)} actions of people, each with what, who and when; {heeded} heeded by a decision"


def _check(number: int, action: Action) -> None:
    if action.kind not in KINDS:
        raise BrokenClause(f"action {number} is {action.kind!r}, and there is no such thing to ask for")
    if not action.id or not action.when > 0.0:
        raise BrokenClause(f"action {number}, {action.kind}, lacks its id or its time")
    if not action.who and action.kind != AGREE:  # a review that went on by itself is nobody's
        raise BrokenClause(f"action {number}, {action.kind}, does not say who asked for it")


def _check_own_pixels(run: Evidence) -> None:
    """Raise unless each pixel that a decision calls a person's is one that a person asked for."""
    record = run.record
    if not len(record.iterations) or "by_hand" not in record.iterations:
        return
    actions = (*record.inherited.heeded, *record.inherited.unheeded, *record.actions)
    asked = {tuple(pixel) for action in actions if action.kind in (ADD, EDIT) for pixel in action.arguments["pixels"]}
    columns = record.iterations
    for iteration, pixels, own in zip(columns["iteration"], columns["proposed"], columns["by_hand"], strict=True):
        for pixel in np.asarray(pixels, dtype=int)[np.asarray(own) > 0].tolist():
            if tuple(pixel) not in asked:
                raise BrokenClause(
                    f"decision {iteration:.0f} calls pixel {tuple(pixel)} a person's, and nobody asked for it"
                )


def _is_late(run: Evidence, left: int) -> bool:
    """Whether the last actions came after the last decision, so that none could heed them."""
    last = max((doc["time"] for _, doc in run.events(run.gp["agent"])), default=0.0)
    return all(doc["time"] >= last for _, doc in [*run.events(f"{run.gp['agent']}_hands")][-left:])


def put_aside(run: Evidence, number: int, steps: list[Step]) -> set[int]:
    """Return the pixels of a batch that need not be measured, as a person wanted: all, or those where it was barred."""
    answers = steps[number + 1].heeded
    if any(action.kind in _PUT_ASIDE for action in answers):
        return set(steps[number].proposed)
    orders = Orders().after([action for step in steps[: number + 2] for action in step.heeded], (), run.record.grid)
    barred = orders.barred
    return set() if barred is None else {pixel for pixel in steps[number].proposed if barred[pixel]}
