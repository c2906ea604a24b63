"""A detector of spectra of any kind, with an axis or without."""

import numpy as np
from ophyd.sim import SynAxis

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.plans import adaptive_map
from bluesky_gp.scalarizers import get_scalarizer
from bluesky_gp.status import finished


class Spectra:
    """A detector of spectra as `spectrum` makes them of a position, with an axis or without."""

    name, parent, hints = "det", None, {"fields": []}

    def __init__(self, spectrum, axis=None):
        self.y, self.x = SynAxis(name="y"), SynAxis(name="x")
        self._spectrum, self._axis = spectrum, axis

    def trigger(self):
        return finished("det")

    def read(self):
        return {"det": {"value": self._spectrum(self.y.position, self.x.position), "timestamp": 0.0}}

    def describe(self):
        value = self._spectrum(0.0, 0.0)
        kind = {"dtype": "array", "shape": list(value.shape), "dtype_numpy": value.dtype.str}
        return {"det": {"source": "test", "object_name": "det", **kind}}

    def read_configuration(self):
        return {} if self._axis is None else {"det_axis": {"value": self._axis, "timestamp": 0.0}}

    def describe_configuration(self):
        key = {"source": "test", "dtype": "array", "shape": [16], "units": "eV"}
        return {} if self._axis is None else {"det_axis": key}

    def map(self, num=15, scalarizer=None, agent=None, plan=None, **options):
        optimizer = PixelOptimizer(PixelGrid((6, 6)), "det", batch_size=5, n_initial=5, **options)
        self.agent = GPAgent(optimizer, target="det", scalarizer=scalarizer or get_scalarizer("area"), **(agent or {}))
        return adaptive_map([self], (self.y, self.x), self.agent, num=num, **(plan or {}))


def peak(y, x):
    return np.exp(-((np.arange(16.0) - 8) ** 2) / 10) * (1 + y * x)
