"""The course of a run: its pixels in order and its decisions one by one, as plain data for the page."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bluesky_gp.run import LEARN, Action, RunRecord, action_in_words, heeded_by, scores_in_words, setting_over
from bluesky_gp.view.followed import FollowedRun
from bluesky_gp.view.targets import windows_of

_NUMBERS = ("iteration", "n_outcomes", "n_measured", "n_failed", "best_value", "noise_std", "map_error")
_WORDS = ("stop_reason", "warning", "method")


def course_of(run: FollowedRun) -> dict[str, Any]:
    """Return all of a run but its maps and spectra.

    Raises
    ------
    ValueError
        If no agent steered it, or it cannot be read.
    """
    record = run.record()
    gp = record.start["gp"]
    return {
        "uid": record.start["uid"],
        "version": run.version,
        "fault": run.fault,
        "scan_id": record.start.get("scan_id"),
        "plan": str(record.start.get("plan_name", "")),
        "time": record.start["time"],
        "ended": record.stop.get("exit_status"),
        "reason": str(record.stop.get("reason") or ""),
        "target": record.target,
        "units": record.units,
        "maximize": bool(gp.get("maximize", True)),
        "num": record.num,
        "attempted": len({outcome.pixel for outcome in record.together.outcomes}),
        "failed": len(record.together.failed),
        "batch_size": gp.get("batch_size"),
        "acquisition": _class_of(gp.get("acquisition")),
        "scores": scores_in_words(gp),
        "settings": _settings(record),
        "windows": windows_of(run.scalarizers.get(record.target)),
        "grid": _grid(record),
        "pixels": _pixels(record),
        "decisions": _decisions(record),
        "actions": (actions := _actions(record)),
        "taught": [
            _lesson(action, told["decision"])
            for action, told in zip(record.actions, actions, strict=True)
            if action.kind == LEARN
        ],
    }


def _grid(record: RunRecord) -> dict[str, Any]:
    grid = record.grid
    masked: list[int] = [] if grid.mask is None else np.flatnonzero(grid.mask).tolist()
    return {
        "shape": grid.shape,
        "step": grid.step,
        "origin": grid.origin,
        "units": grid.units,
        "axes": grid.axes,
        "masked": masked,
    }


def _pixels(record: RunRecord) -> dict[str, Any]:
    """Return every pixel attempted, in order; those that a run inherited first."""
    outcomes = record.together.outcomes
    return {
        "index": [outcome.pixel for outcome in outcomes],
        "value": [None if outcome.failed else outcome.value for outcome in outcomes],
        "reasons": {number: outcome.reason for number, outcome in enumerate(outcomes) if outcome.failed},
        "inherited": len(outcomes) - len(record.outcomes),
    }


def _decisions(record: RunRecord) -> list[dict[str, Any]]:
    columns = record.iterations
    return [_decision(record, columns, row) for row in range(len(columns.get("iteration", ())))]


def _decision(record: RunRecord, columns: Mapping[str, Any], row: int) -> dict[str, Any]:
    found = {name: columns[name][row] for name in _NUMBERS if name in columns}
    words = {name: str(columns[name][row]) for name in _WORDS if name in columns}
    best = np.asarray(columns["best_pixel"][row], dtype=np.intp)
    proposed = np.asarray(columns["proposed"][row], dtype=np.intp)
    proposed = proposed[proposed[:, 0] >= 0]  # the others fill the batch up
    return {
        **found,
        **words,
        "best_pixel": None if best[0] < 0 else int(record.grid.ravel([best])[0]),
        "proposed": record.grid.ravel(proposed) if len(proposed) else [],
        "by_hand": [] if "by_hand" not in columns else np.flatnonzero(columns["by_hand"][row] == 1),
    }


def _actions(record: RunRecord) -> list[dict[str, Any]]:
    """Return what people asked for, in words, with the decision that heeded it first; None: none has."""
    return [
        {
            "id": action.id,
            "action": action.kind,
            "who": action.who,
            "when": action.when,
            "arguments": action_in_words(action),
            "decision": decision,
        }
        for action, decision in zip(record.actions, heeded_by(record), strict=True)
    ]


def _lesson(action: Action, decision: int | None) -> dict[str, Any]:
    """Return the pixels that another run had measured, their values, and the decision that knew them first."""
    known = action.arguments
    return {"run": known["run"], "index": known["pixels"], "value": known["values"], "decision": decision}


def _settings(record: RunRecord) -> str:
    """Return acquisition function and batch size as the run began, and what people changed them to."""
    acquisition = [(n, _class_of(value)) for n, value in setting_over(record, "acquisition")]
    batch = [(n, f"{value} a batch") for n, value in setting_over(record, "batch_size")]
    return ", ".join(f"from decision {n + 1} on {words}" if n else words for n, words in [*acquisition, *batch])


def _class_of(described: Any) -> str:
    return str(described.get("class", "")).rpartition(":")[2] if isinstance(described, Mapping) else str(described)
