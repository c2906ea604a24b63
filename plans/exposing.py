"""Exposures as long as it pays: long where a pixel is worth its noise, short elsewhere."""

from collections.abc import Sequence
from typing import Any

from bluesky.protocols import Movable, Readable
from bluesky.utils import Msg, MsgGenerator

from bluesky_gp.agent import GPAgent
from bluesky_gp.plans.arguments import returned
from bluesky_gp.plans.looks import look_again
from bluesky_gp.plans.stages import AnyStage
from bluesky_gp.plans.stubs import one_pixel, tolerant
from bluesky_gp.plans.typing import PerPixel, Pixel, plan
from bluesky_gp.plans.waiting import start_and_wait
from bluesky_gp.settings import check_number

FEW, REPEATS = 20, 3  # values before which a pixel is measured so often


def dwelling(exposure: Any, *, least: float, most: float, per_pixel: PerPixel | None = None) -> PerPixel:
    r"""Measure a pixel for as long as that gains more of the map a second than to go on.

    An exposure of :math:`t` seconds takes away variance proportional to :math:`1 / (v + s^2 t_1 / t)`, in the time
    :math:`t_0 + t`, so the best one is

    .. math:: t = \sqrt{\frac{s^2}{v} t_0 t_1}

    with the variance :math:`v` of the map there, as predicted, that of the noise :math:`s^2` by the optimizer's usual
    `exposure` :math:`t_1`, and what a pixel costs beside its exposure, :math:`t_0`, as the run has measured it. The
    exposure stands in the event, and the value is learnt with its noise: ``PixelOptimizer(..., exposure=0.1)``. Until
    20 values are learnt a pixel has three exposures of the usual length, since it takes repeats to tell noise from a
    rough map. It depends on the clock how long a pixel is measured; what is learnt of it, and decided next, depends on
    the events alone.

    Parameters
    ----------
    exposure : Movable and Readable
        The detector's exposure in seconds, such as ``spectrometer.exposure``. The agent looks for it in the events
        under the detector's name, ``spectrometer_exposure``; another key is named by ``GPAgent(..., others={"exposure":
        ...})``.
    least, most : float
        Seconds.
    per_pixel : callable, optional
        The plan that measures a pixel, once the exposure is set. Default: `one_pixel`. What fails is tried once more.

    Returns
    -------
    callable
        For ``adaptive_map(..., per_pixel=)``, which measures pixel by pixel with it what could be flown.
    """
    if not (isinstance(exposure, Movable) and isinstance(exposure, Readable)):
        raise TypeError(f"dwelling: exposure must be a signal that is set and read, det.exposure, got {exposure!r:.80}")
    check_number("dwelling", "least", least, above=0.0)
    check_number("dwelling", "most", most, least=least)
    taking = one_pixel if per_pixel is None else per_pixel

    @plan
    def exposed_pixel(
        detectors: Sequence[Readable[Any]], stage: AnyStage, agent: GPAgent | None, pixel: Pixel
    ) -> MsgGenerator[Any]:
        if agent is None:
            raise TypeError("dwelling(...) asks the agent what a pixel is worth, and was given none")
        repeats = REPEATS if agent.n_learnt < FEW else 1
        seconds = min(max(agent.worthwhile_exposure(pixel, usual=repeats > 1), least), most)
        yield Msg("checkpoint")
        yield from start_and_wait([Msg("set", exposure, seconds)])
        known = agent.n_heard
        yield from returned(taking, [*detectors, exposure], stage, agent, pixel)
        looks = len(agent.heard_since(known)) + repeats - 1
        yield from look_again([*detectors, exposure], stage, agent, pixel, known, looks)

    return tolerant(exposed_pixel)
