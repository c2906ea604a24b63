"""What the map of an acquisition function shows, in words."""

import re
from collections.abc import Mapping
from typing import Any

_A_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_UNKNOWN = "acquisition"


def scores_in_words(gp: Mapping[str, Any]) -> str:
    """Return what the scores of a run's acquisition function are, by its entry in the start document.

    Examples
    --------
    >>> scores_in_words({"acquisition": {"class": "bluesky_gp:ExpectedImprovement", "xi": 0.0}})
    'logarithm of expected improvement'
    >>> scores_in_words({"acquisition": {"class": "bluesky_gp:ConfidenceBound", "beta": 2.0}})
    'confidence bound'
    """
    described = gp.get("acquisition")
    if not isinstance(described, Mapping):
        return str(described or _UNKNOWN)
    name = str(described.get("class", "")).rpartition(":")[2] or _UNKNOWN
    words = _A_WORD.sub(" ", name).lower()
    return f"logarithm of {words}" if _is_logarithmic(described) else words


def _is_logarithmic(described: Mapping[str, Any]) -> bool:
    """Whether the class of an acquisition function says so; False of one of somebody's own, which no record makes."""
    from bluesky_gp.plain_data import make  # it needs scikit-learn: a second to import

    try:
        return bool(getattr(make(described), "logarithmic", False))
    except ValueError:
        return False
