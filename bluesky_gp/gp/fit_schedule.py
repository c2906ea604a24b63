"""The schedule of fits: when one is due, where it starts and which pixels it looks at."""

from typing import NamedTuple

import numpy as np
from scipy.spatial import KDTree
from scipy.special import chdtri

from bluesky_gp.gp.kernel_choice import KernelChoice
from bluesky_gp.typing import Floats, Indices

_MANY_STARTS = 60  # measured pixels up to which every fit starts from all of `starts`
_RESTARTS = (80, 100, 150, 200)  # and counts at which it starts from the first of them once more
LIKELIHOOD = 1000  # measured pixels that a fit looks at
_CLUSTER = 100
_WORK = 4  # starts that take as long as one of a search, with its candidates and what is followed to the end


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

    @property
    def work(self) -> int:
        """Number of starts that would take as long."""
        return len(self.given) + _WORK * self.n_restarts


def starts_for(choice: KernelChoice, theta: Floats, n_measured: int, n_fitted: int) -> Starts:
    """Return where a fit starts: at the last hyperparameters, and elsewhere while few pixels may have misled them."""
    if n_measured <= _MANY_STARTS:
        return Starts([theta, *choice.starts], choice.candidates, choice.n_restarts)
    if any(n_fitted < count <= n_measured for count in _RESTARTS):
        return Starts([theta, *choice.starts[:1]], choice.candidates, choice.n_restarts)
    return Starts([theta])
