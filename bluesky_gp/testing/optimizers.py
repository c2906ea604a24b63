"""An optimizer that answers at once from a list: what plans, agents and callbacks cost without the mathematics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bluesky_gp.grid import PixelGrid
from bluesky_gp.protocols import Proposal
from bluesky_gp.typing import Floats


@dataclass(frozen=True, eq=False)
class ListState:
    """Values by flat index; NaN where a pixel failed."""

    shape: tuple[int, ...]
    values: Mapping[int, float] = field(default_factory=dict)
    theta: Floats = field(default_factory=lambda: np.zeros(2))
    noise_std: float = 0.0
    log_marginal_likelihood: float = 0.0
    fitted: bool = False

    @property
    def _measured(self) -> dict[int, float]:
        return {pixel: value for pixel, value in self.values.items() if np.isfinite(value)}

    @property
    def n_measured(self) -> int:
        """Number of pixels with a value."""
        return len(self._measured)

    @property
    def n_failed(self) -> int:
        """Number of pixels that failed."""
        return len(self.values) - self.n_measured

    @property
    def best_pixel(self) -> tuple[int, ...] | None:
        """The pixel of the largest value."""
        measured = self._measured
        if not measured:
            return None
        return tuple(int(i) for i in np.unravel_index(max(measured, key=measured.__getitem__), self.shape))

    @property
    def best_value(self) -> float:
        """The largest value, NaN before any."""
        return max(self._measured.values(), default=float("nan"))

    @property
    def mean(self) -> Floats:
        """The values where there are any, else their mean."""
        flat = np.full(int(np.prod(self.shape)), np.mean([*self._measured.values()] or [np.nan]))
        flat[list(self._measured)] = list(self._measured.values())
        return flat.reshape(self.shape)

    @property
    def std(self) -> Floats:
        """0 where a pixel has a value, 1 elsewhere."""
        flat = np.ones(int(np.prod(self.shape)))
        flat[list(self._measured)] = 0.0
        return flat.reshape(self.shape)


class ListOptimizer:
    """Proposes the pixels of a list in their order, whatever it learns; an `Optimizer` in every other respect.

    Parameters
    ----------
    grid : PixelGrid
    target : str
    pixels : sequence of tuple of int, optional
        Default: row by row.
    batch_size : int
    """

    others: Sequence[str] = ()

    def __init__(
        self, grid: PixelGrid, target: str, pixels: Sequence[Sequence[int]] | None = None, batch_size: int = 10
    ) -> None:
        self.grid = grid
        self.target = target
        self.batch_size = batch_size
        self.order = np.flatnonzero(grid.allowed) if pixels is None else grid.ravel(pixels)
        self._state = ListState(grid.shape)

    @property
    def theta_names(self) -> list[str]:
        """Name of each hyperparameter, as if there were a kernel."""
        return ["length_row", "length_col"]

    @property
    def state(self) -> ListState:
        """All that was learnt."""
        return self._state

    @property
    def beginning(self) -> ListState:
        """The state before the first pixel."""
        return ListState(self.grid.shape)

    def points(self, state: ListState) -> list[dict[str, Any]]:
        """Return what a state was told."""
        return [{"_id": pixel, self.target: value} for pixel, value in state.values.items()]

    def restore(self, state: ListState) -> None:
        """Go on from `state`."""
        self._state = state

    def learn(
        self,
        state: ListState,
        points: Sequence[Mapping[str, Any]],
        failures: Sequence[Mapping[str, Any]] = (),
        *,
        final: bool = False,
    ) -> ListState:
        """Return the state with some more values."""
        told = {int(p["_id"]): float(p[self.target]) for p in points} | {int(f["_id"]): np.nan for f in failures}
        return ListState(state.shape, {**state.values, **told}, fitted=final)

    def expected_seconds(self, state: ListState) -> float:
        """Return that a list needs no time."""
        return 0.0

    def propose(
        self, state: ListState, num_points: int, *, pending: Sequence[int] = (), stopping: bool = True
    ) -> Proposal[ListState]:
        """Return the next pixels of the list that have neither a value nor failed."""
        left = self.order[~np.isin(self.order, [*state.values, *pending])][:num_points]
        acquisition = np.full(self.grid.size, np.nan)
        acquisition[left] = 1.0
        return Proposal(
            pixels=self.grid.unravel(left),
            scores=np.ones(len(left)),
            mean=state.mean.ravel()[left],
            std=state.std.ravel()[left],
            acquisition=acquisition.reshape(self.grid.shape),
            stop_reason="" if len(left) else "the list is done",
            state=state,
        )

    def describe(self) -> dict[str, Any]:
        """Return plain data for the start document."""
        return {"grid": self.grid.to_mapping(), "optimizer_target": self.target, "batch_size": self.batch_size}
