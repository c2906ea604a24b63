"""The adaptive map: the agent chooses where to measure next."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.protocols import Readable
from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.plans.agents import as_agent
from bluesky_gp.plans.arguments import (
    check_callable,
    check_per_pixel,
    check_stage_and_agent,
    checked_detectors,
    checked_metadata,
    returned,
    whole_number,
)
from bluesky_gp.plans.looking import look, record_images
from bluesky_gp.plans.metadata import start_metadata
from bluesky_gp.plans.overlapping import overlapping
from bluesky_gp.plans.queueable import (
    AGENT,
    DETECTORS,
    IMAGERS,
    MAPPING,
    METADATA,
    PER_BATCH,
    PER_PIXEL,
    RESUME_FROM,
    STAGE,
    queueable,
)
from bluesky_gp.plans.reach import check_reach
from bluesky_gp.plans.reviewing import ask_and_review, wants_review
from bluesky_gp.plans.stages import StageOrMotors, as_stage, devices_of
from bluesky_gp.plans.stubs import prepare_agent
from bluesky_gp.plans.timing import timed
from bluesky_gp.plans.typing import PerBatch, PerPixel, Pixel, PlanOfNothing, plan
from bluesky_gp.plans.ways import Flown, PixelByPixel, way_of
from bluesky_gp.run import Budget, DoseLimit, History

logger = logging.getLogger("bluesky_gp")


@queueable(
    "Measure pixels of a stage, a batch at a time, where the agent proposes them.",
    detectors=DETECTORS,
    stage=STAGE,
    agent=AGENT,
    num={"annotation": "int", "min": 1, "description": "Pixels to attempt, those of a resumed run included."},
    seconds={"annotation": "typing.Optional[float]", "description": "End after so many seconds, at num the latest."},
    dose={"annotation": MAPPING, "description": 'End at a dose: {"dose": 20e-9, "per_pixel": 50e-12, "unit": "C"}.'},
    per_pixel=PER_PIXEL,
    per_batch=PER_BATCH,
    resume_from=RESUME_FROM,
    overview=IMAGERS,
    review={"annotation": "typing.Union[bool, float, NoneType]", "description": "A person sees each batch first."},
    overlap={"annotation": "bool", "description": "Choose the next batch while one is measured."},
    md=METADATA,
)
@plan
def adaptive_map(
    detectors: Sequence[Readable[Any]],
    stage: StageOrMotors,
    agent: GPAgent,
    *,
    num: int,
    seconds: float | None = None,
    dose: DoseLimit | Mapping[str, Any] | None = None,
    per_pixel: PerPixel | None = None,
    per_batch: PerBatch | None = None,
    resume_from: Any = None,
    review: bool | float | None = None,
    overlap: bool = False,
    overview: Sequence[Readable[Any]] = (),
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[str]:
    """Measure `num` pixels of `stage`, a batch at a time, where `agent` proposes them.

    Parameters
    ----------
    detectors : sequence of Readable
        One of them gives the agent's target.
    stage : PixelStage or pair of Movables
        A pair goes to the positions of the optimizer's grid.
    agent : GPAgent
        From a queue also a mapping, settings of `configured.configured_agent`; without a grid it takes the stage's.
    num : int
        Pixels to attempt, failed ones included, and those of the run that is resumed; `GPAgent.go_on` raises it.
    seconds : float, optional
        End when so many have passed since the run began; the last batch is cut to what fits in at the pace so far. A
        run that resumes another counts from its own beginning.
    dose : MaxDose or mapping, optional
        End where another pixel would exceed this dose, ``MaxDose(20e-9, per_pixel=50e-12, unit="C")``. Every event of a
        pixel counts, those of a run that is resumed included.
    per_pixel : callable, optional
        ``f(detectors, stage, agent, pixel)``, as ``per_step`` in `bluesky.plans`. Default:
        ``tolerant(one_pixel, retries=1, max_failures=5)``; a detector that visits a list of points by itself is flown
        instead, each batch as one acquisition (`fly_pixels`).
    per_batch : callable, optional
        ``f(pixels)``, a plan run before each batch: drift correction, a refocus. It opens no run.
    resume_from : optional
        A run to go on with: a run of a catalog, the path of a journal, or a uid that is looked up in the agent's
        catalog. The rest of its last batch is measured first; chosen anew where a review had no answer yet.
    review : bool or float, optional
        Show every batch and wait for `GPAgent.agree`, `edit` or `veto`; a number: so many seconds, then it is measured.
    overlap : bool
        Choose each batch while the one before it is measured, without its values: no waiting for decisions, at the
        price of some more pixels to the same result. It pays where a decision takes about as long as a batch; the log
        says after a run what it saved, or would have.
    overview : sequence of Readable
        Imagers that are triggered and read before the first pixel is chosen: the agent looks at their images, see
        `PixelOptimizer`. Their events are stream ``overview``. A run that is resumed has the images that it had.
    md : mapping, optional
        Metadata.

    Returns
    -------
    str
        Uid of the run.
    """
    agent = as_agent("adaptive_map", agent, stage)
    detectors, num = _checked(detectors, stage, agent, num, dose)
    budget = Budget.checked("adaptive_map", seconds, dose)
    check_per_pixel("adaptive_map", per_pixel)
    check_callable("adaptive_map", "per_batch", per_batch, "pixels")
    checked_metadata("adaptive_map", md)
    reviewed = wants_review(review)
    ahead = overlapping(overlap, agent, reviewed=reviewed)
    stage = as_stage(stage, agent.optimizer.grid)
    way = way_of(detectors, stage, agent, per_pixel)
    yield from check_reach(stage)
    history = yield from prepare_agent(agent, num=num, resume_from=resume_from, detectors=detectors)
    left = _left(num, budget, history)
    expected = yield from _expected_seconds(detectors, left)
    args = {"per_pixel": repr(per_pixel), "per_batch": repr(per_batch), "review": review, "overlap": overlap}
    imagers = checked_detectors("adaptive_map", overview, stage) if overview and history is None else []

    @bpp.subs_decorator(agent)
    @bpp.stage_decorator([*detectors, *imagers, *devices_of(stage)])
    def staged() -> MsgGenerator[str]:
        if imagers:
            yield from look(imagers, agent)
        metadata = start_metadata(
            detectors, stage, agent, num=num, expected_seconds=expected, budget=budget, plan_args=args,
            history=history, axes=way.axes, md=md,
        )  # fmt: skip
        yield from way.check()
        rest = _rest(history, agent)[:left] if not reviewed or (history and history.is_agreed) else []
        batches = _batches(agent, imagers, rest, way, per_batch, partial(ask_and_review, agent, review), ahead)
        uid: str = yield from bpp.run_wrapper(timed(batches, agent), md=metadata)
        return uid

    uid: str = yield from bpp.msg_mutator(staged(), partial(_closing, agent))
    return uid


def _batches(
    agent: GPAgent,
    imagers: Sequence[Readable[Any]],
    rest: list[Pixel],
    way: PixelByPixel | Flown,
    per_batch: PerBatch | None,
    ask: Callable[[], MsgGenerator[list[Pixel]]],
    ahead: PlanOfNothing,
) -> MsgGenerator[None]:
    """Measure what is left of a run that is resumed, then batch after batch, as many as the agent has."""
    yield from record_images(imagers)
    yield from way.begin()
    if not rest:
        yield from ahead()  # a run that is resumed may have a whole batch that its last decision did not know
    batch = rest or (yield from ask())
    while batch:
        yield from _before(batch, per_batch)
        yield from way.measure(batch, ahead)
        if agent.is_deaf:  # it would ask for the same pixels for ever
            break
        batch = yield from ask()  # the last, empty one records what the last batch taught


def _closing(agent: GPAgent, msg: Msg) -> Msg:
    """Have a run that learnt nothing at all end as a failure, with the reason in its stop document."""
    if msg.command != "close_run" or msg.run is not None or not agent.nothing_learnt:
        return msg
    stated = {name: value for name, value in msg.kwargs.items() if value is not None}
    return msg._replace(kwargs={"exit_status": "fail", "reason": agent.nothing_learnt, **stated})


def _left(num: int, budget: Budget, history: History | None) -> int:
    """Return how many pixels of a run are left, as far as the dose is enough for them."""
    attempted, measured = (len(history.attempted), history.n_outcomes) if history else (0, 0)
    room = budget.pixels_left(measured)
    return num - attempted if room is None else min(num - attempted, room)


def _rest(history: History | None, agent: GPAgent) -> list[Pixel]:
    """Pixels that the run that is resumed had still to measure."""
    flat = history.rest if history else ()
    return [tuple(pixel) for pixel in agent.optimizer.grid.unravel(flat).tolist()]


def _checked(detectors: Any, stage: Any, agent: Any, num: Any, dose: Any) -> tuple[list[Readable[Any]], int]:
    detectors = checked_detectors("adaptive_map", detectors, stage)
    check_stage_and_agent("adaptive_map", stage, agent)
    num, allowed = whole_number("adaptive_map", "num", num), int(agent.optimizer.grid.allowed.sum())
    if not 1 <= num <= allowed:
        raise ValueError(
            f"adaptive_map: num must be between 1 and the {allowed} pixels that the grid of {agent.name} has, got {num}"
            f"; num={allowed} measures every one"
        )
    if dose is not None and getattr(agent.optimizer, "exposure", None) is not None:
        raise ValueError(
            "adaptive_map: dose= counts the same dose for every measurement, and those of an optimizer with exposure= "
            "are of unequal length: leave one of them out, or end the run in seconds="
        )
    return detectors, num


def _expected_seconds(detectors: Sequence[Any], num: int) -> MsgGenerator[float | None]:
    """Read the exposures of the detectors that have one: they run at once, so the longest counts."""
    exposures = []
    for signal in (getattr(detector, "exposure", None) for detector in detectors):
        if isinstance(signal, Readable):
            exposures.append((yield from bps.rd(signal, default_value=0.0)))
    if not exposures:
        return None
    seconds = num * float(max(exposures))
    logger.info("%d pixels at %.3g s: at least %.0f s", num, max(exposures), seconds)
    return seconds


def _before(batch: Sequence[Any], per_batch: PerBatch | None) -> MsgGenerator[None]:
    if per_batch is not None:
        yield from returned(per_batch, batch)
