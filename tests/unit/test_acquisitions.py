"""What holds for every acquisition function that has a name."""

import pytest

import bluesky_gp
from bluesky_gp.acquisitions import BY_NAME
from bluesky_gp.cli.demo import ACQUISITIONS
from bluesky_gp.protocols import Acquisition, MapAcquisition

every = pytest.mark.parametrize("name", BY_NAME)


@every
def test_it_has_a_name_for_users_too(name):
    kind = BY_NAME[name]
    assert isinstance(kind(), Acquisition | MapAcquisition)
    assert getattr(bluesky_gp, kind.__name__) is kind


def test_the_command_line_takes_every_name():
    assert set(ACQUISITIONS) == set(BY_NAME)
