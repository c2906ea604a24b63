"""Lessons from a run of any plan: its pixels and values, as an action has them and as an optimizer learns them."""

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite, nan
from typing import Any

from bluesky_gp.recording import documents_of
from bluesky_gp.run.actions import Action
from bluesky_gp.run.history import packed, unpacked
from bluesky_gp.run.keys import PIXELS, Axes, PixelKeys
from bluesky_gp.run.outcomes import final_outcomes
from bluesky_gp.run.recorded_outcomes import read_outcomes


def lesson(run: Any, keys: PixelKeys, *, catalog: Any = None, axes: Axes | None = None) -> dict[str, Any]:
    """Return what a run teaches, as plain data: the arguments of an action.

    Parameters
    ----------
    run, catalog : optional
        See `documents_of`.
    keys : PixelKeys
        The agent's; without axes those count that the run itself names, or hints at.
    axes : Axes, optional
        Event keys that say where the stage was, for a run that does not say so.

    Raises
    ------
    ValueError
        If the run has no value at any pixel of the grid.
    KeyError
        If its events lack the target.
    """
    start, outcomes = read_outcomes(
        documents_of(run, catalog), lambda start: replace(keys, axes=axes or axes_of(start, keys))
    )
    good = [outcome for outcome in final_outcomes(outcomes) if not outcome.failed]
    if not good:
        raise ValueError(
            f"{keys.name}: run {str(start.get('uid', run))[:8]} of plan {start.get('plan_name', '?')} has no value of "
            f"{keys.target} at any pixel of the grid {keys.grid!r}"
        )
    return {
        "run": start["uid"],
        "plan": str(start.get("plan_name", "")),
        "pixels": [outcome.pixel for outcome in good],
        "values": [outcome.value for outcome in good],
        "others": {name: packed(good, name) for name in dict.fromkeys(n for outcome in good for n in outcome.others)},
    }


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
    points = [
        {"_id": int(pixel), **further, target: nan if value is None else float(value)}
        for pixel, value, further in zip(found["pixels"], found["values"], others, strict=True)
    ]
    return [point for point in points if isfinite(point[target])]
