"""Detectors that write files beside their events, into a real catalog and back."""

import warnings
from importlib.util import find_spec
from uuid import uuid4

import httpx
import numpy as np
import pytest
from catalog_server import Server

from bluesky_gp.recording import Journal, open_catalog
from bluesky_gp.recording.detector_files import OUTSIDE, folder_of, reason

NPY = "multipart/related;type=application/x-npy"
FRAMES = np.arange(24, dtype="u2").reshape(3, 2, 4)
OUT_OF_REACH = "is in no folder that the server may read: bluesky-gp catalog serve FOLDER --readable"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    with open_catalog(tmp_path_factory.mktemp("catalog")) as catalog:
        yield catalog


def write_frames(folder):
    """Write a file an event, as image writers do."""
    folder.mkdir(exist_ok=True)
    for number, frame in enumerate(FRAMES):
        np.save(folder / f"frame_{number}.npy", frame)
    return folder


def run_of(*files, image=None, datums=True):
    """Yield the documents of a run of three events, each with a number and an image in a file."""
    uid, describes, resource = str(uuid4()), str(uuid4()), str(uuid4())
    keys = {
        "x": {"source": "x", "dtype": "number", "shape": []},
        "image": {"source": "f", "dtype": "array", "shape": [2, 4], "external": "STREAM:"} | (image or {}),
    }
    is_old = bool(files) and files[0][0] == "resource"
    described = {"configuration": {}, "object_keys": {}, "hints": {}, "data_keys": keys}
    yield "start", {"uid": uid, "time": 1.0}
    yield "descriptor", {"uid": describes, "run_start": uid, "time": 2.0, "name": "primary", **described}
    for name, doc in files:
        yield name, {"uid": resource, "run_start": uid, **doc}
    for n in range(3):
        datum = f"{resource}/{n}"
        spans = {"indices": {"start": n, "stop": n + 1}, "seq_nums": {"start": n + 1, "stop": n + 2}}
        if files and not is_old:
            yield "stream_datum", {"uid": datum, "stream_resource": resource, "descriptor": describes, **spans}
        elif is_old and datums:
            yield "datum", {"datum_id": datum, "resource": resource, "datum_kwargs": {"point_number": n}}
        data = {"x": float(n)} | ({"image": datum} if is_old else {})
        event = {"descriptor": describes, "seq_num": n + 1, "time": 3.0 + n, "data": data, "filled": {}}
        filled = {"filled": {"image": False}} if is_old else {}
        yield "event", {"uid": str(uuid4()), **event, "timestamps": dict.fromkeys(data, 3.0 + n), **filled}
    yield "stop", {"uid": str(uuid4()), "run_start": uid, "time": 9.0, "exit_status": "success"}


def frames_at(folder, **others):
    parameters = {"filename": "frame", "chunk_shape": [1], "join_method": "stack"}
    uri = f"file://localhost{folder}/"
    return "stream_resource", {"data_key": "image", "mimetype": NPY, "uri": uri, "parameters": parameters} | others


def record(catalog, documents):
    """Record documents, and return the run as the catalog has it."""
    uid = ""
    for name, doc in documents:
        uid = uid or doc["uid"]
        catalog.writer(name, doc)
    return catalog[uid]


def read(run):
    """Return what can be read of a run, and what is said about the rest."""
    assert run.stop["exit_status"] == "success"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = run.primary.read()
    assert data["x"].values.tolist() == [0.0, 1.0, 2.0]
    return data, [str(warning.message) for warning in caught if "cannot be read" in str(warning.message)]


def test_files_to_which_this_session_wrote_are_read(catalog, tmp_path):
    data, said = read(record(catalog, run_of(frames_at(write_frames(tmp_path)), image={"dtype_numpy": "<u2"})))
    np.testing.assert_array_equal(data["image"].values, FRAMES)
    assert said == []


@pytest.mark.parametrize("shape", [[1, 2, 4], [2, 4]])
def test_frames_have_the_shape_of_the_file_whether_theirs_counts_exposures_or_not(catalog, tmp_path, shape):
    run = record(catalog, run_of(streamed(tmp_path), image={"dtype_numpy": "<u2", "shape": shape}))
    np.testing.assert_array_equal(read(run)[0]["image"].values, FRAMES)


def test_a_type_that_a_descriptor_leaves_out_is_that_of_the_files(catalog, tmp_path):
    data, _ = read(record(catalog, run_of(frames_at(write_frames(tmp_path)))))
    assert data["image"].dtype == np.uint16


def test_a_camera_of_the_old_kind_is_read(catalog, tmp_path):
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("hdf5plugin")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["/entry/data/data"] = FRAMES
    about = {"spec": "AD_HDF5", "root": str(tmp_path), "resource_path": "data.h5", "path_semantics": "posix"}
    run = record(catalog, run_of(("resource", about | {"resource_kwargs": {}})))
    np.testing.assert_array_equal(read(run)[0]["image"].values, FRAMES)


