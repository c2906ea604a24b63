"""BLAS threads, on purpose: one for small matrices, where several would wait for each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

_SMALL = 1500  # rows; below, a second thread gains nothing and, beside a busy one, costs up to 100 times


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks at every loaded library, which takes milliseconds


@contextmanager
def blas_threads(n_rows: int) -> Iterator[None]:
    """Let BLAS use one thread while matrices have few rows, and all that it has for large ones."""
    if n_rows >= _SMALL:
        yield
        return
    with _controller().limit(limits=1, user_api="blas"):
        yield
