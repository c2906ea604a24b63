"""The parts of `adaptive_map`, for plans of your own inside runs of your own."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import bluesky.preprocessors as bpp
from bluesky.protocols import Readable, Triggerable
from bluesky.utils import FailedStatus, Msg, MsgGenerator, all_safe_rewind

from bluesky_gp.agent import Assignment, Failure, GPAgent, reason
from bluesky_gp.plans.arguments import returned
from bluesky_gp.plans.arrival import StageElsewhereError, check_arrival
from bluesky_gp.plans.stages import AnyStage, devices_of, moves_to
from bluesky_gp.plans.typing import PerPixel, Pixel, Reading, plan
from bluesky_gp.plans.waiting import answered, start_and_wait
from bluesky_gp.run import FAULT, PAUSE, REJECTED, Action, History
from bluesky_gp.settings import check_whole

FAULTS = (FailedStatus, TimeoutError, ConnectionError, StageElsewhereError)
"""Exceptions that are the instrument's: the pixel has failed and the run goes on. Any other ends the run at once."""


class TooManyFailures(RuntimeError):  # noqa: N818 - the name that users catch
    """So many pixels in a row failed that the instrument itself must be at fault."""


@plan
def prepare_agent(
    agent: GPAgent, *, num: int | None = None, resume_from: Any = None, detectors: Sequence[Readable[Any]] = ()
) -> MsgGenerator[History | None]:
    """Have the agent read the run that is to be resumed, before another is opened.

    Parameters
    ----------
    detectors : sequence of Readable, optional
        With which `remeasure` will measure where it is given none.

    Returns
    -------
    History or None
        What the new run begins with, for `start_metadata`; None where nothing is resumed.

    Raises
    ------
    ResumeError
        If that run cannot be gone on with.
    """
    try:
        yield from start_and_wait([Msg("prepare", agent, Assignment(num, resume_from, tuple(detectors)))])
    except FailedStatus as error:
        raise (error.__cause__ or error) from None
    return None if agent.resumed is None else agent.resumed.history


@plan
def ask_agent(agent: GPAgent) -> MsgGenerator[list[Pixel]]:
    """Ask for the next batch, and record the answer in the agent's stream (and its maps where they are due).

    Returns
    -------
    list of tuple of int
        Pixels in the order in which to visit them. Empty: the agent has nothing more to propose.
    """
    for mark in agent.marks:
        yield from record_failure(agent, mark.pixel, mark.reason, mark.kind)
    yield from record_hands(agent)
    yield Msg("checkpoint")
    if agent.ahead.goes_on:
        yield from start_and_wait([Msg("trigger", agent.ahead)])
    yield from start_and_wait([Msg("trigger", agent)])
    for values in agent.unrecorded_values:
        yield from start_and_wait([Msg("set", agent.values, values)])
        yield from _event([agent.values], agent.values.name)
    reading = yield from _event([agent], agent.name)
    if agent.maps.due:
        yield from _event([agent.maps], agent.maps.name)
    yield Msg("checkpoint")  # a pause after the last event would otherwise repeat the question when the run is closed
    rows = (reading or (yield from answered(agent))).get(f"{agent.name}_proposed", {"value": []})["value"]
    return [tuple(int(p) for p in row) for row in rows if row[0] >= 0]


@plan
def measure_pixels(
    detectors: Sequence[Readable[Any]],
    stage: AnyStage,
    agent: GPAgent | None,
    pixels: Iterable[Pixel],
    *,
    per_pixel: PerPixel | None = None,
) -> MsgGenerator[None]:
    """Measure one pixel after another, each by `per_pixel` (default: `one_pixel`).

    One that was marked as failed or forbidden meanwhile (`GPAgent.mark_failed`, `GPAgent.forbid`) is left out.
    """
    per_pixel = one_pixel if per_pixel is None else per_pixel
    for pixel in pixels:
        if agent is not None and agent.is_left_out(pixel):
            continue
        yield from returned(per_pixel, detectors, stage, agent, pixel)
    yield Msg("checkpoint")  # a pause after the last event would otherwise repeat it when the run is closed


@plan
def one_pixel(
    detectors: Sequence[Readable[Any]],
    stage: AnyStage,
    agent: GPAgent | None,
    pixel: Pixel,
    *,
    timeout: float | None = None,
) -> MsgGenerator[Reading]:
    """Go to a pixel, trigger, and read detectors and stage into one event of stream ``primary``.

    It ends when every Status that it started has ended.

    Parameters
    ----------
    timeout : float, optional
        Give up a move or an exposure after so many seconds.

    Raises
    ------
    StageElsewhereError
        If the stage stands more than half a step from `pixel`; no event is recorded then.
    """
    yield Msg("checkpoint")
    yield from start_and_wait(
        [Msg("set", movable, value) for movable, value in moves_to(stage, pixel)], timeout=timeout
    )
    return (yield from look_here(detectors, stage, pixel, timeout=timeout))


