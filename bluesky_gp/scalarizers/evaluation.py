"""A scalarizer applied to a spectrum, and to a map of spectra: a bad spectrum is rejected in words."""

from typing import Any

import numpy as np
import numpy.typing as npt

from bluesky_gp.protocols import Scalarizer
from bluesky_gp.scalarizers.windows import scalarizer_name
from bluesky_gp.typing import Floats


def as_number(raw: Any) -> float:
    """Return a value of an event as a number, also out of an array of one.

    Raises
    ------
    TypeError, ValueError
        If it is none: a text such as "1.5" is not, as no catalog keeps it in a column of numbers.

    >>> as_number([[1.5]])
    1.5
    """
    item = np.asarray(raw).item()
    if isinstance(item, str | bytes):
        raise TypeError(f"{item!r:.40} is a text, not a number")
    if item is None or isinstance(item, complex):
        raise TypeError(f"{item} is no real number")
    return float(item)


def as_spectrum(raw: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return a spectrum as floats, or as complex numbers if it has any, shape ``(n_channels,)``.

    Leading axes of one, as a detector of many frames gives them, are taken off; masked channels are NaN.

    Raises
    ------
    ValueError
        If it has several axes, or is a text.

    >>> as_spectrum([[1, 2, 3]])
    array([1., 2., 3.])
    """
    array = np.asanyarray(raw)
    if (text := _first_text(array)) is not None:
        raise ValueError(f"a spectrum has numbers, got the text {text!r:.40}")
    if array.dtype.kind in "mM":
        raise ValueError(f"a spectrum has numbers, got times, {array.dtype}")
    numbers = array.astype(np.complex128 if np.iscomplexobj(array) else np.float64)
    if isinstance(numbers, np.ma.MaskedArray):  # numpy would hand on what lies under the mask
        numbers = numbers.filled(np.nan)
    numbers = np.asarray(numbers)
    if sum(n != 1 for n in numbers.shape) > 1:
        raise ValueError(f"a spectrum has one axis, got an array of shape {numbers.shape}")
    return numbers.reshape(-1)


def _first_text(array: npt.NDArray[Any]) -> str | bytes | None:
    values = array.flat if array.dtype.kind in "OSU" else ()
    return next((value for value in values if isinstance(value, str | bytes)), None)


def channels(spectrum: npt.NDArray[Any]) -> Floats:
    """Return the axis of a spectrum that has none: its channels, counted from 0."""
    return np.arange(len(spectrum), dtype=np.float64)


def evaluate(scalarizer: Scalarizer, spectrum: Floats, axis: Floats) -> tuple[float, str]:
    """Return a target and "", or NaN and the reason why there is none: a bad spectrum must not end a run.

    Parameters
    ----------
    spectrum, axis : ndarray, shape (n_channels,)
    """
    if len(spectrum) != len(axis):
        return float("nan"), f"the spectrum has {len(spectrum)} channels, and its axis {len(axis)}"
    finite = np.isfinite(spectrum)
    if not finite.all():
        return float("nan"), f"{np.count_nonzero(~finite)} of {len(spectrum)} channels are NaN or infinite"
    if np.iscomplexobj(spectrum) and type(scalarizer).__module__.startswith(f"{__package__}."):
        name = scalarizer_name(scalarizer)  # numpy would hand on the real part, with a warning
        return float("nan"), f"the spectrum is complex, and {name} takes real ones: give it the modulus, say"
    try:
        answer = scalarizer(spectrum, axis)
        if np.iscomplexobj(answer):  # numpy would take its real part
            return float("nan"), f"the scalarizer answers {answer}, a complex number: have it give its modulus, say"
        value = float(np.asarray(answer).item())  # an array of one number is one, in any version of numpy
    except (Exception, SystemExit) as error:  # exit() in it would leave the RunEngine waiting for ever
        return float("nan"), f"the scalarizer raised {error!r}"
    if not np.isfinite(value):
        return float("nan"), f"the scalarizer says that the measurement failed ({value})"
    return value, ""


def scalarized_map(scalarizer: Scalarizer, spectra: Floats, axis: Floats) -> Floats:
    """Apply a scalarizer to spectra of shape ``(..., n_channels)``; NaN where it raises or a spectrum is not finite."""
    values = [evaluate(scalarizer, spectrum, axis)[0] for spectrum in spectra.reshape(-1, len(axis))]
    return np.array(values).reshape(spectra.shape[:-1])
