"""Sessions whose runs are recorded, and gone on with by others."""

import pytest
from recorded_runs import NUM

from bluesky_gp import PixelOptimizer


@pytest.fixture
def session(make_bench):
    """Makes what a new session has: stage, detector, optimizer and agent, which know nothing of earlier runs."""
    return lambda **options: make_bench(optimizer=PixelOptimizer, **{"batch_size": 5, "n_initial": 5, **options})


@pytest.fixture
def whole(session, RE, docs):
    """The documents of a run that nothing interrupted."""
    RE(session().map(NUM))
    documents, docs.all[:] = list(docs.all), []
    return documents
