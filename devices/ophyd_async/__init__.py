"""Devices in the style of ophyd-async, simulated: they stand beside classic ones in one session, plans do not notice.

RE = RunEngine()
with init_devices():
stage = AsyncPixelStage({"shape": [50, 50], "step": [0.02, 0.02], "units": "um"})
spectrometer = AsyncSpectrometer("ferroelectric", stage)
"""

from bluesky_gp.devices.ophyd_async.detector import AsyncSpectrometer
from bluesky_gp.devices.ophyd_async.stage import AsyncAxis, AsyncPixelStage

__all__ = ["AsyncAxis", "AsyncPixelStage", "AsyncSpectrometer"]
