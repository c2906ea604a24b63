"""The spectrum of an event and its axis, as a descriptor describes them."""

import pytest

from bluesky_gp.run.spectra import signal_axis, spectrum_key

ARRAY = {"dtype": "array", "shape": [1, 64], "object_name": "det"}
NUMBER = {"dtype": "number", "shape": [], "object_name": "det"}


def descriptor(configured=None, **keys):
    return {"data_keys": {"height": NUMBER, **keys}, "configuration": {"det": configured or {}}}


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"raw": ARRAY}, "raw"),
        ({"raw": ARRAY, "dark": ARRAY}, ""),
        ({"raw": {**ARRAY, "object_name": "camera"}}, ""),
        ({"raw": {**ARRAY, "shape": [8, 64]}}, ""),
        ({"raw": {**ARRAY, "external": "FILESTORE:"}}, ""),
        ({"height": ARRAY, "raw": ARRAY}, "height"),
    ],
)
def test_the_spectrum_is_the_target_or_the_only_one_of_its_detector(keys, found):
    assert spectrum_key(descriptor(**keys), "height") == found


def test_the_axis_and_its_unit_stand_in_the_configuration_of_the_detector():
    configured = {"data": {"det_axis": [1, 2, 4], "det_gain": 3.0}, "data_keys": {"det_axis": {"units": "eV"}}}
    axis, units = signal_axis(descriptor(configured, raw=ARRAY), "raw")
    assert axis.tolist() == [1.0, 2.0, 4.0] and units == "eV"


@pytest.mark.parametrize("names", [[], ["a_axis", "b_axis"]])
def test_without_one_axis_channels_count(names):
    configured = {"data": dict.fromkeys(names, [1.0]), "data_keys": {}}
    assert signal_axis(descriptor(configured, raw=ARRAY), "raw") == (None, "")


@pytest.mark.parametrize("other", ["x", 3.0, [[1, 2], [3, 4]], [1j, 2j], ["a", "b"], [None, None], [[1], [2, 3]], []])
def test_what_is_no_row_of_numbers_is_no_axis_of_spectra(other):
    configured = {"data": {"det_scan_axis": other}, "data_keys": {}}
    assert signal_axis(descriptor(configured, raw=ARRAY), "raw") == (None, "")
    configured["data"]["det_axis"] = [[4, 2, 1]]
    assert signal_axis(descriptor(configured, raw=ARRAY), "raw")[0].tolist() == [4.0, 2.0, 1.0]
