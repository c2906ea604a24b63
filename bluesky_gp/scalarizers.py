"""Spectrum -> number: the quantity that a map shows and an agent maximises.

A scalarizer is any ``f(spectrum, axis) -> float``; NaN says that the measurement failed. Those of this file are frozen
dataclasses: their parameters are plain data, so that a session, a YAML file or a queue can carry them.

>>> import numpy as np
>>> get_scalarizer("centroid")(np.array([0.0, 2.0, 0.0]), np.array([10.0, 20.0, 30.0]))
20.0
>>> get_scalarizer({"kind": "net_counts", "edge": [828, 856], "background": [780, 824]})
NetCounts(edge=(828.0, 856.0), background=(780.0, 824.0))
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bluesky_gp.loops import MAX_SHARE, clean_loop
from bluesky_gp.protocols import Floats, Scalarizer


@dataclass(frozen=True)
class LoopArea:
    r"""Area of a hysteresis loop, in response units times volts.

    .. math:: A = -\tfrac{1}{2} \sum_i y_i (v_{i+1} - v_{i-1})

    with cyclic indices, which closes a sweep that starts and ends in the middle of a branch (the shoelace formula).
    Positive is the usual ferroelectric sense. Isolated spikes are clipped and a loop of which too many points are
    failed fits is NaN, both as `bluesky_gp.loops` has it; a loop without spikes is not changed by a bit.

    Parameters
    ----------
    robust : bool, optional
        False: the naive area of whatever the numbers are.
    limit : float, optional
        The largest response that is physically possible, where it is known: points beyond it are the failed fits then,
        clipped to it, and with more than 10 % of them the loop has failed.
    """

    robust: bool = True
    limit: float | None = None

    name: ClassVar[str] = "loop_area"

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the area of the loop `spectrum` over the bias `axis`, both of shape ``(n_channels,)``."""
        loop = self._cleaned(spectrum)
        if loop is None:
            return float("nan")
        return float(-0.5 * np.dot(loop, np.roll(axis, -1) - np.roll(axis, 1)))

    def _cleaned(self, loop: Floats) -> Floats | None:
        if self.limit is None:
            return clean_loop(loop) if self.robust else loop
        if self.robust and np.mean(np.abs(loop) > self.limit) > MAX_SHARE:
            return None
        return np.clip(loop, -self.limit, self.limit)

    def units(self, spectrum_units: str, axis_units: str) -> str:
        """Return the unit of the area."""
        return f"{axis_units} {spectrum_units}".strip()


