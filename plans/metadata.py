"""The start documents of maps: the entries of `bluesky.plans.grid_scan`, and those of the agent."""

from collections.abc import Mapping, Sequence
from typing import Any

from bluesky.protocols import Readable

from bluesky_gp.agent import GPAgent
from bluesky_gp.plans.arguments import checked_metadata
from bluesky_gp.plans.stages import AnyStage, Motors, StageOrMotors, as_stage, axes_of, devices_of
from bluesky_gp.run import Axes, Budget, History


def start_metadata(
    detectors: Sequence[Readable[Any]],
    stage: StageOrMotors,
    agent: GPAgent,
    *,
    num: int | None = None,
    expected_seconds: float | None = None,
    budget: Budget | None = None,
    plan_args: Mapping[str, Any] | None = None,
    history: History | None = None,
    axes: Axes | None = None,
    md: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the metadata with which a run must be opened for `agent` to learn from it.

    Parameters
    ----------
    num : int, optional
        Pixels to attempt, those of a run that is resumed included; after that many the agent proposes nothing more.
    expected_seconds : float, optional
        How long they will take.
    budget : Budget, optional
        Seconds and dose that they may take.
    plan_args : mapping, optional
        Further arguments of the plan, as plain data.
    history : History, optional
        What the run begins with if it resumes another: ``agent.resumed.history`` after `prepare_agent`.
    axes : Axes, optional
        Event keys of the pixel, where they are not those of the stage.
    md : mapping, optional
        The user's own; it wins, but for ``gp``, which is needed.
    """
    stage = as_stage(stage, agent.optimizer.grid)
    axes = axes or axes_of(stage)
    gp = {**agent.metadata(history), "axes": axes.to_mapping(), "num": num}
    if expected_seconds is not None:
        gp["expected_seconds"] = expected_seconds
    if budget is not None and (stated := budget.to_mapping()):
        gp["budget"] = stated
    args = {"agent": agent.name, "num": num, **described(detectors, stage), **(plan_args or {})}
    return {**map_metadata(detectors, stage, "adaptive_map", num, args, md, axes=axes), "gp": gp}


def map_metadata(
    detectors: Sequence[Readable[Any]],
    stage: AnyStage,
    plan_name: str,
    num: int | None,
    plan_args: Mapping[str, Any],
    md: Mapping[str, Any] | None,
    shape: Sequence[int] | None = None,
    axes: Axes | None = None,
) -> dict[str, Any]:
    """Return what any map of `stage` says in its start document."""
    user = checked_metadata(plan_name, md)
    dimensions = [[[key], "primary"] for key in (axes or axes_of(stage)).keys]
    hints = {"gridding": "rectilinear_nonsequential", "dimensions": dimensions, **user.pop("hints", {})}
    given: dict[str, Any] = {
        "plan_name": plan_name,
        "plan_args": dict(plan_args),
        "detectors": [detector.name for detector in detectors],
        "motors": [device.name for device in devices_of(stage)],
        "shape": [int(n) for n in (stage.grid.shape if shape is None else shape)],
        "extents": _extents(stage),
    }
    if num is not None:
        given |= {"num_points": num, "num_intervals": num - 1}
    return {**given, **user, "hints": hints}


def described(detectors: Sequence[Readable[Any]], stage: AnyStage) -> dict[str, Any]:
    """Return detectors and stage as ``plan_args`` show them."""
    return {"detectors": [repr(d) for d in detectors], "stage": [repr(d) for d in devices_of(stage)]}


def _extents(stage: AnyStage) -> list[list[float]]:
    """Range of each event key that is an axis: pixels, or positions of the motors."""
    if not isinstance(stage, Motors):
        return [[0.0, n - 1.0] for n in stage.grid.shape]
    corners = stage.grid.corners
    return [[float(low), float(high)] for low, high in zip(corners.min(axis=0), corners.max(axis=0), strict=True)]
