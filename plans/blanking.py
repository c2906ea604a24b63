"""A beam that is blanked between acquisitions: while the stage moves, the agent decides, a run is paused."""

from collections.abc import Generator, Sequence
from typing import Any

import bluesky.preprocessors as bpp
from bluesky.protocols import Movable, NamedMovable
from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.plans.arguments import checked_detectors, named
from bluesky_gp.plans.typing import plan as as_plan
from bluesky_gp.plans.waiting import start_and_wait

_BEGIN = ("trigger", "kickoff")
_END = ("create", "checkpoint")  # an acquisition is over before its event begins, or before anything else does


@as_plan
def blanked_wrapper(
    plan: MsgGenerator[Any], blanker: NamedMovable[Any], detectors: Sequence[Any], *, open: Any = 1, closed: Any = 0
) -> MsgGenerator[Any]:
    """Keep a beam blanked during a plan, but for the acquisitions of some detectors.

    It is opened before each exposure, or flight, of `detectors`, and closed before its event; closed as well in a pause
    and however the plan ends. Moves, decisions, retries and the readings of other devices see no beam.

    Parameters
    ----------
    plan : plan
        Such as ``adaptive_map(...)``, also with `repeating`, flown or with overlapping decisions.
    blanker : Movable
        Beam blanker or shutter with two states.
    detectors : sequence of devices
        Those that need the beam; imagers that correct drift, too.
    open, closed : optional
        Its two states, as `set` takes them.

    Examples
    --------
    >>> RE(blanked_wrapper(adaptive_map([camera], stage, agent, num=410), shutter, [camera]))  # doctest: +SKIP
    """
    if isinstance(blanker, type) or not isinstance(blanker, Movable):
        raise TypeError(f"blanked_wrapper: blanker must be a device that can be set, got {named(blanker)}")
    beam = _Beam(blanker, open, closed, checked_detectors("blanked_wrapper", detectors))
    told = bpp.inject_md_wrapper(
        bpp.plan_mutator(plan, beam.around), {"blanked_by": {"name": blanker.name, "open": open, "closed": closed}}
    )
    return (yield from bpp.finalize_wrapper(beam.during(told), beam.close))


class _Beam:
    """Opens and closes a beam by the messages of a plan; the RunEngine tells it of pauses, as any device."""

    parent = None

    def __init__(self, blanker: NamedMovable[Any], is_open: Any, closed: Any, detectors: Sequence[Any]) -> None:
        self.name = f"{blanker.name}_beam"
        self._blanker, self._states, self._detectors = blanker, {True: is_open, False: closed}, detectors
        self._is_open = False
        self._flies = False

    def during(self, plan: MsgGenerator[Any]) -> MsgGenerator[Any]:
        """Begin with the beam closed, and hear of pauses."""
        yield Msg("null", self)
        yield from self.close()
        return (yield from plan)

    def close(self) -> MsgGenerator[None]:
        """Blank the beam, whatever it was."""
        yield from self._turn(False)

    def around(self, message: Msg) -> tuple[Generator[Msg, Any, Any] | None, None]:
        """Say what takes the place of a message; None: nothing does."""
        begins = message.command in _BEGIN and any(message.obj is detector for detector in self._detectors)
        if begins != self._is_open and (begins or message.command in _END):
            self._flies = message.command == "kickoff"
            return self._turned(begins, message), None
        return None, None

    def pause(self) -> None:
        """Blank the beam."""
        self._blanker.set(self._states[False])

    def resume(self) -> None:
        """Open it again for a flight that goes on; single exposures are begun again, and open it themselves."""
        if self._is_open and self._flies:
            self._blanker.set(self._states[True])

    def _turned(self, to_open: bool, message: Msg) -> Generator[Msg, Any, Any]:
        yield from self._turn(to_open)
        return (yield message)

    def _turn(self, to_open: bool) -> MsgGenerator[None]:
        self._is_open = True  # until it is known to be closed: what failed half way is tried again
        yield from start_and_wait([Msg("set", self._blanker, self._states[to_open])])
        self._is_open = to_open
