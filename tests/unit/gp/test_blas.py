"""Threads: one of BLAS for small matrices, a processor left to others by large ones."""

from contextlib import nullcontext

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from bluesky_gp.gp.blas import blas_threads, processors


@pytest.fixture(autouse=True)
def two_threads():
    """As many as a session has on two processors: the tests have one."""
    with threadpool_limits(2):
        yield


def threads():
    np.ones((2, 2)) @ np.ones((2, 2))
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_small_matrices_get_one_thread_and_the_others_come_back():
    before = threads()
    with blas_threads(10):
        assert set(threads()) == {1}
    assert threads() == before


@pytest.mark.parametrize(("there", "used"), [(1, 1), (2, 1), (4, 3), (64, 7)])
def test_large_matrices_leave_a_processor_to_the_run_engine(monkeypatch, there, used):
    monkeypatch.setattr("bluesky_gp.gp.blas.cpu_count", lambda: there)
    processors.cache_clear()
    before, asked = threads(), []
    monkeypatch.setattr("bluesky_gp.gp.blas._controller", lambda: Asked(asked))
    try:
        with blas_threads(100_000):
            assert asked == [used]
        with blas_threads(100):
            assert asked == [used, 1]
    finally:
        processors.cache_clear()
    assert threads() == before


def test_large_matrices_never_get_more_than_there_are():
    with blas_threads(100_000):
        assert max(threads()) <= processors()


class Asked:
    """A controller that notes how many threads it was asked for."""

    def __init__(self, asked):
        self._asked = asked

    def limit(self, *, limits, user_api):
        self._asked.append(limits)
        return nullcontext()


def test_the_threads_come_back_after_an_error():
    before = threads()
    with pytest.raises(np.linalg.LinAlgError), blas_threads(3):
        np.linalg.inv(np.zeros((3, 3)))
    assert threads() == before
