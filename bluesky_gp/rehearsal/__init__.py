"""How many points would have been enough, chosen how: on a map that was measured in full."""

from bluesky_gp.rehearsal.configurations import Configuration, configurations
from bluesky_gp.rehearsal.confirmation import Check, confirm
from bluesky_gp.rehearsal.full_map import FullMap
from bluesky_gp.rehearsal.rehearsing import Recommendation, Rehearsal, default_budget, rehearse

__all__ = [
    "Check",
    "Configuration",
    "FullMap",
    "Recommendation",
    "Rehearsal",
    "configurations",
    "confirm",
    "default_budget",
    "rehearse",
]
