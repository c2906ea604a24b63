"""Stages and spectroscopy detectors, real and simulated."""

from bluesky_gp.devices.sim.devices import SimulatedAxis, SimulatedSpectrometer
from bluesky_gp.devices.sim.samples import MeasuredSample
from bluesky_gp.devices.sim.synthetic import SyntheticEELS, SyntheticFerroelectric
from bluesky_gp.devices.stage import PixelStage

__all__ = [
    "MeasuredSample",
    "PixelStage",
    "SimulatedAxis",
    "SimulatedSpectrometer",
    "SyntheticEELS",
    "SyntheticFerroelectric",
]
