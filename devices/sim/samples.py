"""Samples by name, for sessions and device files."""

import os
import reprlib
from collections.abc import Mapping
from typing import Any

from bluesky_gp.devices.sim.measured import MeasuredSample
from bluesky_gp.devices.sim.sample import Sample
from bluesky_gp.devices.sim.synthetic import SyntheticEELS, SyntheticFerroelectric
from bluesky_gp.spelling import meant, unfit


def make_sample(value: "str | Mapping[str, Any] | Sample") -> Sample:
    """Return a sample from "ferroelectric", "eels", the path of a file, or a mapping ``{"kind": ..., **parameters}``.

    >>> make_sample({"kind": "ferroelectric", "shape": [8, 6], "seed": 1}).shape
    (8, 6)
    """
    if isinstance(value, Sample) and not isinstance(value, type):
        return value
    kinds: dict[Any, Any] = {"ferroelectric": SyntheticFerroelectric, "eels": SyntheticEELS, "file": MeasuredSample}
    if isinstance(value, Mapping):
        parameters = dict(value)
        if (kind := parameters.pop("kind", None)) not in kinds:
            raise ValueError(f"sample: 'kind' must be one of {', '.join(kinds)}, got {kind!r}{meant(kind, kinds)}")
        if wrong := unfit(kinds[kind], parameters):
            raise ValueError(f"sample {kind!r}: {wrong}")
        return kinds[kind](**parameters)
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"sample: expected a name, a path, a mapping with 'kind' or a sample, got {_shown(value)}")
    return kinds[value]() if value in kinds and value != "file" else MeasuredSample(value)


def _shown(value: Any) -> str:
    """Return what came instead of a sample, and what to do about it."""
    if isinstance(value, type):
        return f"the class {value.__name__}: give an object, {value.__name__}(...)"
    if hasattr(value, "locate"):
        return f"the stage {getattr(value, 'name', value)!r}: the sample comes first, then the stage"
    saved = ": numpy.savez('map.npz', spectra=..., axis=...) makes a file of arrays" if hasattr(value, "dtype") else ""
    return f"{type(value).__name__} {reprlib.repr(value)}{saved}"
