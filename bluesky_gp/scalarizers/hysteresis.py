"""Numbers of a hysteresis loop: area, coercive voltage, imprint, remanent response, switching ratio.

The terms are those of S. Jesse, H. N. Lee, S. V. Kalinin, "Quantitative mapping of switching behavior in piezoresponse
force microscopy", Rev. Sci. Instrum. 77, 073702 (2006), here read off the measured points and not off a fitted curve.
All of them clip isolated spikes and give NaN for a loop of which too many points are failed fits, as `loop_cleaning`
has it. It does not matter where a sweep starts, in which direction it goes, or whether it closes.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bluesky_gp.scalarizers.loop_branches import Loop, check_sweep, noise, split
from bluesky_gp.scalarizers.loop_cleaning import MAX_SHARE, clean_loop
from bluesky_gp.typing import Floats

_MAX_RATIO = 2.0
_LEVELS = ("zero", "middle")


@dataclass(frozen=True)
class _LoopScalarizer:
    """Base of all scalarizers of loops: it treats spikes.

    Parameters
    ----------
    robust : bool, optional
        False: take whatever the numbers are.
    limit : float, optional
        The largest response that is physically possible, where it is known: points beyond it are the failed fits then,
        clipped to it, and with more than 10 % of them the loop has failed.
    """

    robust: bool = True
    limit: float | None = None

    name: ClassVar[str] = "loop"

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the number that the loop `spectrum` over the bias `axis` gives, both of shape ``(n_channels,)``."""
        check_sweep(axis)
        loop = self._cleaned(spectrum)
        return float("nan") if loop is None else self._number(loop, axis)

    def _number(self, response: Floats, bias: Floats) -> float:
        raise NotImplementedError

    def _cleaned(self, loop: Floats) -> Floats | None:
        if self.limit is None:
            return clean_loop(loop) if self.robust else loop
        if self.robust and np.mean(np.abs(loop) > self.limit) > MAX_SHARE:
            return None
        return np.clip(loop, -self.limit, self.limit)


@dataclass(frozen=True)
class LoopArea(_LoopScalarizer):
    r"""Area of a hysteresis loop, in response units times volts: the work of switching.

    .. math:: A = -\tfrac{1}{2} \sum_i y_i (v_{i+1} - v_{i-1})

    with cyclic indices, which closes a sweep that starts and ends in the middle of a branch (the shoelace formula).
    Positive is the usual ferroelectric sense; the loop of an instrument whose phase is turned by 180 degrees has a
    negative area. A loop without spikes is not changed by a bit; a sweep that goes round twice gives twice the area.

    Parameters
    ----------
    robust, limit
        Treatment of spikes, as for all numbers of a loop: `limit`, the largest response that is physically
        possible, clips to it, and with more than 10 % of the points beyond it the loop has failed; ``robust=False``
        takes whatever the numbers are.
    signed : bool, optional
        False: the size of the area, whatever its sense.
    """

    signed: bool = True

    name: ClassVar[str] = "loop_area"

    def _number(self, response: Floats, bias: Floats) -> float:
        area = float(-0.5 * np.dot(response, np.roll(bias, -1) - np.roll(bias, 1)))
        return area if self.signed else abs(area)

    def units(self, spectrum_units: str, axis_units: str) -> str:
        """Return the unit of the area."""
        return f"{axis_units} {spectrum_units}".strip()


@dataclass(frozen=True)
class _Crossings(_LoopScalarizer):
    """Crossings of a level by the two branches.

    Parameters
    ----------
    level : {"zero", "middle"}, optional
        The level: a response of zero, or halfway between the saturated responses, for loops with an offset.
    """

    level: str = "zero"

    def __post_init__(self) -> None:
        if self.level not in _LEVELS:
            raise ValueError(f"{self.name}: level must be one of {', '.join(_LEVELS)}, got {self.level!r}")

    def _number(self, response: Floats, bias: Floats) -> float:
        loop = split(response, bias)
        low, high = loop.saturation()
        level = 0.0 if self.level == "zero" else 0.5 * (low + high)
        if (low > level) == (high > level):  # does not switch
            return float("nan")
        return self._of(loop.rising.crossing(level), loop.falling.crossing(level))

    def _of(self, rising: float, falling: float) -> float:
        raise NotImplementedError

    def units(self, spectrum_units: str, axis_units: str) -> str:
        """Return the unit of the axis."""
        return axis_units


