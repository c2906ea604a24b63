"""Clauses of the agent: none of its decisions is missing, each can be made again, and it says what made them."""

from typing import cast

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.plain_data import make_setting
from bluesky_gp.replay import replay
from bluesky_gp.run import steps_of, versions
from bluesky_gp.verify.evidence import BrokenClause, Evidence

_ROUNDING = 1e-9


def all_there(run: Evidence) -> str | None:
    """No decision is missing, and no pixel that one of them knew."""
    if not run.gp:
        return None
    try:
        steps = steps_of(run.record)
    except ValueError as error:
        raise BrokenClause(str(error)) from error
    before = f" after {len(run.record.inherited.steps)} of the run that it resumes" if run.record.inherited.uid else ""
    return f"{len(steps)} decisions{before}, none missing, each with the pixels that it knew"


def within_bounds(run: Evidence) -> str | None:
    """Hyperparameters of pixels, those of an image and of time behind them left out, lie inside the kernel's bounds."""
    if not run.gp or "kernel" not in run.gp or not len(run.record.iterations):
        return None
    kernel = cast(Kernel, run.given["kernel"] if "kernel" in run.given else make_setting("kernel", run.gp["kernel"]))
    theta = np.asarray(run.record.iterations["kernel_theta"], dtype=np.float64)
    low, high = kernel.bounds.reshape(-1, 2).T
    theta = theta[:, : len(low)]
    inside = (theta >= low - _ROUNDING) & (theta <= high + _ROUNDING)
    if not inside.all():
        decision, number = np.argwhere(~inside)[0]
        raise BrokenClause(
            f"decision {run.record.iterations['iteration'][decision]:.0f}: hyperparameter {number} is "
            f"{theta[decision, number]:.4g} (a logarithm), its bounds {low[number]:.4g} and {high[number]:.4g}"
        )
    return f"{theta.shape[1]} hyperparameters of {len(theta)} decisions lie inside their bounds"


def repeated(run: Evidence) -> str | None:
    """Every decision that is made again comes out as it was recorded, on another processor but for rounding."""
    if not run.gp or "kernel" not in run.gp:
        return None
    result = replay(run.documents, **run.given)
    if not result.repeats:
        raise BrokenClause(str(result.difference or "there is no decision to make again"))
    maps = f" and {result.n_maps} maps" if result.n_maps else ""
    how = "bit for bit" if result.identical else f"but for rounding ({result.difference}, here {result.arithmetic[1]})"
    return f"{result.n_iterations} decisions{maps} come out the same when they are made again, {how}"


def with_versions(run: Evidence) -> str | None:
    """The record names the versions of what computed the decisions."""
    if not run.gp:
        return None
    recorded = run.gp.get("versions") or {}
    missing = [package for package, _ in versions() if package not in recorded]
    if missing:
        raise BrokenClause(f"the record does not name the version of {', '.join(missing)}")
    others = [f"{name} {recorded[name]}, here {here}" for name, here in versions() if recorded[name] != here]
    return f"recorded with {'; '.join(others) or f'the versions that are here, bluesky_gp {versions()[0][1]}'}"
