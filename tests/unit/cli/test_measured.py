"""Maps that were measured in full, from files and from runs."""

import io
import json
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.plans import count, grid_scan
from hill_map import SHAPE, hill
from ophyd.sim import SynAxis, SynSignal, det
from spectrum_files import axis, write_hyperspy

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.cli.measured import full_map
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map, raster_map
from bluesky_gp.recording import open_catalog


def test_a_target_is_a_scalarizer_with_its_parameters_or_a_map_of_the_file(spectra):
    peaks = full_map(str(spectra), "peak", "", maximize=True)
    again = full_map(str(spectra), '{"kind": "peak"}', "", maximize=True)
    assert np.array_equal(peaks.values, again.values, equal_nan=True)
    assert peaks.values[6, 2] == pytest.approx(np.exp(-((np.linspace(0.0, 10.0, 16) - 4.0) ** 2)).max())
    assert np.isnan(peaks.values[0, 7])
    assert full_map(str(spectra), "slope", "", maximize=False).best_pixel == (0, 0)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv", ".txt"])
def test_a_plain_map_is_read_with_its_failed_pixels(suffix, tmp_path):
    path = tmp_path / f"map{suffix}"
    if suffix == ".npz":
        np.savez(path, hill())
    elif suffix == ".npy":
        np.save(path, hill())
    else:
        np.savetxt(path, hill(), delimiter="," if suffix == ".csv" else " ")
    read = full_map(str(path), None, "", maximize=True)
    assert np.array_equal(read.values, hill(), equal_nan=True)
    assert read.target == "map"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    """Runs 1 to 4: a count, a raster map, a grid scan of two motors, and twenty pixels by an agent."""
    folder = tmp_path_factory.mktemp("catalog")
    sample = SyntheticFerroelectric(shape=SHAPE, failed=0.1)
    stage = PixelStage(grid=PixelGrid(SHAPE), name="stage")
    spectrometer = SimulatedSpectrometer(sample, stage, name="spectrometer")
    agent = GPAgent(PixelOptimizer(PixelGrid(SHAPE), "loop_area"), target="spectrometer_loop_area")
    y, x = SynAxis(name="y"), SynAxis(name="x")
    height = SynSignal(name="height", func=lambda: y.position - x.position**2)
    RE = RunEngine({}, context_managers=[])  # noqa: N806
    with open_catalog(folder) as opened:
        RE.subscribe(opened.writer)
        RE(count([det]))
        RE(raster_map([spectrometer], stage))
        RE(grid_scan([height], y, -1.0, 2.0, 4, x, 3.0, 0.5, 6, snake_axes=True))
        RE(adaptive_map([spectrometer], stage, agent, num=20))
    return str(folder), sample.truth("loop_area")


@pytest.mark.slow
def test_a_raster_map_of_the_catalog_is_that_map(catalog):
    place, truth = catalog
    full = full_map("2", None, place, maximize=True)
    assert (full.target, full.key) == ("spectrometer_loop_area", "spectrometer_loop_area")
    assert np.array_equal(np.isnan(full.values), np.isnan(truth))
    assert np.corrcoef(full.values[np.isfinite(truth)], truth[np.isfinite(truth)])[0, 1] > 0.9


@pytest.mark.slow
def test_a_grid_scan_is_put_where_its_motors_were(catalog):
    full = full_map("3", "height", catalog[0], maximize=True)
    y, x = np.linspace(-1.0, 2.0, 4), np.linspace(3.0, 0.5, 6)
    assert full.values == pytest.approx(y[:, None] - np.sort(x) ** 2)


@pytest.mark.slow
def test_of_an_agents_run_the_pixels_that_it_measured_are_a_map(catalog):
    full = full_map("last", None, catalog[0], maximize=True)
    assert int(full.grid.allowed.sum()) == 20
    assert (full.target, full.key) == ("spectrometer_loop_area", "spectrometer_loop_area")


@pytest.mark.slow
def test_a_run_that_is_no_map_is_one_clear_line(rehearse, catalog):
    code, _, err = rehearse("1", "--catalog", catalog[0])
    assert code == 2
    assert "is no map: its start document has no 'shape'" in err
    code, _, err = rehearse("3", "--catalog", catalog[0], "--target", "width")
    assert code == 2
    assert "--target must name one number of the run's events: " in err and "height" in err


@pytest.mark.parametrize("name", ["map.hspy", "map.ndata"])
def test_a_plain_map_of_a_microscopes_program_is_read(tmp_path, name):
    if name.endswith("hspy"):
        write_hyperspy(
            tmp_path / name, hill(), [axis("y", 9, "nm", navigate=False), axis("x", 8, "nm", navigate=False)]
        )
    else:
        described = {"data_shape": [9, 8], "collection_dimension_count": 0, "datum_dimension_count": 2}
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            with archive.open("data.npy", "w") as stream:
                np.save(stream, hill())
            archive.writestr("metadata.json", json.dumps(described))
    assert np.array_equal(full_map(str(tmp_path / name), None, "", maximize=True).values, hill(), equal_nan=True)
    with pytest.raises(ValueError, match="no spectra inside"):
        full_map(str(tmp_path / name), "peak", "", maximize=True)


@pytest.mark.parametrize(
    "kind", ["a zip of zeros", "a header of ten thousand million", "an axis of two thousand million"]
)
def test_a_map_that_would_fill_the_memory_is_refused_at_once(tmp_path, kind):
    path = tmp_path / ("map.npy" if kind.startswith("a header") else "map.npz")
    stream = io.BytesIO()
    shape = {"a zip of zeros": (2**13, 2**13), "a header of ten thousand million": (10**5, 10**5)}.get(
        kind, (2 * 10**9,)
    )
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": shape})
    if path.suffix == ".npy":
        path.write_bytes(stream.getvalue() + bytes(100))
    else:
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("arr_0.npy", "w", force_zip64=True) as member,
        ):
            member.write(stream.getvalue())
            for _ in range(8 if kind.startswith("a zip") else 0):
                member.write(bytes(2**26))
    tracemalloc.start()
    begun = time.monotonic()
    with pytest.raises(ValueError, match=r"map\.np[yz]|would take"):
        full_map(str(path), None, "", maximize=True)
    taken, (_, peak) = time.monotonic() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * 2**20
    assert taken < 5.0
