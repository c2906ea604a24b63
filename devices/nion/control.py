"""Values of the instrument by their names, for a baseline or to be recorded with each pixel."""

import time
from typing import Any

from ophyd import SignalRO

from bluesky_gp.devices.nion.instrument import find_instrument


class NionControl(SignalRO):
    """A value of the instrument, by its name: ``NionControl("BeamCurrent", units="A", name="beam_current")``.

    Parameters
    ----------
    control : str
        Name of the control; ``"stage_position_m.x"`` is one coordinate of a two-dimensional one.
    units : str, optional
        Its unit.
    instrument : optional
        Default: the one that is registered.
    name : str
        Name of the signal.
    """

    def __init__(self, control: str, *, name: str, units: str = "", instrument: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, value=float("nan"), **kwargs)
        self.control, self.units = control, units
        self.instrument = find_instrument(name, instrument)
        if not self.instrument.TryGetVal(control)[0]:
            raise ValueError(f"{name}: the instrument has no control {control!r}")

    def get(self, **kwargs: Any) -> float:
        """Return the value now."""
        return float(self.instrument.GetVal(self.control))

    def read(self) -> dict[str, Any]:
        """Return the value now."""
        return {self.name: {"value": self.get(), "timestamp": time.time()}}

    def describe(self) -> dict[str, Any]:
        """Return the data key."""
        key = {"source": f"NION:{self.control}", "dtype": "number", "dtype_numpy": "<f8", "shape": []}
        return {self.name: {**key, "units": self.units}}
