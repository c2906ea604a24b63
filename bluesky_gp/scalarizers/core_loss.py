"""Numbers of a core-loss EEL spectrum: counts of an edge above its background, ratios of two edges, of two white lines.

The background before an edge is a power law, :math:`A E^{-r}`, fitted in a window before the edge and continued below
it (R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed., section 4.4). Two fits:

- "log": a straight line through log counts against log energy. The usual one and the fastest; a channel counts the
  same however few counts it has, and one without any is left out, so that with n counts a channel the background comes
  out too low by about 1/(2n) of itself.
- "poisson": maximum likelihood for counted electrons (W. Cash, Astrophys. J. 228, 939 (1979)): no such error, and no
  counts are counts as well.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from bluesky_gp.scalarizers.windows import Channels, Window, channel_width, channels, checked_windows
from bluesky_gp.typing import Floats

_FITS = ("log", "poisson")
_SIGNIFICANT = 3.0  # standard deviations


class PowerLaw(NamedTuple):
    """A background, as a line through log counts against log energy."""

    line: Floats  # slope, offset
    middle: float  # of the log energies of the window: slope and offset are then nearly independent
    covariance: Floats  # of slope and offset, if the counts are Poisson's

    def at(self, energy: Floats) -> Floats:
        """Return the expected counts, shape of `energy`."""
        return np.asarray(np.exp(np.polyval(self.line, np.log(energy) - self.middle)))

    def std_of_sum(self, energy: Floats) -> float:
        """Return the standard deviation of the sum of `at`: what the extrapolation adds to the noise of an edge."""
        gradient = _columns(np.log(energy) - self.middle) @ self.at(energy)
        return float(np.sqrt(gradient @ self.covariance @ gradient))


def power_law(energy: Floats, counts: Floats, fit: str) -> PowerLaw | None:
    """Return the background fitted to the counts of a window, both of shape ``(n,)``; None with fewer than three.

    The energies must be positive.
    """
    some = counts > 0
    if np.count_nonzero(some) < 3:
        return None
    middle = float(np.log(energy).mean())
    x = np.log(energy) - middle
    line = np.polyfit(x[some], np.log(counts[some]), 1)
    if fit == "poisson":
        line = _poisson(x, counts, line)
    columns = _columns(x)
    return PowerLaw(line, middle, np.linalg.inv((columns * np.exp(np.polyval(line, x))) @ columns.T))


def _columns(x: Floats) -> Floats:
    return np.stack([x, np.ones_like(x)])


def _poisson(x: Floats, counts: Floats, line: Floats) -> Floats:
    """Return the line (slope, offset) of log expected counts that makes `counts` most likely: Newton's method."""
    columns = _columns(x)
    for _ in range(20):
        expected = np.exp(np.polyval(line, x))
        step = np.linalg.solve((columns * expected) @ columns.T, columns @ (counts - expected))
        line = line + np.clip(step, -1.0, 1.0)  # far from the solution a whole step overshoots
        if np.abs(step).max() < 1e-9:
            break
    return line


