"""What live maps cost a run: the time a pixel with `LiveMaps` over the time without, in pairs that take turns.

    python benchmarks/live.py

Every pair is two runs of one agent's pixels over one sample with the same exposures, one after the other, which of the
two comes first taking turns; the ratio is the median of the pairs. A painter is running before the first pair: its
start, once a session, is reported apart.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from bluesky import RunEngine

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.live import LiveMaps
from bluesky_gp.plans import adaptive_map


class Session:
    """A RunEngine, devices and live maps."""

    def __init__(self, size: int, exposure: float, file: Path) -> None:
        self.engine = RunEngine({})
        self.grid = PixelGrid((size, size))
        self.stage = PixelStage(grid=self.grid, name="stage")
        sample = SyntheticFerroelectric(shape=(50, 50) if size > 50 else self.grid.shape, seed=0)
        self.spectrometer = SimulatedSpectrometer(
            _Stretched(sample, self.grid.shape) if size > 50 else sample,
            self.stage,
            scalarizers=["loop_area"],
            exposure=exposure,
            name="spectrometer",
        )
        self.maps = LiveMaps(file)

    def seconds_a_pixel(self, num: int) -> float:
        """Time one run."""
        agent = GPAgent(PixelOptimizer(self.grid, "loop_area"), target="spectrometer_loop_area")
        began = perf_counter()
        self.engine(adaptive_map([self.spectrometer], self.stage, agent, num=num))
        return (perf_counter() - began) / num

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Subscribe the maps."""
        token = self.engine.subscribe(self.maps)
        try:
            yield
        finally:
            self.engine.unsubscribe(token)


class _Stretched:
    """A sample seen through more pixels than it has."""

    def __init__(self, sample: SyntheticFerroelectric, shape: tuple[int, ...]) -> None:
        self.shape, self._sample = shape, sample
        self.axis, self.axis_name, self.axis_units = sample.axis, sample.axis_name, sample.axis_units
        self.spectrum_units, self.default_target = sample.spectrum_units, sample.default_target

    def spectrum(self, pixel: Any, visit: int = 0) -> Any:
        """Return the spectrum of the sample's nearest pixel."""
        near = [p * (m - 1) / (n - 1) for p, n, m in zip(pixel, self.shape, self._sample.shape, strict=True)]
        return self._sample.spectrum(near, visit)

    def truth(self, scalarizer: Any) -> Any:
        """Not needed here."""
        raise NotImplementedError


def measure(size: int, exposure: float, num: int, pairs: int) -> None:
    """Print one row."""
    with tempfile.TemporaryDirectory() as folder:
        session = Session(size, exposure, Path(folder) / "live.png")
        with session.watched():
            session.seconds_a_pixel(10)
            began = perf_counter()
            session.maps.wait(60.0)
            start = perf_counter() - began
        session.seconds_a_pixel(10)
        off, on = [], []
        for i in range(pairs):
            for watched in (True, False) if i % 2 else (False, True):
                if watched:
                    with session.watched():
                        on.append(session.seconds_a_pixel(num))
                    session.maps.wait(60.0)  # the last picture is no part of the run without
                else:
                    off.append(session.seconds_a_pixel(num))
        session.maps.close()
    ratio = median(one / other for one, other in zip(on, off, strict=True))
    print(
        f"{f'{size} x {size}':12}{1e3 * exposure:10.0f}{1e3 * median(off):12.2f}{1e3 * median(on):12.2f}"
        f"{ratio:10.3f}{start:12.1f}",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--num", type=int, default=150, help="pixels a run")
    parser.add_argument("--pairs", type=int, default=7, help="pairs of runs")
    options = parser.parse_args()
    print(f"{'pixels':12}{'exposure':>10}{'ms off':>12}{'ms on':>12}{'ratio':>10}{'s to start':>12}")
    for size, exposure in ((50, 0.05), (50, 0.02), (512, 0.05)):
        measure(size, exposure, options.num, options.pairs)
