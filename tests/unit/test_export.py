import sys
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from ophyd.sim import SynAxis
from rsciio.hspy import file_reader

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticEELS, SyntheticFerroelectric
from bluesky_gp.export import export, to_dataset, to_signal
from bluesky_gp.files import read_spectra
from bluesky_gp.plans import adaptive_map
from bluesky_gp.run import RunRecord, kept_spectra
from bluesky_gp.scalarizers import get_scalarizer, scalarized_map
from bluesky_gp.status import finished

GRID = PixelGrid((8, 9), step=(0.1, 0.2), origin=(5.0, 0.0), units="um")


def measure(RE, docs, sample, target, grid=GRID):  # noqa: N803
    stage = PixelStage(grid=grid, name="stage")
    scalarizers = [target] if isinstance(target, str) else target
    (name,) = scalarizers
    spectrometer = SimulatedSpectrometer(sample, stage, scalarizers=scalarizers, name="spectrometer")
    agent = GPAgent(PixelOptimizer(grid, name), target=f"spectrometer_{name}", units=sample.spectrum_units)
    RE(adaptive_map([spectrometer], stage, agent, num=25))
    return RunRecord.from_documents(docs.all)


@pytest.fixture
def loops(RE, docs):
    """A run of 25 pixels with loops, a few of which failed."""
    return measure(RE, docs, SyntheticFerroelectric(shape=GRID.shape, seed=1, failed=0.3), "loop_area")


@pytest.mark.parametrize("name", ["map.nc", "map.zarr"])
def test_maps_come_back_with_coordinates_units_and_what_the_run_was(loops, tmp_path, name):
    export(loops, tmp_path / name)
    back = xr.open_dataset(tmp_path / name).load()
    back.close()
    xr.testing.assert_identical(back.drop_attrs(), to_dataset(loops).drop_attrs())
    assert np.array_equal(back["mean"], loops.maps["mean"])
    pixels, values = loops.measured
    assert np.array_equal(back["measured"].values[tuple(pixels.T)], values)
    assert np.isfinite(back["measured"]).sum() == len(values)
    assert back["failed"].sum() == len(loops.failed) > 0
    assert (back["mean"].attrs["units"], back["row_position"].attrs["units"]) == ("V pm", "um")
    assert back["row_position"].values[3, 0] == pytest.approx(5.3)
    assert (back.attrs["uid"], back.attrs["exit_status"]) == (loops.start["uid"], "success")
    assert np.array_equal(back["spectrum"], loops.spectra.values, equal_nan=True)
    assert np.array_equal(back["pixel"], loops.spectra.pixels)
    assert (back["bias"].attrs["units"], back["bias"].dims) == ("V", ("channel",))  # it goes there and back: no index


@pytest.mark.parametrize("name", ["map.nc", "map.zarr"])
@pytest.mark.parametrize("factor", [1.0, 1.0 + 2.0j])
def test_spectra_that_do_not_fit_into_memory_are_written_in_parts_and_come_back_whole(
    loops, tmp_path, monkeypatch, name, factor
):
    monkeypatch.setattr(kept_spectra, "_HELD", 1000)
    monkeypatch.setattr(kept_spectra, "_BLOCK", 7 * 64 * 16)
    kept, told = kept_spectra.KeptSpectra(), []
    for spectrum in factor * loops.spectra.values:
        kept.add(spectrum)
    filed = replace(loops, spectra=replace(loops.spectra, values=kept.rows(64)))
    export(filed, tmp_path / name, progress=lambda done, of: told.append((done, of)))
    back = xr.open_dataset(tmp_path / name).load()
    back.close()
    export(replace(filed, spectra=replace(filed.spectra, values=np.array(filed.spectra.values))), tmp_path / f"1{name}")
    whole = xr.open_dataset(tmp_path / f"1{name}").load()
    whole.close()
    xr.testing.assert_identical(back, whole)
    n = len(loops.spectra.pixels)
    assert told[-1] == (n, n)
    assert len(told) > 1


def test_a_long_run_is_read_with_its_spectra_in_a_file(loops, docs, monkeypatch):
    monkeypatch.setattr(kept_spectra, "_HELD", 1000)
    again = RunRecord.from_documents(docs.all)
    assert isinstance(again.spectra.values, kept_spectra.FiledRows)
    np.testing.assert_array_equal(again.spectra.values, loops.spectra.values)
    xr.testing.assert_identical(to_dataset(again), to_dataset(loops))


