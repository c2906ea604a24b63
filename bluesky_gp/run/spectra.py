"""The spectra of a run, and the axis of one as a descriptor describes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.recording import goes_one_way, stated
from bluesky_gp.recording import signal_axis as signal_axis
from bluesky_gp.typing import Floats, Indices


@dataclass(frozen=True)
class Spectra:
    """The spectra of a run, in the order of their measurement; those that the scalarizer rejected are among them."""

    pixels: Indices  # (n_spectra, ndim)
    values: npt.NDArray[Any]  # (n_spectra, n_channels), floats or complex numbers; NaN where a frame was cut short
    axis: Floats  # (n_channels,); channels from 0 where the detector names none, or one that is too short
    units: str
    axis_units: str
    axis_name: str = "channel"  # energy, bias
    name: str = "spectrum"  # event key

    @property
    def goes_one_way(self) -> bool:
        """Whether the axis can be an index: a sweep, which goes there and back, cannot."""
        return goes_one_way(self.axis)

    def last_at(self, pixel: Indices) -> npt.NDArray[Any] | None:
        """Return the spectrum that was measured last at a pixel, shape ``(n_channels,)``; None: there is none."""
        rows = np.flatnonzero((self.pixels == pixel).all(axis=1))
        return self.values[rows[-1]] if len(rows) else None


def spectrum_key(descriptor: Mapping[str, Any], target: str) -> str:
    """Return the event key of the spectrum from which a target is made; "" if there is none, or several.

    It is the target itself if that is an array; else the only array of one axis of its detector. It may be in a file
    that stream resources name.
    """
    keys = descriptor["data_keys"]
    if _is_spectrum(keys[target]):
        return target
    device = keys[target].get("object_name")
    spectra = [key for key, value in keys.items() if value.get("object_name") == device and _is_spectrum(value)]
    return spectra[0] if len(spectra) == 1 else ""


def axis_name(data_key: Mapping[str, Any]) -> str:
    """Return the name that a detector gives the axis of its spectrum, "channel" if it gives none."""
    names = data_key.get("dims") or ["channel"]
    return str(names[-1])


def exposure_of(descriptor: Mapping[str, Any], key: str) -> float:
    """Return the exposure of the detector that an event key belongs to, in s; NaN if it states none.

    It stands in the detector's configuration, under the only key that ends in ``_exposure``.
    """
    found = stated(descriptor, key, "_exposure")
    try:
        return nan if found is None else float(found[0])
    except (TypeError, ValueError):
        return nan


def _is_spectrum(key: Mapping[str, Any]) -> bool:
    lengths = [n for n in key["shape"] if n != 1]
    return key["dtype"] == "array" and len(lengths) == 1 and key.get("external", "STREAM:") == "STREAM:"
