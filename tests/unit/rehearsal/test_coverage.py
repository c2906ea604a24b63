"""Coverage of spectrum space, by the spectra of some pixels of a map."""

import numpy as np
import pytest

from bluesky_gp import Novelty, PixelGrid
from bluesky_gp.rehearsal import Configuration, FullMap, configurations, rehearse
from bluesky_gp.rehearsal.coverage import NEAR, SpectrumSpace

SHAPE = (8, 8)


@pytest.fixture(scope="module")
def spectra():
    """Spectra of a hill, but for three pixels of a corner that have a band of their own; one failed."""
    row, col = np.indices(SHAPE)
    hill = np.exp(-((row - 3.0) ** 2 + (col - 3.0) ** 2) / 10.0)
    found = hill[..., None] * np.sin(np.arange(12.0)) + 0.01 * np.random.default_rng(0).normal(size=(*SHAPE, 12))
    found[7, 5:, 8] += 3.0
    found[0, 0] = np.nan
    return found


def test_all_pixels_cover_all_and_none_are_as_far_as_the_mean(spectra):
    space = SpectrumSpace.of(spectra.reshape(64, 12))
    assert space.coverage(np.arange(64)) == (1.0, 0.0, 0.0)
    known = np.isfinite(space.Z).all(axis=1)
    assert known.sum() == 63 and np.mean(np.sum(space.Z[known] ** 2, axis=1)) == pytest.approx(1.0)
    for nothing in (np.empty(0, dtype=int), np.array([0])):  # the pixel that failed shows nothing
        assert space.coverage(nothing).distance == pytest.approx(np.linalg.norm(space.Z[known], axis=1).mean())


def test_a_kind_of_spectrum_that_nobody_measured_is_not_covered_until_one_of_it_is(spectra):
    space = SpectrumSpace.of(spectra.reshape(64, 12))
    hill = np.arange(61)
    without, with_one = space.coverage(hill), space.coverage(np.append(hill, 62))
    assert without.share == pytest.approx(60 / 63) and without.rarest > 4 * NEAR
    assert with_one.share == 1.0 and with_one.rarest < NEAR and with_one.distance < without.distance


def test_the_unit_of_the_spectra_does_not_matter_and_spectra_that_are_all_alike_have_no_space(spectra):
    rows, some = spectra.reshape(64, 12), np.array([3, 20, 40])
    assert SpectrumSpace.of(1e-9 * rows + 5e-9).coverage(some) == pytest.approx(SpectrumSpace.of(rows).coverage(some))
    assert SpectrumSpace.of(np.ones((64, 12))) is None
    assert SpectrumSpace.of(np.where(np.arange(64)[:, None] == 5, rows, np.nan)) is None


def test_a_rehearsal_reports_it_of_every_method_and_novelty_has_seen_the_rare_spectra(spectra):
    values = np.nan_to_num(spectra[..., 1])
    choices = configurations({"ei": None, "novelty": Novelty()}, [4])
    choices[1] = Configuration("novelty", {**choices[1].options, "batch": 1.0})
    found = rehearse(PixelGrid(SHAPE), values, choices, spectra=spectra, num=24, seeds=[0], n_jobs=1)
    for name, standing in found.standings.items():
        assert standing.coverage.shape == (len(standing.num), 3), name
        assert np.all(np.diff(standing.coverage[:, 1]) <= 1e-12) or name.startswith("coarse")
    ends = {name: standing.coverage[-1] for name, standing in found.standings.items()}
    assert ends["novelty"][2] < NEAR
    told = found.to_dict()["methods"][1]["coverage"]
    assert told["rarest"][-1] == ends["novelty"][2] and len(told["share"]) == len(found.standings["novelty"].num)
    assert found.to_dict()["methods"][1]["method"] == "novelty"


def test_spectra_of_other_pixels_and_novelty_without_spectra_are_refused(spectra):
    with pytest.raises(ValueError, match=r"must have the grid's shape \(8, 8\) and an axis of channels, got"):
        FullMap(PixelGrid(SHAPE), np.arange(64.0).reshape(SHAPE), spectra=spectra[:, 1:])
    with pytest.raises(ValueError, match="novelty: Novelty.* needs the map's spectra, whose name is 'spectrum'"):
        rehearse(PixelGrid(SHAPE), np.arange(64.0).reshape(SHAPE), configurations({"novelty": Novelty()}), num=20)
