"""Pixels that are looked at again while the stage is there: as often as it gains more a second than the next pixel."""

from collections.abc import Sequence
from typing import Any

from bluesky.protocols import Readable
from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.plans.stages import AnyStage
from bluesky_gp.plans.stubs import FAULTS, look_here, one_pixel, tolerant
from bluesky_gp.plans.typing import PerPixel, Pixel, plan
from bluesky_gp.settings import check_whole


def repeating(per_pixel: PerPixel | None = None, *, most: int = 20) -> PerPixel:
    r"""Measure a pixel, and once more while the stage is there, as often as that gains more a second than to go on.

    Every look is an event of stream ``primary``, and a value that the agent learns: the model averages them, and its
    noise at the pixel falls with their number. The variance of the map that a pixel takes away in a second is
    proportional to :math:`1 / ((v + s^2 / k) (t_0 + k t_1))`, so the best number of looks is

    .. math:: k = \sqrt{\frac{s^2}{v} \frac{t_0}{t_1}}

    with the variance :math:`v` of the map there, as predicted, that of the noise :math:`s^2`, the time :math:`t_0` of
    moving on, and :math:`t_1` of a look, as the run has measured both. One look where noise is small or moves short.
    Before the first fit, noise counts as large as the map: it takes repeats to tell the two apart. It depends on the
    clock how often a pixel is looked at; what is learnt of it, and decided next, depends on the events alone.

    Parameters
    ----------
    per_pixel : callable, optional
        The plan of the first look. Default: ``tolerant(one_pixel)``.
    most : int
        Looks at a pixel.

    Returns
    -------
    callable
        For ``adaptive_map(..., per_pixel=)``, which measures pixel by pixel with it what could be flown.
    """
    check_whole("repeating", "most", most, 1)
    first = tolerant(one_pixel) if per_pixel is None else per_pixel

    @plan
    def repeated_pixel(
        detectors: Sequence[Readable[Any]], stage: AnyStage, agent: GPAgent | None, pixel: Pixel
    ) -> MsgGenerator[None]:
        if agent is None:
            raise TypeError("repeating(...) asks the agent how noisy a pixel is, and was given none")
        known = agent.n_heard
        yield from first(detectors, stage, agent, pixel)
        looks = min(most, agent.worthwhile_looks(pixel))
        yield from look_again(detectors, stage, agent, pixel, known, looks)

    return repeated_pixel


def look_again(
    detectors: Sequence[Readable[Any]], stage: AnyStage, agent: GPAgent, pixel: Pixel, known: int, looks: int
) -> MsgGenerator[None]:
    """Measure a pixel again while the stage is there, until so many looks were heard since `known`, or one failed."""
    heard = agent.heard_since(known)  # empty in a simulated plan, and where the pixel has failed
    while 0 < len(heard) < looks and not heard[-1].failed:
        yield Msg("checkpoint")
        try:
            yield from look_here(detectors, stage, pixel)
        except FAULTS:  # the looks before stand; if the instrument is broken, the next pixel says so
            return
        before, heard = len(heard), agent.heard_since(known)
        if len(heard) == before:
            return
