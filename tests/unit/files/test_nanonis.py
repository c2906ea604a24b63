"""Nanonis' grids of tunnelling spectra."""

import numpy as np
import pytest

from bluesky_gp.files import read_spectra

KEYS = """Grid dim="{cols} x {rows}"
Grid settings=0;0;1E-8;1E-8;0
Filetype=Linear
Sweep Signal="Bias (V)"
Fixed parameters="Sweep Start;Sweep End"
Experiment parameters="X (m);Y (m);Z (m)"
# Parameters (4 byte)=5
Experiment size (bytes)={size}
Points={n}
Channels="Current (A);LI Demod 1 X (A)"
Experiment="Grid Spectroscopy"
:HEADER_END:
"""
ROWS, COLS, N = 3, 4, 6
CURRENT = np.arange(ROWS * COLS * N, dtype=float).reshape(ROWS, COLS, N)


def write(path, **changes):
    y, x = np.indices((ROWS, COLS))
    ends = np.broadcast_to([-1.0, 1.0], (ROWS, COLS, 2))
    where = np.stack([2e-9 * x, 1e-9 * y, 0.0 * x], axis=-1)
    numbers = np.concatenate([ends, where, CURRENT, -CURRENT], axis=-1).astype(">f4")
    keys = KEYS.format(rows=ROWS, cols=COLS, n=N, size=8 * N)
    for old, new in changes.items():
        keys = "\n".join(new if line.startswith(old) else line for line in keys.split("\n"))
    path.write_bytes(keys.replace("\n", "\r\n").encode() + numbers.tobytes())
    return path


def test_a_grid_that_is_not_square_comes_with_its_bias_and_positions(tmp_path):
    path = write(tmp_path / "grid.3ds")
    with pytest.raises(ValueError, match="holds 2 spectrum images, say which signal: 'Current', 'LI Demod 1 X'"):
        read_spectra(path)
    image = read_spectra(path, signal="Current")
    assert np.array_equal(image.spectra, CURRENT)
    assert image.axis == pytest.approx(np.linspace(-1.0, 1.0, N))
    assert (image.axis_name, image.axis_units, image.spectrum_units, image.units) == ("bias", "V", "A", "m")
    assert image.step == pytest.approx((1e-9, 2e-9))
    assert np.array_equal(read_spectra(path, signal="2").spectra, -CURRENT)


def test_a_grid_that_was_stopped_has_nan_where_nothing_was_measured(tmp_path):
    path = write(tmp_path / "grid.3ds")
    content = path.read_bytes()
    path.write_bytes(content[: -4 * (5 + 2 * N) * 5 - 10])  # five pixels and a bit
    image = read_spectra(path, signal="Current")
    assert np.array_equal(image.spectra.reshape(-1, N)[:6], CURRENT.reshape(-1, N)[:6])
    assert np.isnan(image.spectra.reshape(-1, N)[6:]).all()
    assert image.units == "px"


@pytest.mark.parametrize(
    ("key", "line", "said"),
    [
        ("Filetype", "Filetype=MLS", "sweeps of the type 'MLS', expected 'Linear'"),
        ("Grid dim", 'Grid dim="100000 x 100000"', "10000000000|100000 x 100000 pixels"),
        ("Points", "Points=2000000000", "points"),
        ("Channels", "Channes=", "Channels"),
        ("Points", "Points=many", "many"),
    ],
)
def test_a_header_that_cannot_be_is_refused_before_anything_is_allocated(tmp_path, key, line, said):
    with pytest.raises(ValueError, match=rf"grid.3ds: cannot be read as a grid of Nanonis: .*({said})"):
        read_spectra(write(tmp_path / "grid.3ds", **{key: line}))


@pytest.mark.parametrize("content", [b"", b"nonsense", bytes(2000), b"Grid dim=1\n:HEADER_END:"])
def test_a_broken_grid_is_one_error_that_names_it(tmp_path, content):
    (tmp_path / "grid.3ds").write_bytes(content)
    with pytest.raises(ValueError, match=r"grid.3ds: cannot be read"):
        read_spectra(tmp_path / "grid.3ds")
