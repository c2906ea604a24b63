"""The instrument behind the Nion devices: where the beam is, and a way to put it out."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from bluesky_gp.devices.axes import UNLIMITED, Limits
from bluesky_gp.grid import PixelGrid

Point = tuple[float, float]  # (y, x), nm


def find_instrument(device: str, instrument: Any = None) -> Any:
    """Return `instrument`, or the one that Swift (or `nion_usim.usim`) has registered.

    Raises
    ------
    ImportError, ConnectionError
        If Nion's packages are not installed, or nothing is registered.
    """
    if instrument is not None:
        return instrument
    try:
        from nion.utils import Registry
    except ImportError as error:
        raise ImportError(f"{device}: needs Nion's instrumentation kit: pip install 'bluesky_gp[nion]'") from error
    found = Registry.get_component("stem_controller")
    if found is None:
        raise ConnectionError(
            f"{device}: no instrument is registered in this process. Make Nion devices inside Nion Swift, or within "
            f"`with usim():` of bluesky_gp.devices.nion"
        )
    return found


@dataclass(frozen=True)
class Beam:
    """The beam blanker; an instrument that has no such control keeps its beam on."""

    instrument: Any
    control: str = "C_Blank"

    @property
    def can_be_blanked(self) -> bool:
        """Whether the instrument knows the control."""
        return bool(self.control) and bool(self.instrument.TryGetVal(self.control)[0])

    @property
    def is_blanked(self) -> bool:
        """Whether the beam is off."""
        return self.can_be_blanked and self.instrument.TryGetVal(self.control)[1] != 0.0

    def blank(self, on: bool = True) -> None:
        """Put the beam out, or on again."""
        if self.can_be_blanked and not self.instrument.SetVal(self.control, 1.0 if on else 0.0):
            raise RuntimeError(f"the instrument refused to set its control {self.control!r}")


class Position(Protocol):
    """A position of two coordinates that are set at once, in nm.

    Implemented below; used by `nion.NionScanStage`.
    """

    slow: bool  # whether `put` waits for something that moves

    def limits(self) -> tuple[Limits, Limits]:
        """Return the lowest and highest y and x."""
        ...

    def get(self) -> Point:
        """Return where it is."""
        ...

    def put(self, point: Point) -> None:
        """Go there, and return when it is there."""
        ...


@dataclass(frozen=True)
class ProbePosition:
    """The parked probe, from the middle of the scan's field of view along the axes of the scan."""

    instrument: Any
    slow = False

    @property
    def field(self) -> Point:
        """Height and width of the field of view, nm."""
        size = self.instrument.scan_context.fov_size_nm
        if size is None:
            raise RuntimeError("the scan has no field of view yet: record an overview first")
        return float(size.height), float(size.width)

    def limits(self) -> tuple[Limits, Limits]:
        """Return the edges of the field of view."""
        height, width = self.field
        return (-height / 2, height / 2), (-width / 2, width / 2)

    def get(self) -> Point:
        """Return where the probe is parked; NaN if nobody has put it anywhere."""
        parked = self.instrument.probe_position
        if parked is None:
            return float("nan"), float("nan")
        height, width = self.field
        return (parked.y - 0.5) * height, (parked.x - 0.5) * width

    def put(self, point: Point) -> None:
        """Park the probe."""
        from nion.utils import Geometry

        if self.instrument.probe_state != "parked":
            raise RuntimeError("the probe cannot be parked while the scan runs: stop the scan")
        height, width = self.field
        fraction = Geometry.FloatPoint(y=point[0] / height + 0.5, x=point[1] / width + 0.5)
        self.instrument.probe_position = fraction
        kept = self.instrument.probe_position
        if kept is None or not np.allclose((kept.y, kept.x), (fraction.y, fraction.x), atol=1e-9):
            raise RuntimeError(f"the instrument put the probe to {kept} instead of {fraction} (of the field of view)")


@dataclass(frozen=True)
class StagePosition:
    """A two-dimensional control of the instrument, metres there and nm here: the specimen stage."""

    instrument: Any
    control: str = "stage_position_m"
    axis: tuple[str, str] = ("x", "y")
    timeout: float = 30.0  # s for a move
    slow = True

    def limits(self) -> tuple[Limits, Limits]:
        """Return no limits: the instrument does not tell them."""
        return UNLIMITED, UNLIMITED

    def get(self) -> Point:
        """Return where the stage is."""
        point = self.instrument.GetVal2D(self.control, axis=self.axis)
        return float(point.y) * 1e9, float(point.x) * 1e9

    def put(self, point: Point) -> None:
        """Move, and wait until the instrument confirms."""
        from nion.utils import Geometry

        metres = Geometry.FloatPoint(y=point[0] * 1e-9, x=point[1] * 1e-9)
        milliseconds = int(1000 * self.timeout)
        if not self.instrument.SetVal2DAndConfirm(self.control, metres, 1.0, milliseconds, axis=self.axis):
            raise TimeoutError(f"{self.control} did not confirm ({point[0]:g}, {point[1]:g}) nm in {self.timeout:g} s")


def scan_grid(position: Position, field: Point, shape: tuple[int, ...]) -> PixelGrid:
    """Return the lattice whose pixels fill a field of view; about where the specimen stage is, if that moves."""
    step = np.divide(field, shape)
    middle = np.array(position.get()) if position.slow else np.zeros(2)
    return PixelGrid(shape, step=tuple(step), origin=tuple(middle - (np.array(shape) - 1) / 2 * step), units="nm")