@pytest.mark.parametrize(("axis_name", "units", "named"), [("loss", "eV", "loss"), ("channel", "eV", "energy")])
def test_the_axis_of_a_spectrum_keeps_its_name_in_hyperspy(loops, axis_name, units, named):
    axis = np.linspace(400.0, 463.0, 64)
    for each in (axis, axis**2):  # even steps, and others
        spectra = replace(loops.spectra, axis=each, axis_name=axis_name, axis_units=units)
        channel = to_signal(replace(loops, spectra=spectra))["axes"][-1]
        assert (channel["name"], channel["units"]) == (named, units)


def test_spectra_come_back_as_an_image_that_hyperspy_opens(loops, tmp_path):
    export(loops, tmp_path / "map.hspy")
    (signal,) = file_reader(str(tmp_path / "map.hspy"))
    pixels = loops.spectra.pixels
    assert signal["data"].shape == (8, 9, 64)
    assert np.array_equal(signal["data"][tuple(pixels.T)], loops.spectra.values, equal_nan=True)
    assert np.isnan(signal["data"]).all(axis=-1).sum() >= GRID.size - len(pixels)
    row, col, channel = signal["axes"]
    assert (row["name"], row["units"], row["scale"], row["offset"]) == ("row", "um", 0.1, 5.0)
    assert (col["name"], col["scale"], channel["navigate"]) == ("col", 0.2, False)
    assert channel["name"] == "channel", "bias goes there and back, which is no axis to HyperSpy"
    assert np.array_equal(signal["original_metadata"]["channel_axis"], loops.spectra.axis)
    assert loops.start["uid"][:8] in signal["metadata"]["General"]["title"]


def test_a_spectrum_that_the_scalarizer_rejected_was_measured_all_the_same(RE, docs, tmp_path):
    sample = SyntheticFerroelectric(shape=GRID.shape, seed=1)
    record = measure(RE, docs, sample, {"loop_area": lambda spectrum, axis: np.nan})
    assert len(record.failed) == len(record.spectra.pixels) == 25
    export(record, tmp_path / "map.hspy")
    (signal,) = file_reader(str(tmp_path / "map.hspy"))
    for pixel in record.failed.tolist():
        assert signal["data"][tuple(pixel)] == pytest.approx(sample.spectrum(pixel))
    assert np.isnan(signal["data"]).all(axis=-1).sum() == GRID.size - 25


def test_an_axis_of_even_steps_has_its_units(RE, docs, tmp_path):
    grid = PixelGrid((6, 6))
    record = measure(RE, docs, SyntheticEELS(shape=grid.shape), "net_counts", grid)
    export(record, tmp_path / "map.hspy")
    axis = file_reader(str(tmp_path / "map.hspy"))[0]["axes"][-1]
    assert axis["units"] == "eV"
    assert axis["offset"] + axis["scale"] * np.arange(axis["size"]) == pytest.approx(record.spectra.axis)


