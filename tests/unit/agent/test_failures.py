"""The pixel that failed last, as a device that a plan sets and reads."""

import pytest
from ophyd.status import Status
from ophyd.utils import StatusTimeoutError

from bluesky_gp.agent.failures import Failure, Failures, reason


def test_what_is_set_is_read_and_set_again_after_a_rewind_it_is_the_same_reading():
    failures = Failures("gp_failures", ndim=2)
    assert failures.set(Failure((3, 4), "the shutter is stuck")).success
    first = failures.read()
    assert first["gp_failures_pixel"]["value"] == [3, 4]
    assert first["gp_failures_kind"]["value"] == "fault"
    failures.set(Failure((3, 4), "the shutter is stuck"))
    assert failures.read() == first and set(failures.describe()) == set(first)


def test_a_pixel_with_another_number_of_axes_is_refused():
    with pytest.raises(ValueError, match=r"gp_failures: a pixel has 2 axes, got \(3,\)"):
        Failures("gp_failures", ndim=2).check_value(Failure((3,), ""))


def test_the_reason_of_a_failed_status_is_its_cause():
    try:
        raise RuntimeError(Status()) from StatusTimeoutError("after 3 s")
    except RuntimeError as error:
        assert reason(error) == "StatusTimeoutError: after 3 s"
    assert reason(OSError("no beam")) == "OSError: no beam"
