"""An overview image, taken before a map begins."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import bluesky.plan_stubs as bps
import numpy as np
from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.typing import Floats

if TYPE_CHECKING:
    from bluesky_gp.overview import Overview

STREAM = "overview"


def look(imagers: Sequence[Readable[Any]], agent: GPAgent) -> MsgGenerator[None]:
    """Trigger imagers, read them, and have the agent look at their images; before the run, whose start has them.

    An imager whose `image_grid` says where its pixels lie, as those of ours do, is taken at its word; an image of any
    other covers the field of the map.

    Raises
    ------
    RuntimeError
        If one of them gives no image.
    """
    from bluesky_gp.overview import Planes  # it needs scikit-learn: a second to import

    images: dict[str, Floats] = {}
    spreads: dict[str, Floats] = {}
    for imager in imagers:
        if hasattr(imager, "trigger"):
            yield from bps.trigger(imager, wait=True)
        reading = yield from bps.read(imager)
        if reading is None:  # a plan that is only looked at
            return
        planes = _overview(imager, reading).on(agent.optimizer.grid)
        images |= planes.images
        spreads |= planes.spreads
    agent.look(Planes(images, spreads))


def record_images(imagers: Sequence[Readable[Any]]) -> MsgGenerator[None]:
    """Record the images as an event of stream ``overview``, as they were taken."""
    if imagers:
        yield from bps.create(name=STREAM)
        for imager in imagers:
            yield from bps.read(imager)
        yield from bps.save()


def _overview(imager: Any, reading: Mapping[str, Any]) -> "Overview":
    from bluesky_gp.overview import Overview

    found = {key: entry["value"] for key, entry in reading.items() if np.ndim(entry["value"]) == 2}
    if not found:
        shapes = {key: np.shape(entry["value"]) for key, entry in reading.items()}
        raise RuntimeError(f"{imager.name}: an overview image has two axes, its readings have shapes {shapes}")
    lattice = getattr(imager, "image_grid", None)
    if lattice is None:
        return Overview(found)
    return Overview(found, position=lattice.origin, step=lattice.step, rotation=lattice.rotation)
