"""Pieces of work that fit into memory."""

import numpy as np

from bluesky_gp.typing import Indices

ENTRIES = 4_000_000  # of a block that is held at once: 32 MB


def tiled(n: int, width: int) -> list[Indices]:
    """Cut ``range(n)`` into pieces whose blocks of `width` columns stay below 32 MB."""
    return np.array_split(np.arange(n), max(1, -(-n * width // ENTRIES)))
