"""A decision as the events of the streams ``gp`` and ``gp_maps``: values, and the data keys that describe them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from bluesky.protocols import Reading
from event_model import DataKey

from bluesky_gp.protocols import Optimizer
from bluesky_gp.run import Decision


def number(source: str, *, units: str | None = None) -> DataKey:
    """Describe a float."""
    return _key(source, "number", (), "<f8", units)


def integer(source: str) -> DataKey:
    """Describe a whole number."""
    return _key(source, "integer", (), "<i8", None)


def text(source: str) -> DataKey:
    """Describe a string; strings of any length, so no ``dtype_numpy``."""
    return _key(source, "string", (), None, None)


def array(source: str, shape: Sequence[int], dtype: str = "<f8", *, units: str | None = None) -> DataKey:
    """Describe an array."""
    return _key(source, "array", shape, dtype, units)


def readings(values: Mapping[str, Any], timestamp: float) -> dict[str, Reading[Any]]:
    """Return `values` as a device's `read` does, all with one timestamp."""
    return {key: {"value": value, "timestamp": timestamp} for key, value in values.items()}


def _key(source: str, dtype: str, shape: Sequence[int], dtype_numpy: str | None, units: str | None) -> DataKey:
    key: dict[str, Any] = {"source": source, "dtype": dtype, "shape": [int(n) for n in shape]}
    if dtype_numpy is not None:
        key["dtype_numpy"] = dtype_numpy
    if units:
        key["units"] = units
    return cast(DataKey, key)


_GAINS = ("map_error", "map_gain", "best_gain", "best_gain_most")


@dataclass(frozen=True)
class DecisionRecord:
    """How decisions about one optimizer are written under one agent's name."""

    name: str
    optimizer: Optimizer
    units: str | None = None

    def data_keys(self) -> dict[str, DataKey]:
        """Describe one event of stream ``gp``."""
        source, units = f"bluesky_gp:{self.name}", self.units
        batch, ndim = self.optimizer.batch_size, self.optimizer.grid.ndim
        keys = {
            "iteration": integer(source),
            "n_measured": integer(source),
            "n_failed": integer(source),
            "n_outcomes": integer(source),
            "proposed": array(source, (batch, ndim), "<i8"),
            "acquisition": array(source, (batch,)),
            "mean": array(source, (batch,), units=units),
            "std": array(source, (batch,), units=units),
            "kernel_theta": array(source, np.shape(self.optimizer.state.theta)),
            "noise_std": number(source, units=units),
            "log_marginal_likelihood": number(source),
            "best_value": number(source, units=units),
            "best_pixel": array(source, (ndim,), "<i8"),
            "map_change": number(source),
            "forecast_num": integer(source),
            "map_error": number(source, units=units),
            "map_gain": number(source, units=units),
            "best_gain": number(source, units=units),
            "best_gain_most": number(source, units=units),
            "fit_time": number(source, units="s"),
            "propose_time": number(source, units="s"),
            "next_time": number(source, units="s"),
            "stop_reason": text(source),
            "method": text(source),
            "warning": text(source),
        }
        return self._named(keys)

    def values(self, decision: Decision) -> dict[str, Any]:
        """Return the values of one event of stream ``gp``."""
        state, batch, ndim = decision.state, self.optimizer.batch_size, self.optimizer.grid.ndim
        values = {
            "iteration": decision.iteration,
            "n_measured": int(state.n_measured),
            "n_failed": int(state.n_failed),
            "n_outcomes": decision.n_outcomes,
            "proposed": _padded(decision.pixels, (batch, ndim), -1, np.int64),
            "acquisition": _padded(decision.scores, (batch,), np.nan),
            "mean": _padded(decision.mean, (batch,), np.nan),
            "std": _padded(decision.std, (batch,), np.nan),
            "kernel_theta": np.array(state.theta, dtype=np.float64),
            "noise_std": float(state.noise_std),
            "log_marginal_likelihood": float(state.log_marginal_likelihood),
            "best_value": float(state.best_value),
            "best_pixel": _padded(() if state.best_pixel is None else state.best_pixel, (ndim,), -1, np.int64),
            **_forecast(state),
            "fit_time": decision.fit_time,
            "propose_time": decision.propose_time,
            "next_time": decision.next_time,
            "stop_reason": decision.stop_reason,
            "method": getattr(state, "method", ""),
            "warning": getattr(state, "warning", ""),  # an optimizer of one's own need not have any
        }
        return self._named(values)

    def map_keys(self) -> dict[str, DataKey]:
        """Describe one event of stream ``gp_maps``."""
        source, shape = f"bluesky_gp:{self.name}", self.optimizer.grid.shape
        keys = {
            "maps_iteration": integer(source),
            "maps_mean": array(source, shape, units=self.units),
            "maps_std": array(source, shape, units=self.units),
            "maps_acquisition": array(source, shape),
        }
        return self._named(keys)

    def maps(self, decision: Decision) -> dict[str, Any]:
        """Return the values of one event of stream ``gp_maps``; NaN in the acquisition: not a candidate."""
        values = {
            "maps_iteration": decision.iteration,
            "maps_mean": np.array(decision.state.mean, dtype=np.float64),
            "maps_std": np.array(decision.state.std, dtype=np.float64),
            "maps_acquisition": np.array(decision.acquisition, dtype=np.float64),
        }
        return self._named(values)

    def configuration_keys(self) -> dict[str, DataKey]:
        """Describe what stays the same for the whole run."""
        source = f"bluesky_gp:{self.name}"
        keys = {
            "target": text(source),
            "batch_size": integer(source),
            "kernel_theta_names": array(source, (len(self.optimizer.theta_names),), "<U"),
        }
        keys["kernel_theta_names"].pop("dtype_numpy", None)
        return self._named(keys)

    def configuration(self, target: str) -> dict[str, Any]:
        """Return what stays the same for the whole run."""
        values = {
            "target": target,
            "batch_size": self.optimizer.batch_size,
            "kernel_theta_names": list(self.optimizer.theta_names),
        }
        return self._named(values)

    def _named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {f"{self.name}_{key}": value for key, value in values.items()}


def _forecast(state: Any) -> dict[str, Any]:
    """Return what more pixels would gain, and what the latest changed; an optimizer of one's own need not know."""
    forecast, change = getattr(state, "forecast", None), float(getattr(state, "change", np.nan))
    return {
        "map_change": change if np.isfinite(change) else np.nan,
        "forecast_num": int(getattr(forecast, "num", 0)),
        **{name: float(getattr(forecast, name, np.nan)) for name in _GAINS},
    }


def _padded(
    values: npt.ArrayLike, shape: tuple[int, ...], fill: float, dtype: npt.DTypeLike = np.float64
) -> npt.NDArray[Any]:
    """Fill `values` up to `shape`: every event of a stream has the shapes that its descriptor says."""
    padded = np.full(shape, fill, dtype=dtype)
    rows = np.asarray(values)
    if rows.size:
        padded[: len(rows)] = rows
    return padded
