"""A Nion camera as a source of fresh spectra."""

import copy
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from bluesky_gp.typing import Floats

_PATIENCE = 10.0  # s beyond the exposure


@dataclass(frozen=True)
class EELSCamera:
    """A camera of Nion's instrumentation kit: the frame that begins now, as a spectrum."""

    device: str  # name of the device, for messages
    source: Any  # the hardware source

    @classmethod
    def find(cls, device: str, instrument: Any, source_id: str = "") -> "EELSCamera":
        """Return the camera of that id, or the instrument's EELS camera."""
        if not source_id:
            source = instrument.eels_camera
        else:
            from nion.instrumentation import HardwareSource

            source = HardwareSource.HardwareSourceManager().get_hardware_source_for_hardware_source_id(source_id)
        if source is None:
            raise ConnectionError(f"{device}: the instrument has no EELS camera {source_id!r}".rstrip("' "))
        return cls(device, source)

    @property
    def binnings(self) -> tuple[int, ...]:
        """Binnings that the camera has."""
        return tuple(int(n) for n in self.source.binning_values)

    def axis(self, binning: int) -> Floats:
        """Return the energy of each channel in eV, shape ``(n_channels,)``, as the camera is calibrated now."""
        n_channels = int(self.source.get_expected_dimensions(binning)[-1])
        return _energies(self.source.get_camera_calibrations(self._parameters(None, binning))[-1], n_channels)

    def record(self, seconds: float, binning: int, axis: Floats) -> Floats:
        """Take one frame and return its spectrum, shape ``(n_channels,)``.

        Not `get_next_xdatas_to_finish`, which gives the frame that was running before; nor `grab_next_to_start`,
        which waits for that one and exposes the sample twice as long.

        Raises
        ------
        TimeoutError, RuntimeError
            If no frame comes, or its calibration is not `axis` any more.
        """
        self._wait_until_idle(seconds + _PATIENCE)
        task = self.source.start_recording(_PATIENCE, frame_parameters=self._parameters(seconds, binning))
        frames = task.grab_xdatas(timeout=seconds + _PATIENCE)
        if not frames or frames[0] is None:
            raise TimeoutError(f"{self.source.hardware_source_id} gave no frame")
        frame = frames[0]
        spectrum = frame.data.reshape(-1, frame.data.shape[-1]).sum(axis=0, dtype=np.float64)
        energies = _energies(frame.dimensional_calibrations[-1], len(spectrum))
        if energies.shape == axis.shape and not np.allclose(energies, axis, atol=0.1 * abs(axis[1] - axis[0])):
            raise RuntimeError(
                f"the energy axis now starts at {energies[0]:g} eV, it was {axis[0]:g} eV when the detector was staged"
            )
        return np.asarray(spectrum)

    def stop_live_view(self) -> bool:
        """Stop a live view; return whether there was one."""
        playing = bool(self.source.is_playing)
        if playing:
            self.source.abort_playing(sync_timeout=self._current().exposure_ms / 1000 + _PATIENCE)
        return playing

    def start_live_view(self) -> None:
        """Start the live view."""
        self.source.start_playing()

    def _current(self) -> Any:
        return self.source.get_current_frame_parameters()

    def _parameters(self, seconds: float | None, binning: int) -> Any:
        parameters = copy.deepcopy(self._current())
        parameters.binning = binning
        if seconds is not None:
            parameters.exposure_ms = 1000 * seconds
        return parameters

    def _wait_until_idle(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while self.source.is_recording:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.source.hardware_source_id} is still recording an earlier frame")
            time.sleep(0.001)


def _energies(calibration: Any, n_channels: int) -> Floats:
    return np.asarray(calibration.offset + calibration.scale * np.arange(n_channels), dtype=np.float64)
