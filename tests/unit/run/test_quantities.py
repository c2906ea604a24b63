"""The table of a decision's quantities."""

import numpy as np
import pytest

from bluesky_gp import PixelGrid
from bluesky_gp.protocols import Proposal
from bluesky_gp.run.decision import Decision
from bluesky_gp.run.quantities import QUANTITIES, recorded_value, values_of
from bluesky_gp.testing import ListOptimizer

SIZES = {"batch": 3, "axes": 2, "theta": 2}
NOTHING = Decision(Proposal.nothing(PixelGrid((2, 2)), ListOptimizer(PixelGrid((2, 2)), "height").state, "enough"))


def test_each_quantity_has_a_name_of_its_own():
    names = [quantity.name for quantity in QUANTITIES]
    assert len(set(names)) == len(names)


def test_arrays_are_padded_to_the_shape_that_the_descriptor_says():
    values = values_of(NOTHING, SIZES)
    assert values["proposed"].tolist() == [[-1, -1]] * 3 and np.isnan(values["mean"]).all()
    assert values["best_pixel"].tolist() == [-1, -1] and values["stop_reason"] == "enough"


def test_a_state_that_forecasts_nothing_is_recorded_as_such():
    values = values_of(NOTHING, SIZES)
    assert np.isnan([values["map_change"], values["map_gain"]]).all()
    assert (values["forecast_num"], values["warning"]) == (0, "")


def test_what_older_records_lack_has_a_value_that_stands_for_it():
    assert np.isnan(recorded_value({}, "gp", "map_gain")) and recorded_value({}, "gp", "next_time") == 0.0
    assert recorded_value({"gp_map_gain": 2.0}, "gp", "map_gain") == 2.0


def test_what_every_record_has_is_an_error_where_it_is_missing():
    with pytest.raises(KeyError, match="gp_best_value"):
        recorded_value({}, "gp", "best_value")
