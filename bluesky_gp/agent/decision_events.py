"""Decisions as events of the streams ``gp`` and ``gp_maps``: values, and the data keys that describe them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from event_model import DataKey

from bluesky_gp.agent.data_keys import array, integer, number, text
from bluesky_gp.protocols import AnyOptimizer
from bluesky_gp.run import QUANTITIES, Decision, Quantity, values_of

LARGEST_LIST = 64 * 64  # numbers


class PlainArray(list[Any]):
    """An array as a list, which every writer of documents takes; it answers `tolist` as an array does."""

    def tolist(self) -> list[Any]:
        """Return the list."""
        return list(self)


class LargeArray(PlainArray):
    """A large one, of which numpy and the journal have the array itself: making it anew takes a second for a map."""

    def __init__(self, array: npt.NDArray[Any]) -> None:
        super().__init__(array.tolist())
        self._array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Return the array."""
        return np.array(self._array, dtype=dtype, copy=bool(copy) or dtype not in (None, self._array.dtype))


@dataclass(frozen=True)
class DecisionEvents:
    """The events that one agent makes of its decisions about one optimizer."""

    name: str
    optimizer: AnyOptimizer
    units: str | None = None  # of the target
    room: int = 0  # pixels of a batch for which an event has room; 0: the optimizer's batch

    def data_keys(self) -> dict[str, DataKey]:
        """Describe one event of stream ``gp``."""
        return self._named({quantity.name: self._data_key(quantity) for quantity in QUANTITIES})

    def values(self, decision: Decision) -> dict[str, Any]:
        """Return the values of one event of stream ``gp``."""
        values = values_of(decision, self._sizes)
        return self._named({name: _plain(value) for name, value in values.items()})

    def map_keys(self) -> dict[str, DataKey]:
        """Describe one event of stream ``gp_maps``."""
        shape, dims = self.optimizer.grid.shape, self.optimizer.grid.axes
        keys = {
            "maps_iteration": integer(self._source),
            "maps_mean": array(self._source, shape, units=self.units, dims=dims),
            "maps_std": array(self._source, shape, units=self.units, dims=dims),
            "maps_acquisition": array(self._source, shape, dims=dims),
        }
        return self._named(keys)

    def maps(self, decision: Decision) -> dict[str, Any]:
        """Return the values of one event of stream ``gp_maps``; NaN in the acquisition: not a candidate."""
        values = {
            "maps_iteration": decision.iteration,
            "maps_mean": _plain(np.array(decision.state.mean, dtype=np.float64)),
            "maps_std": _plain(np.array(decision.state.std, dtype=np.float64)),
            "maps_acquisition": _plain(np.array(decision.proposal.acquisition, dtype=np.float64)),
        }
        return self._named(values)

    def configuration_keys(self) -> dict[str, DataKey]:
        """Describe what stays the same for the whole run."""
        keys = {
            "target": text(self._source),
            "batch_size": integer(self._source),
            "kernel_theta_names": array(self._source, (len(self.optimizer.theta_names),), None),
        }
        return self._named(keys)

    def configuration(self, target: str) -> dict[str, Any]:
        """Return what stays the same for the whole run."""
        values = {
            "target": target,
            "batch_size": self.optimizer.batch_size,
            "kernel_theta_names": list(self.optimizer.theta_names),
        }
        return self._named(values)

    @property
    def _source(self) -> str:
        return f"bluesky_gp:{self.name}"

    @property
    def _sizes(self) -> dict[Any, int]:
        theta = np.size(self.optimizer.state.theta)
        return {"batch": self.room or self.optimizer.batch_size, "axes": self.optimizer.grid.ndim, "theta": theta}

    def _data_key(self, quantity: Quantity) -> DataKey:
        units = self.units if quantity.units == "target" else quantity.units or None
        if quantity.shape:
            shape = [self._sizes[size] for size in quantity.shape]
            kind = "<i8" if quantity.kind == "integer" else "<f8"
            return array(self._source, shape, kind, units=units, dims=quantity.shape)
        if quantity.kind == "number":
            return number(self._source, units=units)
        return integer(self._source) if quantity.kind == "integer" else text(self._source)

    def _named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {f"{self.name}_{key}": value for key, value in values.items()}


def _plain(value: Any) -> Any:
    """Return an array as a list, which every writer of documents takes."""
    if not isinstance(value, np.ndarray):
        return value
    return LargeArray(value) if value.size > LARGEST_LIST else PlainArray(value.tolist())
