"""Correction of drift without an imager: steep pixels of the map are measured again, and say how far it has moved."""

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.drift import DriftLimits, LandmarkTracker, Reference, recorded_landmarks
from bluesky_gp.plans.arguments import check_stage_and_agent, checked_detectors
from bluesky_gp.plans.drift import follow
from bluesky_gp.plans.origins import origin_of
from bluesky_gp.plans.revisits import Revisitor
from bluesky_gp.plans.stages import StageOrMotors, as_stage
from bluesky_gp.plans.typing import PerBatch, Pixel, plan
from bluesky_gp.settings import check_number, check_whole

_FEWEST = 3  # landmarks that can tell a shift, and whether they fit one


def correct_drift_by_pixels(
    detectors: Sequence[Readable[Any]],
    stage: StageOrMotors,
    agent: GPAgent,
    *,
    by: Sequence[Movable[Any]] | None = None,
    number: int = 4,
    every: int = 1,
    window: float = 2.0,
    limit: float = np.inf,
    agreement: float = 0.05,
    since: Any = None,
) -> PerBatch:
    """Return a plan for ``adaptive_map(..., per_batch=...)`` that follows the drift of the sample without an imager.

    As soon as the agent has fitted its model, the plan measures the few pixels where the map is steepest, apart from
    each other and in different directions, and the four around each: its landmarks. Before later batches it measures
    each landmark once more, finds the shift of the sample that explains the values, and moves the origin of the stage,
    or of the beam, as `correct_drift` does: by what is sure by then of displacement and velocity. Where a shift is not
    larger than its error nothing is moved, and ``drift_refused`` of stream ``drift`` says why.

    The values are events of stream ``drift_pixels``. The agent does not learn them, as they are of places between
    pixels; nor do they count in ``num`` or in the dose.

    Parameters
    ----------
    detectors, stage, agent
        Those of the map. The detectors are triggered pixel by pixel, also where the map is flown; the agent computes in
        this session.
    by : sequence of Movable, optional
        As for `correct_drift`.
    number : int
        Landmarks, three at least: five exposures each at first, then one before a batch.
    every : int
        Batches from one look to the next.
    window : float
        Farthest that the sample may move between the first two looks, in pixels along an axis.
    limit : float
        As for `correct_drift`.
    agreement : float
        Least agreement of values and shift: inverse of the mean square of what is left, in units of its error.
    since : optional
        A run whose drift is followed further: a run of a catalog, the path of a journal.

    Raises
    ------
    ValueError
        If the agent decides elsewhere.
    DriftError
        When the plan runs: of a `limit` that leaves half a pixel.
    """
    name = "correct_drift_by_pixels"
    check_stage_and_agent(name, stage, agent)
    devices = checked_detectors(name, detectors, stage)
    if (address := agent.metadata().get("elsewhere")) is not None:
        raise ValueError(
            f"{name}: landmarks need the map of agent {agent.name}, which decides at {address}; take GPAgent"
        )
    check_whole(name, "number", number, _FEWEST)
    check_whole(name, "every", every, 1)
    check_number(name, "window", window, above=0.0)
    check_number(name, "agreement", agreement, above=0.0)
    if limit != np.inf:
        check_number(name, "limit", limit, least=0.0)
    limits = DriftLimits(window, limit, agreement)
    track = None if since is None else recorded_landmarks(since, limits)
    origin = origin_of(stage, by, None, None if track is None else track.correction)
    tracker, batches = LandmarkTracker(origin.grid, limits, track), count()
    reference = Reference(tracker)
    revisitor = Revisitor(devices, as_stage(stage, agent.optimizer.grid), agent, origin)

    @plan
    def corrected_drift_by_pixels(pixels: Sequence[Pixel]) -> MsgGenerator[None]:
        if not (agent.optimizer.state.fitted and agent.knows_values) or next(batches) % every:
            return
        places = revisitor.chosen(number, window) if tracker.track is None else tracker.track.landmarks
        revisit = (yield from revisitor.look(places, f"{tracker.name}_pixels")) if len(places) else None
        if revisit is None:
            return
        yield from follow(tracker, revisit, origin, reference)

    return corrected_drift_by_pixels
