"""The schedule of fits: when one is due, where it starts and which pixels it looks at."""

from typing import NamedTuple

import numpy as np
from scipy.spatial import KDTree
from scipy.special import chdtri

from bluesky_gp.gp.kernel_choice import KernelChoice
from bluesky_gp.typing import Floats, Indices

_MANY_STARTS = 60  # measured pixels up to which every fit starts from all of `starts`
_RESTARTS = (80, 100, 150, 200)  # and counts at which it starts from the first of them once more
_SECOND_START = (20, 40, 80, 150)  # by curvature
LIKELIHOOD = 1000  # measured pixels that a fit looks at
_CLUSTER = 100
_WORK = 72  # evaluations of one start of a search, with its candidates and what is followed to the end
_FROM_THE_LAST, _FROM_ELSEWHERE = 18, 6  # evaluations by L-BFGS: elsewhere there are a few, before the best goes on
_CURVED, _CURVED_FROM_ELSEWHERE = 5, 14  # by steps that know how the density curves


def refit_due(n_measured: int, n_fitted: int) -> bool:
    """Say whether enough pixels came since the last fit.

    Every batch to 150, then 20 more, then 40 more or a tenth: the share of new pixels falls, and with it what they
    can change, while the cost of a fit grows as m^3.
    """
    fresh = n_measured - n_fitted
    if n_measured <= 150:
        return fresh > 0
    return fresh >= (20 if n_measured <= 250 else max(40, n_fitted // 10))


def contradicts(z: Floats) -> bool:
    """Say whether new values contradict the model: their standardised errors of prediction, shape ``(k,)``.

    The sum of squares of k of them is chi-squared distributed with k degrees of freedom where the model is right (the
    correlation of neighbours apart); beyond its 0.1 % quantile the hyperparameters are fitted again at once.
    """
    return bool(z @ z > chdtri(len(z), 1e-3)) if len(z) else False


def likelihood_pixels(S: Indices, coordinates: Floats) -> Indices:
    """Choose which of very many measured pixels a fit looks at: indices into S, shape ``(min(m, 1000),)``.

    Ten clusters of a hundred neighbours: pairs at short lags, which say what the noise is and how smooth the map, and
    at long ones. A thousand pixels know the hyperparameters to a few per cent, and cost 40 ms an evaluation.
    """
    if len(S) <= LIKELIHOOD:
        return np.arange(len(S))
    rng = np.random.default_rng(len(S))
    centres = rng.choice(len(S), LIKELIHOOD // _CLUSTER, replace=False)
    chosen = np.unique(KDTree(coordinates).query(coordinates[centres], k=_CLUSTER)[1])
    others = np.setdiff1d(np.arange(len(S)), chosen)
    return np.sort(np.concatenate([chosen, rng.choice(others, LIKELIHOOD - len(chosen), replace=False)]))


class Starts(NamedTuple):
    """Starts of a fit: those given, and so many more of the most probable candidates."""

    given: list[Floats]
    candidates: tuple[Floats, ...] = ()
    n_restarts: int = 0


def starts_for(choice: KernelChoice, theta: Floats, n_measured: int, n_fitted: int) -> Starts:
    """Return where a fit starts: at the last hyperparameters, and elsewhere while few pixels may have misled them.

    Steps by curvature lead to the same optimum from nearly everywhere, where there are priors, and each is followed to
    its end: of 40 fits to eight kinds of maps the last hyperparameters missed the best of five starts in two, both to
    20 pixels, and those with the first of `starts` in none.
    """
    if choice.by_curvature:
        again = not n_fitted or any(n_fitted < count <= n_measured for count in _SECOND_START)
        return Starts([theta, *choice.starts[:1]] if again else [theta], choice.candidates, choice.n_restarts)
    if n_measured <= _MANY_STARTS:
        return Starts([theta, *choice.starts], choice.candidates, choice.n_restarts)
    if any(n_fitted < count <= n_measured for count in _RESTARTS):
        return Starts([theta, *choice.starts[:1]], choice.candidates, choice.n_restarts)
    return Starts([theta])


def evaluations_due(choice: KernelChoice, n_measured: int, n_fitted: int) -> int:
    """Return about how many evaluations of the likelihood the fit takes that is due; 0: none is."""
    if not refit_due(n_measured, n_fitted):
        return 0
    starts = starts_for(choice, choice.kernel.theta, n_measured, n_fitted)
    others = len(starts.given) - 1
    if choice.by_curvature and not starts.n_restarts:
        return _CURVED + _CURVED_FROM_ELSEWHERE * others
    return _FROM_THE_LAST + _FROM_ELSEWHERE * (others + bool(others)) + _WORK * starts.n_restarts
