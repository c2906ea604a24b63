"""Numbers of a low-loss EEL spectrum: thickness, energy and width of the plasmon.

Equations of R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed. (2011).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bluesky_gp.scalarizers.windows import Window, channels, checked_windows
from bluesky_gp.typing import Floats

_CONVERGED = (1, 2, 3, 4)  # of MINPACK
_WIDEST = 4.0  # eV
_REGION = (0.6, 1.5)  # of the energy of the maximum: above the zero loss, below the second plasmon at twice the energy


@dataclass(frozen=True)
class Thickness:
    r"""Thickness of a specimen in mean free paths of inelastic scattering, by the log-ratio of an EEL spectrum.

    .. math:: t / \lambda = \ln(I_t / I_0)

    with the counts of the whole spectrum and those of the zero-loss peak (Egerton, section 5.1). NaN without counts in
    either, or without a zero-loss peak.

    Parameters
    ----------
    zero_loss : tuple of float
        Start and end of the zero-loss peak about its maximum, the end left out, in the unit of the axis (eV).
    within : float
        Largest distance from 0 of the zero loss's maximum, as spectrometers drift; 0: it is taken to lie at 0.
    """

    zero_loss: Window = (-4.0, 4.0)
    within: float = 10.0

    name: ClassVar[str] = "thickness"
    earlier: ClassVar[dict[str, Any]] = {"within": 0.0}

    def __post_init__(self) -> None:
        checked_windows(self, "zero_loss")
        _check_within(self)

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return t/lambda of `spectrum`, both arguments of shape ``(n_channels,)``."""
        shift = zero_loss_energy(spectrum, axis, self.within)
        zero = spectrum[channels(self, axis - (shift or 0.0), self.zero_loss)].sum()
        total = spectrum.sum()
        return float(np.log(total / zero)) if shift is not None and zero > 0 and total > 0 else float("nan")


@dataclass(frozen=True)
class _Plasmon:
    """A fit of the Drude energy-loss function to the largest plasmon in a window."""

    window: Window = (10.0, 40.0)
    within: float = 10.0

    name: ClassVar[str] = "plasmon"
    earlier: ClassVar[dict[str, Any]] = {"within": 0.0}

    def __post_init__(self) -> None:
        checked_windows(self, "window")
        _check_within(self)

    def _fit(self, spectrum: Floats, axis: Floats) -> tuple[float, float]:
        """Return plasmon energy and damping, NaN where there is no plasmon."""
        axis = axis - (zero_loss_energy(spectrum, axis, self.within) or 0.0)  # a spectrum may begin above the zero loss
        inside = channels(self, axis, self.window) & (axis > 0)
        energy, counts = axis[inside], spectrum[inside]
        top = _maximum(counts)
        if top is None:
            return np.nan, np.nan
        near = (energy >= _REGION[0] * energy[top]) & (energy <= _REGION[1] * energy[top])
        if np.count_nonzero(near) < 5:
            return np.nan, np.nan
        return _drude_fit(energy[near], counts[near], float(energy[top]))

    def units(self, spectrum_units: str, axis_units: str) -> str:
        """Return the unit of the axis."""
        return axis_units


@dataclass(frozen=True)
class PlasmonEnergy(_Plasmon):
    r"""Energy of the plasmon, :math:`E_p` of the Drude energy-loss function fitted to the largest in a window.

    .. math:: \mathrm{Im}(-1/\varepsilon) = \frac{E_p^2\, E\, \Gamma}{(E^2 - E_p^2)^2 + (E\, \Gamma)^2}

    (Egerton, section 3.3), fitted from 0.6 to 1.5 times the energy of the maximum, so that neither the zero loss nor
    plural scattering enters. :math:`E_p` lies a little above the maximum. NaN where the window has no maximum inside.

    Parameters
    ----------
    window : tuple of float
        Losses, from the zero loss on, among which the plasmon is looked for, in the unit of the axis. Default: in eV.
    within : float
        Largest distance from 0 of the zero loss's maximum; 0: it is taken to lie at 0.
    """

    name: ClassVar[str] = "plasmon_energy"

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the plasmon energy of `spectrum`, both arguments of shape ``(n_channels,)``."""
        return self._fit(spectrum, axis)[0]


@dataclass(frozen=True)
class PlasmonWidth(_Plasmon):
    r"""Width of the plasmon at half maximum, the damping :math:`\Gamma` of the function that `PlasmonEnergy` fits.

    The width that the spectrometer and the source add is in it. Parameters: those of `PlasmonEnergy`.
    """

    name: ClassVar[str] = "plasmon_width"

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the width of the plasmon of `spectrum`, both arguments of shape ``(n_channels,)``."""
        return self._fit(spectrum, axis)[1]


def zero_loss_energy(spectrum: Floats, axis: Floats, within: float) -> float | None:
    """Return where the maximum of the zero loss lies on the axis, both arguments of shape ``(n_channels,)``.

    It is the largest channel at most `within` from 0; None if that is the first or the last of them, as where a
    spectrum begins above the zero loss, or if the counts do not fall to half of it on both sides within 4 eV. With
    `within` 0 it is 0.
    """
    if not within:
        return 0.0
    near = np.flatnonzero(np.abs(axis) <= within)
    if len(near) < 3:
        return None
    top = int(np.argmax(spectrum[near]))
    inside = 0 < top < len(near) - 1 and spectrum[near[top]] > 0.0 and _falls(spectrum, axis, int(near[top]))
    return float(axis[near[top]]) if inside else None


def _falls(spectrum: Floats, axis: Floats, top: int) -> bool:
    """Whether counts fall to half of a maximum on both sides of it, within the width of a zero loss."""
    near = np.abs(axis - axis[top]) <= _WIDEST
    if np.count_nonzero(near) < 3:  # channels too coarse to tell
        return True
    low = near & (spectrum < 0.5 * spectrum[top])
    return bool(low[:top].any() and low[top:].any())


def _check_within(scalarizer: "Thickness | _Plasmon") -> None:
    if not 0.0 <= scalarizer.within < np.inf:
        raise ValueError(
            f"{scalarizer.name}: within must be a distance on the axis, 0 or more, got {scalarizer.within}"
        )


def _maximum(counts: Floats) -> int | None:
    """Return the channel of the largest value of smoothed counts, None if it is the first or the last."""
    from scipy.ndimage import uniform_filter1d

    top = int(np.argmax(uniform_filter1d(counts, max(1, len(counts) // 15), mode="nearest")))
    return top if 0 < top < len(counts) - 1 and counts[top] > 0 else None


def _drude_fit(energy: Floats, counts: Floats, start: float) -> tuple[float, float]:
    from scipy.optimize import leastsq  # for three parameters four times as fast as least_squares

    height = float(counts.max())

    def misfit(parameters: Floats) -> Floats:
        scale, plasmon, damping = parameters
        square = energy**2 - plasmon**2
        drude = damping**2 * energy * plasmon / (square**2 + (damping * energy) ** 2)  # about 1 at the maximum
        return np.asarray(scale * drude - counts / height)

    # full_output: without it a fit that does not converge is a warning
    found, *_, status = leastsq(misfit, [1.0, start, 0.3 * start], maxfev=200, full_output=True)
    _, plasmon, damping = (abs(float(p)) for p in found)
    inside = energy[0] <= plasmon <= energy[-1] and damping < energy[-1]
    return (plasmon, damping) if status in _CONVERGED and inside else (np.nan, np.nan)
