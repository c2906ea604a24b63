"""Spectra of every kind: made to numbers by the agent, without an axis, of one frame, complex, cut short, rejected."""

import logging
import sys

import numpy as np
import pytest
import xarray as xr
from bluesky import RunEngineInterrupted
from bluesky import plan_stubs as bps
from rsciio.hspy import file_reader
from spectra_detector import Spectra, peak

from bluesky_gp.export import export
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import documents_of, open_catalog
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord
from bluesky_gp.scalarizers import get_scalarizer


def test_the_agents_own_scalarizer_is_made_again_where_a_record_is_read(RE, docs):
    RE(Spectra(peak, np.arange(16.0)).map())
    record = RunRecord.from_documents(docs.all)
    assert len(record.measured[1]) == 15 and record.spectra.values.shape == (15, 16)
    assert record.spectra.axis_units == "eV"


def test_channels_are_the_axis_of_spectra_that_have_none(RE, docs):
    RE(Spectra(peak).map())
    spectra = RunRecord.from_documents(docs.all).spectra
    assert spectra.axis.tolist() == list(range(16)) and spectra.axis_units == ""


def test_a_leading_axis_of_one_is_taken_off(RE, docs):
    RE(Spectra(lambda y, x: peak(y, x)[None], np.arange(16.0)).map(scalarizer=get_scalarizer("centroid")))
    record = RunRecord.from_documents(docs.all)
    assert len(record.measured[1]) == 15 and record.spectra.values.shape == (15, 16)
    np.testing.assert_allclose(record.measured[1], 8.0, atol=0.1)


def test_a_complex_spectrum_reaches_the_scalarizer_and_the_record_whole(RE, docs):
    def modulus(spectrum, axis):
        return float(np.abs(spectrum).max())

    RE(Spectra(lambda y, x: peak(y, x) * 1j).map(scalarizer=modulus))
    record = RunRecord.from_documents(docs.all, scalarizer=modulus)
    assert record.measured[1].min() >= 1.0
    assert record.spectra.values.dtype == complex and not record.spectra.values.real.any()


def test_a_spectrum_with_a_channel_that_is_no_number_is_rejected_as_a_detector_rejects_it(RE, docs):
    def holed(y, x):
        spectrum = peak(y, x)
        spectrum[3] = np.nan if round(y + x) % 2 else spectrum[3]
        return spectrum

    RE(Spectra(holed).map(scalarizer=lambda spectrum, axis: float(np.nanmax(spectrum))))
    reasons = docs.column("gp_failures_reason", "gp_failures")
    assert reasons and all("1 of 16 channels are NaN or infinite" in reason for reason in reasons)


def test_a_map_of_which_every_pixel_is_rejected_says_so_and_ends(RE, docs):
    RE(Spectra(peak).map(num=36, scalarizer=lambda spectrum, axis: float("nan")))
    warnings = docs.column("gp_warning", "gp")
    assert warnings[2].startswith("not one of 10 pixels has a value")
    assert docs.column("gp_stop_reason", "gp")[-1] == "not one of 30 pixels has a value: nothing was learnt"
    assert docs.counts["primary"] == 30


def test_the_rule_that_ends_it_can_be_left_out(RE, docs):
    RE(Spectra(peak).map(num=36, scalarizer=lambda spectrum, axis: float("nan"), stopping=()))
    assert docs.counts["primary"] == 36


def modulus(spectrum, axis):
    return float(np.abs(spectrum).max())


@pytest.fixture
def rotating(RE, docs):
    """A run of complex spectra whose imaginary part alone has a peak."""
    RE(Spectra(lambda y, x: 1.0 + 1j * peak(y, x)).map(scalarizer=modulus))
    return RunRecord.from_documents(docs.all, scalarizer=modulus)


def test_complex_spectra_are_exported_whole_for_hyperspy(rotating, tmp_path):
    export(rotating, tmp_path / "map.hspy")
    (signal,) = file_reader(str(tmp_path / "map.hspy"))
    assert np.array_equal(signal["data"][tuple(rotating.spectra.pixels.T)], rotating.spectra.values)
    assert np.isnan(signal["data"]).any()


def test_complex_spectra_are_exported_whole_to_zarr(rotating, tmp_path):
    export(rotating, tmp_path / "map.zarr")
    back = xr.open_zarr(tmp_path / "map.zarr", consolidated=False)
    assert np.array_equal(back["spectrum"], rotating.spectra.values)


