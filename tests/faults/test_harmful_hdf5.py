"""HDF5 files, zips and headers made to harm: none leads to another file, none fills the memory."""

import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest
from spectrum_files import CHANNELS, COLS, ROWS, SPECTRA, axis, rows_and_cols, write_hyperspy, write_nsid, write_usid

from bluesky_gp.files import read_spectra

ENERGY = axis("E", CHANNELS, "eV", navigate=False)
SECRET = bytes(range(256)) * 3


@pytest.fixture
def secret(tmp_path):
    (tmp_path / "secret").write_bytes(SECRET)
    return tmp_path / "secret"


def hspy(path):
    return write_hyperspy(path.with_suffix(".hspy"), SPECTRA, [*rows_and_cols(), ENERGY])


FORMS = {
    "hspy": (hspy, "Experiments/a map/data"),
    "USID": (lambda path: write_usid(path.with_suffix(".h5")), "Measurement_000/Channel_000/Loops"),
    "NSID": (lambda path: write_nsid(path.with_suffix(".hf5")), "Channel_000/loops/loops"),
}


@pytest.mark.parametrize(("write", "name"), FORMS.values(), ids=FORMS)
def test_numbers_that_are_another_files_bytes_are_not_read(tmp_path, secret, write, name):
    path = write(tmp_path / "map")
    with h5py.File(path, "a") as file:
        kept = dict(file[name].attrs)
        del file[name]
        n = ROWS * COLS * CHANNELS
        shape = (ROWS * COLS, CHANNELS) if "Measurement" in name else SPECTRA.shape
        made = file.create_dataset(name, shape, "u1", external=[(str(secret), 0, n)])
        made.attrs.update({key: value for key, value in kept.items() if key != "DIMENSION_LIST"})
    with pytest.raises(ValueError, match="map.*is kept in another file, '.*secret': such data are not read"):
        read_spectra(path)


@pytest.mark.parametrize(("write", "name"), FORMS.values(), ids=FORMS)
def test_a_link_to_another_file_is_not_followed(tmp_path, write, name):
    path, other = write(tmp_path / "map"), write(tmp_path / "other")
    with h5py.File(path, "a") as file:
        del file[name]
        file[name] = h5py.ExternalLink(str(other), name)
    with pytest.raises(ValueError, match="is a link to another file, '.*other.*': such links are not followed"):
        read_spectra(path)


@pytest.mark.parametrize(("write", "name"), FORMS.values(), ids=FORMS)
def test_a_virtual_data_set_of_another_file_is_not_read(tmp_path, write, name):
    path, other = write(tmp_path / "map"), write(tmp_path / "other")
    with h5py.File(path, "a") as file:
        shape = file[name].shape
        layout = h5py.VirtualLayout(shape=shape, dtype="f8")
        layout[...] = h5py.VirtualSource(str(other), name, shape=shape)
        del file[name]
        file.create_virtual_dataset(name, layout)
    with pytest.raises(ValueError, match="is kept in another file, '.*other"):
        read_spectra(path)


def test_links_inside_the_file_are_followed(tmp_path):
    path = hspy(tmp_path / "map")
    with h5py.File(path, "a") as file:
        file.move("Experiments/a map/data", "moved")
        file["Experiments/a map/data"] = h5py.SoftLink("/moved")
    assert np.array_equal(read_spectra(path).spectra, SPECTRA)


def _long_axis(path):
    path = hspy(path)
    with h5py.File(path, "a") as file:
        file["Experiments/a map/axis-2"].attrs["size"] = 2 * 10**9
    return path


def _far_row(path):
    rows, cols = (index.ravel() for index in np.indices((ROWS, COLS)))
    rows = rows.copy()
    rows[-1] = 10**9
    where = [("X", "um", cols, 1.0 * cols), ("Y", "um", rows, 1.0 * rows)]
    return write_usid(path.with_suffix(".h5"), positions=where)


def _empty(path):
    path = path.with_suffix(".hf5")
    write_nsid(path)
    with h5py.File(path, "a") as file:
        del file["Channel_000/loops/loops"]
        main = file.create_dataset("Channel_000/loops/loops", (2**13, 2**13, 6), "f4", chunks=(64, 64, 6))
        main.attrs.update({"main_data_name": "loops", "units": "V"})
        for i, n in enumerate(main.shape):
            scale = file.create_dataset(f"Channel_000/loops/s{i}", data=np.arange(n, dtype=float))
            scale.attrs["dimension_type"] = "SPECTRAL" if i == 2 else "SPATIAL"
            scale.make_scale(str(i))
            main.dims[i].attach_scale(scale)
    return path


def _bomb(path):
    path = path.with_suffix(".npz")
    header = {"descr": "<f8", "fortran_order": False, "shape": (2**11, 2**12, 8)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("spectra.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(member, header)
            for _ in range(8):
                member.write(bytes(2**26))
        with archive.open("axis.npy", "w") as member:
            np.save(member, np.arange(8.0))
    return path


@pytest.mark.parametrize("write", [_long_axis, _far_row, _empty, _bomb])
def test_a_file_that_says_more_than_it_holds_is_refused_within_a_second_and_300_mb(tmp_path, write):
    pytest.importorskip("resource")
    path = write(tmp_path / "map")
    assert path.stat().st_size < 2**24
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    seconds, megabytes, said = done.stdout.split(" ", 2)
    assert f"map{path.suffix}" in said
    assert float(megabytes) < 300
    assert float(seconds) < 1.0  # of the processor: a loaded machine does not count


LIMITED = """
import resource, sys, time
import h5py, rsciio.hspy
from bluesky_gp.files import read_spectra
read_spectra.__doc__
before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
try:
    read_spectra(sys.argv[1])
except ValueError as error:
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(time.process_time() - begun, more, error)
"""
