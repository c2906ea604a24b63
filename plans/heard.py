"""The check that what the agent learns will stand in the events, before there is a run."""

from collections.abc import Sequence
from typing import Any

from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.plans.flying import flown_axes
from bluesky_gp.plans.reach import answer
from bluesky_gp.plans.stages import AnyStage, axes_of, devices_of
from bluesky_gp.protocols import BatchFlyer


def check_heard(detectors: Sequence[Readable[Any]], stage: AnyStage, agent: GPAgent) -> MsgGenerator[None]:
    """Raise KeyError or ValueError if the events of detectors and stage carry no target, or one that is no number.

    A device that cannot describe itself before it is read is told of at the first pixel.
    """
    described: dict[str, Any] = {}
    for device in (*detectors, *devices_of(stage)):
        try:
            keys = yield from answer(device.describe())
        except Exception:  # noqa: BLE001 - so far it need not answer
            return
        if not keys:
            return
        described |= keys
    agent.check_keys(described, axes_of(stage))


def check_flown(flyer: BatchFlyer, agent: GPAgent) -> MsgGenerator[None]:
    """Raise KeyError or ValueError if what a flyer collects carries no target, or one that is no number."""
    described = yield from answer(flyer.describe_collect())
    if described:  # a simulated plan gets no answer
        agent.check_keys(described, flown_axes(flyer))
