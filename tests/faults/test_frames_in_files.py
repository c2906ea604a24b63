"""Batches whose frames are written to an HDF5 file: the documents say where, and the agent reads them from there."""

from importlib.util import find_spec

import numpy as np
import pytest
import xarray as xr
from event_model import DocumentNames, schema_validators
from flown import FlownBench, ScriptedFlyer, height
from recorded_runs import Run, cut

from bluesky_gp import GPAgent, PixelOptimizer
from bluesky_gp.devices.frame_file import FrameFile
from bluesky_gp.export import export
from bluesky_gp.live.run_reader import LiveReader
from bluesky_gp.recording import open_catalog, read_journal
from bluesky_gp.replay import replay
from bluesky_gp.run import RunRecord
from bluesky_gp.scalarizers import get_scalarizer
from bluesky_gp.verify import verify

h5py = pytest.importorskip("h5py", reason="needs bluesky_gp[files]")

NUM = 12


class FiledBench(FlownBench):
    """Learns the largest channel of spectra in files; with `reduced`, the number that stands in the event."""

    def __init__(self, folder, script=None, *, reduced=False):
        super().__init__(script, PixelOptimizer, batch_size=3, n_initial=3)
        self.detector = ScriptedFlyer(self.stage, script, frames=folder)
        if not reduced:
            self.agent = GPAgent(self.optimizer, target="det_spectrum", scalarizer=height)


def values(documents, scalarizer=height):
    record = RunRecord.from_documents(documents, scalarizer=scalarizer)
    return [(outcome.pixel, outcome.value) for outcome in record.outcomes]


@pytest.fixture
def broken(monkeypatch):
    """Has a frame of every file written with a checksum that is wrong."""

    def make(number):
        def write(self, spectrum):
            if self._written == number:
                self._data.resize(number + 1, axis=0)
                self._data.id.write_direct_chunk((number, 0), np.asarray(spectrum).tobytes() + bytes(4))
                self._written += 1
            else:
                whole(self, spectrum)

        whole = FrameFile.write
        monkeypatch.setattr(FrameFile, "write", write)

    return make


def test_documents_hold_indices_and_the_agent_learns_what_it_learns_from_events(RE, docs, tmp_path):
    RE(FlownBench(optimizer=PixelOptimizer, batch_size=3, n_initial=3).map(NUM))
    inside, docs.all[:] = values(docs.all, None), []
    RE(FiledBench(tmp_path).map(NUM))
    assert values(docs.all) == inside
    assert all("det_spectrum" not in data for data in docs.data())
    spans = [doc["indices"] for name, doc in docs.all if name == "stream_datum"]
    assert (spans[0]["start"], spans[-1]["stop"], len(docs.of("stream_resource"))) == (0, NUM, 1)
    for name, doc in docs.all:
        schema_validators[DocumentNames[name]].validate(doc)


def test_a_reduced_number_in_the_event_needs_no_file_to_be_replayed(RE, docs, tmp_path):
    RE(FiledBench(tmp_path, reduced=True).map(NUM))
    for path in tmp_path.iterdir():
        path.unlink()
    assert replay(docs.all).identical


@pytest.mark.slow
def test_it_is_recorded_and_replayed_out_of_the_catalog_which_reads_the_frames(RE, docs, tmp_path):
    with open_catalog(tmp_path / "catalog") as catalog:
        RE.subscribe(catalog.writer)
        RE(FiledBench(tmp_path / "frames", {(0, 3): ["fail"], (5, 5): ["nan"]}).map(NUM))
        run = catalog[-1]
        assert replay(run.documents(), scalarizer=height).identical
        assert values(run.documents()) == values(docs.all)
        if find_spec("hdf5plugin") is not None:  # tiled's reader of HDF5 wants it
            frames = run["primary"].read()["det_spectrum"]
            assert np.array_equal(np.squeeze(frames)[:, 1], [v for _, v in values(docs.all)], equal_nan=True)


def test_it_is_replayed_and_keeps_its_contract(RE, docs, tmp_path):
    RE(FiledBench(tmp_path, {(0, 3): ["fail"], (5, 5): ["nan"]}).map(NUM))
    assert replay(docs.all, scalarizer=height).identical
    assert [clause for clause in verify(docs.all, scalarizer=height) if clause.holds is False] == []


@pytest.mark.parametrize("cut_at", [9, 14, 22])
def test_killed_anywhere_it_goes_on_as_if_it_had_never_been(RE, docs, tmp_path, cut_at):
    RE(FiledBench(tmp_path).map(NUM))
    whole, docs.all[:] = list(docs.all), []
    path = cut(whole, cut_at, tmp_path / "killed.jsonl")
    RE(FiledBench(tmp_path).map(NUM, resume_from=path))
    assert values(read_journal(path)) + values(docs.all) == values(whole)
    assert replay(docs.all, scalarizer=height).identical


def test_a_broken_frame_is_a_failed_pixel_and_the_right_one(RE, docs, tmp_path, broken):
    broken(4)
    bench = FiledBench(tmp_path)
    RE(bench.map(NUM))
    (failure,) = docs.data("gp_failures")
    assert tuple(failure["gp_failures_pixel"]) == bench.detector.visited[4]
    assert "frame 4: " in failure["gp_failures_reason"] and failure["gp_failures_kind"] == "rejected"
    learnt = values(docs.all)
    assert [np.isnan(value) for _, value in learnt] == [number == 4 for number in range(NUM)]
    assert replay(docs.all, scalarizer=height).identical


