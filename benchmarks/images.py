"""Maps with an overview image of the same field, drawn by seed, and the measured pairs where there are any.

Maps run from 0 to 1 and are measured with noise of 0.02; images have noise of 3 % of their spread. What the image has
to do with the map is said by the kind: it may be all, in part, in the wrong place, or nothing.
"""

from dataclasses import dataclass

import numpy as np
from maps import NOISE, SHAPE, data_file
from scipy.ndimage import gaussian_filter, shift
from scipy.spatial import KDTree

IMAGE_NOISE = 0.03
SHIFT = (1.1, -1.0)  # pixels: one and a half along the diagonal


@dataclass(frozen=True, eq=False)
class Pair:
    """A map, the values that measurements of it give, and an image."""

    kind: str
    truth: np.ndarray
    values: np.ndarray
    image: np.ndarray


def function(rng):
    """A map that is a function of the image, and not a monotonic one."""
    image = hills(rng, 4.0)
    return image, np.sin(2.2 * image) + 0.4 * image


def walls(rng):
    """Thin walls that shine in the map and are dark lines in the image; the backgrounds have nothing in common."""
    wall = np.exp(-0.5 * (hills(rng, 5.0) / 0.12) ** 2)
    return 0.15 * hills(rng, 6.0) - wall, wall * (1.0 + 0.3 * hills(rng, 8.0)) + 0.2 * hills(rng, 6.0)


def domains(rng):
    """Domains of two kinds, of which the image shows the walls between them only."""
    field = hills(rng, 5.0)
    image = 0.15 * hills(rng, 6.0) - np.exp(-0.5 * (field / 0.12) ** 2)
    return image, np.tanh(field / 0.1) + 0.25 * hills(rng, 5.0)


def particles(rng):
    """Bright particles, whose rims shine in the map, each as it likes."""
    places = np.indices(SHAPE).astype(float)
    image, rims = np.zeros(SHAPE), np.zeros(SHAPE)
    for _ in range(14):
        centre = rng.uniform(2.0, 48.0, 2)
        beyond = np.hypot(places[0] - centre[0], places[1] - centre[1]) - rng.uniform(2.5, 6.0)
        image = np.maximum(image, rng.uniform(0.7, 1.2) / (1.0 + np.exp(beyond / 0.4)))
        rims = np.maximum(rims, np.exp(-0.5 * beyond**2) * rng.uniform(0.6, 1.0))
    return image + 0.05 * hills(rng, 5.0), rims + 0.1 * hills(rng, 6.0)


def grains(rng):
    """Grains, each of one grey in the image and of another value, that has nothing to do with it, in the map."""
    _, grain = _grains(rng)
    return rng.uniform(size=40)[grain] + 0.05 * hills(rng, 3.0), rng.uniform(size=40)[grain] + 0.05 * hills(rng, 2.0)


def boundaries(rng):
    """Grains again, of which the image shows the boundaries only."""
    gap, grain = _grains(rng)
    line = np.exp(-0.5 * gap**2)
    return 0.1 * hills(rng, 5.0) - line, rng.uniform(size=40)[grain] + 0.05 * hills(rng, 2.0)


def nothing(rng):
    """An image of hills, and a map of others."""
    return hills(rng, 3.0), hills(rng, 5.0)


def shifted(rng):
    """Particles, the image a pixel and a half from where it should be."""
    image, truth = particles(rng)
    return shift(image, SHIFT, order=1, mode="nearest"), truth


def foreign(rng):
    """Particles, and the image of another sample of the same kind."""
    return particles(rng)[0], particles(rng)[1]


KINDS = {
    "function of the image": function,
    "thin walls": walls,
    "walls between domains": domains,
    "particles' rims": particles,
    "grains": grains,
    "grain boundaries": boundaries,
    "shifted": shifted,
    "nothing": nothing,
    "foreign": foreign,
}
MEASURED = {
    "EELS Ti": ("eels_oxide_interface_49x6", "target", lambda file: file["image_full"]),
    "EELS La": ("eels_oxide_interface_49x6", "target_la", lambda file: file["image_full"]),
    "BEPFM resonance": ("bepfm_resonance_32x32", "target", lambda file: file["spectra"][..., 45]),
}
"""File, key of the map, and what of the file is taken as image."""


def kinds():
    """Return the names of all kinds, of the measured ones those that are there."""
    there = {name for name, (file, *_) in MEASURED.items() if (path := data_file(file)) is not None and path.exists()}
    return [*KINDS, *(name for name in MEASURED if name in there)]


def make(kind, seed):
    """Return the pair of one kind and seed; of a measured one, always the same."""
    if kind in MEASURED:
        return _measured(kind)
    rng = np.random.default_rng([seed, 7, sorted(KINDS).index(kind)])
    image, truth = KINDS[kind](rng)
    truth = (truth - truth.min()) / np.ptp(truth)
    image = image + IMAGE_NOISE * image.std() * rng.standard_normal(SHAPE)
    return Pair(kind, truth, truth + NOISE * rng.standard_normal(SHAPE), image)


def _measured(kind):
    name, key, image = MEASURED[kind]
    with np.load(data_file(name), allow_pickle=False) as file:
        truth, seen = file[key].astype(float), np.asarray(image(file), dtype=float)
    truth = (truth - truth.min()) / np.ptp(truth)
    return Pair(kind, truth, truth, seen)


def hills(rng, width):
    """Gaussian field of that width in pixels, of standard deviation 1."""
    field = gaussian_filter(rng.standard_normal((100, 100)), width, mode="wrap")[: SHAPE[0], : SHAPE[1]]
    return (field - field.mean()) / field.std()


def _grains(rng):
    """Distance to the boundary, doubled, and number of each pixel's grain."""
    places = np.stack(np.indices(SHAPE), axis=-1).reshape(-1, 2)
    distance, grain = KDTree(rng.uniform(0.0, 50.0, (40, 2))).query(places, 2)
    return (distance[:, 1] - distance[:, 0]).reshape(SHAPE), grain[:, 0].reshape(SHAPE)
