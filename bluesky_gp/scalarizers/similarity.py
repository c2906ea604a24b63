"""Numbers that compare a spectrum with others: similarity to a reference, score of a component.

References are numbers, so that a record says it all; the functions `cosine` and `component` take them from a file of
measured spectra, of several spectrum images the one called `signal`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from bluesky_gp.files import SpectrumImage, read_spectra
from bluesky_gp.typing import Floats

_METHODS = ("nmf", "pca")


@dataclass(frozen=True)
class CosineSimilarity:
    r"""Likeness to a reference: the cosine of the angle between two spectra, :math:`x \cdot r / (|x| |r|)`.

    1 for a spectrum of the same shape, whatever its height; 0 for one that has nothing in common (the spectral angle of
    F. A. Kruse et al., Remote Sens. Environ. 44, 145 (1993)). NaN for a spectrum of zeros.

    Parameters
    ----------
    reference : sequence of float
        The reference, one number a channel.
    """

    reference: tuple[float, ...]

    name: ClassVar[str] = "cosine"

    def __post_init__(self) -> None:
        object.__setattr__(self, "reference", _numbers(self.name, "reference", self.reference, 1))

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the similarity of `spectrum`, shape ``(n_channels,)``, to the reference."""
        _check_length(self.name, spectrum, self._reference)
        size = float(np.linalg.norm(spectrum) * np.linalg.norm(self._reference))
        return float(np.dot(spectrum, self._reference)) / size if size > 0 else float("nan")

    @cached_property
    def _reference(self) -> Floats:
        return np.asarray(self.reference)


def cosine(
    reference: Sequence[float] | None = None,
    *,
    file: str | os.PathLike[str] | None = None,
    pixel: Sequence[int] | None = None,
    signal: str | None = None,
) -> CosineSimilarity:
    """Likeness to a reference spectrum: one given, that of a pixel of a file, or the mean of all of them."""
    if (reference is None) == (file is None):
        raise ValueError("cosine: give either the reference spectrum or the file in which it is")
    if reference is not None:
        return CosineSimilarity(tuple(reference))
    image = read_spectra(file or "", signal=signal)
    if pixel is None:
        return CosineSimilarity(tuple(_finite(image).mean(axis=0)))
    (index,) = image.grid.ravel([pixel])
    return CosineSimilarity(tuple(image.spectra.reshape(-1, len(image.axis))[index]))


@dataclass(frozen=True)
class ComponentScore:
    r"""Score of one component in a spectrum, the components found beforehand in other spectra.

    "pca": :math:`(x - \bar{x}) \cdot c_i`. "nmf": the i-th of the weights :math:`w \ge 0` for which
    :math:`|x - \sum_k w_k c_k|` is smallest, in units of that component's largest weight in the spectra that it was
    found in (D. D. Lee, H. S. Seung, Nature 401, 788 (1999)); the components are scikit-learn's.

    Parameters
    ----------
    components : sequence of sequence of float
        One component a row, one number a channel.
    index : int
        Row of the component.
    method : {"nmf", "pca"}
    mean : sequence of float
        Spectrum that is subtracted first, for "pca"; empty for "nmf".
    """

    components: tuple[tuple[float, ...], ...]
    index: int = 0
    method: str = "nmf"
    mean: tuple[float, ...] = ()

    name: ClassVar[str] = "component"

    def __post_init__(self) -> None:
        _check_method(self.method)
        object.__setattr__(self, "components", _numbers(self.name, "components", self.components, 2))
        object.__setattr__(self, "mean", _numbers(self.name, "mean", self.mean, 1))
        if not 0 <= self.index < len(self.components):
            raise ValueError(f"component: index must be 0 to {len(self.components) - 1}, got {self.index}")

    def __call__(self, spectrum: Floats, axis: Floats) -> float:
        """Return the score of `spectrum`, shape ``(n_channels,)``."""
        _check_length(self.name, spectrum, self._components[0])
        if self.method == "pca":
            return float(np.dot(spectrum - np.asarray(self.mean), self._components[self.index]))
        from scipy.optimize import nnls

        return float(nnls(self._components.T, spectrum)[0][self.index])

    @cached_property
    def _components(self) -> Floats:
        return np.asarray(self.components)


def component(
    components: Sequence[Sequence[float]] | None = None,
    *,
    index: int = 0,
    method: str = "nmf",
    mean: Sequence[float] = (),
    file: str | os.PathLike[str] | None = None,
    n_components: int = 4,
    signal: str | None = None,
) -> ComponentScore:
    """Score of a component (NMF or PCA): one given, or one of the `n_components` found in a file's spectra."""
    if (components is None) == (file is None):
        raise ValueError("component: give either the components or the file in which they are to be found")
    _check_method(method)
    if file is not None:
        components, mean = found_components(_finite(read_spectra(file, signal=signal)), n_components, method)
    rows: Any = components
    return ComponentScore(rows, index, method, tuple(mean))


def found_components(spectra: Floats, n_components: int, method: str) -> tuple[list[list[float]], list[float]]:
    """Return components and mean of spectra of shape ``(n, n_channels)``; those of "nmf" largest weight 1.

    Raises
    ------
    ValueError
        If there are fewer spectra or channels than components, or "nmf" is given negative numbers.
    """
    if not 0 < n_components <= min(spectra.shape):
        raise ValueError(
            f"component: n_components must be 1 to {min(spectra.shape)}, as many as spectra or channels, "
            f"got {n_components}"
        )
    if method == "pca":
        from sklearn.decomposition import PCA

        pca = PCA(n_components, random_state=0).fit(spectra)
        return pca.components_.tolist(), pca.mean_.tolist()
    if spectra.min() < 0:
        raise ValueError("component: 'nmf' takes spectra that are nowhere negative; use method 'pca'")
    return _nmf(spectra, n_components).tolist(), []


def _nmf(spectra: Floats, n_components: int) -> Floats:
    import warnings

    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    # A start by singular values, so that the same spectra give the same components in the same order.
    model = NMF(n_components, init="nndsvda", random_state=0, max_iter=500)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the score is a projection, exact for any components
        weights = model.fit_transform(spectra)
    return np.asarray(model.components_ * weights.max(axis=0)[:, np.newaxis])


def _finite(image: SpectrumImage) -> Floats:
    spectra = image.spectra.reshape(-1, len(image.axis))
    finite = spectra[np.isfinite(spectra).all(axis=1)]
    if not len(finite):
        raise ValueError(f"file {image.path}: no spectrum without NaN")
    return finite


def _numbers(name: str, field: str, values: Any, ndim: int) -> Any:
    """Return nested tuples of floats."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {field} must be numbers, rows of equal length: {error}") from error
    if array.size and (array.ndim != ndim or not np.isfinite(array).all()):
        raise ValueError(f"{name}: {field} must be finite numbers in {ndim} dimensions, got shape {array.shape}")
    return tuple(map(tuple, array.tolist())) if ndim == 2 else tuple(array.tolist())


def _check_method(method: str) -> None:
    if method not in _METHODS:
        raise ValueError(f"component: method must be one of {', '.join(_METHODS)}, got {method!r}")


def _check_length(name: str, spectrum: Floats, reference: Floats) -> None:
    if len(spectrum) != len(reference):
        raise ValueError(f"{name}: a spectrum of {len(spectrum)} channels, the reference has {len(reference)}")
