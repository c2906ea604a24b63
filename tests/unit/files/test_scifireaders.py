"""Files that SciFiReaders reads; where it is not installed, what is said."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from spectrum_files import BIAS, COLS, ROWS, SPECTRA

from bluesky_gp.files import NoSpectraError, read_spectra


class Dataset(np.ndarray):
    """What SciFiReaders gives of a sidpy data set."""


def dataset(array, dimensions, title="generic", name="Current"):
    made: Any = np.asarray(array).view(Dataset)
    made.title, made.name, made.units = title, name, "A"
    made.original_metadata, made.metadata = {"Gain": 1e9}, {}
    for i, (n, u, v, k) in enumerate(dimensions):
        setattr(made, f"dim_{i}", SimpleNamespace(name=n, units=u, values=v, dimension_type=k))
    return made


def spectral(**changes):
    kinds = [("Y", "nm", 0.5 * np.arange(ROWS)), ("X", "nm", 0.5 * np.arange(COLS)), ("Bias", "V", BIAS)]
    kinds = [changes.get(name, (name, units, values)) for name, units, values in kinds]
    return [(*kind, f"DimensionType.{'SPECTRAL' if i == 2 else 'SPATIAL'}") for i, kind in enumerate(kinds)]


@pytest.fixture
def installed(monkeypatch):
    """Install a SciFiReaders whose readers give what is asked for."""

    def install(read):
        module = ModuleType("SciFiReaders")
        for name in ("IgorIBWReader", "BrukerAFMReader", "GwyddionReader"):
            setattr(module, name, lambda path: SimpleNamespace(read=lambda: read))
        monkeypatch.setitem(sys.modules, "SciFiReaders", module)

    return install


@pytest.mark.parametrize(
    "wrap", [lambda d: d, lambda d: [d], lambda d: {"Channel_000": d}], ids=["one", "list", "dict"]
)
@pytest.mark.parametrize("suffix", ["ibw", "spm", "gwy"])
def test_a_data_set_of_sidpy_is_a_spectrum_image(installed, tmp_path, wrap, suffix):
    installed(wrap(dataset(SPECTRA, spectral())))
    (tmp_path / f"map.{suffix}").write_bytes(b"x")
    image = read_spectra(tmp_path / f"map.{suffix}")
    assert np.array_equal(image.spectra, SPECTRA)
    assert np.array_equal(image.axis, BIAS)
    assert (image.axis_name, image.spectrum_units, image.step, image.units) == ("bias", "A", (0.5, 0.5), "nm")


def test_positions_that_are_numbers_of_pixels_have_no_unit(installed, tmp_path):
    numbered = {"Y": ("Y", "nm", np.arange(ROWS)), "X": ("X", "nm", np.arange(COLS))}
    installed(dataset(SPECTRA, spectral(**numbered)))
    (tmp_path / "map.ibw").write_bytes(b"x")
    assert read_spectra(tmp_path / "map.ibw").units == "px"


def test_pictures_are_no_spectra(installed, tmp_path):
    installed({"a": dataset(SPECTRA[..., 0], spectral()[:2]), "b": dataset(SPECTRA[..., 1], spectral()[:2])})
    (tmp_path / "map.ibw").write_bytes(b"x")
    with pytest.raises(NoSpectraError, match="map.ibw: no spectra inside.*'Current': 3 Y x 4 X; 'Current#2'"):
        read_spectra(tmp_path / "map.ibw")


@pytest.mark.parametrize("suffix", ["ibw", "spm", "gwy", "sxm", "mdt"])
def test_without_it_a_sentence_says_what_to_install(monkeypatch, tmp_path, suffix):
    monkeypatch.setitem(sys.modules, "SciFiReaders", None)
    (tmp_path / f"map.{suffix}").write_bytes(b"x")
    with pytest.raises(ModuleNotFoundError, match=rf"map.{suffix}: .* SciFiReaders .*'bluesky_gp\[probes\]'"):
        read_spectra(tmp_path / f"map.{suffix}")


def test_a_broken_file_is_one_error_that_names_it(tmp_path):
    pytest.importorskip("SciFiReaders")
    (tmp_path / "map.ibw").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"map.ibw: cannot be read as .ibw"):
        read_spectra(tmp_path / "map.ibw")
