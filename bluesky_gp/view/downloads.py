"""Files of a run as it was at a decision: its figure, its data, its pixels."""

import csv
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

from bluesky_gp.run import RunRecord


def figure(record: RunRecord, kind: str) -> bytes:
    """Draw a run, as PNG, SVG or PDF."""
    from bluesky_gp.plots import run_figure

    file = io.BytesIO()
    run_figure(record).savefig(file, format=kind, dpi=150)
    return file.getvalue()


def data(record: RunRecord, kind: str) -> bytes:
    """Write maps, spectra and coordinates of a run as NetCDF."""
    from bluesky_gp.export import export

    with tempfile.TemporaryDirectory(prefix="bluesky_gp-view-") as folder:
        path = Path(folder) / f"run.{kind}"
        export(record, path)
        return path.read_bytes()


def pixels(record: RunRecord, kind: str) -> bytes:
    """Write every pixel attempted, in order, as a table of text."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    units = record.grid.units
    table.writerow([*record.grid.axes, *(f"{axis}_{units}" for axis in record.grid.axes), record.target, "failed"])
    outcomes = record.together.outcomes
    places = record.grid.unravel([outcome.pixel for outcome in outcomes])
    for outcome, place, position in zip(outcomes, places, record.grid.position(places), strict=True):
        value = "" if outcome.failed else repr(float(outcome.value))
        table.writerow([*place.tolist(), *position.tolist(), value, outcome.reason])
    return text.getvalue().encode()


DOWNLOADS: dict[str, tuple[Callable[[RunRecord, str], bytes], str]] = {
    "figure.png": (figure, "image/png"),
    "figure.svg": (figure, "image/svg+xml"),
    "figure.pdf": (figure, "application/pdf"),
    "data.nc": (data, "application/x-netcdf"),
    "pixels.csv": (pixels, "text/csv"),
}


def download(record: RunRecord, name: str) -> tuple[bytes, str]:
    """Return a file and its type.

    Raises
    ------
    KeyError
        If there is none of that name.
    ValueError
        If the run has nothing to write into it.
    """
    if name not in DOWNLOADS:
        raise KeyError(f"there is no {name}, there are {', '.join(DOWNLOADS)}")
    write, media_type = DOWNLOADS[name]
    return write(record, name.rpartition(".")[2]), media_type
