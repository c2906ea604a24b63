"""Groups of features of overview images: several guesses at what a target may follow, each with a kernel of its own.

======  ==================================================  ============
symbol  meaning                                             shape
======  ==================================================  ============
U       features of all pixels, group beside group          (N, r)
======  ==================================================  ============

Each group is a kernel over some quantities of the image, as a few features whose products are that kernel. How much a
target follows which is learnt (`gp.FeatureKernel`): several kernels, Lanckriet et al. 2004, J. Mach. Learn. Res. 5, 27.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bluesky_gp.gp import blas_threads, radial_features
from bluesky_gp.overview.enclosures import enclosure_features
from bluesky_gp.overview.lines import shows_lines
from bluesky_gp.overview.planes import Planes
from bluesky_gp.overview.quantities import (
    edges_and_lines,
    patches,
    principal_components,
    smoothed,
    standardised,
)
from bluesky_gp.overview.regions import region_features
from bluesky_gp.typing import Floats

_NUMBERS = 2**23  # that the features of all pixels may take: 64 MB
_RANK = 260  # of all groups of one image together
_LEAST = 2  # of a group
_COMPONENTS = 6  # of patches


class Group(NamedTuple):
    """A kernel as features: its name, and the features of all pixels."""

    name: str
    U: Floats  # (N, r), squares of a row add up to one


@dataclass(frozen=True, eq=False)
class FeatureGroups:
    """Features of all pixels of a grid.

    Parameters
    ----------
    names : tuple of str
        One a group.
    ranks : tuple of int
        Features in each.
    U : ndarray, shape (N, r)
    """

    names: tuple[str, ...]
    ranks: tuple[int, ...]
    U: Floats


def feature_groups(planes: Planes, *, by_lines: bool = True) -> FeatureGroups:
    """Compute the groups of each image; `by_lines`: regions of an image of thin lines are what lies between them."""
    with blas_threads(0):  # one thread: the same numbers on a machine that has more
        groups = [group for name in planes.images for group in _of_image(planes, name, by_lines)]
    names, features = zip(*groups, strict=True)
    return FeatureGroups(tuple(names), tuple(U.shape[1] for U in features), np.concatenate(features, axis=1))


def _of_image(planes: Planes, name: str, by_lines: bool) -> Iterator[Group]:
    """Yield the groups of one image: its value, sharply and roughly, smoothed; lines and edges; patches; regions."""
    z = standardised(planes.images[name])
    share = min(1.0, _NUMBERS / (z.size * len(planes.images) * _RANK))
    inside = [standardised(planes.spreads[name])] if name in planes.spreads else []
    around = patches(z)

    def radial(what: str, X: Floats, length: float, rank: int) -> Group:
        return Group(f"{name}: {what}", radial_features(X, length, max(_LEAST, int(share * rank))))

    yield radial("value", _columns(z), 0.3, 24)
    yield radial("slow in value", _columns(z), 3.0, 12)
    yield radial("smoothed", _columns(smoothed(z)), 0.7, 16)
    yield radial("lines and edges", _columns(z, smoothed(z), *edges_and_lines(z), *inside), 3.0, 48)
    yield radial("patches", principal_components(around, _COMPONENTS), 1.5, 64)
    regions = enclosure_features if by_lines and shows_lines(z) else region_features
    yield Group(f"{name}: regions", regions(z, max(_LEAST, int(share * 96))))
    if planes.features is not None:
        own = np.asarray(planes.features.fit_transform(around), dtype=np.float64).reshape(z.size, -1)
        columns = [standardised(column) for column in own.T]
        yield radial("own", np.stack(columns, axis=1), float(np.sqrt(len(columns))), 64)


def _columns(*quantities: Floats) -> Floats:
    return np.stack([quantity.ravel() for quantity in quantities], axis=1)
