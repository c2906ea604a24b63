"""An agent from plain data: an item of a queue, a file of devices, a database of them."""

from collections.abc import Mapping
from typing import Any

from bluesky_gp.agent import GPAgent
from bluesky_gp.grid import PixelGrid
from bluesky_gp.optimizer import PixelOptimizer
from bluesky_gp.plain_data import make
from bluesky_gp.spelling import misspelt, settings_of

AGENT = ("scalarizer", "units", "maps", "others", "monitor", "axes", "executor", "largest_batch")
"""Settings that are the agent's; all others are the optimizer's."""


def configured_agent(
    prefix: str = "",
    *,
    target: str,
    grid: PixelGrid | Mapping[str, Any],
    name: str = "gp",
    catalog: Any = None,
    optimizer_target: str | None = None,
    **settings: Any,
) -> GPAgent:
    """Make an agent over a `PixelOptimizer`, every setting of both as plain data.

    Parameters
    ----------
    prefix : str, optional
        Not used: loaders of devices pass one.
    target : str
        Event key of the number to learn.
    grid : PixelGrid or mapping
    name, catalog
        Of the agent.
    optimizer_target : str, optional
        Name of the number in the optimizer. Default: as `target`.
    **settings
        Of `GPAgent` (``scalarizer``, ``units``, ``maps``, ``others``) and of `PixelOptimizer`. An object is what a
        record says of it, ``{"class": "bluesky_gp:ConfidenceBound", "beta": 3.0}``; for an acquisition function a
        name will do, ``"ucb"``.

    Raises
    ------
    ValueError
        If a setting is not known or cannot be made.

    Examples
    --------
    >>> agent = configured_agent(target="det_counts", grid={"shape": [20, 20]}, acquisition="ucb", batch_size=5)
    >>> agent.optimizer.batch_size
    5
    """
    own = {key: settings.pop(key) for key in AGENT if key in settings}
    if wrong := misspelt(settings, _known()):
        raise ValueError(f"{name}: {wrong}")
    try:
        made = {key: make(value) for key, value in settings.items()}
        optimizer = PixelOptimizer(PixelGrid.from_mapping(grid), optimizer_target or target, **made)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from error
    return GPAgent(optimizer, target=target, name=name, catalog=catalog, **own)


def _known() -> list[str]:
    """Names of all settings, those first that every agent has."""
    own = [name for name in settings_of(configured_agent) if name != "prefix"]
    return [*own, *AGENT, *(name for name in settings_of(PixelOptimizer) if name not in (*own, *AGENT))]
