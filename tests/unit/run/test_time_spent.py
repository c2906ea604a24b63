"""Where the time of a run went, out of its record."""

from math import isnan

import pytest

from bluesky_gp.run import RunRecord, TimeSpent

START = {
    "uid": "run",
    "time": 100.0,
    "gp": {
        "agent": "gp",
        "target": "det_height",
        "grid": {"shape": [4, 4]},
        "axes": {"keys": ["row", "col"], "space": "pixel"},
    },
}
NUMBER = {"dtype": "number", "shape": [], "source": "x"}


def documents(exposure=0.5, stop=True):
    """Three pixels, and two decisions of 0.2 s each."""
    configured = {} if exposure is None else {"det_exposure": exposure}
    keys = {"row": NUMBER, "col": NUMBER, "det_height": {**NUMBER, "object_name": "det"}}
    primary = {"uid": "p", "run_start": "run", "name": "primary", "data_keys": keys}
    yield "start", START
    yield "descriptor", {**primary, "configuration": {"det": {"data": configured, "data_keys": {}}}}
    yield "descriptor", {"uid": "g", "run_start": "run", "name": "gp", "data_keys": {}, "configuration": {}}
    for number in range(2):
        data = {"gp_iteration": number, "gp_fit_time": 0.15, "gp_propose_time": 0.05}
        yield "event", {"uid": f"g{number}", "descriptor": "g", "seq_num": number + 1, "time": 101.0, "data": data}
    for number in range(3):
        data = {"row": number, "col": 0, "det_height": 1.0}
        yield (
            "event",
            {"uid": str(number), "descriptor": "p", "seq_num": number + 1, "time": 102.0 + number, "data": data},
        )
    if stop:
        yield "stop", {"uid": "s", "run_start": "run", "time": 105.0, "exit_status": "success"}


def spent(**options):
    return TimeSpent.of(RunRecord.from_documents(documents(**options)))


def test_exposures_and_decisions_are_counted_and_the_rest_is_what_is_left():
    found = spent()
    assert (found.whole, found.exposing) == (5.0, 1.5) and found.deciding == pytest.approx(0.4)
    assert found.rest == pytest.approx(3.1)


def test_a_run_that_goes_on_is_counted_to_its_last_pixel():
    assert spent(stop=False).whole == 4.0


@pytest.mark.parametrize("stated", [None, "long"])
def test_a_detector_that_states_no_exposure_leaves_that_open(stated):
    found = spent(exposure=stated)
    assert isnan(found.exposing) and found.rest == pytest.approx(4.6)
    assert found.to_mapping()["exposing"] is None


def test_what_the_plan_counted_wins_over_what_the_configuration_states():
    counted = {"gp_exposing_time": 2.0, "gp_moving_time": 1.0, "gp_waiting_time": 0.1, "gp_recording_time": 0.5}
    told = [
        (name, {**doc, "data": {**doc["data"], **counted}} if "gp_fit_time" in doc.get("data", {}) else doc)
        for name, doc in documents()
    ]
    found = TimeSpent.of(RunRecord.from_documents(told))
    assert (found.exposing, found.moving, found.waiting, found.recording) == (2.0, 1.0, 0.1, 0.5)
    assert found.rest == pytest.approx(1.4) and found.deciding == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("spent", "advice"),
    [
        (
            TimeSpent(10.0, 5.0, 4.0, waiting=4.0),
            "decisions took 4 s, batches 5 s: the instrument waited 40% of the time",
        ),
        (TimeSpent(10.0, 5.0, 4.0), "the instrument waited 40% of the time"),
        (TimeSpent(10.0, 5.0, 4.0, waiting=0.5), "overlap saved 3.5 s of waiting"),
        (TimeSpent(10.0, 9.6, 0.2, waiting=0.2), ""),
    ],
)
def test_overlap_is_spoken_of_where_it_saves_a_twentieth(spent, advice):
    assert (advice in spent.advice) if advice else spent.advice == ""
