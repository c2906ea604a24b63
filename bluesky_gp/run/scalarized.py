"""The scalarizers that detectors describe in the descriptor of a stream, beside their targets."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bluesky_gp.protocols import Scalarizer
from bluesky_gp.scalarizers import recorded_scalarizer


def described_scalarizers(descriptor: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the detectors of a stream say in their configuration of their targets, by event key.

    It stands there as JSON, under ``DETECTOR_scalarizers``.
    """
    described: dict[str, Any] = {}
    for device, configuration in descriptor.get("configuration", {}).items():
        text = configuration.get("data", {}).get(f"{device}_scalarizers")
        with suppress(TypeError, ValueError):
            described |= {f"{device}_{name}": about for name, about in json.loads(text).items()}
    return described


def scalarizer_of(descriptor: Mapping[str, Any], target: str) -> Scalarizer | None:
    """Make the scalarizer of a detector's target again; None where the detector describes none that is ours."""
    described = described_scalarizers(descriptor).get(target)
    try:
        return None if described is None else recorded_scalarizer(described)
    except (KeyError, TypeError, ValueError):
        return None
