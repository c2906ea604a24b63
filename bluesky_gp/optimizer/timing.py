"""Seconds that the next decision will take, from two speeds of this machine that are measured once."""

from collections.abc import Callable
from functools import cache
from time import perf_counter

import numpy as np
from scipy.fft import irfft, rfft
from scipy.linalg import cholesky

from bluesky_gp.gp import BLOCK, DENSE, EXACT, IN_BLOCKS, LIKELIHOOD, RELATED, blas_threads

_ITERATIONS = 10  # of conjugate gradients a solution
_OVERHEAD = 8e-4  # s: Python, for each evaluation and each pixel
_SCORE = 3e-7  # s: the acquisition function and the bookkeeping, for each candidate and pixel of the batch


def decision_seconds(n_pixels: int, m: int, batch: int, evaluations: int) -> float:
    """Return about how many seconds learning from `m` measured pixels and choosing a batch will take.

    Within a factor of two to three: enough to tell milliseconds from seconds from minutes.

    Parameters
    ----------
    n_pixels : int
        Pixels of the lattice.
    m : int
        Measured pixels, the next batch included.
    batch : int
        Pixels to choose.
    evaluations : int
        Of the likelihood, by a fit; 0 if none is due.
    """
    pair, flop = _fft_pair(n_pixels), _seconds_per_flop()
    solution = 4.0 * m * m * flop if m <= DENSE else _ITERATIONS * pair
    choice = batch * (pair + solution + _OVERHEAD + _SCORE * n_pixels)
    if not evaluations:
        return choice + 2.0 * batch * m * m * flop
    together, looked_at = (m, m) if m <= LIKELIHOOD else (BLOCK, min(m, IN_BLOCKS))
    fit = evaluations * (_OVERHEAD + looked_at * (together**2 + 60.0 * together) * flop)
    exact = n_pixels * m * m
    variance = exact if exact <= EXACT else n_pixels * (RELATED**2 + RELATED**3 / 500)
    factor = m**3 / 3 if m <= DENSE else 3e4 * m
    return choice + fit + (variance + factor) * flop


@cache
def _seconds_per_flop() -> float:
    n = 400
    K = np.eye(n) + 1.0
    with blas_threads(n):
        return _shortest(lambda: cholesky(K, lower=True)) / (n**3 / 3)


@cache
def _fft_pair(n_pixels: int) -> float:
    """Seconds of a transform and its inverse on the padded lattice, four times as large."""
    n = 1 << 14
    line = np.zeros(n)
    each = _shortest(lambda: irfft(rfft(line))) / (n * np.log2(n))
    return float(each * 4 * n_pixels * np.log2(4 * n_pixels))


def _shortest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of five runs: others may be at work on this machine."""
    seconds = []
    for _ in range(5):
        began = perf_counter()
        work()
        seconds.append(perf_counter() - began)
    return min(seconds)
