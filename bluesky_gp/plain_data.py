"""A kernel, an acquisition function or a rule as plain data for a start document, and made again from it.

A record names things, not files: a class of ours is ``bluesky_gp:NAME``, with the name under which its room offers
it, so that files may move. Records of version 0.1.0 spelled the file as well; `_NAMES_OF_0_1_0` reads them.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.spelling import meant, unfit

_OURS = "bluesky_gp"
_ROOMS = ("acquisition", "optimizer", "gp", "scalarizers")  # whose public names a record may have
_KERNELS = "sklearn.gaussian_process.kernels"
_TRANSFORMERS = (  # not preprocessing._function_transformer: of its functions the record has names only
    "sklearn.preprocessing._data",
    *(f"sklearn.decomposition.{module}" for module in ("_pca", "_nmf", "_truncated_svd")),
)
_NAMES_OF_0_1_0 = {
    "acquisition": (
        "ExpectedImprovement", "ProbabilityOfImprovement", "ConfidenceBound", "ConfidenceSchedule",
        "PosteriorUncertainty",
    ),
    "combined": ("Sum", "Product", "Feasible", "PerSecond"),
    "sampling": ("ThompsonSampling", "MaxValueEntropy"),
    "hypervolume": ("ExpectedHypervolumeImprovement",),
    "novelty": ("Novelty",),
    "levels": ("LevelSet", "TargetValue"),
    "knowledge": ("KnowledgeGradient",),
    "integrated": ("IntegratedVariance",),
    "goals": ("Goal", "Top", "Within", "Above", "Boundary"),
    "gradient": ("MapGradient",),
    "batch": ("Mixed", "WhilePromising", "LocalPenalization"),
    "designs": ("Random", "Sobol", "CoarseGrid", "PoissonDisk", "CenterFirst", "Listed"),
    "stopping": (
        "MaxPixels", "MaxTime", "MaxDose", "ImprovementBelow", "BetterUnlikely", "MapChangeBelow", "GainBelow",
    ),
    "kernels": ("RotatedMatern",),
    "hysteresis": ("LoopArea", "CoerciveVoltage", "Imprint", "RemanentResponse", "SwitchingRatio"),
    "edges": ("NetCounts", "EdgeRatio", "WhiteLineRatio"),
    "lowloss": ("Thickness", "PlasmonEnergy", "PlasmonWidth"),
    "xrays": ("LineCounts",),
    "similarity": ("CosineSimilarity", "ComponentScore"),
    "shapes": ("Centroid", "Peak", "PeakPosition", "Area"),
}  # fmt: skip
"""Public names by the file, of those days, that records of version 0.1.0 have beside them."""


class DescriptionError(ValueError):
    """A description from which nothing can be made again; the message says what to give instead."""


def describe(value: Any) -> Any:
    """Return plain data from which an object can be made again.

    Kernels, scikit-learn's transformers and dataclasses become ``{"class": name, ...parameters}``; numbers and strings
    stay what they are; of anything else, a user's own function, the record has the name.

    Examples
    --------
    >>> from bluesky_gp import ConfidenceBound
    >>> describe(ConfidenceBound(3.0))
    {'class': 'bluesky_gp:ConfidenceBound', 'beta': 3.0}
    """
    if isinstance(value, Kernel | BaseEstimator):
        return {"class": class_name(type(value)), **_plain(value.get_params(deep=False))}
    if is_dataclass(value) and not isinstance(value, type):
        return {"class": class_name(type(value)), **_plain({f.name: getattr(value, f.name) for f in fields(value)})}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return _plain({str(name): item for name, item in value.items()})
    if isinstance(value, tuple | list):
        return [describe(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return getattr(value, "__qualname__", None) or class_name(type(value))  # a default repr has an address in it


def make(description: Any) -> Any:
    """Make what `describe` described.

    Only scikit-learn's kernels and transformers and the dataclasses and kernels of ``bluesky_gp`` are made: a record
    cannot have anything else imported, and nothing called but their constructors.

    Raises
    ------
    DescriptionError
        If the description names any other class, or parameters that its class does not take.

    Examples
    --------
    >>> make({"class": "bluesky_gp:ConfidenceBound", "beta": 3.0})
    ConfidenceBound(beta=3.0)
    """
    if isinstance(description, list | tuple):
        return [make(item) for item in description]
    if not isinstance(description, Mapping):
        return description
    parameters = {name: make(item) for name, item in description.items() if name != "class"}
    if "class" not in description:
        return parameters
    of_class = _class(str(description["class"]))
    settings = {**_earlier(of_class), **parameters}
    if wrong := unfit(of_class, settings):
        raise DescriptionError(f"{description['class']} does not take what is recorded for it: {wrong}")
    try:
        return of_class(**settings)
    except (TypeError, ValueError) as error:
        raise DescriptionError(f"{description['class']} does not take what is recorded for it: {error}") from error


def make_setting(name: str, description: Any) -> Any:
    """Make a setting of a run from its description.

    Raises
    ------
    ValueError
        If it cannot be made again; the message asks for it by name.
    """
    try:
        value = make(description)
    except DescriptionError as error:
        raise ValueError(f"the run's {name} cannot be made again: {error}, {name}=...") from error
    if isinstance(value, str):
        raise ValueError(f"the run's {name} was a function of somebody's own, {value!r}: give it, {name}=...")
    return np.asarray(value, dtype=np.float64) if isinstance(value, list) else value


def in_todays_words(description: Any) -> Any:
    """Return a description with the names that `describe` writes now, so that two of them can be compared.

    Examples
    --------
    >>> in_todays_words([{"class": "bluesky_gp.levels:LevelSet", "level": 1.0}])
    [{'class': 'bluesky_gp:LevelSet', 'level': 1.0}]
    """
    if isinstance(description, list | tuple):
        return [in_todays_words(item) for item in description]
    if not isinstance(description, Mapping):
        return description
    words = {name: in_todays_words(item) for name, item in description.items()}
    if "class" not in words:
        return words
    name = _todays_name(str(words["class"]))
    return {**_earlier(_public().get(name.removeprefix(f"{_OURS}:"))), **words, "class": name}


def _earlier(of_class: type[Any] | None) -> dict[str, Any]:
    """What stood for the parameters that a record lacks: `describe` writes all, so those came later."""
    return dict(getattr(of_class, "earlier", {}))


def class_name(of_class: type[Any]) -> str:
    """Return the name of a class in a record: ``bluesky_gp:NAME`` if it is one of ours, else ``module:NAME``."""
    name = of_class.__qualname__
    return f"{_OURS}:{name}" if _public().get(name) is of_class else f"{of_class.__module__}:{name}"


def _todays_name(name: str) -> str:
    module, _, attribute = name.partition(":")
    file = module.removeprefix(f"{_OURS}.")
    return f"{_OURS}:{attribute}" if attribute in _NAMES_OF_0_1_0.get(file, ()) else name


@cache
def _public() -> dict[str, Any]:
    """Every kernel and dataclass that a room offers, by its name."""
    rooms = [import_module(f"{_OURS}.{room}") for room in _ROOMS]
    offered = {name: getattr(room, name) for room in rooms for name in room.__all__}
    return {name: thing for name, thing in offered.items() if isinstance(thing, type) and _is_value(thing)}


def _class(name: str) -> type[Any]:
    module, _, attribute = _todays_name(name).partition(":")
    if module == _OURS and attribute in _public():
        return _public()[attribute]  # type: ignore[no-any-return]
    if module == _OURS and attribute.isidentifier():
        raise DescriptionError(f"this version has no {name!r}: give the object itself{meant(attribute, _public())}")
    if module not in (_KERNELS, *_TRANSFORMERS) or not attribute.isidentifier():
        raise DescriptionError(f"the class {name!r} is not made again from a record: give the object itself")
    value_type = getattr(import_module(module), attribute, None)
    if value_type is None:
        raise DescriptionError(f"this version has no {name!r}: give the object itself")
    if not (isinstance(value_type, type) and value_type.__module__ == module and _is_value(value_type)):
        raise DescriptionError(f"{name!r} is neither a kernel, a transformer nor a dataclass")
    return value_type


def _is_value(of_class: type[Any]) -> bool:
    return is_dataclass(of_class) or issubclass(of_class, Kernel | BaseEstimator)


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: describe(value) for name, value in parameters.items()}
