"""Quantities of a decision, as the stream ``gp`` has them: one table for the agent, replay, progress and reports."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any, Literal

import numpy as np

from bluesky_gp.protocols import Forecasts, Gains, Seen, Sees
from bluesky_gp.run.decision import Decision
from bluesky_gp.run.difference import ROUNDING

Size = Literal["batch", "axes", "theta"]

_OF_SOME = 1e-2  # before `numerics` 0.3 it depended on the processor which pixels these were estimated from


@dataclass(frozen=True)
class Quantity:
    """A quantity of every decision.

    Parameters
    ----------
    name : str
        In the events it stands as ``AGENT_name``.
    value : callable
        Reads it off a decision.
    kind : {"number", "integer", "string"}
    shape : tuple of {"batch", "axes", "theta"}
        Empty: a scalar. What is shorter than a batch is padded, with -1 or NaN.
    units : {"", "target", "s"}
    compared : bool
        Whether a replay compares it: a decision that is made again must repeat it, bit for bit.
    rounding : float
        How far another processor may bring it off, relative to its largest number.
    missing : optional
        Stands for it in older records, which lack it; None: every record has it.
    """

    name: str
    value: Callable[[Decision], Any]
    kind: Literal["number", "integer", "string"] = "number"
    shape: tuple[Size, ...] = ()
    units: Literal["", "target", "s"] = ""
    compared: bool = True
    rounding: float = ROUNDING
    missing: Any = None


def _change(decision: Decision) -> float:
    change = float(decision.state.change) if isinstance(decision.state, Forecasts) else nan
    return change if isfinite(change) else nan


def _gain(name: str) -> Callable[[Decision], float]:
    def read(decision: Decision) -> float:
        gains: Gains | None = decision.state.forecast if isinstance(decision.state, Forecasts) else None
        return nan if gains is None else float(getattr(gains, name))

    return read


def _seen(name: str) -> Callable[[Decision], float]:
    def read(decision: Decision) -> float:
        seen: Seen | None = decision.state.contribution if isinstance(decision.state, Sees) else None
        return nan if seen is None else float(getattr(seen, name))

    return read


def _words(name: str) -> Callable[[Decision], str]:
    return lambda decision: str(getattr(decision.state, name)) if isinstance(decision.state, Forecasts) else ""


def _forecast_num(decision: Decision) -> int:
    return int(decision.state.forecast.num) if isinstance(decision.state, Forecasts) else 0


QUANTITIES = (
    Quantity("iteration", lambda d: d.iteration, "integer", compared=False),
    Quantity("n_measured", lambda d: int(d.state.n_measured), "integer"),
    Quantity("n_failed", lambda d: int(d.state.n_failed), "integer"),
    Quantity("n_outcomes", lambda d: d.n_outcomes, "integer"),
    Quantity("n_actions", lambda d: d.n_actions, "integer", missing=0),
    Quantity("pending", lambda d: d.step.pending, "integer", missing=0),
    Quantity("asked", lambda d: d.step.asked, "integer", missing=-1),
    Quantity("proposed", lambda d: d.proposal.pixels, "integer", ("batch", "axes")),
    Quantity("by_hand", lambda d: [int(own) for own in d.by_hand], "integer", ("batch",), missing=-1),
    Quantity("acquisition", lambda d: d.proposal.scores, shape=("batch",)),
    Quantity("mean", lambda d: d.proposal.mean, shape=("batch",), units="target"),
    Quantity("std", lambda d: d.proposal.std, shape=("batch",), units="target"),
    Quantity("kernel_theta", lambda d: d.state.theta, shape=("theta",)),
    Quantity("noise_std", lambda d: float(d.state.noise_std), units="target"),
    Quantity("log_marginal_likelihood", lambda d: float(d.state.log_marginal_likelihood)),
    Quantity("best_value", lambda d: float(d.state.best_value), units="target"),
    Quantity("best_pixel", lambda d: d.state.best_pixel or (), "integer", ("axes",)),
    Quantity("map_change", _change, missing=nan),
    Quantity("forecast_num", _forecast_num, "integer", missing=0),
    Quantity("map_error", _gain("map_error"), units="target", missing=nan),
    Quantity("map_gain", _gain("map_gain"), units="target", missing=nan),
    Quantity("best_gain", _gain("best_gain"), units="target", rounding=_OF_SOME, missing=nan),
    Quantity("best_gain_most", _gain("best_gain_most"), units="target", rounding=_OF_SOME, missing=nan),
    Quantity("overview_share", _seen("share"), missing=nan),
    Quantity("overview_error", _seen("error"), units="target", missing=nan),
    Quantity("overview_error_without", _seen("error_without"), units="target", missing=nan),
    Quantity("fit_time", lambda d: d.fit_time, units="s", compared=False),
    Quantity("propose_time", lambda d: d.propose_time, units="s", compared=False),
    Quantity("exposing_time", lambda d: d.spent.exposing, units="s", compared=False, missing=nan),
    Quantity("moving_time", lambda d: d.spent.moving, units="s", compared=False, missing=nan),
    Quantity("waiting_time", lambda d: d.spent.waiting, units="s", compared=False, missing=nan),
    Quantity("recording_time", lambda d: d.spent.recording, units="s", compared=False, missing=nan),
    Quantity("next_time", lambda d: d.next_time, units="s", compared=False, missing=0.0),
    Quantity("stop_reason", lambda d: d.proposal.stop_reason, "string", compared=False),
    Quantity("method", _words("method"), "string", compared=False, missing=""),
    Quantity("warning", _words("warning"), "string", compared=False, missing=""),
)


def values_of(decision: Decision, sizes: Mapping[Size, int]) -> dict[str, Any]:
    """Return the value of every quantity of a decision, arrays padded to their full shape."""
    return {quantity.name: _padded(quantity, decision, sizes) for quantity in QUANTITIES}


def recorded_value(data: Mapping[str, Any], agent: str, name: str) -> Any:
    """Return a quantity that the data of a recorded event have, or what stands for it in older ones.

    Raises
    ------
    KeyError
        If they lack one that every record has.
    """
    missing = next(quantity.missing for quantity in QUANTITIES if quantity.name == name)
    key = f"{agent}_{name}"
    return data[key] if missing is None else data.get(key, missing)


def _padded(quantity: Quantity, decision: Decision, sizes: Mapping[Size, int]) -> Any:
    """Fill an array up: every event of a stream has the shapes that its descriptor says."""
    value = quantity.value(decision)
    if not quantity.shape:
        return value
    integers = quantity.kind == "integer"
    padded = np.full([sizes[size] for size in quantity.shape], -1 if integers else nan, np.int64 if integers else float)
    rows = np.asarray(value)
    if rows.size:
        padded[: len(rows)] = rows
    return padded
