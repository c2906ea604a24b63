"""Arrival: whether the stage stands at the pixel that it was sent to, by its own read-back."""

import numpy as np

from bluesky_gp.plans.stages import AnyStage, Motors, axes_of
from bluesky_gp.plans.typing import Pixel, Reading
from bluesky_gp.typing import Floats

SETPOINTS = (
    "{}_user_setpoint",
    "{}_setpoint",
)  # event keys of what an axis was asked for, as EpicsMotor and others say


class StageElsewhereError(RuntimeError):
    """The stage said that it had arrived, and is more than half a step from the pixel."""


class MoveAlteredError(RuntimeError):
    """A motor was asked for another position than the plan sent: every pixel would be missed, so the run ends."""


def check_arrival(stage: AnyStage, reading: Reading, pixel: Pixel) -> None:
    """Raise `StageElsewhereError` if the read-back is more than half a step from `pixel`.

    Raises
    ------
    MoveAlteredError
        If the set-points are there neither: an axis cuts what lies beyond limits of its own, or a wrapper shifts moves,
        as `bluesky.preprocessors.relative_set_wrapper` does.
    """
    where = axes_of(stage)
    if not all(key in reading for key in where.keys):
        return  # the agent says so, with the keys that there are; and a simulated plan reads nothing
    there = where.fraction({key: reading[key]["value"] for key in where.keys}, stage.grid)
    if _within_half_a_step(there, pixel):
        return
    sentence = f"{stage.name}: was asked for pixel {tuple(pixel)} and stands at {tuple(there.round(2).tolist())}"
    asked = _set_points(stage, reading)
    if asked and not _within_half_a_step(stage.grid.fraction(asked), pixel):
        wanted = stage.grid.position(pixel).round(6).tolist()
        raise MoveAlteredError(
            f"{sentence}: its set-points are {asked} where the plan sent {wanted}. Either an axis keeps within limits "
            f"of its own without a word: give the stage these limits, or the axis a check_value that refuses what lies "
            f"beyond, and take a grid within them. Or a wrapper shifts moves (relative_set_wrapper): leave it out, and "
            f"give the grid its origin where the map shall begin: PixelGrid(..., origin=...)"
        )
    raise StageElsewhereError(sentence)


def _within_half_a_step(there: Floats, pixel: Pixel) -> bool:
    return bool(np.all(np.abs(np.subtract(there, pixel)) <= 0.5))


def _set_points(stage: AnyStage, reading: Reading) -> list[float]:
    """Return what the motors say that they were asked for; empty unless each of them says it."""
    motors = stage.motors if isinstance(stage, Motors) else ()
    keys = [next((k for k in (s.format(m.name) for s in SETPOINTS) if k in reading), "") for m in motors]
    return [float(reading[key]["value"]) for key in keys] if all(keys) else []
