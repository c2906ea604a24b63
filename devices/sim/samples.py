"""Samples: what a simulated detector sees at a pixel, and the true map by which a run is judged."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from bluesky_gp.files import AXIS_NAMES, find_file, read_spectra
from bluesky_gp.protocols import Floats, Scalarizer
from bluesky_gp.scalarizers import get_scalarizer, scalarized_map


@runtime_checkable
class Sample(Protocol):
    """A map of spectra.

    Implemented by `SyntheticFerroelectric`, `SyntheticEELS`, `MeasuredSample` and by users; asked by
    `SimulatedSpectrometer` once an exposure, and by whoever scores a run.
    """

    shape: tuple[int, ...]
    axis: Floats  # (n_channels,)
    axis_name: str
    axis_units: str
    spectrum_units: str
    default_target: str  # name of the scalarizer that people would use first

    def spectrum(self, pixel: Sequence[float], visit: int = 0) -> Floats:
        """Return what the `visit`-th exposure of the nearest pixel gives, shape ``(n_channels,)``.

        The noise depends on (seed, pixel, visit) alone, so that a run that is replayed sees the same spectra.
        """
        ...

    def truth(self, scalarizer: str | Mapping[str, Any] | Scalarizer) -> Floats:
        """Return the noise-free map of a target, shape `shape`; NaN where the measurement always fails."""
        ...


class MeasuredSample:
    """Spectra measured pixel by pixel, given back as they were: every visit to a pixel gives the same spectrum.

    Parameters
    ----------
    path : str or path
        Any file of spectra that `bluesky_gp.files.reading.read_spectra` reads. NaN is allowed.
    signal : str, optional
        Name of the spectrum image, in a file that holds several.
    axis_units, spectrum_units : str, optional
        Units, if the file does not say or says it in too many words.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it is not one; the message names file and key.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        signal: str | None = None,
        axis_units: str | None = None,
        spectrum_units: str | None = None,
    ) -> None:
        self.path = find_file(path)
        self.image = read_spectra(self.path, signal=signal)
        self.spectra, self.axis, self.shape = self.image.spectra, self.image.axis, self.image.shape
        self.axis_units = self.image.axis_units if axis_units is None else axis_units
        self.spectrum_units = self.image.spectrum_units if spectrum_units is None else spectrum_units
        self.axis_name = AXIS_NAMES.get(self.axis_units, self.image.axis_name)
        self.default_target = _usual_target(self.axis_units, self.axis)

    def spectrum(self, pixel: Sequence[float], visit: int = 0) -> Floats:
        """Return the measured spectrum of the nearest pixel, shape ``(n_channels,)``."""
        return self.spectra[nearest_pixel(pixel, self.shape)].copy()

    def truth(self, scalarizer: str | Mapping[str, Any] | Scalarizer) -> Floats:
        """Return the map that a scalarizer makes of all spectra, shape `shape`; NaN where it fails."""
        return scalarized_map(get_scalarizer(scalarizer), self.spectra, self.axis)

    def stored_truth(self, key: str = "target") -> Floats | None:
        """Return a true map that the file holds beside the spectra, NaN where it marks a pixel as not `valid`.

        For scoring only: no device and no scalarizer looks at it. None if the file has no such key.
        """
        return self.image.stored_map(key)

    def __repr__(self) -> str:
        return f"MeasuredSample({str(self.path)!r})"


def make_sample(value: "str | Mapping[str, Any] | Sample") -> Sample:
    """Return a sample from "ferroelectric", "eels", the path of a file, or a mapping ``{"kind": ..., **parameters}``.

    >>> make_sample({"kind": "ferroelectric", "shape": [8, 6], "seed": 1}).shape
    (8, 6)
    """
    from bluesky_gp.devices.sim.synthetic import SyntheticEELS, SyntheticFerroelectric  # synthetic imports this file

    if isinstance(value, Sample):
        return value
    kinds: dict[Any, Any] = {"ferroelectric": SyntheticFerroelectric, "eels": SyntheticEELS, "file": MeasuredSample}
    if isinstance(value, Mapping):
        parameters = dict(value)
        kind = parameters.pop("kind", None)
        if kind not in kinds:
            raise ValueError(f"sample: 'kind' must be one of {', '.join(kinds)}, got {kind!r}")
        return kinds[kind](**parameters)
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"sample: expected a name, a path, a mapping with 'kind' or a sample, got {value!r}")
    return kinds[value]() if value in kinds and value != "file" else MeasuredSample(value)


def nearest_pixel(pixel: Sequence[float], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the pixel of a sample on which a fractional pixel lies; ValueError if that is beside the sample."""
    nearest = tuple(int(np.rint(p)) for p in pixel)
    if len(nearest) != len(shape) or not all(0 <= p < n for p, n in zip(nearest, shape, strict=True)):
        where = ", ".join(f"{p:.2f}" for p in pixel)
        raise ValueError(f"pixel ({where}) lies beside the sample, which has shape {shape}")
    return nearest


_TARGETS = {"V": "loop_area", "mV": "loop_area", "eV": "net_counts", "keV": "area"}


def _usual_target(axis_units: str, axis: Floats) -> str:
    low_loss = axis_units == "eV" and axis.min() < 0 < axis.max()
    return "thickness" if low_loss else _TARGETS.get(axis_units, "centroid")
