"""Pixels measured again, longer or more often: the best one, or one that is doubted."""

from collections.abc import Sequence
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.protocols import Movable, Readable
from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.plans.arguments import check_stage_and_agent, checked_detectors, checked_metadata
from bluesky_gp.plans.metadata import start_metadata
from bluesky_gp.plans.queueable import AGENT_BY_NAME, DETECTORS, METADATA, PER_PIXEL, RESUME_FROM, STAGE, queueable
from bluesky_gp.plans.reach import check_reach
from bluesky_gp.plans.stages import StageOrMotors, as_stage, devices_of
from bluesky_gp.plans.stubs import ask_agent, measure_pixels, one_pixel, prepare_agent, record_action, tolerant
from bluesky_gp.plans.typing import PerPixel, plan
from bluesky_gp.plans.waiting import start_and_wait
from bluesky_gp.settings import check_number, check_whole


@queueable(
    "Measure some pixels again, longer or more often.",
    stage=STAGE,
    agent=AGENT_BY_NAME,
    pixels={"annotation": "typing.Optional[typing.List[typing.List[int]]]", "description": "Default: the best pixel."},
    exposure={"annotation": "typing.Optional[float]", "description": "Seconds."},
    repeats={"annotation": "int", "min": 1, "description": "Events of each pixel."},
    detectors={**DETECTORS, "annotation": "typing.Optional[typing.List[Detectors]]"},
    per_pixel=PER_PIXEL,
    resume_from=RESUME_FROM,
    md=METADATA,
)
@plan
def remeasure(
    stage: StageOrMotors,
    agent: GPAgent,
    pixels: Sequence[Sequence[int]] | None = None,
    *,
    exposure: float | None = None,
    repeats: int = 1,
    detectors: Sequence[Readable[Any]] | None = None,
    per_pixel: PerPixel | None = None,
    resume_from: Any = None,
    md: dict[str, Any] | None = None,
) -> MsgGenerator[str]:
    """Measure some pixels again, in a run that goes on where the agent's latest stands.

    Each repeat is an event, and a value that the agent learns: the model averages them, and its noise at the pixel
    falls with their number. A longer exposure counts no more than a short one, unless it is given as more repeats.

    Parameters
    ----------
    stage : PixelStage or pair of Movables
    agent : GPAgent
    pixels : sequence of pixels, optional
        Default: the best one.
    exposure : float, optional
        In s, for every detector that has one; afterwards they have their own again.
    repeats : int
        Measurements of each pixel.
    detectors : sequence of Readable, optional
        Default: those of the agent's latest map.
    per_pixel : callable, optional
        As for `adaptive_map`.
    resume_from : optional
        The run to go on with, as for `adaptive_map`. Default: the agent's latest in this session.
    md : mapping, optional
        Metadata.

    Returns
    -------
    str
        Uid of the run, which can be resumed as any other.
    """
    devices = _checked(stage, agent, detectors, exposure, repeats)
    if resume_from is None and agent.left is None:
        raise ValueError(f"remeasure: {agent.name} has measured nothing in this session: give resume_from=")
    checked_metadata("remeasure", md)
    stage = as_stage(stage, agent.optimizer.grid)
    yield from check_reach(stage)
    history = yield from prepare_agent(agent, resume_from=agent.left if resume_from is None else resume_from)
    action = agent.wish(_places(agent, pixels, earlier=resume_from is not None))
    num = None if history is None else len(history.attempted)
    args = {"pixels": action.arguments["pixels"], "exposure": exposure, "repeats": repeats}
    metadata = start_metadata(
        devices, stage, agent, num=num, plan_args=args, history=history, md={"plan_name": "remeasure", **(md or {})}
    )
    measure = per_pixel or tolerant(one_pixel)

    @bpp.subs_decorator(agent)
    @bpp.stage_decorator([*devices, *devices_of(stage)])
    @bpp.run_decorator(md=metadata)
    def run() -> MsgGenerator[None]:
        yield from record_action(agent, action)
        while batch := (yield from ask_agent(agent)):
            visits = [pixel for pixel in batch for _ in range(repeats)]
            yield from measure_pixels(devices, stage, agent, visits, per_pixel=measure)
            if agent.is_deaf:
                break

    uid: str = yield from _exposed(devices, exposure, run())
    return uid


def _checked(stage: Any, agent: Any, detectors: Any, exposure: Any, repeats: Any) -> list[Readable[Any]]:
    check_stage_and_agent("remeasure", stage, agent)
    check_whole("remeasure", "repeats", repeats, 1)
    if exposure is not None:
        check_number("remeasure", "exposure", exposure, above=0.0)
    if detectors is None and not agent.detectors:
        raise ValueError(f"remeasure: {agent.name} has measured nothing in this session: give detectors=")
    return checked_detectors("remeasure", agent.detectors if detectors is None else detectors, stage)


def _places(agent: GPAgent, pixels: Sequence[Sequence[int]] | None, *, earlier: bool) -> Sequence[Sequence[int]]:
    """Return the pixels asked for; without, the best of an `earlier` run that was read, or of what the agent knows."""
    if pixels is not None:
        return pixels
    resumed = agent.resumed if earlier else None
    state = agent.optimizer.state if resumed is None else resumed.decision.state
    if state.best_pixel is None:
        raise ValueError(f"remeasure: {agent.name} has no value yet, so no pixel is the best: name some")
    return [state.best_pixel]


def _exposed(devices: Sequence[Any], exposure: float | None, inner: MsgGenerator[str]) -> MsgGenerator[str]:
    """Give every detector that has one another exposure for a while."""
    if exposure is None:
        return (yield from inner)
    signals = [
        signal for signal in (getattr(each, "exposure", None) for each in devices) if isinstance(signal, Movable)
    ]
    if not signals:
        raise ValueError(f"remeasure: none of {[each.name for each in devices]} has an exposure that can be set")
    before = []
    for signal in signals:
        before.append((yield from bps.rd(signal)))
    yield from start_and_wait([Msg("set", signal, exposure) for signal in signals])
    back = [Msg("set", signal, value) for signal, value in zip(signals, before, strict=True)]
    uid: str = yield from bpp.finalize_wrapper(inner, lambda: start_and_wait(back))
    return uid
