"""Samples: the same for the same seed, physical, and clear about files that are none."""

import numpy as np
import pytest

from bluesky_gp.devices import MeasuredSample, SyntheticEELS, SyntheticFerroelectric
from bluesky_gp.devices.sim.samples import Sample, make_sample
from bluesky_gp.scalarizers import NetCounts, get_scalarizer

SYNTHETIC = [SyntheticFerroelectric, SyntheticEELS]


def measured_map(sample, target):
    scalarizer = get_scalarizer(target)
    values = [scalarizer(sample.spectrum(pixel), sample.axis) for pixel in np.ndindex(sample.shape)]
    return np.array(values).reshape(sample.shape)


@pytest.fixture
def file(tmp_path):
    """Write a sample file of 3 x 4 pixels and 5 channels, with some of its arrays replaced."""

    def write(**arrays):
        path = tmp_path / "sample.npz"
        content = {"spectra": np.arange(60, dtype=np.float32).reshape(3, 4, 5), "axis": np.arange(5), **arrays}
        np.savez(path, **{key: value for key, value in content.items() if value is not None})
        return path

    return write


@pytest.mark.parametrize("kind", SYNTHETIC)
def test_a_seed_makes_one_sample(kind):
    one, same, other = kind((6, 5), seed=3), kind((6, 5), seed=3), kind((6, 5), seed=4)
    assert np.array_equal(one.truth(one.default_target), same.truth(one.default_target), equal_nan=True)
    assert not np.array_equal(one.truth(one.default_target), other.truth(one.default_target), equal_nan=True)


@pytest.mark.parametrize("kind", SYNTHETIC)
def test_the_noise_of_a_visit_depends_on_nothing_but_seed_pixel_and_visit(kind):
    one, same = kind((6, 5)), kind((6, 5))
    first = one.spectrum((2, 3))
    same.spectrum((0, 0))
    assert np.array_equal(same.spectrum((2, 3)), first)
    assert not np.array_equal(one.spectrum((2, 3), visit=1), first)
    assert np.array_equal(one.spectrum((2.4, 2.6)), first)


@pytest.mark.parametrize("kind", SYNTHETIC)
@pytest.mark.parametrize("shape", [(7,), (6, 5), (4, 3, 2), (1, 1)])
def test_samples_have_one_to_three_axes(kind, shape):
    sample = kind(shape)
    assert isinstance(sample, Sample)
    assert sample.truth(sample.default_target).shape == shape
    assert sample.spectrum((0,) * len(shape)).shape == sample.axis.shape


@pytest.mark.parametrize("kind", SYNTHETIC)
def test_the_noise_of_the_target_is_about_two_percent_of_its_range(kind):
    sample = kind((30, 30))
    truth, measured = sample.truth(sample.default_target), measured_map(sample, sample.default_target)
    assert np.nanstd(measured - truth) / (np.nanmax(truth) - np.nanmin(truth)) == pytest.approx(0.02, abs=0.008)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", SYNTHETIC)
def test_the_largest_values_lie_together(kind, seed):
    truth = kind(seed=seed).truth(kind.default_target)
    rows, cols = np.nonzero(truth >= np.nanquantile(truth, 0.99))
    assert np.hypot(rows - np.median(rows), cols - np.median(cols)).max() < 12


