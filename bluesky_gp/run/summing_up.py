"""A run in one line: from its start and stop documents alone."""

from collections.abc import Iterable, Mapping
from typing import Any

from bluesky_gp.run.actions import Action, number_after
from bluesky_gp.run.schema import agent_entry


def summary_of(
    start: Mapping[str, Any], stop: Mapping[str, Any] | None, actions: Iterable[Action] = ()
) -> dict[str, Any]:
    """Return a run as plain data, from its start and stop documents: anybody's, with whatever metadata they gave.

    Parameters
    ----------
    start, stop : Mapping
    actions : iterable of Action
        What people asked for in it, who may have changed its number of pixels.
    """
    gp, stop = agent_entry(start) or {}, stop or {}
    return {
        "uid": start["uid"],
        "scan_id": start.get("scan_id"),
        "time": start["time"],
        "seconds": stop["time"] - start["time"] if stop else None,
        "plan_name": str(start.get("plan_name", "")),
        "target": str(gp["target"]) if "target" in gp else None,
        "num": number_after(start.get("num_points"), actions),
        "num_events": (stop.get("num_events") or {}).get("primary", 0) if stop else None,
        "exit_status": stop.get("exit_status"),
        "reason": str(stop.get("reason") or ""),
    }