@pytest.mark.skipif(find_spec("hdf5plugin") is not None, reason="the reader is there")
def test_a_reader_that_is_missing_is_named_with_its_extra(catalog, tmp_path):
    (tmp_path / "data.h5").touch()
    about = {"mimetype": "application/x-hdf5", "uri": f"file://localhost{tmp_path}/data.h5", "parameters": {}}
    _, (said,) = read(record(catalog, run_of(frames_at(tmp_path, **about))))
    assert 'needs the package hdf5plugin: pip install "bluesky_gp[files]"' in said


@pytest.mark.parametrize(
    ("others", "image", "message"),
    [
        ({"uri": "file://localhost/nowhere/"}, {}, "/nowhere/frame_0.npy is not there"),
        ({"mimetype": "application/x-of-our-lab"}, {}, "not in the catalog, see the metadata's notes"),
        ({}, {"shape": [None, 4]}, "not in the catalog, see the metadata's notes"),
        ({"uri": "s3://bucket/frames/"}, {}, "image cannot be read: "),
    ],
)
def test_what_cannot_be_read_is_said_and_the_rest_is_given(catalog, tmp_path, others, image, message):
    run = record(catalog, run_of(frames_at(write_frames(tmp_path), **others), image=image))
    data, (said,) = read(run)
    assert message in said
    assert "image" not in data
    if "notes" in message:
        assert any("The files of image are not in the catalog" in note for note in run.metadata["notes"])


def test_an_event_that_names_a_file_of_which_nothing_else_is_said_is_no_reason_to_lose_the_run(catalog):
    resource = {"spec": "AD_HDF5", "root": "/", "resource_path": "x", "path_semantics": "posix", "resource_kwargs": {}}
    run = record(catalog, run_of(("resource", resource), datums=False))
    _, (said,) = read(run)
    assert "image cannot be read" in said
    assert "image of event 1 is in a file that nothing is said of" in run.metadata["notes"]


def test_a_resource_that_is_none_is_no_reason_to_lose_the_run(catalog):
    run = record(catalog, run_of(("resource", {"resource_path": "x"})))
    assert len(read(run)[0]["x"]) == 3
    assert "A resource of a file beside the events is not in the catalog" in run.metadata["notes"][0]


def test_a_key_that_is_asked_for_and_cannot_be_read_raises(catalog):
    run = record(catalog, run_of(frames_at("/nowhere")))
    with pytest.raises(FileNotFoundError):
        run.primary.read(["image"])


@pytest.mark.slow
def test_files_of_an_earlier_session_are_read_if_their_folder_is_named(tmp_path):
    frames, place = write_frames(tmp_path / "frames"), tmp_path / "catalog"
    with open_catalog(place) as catalog:
        uid = record(catalog, run_of(frames_at(frames), image={"dtype_numpy": "<u2"})).start["uid"]
    with open_catalog(place) as catalog:
        data, (said,) = read(catalog[uid])
        assert "image" not in data
        assert f"written in another session: open_catalog(..., readable=['{frames}'])" in said
    with open_catalog(place, readable=[frames]) as catalog:
        np.testing.assert_array_equal(read(catalog[uid])[0]["image"].values, FRAMES)


@pytest.mark.slow
def test_nobody_looks_into_the_files_that_a_journal_of_another_session_names(tmp_path):
    place, documents = tmp_path / "catalog", list(run_of(streamed(tmp_path), image={"shape": [1, 2, 4]}))
    journal = Journal(place / "journal" / "pending" / "20260101T000000Z_0a1b2c3d.jsonl")
    for name, doc in documents:
        journal.append(name, doc)
    journal.close()
    with open_catalog(place) as catalog:
        run = catalog[documents[0][1]["uid"]]
        assert run.stop["exit_status"] == "success"
        assert not [note for note in run.metadata.get("notes", []) if "Fixed" in note]


@pytest.mark.slow
def test_a_server_that_is_told_no_folder_reads_none(tmp_path):
    frames, server = write_frames(tmp_path / "frames"), Server(tmp_path / "catalog")
    try:
        with open_catalog(server.url, api_key=server.key, journal=tmp_path / "journal") as catalog:
            data, (said,) = read(record(catalog, run_of(frames_at(frames), image={"dtype_numpy": "<u2"})))
    finally:
        server.end()
    assert "image" not in data
    assert f"{OUT_OF_REACH} {frames}" in said


def test_readable_is_a_list_of_folders(tmp_path):
    with pytest.raises(ValueError, match="readable is a list of folders, got '/data': give \\['/data'\\]"):
        open_catalog(tmp_path, readable="/data")
    with pytest.raises(ValueError, match="readable names folders, and .*nowhere is none"):
        open_catalog(tmp_path, readable=[tmp_path / "nowhere"])