def test_a_ferroelectric_sweep_starts_in_the_middle_of_a_branch_and_closes():
    sample = SyntheticFerroelectric(noise=0.0, failed=0.0)
    assert (sample.axis[0], sample.axis.max(), sample.axis.min()) == (0.0, 8.5, -8.5)
    loop = sample.spectrum((10, 10))
    assert abs(loop[0] - loop[-1]) < 0.1 * np.ptp(loop)
    assert loop[0] < 0 < loop[len(loop) // 2]  # the two branches at 0 V


def test_failed_pixels_fail_at_every_visit_and_nothing_else_does():
    sample = SyntheticFerroelectric((20, 20), failed=0.1)
    failed = np.isnan(sample.truth("loop_area"))
    assert 0.05 < failed.mean() < 0.15
    for visit in range(2):
        area = [get_scalarizer("loop_area")(sample.spectrum(p, visit), sample.axis) for p in np.ndindex(20, 20)]
        assert np.array_equal(np.isnan(area).reshape(20, 20), failed)


def test_each_eels_layer_has_its_element():
    sample = SyntheticEELS()
    titanium, lanthanum = sample.truth("net_counts"), sample.truth(NetCounts((828, 856), (780, 824)))
    assert titanium[:15].mean() > 3 * titanium[22:28].mean()
    assert lanthanum[22:28].mean() > 3 * lanthanum[:15].mean()
    spectrum = sample.spectrum((5, 5))
    assert (spectrum >= 0).all()
    assert np.array_equal(spectrum, np.rint(spectrum))
    assert sample.axis[spectrum.argmax()] == 0.0  # zero loss
    low_loss = (sample.axis > 8) & (sample.axis < 100)
    assert 22 < sample.axis[low_loss][spectrum[low_loss].argmax()] < 32  # plasmon


@pytest.mark.parametrize("kind", SYNTHETIC)
def test_beside_the_sample_there_is_nothing(kind):
    with pytest.raises(ValueError, match=r"pixel \(6.00, 0.00\) lies beside the sample, which has shape \(6, 5\)"):
        kind((6, 5)).spectrum((6.0, 0.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (0, 3)}, "shape must be one to three positive whole numbers"),
        ({"n_channels": 30}, "n_channels must be a multiple of four"),
        ({"failed": 1.5}, "failed must be a part of the pixels"),
    ],
)
def test_a_sample_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SyntheticFerroelectric(**arguments)


def test_a_file_gives_its_spectra_back(file):
    sample = MeasuredSample(file(meta='{"axis_units": "eV, 350 + 0.5 n", "spectra_units": "counts (float32)"}'))
    assert sample.shape == (3, 4)
    assert sample.spectrum((2, 3)).tolist() == [55, 56, 57, 58, 59]
    assert sample.spectrum((2, 3), visit=7).dtype == np.float64
    assert (sample.axis_name, sample.axis_units, sample.spectrum_units) == ("energy", "eV", "counts")
    assert sample.truth("peak").tolist() == [[4, 9, 14, 19], [24, 29, 34, 39], [44, 49, 54, 59]]
    assert sample.stored_truth() is None


def test_what_is_read_from_a_file_cannot_be_changed_by_the_reader(file):
    sample = MeasuredSample(file())
    sample.spectrum((0, 0))[:] = -1
    assert sample.spectrum((0, 0)).tolist() == [0, 1, 2, 3, 4]


def test_nan_in_a_file_is_a_pixel_that_failed(file):
    spectra = np.ones((3, 4, 5))
    spectra[1, 1, 2] = np.nan
    sample = MeasuredSample(file(spectra=spectra))
    assert np.isnan(sample.spectrum((1, 1))).sum() == 1
    assert np.argwhere(np.isnan(sample.truth("peak"))).tolist() == [[1, 1]]


def test_a_true_map_in_the_file_is_for_scoring(file):
    valid = np.ones((3, 4), dtype=bool)
    valid[0, 0] = False
    truth = MeasuredSample(file(target=np.full((3, 4), 2.0), valid=valid)).stored_truth()
    assert np.isnan(truth[0, 0])
    assert np.nanmin(truth) == 2.0


def test_a_relative_name_is_looked_up_in_the_data_folder(file, monkeypatch):
    path = file()
    monkeypatch.setenv("BLUESKY_GP_DATA", str(path.parent))
    assert MeasuredSample(path.name).path == path


def test_a_missing_file_says_where_it_was_looked_for(monkeypatch):
    monkeypatch.setenv("BLUESKY_GP_DATA", "/somewhere")
    with pytest.raises(FileNotFoundError, match="there is no nothing.npz nor /somewhere/nothing.npz"):
        MeasuredSample("nothing.npz")
    monkeypatch.delenv("BLUESKY_GP_DATA")
    with pytest.raises(FileNotFoundError, match="looked up in the folder that BLUESKY_GP_DATA names"):
        MeasuredSample("nothing.npz")


