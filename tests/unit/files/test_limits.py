"""Sizes checked before anything is allocated."""

import pytest

from bluesky_gp.files.limits import LARGEST, LONGEST, check_axis, check_size


def test_what_fits_passes_however_it_is_packed():
    check_size("spectra", (100, 100, 64))
    check_size("spectra", (100, 100, 64), stored=10)  # 5 MB: small, whatever it unpacks from


@pytest.mark.parametrize(
    ("shape", "stored", "itemsize", "sentence"),
    [
        ((LARGEST // 8 + 1,), None, 1, "spectra would take 8.0 GiB$"),  # float64 in memory, whatever it is in the file
        ((LARGEST // 16 + 1,), None, 16, "spectra would take 8.0 GiB$"),
        ((2**26,), 1000, 8, "spectra would take 0.5 GiB, unpacked from 1000 bytes"),
    ],
)
def test_what_would_fill_the_memory_is_refused(shape, stored, itemsize, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_size("spectra", shape, stored, itemsize)


def test_sparse_counts_unpack_to_many_times_what_is_stored():
    check_size("spectra", (2**26,), 2**29 // 400)


def test_an_axis_has_a_point_a_value_and_not_too_many():
    check_axis("energy", 64, 64)
    with pytest.raises(ValueError, match="energy has 63 points for 64 values"):
        check_axis("energy", 63, 64)
    with pytest.raises(ValueError, match=f"energy has {LONGEST + 1} points, more than"):
        check_axis("energy", LONGEST + 1, LONGEST + 1)
