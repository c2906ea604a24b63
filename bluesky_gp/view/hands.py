"""Hands on a run that goes on: asks put into its mailbox, which its session answers if it lives."""

import re
from collections.abc import Callable
from pathlib import Path
from time import time
from typing import Any

from bluesky_gp.agent import Mailbox
from bluesky_gp.run import LEARN

_ALIVE = 8.0  # s: a session that lives says so every two


def standing(uid: str) -> dict[str, Any]:
    """Return how the session of a run stands, as it said last, and whether it lives."""
    state = Mailbox(uid).state() or {}
    said = state.get("time")
    lives = isinstance(said, int | float) and time() - said < _ALIVE and not state.get("over")
    return {"lives": lives, **state}


def ask(uid: str, wish: dict[str, Any], journal: Callable[[str], Path | None]) -> dict[str, Any]:
    """Ask the session of a run for an action; return the name under which it answers.

    Of a run to learn from, the session is told the journal, if there is one: it need not know the catalog of the page.

    Raises
    ------
    ValueError
        If what is asked for is not ``{"action": ..., "arguments": {...}, "who": ...}``.
    """
    action, arguments = wish.get("action"), wish.get("arguments", {})
    if not isinstance(action, str) or not isinstance(arguments, dict):
        raise ValueError(
            f"an action has a name, and arguments that are a mapping, got {action!r:.40}, {arguments!r:.40}"
        )
    if action == LEARN and (path := journal(str(arguments.get("run")))) is not None:
        arguments = {**arguments, "run": str(path.resolve())}
    return {"name": Mailbox(uid).post(action, arguments, who=str(wish.get("who") or "page"))}


def answer_to(uid: str, name: str) -> dict[str, Any]:
    """Return what the session answered; ``accepted`` is None as long as it has not."""
    if not re.fullmatch(r"[0-9a-f._]+", name):
        raise ValueError(f"no ask has the name {name!r:.60}")
    return Mailbox(uid).answer(name) or {"accepted": None, "sentence": ""}