@dataclass(frozen=True)
class NetCounts:
    r"""Counts of an edge above its background, times the width of a channel.

    The background is a power law (see above); with fewer than three channels that have counts the answer is NaN.

    Parameters
    ----------
    edge, background : tuple of float
        Start and end of each window, the end left out, in the unit of the axis. Default: Ti L2,3 in eV.
    fit : {"log", "poisson"}, optional
        Fit of the background; "poisson" below about 100 counts a channel.
    """

    edge: Window = (454.0, 472.0)
    background: Window = (400.0, 450.0)
    fit: str = "log"

    name: ClassVar[str] = "net_counts"

    def __post_init__(self) -> None:
        checked_windows(self, "edge", "background")
        _check_fit(self.name, self.fit)

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the net counts of `spectrum`, both arguments of shape ``(n_channels,)``."""
        return self.with_noise(spectrum, axis)[0]

    def with_noise(self, spectrum: Floats, axis: Floats) -> tuple[float, float]:
        """Return net counts and their standard deviation, for counted electrons: the edge's and the extrapolation's."""
        inside = channels(self, axis, self.edge)
        before = channels(self, axis, self.background) & (axis > 0)
        below = power_law(axis[before], spectrum[before], self.fit)
        if below is None:
            return float("nan"), float("nan")
        width = channel_width(axis)
        net = (spectrum[inside] - below.at(axis[inside])).sum() * width
        counted = max(float(spectrum[inside].sum()), 0.0)
        return float(net), width * float(np.hypot(np.sqrt(counted), below.std_of_sum(axis[inside])))

    def units(self, spectrum_units: str, axis_units: str) -> str:
        """Return the unit of counts times channel width."""
        return f"{spectrum_units} {axis_units}".strip()


@dataclass(frozen=True)
class EdgeRatio:
    r"""Ratio of the net counts of two edges: composition, without the thickness.

    .. math:: \frac{N_a}{N_b} = \frac{I_a}{I_b} \frac{\sigma_b}{\sigma_a}

    (Egerton, section 4.5) is the ratio of the numbers of atoms, if `factor` is :math:`\sigma_b / \sigma_a`, that of
    the cross-sections for these windows. NaN where the second edge is not there, by `significance`: a ratio by nothing
    would be the largest of the map.

    Parameters
    ----------
    edge, background : tuple of float
        Windows of the first edge, as in `NetCounts`. Default: Ti L2,3 in eV.
    other_edge, other_background : tuple of float
        Windows of the second. Default: La M4,5 in eV.
    factor : float, optional
        Multiplier of the ratio.
    significance : float, optional
        Standard deviations of its noise that the second edge must have, for counted electrons; 0 for spectra that
        are no counts.
    fit : {"log", "poisson"}, optional
        As in `NetCounts`.
    """

    edge: Window = (454.0, 472.0)
    background: Window = (400.0, 450.0)
    other_edge: Window = (828.0, 856.0)
    other_background: Window = (780.0, 824.0)
    factor: float = 1.0
    significance: float = 3.0
    fit: str = "log"

    name: ClassVar[str] = "edge_ratio"

    def __post_init__(self) -> None:
        checked_windows(self, "edge", "background", "other_edge", "other_background")
        _check_fit(self.name, self.fit)

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the ratio of the two edges of `spectrum`, both arguments of shape ``(n_channels,)``."""
        first = NetCounts(self.edge, self.background, self.fit)(spectrum, axis)
        second, noise = NetCounts(self.other_edge, self.other_background, self.fit).with_noise(spectrum, axis)
        there = second > 0 and second >= self.significance * noise
        return self.factor * first / second if there else float("nan")


@dataclass(frozen=True)
class WhiteLineRatio:
    r"""Ratio of the two white lines of an edge, L3/L2 or M5/M4: the occupancy of d or f states, the valence.

    The background is subtracted, then the continuum: a step of two thirds of its height at the first line's maximum and
    one of a third at the second's, the height taken from a window above both. What remains in the windows of the lines
    is their intensity (D. H. Pearson, C. C. Ahn, B. Fultz, Phys. Rev. B 47, 8471 (1993)). NaN where the second line is
    not three standard deviations of its counting noise above the rest.

    Parameters
    ----------
    first, second : tuple of float
        Windows of the two lines, in the unit of the axis. Default: Ti L3 and L2 in eV.
    background, continuum : tuple of float
        Windows before the edge, for the power law, and above the lines, for the steps.
    steps : bool, optional
        False: leave the continuum in.
    fit : {"log", "poisson"}, optional
        As in `NetCounts`.
    """

    first: Window = (455.0, 461.5)
    second: Window = (461.5, 470.0)
    background: Window = (400.0, 450.0)
    continuum: Window = (475.0, 490.0)
    steps: bool = True
    fit: str = "log"

    name: ClassVar[str] = "white_line_ratio"

    def __post_init__(self) -> None:
        checked_windows(self, "first", "second", "background", "continuum")
        _check_fit(self.name, self.fit)

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the ratio of the two lines of `spectrum`, both arguments of shape ``(n_channels,)``."""
        windows = [channels(self, axis, w) for w in (self.first, self.second, self.continuum)]
        before = channels(self, axis, self.background) & (axis > 0)
        below = power_law(axis[before], spectrum[before], self.fit)
        if below is None:
            return float("nan")
        net = np.where(axis > 0, spectrum - below.at(np.where(axis > 0, axis, 1.0)), 0.0)
        if self.steps:
            net = net - _steps(net, axis, *windows)
        first, second = (float(net[w].sum()) for w in windows[:2])
        counted = max(float(spectrum[windows[1]].sum()), 0.0)
        noise = np.hypot(np.sqrt(counted), below.std_of_sum(axis[windows[1]]))
        return first / second if second > _SIGNIFICANT * noise else float("nan")


def _steps(net: Floats, axis: Floats, first: Channels, second: Channels, continuum: Channels) -> Floats:
    height = max(float(net[continuum].mean()), 0.0)
    at = [float(axis[w][np.argmax(net[w])]) for w in (first, second)]
    return height * (2.0 / 3.0 * (axis >= at[0]) + 1.0 / 3.0 * (axis >= at[1]))


def _check_fit(name: str, fit: str) -> None:
    if fit not in _FITS:
        raise ValueError(f"{name}: fit must be one of {', '.join(_FITS)}, got {fit!r}")
