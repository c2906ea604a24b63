"""Why a pixel was, or was not, chosen: what the model said of it, and which measured pixels made it say so."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bluesky_gp.run import LEARN, Outcome, RunRecord

if TYPE_CHECKING:
    from bluesky_gp.view.moments import Moment

TOLD = 8  # measured pixels whose weights are told one by one


def why_here(moment: "Moment", pixel: int) -> dict[str, Any]:
    """Return what was known of a pixel at a decision, as plain data.

    Parameters
    ----------
    moment : Moment
    pixel : int
        Flat index.

    Raises
    ------
    ValueError
        If it is outside the grid, or the run's optimizer cannot be made again.
    """
    grid, gp = moment.record.grid, moment.record.start["gp"]
    if not 0 <= pixel < grid.size:
        raise ValueError(f"pixel {pixel} is outside the grid of {grid.size} pixels")
    return {
        "pixel": grid.unravel([pixel])[0],
        "position": grid.position(grid.unravel([pixel]))[0],
        "allowed": bool(grid.allowed[pixel]),
        "units": gp["grid"].get("units", "px"),
        "outcome": outcome_of(moment, pixel),
        "taught": taught_at(moment, pixel),
        "spectrum": spectrum_of(moment.record, pixel),
        "model": _model(moment, pixel),
        "choice": _choice(moment, pixel),
        "weights": _weights(moment, pixel),
    }


def outcome_of(moment: "Moment", pixel: int) -> dict[str, Any] | None:
    """Return what became of a pixel in the whole run, and whether the decision knew it; None: it was never tried."""
    every = moment.record.together.outcomes
    found: list[tuple[int, Outcome]] = [(i, o) for i, o in enumerate(every) if o.pixel == pixel]
    if not found:
        return None
    order, outcome = found[-1]
    return {
        "order": order + 1,
        "value": None if outcome.failed else outcome.value,
        "values": [o.value for _, o in found if not o.failed],
        "reason": outcome.reason,
        "known": found[0][0] < len(moment.outcomes),
    }


def taught_at(moment: "Moment", pixel: int) -> dict[str, Any] | None:
    """Return the value that another run had at a pixel, as learnt last; None: the decision knew of none."""
    lessons = [action.arguments for step in moment.steps for action in step.heeded if action.kind == LEARN]
    found = [
        {"run": known["run"], "value": value}
        for known in lessons
        for place, value in zip(known["pixels"], known["values"], strict=True)
        if place == pixel
    ]
    return found[-1] if found else None


def spectrum_of(record: RunRecord, pixel: int) -> dict[str, Any] | None:
    """Return the spectrum that was measured last at a pixel; None: there is none in this run."""
    spectra = record.spectra
    values = None if spectra is None else spectra.last_at(record.grid.unravel([pixel])[0])
    if spectra is None or values is None:
        return None
    return {
        "axis": spectra.axis,
        "values": np.abs(values) if np.iscomplexobj(values) else values,
        "units": spectra.units,
        "axis_units": spectra.axis_units,
        "name": "magnitude" if np.iscomplexobj(values) else "",
    }


def _model(moment: "Moment", pixel: int) -> dict[str, Any]:
    state, scores = moment.state, moment.choice.proposal.acquisition.ravel()
    known = np.isfinite(scores)
    rank = int((scores[known] > scores[pixel]).sum()) + 1 if known[pixel] else None
    return {
        "mean": state.mean.ravel()[pixel],
        "std": state.std.ravel()[pixel],
        "acquisition": scores[pixel],
        "rank": rank,
        "candidates": int((~np.isnan(scores)).sum()),
        "best_value": state.best_value,
        "best_pixel": state.best_pixel,
    }


def _choice(moment: "Moment", pixel: int) -> dict[str, Any]:
    """Say whether the decision chose the pixel and why, and which decision of the run did."""
    choice, steps = moment.choice, moment.steps
    pixels = choice.proposal.pixels
    again = set(moment.record.grid.ravel(pixels).tolist()) if len(pixels) else set()
    order = [*choice.pursued].index(pixel) + 1 if pixel in choice.pursued else None
    return {
        "chosen": pixel in moment.proposed,
        "by": _way(moment, pixel) if pixel in again or pixel in moment.by_hand else None,
        "place": order,
        "repeats": again | set(moment.by_hand) == set(moment.proposed),
        "earlier": next((i for i, step in enumerate(steps[:-1]) if pixel in step.proposed), None),
    }


def _way(moment: "Moment", pixel: int) -> str | None:
    if pixel in moment.by_hand:
        return "hand"
    if moment.choice.by_design:
        return "design"
    return {True: "pursue", False: "explore", None: None}[moment.choice.pursued.get(pixel)]


def _weights(moment: "Moment", pixel: int) -> dict[str, Any] | None:
    """Return the measured pixels that weigh most in the mean at a pixel; None before the first value."""
    posterior, state = moment.state.posterior, moment.state
    if posterior is None:
        return None
    weights, (pixels, _) = posterior.weights(pixel), posterior.measured
    values = state.values[np.isfinite(state.values)]
    most = np.argsort(-np.abs(weights), kind="stable")[:TOLD]
    return {
        "told": [
            {"pixel": place, "value": value, "weight": weight}
            for place, value, weight in zip(
                moment.record.grid.unravel(pixels[most]), values[most], weights[most], strict=True
            )
        ],
        "others": len(weights) - len(most),
        "rest": weights.sum() - weights[most].sum(),
        "effective": float(np.square(weights.sum()) / np.square(weights).sum()) if np.any(weights) else 0.0,
    }
