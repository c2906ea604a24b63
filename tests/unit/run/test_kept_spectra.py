"""Spectra of a long run, in a file instead of in memory."""

import gc

import numpy as np
import pytest

from bluesky_gp.run import kept_spectra
from bluesky_gp.run.kept_spectra import FiledRows, KeptSpectra, blocks

SPECTRA = np.random.default_rng(0).standard_normal((9, 5))


@pytest.fixture(autouse=True)
def little_memory(monkeypatch):
    """Two spectra of five channels in memory, and three in a block."""
    monkeypatch.setattr(kept_spectra, "_HELD", 2 * 5 * 8)
    monkeypatch.setattr(kept_spectra, "_BLOCK", 3 * 5 * 8)


def kept(spectra):
    found = KeptSpectra()
    for spectrum in spectra:
        found.add(spectrum)
    assert (len(found), found.longest) == (len(spectra), max(map(len, spectra)))
    return found


def test_few_spectra_are_an_array_in_memory():
    rows = kept(SPECTRA[:2]).rows(5)
    assert not isinstance(rows, FiledRows)
    np.testing.assert_array_equal(rows, SPECTRA[:2])
    [(where, block)] = blocks(rows)
    assert where == slice(0, 2)
    assert block is rows


def test_many_are_rows_of_a_file_that_are_read_in_blocks():
    found = kept(SPECTRA)
    rows = found.rows(5)
    assert isinstance(rows, FiledRows)
    np.testing.assert_array_equal(rows, SPECTRA)
    np.testing.assert_array_equal(rows[[7, 1], 2:], SPECTRA[[7, 1], 2:])
    assert [(where.start, where.stop) for where, _ in blocks(rows)] == [(0, 3), (3, 6), (6, 9)]
    for where, block in blocks(rows):
        assert not isinstance(block, FiledRows)
        np.testing.assert_array_equal(block, SPECTRA[where])


def test_a_part_of_such_rows_is_given_as_it_is():
    part = kept(SPECTRA).rows(5)[4:]
    [(_, block)] = blocks(part)
    np.testing.assert_array_equal(block, SPECTRA[4:])


def test_a_run_that_goes_on_is_read_again_and_what_was_read_stays():
    found = kept(SPECTRA[:6])
    early = found.rows(5)
    for spectrum in SPECTRA[6:]:
        found.add(spectrum)
    np.testing.assert_array_equal(found.rows(5), SPECTRA)
    np.testing.assert_array_equal(early, SPECTRA[:6])


def test_frames_cut_short_end_in_nan_and_a_complex_one_makes_all_complex():
    spectra = [SPECTRA[0], SPECTRA[1, :3], SPECTRA[2] + 2.0j, *SPECTRA[3:]]
    rows = kept(spectra).rows(6)
    assert (rows.shape, rows.dtype) == ((9, 6), np.complex128)
    for row, spectrum in zip(rows, spectra, strict=True):
        np.testing.assert_array_equal(row[: len(spectrum)], spectrum)
        assert np.isnan(row[len(spectrum) :]).all()


def test_the_file_is_gone_with_the_last_who_holds_the_rows():
    rows = kept(SPECTRA).rows(5)
    folder = rows.folder.path
    gc.collect()
    assert folder.is_dir()
    del rows
    gc.collect()
    assert not folder.exists()
