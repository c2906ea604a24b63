"""The check that detectors make the target of a run as those of the run that it resumes did."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bluesky_gp.protocols import Scalarizer
from bluesky_gp.recording import ResumeError
from bluesky_gp.run.scalarized import scalarizer_of
from bluesky_gp.run.spectra import signal_axis
from bluesky_gp.scalarizers import Area, to_mapping


def check_same_numbers(descriptor: Mapping[str, Any], target: str, detectors: Sequence[Any]) -> None:
    """Raise ResumeError if a detector makes the target in another way than a record describes.

    Parameters
    ----------
    descriptor : Mapping
        Of the recorded pixels. A parameter that it lacks has the value that it had then.
    target : str
        Event key.
    detectors : sequence
        Those that say in an attribute ``scalarizers`` what their targets are; of others nothing is known.
    """
    old, new = scalarizer_of(descriptor, target), _scalarizer(target, detectors)
    if old is None or new is None or _text(old) in (_text(new), _text(_over(descriptor, target, old, new))):
        return
    raise ResumeError(
        f"the run was made with other settings: {target} was {old!r} and is {new!r}; give the detector the former, "
        f"scalarizers={{...}}, or begin a run of its own"
    )


def _scalarizer(target: str, detectors: Sequence[Any]) -> Scalarizer | None:
    named = {
        f"{detector.name}_{name}": scalarizer
        for detector in detectors
        if isinstance(found := getattr(detector, "scalarizers", None), Mapping)
        for name, scalarizer in found.items()
    }
    return named.get(target)


def _over(descriptor: Mapping[str, Any], target: str, old: Scalarizer, new: Scalarizer) -> Scalarizer:
    """Return the new scalarizer in the words of the old one, if the recorded axis leaves no difference."""
    axis = signal_axis(descriptor, target)[0]
    falls = axis is not None and len(axis) > 1 and bool(np.all(np.diff(axis) < 0))
    if isinstance(old, Area) and isinstance(new, Area) and not falls:
        return replace(new, signed=old.signed)
    return new


def _text(scalarizer: Scalarizer) -> str:
    return json.dumps(to_mapping(scalarizer), default=str, sort_keys=True)