def test_complex_spectra_are_exported_in_two_parts_where_a_file_has_no_complex_numbers(rotating, tmp_path):
    export(rotating, tmp_path / "map.nc")
    with xr.open_dataset(tmp_path / "map.nc") as back:
        assert np.array_equal(back["spectrum_real"] + 1j * back["spectrum_imag"], rotating.spectra.values)


def test_complex_spectra_are_read_back_from_a_catalog_whole(RE, docs, tmp_path):
    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog.writer)
        RE(Spectra(lambda y, x: 1.0 + 1j * peak(y, x)).map(scalarizer=modulus))
        read = RunRecord.from_documents(catalog[-1].documents(), scalarizer=modulus)
    whole = RunRecord.from_documents(docs.all, scalarizer=modulus)
    assert np.array_equal(read.spectra.values, whole.spectra.values) and read.outcomes == whole.outcomes


def test_letters_instead_of_a_spectrum_are_rejected_and_the_record_is_read(RE, docs):
    RE(Spectra(lambda y, x: np.array(["a"] * 16)).map(num=10, stopping=()))
    assert len(RunRecord.from_documents(docs.all).failed) == 10


def test_spectra_of_many_lengths_teach_the_same_from_a_catalog_as_from_its_journal(RE, tmp_path):
    def cut(y, x):
        return peak(y, x)[: 16 - int(y + x) % 3]

    with open_catalog(tmp_path) as catalog:
        RE.subscribe(catalog)
        (uid,) = RE(Spectra(cut).map())
        heard = RunRecord.from_documents(documents_of(uid, catalog))
        read = RunRecord.from_documents(catalog[uid].documents())
        assert replay(catalog[uid].documents()).identical
    assert len(heard.measured[1]) == 15 and not len(heard.failed)
    assert read.outcomes == heard.outcomes
    np.testing.assert_array_equal(read.spectra.values, heard.spectra.values)


def test_a_map_of_complex_images_is_told_to_have_no_spectra_before_it_begins(RE, docs):
    with pytest.raises(ValueError, match=r"det is an image of shape \[16, 4\], and a scalarizer takes a spectrum"):
        RE(Spectra(lambda y, x: np.outer(peak(y, x), np.ones(4)) * 1j).map(scalarizer=modulus))
    assert docs.all == []


def test_a_scalarizer_that_answers_a_complex_number_rejects_and_says_so(RE, docs):
    RE(Spectra(lambda y, x: 1j * peak(y, x)).map(num=10, scalarizer=lambda spectrum, axis: spectrum[8]))
    reasons = docs.column("gp_failures_reason", "gp_failures")
    assert len(reasons) == 10 and all("a complex number: have it give its modulus" in reason for reason in reasons)


@pytest.mark.parametrize("kind", ["f4", "i2", ">f8", "u1", "?"])
def test_a_scalarizer_may_answer_an_array_of_one_number_and_spectra_have_any_type(RE, docs, kind):
    def most(spectrum, axis):
        return spectrum.max(keepdims=True)

    RE(Spectra(lambda y, x: (100 * peak(y, x)).astype(kind)).map(num=10, scalarizer=most))
    expected = [float(value.max()) for value in docs.column("det")]
    assert docs.column("gp_failures_reason", "gp_failures") == []
    assert RunRecord.from_documents(docs.all, scalarizer=most).measured[1].tolist() == expected


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda spectrum, axis: spectrum[:2], "can only convert an array of size 1"),
        (lambda spectrum, axis: None, "NoneType"),
        (lambda spectrum, axis: {}["energy"], "KeyError('energy')"),
        (lambda spectrum, axis: sys.exit("no peak"), "SystemExit('no peak')"),
    ],
)
def test_a_scalarizer_that_answers_no_number_or_leaves_rejects_and_the_run_goes_on(RE, docs, answer, reason):
    RE(Spectra(peak).map(num=10, scalarizer=answer))
    reasons = docs.column("gp_failures_reason", "gp_failures")
    assert len(reasons) == 10 and all(reason in each for each in reasons)


def test_a_channel_that_is_masked_counts_as_missing(RE, docs):
    RE(Spectra(lambda y, x: np.ma.masked_greater(peak(y, x), 0.99)).map(num=10, scalarizer=get_scalarizer("area")))
    reasons = docs.column("gp_failures_reason", "gp_failures")
    assert reasons and all("channels are NaN or infinite" in reason for reason in reasons)


