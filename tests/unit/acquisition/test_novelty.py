import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import NMF, PCA
from sklearn.preprocessing import StandardScaler
from views import GRID, measured, optimizer, view

from bluesky_gp import PixelOptimizer
from bluesky_gp.acquisition.novelty import Novelty
from bluesky_gp.plain_data import describe, make


class Identity(BaseEstimator, TransformerMixin):
    def fit(self, spectra, y=None):
        return self

    def transform(self, spectra):
        return spectra


def test_it_is_the_mean_square_distance_to_the_nearest_spectrum_seen():
    found = view()
    seen = found.measured_values("spectrum")
    pca = PCA(2).fit(seen)
    features = pca.transform(seen)
    predicted = found.mean_of(features)[found.pixels]
    nearest = np.linalg.norm(predicted[:, None] - features, axis=2).argmin(axis=1)
    rng = np.random.default_rng(0)
    spread = np.sqrt(found.posterior.variance[found.pixels])[:, None] * features.std(axis=0)
    drawn = predicted + spread * rng.standard_normal((20_000, *predicted.shape))
    square = np.square(drawn - features[nearest]).sum(axis=2)
    error = square.std(axis=0) / np.sqrt(len(square))
    scores = Novelty(transformer=PCA(2)).on(found)
    assert np.all(np.abs(scores**2 - square.mean(axis=0)) < 5 * error)


def test_a_pixel_chosen_before_counts_as_seen():
    found = optimizer()
    context = view(found)
    scores = Novelty().on(context)
    first = int(context.pixels[np.argmax(scores)])
    later = view(found, chosen=(first,))
    row, col = GRID.unravel([first])[0]
    beside = [int(p) for p in later.pixels if np.abs(GRID.unravel([p])[0] - [row, col]).sum() == 1]
    before = dict(zip(context.pixels.tolist(), scores, strict=True))
    after = dict(zip(later.pixels.tolist(), Novelty().on(later), strict=True))
    assert beside and all(after[pixel] < before[pixel] for pixel in beside)


def test_what_is_unlike_the_rest_is_found_sooner_than_by_uncertainty_alone():
    """A corner of twelve pixels has a band of its own: how many of them are measured."""

    def visits(**options):
        count = 0
        for seed in range(4):
            found = optimizer(num=12, seed=seed, batch=1.0, **options)
            while found.state.n_attempted < 32:
                found.ingest(measured(found.suggest(4)))
            rows, cols = GRID.unravel(found.state.pixels).T
            count += int(((rows > 6) & (cols > 5)).sum())
        return count

    assert visits(acquisition=Novelty()) > visits(acquisition=lambda mean, std, best, *, rng: std)


def test_shift_and_scale_of_the_target_do_not_matter():
    def chosen(scale, shift):
        return optimizer(acquisition=Novelty(), batch=1.0, scale=scale, shift=shift).suggest(5)

    assert chosen(1.0, 0.0) == chosen(1e-6, 40.0)


def test_any_transformer_is_taken():
    found = optimizer()
    context = view(found)
    spectra = context.measured_values("spectrum")
    scaled = Novelty(transformer=StandardScaler()).on(context)
    by_hand = Novelty(transformer=PCA(12, svd_solver="full")).on(context)  # turns, and so keeps distances
    assert len(scaled) == len(by_hand) and not np.allclose(scaled, by_hand)
    assert Novelty(transformer=Identity()).on(context) == pytest.approx(by_hand, rel=1e-6) and spectra.shape[1] == 12


def test_a_transformer_is_described_and_made_again():
    for novelty in (Novelty("eels", PCA(3)), Novelty(transformer=StandardScaler()), Novelty(transformer=NMF(2))):
        again = make(describe(novelty))
        assert describe(again) == describe(novelty) and type(again.transformer) is type(novelty.transformer)


def test_before_there_are_spectra_the_uncertainty_leads():
    found = PixelOptimizer(GRID, "height", n_initial=4, others=["spectrum"])
    found.ingest([{"_id": pixel, "height": float(pixel % 5)} for pixel in range(0, 60, 7)])
    context = view(found)
    assert np.array_equal(Novelty().on(context), context.std)


def test_pixels_without_a_spectrum_and_failed_ones_are_left_out():
    found = optimizer()
    without = Novelty().on(view(found))
    found.ingest([{"_id": int(view(found).pixels[0]), "height": np.nan}])
    point = {"_id": int(view(found).pixels[3]), "height": 3.0, "spectrum": np.full(12, np.nan)}
    found.ingest([point])
    scores = Novelty().on(view(found))
    assert np.isfinite(scores).all() and len(scores) == len(without) - 2


def test_a_key_that_nobody_told_of_is_asked_for_by_name():
    with pytest.raises(KeyError, match=r"others=\['eels'\]"):
        Novelty("eels").on(view())
