"""An EELS camera as a spectroscopy detector, and the beam that it switches; energies in eV."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ophyd import Component, Signal
from ophyd.status import StatusBase

from bluesky_gp.devices.detector import SpectrumDetectorBase
from bluesky_gp.devices.nion.camera import EELSCamera
from bluesky_gp.devices.nion.instrument import Beam, find_instrument
from bluesky_gp.status import DaemonExecutor


class BinningSignal(Signal):
    """A binning that the camera has."""

    def check_value(self, value: int) -> None:
        """Raise ValueError unless the camera can bin so."""
        if value not in self.parent.camera.binnings:
            raise ValueError(f"{self.name}: expected one of {list(self.parent.camera.binnings)}, got {value!r}")

    def put(self, value: int, **kwargs: Any) -> None:
        """Set the binning, and the axis that goes with it."""
        self.check_value(value)
        super().put(int(value), **kwargs)
        self.parent.renew_axis()


class NionEELSDetector(SpectrumDetectorBase):
    """An EELS camera: one frame a trigger that begins after the trigger, summed to a spectrum over calibrated energy.

    Event keys and configuration: those of `SpectrumDetectorBase`, and ``NAME_binning`` in the configuration. The beam
    is put on when an exposure begins and blanked at a pause, at `stop` and when the detector is unstaged (the end of a
    plan, however it ends), if the instrument can. A live view is stopped while the detector is staged: it would double
    the time of every exposure.

    Parameters
    ----------
    prefix : str, optional
        Not used: loaders of devices pass one.
    scalarizers : str, list or mapping, optional
        As in `SpectrumDetectorBase`; ``"thickness"`` for t/lambda.
    exposure : float, optional
        Seconds of a frame.
    binning : int, optional
        Of the camera, along both axes.
    camera : str, optional
        Id of the camera's hardware source. Default: the instrument's EELS camera.
    blanker : str, optional
        Control that blanks the beam; "" if nothing shall.
    blank_between : bool, optional
        Blank also between exposures, while the agent computes and the probe moves.
    instrument : optional
        Default: the one that is registered.
    name : str
        Name of the device.
    """

    binning = Component(BinningSignal, value=1, kind="config")

    def __init__(
        self,
        prefix: str = "",
        *,
        name: str,
        scalarizers: str | Sequence[Any] | Mapping[str, Any] = (),
        exposure: float | int = 0.1,
        binning: int = 1,
        camera: str = "",
        blanker: str = "C_Blank",
        blank_between: bool = False,
        instrument: Any = None,
        **kwargs: Any,
    ) -> None:
        self.instrument = find_instrument(name, instrument)
        self.camera = EELSCamera.find(name, self.instrument, camera)
        self.beam = Beam(self.instrument, blanker)
        self.blank_between = blank_between
        self._was_playing = False
        self._switching = threading.Lock()  # of the beam: an exposure must not put it on after a pause has blanked it
        self._one_frame = threading.Lock()  # a frame that was given up goes on to its end
        units = {"axis_name": "energy", "axis_units": "eV", "spectrum_units": "counts"}
        super().__init__(prefix, name=name, scalarizers=scalarizers, exposure=exposure, **units, **kwargs)
        self.binning.put(binning)

    def renew_axis(self) -> None:
        """Take the energy of each channel from the camera's calibration."""
        axis = self.camera.axis(self.binning.get())
        self.axis.put(axis)
        if self.spectrum.get().shape != axis.shape:
            self.spectrum.put(np.full(axis.shape, np.nan))

    def stage(self) -> list[Any]:
        """Stop the live view, and take the calibration of today."""
        self._was_playing = self.camera.stop_live_view()
        self.renew_axis()
        return super().stage()

    def unstage(self) -> list[Any]:
        """Blank the beam; a live view goes on if there was one."""
        answer = super().unstage()
        self._blank()
        if self._was_playing:
            self.camera.start_live_view()
        self._was_playing = False
        return answer

    def pause(self) -> None:
        """Give the exposure up and blank the beam, which would burn the place where it stands."""
        super().pause()
        self._blank()

    def stop(self, *, success: bool = False) -> None:
        """Give the exposure up and blank the beam."""
        super().stop(success=success)
        self._blank()

    def _expose(self, exposure: StatusBase) -> None:
        DaemonExecutor().submit(self._record, exposure, float(self.exposure.get()), int(self.binning.get()))

    def _record(self, exposure: StatusBase, seconds: float, binning: int) -> None:
        try:
            with self._one_frame:
                if not self._beam_on(exposure):
                    return  # given up: the sample is not exposed
                spectrum = self.camera.record(seconds, binning, self.axis.get())
            if self.blank_between:
                self._blank()
            self._deliver(exposure, spectrum)
        except Exception as error:
            self._fail(exposure, RuntimeError(f"{self.name}: {error!r}"))

    def _beam_on(self, exposure: StatusBase) -> bool:
        with self._switching:
            wanted = exposure is self._running
            if wanted:
                self.beam.blank(False)
        return wanted

    def _blank(self) -> None:
        with self._switching:
            self.beam.blank()
