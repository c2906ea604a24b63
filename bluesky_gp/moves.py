"""Axes that are moved: the keys that say where they are, and moves of several at once."""

from collections.abc import Sequence
from typing import Any

from bluesky.utils import merge_axis

Move = tuple[Any, Any]
"""A Movable, and what it is set to."""


def hinted_keys(device: Any) -> list[str]:
    """Return the event keys that a device hints; those of its position, if it is an axis."""
    return [str(key) for key in (getattr(device, "hints", None) or {}).get("fields", ())]


def merged_moves(axes: Sequence[Any], values: Sequence[float]) -> list[Move]:
    """Pair axes with where they go; the axes of one pseudo positioner become one move of that positioner.

    Set one after the other, the second would cancel the first: to move one pseudo axis all real motors move. So does
    `bluesky.plans.grid_scan`. Pseudo axes that are not among `axes` stay where they are.

    Raises
    ------
    ValueError
        If pseudo and real axes of one positioner are mixed.
    """
    wanted = list(zip(axes, values, strict=True))
    _, _, coupled = merge_axis([axis for axis in axes if getattr(axis, "parent", None) is not None])
    moves: list[Move] = []
    for axis, value in wanted:
        positioner: Any = getattr(axis, "parent", None)
        kinds = coupled.get(positioner, {})
        if axis not in kinds.get("pseudo", ()):
            moves.append((axis, value))
        elif kinds["real"]:
            raise ValueError(
                f"{positioner.name}: {axis.name} and {kinds['real'][0].name} cannot both be axes of a map: to move one "
                f"moves the other; take pseudo axes only, or real ones only"
            )
        elif all(mover is not positioner for mover, _ in moves):
            moves.append((positioner, _pseudo_position(positioner, wanted)))
    return moves


def _pseudo_position(positioner: Any, wanted: Sequence[Move]) -> Any:
    """Return where all pseudo axes of a positioner go: those that nobody asks for stay at their set-points."""
    asked = {id(axis): value for axis, value in wanted}
    places = (asked[id(axis)] if id(axis) in asked else axis.target for axis in positioner.pseudo_positioners)
    return positioner.PseudoPosition(*places)
