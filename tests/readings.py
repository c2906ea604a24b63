"""Detectors that give whatever they are told, for runs into a real catalog."""

from bluesky_gp.status import finished


class Given:
    """A detector of one key, whose readings are given beforehand."""

    parent = None
    hints = {"fields": []}  # noqa: RUF012

    def __init__(self, values, key="det", **about):
        self.name, self._key = "det", key
        self._values = iter(values)
        self._about = {"source": "test", "dtype": "array", **about}
        self.configuration = {}

    def trigger(self):
        return finished(self.name)

    def read(self):
        return {self._key: {"value": next(self._values), "timestamp": 1.0}}

    def describe(self):
        return {self._key: self._about}

    def read_configuration(self):
        return {key: {"value": value, "timestamp": 0.0} for key, value in self.configuration.items()}

    def describe_configuration(self):
        return {key: {"source": "test", "dtype": "number", "shape": []} for key in self.configuration}