def test_an_existing_file_is_kept_unless_it_is_to_be_overwritten(loops, tmp_path):
    for name in ("map.nc", "map.zarr"):
        export(loops, tmp_path / name)
        with pytest.raises(FileExistsError, match="exists already: give another name"):
            export(loops, tmp_path / name)
        export(loops, tmp_path / name, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.nc", "map.zarr"]


def test_another_suffix_is_refused_with_those_that_there_are(loops, tmp_path):
    with pytest.raises(ValueError, match=r"must be one of \.nc, \.zarr, \.hspy"):
        export(loops, tmp_path / "map.csv")


def test_a_path_may_be_a_text_and_what_is_no_record_is_named(loops, tmp_path):
    export(loops, str(tmp_path / "run.nc"))
    assert (tmp_path / "run.nc").exists()
    with pytest.raises(TypeError, match="export: expected a RunRecord, then a path, got .*run.nc.* first"):
        export(tmp_path / "run.nc", loops)


def test_nothing_is_left_of_a_file_that_could_not_be_written(loops, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rsciio.hspy", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'bluesky_gp\[hyperspy\]'"):
        export(loops, tmp_path / "map.hspy")
    assert list(tmp_path.iterdir()) == []


class Lockin:
    """A detector of complex spectra whose configuration names no axis, as simple ones are."""

    name, parent, hints = "lockin", None, {"fields": ["lockin_size"]}

    def __init__(self, y, kind):
        self.y, self.kind = y, np.dtype(kind)

    def trigger(self):
        return finished("lockin")

    def wave(self, row):
        return ((1.0 + row) * np.arange(1.0, 9.0) * (1.0 + 2.0j if self.kind.kind == "c" else 1.0)).astype(self.kind)

    def read(self):
        wave = self.wave(self.y.position)
        values = {"lockin_wave": wave, "lockin_size": float(np.abs(wave).sum())}
        return {key: {"value": value, "timestamp": 0.0} for key, value in values.items()}

    def describe(self):
        array = {"source": "x", "dtype": "array", "shape": [8], "dtype_numpy": self.kind.str}
        return {"lockin_wave": array, "lockin_size": {"source": "x", "dtype": "number", "shape": []}}

    read_configuration = describe_configuration = lambda self: {}


@pytest.mark.parametrize("kind", ["<c16", "<c8", "<u2", "<f4"])
def test_spectra_without_an_axis_are_exported_whole_complex_ones_with_both_parts(RE, docs, tmp_path, kind):
    y, x = SynAxis(name="y", egu="um"), SynAxis(name="x", egu="um")
    detector = Lockin(y, kind)
    grid = PixelGrid((6, 6), units="um")
    agent = GPAgent(PixelOptimizer(grid, "size"), target="lockin_size")
    RE(adaptive_map([detector], (y, x), agent, num=10))
    record = RunRecord.from_documents(docs.all)
    expected = np.array([detector.wave(row) for row, _ in record.spectra.pixels])
    for name in ("map.hspy", "map.zarr", "map.nc"):
        export(record, tmp_path / name)
    (signal,) = file_reader(str(tmp_path / "map.hspy"))
    assert np.array_equal(signal["data"][tuple(record.spectra.pixels.T)], expected)
    channel = signal["axes"][-1]
    assert (channel["scale"], channel["offset"], channel["size"]) == (1.0, 0.0, 8), "channel numbers"
    with xr.open_dataset(tmp_path / "map.zarr") as back:
        assert np.array_equal(back["spectrum"], expected)
    with xr.open_dataset(tmp_path / "map.nc") as back:
        if kind.startswith("<c"):
            assert np.array_equal(back["spectrum_real"] + 1j * back["spectrum_imag"], expected)
        else:
            assert np.array_equal(back["spectrum"], expected)


def test_an_exported_loop_keeps_its_bias_and_its_lattice_when_it_is_read(loops, tmp_path):
    export(loops, tmp_path / "map.hspy")
    image = read_spectra(tmp_path / "map.hspy")
    assert np.array_equal(image.axis, loops.spectra.axis)
    assert (image.axis_name, image.axis_units, image.spectrum_units) == ("bias", "V", loops.spectra.units)
    assert np.array_equal(image.spectra[tuple(loops.spectra.pixels.T)], loops.spectra.values)
    assert np.isfinite(scalarized_map(get_scalarizer("loop_area"), image.spectra, image.axis)).any()
    assert image.grid.step == pytest.approx(loops.grid.step)


@pytest.mark.parametrize("shape", [(30,), (4, 4, 3), (2, 15)])
def test_exported_loops_of_one_axis_and_of_three_are_read_where_they_were(RE, docs, tmp_path, shape):
    grid = PixelGrid(shape, step=(0.5, 0.25, 2.0)[: len(shape)], origin=(3.0, -1.0, 7.0)[: len(shape)], units="nm")
    record = measure(RE, docs, SyntheticFerroelectric(shape=shape, seed=1), "loop_area", grid)
    export(record, tmp_path / "map.hspy")
    image = read_spectra(tmp_path / "map.hspy")
    assert np.array_equal(image.axis, record.spectra.axis) and image.grid.units == "nm"
    assert image.grid.position(image.grid.coordinates) == pytest.approx(grid.position(grid.coordinates))
    assert np.array_equal(image.spectra[tuple(record.spectra.pixels.T)], record.spectra.values)


def test_an_exported_lattice_that_is_turned_is_read_turned(RE, docs, tmp_path):
    grid = PixelGrid((6, 5), step=(2.0, 2.0), origin=(3.0, 1.0), units="nm", rotation=30.0)
    record = measure(RE, docs, SyntheticEELS(shape=(6, 5)), "net_counts", grid)
    export(record, tmp_path / "map.hspy")
    read = read_spectra(tmp_path / "map.hspy").grid
    assert read.position(read.coordinates) == pytest.approx(grid.position(grid.coordinates))
