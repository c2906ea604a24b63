"""Pixels that an overview image saves: the same map with it and without."""

from typing import Any

import numpy as np
import numpy.typing as npt
from event_model import DocumentRouter, Event

from bluesky_gp.run import RunRecord
from bluesky_gp.units import rounded


class MapErrors(DocumentRouter):
    """Hears a run, and keeps the error of its map after each batch.

    Parameters
    ----------
    truth : ndarray, shape grid.shape
        The true map; NaN where nothing is known.
    """

    def __init__(self, truth: npt.ArrayLike) -> None:
        super().__init__()
        self.truth = np.asarray(truth, dtype=np.float64)
        self.curve: list[tuple[int, float]] = []  # pixels with a value, and the error, RMS, that they gave
        self._n_measured = 0

    def event(self, doc: Event) -> Event:
        """Take in a decision, or a map."""
        data = doc["data"]
        self._n_measured = int(data.get("gp_n_measured", self._n_measured))
        if self._n_measured and "gp_maps_mean" in data:
            error = np.asarray(data["gp_maps_mean"]) - self.truth
            self.curve.append((self._n_measured, float(np.sqrt(np.nanmean(np.square(error))))))
        return doc


def saving(record: RunRecord, seeing: MapErrors, blind: MapErrors) -> dict[str, Any]:
    """Return what the image did for a map, as plain data.

    ``enough`` is the number of pixels after which the map with the image was as good as all pixels make it without;
    None if it never was.
    """
    num, error = blind.curve[-1]
    return {
        "share": float(record.iterations["overview_share"][-1]),
        "num": num,
        "rmse": seeing.curve[-1][1],
        "rmse_without": error,
        "enough": next((n for n, reached in seeing.curve if reached <= error), None),
    }


def in_words(found: dict[str, Any], units: str) -> str:
    """Return the saving in a sentence."""
    if not found["share"] > 0.0:
        return "it is not used: it does not make the values more predictable"
    told = f"explains {found['share']:.0%} of the variance; "
    error = f"the error of {found['num']} pixels without it, {rounded(found['rmse_without'], 3)}{units}"
    if found["enough"] is None:
        return f"{told}{error}, was not reached"
    left = found["num"] - found["enough"]
    return f"{told}{error}, was reached after {found['enough']}: {left} pixels saved, {left / found['num']:.0%}"
