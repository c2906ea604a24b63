"""The spectra of a run as they are read: out of its events, or out of a file that its detector wrote beside them."""

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from bluesky_gp.recording import Frames
from bluesky_gp.run.keys import PIXELS
from bluesky_gp.run.spectra import axis_name, signal_axis, spectrum_key
from bluesky_gp.scalarizers import as_spectrum
from bluesky_gp.typing import Floats


class EventSpectra:
    """Hears what the documents of a run say of the spectra from which its target is made."""

    def __init__(self) -> None:
        self.key = ""  # "": there are none
        self.axis: Floats | None = None
        self.axis_name = "channel"
        self.axis_units = ""
        self.units = ""
        self._descriptors: set[str] = set()
        self._frames: Frames | None = None
        self._missing, self._fault = 0, ""

    def descriptor(self, doc: Mapping[str, Any], target: str) -> None:
        """Take in what the events of the pixels carry."""
        if doc["name"] != PIXELS or target not in doc["data_keys"]:
            return
        self.key = spectrum_key(doc, target)
        if not self.key:
            return
        self._descriptors.add(doc["uid"])
        about = doc["data_keys"][self.key]
        self.axis, self.axis_units = signal_axis(doc, self.key)
        self.axis_name, self.units = axis_name(about), about.get("units", "") or ""
        if "external" in about and self._frames is None:
            self._frames = Frames(self.key, about["shape"])

    def stream_resource(self, doc: Mapping[str, Any]) -> None:
        """Take in that a detector writes a file; of one that cannot be read there will be no spectra."""
        if self._frames is not None:
            try:
                self._frames.resource(doc)
            except ValueError as error:
                self._fault = str(error)

    def stream_datum(self, doc: Mapping[str, Any]) -> None:
        """Take in which frames of a file belong to which events."""
        if self._frames is not None:
            self._frames.datum(doc)

    def of(self, doc: Mapping[str, Any]) -> npt.NDArray[Any] | None:
        """Return the spectrum of an event, None if it has none or it cannot be read, of which `missing` tells."""
        if doc["descriptor"] not in self._descriptors:
            return None
        try:
            return self.read(doc)
        except (KeyError, TypeError, ValueError) as error:
            self._missing += 1
            self._fault = self._fault or str(error)
            return None

    def read(self, doc: Mapping[str, Any]) -> npt.NDArray[Any]:
        """Return the spectrum of an event, shape ``(n_channels,)``.

        Raises
        ------
        FrameError
            If it is not in its file, or that cannot be read.
        TypeError, ValueError
            If it is none: letters, a table.
        """
        if self._frames is None:
            return as_spectrum(doc["data"][self.key])
        return as_spectrum(self._frames.of(doc["descriptor"], int(doc["seq_num"])))

    @property
    def missing(self) -> str:
        """How many spectra could not be read, and why; empty if none is missing."""
        return f"{self._missing} spectra of {self.key} cannot be read: {self._fault}" if self._missing else ""
