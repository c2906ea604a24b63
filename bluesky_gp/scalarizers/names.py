"""Spectrum -> number: the quantity that a map shows and an agent maximises.

A scalarizer is any ``f(spectrum, axis) -> float``; NaN, or an exception, says that the measurement failed. Those of
this package are frozen dataclasses: their parameters are plain data, so that a session, a YAML file or a queue can
carry them. They stand in `core_loss`, `hysteresis`, `low_loss`, `peaks`, `similarity` and `xrays`.
Here are their names, and their plain data.

>>> import numpy as np
>>> get_scalarizer("centroid")(np.array([0.0, 2.0, 0.0]), np.array([10.0, 20.0, 30.0]))
20.0
>>> get_scalarizer({"kind": "net_counts", "edge": [828, 856], "background": [780, 824]})
NetCounts(edge=(828.0, 856.0), background=(780.0, 824.0), fit='log')
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from bluesky_gp.protocols import Scalarizer
from bluesky_gp.scalarizers.core_loss import EdgeRatio, NetCounts, WhiteLineRatio
from bluesky_gp.scalarizers.hysteresis import CoerciveVoltage, Imprint, LoopArea, RemanentResponse, SwitchingRatio
from bluesky_gp.scalarizers.low_loss import PlasmonEnergy, PlasmonWidth, Thickness
from bluesky_gp.scalarizers.peaks import Area, Centroid, Peak, PeakPosition
from bluesky_gp.scalarizers.similarity import component, cosine
from bluesky_gp.scalarizers.windows import scalarizer_name
from bluesky_gp.scalarizers.xrays import LineCounts
from bluesky_gp.settings import check_call
from bluesky_gp.spelling import meant, unfit

SCALARIZERS: dict[str, Callable[..., Scalarizer]] = {
    "area": Area,
    "centroid": Centroid,
    "coercive_voltage": CoerciveVoltage,
    "component": component,
    "cosine": cosine,
    "edge_ratio": EdgeRatio,
    "imprint": Imprint,
    "line_counts": LineCounts,
    "loop_area": LoopArea,
    "net_counts": NetCounts,
    "peak": Peak,
    "peak_position": PeakPosition,
    "plasmon_energy": PlasmonEnergy,
    "plasmon_width": PlasmonWidth,
    "remanent_response": RemanentResponse,
    "switching_ratio": SwitchingRatio,
    "thickness": Thickness,
    "white_line_ratio": WhiteLineRatio,
}
"""Makers of scalarizers by name; the parameters of a class are the further keys of a mapping."""


def get_scalarizer(value: str | Mapping[str, Any] | Scalarizer) -> Scalarizer:
    """Return a scalarizer from its name, a mapping ``{"kind": name, **parameters}``, or a callable (as it is).

    Raises
    ------
    ValueError
        If the name or a parameter is unknown; the message lists the names.
    TypeError
        If the value is none of the three.
    """
    if isinstance(value, type):
        raise TypeError(f"scalarizer: {value.__name__} is a class; give an object, {value.__name__}(...)")
    if callable(value):
        check_call("scalarizer", value, "spectrum", "axis")
        return value
    if not isinstance(value, (str, Mapping)):
        raise TypeError(f"scalarizer: expected a name, a mapping with 'kind', or f(spectrum, axis), got {value!r}")
    parameters: dict[str, Any] = {"kind": value} if isinstance(value, str) else dict(value)
    kind = parameters.pop("kind", None)
    if kind not in SCALARIZERS:
        raise ValueError(
            f"scalarizer {kind!r} is unknown, there are {', '.join(SCALARIZERS)}, or any f(spectrum, axis)"
            f"{meant(kind, SCALARIZERS)}"
        )
    if wrong := unfit(SCALARIZERS[kind], parameters):
        raise ValueError(f"scalarizer {kind!r}: {wrong}")
    try:
        return SCALARIZERS[kind](**parameters)
    except TypeError as error:
        raise ValueError(f"scalarizer {kind!r}: {error}") from error


def recorded_scalarizer(described: Mapping[str, Any]) -> Scalarizer:
    """Return the scalarizer that `to_mapping` described; parameters that a record lacks have their value of its day.

    >>> recorded_scalarizer({"kind": "area", "window": None})
    Area(window=None, signed=True)
    """
    return get_scalarizer({**getattr(SCALARIZERS.get(described["kind"]), "earlier", {}), **described})


def named_scalarizers(value: str | Sequence[Any] | Mapping[str, Any]) -> dict[str, Scalarizer]:
    """Return ``{target: scalarizer}`` from a name, a list of scalarizers, or a mapping of targets to them.

    >>> named_scalarizers({"ti": "net_counts", "total": lambda spectrum, axis: spectrum.sum()}).keys()
    dict_keys(['ti', 'total'])
    """
    if isinstance(value, Mapping) and "kind" not in value:
        return {str(target): get_scalarizer(f) for target, f in value.items()}
    items = [value] if isinstance(value, (str, Mapping)) or callable(value) else list(value)
    scalarizers = [get_scalarizer(item) for item in items]
    named = {scalarizer_name(f): f for f in scalarizers}
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
        return {"kind": scalarizer_name(scalarizer), **asdict(scalarizer)}
    return {"kind": f"{getattr(scalarizer, '__module__', '')}.{scalarizer_name(scalarizer)}"}