@dataclass(frozen=True)
class NetCounts:
    r"""Counts of an edge above its background, times the width of a channel.

    The background is a power law, :math:`A E^{-r}`, a straight line through log counts against log energy fitted in a
    window before the edge and continued below it (R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron
    Microscope, section 4.4). Channels without counts do not enter the fit; with fewer than three left the answer is
    NaN.

    Parameters
    ----------
    edge, background : tuple of float
        Start and end of each window, the end left out, in the unit of the axis. Default: Ti L2,3 in eV.
    """

    edge: tuple[float, float] = (454.0, 472.0)
    background: tuple[float, float] = (400.0, 450.0)

    name: ClassVar[str] = "net_counts"

    def __post_init__(self) -> None:
        for field in ("edge", "background"):
            object.__setattr__(self, field, _window(self.name, field, getattr(self, field)))

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the net counts of `spectrum`, both arguments of shape ``(n_channels,)``."""
        inside = _channels(self.name, axis, self.edge)
        before = _channels(self.name, axis, self.background) & (spectrum > 0) & (axis > 0)
        if np.count_nonzero(before) < 3:
            return float("nan")
        slope, offset = np.polyfit(np.log(axis[before]), np.log(spectrum[before]), 1)
        net = spectrum[inside] - np.exp(offset + slope * np.log(axis[inside]))
        return float(net.sum() * abs(axis[-1] - axis[0]) / (len(axis) - 1))

    def units(self, spectrum_units: str, axis_units: str) -> str:
        """Return the unit of counts times channel width."""
        return f"{spectrum_units} {axis_units}".strip()


@dataclass(frozen=True)
class Centroid:
    r"""Where on the axis the power of a spectrum lies: :math:`\sum_k k y_k^2 / \sum_k y_k^2`.

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
class Thickness:
    r"""Thickness of a specimen in mean free paths of inelastic scattering, by the log-ratio of an EEL spectrum.

    .. math:: t / \lambda = \ln(I_t / I_0)

    with the counts of the whole spectrum and those of the zero-loss peak (R. F. Egerton, Electron Energy-Loss
    Spectroscopy in the Electron Microscope, section 5.1). NaN without counts in either.

    Parameters
    ----------
    zero_loss : tuple of float
        Start and end of the zero-loss peak, the end left out, in the unit of the axis. Default: in eV.
    """

    zero_loss: tuple[float, float] = (-4.0, 4.0)

    name: ClassVar[str] = "thickness"

    def __post_init__(self) -> None:
        object.__setattr__(self, "zero_loss", _window(self.name, "zero_loss", self.zero_loss))

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return t/lambda of `spectrum`, both arguments of shape ``(n_channels,)``."""
        zero = spectrum[_channels(self.name, axis, self.zero_loss)].sum()
        total = spectrum.sum()
        return float(np.log(total / zero)) if zero > 0 and total > 0 else float("nan")


SCALARIZERS: dict[str, Callable[..., Scalarizer]] = {
    "centroid": Centroid,
    "loop_area": LoopArea,
    "net_counts": NetCounts,
    "peak": Peak,
    "thickness": Thickness,
}
"""What can be asked for by name; the parameters of a class are the further keys of a mapping."""


def get_scalarizer(value: str | Mapping[str, Any] | Scalarizer) -> Scalarizer:
    """Return a scalarizer from its name, a mapping ``{"kind": name, **parameters}``, or a callable (handed back).

    Raises
    ------
    ValueError
        If the name or a parameter is unknown; the message lists the names.
    TypeError
        If the value is none of the three.
    """
    if callable(value):
        return value
    if not isinstance(value, (str, Mapping)):
        raise TypeError(f"scalarizer: expected a name, a mapping with 'kind', or f(spectrum, axis), got {value!r}")
    parameters: dict[str, Any] = {"kind": value} if isinstance(value, str) else dict(value)
    kind = parameters.pop("kind", None)
    if kind not in SCALARIZERS:
        raise ValueError(
            f"scalarizer {kind!r} is unknown, there are {', '.join(SCALARIZERS)}, or any f(spectrum, axis)"
        )
    try:
        return SCALARIZERS[kind](**parameters)
    except TypeError as error:
        raise ValueError(f"scalarizer {kind!r}: {error}") from error


def named_scalarizers(value: str | Sequence[Any] | Mapping[str, Any]) -> dict[str, Scalarizer]:
    """Return ``{target: scalarizer}`` from a name, a list of scalarizers, or a mapping of targets to them.

    >>> named_scalarizers({"ti": "net_counts", "total": lambda spectrum, axis: spectrum.sum()}).keys()
    dict_keys(['ti', 'total'])
    """
    if isinstance(value, Mapping) and "kind" not in value:
        return {str(target): get_scalarizer(f) for target, f in value.items()}
    items = [value] if isinstance(value, (str, Mapping)) or callable(value) else list(value)
    scalarizers = [get_scalarizer(item) for item in items]
    named = {_name(f): f for f in scalarizers}
    if len(named) != len(scalarizers):
        raise ValueError(
            f"scalarizers: two have one name, got {items!r}; name them yourself, as {{target: scalarizer}}"
        )
    return named


def units_of(scalarizer: Scalarizer, spectrum_units: str, axis_units: str) -> str:
    """Return the unit of a scalarizer's answer, "" if it does not say; an attribute ``units`` may be a string."""
    units = getattr(scalarizer, "units", "")
    return str(units(spectrum_units, axis_units)) if callable(units) else str(units)


def to_mapping(scalarizer: Scalarizer) -> dict[str, Any]:
    """Return plain data for a record; `get_scalarizer` makes it a scalarizer again, if it was one of this file."""
    if is_dataclass(scalarizer) and not isinstance(scalarizer, type):
        return {"kind": _name(scalarizer), **asdict(scalarizer)}
    return {"kind": f"{getattr(scalarizer, '__module__', '')}.{_name(scalarizer)}"}


def _name(scalarizer: Scalarizer) -> str:
    return str(getattr(scalarizer, "name", None) or getattr(scalarizer, "__name__", type(scalarizer).__name__))


def _window(name: str, field: str, value: Sequence[float]) -> tuple[float, float]:
    message = f"{name}: {field} must be two energies, start and end, got {value!r}"
    try:
        start, end = (float(v) for v in value)
    except (TypeError, ValueError) as error:
        raise ValueError(message) from error
    if not start < end:
        raise ValueError(message)
    return start, end


def _channels(name: str, axis: Floats, window: tuple[float, float]) -> npt.NDArray[np.bool_]:
    chosen = (axis >= window[0]) & (axis < window[1])
    if not chosen.any():
        raise ValueError(f"{name}: window {window} lies outside the axis, {axis.min():g} to {axis.max():g}")
    return np.asarray(chosen)


loop_area = LoopArea()
net_counts = NetCounts()
centroid = Centroid()
peak = Peak()
thickness = Thickness()
