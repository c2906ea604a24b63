"""Orders: all that people have asked for and that still holds, as one immutable value that follows their actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.grid import PixelGrid
from bluesky_gp.packed import bits_from_text
from bluesky_gp.protocols import AnyOptimizer, State, Steerable
from bluesky_gp.run.actions import ADD, ALLOW, CONFIGURE, EDIT, FORBID, REGIONS, VETO, Action
from bluesky_gp.run.outcomes import Outcome

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Orders:
    """Pixels that people want, places where nothing is to be measured, and settings that they changed.

    Parameters
    ----------
    forbidden, outside : ndarray of bool or None
        Shape ``(n_pixels,)``: where nothing is measured any more, and all beyond the region of the search.
    wanted : tuple of int
        Flat indices of a person's own pixels that have no outcome yet, in order.
    settings : Mapping
        Changed settings of the optimizer, as plain data.
    batch : tuple of int or None
        The very pixels that a person put in place of a batch; for one decision.
    """

    forbidden: Mask | None = field(default=None, repr=False)
    outside: Mask | None = field(default=None, repr=False)
    wanted: tuple[int, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    batch: tuple[int, ...] | None = None

    @property
    def barred(self) -> Mask | None:
        """Where nothing may be proposed, shape ``(n_pixels,)``; None: nowhere."""
        masks = [mask for mask in (self.forbidden, self.outside) if mask is not None]
        return np.any(masks, axis=0) if masks else None

    def after(self, actions: Sequence[Action], outcomes: Sequence[Outcome], grid: PixelGrid) -> "Orders":
        """Return the orders after some pixels had their outcomes, and some actions came behind them."""
        wanted = list(self.wanted)
        for outcome in outcomes:
            if outcome.pixel in wanted:
                wanted.remove(outcome.pixel)
        orders = replace(self, wanted=tuple(wanted), batch=None)
        for action in actions:
            orders = _obeyed(orders, action, grid)
        return orders

    def changed(self, optimizer: AnyOptimizer) -> AnyOptimizer:
        """Return the optimizer with the settings that people changed."""
        return steerable(optimizer).configured(self.settings) if self.settings else optimizer

    def bounded(self, optimizer: AnyOptimizer, state: State) -> State:
        """Return the state with the bounds that people set, where there are or were some."""
        if isinstance(optimizer, Steerable):
            return optimizer.barring(state, self.barred)  # type: ignore[no-any-return]
        return state


def steerable(optimizer: AnyOptimizer) -> Steerable[Any]:
    """Return an optimizer that takes orders.

    Raises
    ------
    TypeError
        If it is of another kind.
    """
    if not isinstance(optimizer, Steerable):
        raise TypeError(f"{optimizer!r:.80} takes no orders in mid-run: a PixelOptimizer does")
    return optimizer


def _obeyed(orders: Orders, action: Action, grid: PixelGrid) -> Orders:
    arguments = action.arguments
    if action.kind in REGIONS:
        return _bounded(orders, action.kind, bits_from_text(arguments["mask"], (grid.size,)))
    if action.kind == CONFIGURE:
        settings = {name: value for name, value in arguments.items() if name != "num"}
        return replace(orders, settings={**orders.settings, **settings})
    if action.kind not in (ADD, EDIT, VETO):
        return orders
    pixels = tuple(grid.ravel(arguments["pixels"]).tolist())
    if action.kind == ADD:
        return replace(orders, wanted=(*orders.wanted, *pixels))
    if action.kind == EDIT:
        return replace(orders, batch=pixels)
    vetoed = np.zeros(grid.size, dtype=bool)
    vetoed[list(pixels)] = True
    return _bounded(orders, FORBID, vetoed)


def _bounded(orders: Orders, kind: str, region: Mask) -> Orders:
    nowhere = np.zeros(len(region), dtype=bool)
    forbidden = nowhere if orders.forbidden is None else orders.forbidden
    outside = nowhere if orders.outside is None else orders.outside
    if kind == FORBID:
        forbidden = forbidden | region
    elif kind == ALLOW:
        forbidden, outside = forbidden & ~region, outside & ~region
    else:
        outside = ~region
    barred = forbidden | outside
    return replace(
        orders,
        forbidden=forbidden if forbidden.any() else None,
        outside=outside if outside.any() else None,
        wanted=tuple(pixel for pixel in orders.wanted if not barred[pixel]),
    )
