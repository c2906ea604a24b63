"""Pixels of one grid on another: what a run measured whose grid had another step, offset or rotation."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.run.keys import Axes
from bluesky_gp.run.outcomes import Outcome


def grid_of(start: Mapping[str, Any]) -> PixelGrid | None:
    """Return the grid whose pixels a run visited, as its start document has it; None: it says nothing of one."""
    for about in (start.get("gp"), start.get("plan_args")):
        found = about.get("grid") if isinstance(about, Mapping) else None
        if isinstance(found, Mapping):
            return PixelGrid.from_mapping(found)
    return None


def lattice_of_run(start: Mapping[str, Any], axes: Axes, ours: PixelGrid, given: PixelGrid | None) -> PixelGrid:
    """Return the grid that the pixels of a run are counted on; positions of a stage are read on ours.

    Raises
    ------
    ValueError
        If that grid is in other units or has another number of axes, or a map of another shape does not tell its grid.
    """
    if axes.space == "stage":
        return ours
    theirs = given or grid_of(start)
    if theirs is None:
        _check_extents(start, ours)
        return ours
    if (theirs.units, theirs.ndim) != (ours.units, ours.ndim):
        raise ValueError(
            f"run {_uid(start)} is of {theirs!r} in {theirs.units}, and cannot be laid over {ours!r} in {ours.units}: "
            f"give grid=, the run's grid in the units of this one"
        )
    return theirs


def laid_over(outcomes: Iterable[Outcome], theirs: PixelGrid, ours: PixelGrid) -> list[Outcome]:
    """Return outcomes at the pixels of our grid that theirs lie in; those beyond it are left out.

    Several of theirs may lie in one of ours, whose value they measured several times then.
    """
    outcomes = list(outcomes)
    if not outcomes or theirs.to_mapping() | {"masked": []} == ours.to_mapping() | {"masked": []}:
        return outcomes
    position = theirs.position(theirs.unravel([outcome.pixel for outcome in outcomes]))
    nearest = np.rint(ours.fraction(position)).astype(np.intp)
    inside = np.all((nearest >= 0) & (nearest < ours.shape), axis=1)
    flat = ours.ravel(nearest[inside]).tolist()
    kept = (outcome for outcome, there in zip(outcomes, inside.tolist(), strict=True) if there)
    return [replace(outcome, pixel=pixel) for outcome, pixel in zip(kept, flat, strict=True)]


def _check_extents(start: Mapping[str, Any], ours: PixelGrid) -> None:
    """Raise where a map, by its extents, is of a grid of another shape: its rows and columns are not ours."""
    extents = start.get("extents")
    whole = [[0.0, n - 1.0] for n in ours.shape]
    of_a_map = start.get("hints", {}).get("gridding") == "rectilinear_nonsequential"
    if of_a_map and extents is not None and not np.array_equal(extents, whole):
        raise ValueError(
            f"run {_uid(start)} is a map of another grid than {ours!r}, extents {extents}, and its start document does "
            f"not say where that lies: give grid=, the run's grid"
        )


def _uid(start: Mapping[str, Any]) -> str:
    return str(start.get("uid"))[:8]
