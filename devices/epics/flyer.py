"""A detector whose IOC has a sequence table: the points of a batch are its rows, over Channel Access."""

from collections.abc import Sequence
from itertools import count
from time import monotonic, sleep
from typing import Any

import numpy as np
from ophyd import EpicsSignalRO

from bluesky_gp.devices.epics.spectrometer import EpicsSpectrometer
from bluesky_gp.devices.epics.stage import EpicsStage
from bluesky_gp.devices.epics.variables import Variables, not_connected
from bluesky_gp.devices.flight import FlightBrokenError
from bluesky_gp.devices.flying import FlyingDetector
from bluesky_gp.protocols import Batch
from bluesky_gp.typing import Floats

_POLL = 0.02  # s
_ROLES = {
    "table": "Table", "start": "Start", "busy": "Busy_RBV", "number": "Id", "running": "Id_RBV", "rows": "Rows_RBV",
    "capacity": "MaxRows_RBV",
}  # fmt: skip


class EpicsFlyer(FlyingDetector, EpicsSpectrometer):
    """Writes the points of a batch into a sequence table, starts it, and collects its rows.

    `adaptive_map` flies it; triggered and read it is an `EpicsSpectrometer`. In a pause the IOC goes on to the end of
    its table; a run that ends stops it. The variables are those of `devices.ioc.SimulatedSequence`.

    Parameters
    ----------
    prefix : str
        Of the detector's variables.
    stage : EpicsStage
        Whose grid and limits the points have to obey; positions go into the table in its units.
    sequence : str
        Before ``Table``, ``Start`` and the others.
    stall : float
        Seconds without a row, beyond the exposure, after which a flight is broken.
    **kwargs
        As of `EpicsSpectrometer`, but for `targets`, which a sequence does not have.
    """

    def __init__(
        self, prefix: str = "", *, name: str, stage: EpicsStage, sequence: str, stall: float = 10.0, **kwargs: Any
    ) -> None:
        if kwargs.get("targets"):
            raise TypeError(f"{name}: a sequence has spectra alone: give scalarizers= and not targets=")
        self.pixel_stage, self.stall = stage, float(stall)
        self._sequence = Variables(name, {role: f"{sequence}{suffix}" for role, suffix in _ROLES.items()})
        self._spectra = EpicsSignalRO(f"{sequence}Spectra_RBV", name=f"{name}_rows", auto_monitor=False)
        self._failed = EpicsSignalRO(f"{sequence}Failed_RBV", name=f"{name}_failed", auto_monitor=False)
        self._numbers = count(int(monotonic() * 1e3) % 2**30)  # other than those of the session before
        self._number = self._row = self._asked = 0
        self._rows: list[tuple[Floats, bool]] = []  # spectrum, and whether the row failed
        super().__init__(prefix, name=name, **kwargs)
        self._sequence.listen(lambda role: None)

    @property
    def connected(self) -> bool:
        """Whether every variable is there."""
        arrays = self._spectra.connected and self._failed.connected
        return bool(super().connected and arrays and not self._sequence.missing)

    def wait_for_connection(self, all_signals: bool = False, timeout: float | None = 10.0) -> None:
        """Wait until every variable is there; a TimeoutError names those that are not."""
        super().wait_for_connection(all_signals=all_signals, timeout=timeout)
        for signal in (self._spectra, self._failed):
            signal.wait_for_connection(timeout=timeout)
        until = monotonic() + (10.0 if timeout is None else timeout)
        while self._sequence.missing:
            if monotonic() > until:
                raise TimeoutError(not_connected(self.name, self._sequence.missing, timeout))
            sleep(_POLL)

    def destroy(self) -> None:
        """Disconnect the variables; the detector cannot be used any more."""
        self._sequence.destroy()
        self._spectra.destroy()
        self._failed.destroy()
        super().destroy()

    def check_batch(self, batch: Batch) -> None:
        """Raise ValueError unless the stage can go to every point, and the table has room for them."""
        super().check_batch(batch)
        most = self._sequence.values.get("capacity")
        if most is not None and len(batch.pixels) > most:
            raise ValueError(f"{self.name}: the sequence table has {most} rows, got {len(batch.pixels)} points")

    def _begin(self) -> None:
        if self._batch is None:
            return  # after a pause: the IOC has gone on
        if self._sequence.missing:
            raise ConnectionError(not_connected(self.name, self._sequence.missing, 0.0))
        self._prepare()
        self._number, self._row, self._rows, self._asked = next(self._numbers), 0, [], len(self._batch.pixels)
        for role, value in (("table", self._batch.positions.ravel()), ("number", self._number), ("start", 1)):
            self._sequence.put(role, value)

    def _visit(self, pixel: tuple[int, ...]) -> tuple[Floats, Sequence[float]]:
        row, self._row = self._row, self._row + 1
        try:
            until = monotonic() + self.stall + float(self.exposure.get())
            while len(self._rows) <= row:
                self._look(monotonic() > until)
                self._rest(_POLL if len(self._rows) <= row else 0.0)
        except FlightBrokenError:
            self._sequence.put("start", 0)
            raise
        spectrum, failed = self._rows[row]
        if failed:
            raise RuntimeError(f"row {row} of the sequence failed")
        return spectrum, pixel

    def _look(self, late: bool) -> None:
        """Fetch the rows that are new; raise where there will be none."""
        values, asked = self._sequence.values, self._asked
        if self._sequence.missing:
            raise FlightBrokenError(not_connected(self.name, self._sequence.missing, 0.0))
        busy, mine = values["busy"], values["running"] == self._number
        if mine and values["rows"] > len(self._rows):
            spectra = np.reshape(self._spectra.get(use_monitor=False), (-1, len(self.axis.get())))
            failed = np.atleast_1d(self._failed.get(use_monitor=False))
            self._rows = [(spectrum, bool(bad)) for spectrum, bad in zip(spectra, failed, strict=False)]
        elif mine and not busy:
            raise FlightBrokenError(f"{self.name}: the sequence ended after {len(self._rows)} of {asked} rows")
        elif late:
            raise FlightBrokenError(f"{self.name}: no row {len(self._rows)} of the sequence for {self.stall:g} s")
