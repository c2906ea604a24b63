"""A measured sample: spectra of a file, given back as they were."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bluesky_gp.devices.sim.sample import ShownSample, nearest_pixel
from bluesky_gp.files import find_file, read_spectra
from bluesky_gp.protocols import Scalarizer
from bluesky_gp.scalarizers import get_scalarizer, scalarized_map, usual_target
from bluesky_gp.typing import Floats
from bluesky_gp.units import AXIS_NAMES


class MeasuredSample(ShownSample):
    """Spectra measured pixel by pixel, given back as they were: every visit to a pixel gives the same spectrum.

    Parameters
    ----------
    path : str or path
        Any file of spectra that `bluesky_gp.files.read_spectra` reads. NaN is allowed.
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
        self.signal = signal
        self.image = read_spectra(self.path, signal=signal)
        self.spectra, self.axis, self.shape = self.image.spectra, self.image.axis, self.image.shape
        self.axis_units = self.image.axis_units if axis_units is None else axis_units
        self.spectrum_units = self.image.spectrum_units if spectrum_units is None else spectrum_units
        self.axis_name = AXIS_NAMES.get(self.axis_units, self.image.axis_name)
        kind = str(_entry(self.image.metadata, "Signal", "signal_type"))
        self.default_target = usual_target(_mean(self.spectra), self.axis, self.axis_units, self.spectrum_units, kind)

    def spectrum(self, pixel: Sequence[float], visit: int = 0) -> Floats:
        """Return the measured spectrum of the nearest pixel, shape ``(n_channels,)``."""
        return self.spectra[nearest_pixel(pixel, self.shape)].copy()

    def overview(self) -> Floats:
        """Return the image that the file holds beside the spectra, the finer one where it holds two.

        Raises
        ------
        ValueError
            If it holds none.
        """
        for key in ("image_full", "image"):
            if key in self.image.arrays:
                return np.asarray(self.image.arrays[key], dtype=np.float64)
        raise ValueError(f"file {self.path}: it holds no overview image, no array 'image_full' or 'image'")

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


def _mean(spectra: Floats) -> Floats:
    """Return the mean of the spectra that are whole, zeros without any; shape ``(n_channels,)``."""
    every = spectra.reshape(-1, spectra.shape[-1])
    whole = every[np.isfinite(every.sum(axis=1))]
    return np.asarray(whole.mean(axis=0)) if len(whole) else np.zeros(every.shape[1])


def _entry(metadata: Mapping[str, Any], *names: str) -> Any:
    """Return an entry of nested metadata, "" if there is none."""
    for name in names:
        metadata = metadata.get(name, "") if isinstance(metadata, Mapping) else ""
    return metadata
