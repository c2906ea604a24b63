"""Documents of a small run, and journals of it, for tests of journals."""

import numpy as np

from bluesky_gp.recording import Journal

START = {"uid": "2a8e1c6e-5b1f-4a63-9d0c-0d6f1f0a8f11", "time": 1.5e9}
DESCRIPTOR = {
    "uid": "d",
    "time": 1.5e9 + 1,
    "run_start": START["uid"],
    "name": "primary",
    "data_keys": {"spectrum": {"dtype": "array", "shape": [3], "source": "test"}},
}


def event(seq_num):
    data = {"spectrum": np.array([seq_num, np.nan, np.inf])}
    stamps = {"spectrum": 1.5e9}
    return {
        "uid": f"e{seq_num}",
        "time": 1.5e9 + seq_num,
        "descriptor": "d",
        "seq_num": seq_num,
        "data": data,
        "timestamps": stamps,
    }


STOP = {"uid": "s", "time": 2e9, "run_start": START["uid"], "exit_status": "success"}
RUN = [("start", START), ("descriptor", DESCRIPTOR), ("event", event(1)), ("event", event(2)), ("stop", STOP)]


def same(one, other):
    """Equal bit for bit; numpy's float64, str and bytes scalars may come back as Python's, which have the same bits."""
    if isinstance(one, np.ndarray | np.generic) and not isinstance(one, float | str):
        alike = isinstance(other, np.ndarray) == isinstance(one, np.ndarray)
        return alike and one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return isinstance(other, float) and (repr(float(one)) == repr(other))
    return type(other) in type(one).__mro__ and one == other


def write(path, documents):
    journal = Journal(path)
    for name, doc in documents:
        journal.append(name, doc)
    journal.close()
    return path
