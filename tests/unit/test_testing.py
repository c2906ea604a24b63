"""The contracts pass what is right and find what is wrong, each fault by the test that is about it."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import bluesky_gp

pytestmark = pytest.mark.slow

BROKEN = [Path(__file__).parent / name for name in ("broken_devices.py", "broken_acquisitions.py")]

RIGHT = {"Axis": 10, "PixelStage": 10, "Detector": 10, "Sound": 7, "Random": 7}  # with so many tests at least
FAULTS = {
    "NotCallable": "test_it_speaks_a_protocol",
    "HalfWithoutNumber": "test_it_has_a_number_for_every_pixel_that_may_be_proposed",
    "WritesIntoTheMap": "test_it_leaves_what_it_is_given_as_it_is",
    "DrawsElsewhere": "test_it_is_repeated_by_its_seed",
    "CountsItsCalls": "test_it_is_repeated_by_its_seed",
    "AddsSquares": "test_the_choice_does_not_depend_on_the_unit_of_the_target",
    "KnowsTheSign": "test_the_smallest_is_sought_as_the_largest_of_the_negative",
    "Lopsided": "test_a_mirrored_or_turned_map_gives_mirrored_or_turned_choices",
    "ClippingAxis": "test_it_does_not_clip",
    "EndlessAxis": "test_it_is_where_it_was_sent_when_its_status_ends",
    "EarlyAxis": "test_it_is_where_it_was_sent_when_its_status_ends",
    "NaNAxis": "test_it_refuses_what_is_no_number_and_does_not_move",
    "WrongTypeAxis": "test_its_readings_are_what_it_describes",
    "ArrayAxis": "test_its_readings_are_what_it_describes",
    "NamelessAxis": "test_it_speaks_the_protocols",
    "UnhintedAxis": "test_its_events_say_where_it_is",
    "StopsForEverAxis": "test_it_can_be_stopped_and_moves_again",
    "StagedOnceAxis": "test_it_can_be_staged_again_and_again",
    "LooseStage": "test_it_refuses_masked_pixels",
    "StaleDetector": "test_each_event_is_of_its_own_exposure",
    "EndlessDetector": "test_its_status_ends",
    "BlockingDetector": "test_its_trigger_does_not_wait_for_the_exposure",
    "Float32Detector": "test_its_events_are_what_it_describes",
    "WrongShapeDetector": "test_its_events_are_what_it_describes",
    "UndescribedArrayDetector": "test_its_events_are_what_it_describes",
    "GrowingDetector": "test_its_events_are_what_it_describes",
    "HintsArrayDetector": "test_it_hints_numbers",
    "NoAxisDetector": "test_its_axis_fits_its_spectrum",
    "FrozenClockDetector": "test_each_exposure_has_a_time_of_its_own",
    "ChangedByStagingDetector": "test_staging_leaves_its_configuration_as_it_was",
    "DeafDetector": "test_an_exposure_that_is_given_up_ends_and_the_next_one_works",
    "NegativeExposureDetector": "test_its_exposure_must_be_a_duration",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What the contracts say of every one: ``{class: {test: "" or the message}}``."""
    report = tmp_path_factory.mktemp("contracts") / "report.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        *map(str, BROKEN),
        f"--junitxml={report}",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(command, cwd=BROKEN[0].parent, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stdout + done.stderr
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - our own
        fault = case.find("failure") if case.find("failure") is not None else case.find("error")
        tests = found.setdefault(case.get("classname").rpartition(".Test")[2], {})
        name = case.get("name").partition("[")[0]
        tests[name] = tests.get(name) or ("" if fault is None else fault.get("message"))
    return found


@pytest.mark.parametrize(("one", "num"), RIGHT.items())
def test_one_without_faults_passes(outcomes, one, num):
    assert [message for message in outcomes[one].values() if message] == []
    assert len(outcomes[one]) >= num


@pytest.mark.parametrize("one", FAULTS)
def test_a_fault_is_found_by_the_test_that_is_about_it(outcomes, one):
    assert outcomes[one][FAULTS[one]]


def test_every_broken_one_is_looked_for(outcomes):
    assert {*outcomes} == {*RIGHT, *FAULTS}


def test_a_message_says_which_device_what_was_got_and_what_to_do(outcomes):
    endless = outcomes["EndlessDetector"]["test_its_status_ends"]
    assert "det: its Status did not end within 0.3 s. Finish it" in endless
    clipping = outcomes["ClippingAxis"]["test_it_does_not_clip"]
    assert "was sent to pixel (-1.0, 0.0), its Status ended well, and its read-back is 1 steps away" in clipping


def test_without_a_contract_nothing_needs_pytest():
    code = "import sys; sys.modules['pytest'] = None; import bluesky_gp.testing; bluesky_gp.testing.ListOptimizer"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(bluesky_gp.__file__).parent.parent)
