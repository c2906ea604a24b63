"""Instruments that the demonstration can run on, by name."""

from contextlib import AbstractContextManager
from typing import Protocol

from bluesky_gp.cli.asynchronous import ophyd_async
from bluesky_gp.cli.epics import epics
from bluesky_gp.cli.nion import nion
from bluesky_gp.cli.setup import Setup
from bluesky_gp.cli.simulated import simulated


class Instrument(Protocol):
    """A way to measure a sample; `ophyd_async` and the others of `INSTRUMENTS` are some, ``demo`` enters one."""

    def __call__(self, sample: str, target: str | None, signal: str | None = None) -> AbstractContextManager[Setup]:
        """Return devices over a sample, while they are wanted."""


INSTRUMENTS: dict[str, Instrument] = {
    "simulated": simulated,
    "epics": epics,
    "nion": nion,
    "ophyd-async": ophyd_async,
}
"""By the name that ``bluesky-gp demo --instrument`` takes."""

SAMPLES = {"nion": "flake"}
"""Samples that instruments measure unless ``--sample`` says otherwise; the others measure the ferroelectric film."""
