"""The spectrum of an event and its axis, as a descriptor describes them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bluesky_gp.typing import Floats


def spectrum_key(descriptor: Mapping[str, Any], target: str) -> str:
    """Return the event key of the spectrum from which a target is made; "" if there is none, or several.

    It is the target itself if that is an array; else the only array of one axis of its detector.
    """
    keys = descriptor["data_keys"]
    if _is_spectrum(keys[target]):
        return target
    device = keys[target].get("object_name")
    spectra = [key for key, value in keys.items() if value.get("object_name") == device and _is_spectrum(value)]
    return spectra[0] if len(spectra) == 1 else ""


def signal_axis(descriptor: Mapping[str, Any], key: str) -> tuple[Floats | None, str]:
    """Return the axis of a spectrum and its unit; None and "" if its detector names none: channels count from 0.

    It stands in the detector's configuration, under the only key that ends in ``_axis``.
    """
    device = descriptor["data_keys"][key].get("object_name")
    configuration = descriptor.get("configuration", {}).get(device, {})
    axes = {name: value for name, value in configuration.get("data", {}).items() if name.endswith("_axis")}
    if len(axes) != 1:
        return None, ""
    [(name, value)] = axes.items()
    units = configuration.get("data_keys", {}).get(name, {}).get("units", "") or ""
    return np.asarray(value, dtype=np.float64), units


def _is_spectrum(key: Mapping[str, Any]) -> bool:
    lengths = [n for n in key["shape"] if n != 1]
    return key["dtype"] == "array" and len(lengths) == 1 and "external" not in key
