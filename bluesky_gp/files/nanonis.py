"""Grids of tunnelling spectra in Nanonis' ``.3ds`` files: a text of keys, then 4-byte numbers, pixel by pixel.

SciFiReaders has a reader, too; it stumbles over maps that are not square and knows no positions (0.12.7).
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bluesky_gp.files.axes import Axis, split_units
from bluesky_gp.files.limits import LONGEST, check_size
from bluesky_gp.files.signals import Signal
from bluesky_gp.typing import Floats

_END = b":HEADER_END:"
_LONGEST_HEADER = 2**20  # bytes


class _Grid(NamedTuple):
    """Numbers of each pixel, shape ``(rows, cols, n_parameters + n_channels * n_points)``; NaN where there are none."""

    numbers: Floats
    parameters: list[str]
    channels: list[str]
    n_points: int

    def parameter(self, name: str) -> Floats:
        return self.numbers[..., self.parameters.index(name)]

    def channel(self, index: int) -> Floats:
        first = self.numbers.shape[-1] - (len(self.channels) - index) * self.n_points
        return self.numbers[..., first : first + self.n_points]


def read_3ds(path: Path) -> list[Signal]:
    """Return one signal a channel; of a grid that was stopped, NaN where nothing was measured."""
    try:
        content = _header(path)
        grid = _grid(path, content)
        axes = (*_positions(grid), _sweep(grid, content))
    except Exception as error:  # whatever is missing in a broken file
        raise ValueError(f"file {path}: cannot be read as a grid of Nanonis: {error!r}") from error
    return [_signal(grid, i, channel, axes, content) for i, channel in enumerate(grid.channels)]


def _signal(grid: _Grid, index: int, channel: str, axes: tuple[Axis, ...], content: Mapping[str, Any]) -> Signal:
    name, units = split_units(channel)
    metadata = {key: value for key, value in content.items() if isinstance(value, str)}
    return Signal(name, axes, load=partial(grid.channel, index), units=units, metadata=metadata)


def _header(path: Path) -> dict[str, Any]:
    """Return the keys of a file, and under "" where its numbers begin."""
    with path.open("rb") as stream:
        start = stream.read(_LONGEST_HEADER)
    place = start.find(_END)
    if place < 0:
        raise ValueError(f"expected {_END.decode()} after its keys")
    lines = (line.partition("=") for line in start[:place].decode("utf-8", "replace").splitlines())
    found: dict[str, Any] = {key.strip(): value.strip().strip('"') for key, equals, value in lines if equals}
    return {**found, "": start.index(b"\n", place) + 1}


def _grid(path: Path, content: Mapping[str, Any]) -> _Grid:
    cols, rows = (int(n) for n in content["Grid dim"].lower().split("x"))
    channels, n_points = _names(content["Channels"]), int(content["Points"])
    parameters = _names(content["Fixed parameters"]) + _names(content["Experiment parameters"])
    n_parameters = int(content.get("# Parameters (4 byte)", len(parameters)))
    width = n_parameters + len(channels) * n_points
    if min(rows, cols, n_points, n_parameters) < 1 or max(rows * cols, n_points) > LONGEST:
        raise ValueError(f"{rows} x {cols} pixels of {n_points} points")
    check_size("its grid", (rows, cols, width), path.stat().st_size)
    numbers = _measured(path, content[""], rows * cols, width).reshape(rows, cols, width)
    return _Grid(numbers, parameters, channels, n_points)


def _measured(path: Path, offset: int, n_pixels: int, width: int) -> Floats:
    """Read the numbers of all pixels; NaN at those that a scan cut short lacks."""
    there = np.fromfile(path, dtype=">f4", offset=offset, count=n_pixels * width)
    numbers = np.full(n_pixels * width, np.nan)
    numbers[: len(there) // width * width] = there[: len(there) // width * width]
    return numbers


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(";") if name.strip()]


def _sweep(grid: _Grid, content: Mapping[str, Any]) -> Axis:
    if content.get("Filetype", "Linear") != "Linear":
        raise ValueError(f"sweeps of the type {content['Filetype']!r}, expected 'Linear'")
    ends = [grid.parameter(name) for name in ("Sweep Start", "Sweep End")]
    low, high = (np.unique(end[np.isfinite(end)]) for end in ends)
    if len(low) != 1 or len(high) != 1:
        raise ValueError("sweeps that differ from pixel to pixel")
    name, units = split_units(content.get("Sweep Signal", ""))
    return Axis(name, units, np.linspace(low[0], high[0], grid.n_points), spectral=True)


def _positions(grid: _Grid) -> list[Axis]:
    """Return rows and columns, in m where the stage moved along them, else as numbers."""
    rows, cols = grid.numbers.shape[:2]
    known = {"X (m)", "Y (m)"} <= {*grid.parameters} and np.isfinite(grid.numbers[..., 0]).all()
    y, x = (grid.parameter("Y (m)"), grid.parameter("X (m)")) if known else np.indices((rows, cols), dtype=float)
    straight = np.ptp(y, axis=1).max() <= 0.1 * np.ptp(y) and np.ptp(x, axis=0).max() <= 0.1 * np.ptp(x)
    if not known or not straight:  # unfinished, or turned
        return [Axis("Y", "", np.arange(rows, dtype=float), False), Axis("X", "", np.arange(cols, dtype=float), False)]
    return [Axis("Y", "m", y.mean(axis=1), spectral=False), Axis("X", "m", x.mean(axis=0), spectral=False)]
