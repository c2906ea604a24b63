"""Clauses of a map: each proposed pixel has an end, each measured one was asked for, and each value is what it says."""

from math import isclose, isfinite, isnan, nan
from typing import Any

import numpy as np

from bluesky_gp.protocols import Scalarizer
from bluesky_gp.recording import FrameError
from bluesky_gp.run import PIXELS, EventSpectra, scalarizer_of, steps_of
from bluesky_gp.scalarizers import as_number, channels, evaluate
from bluesky_gp.verify.evidence import BrokenClause, Document, Evidence
from bluesky_gp.verify.fates import Fates
from bluesky_gp.verify.hands import put_aside

_CLOSE = 1e-9  # relative: another processor sums in another order


def ended(run: Evidence) -> str | None:
    """Every pixel that was proposed was measured, failed, or was abandoned with the last batch."""
    if not run.gp:
        return None
    record, steps = run.record, steps_of(run.record)
    attempted = record.inherited.attempted | {outcome.pixel for outcome in record.outcomes}
    for number, step in enumerate(steps[:-1]):
        missing = [pixel for pixel in step.proposed if pixel not in attempted | put_aside(run, number, steps)]
        if missing:
            raise BrokenClause(
                f"decision {len(record.inherited.steps) + number} proposed pixel {_pixel(run, missing[0])}, "
                f"which was neither measured nor failed; {len(missing)} of the batch were not"
            )
    left = len(record.abandoned)
    if left and run.stop.get("exit_status") == "success":
        raise BrokenClause(f"the run ended as a success and abandoned {left} pixels of its last batch")
    fates, rest = Fates.of(record, steps), len(record.inherited.rest)
    before = f", {rest} of them by the run that it resumes" if rest else ""
    return f"{fates.proposed} pixels proposed{before}; {fates}"


def in_place(run: Evidence) -> str | None:
    """Every measured pixel was asked for before, and the stage stood there."""
    if not (run.gp and run.is_plain_map):
        return None
    grid, axes, agent = run.record.grid, run.axes, run.gp["agent"]
    asked, farthest = {*run.record.inherited.rest}, 0.0
    for stream, doc in run.events():
        data = doc["data"]
        if stream == agent:
            asked.update(_proposed(run, data))
        elif stream == PIXELS:
            fraction = axes.fraction(data, grid)
            pixel = axes.pixel(data, grid)
            if pixel is None or int(grid.ravel([pixel])[0]) not in asked:
                where = tuple(fraction.round(2).tolist())
                raise BrokenClause(f"event {doc['seq_num']} was measured at {where}, where no pixel was asked for")
            farthest = max(farthest, float(np.abs(fraction - pixel).max()))
    return f"every pixel was measured where it was asked for, at most {round(farthest, 6):g} of a step away"


def _proposed(run: Evidence, data: Document) -> list[int]:
    rows = np.asarray(data[f"{run.gp['agent']}_proposed"]).astype(int)
    return run.record.grid.ravel(rows[rows[:, 0] >= 0]).tolist() if len(rows) else []


def have_values(run: Evidence) -> str | None:
    """Every pixel has a finite value, or an event that says why it has none."""
    if not (run.gp and run.is_plain_map):
        return None
    stream = f"{run.gp['agent']}_failures"
    said = {tuple(doc["data"][f"{stream}_pixel"]): doc["data"][f"{stream}_reason"] for _, doc in run.events(stream)}
    for pixel, reason in said.items():
        if not reason:
            raise BrokenClause(f"pixel {tuple(map(int, pixel))} failed, and its event gives no reason")
    for pixel in map(tuple, run.record.failed.tolist()):
        if pixel not in said and run.record.grid.ravel([pixel])[0] not in run.record.inherited.attempted:
            raise BrokenClause(f"pixel {pixel} has no finite value, and no event says why")
    return (
        f"{len(run.record.measured[1])} values are finite; {len(run.record.failed)} pixels failed, each with a reason"
    )


def from_spectra(run: Evidence) -> str | None:
    """Every value is what its target makes of the spectrum beside it."""
    target = str(run.gp.get("target", ""))
    found = [d for d in run.descriptors.values() if d["name"] == PIXELS and target in d["data_keys"]]
    scalarizer = scalarizer_of(found[0], target) if found else None
    source = _source(run, target)
    if scalarizer is None or source.key in ("", target):
        return None
    count, unread = 0, ""
    for _, doc in run.events(PIXELS):
        try:
            again, why = _value_of(source, doc, scalarizer)
        except FrameError as error:  # the number stands in the event, and needs no file
            unread = unread or f"; of others the spectra cannot be read: {error}"
            continue
        value = _number(doc["data"][target])
        if not (isclose(again, value, rel_tol=_CLOSE) or (isnan(again) and not isfinite(value))):
            gives = f"none: {why}" if why else f"{again:.6g}"
            raise BrokenClause(f"event {doc['seq_num']}: {target} is {value:.6g}, and its spectrum gives {gives}")
        count += 1
    return f"{count} values are what {target} makes of their spectra{unread}"


def _source(run: Evidence, target: str) -> EventSpectra:
    """Return what the documents of a run say of the spectra from which a target is made."""
    source = EventSpectra()
    for descriptor in run.of_kind("descriptor"):
        source.descriptor(descriptor, target)
    for resource in run.of_kind("stream_resource"):
        source.stream_resource(resource)
    for datum in run.of_kind("stream_datum"):
        source.stream_datum(datum)
    return source


def _value_of(source: EventSpectra, doc: Document, scalarizer: Scalarizer) -> tuple[float, str]:
    """Return the target of an event's spectrum, or NaN and the reason why there is none."""
    try:
        spectrum = source.read(doc)
    except FrameError:
        raise
    except (TypeError, ValueError) as error:  # letters
        return nan, str(error)
    return evaluate(scalarizer, spectrum, channels(spectrum) if source.axis is None else source.axis)


def _number(raw: Any) -> float:
    try:
        return as_number(raw)
    except (TypeError, ValueError):  # a text: the pixel is rejected
        return nan


def _pixel(run: Evidence, flat: int) -> tuple[int, ...]:
    return tuple(run.record.grid.unravel([flat])[0].tolist())
