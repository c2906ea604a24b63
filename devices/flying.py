"""Detectors that visit the points of a batch by themselves: spectra and targets of all of them, collected as a page."""

import threading
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bluesky_gp.devices.column import Column
from bluesky_gp.devices.detector import SpectrumDetectorBase
from bluesky_gp.devices.flight import Flight, Point
from bluesky_gp.devices.frame_file import FrameFile
from bluesky_gp.devices.pixels import pixel_data_keys
from bluesky_gp.protocols import Batch
from bluesky_gp.scalarizers import as_spectrum
from bluesky_gp.status import FutureStatus, finished
from bluesky_gp.typing import Floats

_Event = dict[str, tuple[Any, float]]


class FlyingDetector(SpectrumDetectorBase):
    """Base of spectroscopy detectors that are flown; a subclass says how its instrument visits a point.

    Events have the keys of the detector and those of `pixel_stage` for the pixel, ``STAGE_row`` and ``STAGE_col``.
    Triggered and read it is a detector like any other.

    A subclass overrides `_visit(pixel)`, which is called on the thread of the flight for one point after another: it
    goes there, exposes, and returns the spectrum and the pixel where it was, fractions included, or raises what is
    recorded as the reason why the point failed; `FlightBrokenError` ends the flight. `_begin()` comes before the first.

    Parameters
    ----------
    *args, **kwargs
        As of the detector.
    frames : str or Path, optional
        Folder to which the spectra of flights are written, an HDF5 file a run (needs h5py); the documents have targets
        and pixels, and of each spectrum where in the file it is. Default: spectra stand in the documents.
    """

    pixel_stage: Any
    """Stage whose grid the points are pixels of."""

    def __init__(self, *args: Any, frames: str | Path | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._folder = None if frames is None else _folder(self.name, frames)
        self._frames: FrameFile | None = None  # of the run
        self._named: list[_Event] = []  # events whose frames the documents have
        self._batch: Batch | None = None
        self._flight: Flight | None = None
        self._collecting = threading.Lock()  # points come on the thread of the flight
        self._events: list[_Event] = []

    @property
    def pixel_keys(self) -> tuple[str, ...]:
        """Event keys of the pixel."""
        keys: tuple[str, ...] = self.pixel_stage.grid.pixel_keys(self.pixel_stage.name)
        return keys

    @property
    def faults(self) -> dict[tuple[int, ...], str]:
        """Points of the latest flight that could not be measured, and why."""
        return {} if self._flight is None else dict(self._flight.faults)

    def check_batch(self, batch: Batch) -> None:
        """Raise ValueError unless the stage can go to every point."""
        for pixel in batch.pixels:
            self.pixel_stage.check_value(pixel)

    def prepare(self, value: Batch) -> FutureStatus:
        """Take the points of the next flight; refuse them while another goes on."""
        if self._flight is not None and self._flight.goes_on:
            raise RuntimeError(f"{self.name}: prepared for another batch while one is measured")
        if not isinstance(value, Batch):
            raise TypeError(f"{self.name}: prepare takes a Batch of points, got {type(value).__name__} {value!r:.60}")
        self.check_batch(value)
        self._batch, self._flight = value, None
        return finished(self.name)

    def kickoff(self) -> FutureStatus:
        """Start the flight over the points that were prepared."""
        if self._batch is None:
            raise RuntimeError(f"{self.name}: kicked off before it was prepared for a batch")
        self._begin()
        self._flight, self._batch = Flight(self._batch, self._point, self._hold, name=self.name), None
        self._flight.start()
        return finished(self.name)

    def complete(self) -> FutureStatus:
        """Return a Status that ends with the flight."""
        if self._flight is None:
            raise RuntimeError(f"{self.name}: there is no flight to complete")
        return self._flight.status

    def describe_collect(self) -> dict[str, Any]:
        """Return the data keys of detector and pixel."""
        stage = self.pixel_stage
        described = {**self.describe(), **pixel_data_keys(stage.name, stage.grid, "PY:")}
        if self._folder is not None:
            about = described[self.spectrum.name]
            described[self.spectrum.name] = {**about, "shape": [1, *about["shape"]], "external": "STREAM:"}
            described[self.spectrum.name].pop("dims", None)
        return described

    def collect_asset_docs(self) -> Iterator[tuple[str, Any]]:
        """Yield what says in which frames of a file the spectra of the next page are; nothing if they stand in it."""
        if self._frames is not None:
            with self._collecting:
                named, self._events = self._events, []
            self._named += named
            yield from self._frames.documents(len(named))

    def collect_pages(self) -> Iterator[dict[str, Any]]:
        """Yield one page of the points that were measured since it was asked last; none if there are none."""
        if self._folder is not None:
            events, self._named = self._named, []
        else:
            with self._collecting:
                events, self._events = self._events, []
        if events:
            yield {
                "time": [max(at for _, at in event.values()) for event in events],
                "data": {key: Column(event[key][0] for event in events) for key in events[0]},
                "timestamps": {key: Column(event[key][1] for event in events) for key in events[0]},
            }

    def pause(self) -> None:
        """Hold the flight before its next point; a single exposure is given up."""
        if self._flight is not None and self._flight.goes_on:
            self._flight.hold()
        else:
            super().pause()

    def resume(self) -> None:
        """Let the flight go on."""
        self._begin()
        if self._flight is not None:
            self._flight.go_on()
        super().resume()

    def stop(self, *, success: bool = False) -> None:
        """End the flight after the point that is being measured, or give the running exposure up."""
        if self._flight is not None:
            self._flight.give_up("stopped")
        super().stop(success=success)

    def unstage(self) -> list[Any]:
        """End what still goes on, then restore what staging changed."""
        if self._flight is not None:
            self._flight.give_up("unstaged")
        if self._frames is not None:
            self._frames.close()
            self._frames, self._named, self._events = None, [], []
        return super().unstage()

    def _rest(self, seconds: float) -> None:
        """Wait for so long during a visit, or until the flight is given up."""
        if self._flight is not None:
            self._flight.rest(seconds)

    def _begin(self) -> None:
        """Make ready for a flight, or for the rest of one after a pause; the default does nothing."""

    def _hold(self) -> None:
        """Do what is to be done when a flight holds in a pause: blank a beam; the default does nothing."""

    def _visit(self, pixel: Point) -> tuple[Floats, Sequence[float]]:
        """Measure one point."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it visits a point: override _visit")

    def _point(self, pixel: Point) -> None:
        """Measure one point, and make an event of spectrum, targets and pixel."""
        spectrum, where = self._visit(pixel)
        self._publish(as_spectrum(spectrum))
        event = {key: (reading["value"], reading["timestamp"]) for key, reading in self.read().items()}
        event |= {key: (float(p), self._measured_at) for key, p in zip(self.pixel_keys, where, strict=True)}
        if self._folder is not None:
            self._write(event.pop(self.spectrum.name)[0])
        with self._collecting:
            self._events.append(event)

    def _write(self, spectrum: Floats) -> None:
        """Write a spectrum to the file of the run, which is begun with the first."""
        if self._folder is not None and self._frames is None:
            self._frames = FrameFile(self._folder, self.name, self.spectrum.name, spectrum)
        if self._frames is not None:
            self._frames.write(spectrum)


def _folder(name: str, frames: str | Path) -> Path:
    """Return the folder of the files; raise ValueError if none can be written."""
    if find_spec("h5py") is None:
        raise ValueError(f'{name}: frames={frames!r} needs the package h5py: pip install "bluesky_gp[files]"')
    folder = Path(frames).expanduser()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{name}: frames={frames!r} is to be a folder, and is a file")
    return folder
