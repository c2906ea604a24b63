"""Files made to harm get an error and no more: journals, and files of measured spectra."""

import ast
import io
import json
import logging
import pickle
import re
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bluesky_gp.devices import MeasuredSample
from bluesky_gp.recording import Journal, JournalError, open_catalog, read_journal
from bluesky_gp.recording.journal_end import finish_journal
from bluesky_gp.recording.journal_folder import JournalFolder

ROOT = Path(__file__).parents[2]
HEADER = b'{"format":"bluesky_gp.journal","version":1}\n'
RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["start", "descriptor", "event", "event_page", "datum", "stop", "resource", "nonsense"])
KEYS = st.sampled_from(
    ["uid", "time", "name", "descriptor", "seq_num", "run_start", "data_keys", "data", "__ndarray__"]
)
WRONG_DOCUMENTS = st.lists(st.tuples(NAMES, st.dictionaries(KEYS, JSON, max_size=6)), max_size=5)


def lines(documents):
    return b"".join(json.dumps({"name": name, "doc": doc}).encode() + b"\n" for name, doc in documents)


@given(WRONG_DOCUMENTS)
@example([("start", {"uid": ["a"]}), ("descriptor", {"uid": {}, "name": []})])
@example([("start", {"uid": "a", "time": {}}), ("event", {"descriptor": None, "seq_num": [[]]})])
def test_documents_of_wrong_types_are_a_journal_error(tmp_path_factory, documents):
    path = tmp_path_factory.mktemp("journal") / "a.jsonl"
    path.write_bytes(HEADER + lines(documents))
    try:
        finish_journal(path)
    except JournalError as error:
        assert str(path) in str(error)


