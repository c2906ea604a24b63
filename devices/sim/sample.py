"""A sample: what a simulated detector sees at a pixel, and the true map by which a run is judged."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from bluesky_gp.html import html_table
from bluesky_gp.protocols import Scalarizer
from bluesky_gp.typing import Floats


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
    default_target: str | Mapping[str, Any]  # the scalarizer that people would use first

    def spectrum(self, pixel: Sequence[float], visit: int = 0) -> Floats:
        """Return what the `visit`-th exposure of the nearest pixel gives, shape ``(n_channels,)``.

        The noise depends on (seed, pixel, visit) alone, so that a run that is replayed sees the same spectra.
        """
        ...

    def truth(self, scalarizer: str | Mapping[str, Any] | Scalarizer) -> Floats:
        """Return the noise-free map of a target, shape `shape`; NaN where the measurement always fails."""
        ...


class ShownSample:
    """A sample that says what it is, in a session and in a notebook."""

    shape: tuple[int, ...]
    axis: Floats
    axis_name: str
    axis_units: str
    spectrum_units: str

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, {' x '.join(map(str, self.shape))} pixels, {self._channels}>"

    def _repr_html_(self) -> str:
        rows = {"pixels": " x ".join(map(str, self.shape)), "spectra": self._channels, "units": self.spectrum_units}
        return html_table(type(self).__name__, rows)

    @property
    def _channels(self) -> str:
        low, high = self.axis.min(), self.axis.max()
        return f"{len(self.axis)} channels, {self.axis_name} {low:g} to {high:g} {self.axis_units}".rstrip()


def nearest_pixel(pixel: Sequence[float], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the pixel of a sample on which a fractional pixel lies; ValueError if that is beside the sample."""
    nearest = tuple(int(np.rint(p)) for p in pixel)
    if len(nearest) != len(shape) or not all(0 <= p < n for p, n in zip(nearest, shape, strict=True)):
        where = ", ".join(f"{p:.2f}" for p in pixel)
        raise ValueError(f"pixel ({where}) lies beside the sample, which has shape {shape}")
    return nearest
