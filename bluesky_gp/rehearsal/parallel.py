"""Independent jobs on all cores, each with one BLAS thread: more would wait for each other."""

from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

from joblib import Parallel, delayed, parallel_config

Progress = Callable[[int, int], None]
"""``f(done, total)``, called whenever a job is done."""


def run_all(jobs: Sequence[Callable[[], Any]], n_jobs: int, progress: Progress | None) -> tuple[list[Any], float]:
    """Run all in processes of one BLAS thread each; return the results in order, and the CPU seconds they took."""
    results: dict[int, Any] = {}
    seconds = 0.0
    with parallel_config(backend="loky", n_jobs=n_jobs, inner_max_num_threads=1):
        calls = (delayed(_timed)(place, job) for place, job in enumerate(jobs))
        for place, result, took in Parallel(return_as="generator_unordered", batch_size=1)(calls):
            results[place] = result
            seconds += took
            if progress is not None:
                progress(len(results), len(jobs))
    return [results[place] for place in range(len(jobs))], seconds


def _timed(place: int, job: Callable[[], Any]) -> tuple[int, Any, float]:
    began = process_time()
    result = job()
    return place, result, process_time() - began