@pytest.mark.parametrize(
    "line",
    [
        b'{"name":"start","doc":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
        b'{"name":"start","doc":{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}}",
        b'{"name":"start","doc":{"time":1' + b"0" * 100_000 + b"}}",
        b'{"name":"start","doc":{"a":{"__ndarray__":"","dtype":"<f8","shape":[4611686018427387904,4,4]}}}',
        b'{"name":"start","doc":{"a":{"__ndarray__":"AAAA","dtype":"|V4611686018427387904","shape":[]}}}',
        b'{"name":"start","doc":{"a":{"__ndarray__":"AAAA","dtype":"|O","shape":[1]}}}',
        b'{"name":"start","doc":{"a":{"__ndarray__":"AAAA","dtype":'
        + b'[["a",' * 20_000
        + b'"<f8"'
        + b"]]" * 20_000
        + b"}}}",
        b"\x00" * 1000,
        b"\xff\xfe",
    ],
    ids=["deep", "deep list", "long number", "huge shape", "huge dtype", "objects", "deep dtype", "zeros", "not ascii"],
)
def test_a_line_made_to_harm_is_an_error_that_costs_no_memory(tmp_path, line):
    path = tmp_path / "a.jsonl"
    path.write_bytes(HEADER + line + b"\n")
    tracemalloc.start()
    with pytest.raises(JournalError, match="line 2 is damaged"):
        list(read_journal(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * 2**20


UIDS = ["..", "../../evil", "/etc/evil", "a/b", "..\\evil", "a\x00b", ".", "   "]
KEYS = [("..", ".."), ("primary", "../../../../evil"), ("a/../../b", "x")]


@pytest.mark.slow
def test_runs_whose_uid_stream_or_key_is_a_path_stay_where_they_are_and_are_named(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    folder = tmp_path / "above" / "catalog"
    good = {"uid": "2a8e1c6e-5b1f-4a63-9d0c-0d6f1f0a8f11", "time": 1.5e9, "scan_id": 1}
    runs = [spectrum_run({**good, "uid": uid}) for uid in UIDS]
    runs += [spectrum_run({**good, "uid": f"{good['uid']}{i}"}, *names) for i, names in enumerate(KEYS)]
    left = [leave(folder, f"evil{i}", documents) for i, documents in enumerate(runs)]
    taken = leave(folder, "good", spectrum_run(good))
    with open_catalog(folder) as catalog:
        assert [uid for uid, run in catalog.items() if run.metadata.get("stop")] == [good["uid"]]
    assert all(path.exists() for path in left) and not taken.exists()
    assert caplog.text.count("cannot be part of a path") >= len(left)
    assert all(str(path) in caplog.text for path in left)
    assert sorted(path.name for path in (tmp_path / "above").iterdir()) == ["catalog"]
    assert {path.name for path in folder.iterdir()} <= {"arrays", "catalog.db", "catalog.lock", "journal", "tables.db"}
    arrays = [path.relative_to(folder / "arrays") for path in (folder / "arrays").rglob("*") if path.is_file()]
    assert {path.parts[0] for path in arrays} == {good["uid"]}


def spectrum_run(start, stream="primary", key="x"):
    keys = {key: {"dtype": "array", "dtype_numpy": "<f8", "shape": [3], "source": "test"}}
    common = {"uid": "d", "time": 1.5e9, "run_start": start["uid"]}
    values = {"data": {key: np.arange(3.0)}, "timestamps": {key: 1.5e9}, "filled": {}}
    return [
        ("start", start),
        (
            "descriptor",
            common | {"name": stream, "data_keys": keys, "configuration": {}, "hints": {}, "object_keys": {}},
        ),
        ("event", {"uid": "e", "time": 1.5e9, "descriptor": "d", "seq_num": 1, **values}),
    ]


def leave(folder, name, documents):
    """Write the journal of a session that died."""
    journal = Journal(folder / "journal" / "pending" / f"20260101T000000Z_{name}.jsonl")
    for kind, doc in documents:
        journal.append(kind, doc)
    journal.close()
    return journal.path


@given(st.text(min_size=1, max_size=300))
@example("CON")
@example("../../x")
@example("a.")
@example('<>:"/\\|?*')
def test_names_of_journals_are_taken_by_every_system(tmp_path_factory, uid):
    folder = JournalFolder(tmp_path_factory.mktemp("journals"))
    run = folder.create(uid, fsync="never")
    folder.keep(run)
    (path,) = (path for path in folder.path.iterdir() if path.is_file())
    assert re.fullmatch(r"[0-9A-Za-z_.-]+", path.name)
    assert not RESERVED.match(path.name)
    assert path.suffix == ".jsonl"
    assert len(path.name) < 100


@pytest.mark.parametrize("name", ["Projekt #3", "what?"])
def test_a_folder_that_tiled_would_take_for_another_is_refused_before_anything_is_recorded(tmp_path, name):
    with pytest.raises(ValueError, match=f"no catalog can be kept in .*{re.escape(name)}, because of the [#?]"):
        open_catalog(tmp_path / name)
    assert not list(tmp_path.iterdir())


ONLY_POSIX = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}
ONLY_POSIX_CALLS = {
    *(
        f"os.{name}"
        for name in ["fork", "getuid", "geteuid", "killpg", "mkfifo", "chown", "fchmod", "getpgid", "setsid"]
    ),
    *(f"os.{name}" for name in ["nice", "statvfs", "symlink", "uname", "getloadavg", "sched_getaffinity"]),
    *(f"os.{name}" for name in ["O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC"]),
    *(f"signal.{name}" for name in ["SIGKILL", "SIGHUP", "SIGUSR1", "SIGALRM", "alarm", "setitimer"]),
    *("socket.AF_UNIX", "select.poll", "time.tzset"),
}
UNSAFE = {
    "pickle.load",
    "pickle.loads",
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "marshal.loads",
    "shelve.open",
}
SOURCES = [path for top in ("bluesky_gp", "devices", "plans") for path in ROOT.glob(f"{top}/**/*.py")]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_called_that_windows_lacks_and_nothing_is_unpickled(path):
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    assert not (names | {node.module for node in froms}) & ONLY_POSIX
    used = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    used |= {f"{node.module}.{alias.name}" for node in froms for alias in node.names}
    assert not used & (ONLY_POSIX_CALLS | UNSAFE)
    called = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    assert not called & {"eval", "exec"}
    assert not any(isinstance(node, ast.keyword) and ast.unparse(node) == "allow_pickle=True" for node in nodes)


# Files of measured spectra


def npz(path, **members):
    """Write a .npz of raw members, whatever they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def npy(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def header(shape, descr="<f8"):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
    return stream.getvalue()


AXIS = npy(np.arange(4.0))
SPECTRA = npy(np.ones((2, 3, 4)))


class Bomb:
    def __reduce__(self):
        return (sys.exit, ("unpickled",))


HARMFUL = {
    "a pickle": lambda path: path.write_bytes(pickle.dumps(Bomb())),
    "a pickled array": lambda path: npz(path, spectra=npy(np.array([Bomb()]), allow_pickle=True), axis=AXIS),
    "a huge shape": lambda path: npz(path, spectra=header((2**20, 2**20, 4)), axis=AXIS),
    "a shape beyond 64 bits": lambda path: npz(path, spectra=header((2**40, 2**40, 4)), axis=AXIS),
    "a negative shape": lambda path: npz(path, spectra=header((-1, 2, 4)), axis=AXIS),
    "a huge dtype": lambda path: npz(path, spectra=header((1, 1, 4), "<U1000000000"), axis=AXIS),
    "a member that is no array": lambda path: npz(path, spectra=b"\x93NUMPY\x01\x00\xff\xff", axis=AXIS),
    "strings": lambda path: npz(path, spectra=npy(np.full((2, 3, 4), "x")), axis=AXIS),
    "complex numbers": lambda path: npz(path, spectra=npy(np.ones((2, 3, 4)) * 1j), axis=AXIS),
    "an empty archive": lambda path: npz(path),
    "half an archive": lambda path: path.write_bytes(npz(path, spectra=SPECTRA, axis=AXIS).read_bytes()[:-40]),
}


@pytest.mark.parametrize("write", HARMFUL.values(), ids=HARMFUL)
def test_a_sample_file_made_to_harm_is_an_error_that_names_it(tmp_path, write):
    path = tmp_path / "sample.npz"
    write(path)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"file .*sample\.npz"):
        MeasuredSample(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * 2**20


@pytest.mark.parametrize("shape", [(64, 1024, 2**17), (4, 4, 4)], ids=["honest", "lying"])
def test_a_zip_bomb_is_not_unpacked(tmp_path, shape):
    path = tmp_path / "bomb.npz"
    size = 8 * 64 * 1024 * 2**17
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("spectra.npy", header(shape) + bytes(2**26))
        archive.writestr("axis.npy", npy(np.arange(4.0)))
        archive.getinfo("spectra.npy").file_size = size  # what the directory says
    assert path.stat().st_size < 2**17
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"bomb\.npz.* would take 64\.0 GiB"):
        MeasuredSample(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * 2**20


def test_units_too_deep_to_read_are_no_units(tmp_path):
    path = npz(tmp_path / "sample.npz", spectra=SPECTRA, axis=AXIS, meta=npy(np.array("[" * 200_000)))
    assert MeasuredSample(path).axis_units == ""


def test_names_in_an_archive_lead_nowhere(tmp_path):
    path = tmp_path / "inner" / "sample.npz"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../evil.npy", SPECTRA)
        archive.writestr("spectra.npy", SPECTRA)
        archive.writestr("axis.npy", AXIS)
    assert MeasuredSample(path).shape == (2, 3)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["inner", "sample.npz"]


@pytest.mark.parametrize(
    ("key", "array"),
    [
        ("target", np.ones((9, 9))),
        ("target", np.full((2, 3), "x")),
        ("valid", np.ones(7, bool)),
        ("valid", np.ones((2, 3))),
    ],
)
def test_a_stored_truth_that_does_not_fit_is_an_error_that_names_it(tmp_path, key, array):
    arrays = {"target": np.ones((2, 3)), "valid": np.ones((2, 3), bool)} | {key: array}
    path = npz(tmp_path / "sample.npz", spectra=SPECTRA, axis=AXIS, **{name: npy(a) for name, a in arrays.items()})
    with pytest.raises(ValueError, match=rf"sample\.npz: '{key}' must"):
        MeasuredSample(path).stored_truth()


@given(st.binary(max_size=300))
def test_any_bytes_are_no_sample_file(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("sample") / "sample.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="file .*sample.npz"):
        MeasuredSample(path)
