"""Sessions whose runs are recorded, and gone on with by others."""

from copy import deepcopy

import pytest
from bluesky import RunEngine
from recorded_runs import NUM

from bluesky_gp import PixelOptimizer


@pytest.fixture(scope="session")
def session(make_bench):
    """Makes what a new session has: stage, detector, optimizer and agent, which know nothing of earlier runs."""
    return lambda **options: make_bench(optimizer=PixelOptimizer, **{"batch_size": 5, "n_initial": 5, **options})


@pytest.fixture(scope="session")
def uninterrupted(session):
    """The documents of a run that nothing interrupted, measured once."""
    RE, documents = RunEngine({}, context_managers=[]), []  # noqa: N806
    RE(session().map(NUM), lambda *document: documents.append(document))
    return documents


@pytest.fixture
def whole(uninterrupted):
    """The documents of a run that nothing interrupted, to do with as one likes."""
    return deepcopy(uninterrupted)
