"""Numbers of any spectrum: where its peak is, how high, how much lies under it."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bluesky_gp.scalarizers.windows import Window, channels, checked_windows
from bluesky_gp.typing import Floats


@dataclass(frozen=True)
class Centroid:
    r"""Centroid of the power of a spectrum on its axis: :math:`\sum_k k y_k^2 / \sum_k y_k^2`.

    The position of a resonance in an amplitude spectrum. A spectrum of zeros has none: NaN.
    """

    name: ClassVar[str] = "centroid"

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the centroid, in units of the axis; both arguments of shape ``(n_channels,)``."""
        power = np.square(spectrum)
        total = power.sum()
        return float(np.dot(axis, power) / total) if total > 0 else float("nan")

    def units(self, spectrum_units: str, axis_units: str) -> str:
        """Return the unit of the axis."""
        return axis_units


@dataclass(frozen=True)
class Peak:
    """The largest value of a spectrum."""

    name: ClassVar[str] = "peak"

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the maximum of `spectrum`, shape ``(n_channels,)``."""
        return float(np.max(spectrum))

    def units(self, spectrum_units: str, axis_units: str) -> str:
        """Return the unit of the spectrum."""
        return spectrum_units


@dataclass(frozen=True)
class PeakPosition:
    """Position of the largest value of a spectrum on its axis, by a parabola through it and its two neighbours.

    NaN where the largest value is the first or the last of the window: there is no peak.

    Parameters
    ----------
    window : tuple of float, optional
        Start and end of where the peak is looked for, in the unit of the axis. Default: everywhere.
    """

    window: Window | None = None

    name: ClassVar[str] = "peak_position"

    def __post_init__(self) -> None:
        if self.window is not None:
            checked_windows(self, "window")

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the position of the peak; both arguments of shape ``(n_channels,)``."""
        inside = channels(self, axis, self.window)
        values, places = spectrum[inside], axis[inside]
        top = int(np.argmax(values))
        if not 0 < top < len(values) - 1:
            return float("nan")
        before, at, after = (float(v) for v in values[top - 1 : top + 2])
        curvature = before - 2.0 * at + after
        shift = 0.5 * (before - after) / curvature if curvature < 0 else 0.0
        return float(np.interp(top + shift, np.arange(len(places)), places))

    def units(self, spectrum_units: str, axis_units: str) -> str:
        """Return the unit of the axis."""
        return axis_units


@dataclass(frozen=True)
class Area:
    r"""Area under a spectrum, :math:`\int y\,dx` by the trapezoidal rule.

    An axis that falls, as wavenumbers and binding energies do, is taken the other way round: counts have a positive
    area.

    Parameters
    ----------
    window : tuple of float, optional
        Start and end of what is integrated, the end left out, in the unit of the axis. Default: all.
    signed : bool
        Whether an axis that falls makes the area of counts negative, as it did in earlier records.
    """

    window: Window | None = None
    signed: bool = False

    name: ClassVar[str] = "area"
    earlier: ClassVar[dict[str, Any]] = {"signed": True}

    def __post_init__(self) -> None:
        if self.window is not None:
            checked_windows(self, "window")

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the area under `spectrum`; both arguments of shape ``(n_channels,)``."""
        inside = channels(self, axis, self.window)
        places = axis[inside]
        area = float(np.trapezoid(spectrum[inside], places))
        return -area if not self.signed and len(places) > 1 and np.all(np.diff(places) < 0) else area

    def units(self, spectrum_units: str, axis_units: str) -> str:
        """Return the unit of spectrum times axis."""
        return f"{spectrum_units} {axis_units}".strip()
