"""What instead: the same decision made again by another rule, from the record; nothing is touched."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bluesky_gp.acquisition import BY_NAME
from bluesky_gp.gp import kernel_of
from bluesky_gp.optimizer import OptimizerState, PixelOptimizer, Recipe
from bluesky_gp.view.frames import Frame
from bluesky_gp.view.moments import Choice, Moment, chosen_by

_WISHES = ("acquisition", "share", "batch_size", "kernel")


def instead(moment: Moment, wishes: Mapping[str, Any]) -> Frame:
    """Return the maps and the batch of the decision, had its optimizer had other settings.

    Parameters
    ----------
    moment : Moment
    wishes : mapping
        ``acquisition`` and ``kernel`` by name, ``share`` of the batch that the acquisition function chooses,
        ``batch_size``; what is missing or None stays as it was.

    Raises
    ------
    ValueError
        If a wish is unknown or out of range.
    """
    asked = {name: value for name, value in wishes.items() if value not in (None, "")}
    if unknown := [name for name in asked if name not in _WISHES]:
        raise ValueError(f"{unknown[0]!r} is no wish, there are {', '.join(_WISHES)}")
    recipe = _recipe(moment, asked)
    state = _state(moment, recipe) if "kernel" in asked else moment.state
    num = recipe.batch_size if "batch_size" in asked else moment.steps[-1].asked or recipe.batch_size
    choice = chosen_by(recipe, state, num)
    maps = {"mean": state.mean, "std": state.std, "acquisition": choice.proposal.acquisition}
    return Frame.of(moment.number, "instead", maps, **_told(moment, choice))


def _recipe(moment: Moment, asked: Mapping[str, Any]) -> Recipe:
    recipe = moment.recipe
    if "acquisition" in asked:
        recipe = replace(recipe, acquisition=_named("acquisition", asked["acquisition"], BY_NAME)())
    if "share" in asked:
        recipe = replace(recipe, batch=asked["share"], purpose=None)
    if "batch_size" in asked:
        recipe = replace(recipe, batch_size=asked["batch_size"])
    if "kernel" in asked:
        try:
            kernel = kernel_of(asked["kernel"], moment.record.grid.ndim)
        except KeyError as error:
            raise ValueError(f"there is no kernel {asked['kernel']!r}") from error
        recipe = replace(recipe, kernel=kernel, prior=None)
    return recipe


def _named(what: str, name: Any, known: Mapping[str, Any]) -> Any:
    if name not in known:
        raise ValueError(f"there is no {what} function {name!r}, there are {', '.join(known)}")
    return known[name]


def _state(moment: Moment, recipe: Recipe) -> OptimizerState:
    """Learn what was known, with another kernel: all at once, as its hyperparameters have no history."""
    optimizer, before = PixelOptimizer.of(recipe), PixelOptimizer.of(moment.recipe)
    return optimizer.learn(optimizer.beginning, before.points(moment.state), final=True)


def _told(moment: Moment, choice: Choice) -> dict[str, Any]:
    pixels = [int(pixel) for pixel in moment.record.grid.ravel(choice.proposal.pixels)] if _any(choice) else []
    return {
        "chosen": [{"pixel": pixel, "pursued": choice.pursued.get(pixel)} for pixel in pixels],
        "common": len({*pixels} & {*moment.proposed}),
        "recorded": len(moment.proposed),
        "by_design": choice.by_design,
    }


def _any(choice: Choice) -> bool:
    return len(choice.proposal.pixels) > 0