@pytest.mark.parametrize(
    ("name", "doc", "folder"),
    [
        ("stream_resource", {"uri": "file://localhost/data/a%20b/x.h5"}, "/data/a b"),
        ("stream_resource", {"uri": "file:///data/x.h5"}, "/data"),
        ("stream_resource", {"uri": "file://localhost/x.h5"}, None),
        ("stream_resource", {"uri": "s3://bucket/x.h5"}, None),
        ("stream_resource", {"spec": "X", "root": "/data", "resource_path": "a/x.h5"}, "/data/a"),
        ("resource", {"root": "/data", "resource_path": "/a/x.h5"}, "/data/a"),
        ("resource", {"root": "", "resource_path": "x.h5"}, None),
        ("resource", {"root": "data", "resource_path": "x.h5"}, None),
        ("resource", {}, None),
    ],
)
def test_the_folder_of_a_resource_is_never_the_root_of_a_disk(name, doc, folder):
    found = folder_of(name, doc)
    assert (None if found is None else str(found)) == folder


def test_a_fault_of_a_file_is_said_in_a_line(tmp_path):
    path = tmp_path / "some frames.h5"
    path.touch()
    assert reason(OSError("truncated"), [path.as_uri()]) == f"{path}: OSError: truncated"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A folder that a served catalog may read, and that catalog."""
    folder = tmp_path_factory.mktemp("shared")
    server = Server(tmp_path_factory.mktemp("served"), "--readable", str(folder))
    try:
        with open_catalog(server.url, api_key=server.key, journal=tmp_path_factory.mktemp("journal")) as catalog:
            yield folder, catalog
    finally:
        server.end()


def numbered(folder):
    return frames_at(write_frames(folder))


def pictures(folder):
    tifffile = pytest.importorskip("tifffile")
    for number, frame in enumerate(FRAMES):
        tifffile.imwrite(folder / f"tif_{number}.tiff", frame)
    parameters = {"filename": "tif", "template": "{:s}_{:d}.tiff", "chunk_shape": [1], "join_method": "stack"}
    return frames_at(folder, mimetype="multipart/related;type=image/tiff", parameters=parameters)


def areadetector(folder):
    _hdf5(folder)
    about = {"spec": "AD_HDF5", "root": str(folder), "resource_path": "data.h5", "path_semantics": "posix"}
    return "resource", about | {"resource_kwargs": {"frame_per_point": 1}}


def streamed(folder):
    _hdf5(folder)
    parameters = {"dataset": "/entry/data/data", "chunk_shape": [1, 2, 4]}
    return frames_at(
        folder, mimetype="application/x-hdf5", uri=f"file://localhost{folder}/data.h5", parameters=parameters
    )


def _hdf5(folder):
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("hdf5plugin")
    with h5py.File(folder / "data.h5", "w") as file:
        file["/entry/data/data"] = FRAMES


@pytest.mark.slow
@pytest.mark.parametrize("files", [numbered, pictures, areadetector, streamed])
def test_a_server_reads_the_files_in_its_readable_folders(shared, files):
    folder, catalog = shared
    image = {"dtype_numpy": "<u2", "shape": [1, 2, 4] if files is streamed else [2, 4]}
    data, said = read(record(catalog, run_of(files(folder), image=image)))
    assert said == []
    np.testing.assert_array_equal(data["image"].values, FRAMES)  # of the shape that a catalog in a folder gives


@pytest.mark.slow
@pytest.mark.parametrize(
    ("inside", "fault"),
    [(True, "frame_0.npy is not read by the server: FileNotFoundError"), (False, f"/frame_0.npy {OUT_OF_REACH}")],
)
def test_what_a_server_cannot_read_is_said_at_once(shared, tmp_path, inside, fault):
    folder, catalog = shared
    place = folder / "nowhere" if inside else write_frames(tmp_path)
    data, (said,) = read(record(catalog, run_of(frames_at(place))))
    assert fault in said
    assert inside or said.endswith(str(tmp_path))
    assert "image" not in data


@pytest.mark.parametrize(
    ("status", "detail", "said"),
    [
        (424, f"RuntimeError: Refusing, as it is {OUTSIDE}", f"/data/a.h5 {OUT_OF_REACH} /data"),
        (424, "ModuleNotFoundError: No module named 'h5py'", "needs a package where the server runs, No module named"),
        (424, "FileNotFoundError: /data/a.h5", "/data/a.h5 is not read by the server: FileNotFoundError: /data/a.h5"),
        (500, "Internal server error", "which does not say why (500): perhaps it may not (bluesky-gp catalog serve"),
    ],
)
def test_what_a_server_elsewhere_answers_of_a_file_is_told_and_what_is_here_is_not_looked_at(status, detail, said):
    answer = httpx.Response(status, json={"detail": detail}, request=httpx.Request("GET", "http://elsewhere"))
    error = httpx.HTTPStatusError("answered", request=answer.request, response=answer)
    assert said in reason(error, ["file://localhost/data/a.h5"])
