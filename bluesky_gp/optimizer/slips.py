"""Slips in the settings of an optimizer, each answered by a sentence before anything moves."""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from math import inf, prod
from typing import Any

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from bluesky_gp.settings import check_call, check_number

_PIXEL_BYTES = 500  # of memory while a batch is chosen, measured with 512 x 512 and 1024 x 1024 pixels
_MUCH = 2**30

logger = logging.getLogger("bluesky_gp")


def check_memory(shape: Sequence[int]) -> None:
    """Raise MemoryError if a grid takes more memory than the computer has; log how much it takes if that is much."""
    needed, there = prod(shape) * _PIXEL_BYTES, _memory()
    sentence = f"a grid of {' x '.join(map(str, shape))} pixels takes about {needed / 2**30:.3g} GiB of memory"
    if needed > there:
        raise MemoryError(
            f"PixelOptimizer: {sentence}, and there are {there / 2**30:.3g}: take a larger step, or several maps"
        )
    if needed > _MUCH:
        logger.warning("%s, and a decision a minute or more", sentence)


def _memory() -> float:
    """Return the memory of this computer in bytes; infinity where the system does not say."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return inf


def check_kernel(kernel: Any) -> None:
    """Raise TypeError if a kernel is none of scikit-learn's."""
    if kernel is None or isinstance(kernel, Kernel):
        return
    if isinstance(kernel, type) and issubclass(kernel, Kernel):
        raise TypeError(
            f"PixelOptimizer: kernel is the class {kernel.__name__}; give an object, {kernel.__name__}(...)"
        )
    raise TypeError(
        f"PixelOptimizer: kernel must be a kernel of scikit-learn, such as Matern([6, 6], nu=2.5) + WhiteKernel(), or "
        f"None for the default, got {kernel!r}"
    )


def check_acquisition(acquisition: Any) -> None:
    """Raise TypeError if an acquisition function cannot be called."""
    if isinstance(acquisition, type):
        name = acquisition.__name__
        raise TypeError(f"PixelOptimizer: acquisition is the class {name}; give an object, {name}(...)")
    if acquisition is None or callable(getattr(acquisition, "on", None)):
        return
    if callable(acquisition):
        return check_call("PixelOptimizer: acquisition", acquisition, "mean", "std", "best", named=("rng",))
    raise TypeError(f"PixelOptimizer: acquisition must be an acquisition function or its name, got {acquisition!r}")


def check_target(target: Any) -> None:
    """Raise TypeError if a target is no key."""
    if not isinstance(target, str) or not target:
        raise TypeError(f"PixelOptimizer: target must be the key of the number to map, a text, got {target!r}")


def names(name: str, value: Any) -> tuple[str, ...]:
    """Return several names.

    Raises
    ------
    TypeError
        If they are one text, or no texts.
    """
    if isinstance(value, str):
        raise TypeError(f"PixelOptimizer: {name} must be a list of names, got the text {value!r}: give [{value!r}]")
    listed = tuple(value) if isinstance(value, Iterable) else (value,)
    if not all(isinstance(each, str) for each in listed):
        raise TypeError(f"PixelOptimizer: {name} must be a list of names, got {value!r}")
    return listed


def rules(stopping: Any) -> tuple[Any, ...]:
    """Return stopping rules.

    Raises
    ------
    TypeError
        If they are one rule, or something that cannot be called.
    """
    if callable(stopping) or isinstance(stopping, str) or not isinstance(stopping, Iterable):
        listing = f"[{stopping!r}]" if callable(stopping) else "[] for none"
        raise TypeError(f"PixelOptimizer: stopping must be a list of rules, got {stopping!r}: give {listing}")
    listed = tuple(stopping)
    for rule in listed:
        if not callable(rule) or isinstance(rule, type):
            raise TypeError(
                f"PixelOptimizer: a stopping rule is called with a state, such as MaxPixels(100), got {rule!r}"
            )
    return listed


def check_exposure(exposure: Any, overview: Any) -> None:
    """Raise unless an exposure is seconds above zero, or None; TypeError, ValueError."""
    if exposure is None:
        return
    check_number("PixelOptimizer", "exposure", exposure, above=0.0)
    if overview is not None:
        raise ValueError("PixelOptimizer: with an overview image all values have one noise: leave exposure= out")


def check_flag(name: str, value: Any) -> None:
    """Raise TypeError if a switch is neither True nor False: a text would count as True."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"PixelOptimizer: {name} must be True or False, got {value!r}")


def check_mean(mean: Any) -> None:
    """Raise TypeError if a prior mean is none; whether its shape is the grid's is seen later."""
    known = mean is None or callable(mean) or np.asarray(mean).dtype.kind in "iuf"
    if not known or isinstance(mean, type):
        raise TypeError(f"PixelOptimizer: mean must be None, 1, 2, a number, a map or a function, got {mean!r}")
    if isinstance(mean, int) and mean not in (0, 1, 2):
        raise ValueError(f"PixelOptimizer: mean is a polynomial of degree 0, 1 or 2, got {mean}: a value is {mean}.0")


def check_prior(prior: Any) -> None:
    """Raise TypeError if a prior of the hyperparameters does not name them."""
    if prior is not None and not (isinstance(prior, Mapping) and "theta" in prior):
        raise TypeError(f"PixelOptimizer: prior must be a mapping {{'theta': [...], 'std': 0.5}}, got {prior!r}")


def check_transform(transform: Any) -> None:
    """Raise TypeError if a transformation has no inverse, or is a class."""
    if isinstance(transform, type):
        name = transform.__name__
        raise TypeError(f"PixelOptimizer: transform is the class {name}; give an object, {name}(...)")
    if transform is not None and not all(hasattr(transform, way) for way in ("fit", "transform", "inverse_transform")):
        raise TypeError(
            f"PixelOptimizer: transform must be a transformer of scikit-learn with an inverse, such as "
            f"PowerTransformer(), got {transform!r}"
        )