@plan
def look_here(
    detectors: Sequence[Readable[Any]], stage: AnyStage, pixel: Pixel, *, timeout: float | None = None
) -> MsgGenerator[Reading]:
    """Trigger, and read detectors and stage into one event of stream ``primary``, with the stage at a pixel already."""
    readables = [*detectors, *devices_of(stage)]
    taking = _take(readables, stage, pixel, timeout)
    reading: Reading = yield from bpp.rewindable_wrapper(taking, all_safe_rewind(readables))
    return reading


def _take(
    readables: Sequence[Any], stage: AnyStage, pixel: Pixel, timeout: float | None
) -> MsgGenerator[dict[str, Any]]:
    triggers = [Msg("trigger", device) for device in readables if isinstance(device, Triggerable)]
    yield from start_and_wait(triggers, timeout=timeout)
    return (yield from _event(readables, "primary", lambda reading: check_arrival(stage, reading, pixel)))


def _event(
    readables: Sequence[Any], name: str, check: Callable[[Reading], None] | None = None
) -> MsgGenerator[dict[str, Any]]:
    """Read into one event of stream `name`; none is recorded if reading fails, or `check` raises."""
    reading: dict[str, Any] = {}
    yield Msg("create", None, name=name)
    try:
        for device in readables:
            reading |= (yield Msg("read", device)) or {}
        if check is not None:
            check(reading)
    except Exception:
        yield Msg("drop")
        raise
    yield Msg("save")
    return reading


def tolerant(
    per_pixel: PerPixel,
    *,
    retries: int = 1,
    max_failures: int = 5,
    faults: tuple[type[Exception], ...] = FAULTS,
) -> PerPixel:
    """Make a failed pixel an event of stream ``gp_failures`` instead of the end of the run.

    A finished measurement that the scalarizer rejected (a target of NaN) is recorded as failed, is not tried again
    and is no fault of the instrument. A programming error, and what ends a run (abort, stop, halt), passes through.

    Parameters
    ----------
    per_pixel : callable
        The plan that measures one pixel.
    retries : int
        How often a pixel is tried again after a fault of the instrument.
    max_failures : int
        So many such pixels in a row raise `TooManyFailures`.
    faults : tuple of exception types, optional
        What counts as a fault of the instrument. Default: `FAULTS`.
    """
    if not callable(per_pixel):
        raise TypeError(f"tolerant: per_pixel must be a plan such as one_pixel, got {per_pixel!r:.80}: do not call it")
    check_whole("tolerant", "retries", retries, 0)
    check_whole("tolerant", "max_failures", max_failures, 1)

    @plan
    def tolerant_pixel(
        detectors: Sequence[Readable[Any]], stage: AnyStage, agent: GPAgent | None, pixel: Pixel
    ) -> MsgGenerator[None]:
        if agent is None:
            raise TypeError("tolerant(...) tells the agent which pixels failed, and was given none")
        for _ in range(retries + 1):
            try:
                yield from returned(per_pixel, detectors, stage, agent, pixel)
            except faults as error:
                fault: Exception = error
            else:
                yield from _record_rejection(agent, pixel)
                return
        yield from record_failure(agent, pixel, reason(fault))
        check_failures(agent, pixel, stage.name, max_failures, reason(fault), fault)

    return tolerant_pixel


@plan
def record_failure(agent: GPAgent, pixel: Pixel, why: str, kind: str = FAULT) -> MsgGenerator[None]:
    """Record that a pixel failed, in stream ``gp_failures``; the agent hears it and does not propose it again."""
    yield Msg("checkpoint")
    yield from start_and_wait([Msg("set", agent.failures, Failure(pixel, why, kind))])
    yield from _event([agent.failures], agent.failures.name)


@plan
def record_hands(agent: GPAgent) -> MsgGenerator[None]:
    """Record what people asked for since the last question, in stream ``gp_hands``; pause where they asked for that."""
    actions = agent.hands.waiting
    for action in actions:
        yield from record_action(agent, action)
    if any(action.kind == PAUSE for action in actions):
        yield Msg("checkpoint")
        yield Msg("pause", None, defer=False)
        if agent.hands.waiting != actions:  # as they are where nothing is heard, in a simulated plan
            yield from record_hands(agent)  # what was asked for meanwhile


@plan
def record_action(agent: GPAgent, action: Action) -> MsgGenerator[None]:
    """Record an action of a person; the agent hears it, and heeds it with its next decision."""
    yield Msg("checkpoint")
    yield from start_and_wait([Msg("set", agent.hands, action)])
    yield from _event([agent.hands], agent.hands.name)


def _record_rejection(agent: GPAgent, pixel: Pixel) -> MsgGenerator[None]:
    why = agent.rejection(pixel)
    if why:
        yield from record_failure(agent, pixel, why, REJECTED)


def check_failures(
    agent: GPAgent, pixel: Pixel, where: str, max_failures: int, why: str, fault: Exception | None
) -> None:
    """Raise TooManyFailures if so many pixels in a row failed, the last of them by `fault`."""
    if agent.faults_in_a_row >= max_failures:
        raise TooManyFailures(
            f"{max_failures} pixels in a row failed, the last {pixel} of {where}: {why}. Look at the instrument; "
            f"tolerant(one_pixel, max_failures=...) says how many are too many"
        ) from fault
