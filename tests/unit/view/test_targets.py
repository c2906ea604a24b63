"""A target picked by hand gives a map, and text with which a new run begins."""

import json
import zlib
from typing import Any

import numpy as np
import pytest
from view_runs import Setup, engine

from bluesky_gp import GPAgent, PixelOptimizer
from bluesky_gp.devices import SimulatedSpectrometer
from bluesky_gp.plans import adaptive_map
from bluesky_gp.scalarizers import Area, CosineSimilarity
from bluesky_gp.view.moments import Moment
from bluesky_gp.view.targets import target_map, windows_of


@pytest.fixture
def moment(place, kinds):
    return Moment(place.followed(kinds[1]["usual"]).record(), 5)


def told(frame):
    return json.loads(zlib.decompress(frame.body).partition(b"\n")[0])


def test_a_window_gives_what_its_scalarizer_gives(moment):
    spectra = moment.record.spectra
    found = told(target_map(moment, {"kind": "area", "window": [-2.0, 3.0], "name": "middle"}))
    expected = [Area((-2.0, 3.0))(spectrum, spectra.axis) for spectrum in spectra.values]
    np.testing.assert_allclose(found["values"], expected)
    assert found["units"] == "pm V"


def test_a_reference_pixel_is_likest_to_itself(moment):
    pixel = moment.outcomes[4].pixel
    found = told(target_map(moment, {"kind": "cosine", "reference_pixel": pixel}))
    assert found["pixels"][int(np.argmax(found["values"]))] == pixel
    reference = moment.record.spectra.values[4]
    assert found["values"][0] == CosineSimilarity(tuple(reference))(moment.record.spectra.values[0], None)


def test_an_agent_of_a_new_run_starts_with_the_text(moment):
    found = told(target_map(moment, {"kind": "area", "window": [-2.0, 3.0], "name": "middle"}))
    setup = Setup(shape=(8, 9))
    given: dict[str, Any] = {"PixelOptimizer": PixelOptimizer, "GPAgent": GPAgent, "grid": setup.grid}
    exec(found["text"], given)  # noqa: S102
    detector = SimulatedSpectrometer(
        setup.detector.sample, setup.stage, scalarizers=given["scalarizers"], name="spectrometer"
    )
    engine()(adaptive_map([detector], setup.stage, given["agent"], num=12))
    assert given["optimizer"].state.n_measured == 12 and given["optimizer"].target == "middle"


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"kind": "magic"}, "one of area, centroid"),
        ({"kind": "area", "name": "my target"}, "named as a variable"),
        ({"kind": "area", "window": [3.0, -2.0]}, "window"),
    ],
)
def test_a_target_that_cannot_be_made_is_said(moment, wish, sentence):
    with pytest.raises(ValueError, match=sentence):
        target_map(moment, wish)


def test_a_reference_that_was_not_measured_is_said(moment):
    free = sorted(set(range(72)) - {outcome.pixel for outcome in moment.record.outcomes})[0]
    with pytest.raises(ValueError, match="pick one that was measured"):
        target_map(moment, {"kind": "cosine", "reference_pixel": free})


def test_the_windows_that_a_target_looks_at_are_found_in_its_description():
    assert windows_of({"kind": "net_counts", "edge": [1.0, 2.0], "background": [0, 1], "fit": "log"}) == [
        {"name": "edge", "low": 1.0, "high": 2.0},
        {"name": "background", "low": 0.0, "high": 1.0},
    ]
    assert windows_of(None) == windows_of({"kind": "area", "window": None}) == []
