"""A run so far: all that a picture of it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bluesky_gp.grid import PixelGrid
from bluesky_gp.live.progress import RunProgress
from bluesky_gp.scalarizers import Window
from bluesky_gp.typing import Floats, Indices


@dataclass(frozen=True)
class LastSpectrum:
    """The spectrum that was measured last, and the windows in which its target looks at it."""

    pixel: tuple[int, ...]
    values: Floats  # (n_channels,)
    axis: Floats  # (n_channels,)
    units: str = ""
    axis_units: str = ""
    axis_name: str = "channel"
    name: str = "spectrum"  # event key
    windows: Mapping[str, Window] = field(default_factory=dict)


@dataclass(frozen=True)
class RunSoFar:
    """A run that an agent steers, as far as it has gone."""

    grid: PixelGrid
    target: str
    units: str
    progress: RunProgress
    pixels: Indices  # (n, ndim), attempted, in order
    values: Floats  # (n,), NaN where it failed, or where nobody here knows the scalarizer
    failed: Indices  # (k, ndim)
    proposed: Indices  # (m, ndim), of the last batch, still to be measured
    maps: Mapping[str, Floats]  # mean, std, acquisition; empty before the first
    ages: Mapping[str, int]  # the iteration that each map is of
    spectrum: LastSpectrum | None
    attempted: Floats  # (n_decisions,)
    best: Floats  # (n_decisions,), best values
    scores: str = "acquisition"  # what the acquisition map shows, in words

    @property
    def title(self) -> str:
        """Progress in a line."""
        return str(self.progress).strip()