@pytest.mark.parametrize("content", [b"", b"spectra,axis\n1,2\n", b"PK\x03\x04 and then nothing", b"\x93NUMPY"])
def test_a_file_that_is_no_sample_gets_one_clear_error(tmp_path, content):
    path = tmp_path / "notes.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"file .*notes.npz: expected a .npz with the arrays 'spectra'"):
        MeasuredSample(path)


def test_a_bare_array_is_no_sample_file(tmp_path):
    path = tmp_path / "bare.npy"
    np.save(path, np.ones((3, 4, 5)))
    with pytest.raises(ValueError, match=r"bare.npy: the suffix '.npy' is none of those that are read: .*npz"):
        MeasuredSample(path)


def test_pickled_objects_are_not_loaded(tmp_path):
    path = tmp_path / "pickled.npz"
    np.savez(path, spectra=np.array([{}], dtype=object), axis=np.arange(1))
    with pytest.raises(ValueError, match=r"pickled.npz: expected a .npz .* \(no pickled objects\)"):
        MeasuredSample(path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"spectra": None},
            r"no key 'spectra', expected an array of shape \(n_rows, n_cols, n_channels\); it has \['axis'",
        ),
        ({"axis": None}, "no key 'axis'"),
        ({"axis": np.arange(6)}, r"'axis' must be 5 finite numbers, one a channel of 'spectra', got shape \(6,\)"),
        ({"axis": np.full(5, np.nan)}, "'axis' must be 5 finite numbers"),
        ({"spectra": np.ones(5)}, r"'spectra' must have shape \(n_rows, n_cols, n_channels\), got \(5,\)"),
        ({"spectra": np.ones((0, 4, 5))}, "'spectra' must have shape"),
        ({"spectra": np.full((3, 4, 5), "x")}, "'spectra' must hold real numbers"),
        ({"spectra": np.ones((3, 4, 5), dtype=complex)}, "'spectra' must hold real numbers"),
    ],
)
def test_a_file_with_wrong_arrays_says_which_and_what_was_expected(file, arrays, message):
    with pytest.raises(ValueError, match=r"sample.npz: " + message):
        MeasuredSample(file(**arrays))


@pytest.mark.parametrize("meta", ["no json", "[1]", '{"axis_units": 3}'])
def test_a_file_need_not_say_its_units(file, meta):
    sample = MeasuredSample(file(meta=meta), spectrum_units="a.u.")
    assert (sample.axis_name, sample.axis_units, sample.spectrum_units) == ("channel", "", "a.u.")


def test_samples_are_made_from_plain_data(file):
    assert isinstance(make_sample("ferroelectric"), SyntheticFerroelectric)
    assert make_sample({"kind": "eels", "shape": [3, 4], "seed": 2}).shape == (3, 4)
    assert make_sample(str(file())).shape == (3, 4)
    assert make_sample({"kind": "file", "path": str(file())}).shape == (3, 4)
    sample = SyntheticEELS((2, 2))
    assert make_sample(sample) is sample
    with pytest.raises(ValueError, match="'kind' must be one of ferroelectric, eels, file, got 'iron'"):
        make_sample({"kind": "iron"})
    with pytest.raises(TypeError, match="expected a name, a path, a mapping"):
        make_sample(3)


@pytest.mark.parametrize(
    ("name", "target", "units"),
    [
        ("beps_pto_loops_50x50.npz", "loop_area", ("V", "a.u.")),
        ("ckpfm_bfo_10x10.npz", "loop_area", ("V", "V")),
        ("eels_oxide_interface_49x6.npz", "net_counts", ("eV", "counts")),
        ("bepfm_resonance_32x32.npz", "centroid", ("", "")),
    ],
)
def test_the_measured_sets_say_what_they_are(data_folder, name, target, units):
    sample = MeasuredSample(data_folder / name)
    assert sample.default_target == target
    assert (sample.axis_units, sample.spectrum_units) == units
    truth, stored = sample.truth(target), sample.stored_truth()
    both = np.isfinite(truth) & np.isfinite(stored)
    assert np.corrcoef(truth[both], stored[both])[0, 1] > 0.99
