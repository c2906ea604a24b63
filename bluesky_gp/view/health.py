"""A bill of health of a run at a decision: each question in words, with its number, and whether the answer is good."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Literal

import numpy as np

from bluesky_gp.gp import theta_names
from bluesky_gp.typing import Floats
from bluesky_gp.units import rounded

if TYPE_CHECKING:
    from bluesky_gp.view.moments import Moment

FEW = 20  # new values below which they say little of how well they were predicted
_WITHIN = 0.954  # of a normal distribution, within two standard deviations

Verdict = Literal["good", "doubt", "bad", "unknown"]


@dataclass(frozen=True)
class Finding:
    """One answer: its number, a sentence, and whether it is good."""

    name: str
    verdict: Verdict
    sentence: str
    number: float = float("nan")


def health_of(moment: "Moment") -> list[Finding]:
    """Return what is good and what is doubtful about a run at a decision."""
    asked: list[Callable[[Moment], Finding]] = [_calibration, _noise, _length_scales, _bounds, _failures, _gain]
    return [ask(moment) for ask in asked]


def standardised_errors(moment: "Moment") -> Floats:
    """Return by how much new values missed what was predicted of them, in standard deviations, noise included."""
    columns, grid = moment.record.iterations, moment.record.grid
    values = {outcome.pixel: outcome.value for outcome in moment.record.outcomes if not outcome.failed}
    found = []
    for row in range(moment.number + 1):
        pixels = np.asarray(columns["proposed"][row], dtype=np.intp)
        known = (pixels[:, 0] >= 0) & np.isfinite(columns["std"][row])
        measured = np.array([values.get(pixel, np.nan) for pixel in grid.ravel(pixels[known]).tolist()])
        spread = np.hypot(columns["std"][row][known], columns["noise_std"][row])
        found.append((measured - columns["mean"][row][known]) / np.where(spread > 0.0, spread, np.nan))
    errors = np.concatenate(found)
    return np.asarray(errors[np.isfinite(errors)])


def _calibration(moment: "Moment") -> Finding:
    z, name = standardised_errors(moment), "calibration"
    if len(z) < FEW:
        return Finding(name, "unknown", f"{len(z)} new values say too little of how well they were predicted.")
    rms, within = float(np.sqrt(np.mean(z**2))), float(np.mean(np.abs(z) < 2.0))
    told = (
        f"{len(z)} new values missed their prediction by {rms:.2f} times what the model said; "
        f"{within:.0%} lay within two deviations, {_WITHIN:.0%} should"
    )
    if 0.7 <= rms <= 1.4:
        return Finding(name, "good", f"{told}: its deviations can be trusted.", rms)
    advice = "it is surer than it may be" if rms > 1.0 else "it is less sure than it might be"
    return Finding(name, "doubt" if 0.4 < rms < 2.0 else "bad", f"{told}: {advice}.", rms)


def _noise(moment: "Moment") -> Finding:
    state, units = moment.state, _units(moment)
    if not state.n_measured or not isfinite(state.noise_std):
        return Finding("noise", "unknown", "No value, no noise.")
    noise = float(moment.record.iterations["noise_std"][moment.number])
    spread = float(np.std(state.mean.ravel()[state.grid.allowed]))
    if not spread > 0.0:
        return Finding("noise", "doubt", "The map has one value everywhere: noise and map cannot be told apart.")
    share = noise / spread
    verdict: Verdict = "good" if share < 0.3 else "doubt" if share < 1.0 else "bad"
    told = f"The noise of a value is {rounded(noise, 3)}{units}, {share:.0%} of the spread of the map"
    return Finding("noise", verdict, told + ("." if share < 1.0 else ": a longer exposure would tell more."), share)


def _length_scales(moment: "Moment") -> Finding:
    state, name = moment.state, "length scale"
    names = theta_names(state.covariance.kernel)  # of pixels: those of seconds come behind
    lengths = np.array([np.exp(t) for t, each in zip(state.theta, names, strict=False) if "length_scale" in each])
    if not state.n_measured or not len(lengths):
        return Finding(name, "unknown", "The kernel has no length scale, or nothing is known yet.")
    apart = float((state.grid.allowed.sum() / state.n_attempted) ** (1.0 / state.grid.ndim))
    ratio = float(lengths.min()) / apart
    words = " and ".join(f"{length:.3g}" for length in lengths)
    told = f"The map varies over {words} pixels, and measured pixels lie {apart:.3g} apart on average"
    if ratio >= 1.0:
        return Finding(name, "good", f"{told}: what lies between them is known.", ratio)
    verdict: Verdict = "doubt" if ratio >= 0.5 else "bad"
    return Finding(name, verdict, f"{told}: between them it is a guess; more pixels would tell.", ratio)


def _bounds(moment: "Moment") -> Finding:
    state, name = moment.state, "bounds"
    if not state.n_measured or not len(state.theta):
        return Finding(name, "unknown", "No hyperparameter was fitted.")
    named = state.fit.at_bounds
    if not named:
        return Finding(name, "good", "No hyperparameter is at its bound.", 0.0)
    return Finding(name, "doubt", f"At the bound of what a fit may find: {', '.join(named)}.", float(len(named)))


def _failures(moment: "Moment") -> Finding:
    state, name = moment.state, "failed pixels"
    if not state.n_attempted:
        return Finding(name, "unknown", "No pixel was attempted.")
    share = state.n_failed / state.n_attempted
    verdict: Verdict = "good" if share < 0.1 else "doubt" if share < 0.5 else "bad"
    return Finding(name, verdict, f"{state.n_failed} of {state.n_attempted} pixels failed, {share:.1%}.", share)


def _gain(moment: "Moment") -> Finding:
    columns, name, units = moment.record.iterations, "a hundred more", _units(moment)
    told = {key: float(columns[key][moment.number]) for key in ("map_error", "map_gain", "best_gain") if key in columns}
    num = int(columns["forecast_num"][moment.number]) if "forecast_num" in columns else 0
    if not num or not all(isfinite(value) for value in told.values()):
        return Finding(name, "unknown", "What more pixels would gain is not known.")
    share = told["map_gain"] / told["map_error"] if told["map_error"] > 0.0 else 0.0
    after = told["map_error"] - told["map_gain"]
    lower = f"{rounded(told['map_error'], 3)} to {rounded(after, 3)}{units}"
    sentence = (
        f"{num} more pixels would lower the error of the map from {lower}, "
        f"and better the best value by {rounded(told['best_gain'], 2)}{units}"
    )
    return Finding(name, "good" if share < 0.1 else "doubt", f"{sentence} on average.", share)


def _units(moment: "Moment") -> str:
    return f" {moment.record.units}" if moment.record.units else ""
