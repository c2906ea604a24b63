"""Lessons from a run of any plan: its pixels and values, as an action has them and as an optimizer learns them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf, isfinite, nan
from typing import Any

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.recording import documents_of
from bluesky_gp.run.actions import Action
from bluesky_gp.run.history import packed, unpacked
from bluesky_gp.run.keys import PIXELS, Axes, PixelKeys
from bluesky_gp.run.other_grids import laid_over, lattice_of_run
from bluesky_gp.run.outcomes import Outcome, final_outcomes
from bluesky_gp.run.recorded_outcomes import read_outcomes
from bluesky_gp.settings import check_number

_STD = "_std"  # of a value, among the auxiliary quantities of an event


@dataclass(frozen=True)
class Reading:
    """The way in which a run is to be read, where its documents do not say it.

    Parameters
    ----------
    axes : Axes, optional
        Event keys that say where the stage was.
    grid : PixelGrid, optional
        That the run's rows and columns are counted on.
    std : float or str, optional
        Standard deviation of the noise of its values, in the target's unit, or the event key that has it.
    """

    axes: Axes | None = None
    grid: PixelGrid | None = None
    std: float | str | None = None

    def __post_init__(self) -> None:
        if self.std is not None and not isinstance(self.std, str):
            check_number("learn_from", "std", self.std, above=0.0)


def lesson(run: Any, keys: PixelKeys, *, catalog: Any = None, reading: Reading | None = None) -> dict[str, Any]:
    """Return what a run teaches, as plain data: the arguments of an action.

    Parameters
    ----------
    run, catalog : optional
        See `documents_of`.
    keys : PixelKeys
        The agent's; without axes those count that the run itself names, or hints at.
    reading : Reading, optional

    Raises
    ------
    ValueError
        If the run has no value at any pixel of the grid, or its grid cannot be laid over ours.
    KeyError
        If its events lack the target.
    """
    reading = reading or Reading()
    start, outcomes, theirs = _read(run, keys, catalog, reading)
    good = [outcome for outcome in laid_over(final_outcomes(outcomes), theirs, keys.grid) if not outcome.failed]
    if not good:
        why = next((f": {outcome.reason}" for outcome in outcomes if outcome.failed), "")
        raise ValueError(
            f"{keys.name}: run {str(start.get('uid', run))[:8]} of plan {start.get('plan_name', '?')} has no value of "
            f"{keys.target} at any pixel of the grid {keys.grid!r}{why}"
        )
    names = (name for outcome in good for name in outcome.others if name != _STD)
    return {
        "run": start["uid"],
        "plan": str(start.get("plan_name", "")),
        "pixels": [outcome.pixel for outcome in good],
        "values": [outcome.value for outcome in good],
        **({} if reading.std is None else {"std": [_std(outcome, reading.std) for outcome in good]}),
        "others": {name: packed(good, name) for name in dict.fromkeys(names)},
    }


def _read(
    run: Any, keys: PixelKeys, catalog: Any, reading: Reading
) -> tuple[Mapping[str, Any], list[Outcome], PixelGrid]:
    """Return a run's start document, its outcomes, and the grid of their pixels."""
    lattices = [keys.grid]

    def keys_of(start: Mapping[str, Any]) -> PixelKeys:
        axes = reading.axes or axes_of(start, keys)
        lattices.append(lattice_of_run(start, axes, keys.grid, reading.grid))
        others = {**keys.others, _STD: reading.std} if isinstance(reading.std, str) else keys.others
        return replace(keys, axes=axes, grid=lattices[-1], others=others)

    return *read_outcomes(documents_of(run, catalog), keys_of), lattices[-1]


def _std(outcome: Outcome, std: float | str) -> float:
    """Return the known standard deviation of a value; 0: unknown."""
    found = outcome.others.get(_STD, 0.0) if isinstance(std, str) else std
    return float(found) if np.ndim(found) == 0 and 0.0 < found < inf else 0.0


def axes_of(start: Mapping[str, Any], keys: PixelKeys) -> Axes:
    """Return the event keys that say where the stage was: as an agent wrote them, else the run's dimensions.

    A dimension named as an axis of the grid is, ``stage_row``, counts in pixels, any other in the grid's units.

    Raises
    ------
    ValueError
        If the run says neither.
    """
    gp = start.get("gp")
    if isinstance(gp, Mapping) and "axes" in gp:
        return Axes.of(gp["axes"])
    if keys.axes.keys:
        return keys.axes
    dimensions = start.get("hints", {}).get("dimensions", [])
    found = [key for fields, stream in dimensions if stream == PIXELS for key in fields if key != "time"]
    if len(found) != keys.grid.ndim:
        raise ValueError(
            f"{keys.name}: run {str(start.get('uid'))[:8]} says nothing of {keys.grid.ndim} axes, its dimensions are "
            f"{found}: give axes=, the event keys that say where the stage was"
        )
    pixels = all(key.endswith(f"_{axis}") for key, axis in zip(found, keys.grid.axes, strict=True))
    return Axes(tuple(found), "pixel" if pixels else "stage")


def taught_points(action: Action, target: str) -> list[dict[str, Any]]:
    """Return what an action teaches, as points for `Optimizer.learn`."""
    found = action.arguments
    others = unpacked(found.get("others", {}), len(found["pixels"]))
    known = [{f"{target}_std": std} if std else {} for std in found.get("std", [0.0] * len(others))]
    points = [
        {"_id": int(pixel), **further, **std, target: nan if value is None else float(value)}
        for pixel, value, further, std in zip(found["pixels"], found["values"], others, known, strict=True)
    ]
    return [point for point in points if isfinite(point[target])]
