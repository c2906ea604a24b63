"""What instead: the same decision by another rule."""

import json
import zlib

import pytest

from bluesky_gp.view.instead import instead
from bluesky_gp.view.moments import Moment


@pytest.fixture
def moment(place, kinds):
    return Moment(place.followed(kinds[1]["usual"]).record(), 5)


def told(frame):
    return json.loads(zlib.decompress(frame.body).partition(b"\n")[0])


def test_without_a_wish_the_decision_is_the_one_that_was_made(moment):
    found = told(instead(moment, {}))
    assert {each["pixel"] for each in found["chosen"]} == set(moment.proposed)
    assert found["common"] == found["recorded"] == 5


def test_a_share_of_nothing_explores_alone_and_of_all_pursues_alone(moment):
    for share in (0, 1):
        chosen = told(instead(moment, {"share": share}))["chosen"]
        assert {each["pursued"] for each in chosen} == {bool(share)}


def test_another_acquisition_function_chooses_other_pixels(moment):
    found = told(instead(moment, {"acquisition": "uncertainty", "share": 1}))
    assert found["common"] < 5


def test_a_batch_may_have_another_size(moment):
    assert len(told(instead(moment, {"batch_size": 8}))["chosen"]) == 8


@pytest.mark.parametrize("kind", ["usual", "one axis", "three axes"])
def test_another_kernel_learns_the_same_pixels(place, kinds, kind):
    moment = Moment(place.followed(kinds[1][kind]).record(), 3)
    maps = told(instead(moment, {"kernel": "matern12"}))["maps"]
    assert maps[0]["high"] != pytest.approx(moment.state.mean.max(), rel=1e-6)


def test_first_pixels_come_by_a_design_whatever_the_wish(place, kinds):
    first = Moment(place.followed(kinds[1]["usual"]).record(), 0)
    assert told(instead(first, {"acquisition": "ucb"}))["by_design"]


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"acquisition": "luck"}, "there is no acquisition function 'luck', there are ei, "),
        ({"kernel": "popcorn"}, "there is no kernel 'popcorn'"),
        ({"share": 2.0}, "batch is a share between 0 and 1"),
        ({"batch_size": 0}, "batch_size"),
        ({"colour": "red"}, "'colour' is no wish"),
    ],
)
def test_a_wish_that_cannot_be_met_is_said(moment, wishes, sentence):
    with pytest.raises(ValueError, match=sentence):
        instead(moment, wishes)
