"""Nion Swift's own files."""

import json
import zipfile
from datetime import datetime

import h5py
import numpy as np
import pytest
from spectrum_files import ROWS, SPECTRA

from bluesky_gp.files import read_spectra

PROPERTIES = {
    "title": "Spectrum Image",
    "data_shape": [3, 4, 6],
    "collection_dimension_count": 2,
    "datum_dimension_count": 1,
    "intensity_calibration": {"offset": 0.0, "scale": 1.0, "units": "counts"},
    "dimensional_calibrations": [
        {"offset": 10.0, "scale": 0.5, "units": "nm"},
        {"offset": -2.0, "scale": 0.25, "units": "nm"},
        {"offset": 350.0, "scale": 0.5, "units": "eV"},
    ],
    "metadata": {"instrument": {"high_tension": 1e5}},
}


def ndata(path, properties=PROPERTIES, data=SPECTRA):
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("data.npy", "w") as stream:
            np.save(stream, data)
        archive.writestr("metadata.json", json.dumps(properties))
    return path


def hdf5(path, properties=PROPERTIES, data=SPECTRA):
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=data).attrs["properties"] = json.dumps(properties)
    return path


@pytest.mark.parametrize(("write", "name"), [(ndata, "map.ndata"), (hdf5, "map.h5")])
def test_swifts_own_files_come_with_their_axes(tmp_path, write, name):
    image = read_spectra(write(tmp_path / name))
    assert np.array_equal(image.spectra, SPECTRA)
    assert image.axis.tolist() == [350.0, 350.5, 351.0, 351.5, 352.0, 352.5]
    assert (image.axis_name, image.axis_units, image.spectrum_units) == ("energy", "eV", "counts")
    assert (image.step, image.origin, image.units) == ((0.5, 0.25), (10.0, -2.0), "nm")


@pytest.mark.parametrize(("handler", "suffix"), [("NDataHandler", "ndata"), ("HDF5Handler", "h5")])
def test_what_swift_writes_is_read(tmp_path, handler, suffix):
    module = pytest.importorskip(f"nion.swift.model.{handler}")
    writer = getattr(module, handler)(tmp_path / f"map.{suffix}")
    writer.write_data(SPECTRA, datetime(2026, 1, 1))
    writer.write_properties(PROPERTIES, datetime(2026, 1, 1))
    writer.close()
    assert np.array_equal(read_spectra(tmp_path / f"map.{suffix}").spectra, SPECTRA)


def test_energies_that_swift_counts_as_a_dimension_of_the_collection_are_spectral(tmp_path):
    calibrations = [PROPERTIES["dimensional_calibrations"][i] for i in (2, 0, 1)]
    turned = {**PROPERTIES, "collection_dimension_count": 1, "datum_dimension_count": 2}
    path = ndata(
        tmp_path / "a.ndata", {**turned, "dimensional_calibrations": calibrations}, np.moveaxis(SPECTRA, -1, 0)
    )
    assert read_spectra(path).shape[0] == ROWS


@pytest.mark.parametrize("content", [b"", b"PK", b"nonsense"])
def test_a_broken_file_of_swift_is_one_error_that_names_it(tmp_path, content):
    (tmp_path / "map.ndata").write_bytes(content)
    with pytest.raises(ValueError, match=r"map.ndata: cannot be read as a file of Nion Swift"):
        read_spectra(tmp_path / "map.ndata")
