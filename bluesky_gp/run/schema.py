"""The version of the schema of a record, and the versions of what computes decisions."""

from functools import cache
from importlib.metadata import version

SCHEMA_VERSION = 1
"""Of the entry ``gp`` of a start document, and of the agent's streams."""


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions of what the decisions are computed with."""
    return tuple((package, version(package)) for package in ("bluesky_gp", "numpy", "scipy", "scikit-learn", "bluesky"))
