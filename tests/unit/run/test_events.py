import math

import numpy as np
import pytest

from bluesky_gp.grid import PixelGrid
from bluesky_gp.run.events import RunOutcomes
from bluesky_gp.run.keys import Axes, PixelKeys
from bluesky_gp.run.outcomes import Outcome, final_outcomes

GRID = PixelGrid((4, 5), step=(0.5, 0.5), origin=(1.0, 2.0), units="um")
PIXEL_AXES = Axes(("stage_row", "stage_col"))


def descriptor(keys, *, uid="d", name="primary", run="run", configuration=None):
    return {"uid": uid, "run_start": run, "name": name, "data_keys": keys, "configuration": configuration or {}}


def number(**more):
    return {"source": "test", "dtype": "number", "shape": [], **more}


def listening(keys=("stage_row", "stage_col", "det_area"), *, axes=PIXEL_AXES, target="det_area", scalarizer=None):
    heard = RunOutcomes("run", PixelKeys("gp", target, GRID, axes, scalarizer))
    heard.descriptor(descriptor({key: number() for key in keys}))
    return heard


def event(row, col, value, seq_num=1, uid="d"):
    return {"descriptor": uid, "seq_num": seq_num, "data": {"stage_row": row, "stage_col": col, "det_area": value}}


def test_a_pixel_is_read_from_rows_and_columns():
    assert listening().event(event(2.0, 3.0, 1.5)) == Outcome(13, 1.5)


def test_fractional_readbacks_belong_to_the_nearest_pixel():
    assert listening().event(event(1.6, 3.4, 1.5)).pixel == 13


def test_stage_positions_are_turned_into_pixels_by_the_grid():
    heard = listening(("mx", "my", "det_area"), axes=Axes(("mx", "my"), "stage"))
    data = {"mx": 2.0, "my": 3.5, "det_area": 1.5}
    assert heard.event({"descriptor": "d", "seq_num": 1, "data": data}) == Outcome(13, 1.5)


@pytest.mark.parametrize("place", [(-0.6, 0.0), (0.0, 4.6), (math.nan, 0.0)])
def test_an_event_outside_the_grid_teaches_nothing(place):
    assert listening().event(event(*place, 1.0)) is None


def test_of_events_with_one_seq_num_the_first_counts():
    heard = listening()
    heard.event(event(0, 0, 1.0))
    heard.event(event(0, 0, 2.0))
    assert [o.value for o in heard.outcomes] == [1.0]


@pytest.mark.parametrize("value", [np.ma.masked, np.ma.array(5.0, mask=True), np.ma.array([5.0], mask=[True])])
def test_a_target_that_is_masked_is_a_failed_measurement(value):
    outcome = listening().event(event(0, 1, value))
    assert math.isnan(outcome.value) and outcome.reason == "det_area is masked"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_target_that_is_no_number_is_a_failed_measurement(value):
    heard = listening()
    outcome = heard.event(event(0, 1, value))
    assert outcome.failed and not outcome.fault and math.isnan(outcome.value)
    assert outcome.reason == f"det_area is {value}"
    assert heard.rejection(1) == outcome.reason
    assert heard.rejection(2) == ""


@pytest.mark.parametrize("value", ["1.5", np.array(["1.5"]), b"1.5", None, 1.5 + 0j])
def test_a_text_that_reads_like_a_number_is_none_as_in_a_catalog(value):
    outcome = listening().event(event(0, 1, value))
    assert outcome.failed and math.isnan(outcome.value)
    assert outcome.reason.endswith(("'1.5' is a text, not a number", "is no real number"))


@pytest.mark.parametrize("place", [("1", 2.0), (None, 2.0), ([1.0, 2.0], 2.0)])
def test_an_event_whose_position_is_no_number_is_of_no_pixel(place):
    heard = listening()
    assert heard.event(event(*place, 1.5)) is None and "1 events lie outside the grid" in heard.doubt


def test_an_image_as_the_target_of_a_scalarizer_is_refused_by_its_shape():
    heard = RunOutcomes("run", PixelKeys("gp", "det", GRID, PIXEL_AXES, lambda spectrum, axis: 1.0))
    keys = {key: number() for key in PIXEL_AXES.keys}
    with pytest.raises(ValueError, match=r"det is an image of shape \[4, 4\], and a scalarizer takes a spectrum"):
        heard.descriptor(descriptor({**keys, "det": number(dtype="array", shape=[4, 4], dtype_numpy="<c16")}))
    heard.descriptor(descriptor({**keys, "det": number(dtype="array", shape=[1, None, 4])}))


def test_a_missing_key_is_an_error_that_names_the_keys_there_are():
    with pytest.raises(KeyError, match=r"gp: .*'primary' carry no \['det_area'\]; they carry \['other', 'stage_col'"):
        listening(("stage_row", "stage_col", "other"))


def test_other_streams_may_carry_what_they_like():
    heard = listening()
    heard.descriptor(descriptor({"temperature": number()}, uid="b", name="baseline"))
    assert heard.event({"descriptor": "b", "seq_num": 1, "data": {"temperature": 3.0}}) is None


def test_descriptors_of_other_runs_are_not_listened_to():
    heard = RunOutcomes("run", PixelKeys("gp", "det_area", GRID, PIXEL_AXES))
    heard.descriptor(descriptor({"nothing": number()}, run="another"))


def test_a_target_that_is_an_array_needs_a_scalarizer():
    heard = RunOutcomes("run", PixelKeys("gp", "spectrum", GRID, PIXEL_AXES))
    keys = {"stage_row": number(), "stage_col": number(), "spectrum": {**number(), "dtype": "array", "shape": [64]}}
    with pytest.raises(ValueError, match=r"spectrum is of type array and shape \[64\], not a number.*scalarizer="):
        heard.descriptor(descriptor(keys))


