"""BLAS threads: one for small matrices."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from bluesky_gp.gp.blas import blas_threads


def threads():
    np.ones((2, 2)) @ np.ones((2, 2))
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_small_matrices_get_one_thread_and_the_others_come_back():
    before = threads()
    with blas_threads(10):
        assert set(threads()) == {1}
    assert threads() == before


def test_large_matrices_get_all():
    before = threads()
    with blas_threads(100_000):
        assert threads() == before


def test_the_threads_come_back_after_an_error():
    before = threads()
    with pytest.raises(np.linalg.LinAlgError), blas_threads(3):
        np.linalg.inv(np.zeros((3, 3)))
    assert threads() == before
