"""Writers of the files that other programs write, in a folder of the test."""

from functools import partial

import pytest
from spectrum_files import write_hyperspy, write_nsid, write_usid


@pytest.fixture
def hyperspy(tmp_path):
    return partial(write_hyperspy, tmp_path / "map.hspy")


@pytest.fixture
def usid(tmp_path):
    return partial(write_usid, tmp_path / "map.h5")


@pytest.fixture
def nsid(tmp_path):
    return partial(write_nsid, tmp_path / "map.hf5")
