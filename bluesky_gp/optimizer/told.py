"""All that an optimizer was told, in order: a checkpoint on disk, from which it learns the same once more."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bluesky_gp.optimizer.points import Batch, Points
from bluesky_gp.optimizer.state import OptimizerState


class Told:
    """Points and failures as they were told, for an optimizer that is to be written to a file.

    A fit depends on what was known when it was made; so batches are kept apart, and told again one by one.
    """

    def __init__(self, points: Points, path: Path | None) -> None:
        self._points, self.path = points, path
        self._batches: list[Batch] | None = []  # None: the state came from elsewhere

    def add(self, points: Sequence[Mapping[str, Any]], failures: Sequence[Mapping[str, Any]]) -> None:
        """Note a batch that was learnt."""
        if self._batches is not None and self.path is not None:
            self._batches.append((list(points), list(failures)))

    def forget(self) -> None:
        """Note that the state was replaced by one that was not told."""
        self._batches = None

    def write(self, settings: Mapping[str, Any], state: OptimizerState) -> None:
        """Write settings and batches to the file; an earlier one stays until the new one is complete.

        Raises
        ------
        ValueError
            If no file was given.
        """
        if self.path is None:
            raise ValueError(
                "PixelOptimizer: checkpoint() has no file: give PixelOptimizer(..., checkpoint='map.json')"
            )
        batches = [(self._points.written(state.measurements), [])] if self._batches is None else self._batches
        text = json.dumps({"settings": settings, "batches": batches}, default=lambda value: value.tolist())
        new = self.path.with_name(f"{self.path.name}.new")
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)


def read_checkpoint(path: str | Path) -> tuple[dict[str, Any], Iterator[Batch]]:
    """Return the settings in a checkpoint, and the batches one by one.

    Raises
    ------
    ValueError
        If the file is no checkpoint.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        return content["settings"], ((good, failed) for good, failed in content["batches"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no checkpoint of a PixelOptimizer: {error!r}") from error
