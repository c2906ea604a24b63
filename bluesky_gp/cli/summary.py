"""A run in one line: from its start and stop documents alone."""

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table


def summary(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run as plain data, from its start and stop documents."""
    start, stop = metadata["start"], metadata.get("stop") or {}
    gp = start.get("gp") or {}
    return {
        "uid": start["uid"],
        "scan_id": start.get("scan_id"),
        "time": start["time"],
        "seconds": stop["time"] - start["time"] if stop else None,
        "plan_name": start.get("plan_name", ""),
        "target": gp.get("target"),
        "num": start.get("num_points"),
        "num_events": (stop.get("num_events") or {}).get("primary", 0) if stop else None,
        "exit_status": stop.get("exit_status"),
        "reason": stop.get("reason") or "",
    }


def begun(time: float) -> str:
    """Return the local time of a start document as text."""
    return f"{datetime.fromtimestamp(time):%Y-%m-%d %H:%M:%S}"


def print_table(table: "Table") -> None:
    """Print a table, as wide as the terminal; into a file or a pipe with every column."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 160).print(table, markup=False)
