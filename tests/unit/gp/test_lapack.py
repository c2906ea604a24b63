"""The routines of LAPACK: SciPy's numbers, and nobody has to wait for them."""

import sys
import threading
from time import monotonic, sleep

import numpy as np
import pytest
from scipy.linalg import blas, lapack, solve_triangular

from bluesky_gp.gp import lapack as own
from bluesky_gp.gp.blas import blas_threads


@pytest.fixture(params=[1, 2, 7, 130])
def problem(request):
    m, rng = request.param, np.random.default_rng(request.param)
    root = rng.standard_normal((m, m))
    return root @ root.T + m * np.eye(m), rng.standard_normal(m), rng.standard_normal((m, 40))


def test_they_give_the_same_bits_as_those_of_scipy(problem):
    K, b, many = problem
    with blas_threads(0):
        L, _ = lapack.dpotrf(K, lower=1)
        np.testing.assert_array_equal(own.factor(K), L)
        np.testing.assert_array_equal(np.tril(own.inverse(L)), np.tril(lapack.dpotri(L, lower=1)[0]))
        np.testing.assert_array_equal(own.solve(L, b), blas.dtrsv(L, blas.dtrsv(L, b, lower=1), lower=1, trans=1))
        np.testing.assert_array_equal(own.solve(L, many), lapack.dpotrs(L, many, lower=1)[0])
        np.testing.assert_array_equal(own.half(L, many), solve_triangular(L, many, lower=True))
        np.testing.assert_array_equal(own.half(L, b), solve_triangular(L, b, lower=True))


def test_a_reduction_is_the_sum_of_squares_of_the_half_solution(problem):
    K, _, many = problem
    L = own.factor(K)
    truth = np.square(own.half(L, many)).sum(axis=0)
    np.testing.assert_allclose(own.reduction(L, many), truth, rtol=1e-10)
    np.testing.assert_allclose(own.reduction_of_rows(L, many.copy()), truth, rtol=1e-10)
    np.testing.assert_allclose(own.reduction_given(K.copy(), many.copy(), 0.0), truth, rtol=1e-10)
    assert own.reduction_given(K.copy(), many.copy(), np.trace(K)) is None
    assert own.reduction_given(-K, many.copy(), 0.0) is None


def test_an_inverse_by_halves_is_the_inverse(problem):
    K, b, _ = problem
    found = own.quick_inverse(own.factor(K))
    truth = np.linalg.inv(K)
    np.testing.assert_allclose(np.tril(found), np.tril(truth), rtol=1e-9, atol=1e-14)
    own.subtract_square(found, b)
    np.testing.assert_allclose(np.tril(found), np.tril(truth - np.outer(b, b)), rtol=1e-9, atol=1e-14)


def test_arrays_laid_out_by_rows_are_read_as_they_are_meant(problem):
    K, b, many = problem
    L = own.factor(K)
    by_rows = np.ascontiguousarray(L)
    np.testing.assert_array_equal(own.solve(by_rows, b), own.solve(L, b))
    np.testing.assert_array_equal(own.half(by_rows, np.asfortranarray(many)[:, ::2]), own.half(L, many[:, ::2]))
    np.testing.assert_array_equal(own.inverse(by_rows), own.inverse(L))


def test_what_is_given_stays_as_it_was(problem):
    K, b, many = problem
    L = own.factor(K)
    before = K.copy(), b.copy(), many.copy(), L.copy()
    own.inverse(L), own.solve(L, b), own.solve(L, many), own.half(L, b), own.half(L, many), own.reduction(L, many)
    for now, then in zip((K, b, many, L), before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("m", [1, 7, 256, 600])
def test_a_factor_in_the_place_of_its_matrix_has_the_same_bits(m):
    root = np.random.default_rng(m).standard_normal((m, m))
    K = root @ root.T + m * np.eye(m)
    K += np.triu(K, 1) * 1e-3  # what is above the diagonal does not count
    truth, by_columns = own.factor(K), np.array(K, order="F")
    found = own.factor_of_rows(K)
    np.testing.assert_array_equal(found, truth)
    assert found.flags.f_contiguous and np.shares_memory(found, K)
    np.testing.assert_array_equal(own.factor_of_rows(by_columns), truth)


def test_what_is_not_positive_definite_has_no_factor():
    assert own.factor(np.array([[1.0, 2.0], [2.0, 1.0]])) is None
    assert own.factor_of_rows(np.array([[1.0, 2.0], [2.0, 1.0]])) is None


def test_other_threads_run_meanwhile(monkeypatch):
    real, inside, seen = own._DPOTRI, threading.Event(), threading.Event()

    def watched(*arguments):
        inside.set()
        real(*arguments)
        inside.clear()

    def look():
        while not seen.is_set():
            if inside.is_set():
                seen.set()
            sleep(0.0)

    monkeypatch.setattr(own, "_DPOTRI", watched)
    L, watcher, until = np.eye(400), threading.Thread(target=look, daemon=True), monotonic() + 60.0
    interval = sys.getswitchinterval()
    watcher.start()
    sys.setswitchinterval(600.0)  # nobody is made to give the interpreter up: who runs was let
    try:
        while not seen.is_set() and monotonic() < until:
            own.inverse(L)
        assert seen.is_set()
    finally:
        sys.setswitchinterval(interval)
        seen.set()
    watcher.join()
