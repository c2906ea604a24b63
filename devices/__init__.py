"""Stages and spectroscopy detectors, real and simulated."""

from bluesky_gp.devices.sim import (
    MeasuredSample,
    SimulatedAxis,
    SimulatedSpectrometer,
    SyntheticEELS,
    SyntheticFerroelectric,
)
from bluesky_gp.devices.stage import PixelStage

__all__ = [
    "MeasuredSample",
    "PixelStage",
    "SimulatedAxis",
    "SimulatedSpectrometer",
    "SyntheticEELS",
    "SyntheticFerroelectric",
]
