"""A resumed run whose detector makes the numbers, against the record of the run that it goes on with."""

import copy
import json

import numpy as np
import pytest
from recorded_runs import Run

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import ResumeError
from bluesky_gp.scalarizers import Area

GRID = PixelGrid((5, 5))


def area_map(scalarizer, num, **options):
    stage = PixelStage(grid=GRID, name="stage")
    sample = SyntheticFerroelectric(GRID.shape, failed=0.0)
    detector = SimulatedSpectrometer(sample, stage, scalarizers={"area": scalarizer}, exposure=0.0, name="det")
    optimizer = PixelOptimizer(GRID, "area", batch_size=3, n_initial=3)
    return adaptive_map([detector], stage, GPAgent(optimizer, target="det_area"), num=num, **options)


@pytest.fixture
def earlier(RE, docs):  # noqa: N803
    """Makes the record of a run of an earlier version, which had no parameter `signed`, over an axis that is given."""
    RE(area_map(Area(), 6))
    documents = copy.deepcopy(docs.all)
    docs.all.clear()

    def over(axis, kind="area"):
        for name, doc in documents:
            if name == "descriptor" and doc["name"] == "primary":
                data = doc["configuration"]["det"]["data"]
                data["det_axis"] = axis
                data["det_scalarizers"] = json.dumps({"area": {"kind": kind, "window": None}})
        return Run(documents)

    return over


FALLING, RISING = np.arange(9.0)[::-1], np.arange(9.0)


def test_a_map_of_areas_with_the_sign_of_its_day_is_not_gone_on_with_in_the_other(RE, docs, earlier):
    said = r"det_area was Area\(window=None, signed=True\) and is Area\(window=None, signed=False\); give the detector"
    with pytest.raises(ResumeError, match=said):
        RE(area_map(Area(), 9, resume_from=earlier(FALLING)))
    assert not docs.all


@pytest.mark.parametrize(("scalarizer", "axis"), [(Area(signed=True), FALLING), (Area(), RISING)])
def test_it_is_gone_on_with_in_the_same_sign_or_where_there_is_no_other(RE, docs, earlier, scalarizer, axis):
    RE(area_map(scalarizer, 9, resume_from=earlier(axis)))
    assert docs.counts["primary"] == 3 and docs.stops[0]["exit_status"] == "success"


def test_another_window_of_the_detector_is_refused(RE, earlier):
    with pytest.raises(ResumeError, match=r"and is Area\(window=\(0\.0, 5\.0\)"):
        RE(area_map(Area(window=(0, 5)), 9, resume_from=earlier(RISING)))


def test_of_a_function_that_a_record_only_names_nothing_is_known_and_the_run_goes_on(RE, docs, earlier):
    RE(area_map(Area(), 9, resume_from=earlier(RISING, kind="mine.area")))
    assert docs.stops[0]["exit_status"] == "success"
