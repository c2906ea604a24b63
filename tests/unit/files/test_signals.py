"""Of several spectrum images in a file one is chosen, whatever they are called."""

import h5py
import numpy as np
import pytest
from spectrum_files import BIAS, CHANNELS, SPECTRA, axis, rows_and_cols, write_hyperspy

from bluesky_gp.files import NoSpectraError, read_spectra

ENERGY = axis("Energy loss", CHANNELS, "eV", 0.5, 350.0, navigate=False)


@pytest.fixture
def two_of_one_name(hyperspy):
    path = hyperspy(SPECTRA, [*rows_and_cols(), ENERGY])
    with h5py.File(path, "a") as file:
        file.copy("Experiments/a map", "Experiments/a second map")
        file["Experiments/a second map/data"][...] = -SPECTRA
        file["Experiments/a second map/axis-2"].attrs["offset"] = 700.0
    return path


def test_two_of_one_name_are_listed_with_names_numbers_and_ranges(two_of_one_name):
    with pytest.raises(ValueError, match=r"say which signal: 'a map', 'a map#2' \(or its number, 1 to 2\)") as said:
        read_spectra(two_of_one_name)
    assert "(spectral), 350 to 352.5 eV" in str(said.value)
    assert "(spectral), 700 to 702.5 eV" in str(said.value)


@pytest.mark.parametrize(("name", "sign"), [("a map", 1), ("a map#2", -1), ("1", 1), ("2", -1)])
def test_two_of_one_name_are_asked_for_by_number(two_of_one_name, name, sign):
    assert np.array_equal(read_spectra(two_of_one_name, signal=name).spectra, sign * SPECTRA)


@pytest.mark.parametrize("name", ["0", "3", "a map#3", "-1", "2.0"])
def test_a_number_that_is_not_there_is_refused(two_of_one_name, name):
    with pytest.raises(ValueError, match=f"no spectrum image is called '{name}'.*'a map#2'"):
        read_spectra(two_of_one_name, signal=name)


def test_a_name_that_is_a_number_goes_before_the_number(two_of_one_name):
    with h5py.File(two_of_one_name, "a") as file:
        file["Experiments/a map/metadata/General"].attrs["title"] = "2"
    assert np.array_equal(read_spectra(two_of_one_name, signal="2").spectra, SPECTRA)


def band_excitation():
    """Return the steps of a sweep with and without field, twice, and their table."""
    cycle, bias, field = (index.ravel() for index in np.indices((2, CHANNELS, 2)))
    steps = [
        ("Field", "", field, field),
        ("DC Offset", "V", bias, BIAS[bias]),
        ("Cycle", "", cycle, cycle),
    ]
    table = SPECTRA.reshape(-1, CHANNELS)[:, bias] + 1000 * field + 10000 * cycle
    fits = np.empty(table.shape, dtype=[("Amplitude [V]", "f4"), ("Phase [rad]", "f4")])
    fits["Amplitude [V]"], fits["Phase [rad]"] = table, -table
    return steps, fits


def test_a_loop_of_raw_band_excitation_is_chosen_by_its_frequency(usid):
    n = 150
    frequency, bias = (index.ravel() for index in np.meshgrid(range(n), range(CHANNELS)))
    steps = [
        ("Frequency", "Hz", frequency, 3e5 + 10.0 * frequency),
        ("DC Offset", "V", bias, BIAS[bias]),
    ]
    path = usid(SPECTRA.reshape(-1, CHANNELS)[:, bias] + 1000.0 * frequency, spectroscopic=steps)
    with pytest.raises(ValueError, match="holds 150 spectrum images, say which signal"):
        read_spectra(path)
    image = read_spectra(path, signal="Loops[Frequency=120]")
    assert np.array_equal(image.spectra, SPECTRA + 120000.0) and np.array_equal(image.axis, BIAS)


@pytest.mark.parametrize(("field", "cycle"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_loop_of_band_excitation_is_chosen_by_field_and_cycle(usid, field, cycle):
    steps, fits = band_excitation()
    path = usid(fits, spectroscopic=steps)
    with pytest.raises(ValueError, match=r"holds 8 spectrum images.*Amplitude\[Cycle=0,Field=1\]'.*Phase\[Cycle=1"):
        read_spectra(path)
    image = read_spectra(path, signal=f"Measurement_000/Channel_000/Loops/Amplitude[Cycle={cycle},Field={field}]")
    assert np.array_equal(image.spectra, SPECTRA + 1000 * field + 10000 * cycle)
    assert np.array_equal(image.axis, BIAS)
    assert (image.axis_units, image.spectrum_units) == ("V", "V")
    short = read_spectra(path, signal=f"Amplitude[Cycle={cycle},Field={field}]")
    assert np.array_equal(short.spectra, image.spectra)


def test_the_end_of_a_path_that_several_have_lists_them(usid):
    steps, fits = band_excitation()
    with pytest.raises(ValueError, match="holds 4 spectrum images"):
        read_spectra(usid(fits, spectroscopic=steps), signal="Measurement_000/Channel_000/Loops/Amplitude")


@pytest.mark.parametrize("navigate", [True, False])
def test_a_plain_map_says_that_it_has_no_spectra_and_is_there_as_a_map(tmp_path, navigate):
    axes = [a | {"navigate": navigate} for a in rows_and_cols()]
    path = write_hyperspy(tmp_path / "map.hspy", SPECTRA[..., 0], axes)
    with pytest.raises(NoSpectraError, match="map.hspy: no spectra inside") as said:
        read_spectra(path)
    assert np.array_equal(said.value.plain_map(), SPECTRA[..., 0])


def test_of_two_plain_maps_neither_is_taken(hyperspy):
    path = hyperspy(SPECTRA[..., 0], rows_and_cols())
    with h5py.File(path, "a") as file:
        file.copy("Experiments/a map", "Experiments/b")
    with pytest.raises(NoSpectraError) as said:
        read_spectra(path)
    assert said.value.plain_map() is None
