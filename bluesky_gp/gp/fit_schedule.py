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
IN_BLOCKS, BLOCK = 2000, 250  # those that it looks at in blocks of neighbours, and in each block, at most
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


def likelihood_blocks(coordinates: Floats) -> list[Indices]:
    """Choose blocks of neighbours among very many measured pixels that a fit looks at, as if they were independent.

    The places of each among the measured ones; of more than 2000 pixels some blocks are left out. Beside a thousand
    pixels together, they take a fifth of the time; of 1100 values the log density at what they lead to is 0.15 +- 0.12
    lower, of 2500 values 4 higher and more, as they look at twice as many. Until there are about a fifth more pixels
    cuts stay nearly where they are, and the same blocks are looked at: from fit to fit hyperparameters move little.
    """
    num = _round(-(-len(coordinates) // BLOCK))
    blocks = _halved(coordinates, np.arange(len(coordinates)), num)
    order = np.random.default_rng(num).permutation(num)
    return [blocks[i] for i in order[: IN_BLOCKS * num // len(coordinates)]]


def _round(number: int) -> int:
    """Return the next number of 1, 2, ..., 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, ..."""
    step = max(1, 1 << ((number - 1).bit_length() - 3)) if number > 8 else 1
    return -(-number // step) * step


def looked_at(S: Indices, coordinates: Floats, *, in_blocks: bool) -> tuple[Indices, tuple[int, ...]]:
    """Return which measured pixels a fit looks at, and how many each block of them has; (): it takes them together."""
    if not in_blocks or len(S) <= LIKELIHOOD:
        return likelihood_pixels(S, coordinates), ()
    blocks = likelihood_blocks(coordinates)
    return np.concatenate(blocks), tuple(len(block) for block in blocks)


def _halved(coordinates: Floats, places: Indices, num: int) -> list[Indices]:
    """Cut pixels into so many blocks across their longest side, again and again."""
    if num == 1:
        return [places]
    axis = int(np.argmax(np.ptp(coordinates[places], axis=0)))
    along = places[np.argsort(coordinates[places, axis], kind="stable")]
    first = len(places) * (num // 2) // num
    return [
        *_halved(coordinates, along[:first], num // 2),
        *_halved(coordinates, along[first:], num - num // 2),
    ]


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
