"""What people changed in a run, and from which of its decisions on."""

from typing import Any

import numpy as np

from bluesky_gp.run.actions import CONFIGURE
from bluesky_gp.run.record import RunRecord


def heeded_by(record: RunRecord) -> list[int | None]:
    """Return for each action of a run which of its decisions, counted from 0, heeded it first; None: none has."""
    counts = record.iterations.get("n_actions", np.zeros(0, dtype=int)) - len(record.inherited.heeded)
    before = len(record.inherited.unheeded)
    return [
        next((row for row, count in enumerate(counts.tolist()) if count > before + number), None)
        for number in range(len(record.actions))
    ]


def setting_over(record: RunRecord, name: str) -> list[tuple[int, Any]]:
    """Return the values that a setting had, each with the decision, counted from 0, from which on it held."""
    inherited = (*record.inherited.heeded, *record.inherited.unheeded)
    values = [(0, record.start["gp"].get(name))]
    asked = [(0, action) for action in inherited]
    asked += [(n, action) for action, n in zip(record.actions, heeded_by(record), strict=True) if n is not None]
    values += [(n, each.arguments[name]) for n, each in asked if each.kind == CONFIGURE and name in each.arguments]
    last = dict(values)  # of several that one decision heeded the last holds
    return list(last.items())
