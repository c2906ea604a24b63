"""Samples by name, for sessions and device files."""

import os
from collections.abc import Mapping
from typing import Any

from bluesky_gp.devices.sim.measured import MeasuredSample
from bluesky_gp.devices.sim.sample import Sample
from bluesky_gp.devices.sim.synthetic import SyntheticEELS, SyntheticFerroelectric


def make_sample(value: "str | Mapping[str, Any] | Sample") -> Sample:
    """Return a sample from "ferroelectric", "eels", the path of a file, or a mapping ``{"kind": ..., **parameters}``.

    >>> make_sample({"kind": "ferroelectric", "shape": [8, 6], "seed": 1}).shape
    (8, 6)
    """
    if isinstance(value, Sample):
        return value
    kinds: dict[Any, Any] = {"ferroelectric": SyntheticFerroelectric, "eels": SyntheticEELS, "file": MeasuredSample}
    if isinstance(value, Mapping):
        parameters = dict(value)
        if (kind := parameters.pop("kind", None)) not in kinds:
            raise ValueError(f"sample: 'kind' must be one of {', '.join(kinds)}, got {kind!r}")
        return kinds[kind](**parameters)
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"sample: expected a name, a path, a mapping with 'kind' or a sample, got {value!r}")
    return kinds[value]() if value in kinds and value != "file" else MeasuredSample(value)
