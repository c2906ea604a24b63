"""A batch as one acquisition: by a detector that visits a list of points by itself."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, cast

import bluesky.preprocessors as bpp
from bluesky.protocols import Readable, Stoppable
from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.agent import GPAgent, reason
from bluesky_gp.plans.stubs import FAULTS, check_failures, record_failure
from bluesky_gp.plans.typing import Pixel, PlanOfNothing, plan
from bluesky_gp.plans.waiting import attempt, start_and_wait
from bluesky_gp.protocols import Batch, BatchFlyer
from bluesky_gp.run import PIXELS, REJECTED, Axes, Outcome

FLUSH = 1.0  # s, in which what was measured so far is collected
_POLL = 0.02  # s
_PATIENCE = 50  # polls, until a flight that was told to stop has ended

_numbers = count()


def flyer_among(plan_name: str, detectors: Sequence[Readable[Any]]) -> BatchFlyer | None:
    """Return the detector that flies, None if there is none; TypeError if others stand beside it."""
    flyers = [detector for detector in detectors if isinstance(detector, BatchFlyer)]
    if not flyers:
        return None
    others = [detector.name for detector in detectors if detector is not flyers[0]]
    if others:
        raise TypeError(
            f"{plan_name}: {flyers[0].name} visits the points of a batch by itself, and {', '.join(others)} would see "
            f"none of them: leave them out, or measure pixel by pixel: per_pixel=tolerant(one_pixel)"
        )
    return flyers[0]


def flown_axes(flyer: BatchFlyer) -> Axes:
    """Return the event keys that say where a point of a flight was."""
    return Axes(tuple(flyer.pixel_keys))


@plan
def declare_flyer(flyer: BatchFlyer) -> MsgGenerator[None]:
    """Declare stream ``primary`` for what a flyer collects: once in a run, before its first flight."""
    yield Msg("declare_stream", None, flyer, name=PIXELS, collect=True)
    yield Msg("checkpoint")


@plan
def fly_pixels(
    flyer: BatchFlyer,
    agent: GPAgent,
    pixels: Iterable[Pixel],
    *,
    retries: int = 1,
    max_failures: int = 5,
    faults: tuple[type[Exception], ...] = FAULTS,
    meanwhile: PlanOfNothing | None = None,
) -> MsgGenerator[None]:
    """Measure pixels as one acquisition; those that failed are tried again in a flight of their own, then recorded.

    Where a flight breaks, the point under way has failed, and those behind it are flown once more. `meanwhile` is that
    of `fly_batch`, the other parameters are those of `tolerant`.
    """
    left, tries = [tuple(pixel) for pixel in pixels], Counter[Pixel]()
    while left := [pixel for pixel in left if not agent.is_left_out(pixel)]:
        known, fault = agent.n_heard, None
        try:
            if not (yield from fly_batch(flyer, Batch(agent.optimizer.grid, tuple(left)), meanwhile)):
                return  # a simulated plan: nothing was flown
        except faults as error:
            fault = error
        heard = agent.heard_since(known)
        yield from _record_rejections(agent, heard)
        left = _missing(agent, left, heard)
        for pixel, why in _broken(flyer, left, fault).items():
            tries[pixel] += 1
            if tries[pixel] > retries:
                left.remove(pixel)
                yield from record_failure(agent, pixel, why)
                check_failures(agent, pixel, flyer.name, max_failures, why, fault)


@plan
def fly_batch(flyer: BatchFlyer, batch: Batch, meanwhile: PlanOfNothing | None = None) -> MsgGenerator[bool]:
    """Fly one batch, and collect what it has measured, also where it breaks or the run ends; False in a simulation.

    It is not begun again after a pause: a flyer holds before its next point, or goes on to its end, and the points are
    collected when the run is resumed. `meanwhile` is a plan that is run when the flight has begun.
    """
    yield Msg("checkpoint")
    flown: bool = yield from bpp.rewindable_wrapper(_flight(flyer, batch, meanwhile), False)
    return flown


def _flight(flyer: BatchFlyer, batch: Batch, meanwhile: PlanOfNothing | None) -> MsgGenerator[bool]:
    yield from start_and_wait([Msg("prepare", flyer, batch)])
    group, status = f"bluesky_gp-flight-{next(_numbers)}", None
    try:
        yield from start_and_wait([Msg("kickoff", flyer)])
        status = yield Msg("complete", flyer, group=group)
        if meanwhile is not None:
            yield from meanwhile()
        yield from _collect_until(status, flyer, group)
    except Exception:
        yield from _give_up(flyer, status)
        yield _collect(flyer)
        raise
    return status is not None


def _collect_until(status: Any, flyer: BatchFlyer, group: str) -> MsgGenerator[None]:
    over = False
    while not over:
        waited = yield Msg("wait", None, group=group, timeout=FLUSH, error_on_timeout=False)
        over = status is None or status.done
        if waited and not over:  # a pause cut the wait short, and with it went the group
            yield Msg("sleep", None, _POLL)
        yield _collect(flyer)


def _collect(flyer: BatchFlyer) -> Msg:
    return Msg("collect", flyer, name=PIXELS, return_payload=False)


def _give_up(flyer: BatchFlyer, status: Any) -> MsgGenerator[None]:
    """Stop a flight and let it end, lest its failure be thrown into what comes after."""
    if isinstance(flyer, Stoppable):
        yield from attempt(Msg("stop", flyer), [])
    for _ in range(_PATIENCE):
        yield from attempt(Msg("sleep", None, 0.0 if status is None or status.done else _POLL), [])
        if status is None or status.done:
            break


def _missing(agent: GPAgent, pixels: Sequence[Pixel], heard: Sequence[Outcome]) -> list[Pixel]:
    """Return the pixels of which nothing was heard."""
    flat = agent.optimizer.grid.ravel(pixels).tolist()
    there = {outcome.pixel for outcome in heard}
    return [pixel for pixel, index in zip(pixels, flat, strict=True) if index not in there]


def _broken(flyer: BatchFlyer, missing: Sequence[Pixel], fault: Exception | None) -> dict[Pixel, str]:
    """Return the missing pixels that failed, and why; where the flight broke, the first of them did it."""
    said = {pixel: why for pixel, why in flyer.faults.items() if pixel in missing}
    if fault is None:
        return {pixel: said.get(pixel, f"{flyer.name}: nothing was collected of it") for pixel in missing}
    silent = [pixel for pixel in missing if pixel not in said]
    return said | {pixel: reason(fault) for pixel in silent[:1]}


def _record_rejections(agent: GPAgent, heard: Sequence[Outcome]) -> MsgGenerator[None]:
    for outcome in heard:
        if outcome.failed and not outcome.fault:
            pixel = cast(Pixel, tuple(agent.optimizer.grid.unravel([outcome.pixel])[0].tolist()))
            yield from record_failure(agent, pixel, outcome.reason, REJECTED)
