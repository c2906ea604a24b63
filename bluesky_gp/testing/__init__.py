"""Contracts and an optimizer to test against; nothing at run time imports them.

The contracts need pytest, which the rest of the package does not: their names are imported when they are used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bluesky_gp.testing.optimizers import ListOptimizer

if TYPE_CHECKING:
    from bluesky_gp.testing.acquisitions import AcquisitionContract as AcquisitionContract
    from bluesky_gp.testing.detectors import DetectorContract as DetectorContract
    from bluesky_gp.testing.stages import StageContract as StageContract

_CONTRACTS = {"AcquisitionContract": "acquisitions", "DetectorContract": "detectors", "StageContract": "stages"}

__all__ = ["AcquisitionContract", "DetectorContract", "ListOptimizer", "StageContract"]


def __getattr__(name: str) -> Any:
    """Import a contract from the file that defines it."""
    if name not in _CONTRACTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_CONTRACTS[name]}"), name)
