"""Plans: generators of messages that take devices and the agent as arguments."""

from bluesky_gp.plans.adaptive import adaptive_map
from bluesky_gp.plans.metadata import start_metadata
from bluesky_gp.plans.moves import go_to_best
from bluesky_gp.plans.raster import raster_map
from bluesky_gp.plans.stages import StageElsewhereError
from bluesky_gp.plans.stubs import (
    FAULTS,
    TooManyFailures,
    ask_agent,
    measure_pixels,
    one_pixel,
    prepare_agent,
    record_failure,
    tolerant,
)

__all__ = [
    "FAULTS",
    "StageElsewhereError",
    "TooManyFailures",
    "adaptive_map",
    "ask_agent",
    "go_to_best",
    "measure_pixels",
    "one_pixel",
    "prepare_agent",
    "raster_map",
    "record_failure",
    "start_metadata",
    "tolerant",
]
