"""The entry ``gp`` of a start document: its schema, and what computes decisions."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

SCHEMA_VERSION = 1
"""Of the entry ``gp`` of a start document, and of the agent's streams."""

MAPS = ("mean", "std", "acquisition")
"""Maps of all pixels that the stream ``AGENT_maps`` holds."""


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions of what the decisions are computed with."""
    return tuple((package, version(package)) for package in ("bluesky_gp", "numpy", "scipy", "scikit-learn", "bluesky"))


@cache
def arithmetic() -> str:
    """Return what last bits depend on beside versions: linear algebra and instructions for this processor."""
    import scipy.linalg  # noqa: F401 - it brings a linear algebra of its own

    algebra = {
        f"{found['internal_api']} {found.get('architecture', '')}".strip()
        for found in threadpool_info()
        if found["user_api"] == "blas"
    }
    config: Any = np.show_config(mode="dicts")
    instructions = config.get("SIMD Extensions", {}).get("found", [])
    return ", ".join([*sorted(algebra), *instructions[-1:]])


def computed_with() -> dict[str, Any]:
    """Return what an entry ``gp`` says of where its decisions were computed."""
    return {"versions": dict(versions()), "arithmetic": arithmetic()}


def agent_entry(start: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the entry ``gp`` of a start document; None if no agent wrote it: the word may be anybody's metadata."""
    gp = start.get("gp")
    return gp if isinstance(gp, Mapping) and isinstance(gp.get("agent"), str) else None


def steered_entry(start: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the entry ``gp`` of a run whose pixels an agent proposed: it says where they are; None of any other."""
    gp = agent_entry(start)
    return gp if gp is not None and {"axes", "grid", "target"} <= gp.keys() else None
