"""Plans as services find them, blueapi for one: a MsgGenerator, and every argument of a type that can be checked."""

from collections.abc import Generator
from inspect import Parameter, signature
from typing import get_args, get_origin, get_type_hints

import pytest
from bluesky.utils import Msg

from bluesky_gp import plans
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


def test_what_measures_a_pixel_can_be_checked_by_isinstance():
    assert isinstance(plans.one_pixel, PerPixel)
    assert not isinstance("one_pixel", PerPixel)
