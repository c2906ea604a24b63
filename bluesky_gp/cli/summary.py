"""A run in one line: from its start and stop documents alone."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table


def summary(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run as plain data, from its start and stop documents: anybody's, with whatever metadata they gave."""
    from bluesky_gp.run import agent_entry

    start, stop = metadata["start"], metadata.get("stop") or {}
    gp = agent_entry(start) or {}
    return {
        "uid": start["uid"],
        "scan_id": start.get("scan_id"),
        "time": start["time"],
        "seconds": stop["time"] - start["time"] if stop else None,
        "plan_name": str(start.get("plan_name", "")),
        "target": str(gp["target"]) if "target" in gp else None,
        "num": start.get("num_points"),
        "num_events": (stop.get("num_events") or {}).get("primary", 0) if stop else None,
        "exit_status": stop.get("exit_status"),
        "reason": str(stop.get("reason") or ""),
    }


def to_json(found: Any) -> str:
    """Return JSON in which a number that JSON does not have is null."""
    return json.dumps(_finite(found), allow_nan=False, default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def begun(time: float) -> str:
    """Return the local time of a start document as text."""
    return f"{datetime.fromtimestamp(time):%Y-%m-%d %H:%M:%S}"


def print_table(table: "Table") -> None:
    """Print a table, as wide as the terminal; into a file or a pipe with every column."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 160).print(table, markup=False)
