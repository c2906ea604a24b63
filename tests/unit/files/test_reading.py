"""Measured maps as files: what is read from each kind, and what is said about files that hold none."""

import sys

import h5py
import numpy as np
import pytest
from spectrum_files import BIAS, CHANNELS, COLS, ROWS, SPECTRA, axis, rows_and_cols

from bluesky_gp.files.reading import read_spectra

# --- what is read -----------------------------------------------------------------------------------------------------


def test_numpys_own_format_needs_no_reader(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rsciio", None)
    monkeypatch.setitem(sys.modules, "h5py", None)
    np.savez(tmp_path / "map.npz", spectra=SPECTRA, axis=BIAS, meta='{"axis_units": "V", "spectra_units": "pm"}')
    image = read_spectra(tmp_path / "map.npz")
    assert np.array_equal(image.spectra, SPECTRA)
    assert np.array_equal(image.axis, BIAS)
    assert (image.axis_name, image.axis_units, image.spectrum_units) == ("bias", "V", "pm")
    assert (image.grid.shape, image.grid.step, image.grid.units) == ((ROWS, COLS), (1.0, 1.0), "px")


def test_a_hyperspy_map_comes_with_its_axes_and_lattice(hyperspy):
    path = hyperspy(
        SPECTRA,
        [*rows_and_cols(), axis("Energy loss", CHANNELS, "eV", 0.5, 350.0, navigate=False)],
        Signal={"signal_type": "EELS", "quantity": "Electrons (Counts)"},
    )
    image = read_spectra(path)
    assert np.array_equal(image.spectra, SPECTRA)
    assert image.axis.tolist() == [350.0, 350.5, 351.0, 351.5, 352.0, 352.5]
    assert (image.axis_name, image.axis_units, image.spectrum_units) == ("energy", "eV", "counts")
    assert image.grid.position((2, 3)).tolist() == [11.0, -1.25]
    assert image.grid.units == "nm"
    assert image.metadata["General"]["title"] == "a map"


def test_the_spectral_axis_may_stand_anywhere(hyperspy):
    path = hyperspy(
        np.moveaxis(SPECTRA, -1, 0), [axis("Energy loss", CHANNELS, "eV", navigate=False), *rows_and_cols()]
    )
    assert np.array_equal(read_spectra(path).spectra, SPECTRA)


def test_an_axis_in_electronvolts_is_spectral_whatever_the_file_marks(hyperspy):
    # Gatan's spectrum images come out of rosettasciio with the energy marked as the navigation axis.
    rows, cols = rows_and_cols()
    axes = [axis("Energy loss", CHANNELS, "eV", navigate=True), rows | {"navigate": False}, cols | {"navigate": False}]
    assert np.array_equal(read_spectra(hyperspy(np.moveaxis(SPECTRA, -1, 0), axes)).spectra, SPECTRA)


def test_a_file_that_was_read_is_free_again(hyperspy):
    path = hyperspy(SPECTRA, [*rows_and_cols(), axis("E", CHANNELS, "eV", navigate=False)])
    read_spectra(path)
    with h5py.File(path, "a"):
        pass


@pytest.mark.parametrize("order", ["fast first", "slow first"])
def test_a_usid_table_becomes_a_map_with_its_uneven_sweep(usid, order):
    image = read_spectra(usid(order=order))
    assert np.array_equal(image.spectra, SPECTRA)
    assert np.array_equal(image.axis, BIAS)
    assert (image.axis_name, image.axis_units, image.spectrum_units) == ("bias", "V", "pm")
    assert (image.step, image.origin, image.units) == ((0.5, 0.25), (10.0, 0.0), "um")


def test_a_usid_map_that_was_stopped_has_nan_where_nothing_was_measured(usid):
    image = read_spectra(usid(rows=slice(0, 9)))
    assert np.isnan(image.spectra[2, 1:]).all()
    assert np.array_equal(image.spectra[:2], SPECTRA[:2])


def test_a_dimension_of_one_value_is_left_out(usid):
    cycle = ("Cycle", "", np.zeros(CHANNELS), np.zeros(CHANNELS))
    image = read_spectra(usid(spectroscopic=[("DC bias", "V", np.arange(CHANNELS), BIAS), cycle]))
    assert np.array_equal(image.spectra, SPECTRA)


def test_of_fits_with_several_parameters_one_is_chosen_by_name(usid):
    fits = np.empty((ROWS * COLS, CHANNELS), dtype=[("Amplitude [V]", "f4"), ("Frequency [Hz]", "f4")])
    fits["Amplitude [V]"], fits["Frequency [Hz]"] = SPECTRA.reshape(-1, CHANNELS), 3e5
    path = usid(fits)
    with pytest.raises(ValueError, match=r"map.h5: holds 2 spectrum images, say which signal: '.*Loops/Amplitude', "):
        read_spectra(path)
    image = read_spectra(path, signal="Measurement_000/Channel_000/Loops/Amplitude")
    assert np.array_equal(image.spectra, SPECTRA)
    assert image.spectrum_units == "V"


def test_an_nsid_map_comes_with_its_uneven_sweep(nsid):
    image = read_spectra(nsid())
    assert np.array_equal(image.spectra, SPECTRA)
    assert np.array_equal(image.axis, BIAS)
    assert (image.axis_name, image.axis_units, image.spectrum_units) == ("bias", "V", "pm")
    assert image.step == pytest.approx((1e-8, 2e-8))


def test_a_hyperspy_file_may_be_called_hdf5(hyperspy):
    path = hyperspy(SPECTRA, [*rows_and_cols(), axis("E", CHANNELS, "eV", navigate=False)])
    assert read_spectra(path.rename(path.with_suffix(".hdf5"))).shape == (ROWS, COLS)


# --- what is not ------------------------------------------------------------------------------------------------------


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no .*map.dm3"):
        read_spectra(tmp_path / "map.dm3")


@pytest.mark.parametrize("name", ["map.docx", "map", "map.png", "map.npy"])
def test_an_unknown_suffix_is_refused_with_those_that_are_known(tmp_path, name):
    (tmp_path / name).write_bytes(b"whatever")
    with pytest.raises(ValueError, match=rf"{name}: the suffix '.*' is none of those that are read: .*dm3.*hspy.*npz"):
        read_spectra(tmp_path / name)


@pytest.mark.parametrize(
    "suffix", ["dm3", "dm4", "emd", "hspy", "h5", "hf5", "hdf5", "bcf", "nxs", "ser", "prz", "rpl"]
)
@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x89HDF\r\n\x1a\n" + bytes(200), b"\x80\x04cos\nsystem\n."])
def test_a_broken_file_is_one_error_that_names_it(tmp_path, suffix, content):
    path = tmp_path / f"map.{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"map.{suffix}: "):
        read_spectra(path)


@pytest.mark.parametrize(
    ("data", "axes", "what"),
    [
        (SPECTRA[0, 0], [axis("E", CHANNELS, "eV", navigate=False)], r"6 E \(spectral\)"),
        (SPECTRA[0], [axis("y", COLS, navigate=False), axis("x", CHANNELS, navigate=False)], "4 y .* x 6 x"),
        (
            np.zeros((ROWS, COLS, 5, 5)),
            [*rows_and_cols(), axis("kx", 5, "1/nm", navigate=False), axis("ky", 5, "1/nm", navigate=False)],
            r"3 y x 4 x x 5 kx \(spectral\) x 5 ky \(spectral\)",
        ),
        (SPECTRA * 1j, [*rows_and_cols(), axis("E", CHANNELS, "eV", navigate=False)], "complex"),
    ],
    ids=["one spectrum", "an image", "diffraction patterns", "complex"],
)
def test_a_file_without_a_spectrum_at_each_pixel_says_what_it_holds(hyperspy, data, axes, what):
    with pytest.raises(ValueError, match=f"map.hspy: no spectra inside, expected .*; it holds 'a map': .*{what}"):
        read_spectra(hyperspy(data, axes))


def test_two_spectral_dimensions_are_no_spectrum(usid):
    fields = ("Field", "", np.arange(CHANNELS) % 2, np.arange(CHANNELS) % 2)
    steps = np.arange(CHANNELS) // 2
    with pytest.raises(ValueError, match=r"no spectra inside.* 3 Frequency \(spectral\) x 2 Field \(spectral\)"):
        read_spectra(usid(spectroscopic=[("Frequency", "Hz", steps, steps), fields]))


def test_a_name_that_is_not_there_is_refused_with_those_that_are(hyperspy):
    path = hyperspy(SPECTRA, [*rows_and_cols(), axis("E", CHANNELS, "eV", navigate=False)])
    with pytest.raises(ValueError, match="no spectrum image is called 'low loss'.* it holds 'a map'"):
        read_spectra(path, signal="low loss")


@pytest.mark.parametrize(("name", "package"), [("map.dm3", "rsciio"), ("map.h5", "h5py")])
def test_a_missing_reader_says_what_to_install(tmp_path, monkeypatch, name, package):
    (tmp_path / name).write_bytes(b"whatever")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=rf"{name}: .* read by .*: pip install 'bluesky_gp\[hyperspy\]'"):
        read_spectra(tmp_path / name)


def test_a_file_that_would_fill_the_memory_is_not_loaded(tmp_path):
    path = tmp_path / "map.h5"
    with h5py.File(path, "w") as file:
        main = file.create_dataset("a/a", shape=(2**14, 2**14, 64), chunks=(64, 64, 64), dtype="f4")
        main.attrs.update({"main_data_name": "a", "units": "V"})
        for i, kind in enumerate(("SPATIAL", "SPATIAL", "SPECTRAL")):
            scale = file.create_dataset(f"a/{i}", data=np.arange(main.shape[i], dtype=float))
            scale.attrs["dimension_type"] = kind
            scale.make_scale(str(i))
            main.dims[i].attach_scale(scale)
    assert path.stat().st_size < 2**20
    with pytest.raises(ValueError, match=r"map.h5: 'a/a' would take 128.0 GiB"):
        read_spectra(path)


def test_gatans_original_is_what_the_measured_set_was_made_from(data_folder):
    image = read_spectra(data_folder / "eels_oxide_interface_49x6.npz")
    assert (image.shape, image.axis_units, image.spectrum_units) == ((49, 6), "eV", "counts")
    assert image.stored_map("target").max() == pytest.approx(27280, rel=1e-3)
    assert image.stored_map("no such map") is None
