"""A run in one line: from its start and stop documents alone."""

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from bluesky_gp.run import Action


def summary(metadata: Mapping[str, Any], actions: Iterable["Action"] = ()) -> dict[str, Any]:
    """Return a run as plain data, from its start and stop documents and what people asked for in it."""
    from bluesky_gp.run import summary_of

    return summary_of(metadata["start"], metadata.get("stop"), actions)


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
