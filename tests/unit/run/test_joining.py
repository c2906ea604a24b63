"""A run with the spectra of those that it resumes, also when it is exported."""

from dataclasses import replace

import numpy as np
import pytest
from recorded import Recorded

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.export import left_out, to_dataset
from bluesky_gp.plans import adaptive_map
from bluesky_gp.run import RunRecord, joined

SHAPE = (6, 7)


@pytest.fixture
def three(RE, docs):
    """Records of a run, of one that resumes it, and of one that resumes that: 10, 8 and 5 pixels."""
    records, last = [], None
    for num in (10, 18, 23):
        stage = PixelStage(grid=PixelGrid(SHAPE), name="stage")
        sample = SyntheticFerroelectric(shape=SHAPE, failed=0.0)
        detector = SimulatedSpectrometer(sample, stage, scalarizers=["loop_area"], name="det")
        agent = GPAgent(PixelOptimizer(PixelGrid(SHAPE), "loop_area", batch_size=5), target="det_loop_area")
        before = len(docs.all)
        RE(adaptive_map([detector], stage, agent, num=num, resume_from=last))
        last = Recorded(docs.all[before:])
        records.append(RunRecord.from_documents(last.documents()))
    return records


def test_its_spectra_begin_with_those_of_the_earlier_runs(three):
    whole = joined(three[2], three[0], three[1])
    assert whole.spectra.values.shape[0] == 23 and whole.outcomes == three[2].outcomes
    np.testing.assert_array_equal(whole.spectra.values, np.concatenate([each.spectra.values for each in three]))
    np.testing.assert_array_equal(whole.spectra.pixels, np.concatenate([each.spectra.pixels for each in three]))
    assert len(np.unique(whole.spectra.pixels, axis=0)) == 23


def test_a_run_says_of_how_many_pixels_the_spectra_are_elsewhere(three):
    uids = [record.start["uid"][:8] for record in three]
    assert three[0].spectra_elsewhere == ""
    assert three[1].spectra_elsewhere == f"spectra of 10 pixels, which are in run {uids[0]}"
    assert left_out(three[2]) == f"spectra of 18 pixels, which are in run {uids[1]}"
    assert left_out(joined(three[2], *three[:2])) == ""
    assert left_out(joined(three[2], three[1])).startswith("spectra of 10 pixels")


def test_a_dataset_has_as_many_spectra_as_measured_pixels_only_where_they_were_joined(three):
    assert dict(to_dataset(three[2]).sizes)["measurement"] == 5
    assert "spectra of 18 pixels" in to_dataset(three[2]).attrs["missing_spectra"]
    whole = to_dataset(joined(three[2], *three[:2]))
    assert whole.sizes["measurement"] == 23 and "missing_spectra" not in whole.attrs
    assert int(np.isfinite(whole["measured"]).sum()) == 23


def test_alone_it_stays_as_it_is(three):
    assert joined(three[0]) is three[0]


def test_runs_in_another_order_or_of_another_detector_are_refused(three):
    with pytest.raises(ValueError, match="joined: run .* resumes .*, got .* before it"):
        joined(three[2], three[0])
    other = replace(three[0], spectra=replace(three[0].spectra, axis_units="eV"))
    with pytest.raises(ValueError, match="joined: the spectra of one run have .* channels"):
        joined(three[1], other)
