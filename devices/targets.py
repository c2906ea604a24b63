"""The numbers that scalarizers make of a spectrum: a bad spectrum must not end the run."""

import numpy as np

from bluesky_gp.protocols import Floats, Scalarizer


def evaluate(scalarizer: Scalarizer, spectrum: Floats, axis: Floats) -> tuple[float, str]:
    """Return a target and "", or NaN and the reason why there is none.

    Parameters
    ----------
    spectrum, axis : ndarray, shape (n_channels,)
    """
    finite = np.isfinite(spectrum)
    if not finite.all():
        return float("nan"), f"{np.count_nonzero(~finite)} of {len(spectrum)} channels are NaN or infinite"
    try:
        value = float(scalarizer(spectrum, axis))
    except Exception as error:
        return float("nan"), f"the scalarizer raised {error!r}"
    if not np.isfinite(value):
        return float("nan"), f"the scalarizer says that the measurement failed ({value})"
    return value, ""
