"""One thread of BLAS and of OpenMP in each process of the tests, which share the processors already.

A thread of BLAS waits by running on. With a worker of pytest on each processor, two threads in each took three times
the processor time of one, for the same numbers.
"""

import os

from threadpoolctl import threadpool_limits

os.environ["OMP_NUM_THREADS"] = "1"  # heard by OpenBLAS too: of what is loaded later, in the processes that tests start
threadpool_limits(1)  # of what a plugin of pytest has loaded already
