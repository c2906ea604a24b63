"""Files of scanning probes' software, written by an independent writer, through the libraries that read them."""

import sys

import numpy as np
import pytest
from probe_files import write_ibw, write_spm
from spectrum_files import SPECTRA

from bluesky_gp.files import NoSpectraError, read_spectra

ROWS, COLS, N = SPECTRA.shape
CITS = """Channel name: I(V) [A]
Volume CITS: 1
Width = 1e-8 m, Height = 2e-8 m
lines per image: 4
Spectroscopy points per line = 3, lines per plane = 4
Scan Sub-Grid X = 1, Y = 1
axis start = -1.0, end = 1.0, points per curve = 6, x""".replace("\n", "\r")


@pytest.fixture
def igor():
    return pytest.importorskip("igor2")


@pytest.fixture
def scifireaders():
    pytest.importorskip("igor2")
    return pytest.importorskip("SciFiReaders")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i2"])
def test_a_plain_wave_of_igor_comes_with_the_scales_of_its_dimensions(igor, tmp_path, order, dtype):
    scales = {"steps": (2e-9, 1e-9, 0.5), "starts": (0, 5e-9, 100.0), "units": ("m", "m", "eV")}
    path = write_ibw(tmp_path / "map.ibw", SPECTRA.astype(dtype), **scales, data_units="cnts", order=order)
    image = read_spectra(path)
    np.testing.assert_array_equal(image.spectra, SPECTRA.astype(dtype))
    assert image.axis.tolist() == [100.0, 100.5, 101.0, 101.5, 102.0, 102.5]
    assert (image.axis_name, image.axis_units, image.spectrum_units) == ("energy", "eV", "cnts")
    assert (image.step, image.origin, image.units) == ((2e-9, 1e-9), (0.0, 5e-9), "m")


@pytest.mark.parametrize("unit", ["eV", "V"])
def test_the_spectral_dimension_of_a_wave_is_found_by_its_unit(igor, tmp_path, unit):
    turned = np.moveaxis(SPECTRA, -1, 0).astype("f8")
    image = read_spectra(write_ibw(tmp_path / "map.ibw", turned, units=(unit, "m", "m")))
    np.testing.assert_array_equal(image.spectra, SPECTRA)


def test_layers_are_the_channels_of_a_wave_without_units(igor, tmp_path):
    image = read_spectra(write_ibw(tmp_path / "map.ibw", SPECTRA.astype("f8")))
    assert image.spectra.shape == SPECTRA.shape and image.axis.tolist() == list(range(N))


@pytest.mark.parametrize(
    ("data", "said"),
    [(SPECTRA[0, 0], "map.ibw: no spectra inside.*'wave0'"), (SPECTRA * 1j, "no spectra inside.*complex")],
)
def test_a_wave_that_is_no_map_of_spectra_says_what_it_holds(igor, tmp_path, data, said):
    with pytest.raises(NoSpectraError, match=said):
        read_spectra(write_ibw(tmp_path / "map.ibw", data.astype("c8" if data.dtype.kind == "c" else "f8")))


def test_layers_with_labels_are_not_taken_for_channels(igor, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "SciFiReaders", None)
    labels = ([], [], ["HeightRetrace", "PhaseRetrace"])
    path = write_ibw(tmp_path / "map.ibw", SPECTRA[..., :2].astype("f4"), labels=labels)
    with pytest.raises(ModuleNotFoundError, match=r"'bluesky_gp\[probes\]'"):
        read_spectra(path)


def test_pictures_of_asylum_are_named_and_are_no_spectra(scifireaders, tmp_path):
    note = "FastScanSize: 1e-6\rSlowScanSize: 5e-7\rScanLines: 4\rScanPoints: 3\rImagingMode: AC Mode"
    labels = ([], [], ["HeightRetrace", "PhaseRetrace"])
    path = write_ibw(tmp_path / "map.ibw", SPECTRA[..., :2].astype("f4"), note=note, labels=labels)
    with pytest.raises(NoSpectraError, match="'HeightRetrace': 3 x x 4 y; 'PhaseRetrace'"):
        read_spectra(path)


def test_a_tunnelling_map_of_omicron_comes_with_its_bias(scifireaders, tmp_path):
    image = read_spectra(write_ibw(tmp_path / "map.ibw", SPECTRA.astype("f8"), note=CITS))
    np.testing.assert_array_equal(image.spectra, SPECTRA)
    np.testing.assert_allclose(image.axis, np.linspace(-1.0, 1.0, N))
    assert (image.axis_name, image.axis_units, image.spectrum_units, image.units) == ("bias", "V", "A", "m")


def test_a_force_volume_of_bruker_has_a_curve_at_each_pixel(scifireaders, tmp_path):
    curves = np.arange(ROWS * COLS * 8).reshape(ROWS, COLS, 8)
    image = read_spectra(write_spm(tmp_path / "map.spm", np.zeros((ROWS, COLS)), curves))
    np.testing.assert_array_equal(image.spectra, curves)
    assert (image.axis.tolist(), image.axis_name, image.units) == (list(range(8)), "channel", "px")


def test_a_picture_of_bruker_is_no_spectra(scifireaders, tmp_path):
    with pytest.raises(NoSpectraError, match="3 x x 4 y"):
        read_spectra(write_spm(tmp_path / "map.spm", np.zeros((ROWS, COLS))))
