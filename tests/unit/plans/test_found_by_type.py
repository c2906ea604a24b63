"""Plans as services find them, blueapi for one: a MsgGenerator, and every argument of a type that can be checked."""

from collections.abc import Generator
from inspect import Parameter, signature
from typing import get_args, get_origin, get_type_hints

import pytest
from bluesky.utils import Msg
from pydantic import TypeAdapter, ValidationError

from bluesky_gp import PixelGrid, plans
from bluesky_gp.plans.typing import PerPixel

QUEUED = ["adaptive_map", "list_map", "raster_map", "remeasure"]


@pytest.mark.parametrize("name", QUEUED)
def test_a_plan_says_that_it_yields_messages_and_what_each_argument_is(name):
    plan = getattr(plans, name)
    hints = get_type_hints(plan)
    assert get_origin(hints["return"]) is Generator
    assert get_args(hints["return"])[0] is Msg
    for parameter in signature(plan).parameters.values():
        assert parameter.name in hints
        assert parameter.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD, Parameter.POSITIONAL_ONLY)


@pytest.mark.parametrize("name", QUEUED)
def test_a_form_can_be_made_of_each_argument_that_is_no_device_or_plan(name):
    """Devices and plans are found by their names; blueapi puts types of its own in their place."""
    hints = get_type_hints(getattr(plans, name))
    for argument in hints.keys() & {"grid", "pixels", "num", "every", "snake", "seconds", "overlap", "review", "md"}:
        assert TypeAdapter(hints[argument]).json_schema(), argument


def test_a_grid_comes_as_plain_data_and_as_it_is():
    adapter, grid = TypeAdapter(PixelGrid | None), PixelGrid((3, 4), units="um")
    assert adapter.validate_python({"shape": [3, 4], "units": "um"}) == grid
    assert adapter.validate_json('{"shape": [3, 4], "units": "um"}') == grid
    assert adapter.validate_python(grid) is grid
    with pytest.raises(ValidationError, match="PixelGrid: there is no setting 'size', there are shape"):
        adapter.validate_python({"size": [3, 4]})


def test_what_measures_a_pixel_can_be_checked_by_isinstance():
    assert isinstance(plans.one_pixel, PerPixel)
    assert not isinstance("one_pixel", PerPixel)
