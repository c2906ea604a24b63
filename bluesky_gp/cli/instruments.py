"""Instruments that the demonstration can run on, by name."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from bluesky_gp.cli.asynchronous import ophyd_async
from bluesky_gp.cli.epics import epics
from bluesky_gp.cli.nion import nion
from bluesky_gp.cli.setup import Setup
from bluesky_gp.cli.simulated import simulated

INSTRUMENTS: dict[str, Callable[[str, str | None], AbstractContextManager[Setup]]] = {
    "simulated": simulated,
    "epics": epics,
    "nion": nion,
    "ophyd-async": ophyd_async,
}
"""By the name that ``bluesky-gp demo --instrument`` takes; called with sample and target."""

SAMPLES = {"nion": "flake"}
"""Samples that instruments measure unless ``--sample`` says otherwise; the others measure the ferroelectric film."""
