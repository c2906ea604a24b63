"""Devices in the style of ophyd-async, simulated: they stand beside classic ones in one session, plans do not notice.

Examples
--------
>>> from bluesky import RunEngine
>>> from ophyd_async.core import init_devices
>>> RE = RunEngine({})
>>> with init_devices():
...     stage = AsyncPixelStage({"shape": [50, 50], "step": [0.02, 0.02], "units": "um"})
...     spectrometer = AsyncSpectrometer("ferroelectric", stage)
>>> stage.name, spectrometer.name
('stage', 'spectrometer')
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
