"""Values that all the others contradict."""

import numpy as np

from bluesky_gp.gp.cholesky import CholeskySolver
from bluesky_gp.gp.fit import FitProblem
from bluesky_gp.typing import Floats


def outlier_noise(problem: FitProblem, theta: Floats, threshold: float) -> Floats:
    """Variance to add to values that the others contradict, shape ``(m,)``; zero for all the rest.

    The value with the largest leave-one-out error (Rasmussen & Williams 2006, eq. 5.12) gets so much noise that its
    error is `threshold` standard deviations of its prediction; then the next, until none exceeds that. One after
    another, because an outlier makes its neighbours look like ones. At most a tenth of the values are doubted.
    """
    K = problem.noisy(theta)
    extra = np.zeros(len(problem.S))
    for _ in range(max(1, len(extra) // 10)):
        solver = CholeskySolver.factorise(K + np.diag(extra))
        precision = solver.precision()
        error = problem.trend.estimate(problem.S, problem.y, solver).alpha / precision
        too_far = (error / threshold) ** 2 - 1.0 / precision
        worst = int(np.argmax(too_far * precision))
        if too_far[worst] * precision[worst] <= 1e-6:
            break
        extra[worst] += too_far[worst]
    return extra
