"""Numbers that compare a spectrum with others: the mixtures that were made come out."""

import json

import numpy as np
import pytest

from bluesky_gp.scalarizers.evaluation import scalarized_map
from bluesky_gp.scalarizers.names import get_scalarizer, to_mapping
from bluesky_gp.scalarizers.similarity import ComponentScore, CosineSimilarity

AXIS = np.linspace(0.0, 10.0, 50)
PURE = np.array([np.exp(-0.5 * ((AXIS - at) / 1.0) ** 2) for at in (2.0, 5.0, 8.0)])
WEIGHTS = np.random.default_rng(0).dirichlet([0.5, 0.5, 0.5], (8, 9))


@pytest.fixture
def file(tmp_path):
    """A map of mixtures of three pure spectra."""
    path = tmp_path / "mixtures.npz"
    np.savez(path, spectra=WEIGHTS @ PURE, axis=AXIS)
    return path


def mapped(kind, spectra=WEIGHTS @ PURE, **parameters):
    return scalarized_map(get_scalarizer({"kind": kind, **parameters}), spectra, AXIS)


def test_the_cosine_knows_shape_and_not_height():
    likeness = CosineSimilarity(PURE[0])
    assert likeness(7.0 * PURE[0], AXIS) == pytest.approx(1.0)
    assert likeness(-PURE[0], AXIS) == pytest.approx(-1.0)
    assert likeness(PURE[2], AXIS) < 1e-3
    assert np.isnan(likeness(np.zeros(50), AXIS))


def test_the_cosine_of_two_known_vectors_is_that_of_their_angle():
    assert CosineSimilarity([1.0, 0.0])(np.array([1.0, np.sqrt(3.0)]), AXIS[:2]) == pytest.approx(np.cos(np.pi / 3))


def test_the_reference_may_be_a_pixel_of_a_file_or_its_mean(file):
    by_pixel = mapped("cosine", file=str(file), pixel=[2, 3])
    assert by_pixel[2, 3] == pytest.approx(1.0)
    assert np.nanargmax(by_pixel) == 2 * 9 + 3
    assert np.array_equal(
        mapped("cosine", file=str(file)), mapped("cosine", reference=(WEIGHTS @ PURE).mean(axis=(0, 1)))
    )


@pytest.mark.parametrize("index", range(3))
def test_nmf_gives_the_parts_that_the_mixtures_were_made_of(file, index):
    score = mapped("component", file=str(file), n_components=3, index=index)
    likest = max(np.corrcoef(score.ravel(), WEIGHTS[..., k].ravel())[0, 1] for k in range(3))
    assert likest > 0.99
    assert np.max(score) == pytest.approx(1.0, abs=0.02)
    assert np.min(score) >= 0.0


def test_components_that_are_given_are_taken_as_they_are():
    for index in range(3):
        assert mapped("component", components=PURE, index=index) == pytest.approx(WEIGHTS[..., index], abs=1e-9)


@pytest.mark.parametrize("index", range(2))
def test_pca_scores_are_scikit_learns(file, index):
    from sklearn.decomposition import PCA

    expected = PCA(2).fit_transform((WEIGHTS @ PURE).reshape(-1, 50))[:, index].reshape(8, 9)
    score = mapped("component", file=str(file), n_components=2, index=index, method="pca")
    assert score == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("parameters", [{"kind": "cosine"}, {"kind": "component", "n_components": 2, "index": 1}])
def test_what_was_found_in_a_file_is_plain_data_that_needs_the_file_no_more(file, parameters):
    scalarizer = get_scalarizer({**parameters, "file": str(file)})
    spectrum = PURE[0] + 0.2 * PURE[1]
    carried = json.loads(json.dumps(to_mapping(scalarizer)))
    file.unlink()
    again = get_scalarizer(carried)
    assert again == scalarizer
    assert again(spectrum, AXIS) == scalarizer(spectrum, AXIS)


def test_spectra_with_nan_are_not_compared_with(tmp_path):
    spectra = (WEIGHTS @ PURE).copy()
    spectra[0, 0] = np.nan
    np.savez(tmp_path / "holes.npz", spectra=spectra, axis=AXIS)
    assert np.isfinite(get_scalarizer({"kind": "cosine", "file": str(tmp_path / "holes.npz")}).reference).all()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kind": "cosine"}, "cosine: give either the reference spectrum or the file"),
        ({"kind": "cosine", "reference": [[1.0]]}, "cosine: reference must be finite numbers in 1 dimensions"),
        ({"kind": "cosine", "reference": ["a"]}, "cosine: reference must be numbers"),
        ({"kind": "component"}, "component: give either the components or the file"),
        ({"kind": "component", "components": [[1.0, 2.0], [3.0]]}, "component: components must be numbers, rows of"),
        ({"kind": "component", "components": [[1.0]], "index": 1}, "component: index must be 0 to 0, got 1"),
        ({"kind": "component", "components": [[1.0]], "method": "ica"}, "method must be one of nmf, pca, got 'ica'"),
    ],
)
def test_what_cannot_be_compared_with_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        get_scalarizer(parameters)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 51}, "n_components must be 1 to 50, as many as spectra or channels, got 51"),
        ({"n_components": 0}, "n_components must be 1 to 50"),
        ({"pixel": [9, 9]}, "lies outside the grid of shape"),
    ],
)
def test_more_than_a_file_holds_is_refused(file, parameters, message):
    kind = "cosine" if "pixel" in parameters else "component"
    with pytest.raises(ValueError, match=message):
        get_scalarizer({"kind": kind, "file": str(file), **parameters})


def test_nmf_of_loops_is_refused_with_what_does_it(tmp_path):
    np.savez(tmp_path / "loops.npz", spectra=(WEIGHTS @ PURE) - 0.5, axis=AXIS)
    with pytest.raises(ValueError, match="'nmf' takes spectra that are nowhere negative; use method 'pca'"):
        get_scalarizer({"kind": "component", "file": str(tmp_path / "loops.npz")})


def test_a_spectrum_of_other_length_is_refused():
    with pytest.raises(ValueError, match="cosine: a spectrum of 50 channels, the reference has 2"):
        CosineSimilarity([1.0, 2.0])(PURE[0], AXIS)
    with pytest.raises(ValueError, match="component: a spectrum of 50 channels, the reference has 2"):
        ComponentScore([[1.0, 2.0]])(PURE[0], AXIS)
