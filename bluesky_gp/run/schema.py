"""The entry ``gp`` of a start document: its schema, and the versions of what computes decisions."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

SCHEMA_VERSION = 1
"""Of the entry ``gp`` of a start document, and of the agent's streams."""

MAPS = ("mean", "std", "acquisition")
"""Maps of all pixels that the stream ``AGENT_maps`` holds."""


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions of what the decisions are computed with."""
    return tuple((package, version(package)) for package in ("bluesky_gp", "numpy", "scipy", "scikit-learn", "bluesky"))


def agent_entry(start: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the entry ``gp`` of a start document; None if no agent wrote it: the word may be anybody's metadata."""
    gp = start.get("gp")
    return gp if isinstance(gp, Mapping) and isinstance(gp.get("agent"), str) else None


def steered_entry(start: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the entry ``gp`` of a run whose pixels an agent proposed: it says where they are; None of any other."""
    gp = agent_entry(start)
    return gp if gp is not None and {"axes", "grid", "target"} <= gp.keys() else None