def test_a_target_in_a_file_of_the_old_kind_is_refused():
    heard = RunOutcomes("run", PixelKeys("gp", "image", GRID, PIXEL_AXES))
    keys = {"stage_row": number(), "stage_col": number(), "image": number(external="FILESTORE:")}
    with pytest.raises(ValueError, match="image is written to a file"):
        heard.descriptor(descriptor(keys))


def scalarizing(function, configuration=None):
    heard = RunOutcomes("run", PixelKeys("gp", "det_spectrum", GRID, PIXEL_AXES, function))
    spectrum = {**number(), "dtype": "array", "shape": [3], "object_name": "det"}
    keys = {"stage_row": number(), "stage_col": number(), "det_spectrum": spectrum}
    heard.descriptor(descriptor(keys, configuration=configuration))
    data = {"stage_row": 0.0, "stage_col": 0.0, "det_spectrum": np.array([1.0, 2.0, 3.0])}
    return heard.event({"descriptor": "d", "seq_num": 1, "data": data})


def test_the_scalarizer_is_given_the_axis_of_the_detector():
    configuration = {"det": {"data": {"det_axis": [10.0, 20.0, 30.0], "det_exposure": 1.0}}}
    assert scalarizing(lambda s, axis: float(s @ axis), configuration).value == 140.0


def test_without_an_axis_it_is_given_channel_numbers():
    assert scalarizing(lambda s, axis: float(s @ axis)).value == 8.0


def test_a_scalarizer_that_raises_says_that_the_measurement_failed():
    outcome = scalarizing(lambda s, axis: 1 / 0)
    assert outcome.reason == "det_spectrum: the scalarizer raised ZeroDivisionError('division by zero')"


def failing(heard, pixel, seq_num, kind="fault"):
    values = {"pixel": list(pixel), "reason": "the shutter is stuck", "kind": kind}
    data = {f"gp_failures_{key}": value for key, value in values.items()}
    return heard.event({"descriptor": "f", "seq_num": seq_num, "data": data})


@pytest.fixture
def heard():
    heard = listening()
    keys = {"gp_failures_pixel": number(), "gp_failures_reason": number()}
    heard.descriptor(descriptor(keys, uid="f", name="gp_failures"))
    return heard


def test_a_failure_is_heard_as_a_fault(heard):
    outcome = failing(heard, (0, 2), 1)
    assert (outcome.pixel, outcome.fault, outcome.reason) == (2, True, "the shutter is stuck")


def test_faults_in_a_row_are_counted_and_a_finished_measurement_ends_the_row(heard):
    failing(heard, (0, 0), 1)
    failing(heard, (0, 1), 2)
    assert heard.faults_in_a_row == 2
    heard.event(event(0, 2, math.nan))
    assert heard.faults_in_a_row == 0
    failing(heard, (0, 3), 3)
    assert heard.faults_in_a_row == 1


def test_the_failure_event_of_a_rejected_measurement_is_not_counted_twice(heard):
    heard.event(event(0, 2, math.nan))
    assert failing(heard, (0, 2), 1, "rejected") is None
    assert len(heard.outcomes) == 1


def test_a_pixel_marked_by_hand_has_failed_and_is_no_fault_of_the_instrument(heard):
    heard.event(event(0, 2, 1.0))
    outcome = failing(heard, (0, 2), 1, "by hand")
    assert outcome.failed and not outcome.fault
    assert final_outcomes(heard.outcomes) == [outcome]


def test_axes_are_read_back_from_a_start_document():
    axes = Axes(("mx", "my"), "stage")
    assert Axes.of(axes.to_mapping()) == axes
    assert Axes.of(axes) is axes
    assert Axes.of(["row", "col"]) == Axes(("row", "col"), "pixel")


def hearing_others(described, data, **others):
    heard = RunOutcomes("run", PixelKeys("gp", "det_area", GRID, PIXEL_AXES, others=others))
    heard.descriptor(descriptor({key: number() for key in ("stage_row", "stage_col", "det_area")} | described))
    return heard.event({"descriptor": "d", "seq_num": 1, "data": event(0, 1, 1.5)["data"] | data})


def test_further_numbers_and_spectra_are_heard_under_the_names_that_the_optimizer_knows():
    described = {"det_tilt": number(), "spectrum": {**number(), "dtype": "array", "shape": [3]}}
    data = {"det_tilt": 2.5, "spectrum": [1, 2, 4]}
    outcome = hearing_others(described, data, tilt="det_tilt", whole="spectrum")
    assert outcome.others["tilt"] == 2.5 and outcome.others["whole"].tolist() == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("data", [{}, {"det_tilt": None}, {"det_tilt": "none"}, {"det_tilt": []}])
def test_an_event_without_a_further_number_is_a_good_pixel_all_the_same(data):
    outcome = hearing_others({"det_tilt": number()}, data, tilt="det_tilt")
    assert not outcome.failed and math.isnan(outcome.others.get("tilt", math.nan))


@pytest.mark.parametrize(
    ("described", "said"),
    [
        (number(external="STREAM:"), "written to a file"),
        ({**number(), "dtype": "string"}, r"string \[\]"),
        ({**number(), "dtype": "array", "shape": [8, 8]}, r"array \[8, 8\]"),
    ],
)
def test_what_is_neither_a_number_nor_a_spectrum_is_refused(described, said):
    with pytest.raises(ValueError, match=f"det_tilt, for 'tilt', is {said}.*others="):
        hearing_others({"det_tilt": described}, {}, tilt="det_tilt")
