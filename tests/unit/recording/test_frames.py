"""Frames of a file, looked up by event: whichever way a descriptor states their shape."""

import numpy as np
import pytest

from bluesky_gp.recording.frames import FrameError, Frames

h5py = pytest.importorskip("h5py", reason="needs bluesky_gp[files]")


def frames_of(path, rows, shape, **parameters):
    """Frames of a file with such rows, of two events in turn."""
    with h5py.File(path, "w") as file:
        file["data"] = rows
    uri, about = f"file://localhost{path}", {"dataset": "data", **parameters}
    frames = Frames("det", shape)
    frames.resource({"uid": "r", "data_key": "det", "mimetype": "application/x-hdf5", "uri": uri, "parameters": about})
    for number in (1, 2):
        spans = {"indices": {"start": number - 1, "stop": number}, "seq_nums": {"start": number, "stop": number + 1}}
        frames.datum({"stream_resource": "r", "descriptor": "d", **spans})
    return frames


@pytest.mark.parametrize(
    ("shape", "rows", "parameters"),
    [
        ([1, 3], (2, 3), {}),  # ophyd-async: exposures of an event, then the frame
        ([5, 3], (10, 3), {}),
        ([3], (2, 3), {}),  # the frame alone
        ([None], (2, 3), {}),
        ([3], (10, 3), {"multiplier": 5}),
        ([4, 3], (2, 4, 3), {}),
        ([1], (2,), {}),  # numbers
        ([], (2,), {}),
        ([5], (10,), {}),
    ],
)
def test_the_rows_of_an_event_are_found_by_any_statement_of_their_shape(tmp_path, shape, rows, parameters):
    data = np.arange(np.prod(rows), dtype=float).reshape(rows)
    frames = frames_of(tmp_path / "a.h5", data, shape, **parameters)
    assert np.array_equal([frames.of("d", 1), frames.of("d", 2)], data.reshape(2, rows[0] // 2, *rows[1:]))


def test_an_event_of_which_rows_are_missing_has_no_frame(tmp_path):
    frames = frames_of(tmp_path / "a.h5", np.zeros((9, 3)), [5, 3])
    assert frames.of("d", 1).shape == (5, 3)
    with pytest.raises(FrameError, match=r"frame 1 is not in .*a\.h5"):
        frames.of("d", 2)
