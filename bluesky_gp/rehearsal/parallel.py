"""Independent jobs on all cores, or by an executor, each with one BLAS thread: more would wait for each other."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, as_completed
from time import process_time
from typing import Any

from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits

Progress = Callable[[int, int], None]
"""``f(done, total)``, called whenever a job is done."""

Timed = tuple[int, Any, float]  # place of a job, its result, CPU seconds


def run_all(
    jobs: Sequence[Callable[[], Any]], n_jobs: int, progress: Progress | None, executor: Executor | None = None
) -> tuple[list[Any], float]:
    """Run all in processes, or by an executor; return the results in order, and the CPU seconds they took."""
    results: dict[int, Any] = {}
    seconds = 0.0
    for place, result, took in _in_processes(jobs, n_jobs) if executor is None else _by(executor, jobs):
        results[place] = result
        seconds += took
        if progress is not None:
            progress(len(results), len(jobs))
    return [results[place] for place in range(len(jobs))], seconds


def _in_processes(jobs: Sequence[Callable[[], Any]], n_jobs: int) -> Iterable[Timed]:
    with parallel_config(backend="loky", n_jobs=n_jobs, inner_max_num_threads=1):
        calls = (delayed(_timed)(place, job) for place, job in enumerate(jobs))
        yield from Parallel(return_as="generator_unordered", batch_size=1)(calls)


def _by(executor: Executor, jobs: Sequence[Callable[[], Any]]) -> Iterable[Timed]:
    calls = [executor.submit(_alone, place, job) for place, job in enumerate(jobs)]
    try:
        for call in as_completed(calls):
            yield call.result()
    finally:  # of a rehearsal that fails or is interrupted
        for call in calls:
            call.cancel()


def _alone(place: int, job: Callable[[], Any]) -> Timed:
    with threadpool_limits(1):
        return _timed(place, job)


def _timed(place: int, job: Callable[[], Any]) -> Timed:
    began = process_time()
    result = job()
    return place, result, process_time() - began
