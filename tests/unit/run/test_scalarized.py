"""The scalarizer that a detector describes in its configuration."""

import json

import pytest

from bluesky_gp.run.scalarized import described_scalarizers, scalarizer_of
from bluesky_gp.scalarizers import Area, Thickness, to_mapping


def descriptor(text):
    return {"name": "primary", "configuration": {"det": {"data": {"det_scalarizers": text}}, "stage": {"data": {}}}}


def test_it_is_made_again_from_the_descriptor():
    described = descriptor(json.dumps({"area": to_mapping(Area())}))
    assert scalarizer_of(described, "det_area") == Area()
    assert [*described_scalarizers(described)] == ["det_area"]


def test_of_a_detector_that_describes_it_without_a_later_parameter_it_is_that_of_its_day():
    described = descriptor('{"area": {"kind": "area", "window": null}, "t": {"kind": "thickness"}}')
    assert scalarizer_of(described, "det_area") == Area(signed=True)
    assert scalarizer_of(described, "det_t") == Thickness(within=0.0)


def test_a_target_that_the_detector_does_not_describe_has_none():
    assert scalarizer_of(descriptor(json.dumps({"area": to_mapping(Area())})), "det_height") is None
    assert scalarizer_of({"name": "primary"}, "det_area") is None


@pytest.mark.parametrize("text", ["{", None, '{"area": {"kind": "somebody_elses"}}', '{"area": "a function"}'])
def test_what_is_damaged_or_not_ours_is_none(text):
    assert scalarizer_of(descriptor(text), "det_area") is None
