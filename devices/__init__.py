"""Stages and spectroscopy detectors, real and simulated."""

from bluesky_gp.devices.samples import MeasuredSample
from bluesky_gp.devices.sim import SimulatedAxis, SimulatedSpectrometer
from bluesky_gp.devices.stage import PixelStage
from bluesky_gp.devices.synthetic import SyntheticEELS, SyntheticFerroelectric

__all__ = [
    "MeasuredSample",
    "PixelStage",
    "SimulatedAxis",
    "SimulatedSpectrometer",
    "SyntheticEELS",
    "SyntheticFerroelectric",
]