@dataclass(frozen=True)
class CoerciveVoltage(_Crossings):
    r"""Half the distance of the biases at which the branches cross zero: :math:`(v_+ - v_-) / 2`.

    :math:`v_+` on the rising branch, :math:`v_-` on the falling one, interpolated between points. NaN for a loop that
    does not switch, whose saturated responses have one sign.

    Parameters
    ----------
    robust, limit
        Treatment of spikes, see `LoopArea`.
    level : {"zero", "middle"}, optional
        The level: a response of zero, or halfway between the saturated responses, for loops with an offset.
    """

    name: ClassVar[str] = "coercive_voltage"

    def _of(self, rising: float, falling: float) -> float:
        return 0.5 * (rising - falling)


@dataclass(frozen=True)
class Imprint(_Crossings):
    r"""Shift of a loop along the bias: :math:`(v_+ + v_-) / 2`, the middle of its two zero crossings.

    Parameters
    ----------
    robust, limit
        Treatment of spikes, see `LoopArea`.
    level : {"zero", "middle"}, optional
        See `CoerciveVoltage`; NaN for a loop that does not switch.
    """

    name: ClassVar[str] = "imprint"

    def _of(self, rising: float, falling: float) -> float:
        return 0.5 * (rising + falling)


@dataclass(frozen=True)
class RemanentResponse(_LoopScalarizer):
    r"""Response that remains at zero bias: half the opening of the loop there, :math:`(R_0^+ - R_0^-) / 2`.

    :math:`R_0^+` on the falling branch, :math:`R_0^-` on the rising one: positive in the usual ferroelectric sense, and
    an offset of the response has no influence.

    Parameters
    ----------
    robust, limit
        Treatment of spikes, see `LoopArea`.
    bias : float, optional
        Bias at which the opening is taken, if not at zero, for a film with imprint.
    """

    bias: float = 0.0

    name: ClassVar[str] = "remanent_response"

    def _number(self, response: Floats, bias: Floats) -> float:
        return 0.5 * split(response, bias).opening(self.bias)

    def units(self, spectrum_units: str, axis_units: str) -> str:
        """Return the unit of the response."""
        return spectrum_units


@dataclass(frozen=True)
class SwitchingRatio(_LoopScalarizer):
    r"""The part of the response that stays switched at zero bias: :math:`(R_0^+ - R_0^-) / (R_s^+ - R_s^-)`.

    Remanent by saturated response, the squareness of a loop: 1 for a rectangular one, 0 for a line. The saturated
    responses are means over the outer tenth of the bias range at either end. A response that changes with bias after
    switching, by electrostatic forces, moves the ratio, below and above 1.

    NaN where the saturated responses differ by less than three standard deviations of their noise, or by less than half
    the opening: nothing has saturated, and the ratio would be the largest of the map.

    Parameters
    ----------
    robust, limit
        Treatment of spikes, see `LoopArea`.
    bias : float, optional
        Bias at which the remanent response is taken, if not at zero.
    """

    bias: float = 0.0

    name: ClassVar[str] = "switching_ratio"

    def _number(self, response: Floats, bias: Floats) -> float:
        loop = split(response, bias)
        low, high = loop.saturation()
        if abs(high - low) <= 3.0 * noise(response) * _saturation_share(loop):
            return float("nan")
        ratio = loop.opening(self.bias) / (high - low)
        return ratio if abs(ratio) <= _MAX_RATIO else float("nan")


def _saturation_share(loop: Loop) -> float:
    """Standard deviation of the difference of the two saturated responses, by that of one point."""
    n = 0.1 * (len(loop.rising.bias) + len(loop.falling.bias))
    return float(np.sqrt(2.0 / max(n, 1.0)))