def test_a_frame_that_came_too_late_is_a_failed_pixel_in_every_replay(RE, docs, tmp_path, monkeypatch):
    kept = []

    def late(self, spectrum):
        kept.append(np.array(spectrum))
        self._written += 1
        if self._written < NUM:
            self._data.resize(self._written, axis=0)
            self._data[self._written - 1] = spectrum

    monkeypatch.setattr(FrameFile, "write", late)
    RE(FiledBench(tmp_path).map(NUM))
    (failure,) = docs.data("gp_failures")
    assert f"frame {NUM - 1} is not in " in failure["gp_failures_reason"]
    (path,) = tmp_path.iterdir()
    with h5py.File(path, "a") as file:
        file["/entry/data/data"].resize(NUM, axis=0)
        file["/entry/data/data"][NUM - 1] = kept[-1]
    assert np.isnan(values(docs.all)[-1][1])
    assert replay(docs.all, scalarizer=height).identical


def test_a_record_whose_file_is_gone_is_no_record_of_failed_pixels(RE, docs, tmp_path):
    RE(FiledBench(tmp_path).map(NUM))
    (path,) = tmp_path.iterdir()
    path.unlink()
    with pytest.raises(ValueError, match=f"measured with frames that cannot be read any more: .*{path.name} is not"):
        replay(docs.all, scalarizer=height)


@pytest.mark.parametrize("reduced", [False, True], ids=["made to numbers by the agent", "beside numbers"])
def test_the_record_has_the_spectra_of_the_file_and_they_are_exported_and_shown_live(RE, docs, tmp_path, reduced):
    inside = FlownBench(optimizer=PixelOptimizer, batch_size=3, n_initial=3)
    RE(inside.map(NUM))
    expected, docs.all[:] = RunRecord.from_documents(docs.all).spectra, []
    live = LiveReader()
    RE.subscribe(live)
    RE(FiledBench(tmp_path / "frames", reduced=reduced).map(NUM))
    record = RunRecord.from_documents(docs.all, scalarizer=None if reduced else height)
    assert np.array_equal(record.spectra.values, expected.values) and record.missing_spectra == ""
    assert np.array_equal(record.spectra.pixels, expected.pixels)
    assert np.array_equal(live.so_far.spectrum.values, expected.values[-1]) and not len(live.so_far.failed)
    export(record, tmp_path / "map.nc")
    with xr.open_dataset(tmp_path / "map.nc") as back:
        assert np.array_equal(back["spectrum"], expected.values) and "missing_spectra" not in back.attrs


def test_spectra_that_cannot_be_read_any_more_are_left_out_and_that_is_said(RE, docs, tmp_path):
    RE(FiledBench(tmp_path / "frames", reduced=True).map(NUM))
    (path,) = (tmp_path / "frames").iterdir()
    path.unlink()
    record = RunRecord.from_documents(docs.all)
    said = f"{NUM} spectra of det_spectrum cannot be read: frame 0: {path} is not there"
    assert record.spectra is None and record.missing_spectra == said
    export(record, tmp_path / "map.nc")
    with xr.open_dataset(tmp_path / "map.nc") as back:
        assert back.attrs["missing_spectra"] == said
    with pytest.raises(ValueError, match=r"recorded no spectra \(12 spectra of det_spectrum cannot be read"):
        export(record, tmp_path / "map.hspy")


def test_numbers_are_checked_against_spectra_in_a_file_and_without_it_need_none(RE, docs, tmp_path):
    bench = FiledBench(tmp_path / "frames", reduced=True)
    bench.detector.scalarizers["height"] = get_scalarizer("peak")
    RE(bench.map(NUM))
    (targets,) = [clause for clause in verify(docs.all) if clause.name == "targets"]
    assert targets.holds and targets.sentence == f"{NUM} values are what det_height makes of their spectra"
    next(doc for name, doc in docs.all if name == "event_page")["data"]["det_height"][1] += 1.0
    (targets,) = [clause for clause in verify(docs.all) if clause.name == "targets"]
    assert not targets.holds and targets.sentence.startswith("event 2: det_height is ")
    next((tmp_path / "frames").iterdir()).unlink()
    (targets,) = [clause for clause in verify(docs.all) if clause.name == "targets"]
    assert targets.holds and "0 values are" in targets.sentence and "cannot be read: frame 0" in targets.sentence


def test_another_agent_learns_from_the_files_of_a_run_and_says_why_if_they_are_gone(RE, docs, tmp_path):
    RE(FiledBench(tmp_path / "first").map(NUM))
    learner = FiledBench(tmp_path / "second").agent
    learner.learn_from(Run(docs.all))
    (action,) = learner.hands.waiting
    taught = zip(action.arguments["pixels"], action.arguments["values"], strict=True)
    assert sorted(taught) == sorted(values(docs.all))
    (path,) = (tmp_path / "first").iterdir()
    path.unlink()
    with pytest.raises(ValueError, match=f"has no value of det_spectrum at any pixel of .*{path.name} is not there"):
        learner.learn_from(Run(docs.all))


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "frames").touch()
    with pytest.raises(ValueError, match="is to be a folder, and is a file"):
        FiledBench(tmp_path / "frames")
