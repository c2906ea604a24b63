"""Files that rosettasciio reads in ways of their own."""

import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
from spectrum_files import CHANNELS, COLS, ROWS, SPECTRA, axis, rows_and_cols, signal

from bluesky_gp.files import read_spectra
from bluesky_gp.files.rosettasciio import _read, _signal
from bluesky_gp.files.signals import chosen_image

ENERGY = axis("E", CHANNELS, "eV", navigate=False)


@pytest.mark.parametrize("error", [ValueError("Store is read-only but mode is 'r+'"), TypeError("lazy"), OSError("no")])
def test_a_reader_that_cannot_be_lazy_reads_at_once(monkeypatch, tmp_path, error):
    def file_reader(path, lazy=False):
        if lazy:
            raise error
        return [signal(SPECTRA, [*rows_and_cols(), ENERGY])]

    module = types.ModuleType("a_reader")
    module.file_reader = file_reader  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_reader", module)
    (tmp_path / "a.pts").write_bytes(b"x")
    assert np.array_equal(_read("a_reader", tmp_path / "a.pts")[0]["data"], SPECTRA)


def test_a_zarr_store_in_a_zip_is_read(tmp_path):
    if not hasattr(pytest.importorskip("zarr").storage, "NestedDirectoryStore"):
        pytest.skip("this rosettasciio needs zarr 2")
    writer = pytest.importorskip("rsciio.zspy")
    folder = tmp_path / "map.zspy"
    writer.file_writer(str(folder), signal(SPECTRA, [*rows_and_cols(), ENERGY]), show_progressbar=False)
    with zipfile.ZipFile(tmp_path / "zipped.zspy", "w") as archive:
        for path in folder.rglob("*"):
            archive.write(path, path.relative_to(folder))
    assert np.array_equal(read_spectra(folder).spectra, SPECTRA)
    assert np.array_equal(read_spectra(tmp_path / "zipped.zspy").spectra, SPECTRA)


def test_a_zip_store_that_says_terabytes_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "map.zspy", "w") as archive:
        archive.writestr("Experiments/a/data/.zarray", '{"shape": [100000, 100000, 100]}')
    with pytest.raises(ValueError, match=r"map.zspy: .*its arrays would take 7450\.6 GiB"):
        read_spectra(tmp_path / "map.zspy")


@pytest.mark.parametrize("lacking", ["offset", "scale", "size"])
def test_an_axis_of_positions_without_one_of_its_numbers_is_counted(lacking):
    rows = {key: value for key, value in rows_and_cols()[0].items() if key != lacking}
    found = _signal(signal(SPECTRA[:, 0], [rows, ENERGY])).axes[0].values
    assert len(found) == ROWS
    assert found[0] == (0.0 if lacking == "offset" else 10.0)


CALLED = [("Wavelength", "nm"), ("wavelength", "um"), ("", "nm"), ("Lambda", "nm")]


@pytest.mark.parametrize(("name", "units"), CALLED)
def test_a_wavelength_is_spectral_though_the_file_marks_it_as_navigation(name, units):
    rows, cols = (a | {"navigate": False, "units": "um"} for a in rows_and_cols())
    axes = [axis(name, CHANNELS, units, 1.0, 400.0, navigate=True), rows, cols]
    found = _signal(signal(np.moveaxis(SPECTRA, -1, 0), axes))
    image = chosen_image(Path("c.dm4"), [found], None)
    assert np.array_equal(image.spectra, SPECTRA)
    assert image.axis[0] == 400.0
    assert image.shape == (ROWS, COLS)


def test_a_stack_of_pictures_at_heights_in_nm_is_no_map_of_spectra():
    rows, cols = (a | {"navigate": False, "units": "um"} for a in rows_and_cols())
    axes = [axis("z", CHANNELS, "nm", navigate=True), rows, cols]
    found = _signal(signal(np.moveaxis(SPECTRA, -1, 0), axes))
    assert not found.is_image