def test_a_complex_spectrum_as_an_auxiliary_quantity_is_refused_by_its_key(RE):
    detector = Spectra(lambda y, x: 1j * peak(y, x))
    with pytest.raises(ValueError, match=r"det is complex, complex128, and auxiliary quantities are real: .*others="):
        RE(detector.map(scalarizer=modulus, others=["whole"], agent={"others": {"whole": "det"}}))


def cut_short(y, x):
    return peak(y, x)[: 16 if (y, x) != (2, 3) else 11]


@pytest.mark.parametrize("axis", [None, np.arange(16.0)], ids=["channels", "an axis"])
def test_a_frame_that_was_cut_short_is_in_the_record_with_nan_behind_it(RE, docs, axis):
    RE(Spectra(cut_short, axis).map(num=36))
    record = RunRecord.from_documents(docs.all)
    [short] = np.flatnonzero((record.spectra.pixels == (2, 3)).all(axis=1))
    assert record.spectra.values.shape == (36, 16) and np.isnan(record.spectra.values[short, 11:]).all()
    assert np.array_equal(record.spectra.values[short, :11], cut_short(2, 3))
    assert np.isnan(record.spectra.values).sum() == 5


def test_a_frame_that_is_shorter_than_its_axis_is_rejected(RE, docs):
    RE(Spectra(cut_short, np.arange(16.0)).map(num=36))
    record = RunRecord.from_documents(docs.all)
    assert record.failed.tolist() == [[2, 3]]
    assert docs.column("gp_failures_reason", "gp_failures") == ["det: the spectrum has 11 channels, and its axis 16"]


def test_spectra_longer_than_the_axis_that_their_detector_names_are_read_by_channel(RE, docs):
    RE(Spectra(peak, np.arange(12.0)).map(num=10))
    spectra = RunRecord.from_documents(docs.all).spectra
    assert spectra.values.shape == (10, 16) and spectra.axis.tolist() == list(range(16)) and spectra.axis_units == ""


def test_a_run_that_learns_nothing_fails_and_its_stop_document_says_why(RE, docs, caplog):
    with caplog.at_level(logging.WARNING, "bluesky_gp"):
        RE(Spectra(peak).map(num=36, scalarizer=lambda spectrum, axis: spectrum["energy"]))
    said = [record.message for record in caplog.records if "not one of 10 pixels has a value" in record.message]
    assert len(said) == 1 and "the scalarizer raised IndexError" in said[0]
    last = caplog.records[-1]
    assert last.levelno == logging.WARNING
    assert "ended, and nothing was learnt: not one of 30 pixels has a value: det: the scalarizer raised" in last.message
    assert docs.stops[0]["exit_status"] == "fail"
    assert docs.stops[0]["reason"].startswith("not one of 30 pixels has a value: det: the scalarizer raised IndexError")
    assert docs.column("gp_stop_reason", "gp")[-1].endswith("nothing was learnt")


def test_a_run_all_of_whose_pixels_fail_before_the_rule_applies_fails_too(RE, docs):
    RE(Spectra(lambda y, x: peak(y, x) * np.nan).map(num=12))
    assert docs.stops[0]["exit_status"] == "fail" and "16 of 16 channels are NaN" in docs.stops[0]["reason"]


@pytest.mark.parametrize("good", [0, 9, 19], ids=lambda good: f"pixel {good}")
def test_a_run_that_learns_one_pixel_of_twenty_is_a_success(RE, docs, good):
    RE(Spectra(lambda y, x: peak(y, x) * (1.0 if docs.counts.get("primary", 0) == good else np.nan)).map(num=20))
    assert len(RunRecord.from_documents(docs.all).measured[0]) == 1
    assert docs.stops[0]["exit_status"] == "success" and not docs.stops[0].get("reason")


def test_an_aborted_run_that_learnt_nothing_is_aborted(RE, docs):
    detector = Spectra(lambda y, x: peak(y, x) * np.nan)

    def pausing(batch):
        yield from bps.pause() if docs.counts.get("primary", 0) >= 15 else bps.null()

    with pytest.raises(RunEngineInterrupted):
        RE(detector.map(num=30, plan={"per_batch": pausing}))
    RE.abort()
    assert docs.stops[0]["exit_status"] == "abort"


def test_another_run_of_that_agent_begins_afresh(RE, docs):
    detector = Spectra(lambda y, x: peak(y, x) * (np.nan if len(docs.starts) < 2 else 1.0))
    RE(detector.map(num=12))
    RE(adaptive_map([detector], (detector.y, detector.x), detector.agent, num=12))
    assert [stop["exit_status"] for stop in docs.stops] == ["fail", "success"]
