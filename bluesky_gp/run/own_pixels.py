"""A batch with the pixels that people chose: first their own, then the optimizer's; or theirs alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bluesky_gp.protocols import AnyOptimizer, Proposal, State
from bluesky_gp.run.orders import Orders
from bluesky_gp.typing import Indices


def propose(
    optimizer: AnyOptimizer,
    before: Indices,
    orders: Orders,
    state: State,
    num: int,
    *,
    pending: Sequence[int] = (),
    stopping: bool,
) -> tuple[Proposal[Any], tuple[bool, ...]]:
    """Propose at most `num` pixels, and say of each whether a person chose it.

    Parameters
    ----------
    before : ndarray of int
        Pixels of the decision before, shape ``(k, n_axes)``: a person may have put others in their place.
    pending : sequence of int
        Flat indices of pixels under way.
    """
    grid = optimizer.grid
    if num < 1:
        return Proposal.nothing(grid, state, ""), ()
    if orders.batch is not None:
        kept = set(grid.ravel(before).tolist()) if len(before) else set()
        edited = _in_front(orders.batch, Proposal.nothing(grid, state, ""))
        return edited, tuple(pixel not in kept for pixel in orders.batch)
    own = tuple(dict.fromkeys(orders.wanted))[:num]
    if not own:
        chosen = optimizer.propose(state, num, pending=pending, stopping=stopping)
        return chosen, (False,) * len(chosen.pixels)
    rest = Proposal.nothing(grid, state, "")
    if len(own) < num:
        rest = optimizer.propose(state, num - len(own), pending=[*own, *pending], stopping=stopping)
    return _in_front(own, rest), (True,) * len(own) + (False,) * len(rest.pixels)


def _in_front(own: Sequence[int], rest: Proposal[Any]) -> Proposal[Any]:
    """Return a proposal with a person's pixels in front, which no acquisition function has ranked."""
    grid_shape, flat = rest.acquisition.shape, list(own)
    return Proposal(
        pixels=np.concatenate([np.stack(np.unravel_index(flat, grid_shape), axis=-1), rest.pixels]),
        scores=np.concatenate([np.full(len(flat), np.nan), rest.scores]),
        mean=np.concatenate([np.ravel(rest.state.mean)[flat], rest.mean]),
        std=np.concatenate([np.ravel(rest.state.std)[flat], rest.std]),
        acquisition=rest.acquisition,
        stop_reason="",
        state=rest.state,
    )
