"""Habits that all figures share: the shape of pixels, limits of colours, the mark of the best pixel, closed loops.

>>> aspect((50, 50)), aspect((49, 6))
('equal', 'auto')
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bluesky_gp.typing import Floats

BEST: dict[str, Any] = {
    "marker": "o",
    "markersize": 10,
    "markerfacecolor": "none",
    "markeredgecolor": "red",
    "markeredgewidth": 1.5,
}
"""Style of the circle around the best pixel."""


def aspect(shape: tuple[int, ...], step: tuple[float, ...] = (1.0, 1.0)) -> Literal["equal", "auto"] | float:
    """Return the aspect at which a map looks as the sample does, "auto" if it is so slim that nothing could be seen."""
    ratio = abs(step[0] / step[1])  # of the sides of a pixel
    if not 0.25 < ratio * shape[0] / shape[1] < 4.0:
        return "auto"
    return "equal" if ratio == 1.0 else ratio


def color_limits(values: Floats, cut: float = 0.002) -> tuple[float, float]:
    """Return quantiles of a map, NaN left out: a few outliers must not take all the colours.

    A map of one value gets limits around it, one without any 0 and 1.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = np.quantile(finite, [cut, 1.0 - cut])
    margin = 0.0 if high > low else 0.05 * abs(low) or 0.5
    return float(low - margin), float(high + margin)


def is_sweep(axis: Floats) -> bool:
    """Whether an axis goes there and back, as the bias of a hysteresis loop does."""
    steps = np.diff(axis)
    return bool(np.any(steps > 0) and np.any(steps < 0))


def drawn_order(axis: Floats) -> npt.NDArray[np.intp]:
    """Return the channels in the order in which a line joins them; of a sweep the first once more, at the end."""
    channels = np.arange(len(axis))
    return np.append(channels, 0) if is_sweep(axis) else channels


def with_units(name: str, units: str) -> str:
    """Return the label of an axis or a colour bar."""
    return f"{name} ({units})" if units else name
