"""Names of runs, streams and keys, each of which is that of a folder where its arrays are."""

import re
from collections.abc import Iterable

__all__ = ["check_names"]


def check_names(names: Iterable[str]) -> None:
    """Raise where a name would lead out of the folder of arrays, in which each name is that of a folder."""
    for name in names:
        if not isinstance(name, str) or not name.strip(". ") or re.search(r"[\x00-\x1f/\\]", name):
            raise ValueError(f"{name!r:.80} names a run, a stream or a key, and cannot be part of a path")
