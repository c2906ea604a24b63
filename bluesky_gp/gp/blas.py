"""Threads, chosen in one place: of BLAS, of FFTs and of our own.

A thread of BLAS waits by running on, and one that shares its processor with somebody else's work keeps all others
waiting: a Cholesky factor of 1000 rows took 1.6 s on two threads where one took 0.09 s, on two busy processors. So
small matrices get one, and large ones leave a processor to the RunEngine. Those of FFTs and our own sleep while they
wait, and may have all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from joblib import cpu_count
from threadpoolctl import ThreadpoolController

_SMALL = 1500  # rows; below, a second thread gains nothing and, beside a busy one, costs up to 100 times
_MOST = 8  # threads: transforms wait for memory, and more than a few do so together


@cache
def processors() -> int:
    """Processors that this process may use, at most eight: a container or a batch job has fewer than the machine."""
    return min(int(cpu_count()), _MOST)


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks at every loaded library, which takes milliseconds


@contextmanager
def blas_threads(n_rows: int) -> Iterator[None]:
    """Let BLAS use one thread while matrices have few rows, and for large ones all processors but one."""
    with _controller().limit(limits=1 if n_rows < _SMALL else max(1, processors() - 1), user_api="blas"):
        yield
