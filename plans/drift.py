"""Correction of drift, before each batch: an image against the first, the origin of stage or beam moved after it."""

from collections.abc import Sequence
from functools import partial
from itertools import count
from typing import Any

import bluesky.plan_stubs as bps
import numpy as np
from bluesky.protocols import Movable, Readable, Triggerable
from bluesky.utils import FailedStatus, Msg, MsgGenerator

from bluesky_gp.drift import REFERENCE, DriftLimits, DriftTracker, Sight, Track, recorded_track
from bluesky_gp.grid import PixelGrid
from bluesky_gp.plans.arguments import named
from bluesky_gp.plans.origins import Origin, origin_of
from bluesky_gp.plans.typing import PerBatch, Pixel, plan
from bluesky_gp.plans.waiting import answered, start_and_wait
from bluesky_gp.settings import check_number, check_whole
from bluesky_gp.typing import Floats


def correct_drift(
    imager: Readable[Any],
    stage: Any,
    *,
    by: Sequence[Movable[Any]] | None = None,
    at: Pixel | None = None,
    every: int = 1,
    window: float = 5.0,
    limit: float = np.inf,
    agreement: float = 0.4,
    since: Any = None,
) -> PerBatch:
    """Return a plan for ``adaptive_map(..., per_batch=...)`` that follows the drift of the sample.

    Before a batch it takes an image, finds how far that is displaced from the first one, and moves the origin of the
    stage, or of the beam, by as much, and by what is to be expected until the middle of the batch. Pixels stay those of
    the sample. Each image is an event of stream ``drift``: displacement and correction in pixels, the position of pixel
    (0, 0), the agreement with the image that it was compared with, which stands in stream ``drift_reference``.

    The plan goes on from its first image when it is used again, so give one and the same to the run that is resumed; in
    another session ``since=``.

    Parameters
    ----------
    imager : Readable
        Gives an image; one without `image_grid` covers the field of the map. It is not staged here.
    stage : PixelStage
        Its `shift` is what is moved. With `by` any stage of `adaptive_map` that has a grid.
    by : sequence of Movable, optional
        One for each axis of the grid and in its unit, such as the coils that shift the beam: these are moved instead,
        from where they stand. Image and map are both taken through them, so an image then shows what is left.
    at : pixel, optional
        Where the stage goes before an image, if it carries the sample past the imager: it then shows what is left.
    every : int
        Batches from one image to the next.
    window : float
        Farthest that a shift may lie from where the velocity so far puts it, in pixels along an axis. On a crystal less
        than half a unit cell, or a shift by a whole one looks the same.
    limit : float
        Largest correction, in pixels along an axis. One that is clipped is recorded as such; where more than half a
        pixel is left the run ends.
    agreement : float
        Least correlation with the reference. An image with less than twice as much, for the sample has changed by
        contamination or damage, is the reference of those to come.
    since : optional
        A run whose drift is followed further: a run of a catalog, the path of a journal.

    Raises
    ------
    DriftError
        When the plan runs: of a shift beyond `window`, one that the image leaves open, an image that agrees with
        nothing, a `limit` that is reached. The run ends with this sentence as its reason.
    """
    if not isinstance(imager, Readable):
        raise TypeError(f"correct_drift: imager must be a device that gives an image, got {named(imager)}")
    check_whole("correct_drift", "every", every, 1)
    for name, value in (("window", window), ("agreement", agreement)):
        check_number("correct_drift", name, value, above=0.0)
    if limit != np.inf:
        check_number("correct_drift", "limit", limit, least=0.0)
    limits = DriftLimits(window, limit, agreement)
    track = None if since is None else recorded_track(since, limits)
    origin = origin_of(stage, by, at, None if track is None else track.correction)
    tracker, batches = DriftTracker(origin.grid, partial(Track.begin, limits=limits), Track.then, track), count()

    @plan
    def corrected_drift(pixels: Sequence[Pixel]) -> MsgGenerator[None]:
        if next(batches) % every:
            return
        yield Msg("checkpoint")
        sight = yield from _look(imager, origin)
        if sight is None:  # a simulated plan
            return
        yield from follow(tracker, sight, origin, imager)

    return corrected_drift


def _look(imager: Any, origin: Origin) -> MsgGenerator[Sight | None]:
    """Take an image; None in a simulated plan."""
    yield from origin.prepare()
    shift = yield from origin.shift()
    if isinstance(imager, Triggerable):
        yield from start_and_wait([Msg("trigger", imager)])
    reading = yield from answered(imager)
    if shift is None or not reading:
        return None
    images = {key: entry for key, entry in reading.items() if np.ndim(entry["value"]) == 2}
    if len(images) != 1:
        shapes = {key: np.shape(entry["value"]) for key, entry in reading.items()}
        raise RuntimeError(f"{imager.name}: correct_drift needs one image with two axes, its readings have {shapes}")
    (entry,) = images.values()
    image = np.array(entry["value"], dtype=np.float64)
    carried = shift if origin.carries_image else np.zeros(2)
    scale = _scale(getattr(imager, "image_grid", None), origin.grid, image.shape)
    return Sight(image, float(entry["timestamp"]), carried, shift, scale)


def _scale(image_grid: PixelGrid | None, grid: PixelGrid, shape: Sequence[int]) -> Floats:
    """Return the pixels of the map in one of the image, shape ``(2, 2)``: a column for each axis of the image."""
    if image_grid is None:
        return np.diag(np.divide(grid.shape, shape))
    steps = image_grid.position(np.eye(2)) - image_grid.position(np.zeros(2))
    return (grid.fraction(steps) - grid.fraction(np.zeros(2))).T


def follow(tracker: DriftTracker[Any, Any], seen: Any, origin: Origin, reference: Any) -> MsgGenerator[None]:
    """Move the origin by what was seen; record what it says, and the `reference` if others will be compared with it."""
    try:
        yield from start_and_wait([Msg("set", tracker, seen)])
    except FailedStatus as error:
        raise (error.__cause__ or error) from None
    yield from origin.move(tracker.correction)
    if tracker.track is not None and tracker.track.renewed:
        yield from bps.create(name=REFERENCE)
        yield from bps.read(reference)
        yield from bps.save()
    yield from bps.create(name=tracker.name)
    yield from bps.read(tracker)
    yield from bps.save()
    yield Msg("checkpoint")
