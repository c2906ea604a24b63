"""A recommendation on seeds that it was not made from; where it does not hold, a better one from all seeds together.

Of the configurations that a few seeds compare, the one that had luck is recommended. Other seeds show that.
"""

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from math import floor
from typing import Any

from bluesky_gp.rehearsal.enough import level
from bluesky_gp.rehearsal.parallel import Progress, run_all
from bluesky_gp.rehearsal.rehearsal import Recommendation, Rehearsal, result
from bluesky_gp.rehearsal.rehearsing import agent_job
from bluesky_gp.rehearsal.run import Run

_FORGONE = 0.2  # of the variance explained: twice what the rule forgives, as medians of a few seeds differ


@dataclass(frozen=True, eq=False)
class Check:
    """A recommendation on other seeds.

    It holds if all but one as many of them found the maximum as it claims, and the error of the map is at most a tenth
    larger and explains four fifths of the variance that it claims to.
    """

    tried: Recommendation
    seeds: tuple[int, ...]
    found: int  # of them, that had measured a pixel as good as the maximum after so many points
    error: float  # of the map then, median
    holds: bool
    runs: tuple[Run, ...] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "configuration": self.tried.configuration.name,
            "num": self.tried.num,
            "seeds": list(self.seeds),
            "found": self.found,
            "error": self.error,
            "holds": self.holds,
        }


def check(
    rehearsal: Rehearsal,
    seeds: Iterable[int] | None = None,
    *,
    n_jobs: int = -1,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Check:
    """Try what a rehearsal recommends on seeds that it was not made from.

    Parameters
    ----------
    rehearsal : Rehearsal
    seeds : iterable of int, optional
        Default: as many as those of the rehearsal, behind all that it has seen.
    n_jobs, executor, progress
        As in `rehearse`.
    """
    advice = rehearsal.recommended
    behind = max(run.seed for run in rehearsal.runs) + 1
    fresh = tuple(range(behind, behind + len(rehearsal.seeds)) if seeds is None else seeds)
    jobs = [agent_job(rehearsal.full, advice.configuration, seed, rehearsal.num) for seed in fresh]
    runs = tuple(run for found in run_all(jobs, n_jobs, progress, executor)[0] for run in found)
    found, error = result(runs, advice.num, rehearsal.required.near)
    as_often = found >= floor(advice.found / advice.n_seeds * len(fresh)) - 1
    good = max(level(advice.error, 0.0, _FORGONE), rehearsal.required.level if advice.enough else 0.0)
    return Check(advice, fresh, found, error, as_often and error <= good, runs)


def confirm(
    rehearsal: Rehearsal,
    rounds: int = 4,
    *,
    n_jobs: int = -1,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> tuple[Rehearsal, list[Check]]:
    """Check a recommendation, and as long as it does not hold, recommend anew with the seeds of the check as well.

    Returns
    -------
    rehearsal : Rehearsal
        With the runs of every check that did not hold: what it recommends was checked last.
    checks : list of Check
        The last holds, unless `rounds` were not enough. None where nothing can be learnt.
    """
    if not rehearsal.learnable:
        return rehearsal, []
    checks: list[Check] = []
    while True:
        checks.append(check(rehearsal, n_jobs=n_jobs, executor=executor, progress=progress))
        if checks[-1].holds or len(checks) == rounds:
            return rehearsal, checks
        rehearsal = rehearsal.with_runs(checks[-1].runs)
