"""Fixtures that all tests share: a RunEngine, its documents (validated), the measured data."""

# Before BLAS is loaded and ophyd imported: they read their environment once.
import one_thread  # noqa: F401

# isort: split
import soft_ioc  # noqa: F401

# isort: split
import asyncio
import gc
import math
import os
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest
from bluesky import RunEngine
from event_model import DocumentNames, schema_validators, unpack_event_page
from hypothesis import settings
from ophyd.status import DeviceStatus

from bluesky_gp import GPAgent, PixelGrid
from bluesky_gp.devices import PixelStage
from bluesky_gp.plans import adaptive_map
from bluesky_gp.testing import ListOptimizer

settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("repeatable")


def events_of(kind, doc):
    """The events of a document: itself, or those of its page."""
    return [doc] if kind == "event" else list(unpack_event_page(doc)) if kind == "event_page" else []


class Documents:
    """Every document of a session, validated by event-model's schemas as it arrives."""

    def __init__(self):
        self.all = []
        self._streams = {}

    def __call__(self, name, doc):
        schema_validators[DocumentNames[name]].validate(doc)
        self.all.append((name, doc))
        if name == "descriptor":
            self._streams[doc["uid"]] = doc["name"]

    def of(self, name):
        """Documents of a kind; events also out of pages, as a flown batch gives them."""
        if name != "event":
            return [doc for kind, doc in self.all if kind == name]
        return [event for kind, doc in self.all for event in events_of(kind, doc)]

    @property
    def starts(self):
        return self.of("start")

    @property
    def stops(self):
        return self.of("stop")

    def descriptor(self, stream):
        return next(doc for doc in self.of("descriptor") if doc["name"] == stream)

    def events(self, stream="primary"):
        """Events of a stream; of those with one seq_num, as after a rewind, the first."""
        first = {}
        for doc in self.of("event"):
            if self._streams[doc["descriptor"]] == stream:
                first.setdefault((doc["descriptor"], doc["seq_num"]), doc)
        return list(first.values())

    def data(self, stream="primary"):
        return [event["data"] for event in self.events(stream)]

    def column(self, key, stream="primary"):
        return [data[key] for data in self.data(stream)]

    @property
    def counts(self):
        """Number of events by stream."""
        found = defaultdict(int)
        for doc in self.of("descriptor"):
            found[doc["name"]] = len(self.events(doc["name"]))
        return dict(found)


def pytest_collection_finish():
    """Leave what was imported and collected out of every later search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def RE():  # noqa: N802
    """A RunEngine on an event loop of its own; no test leaves a run open."""
    loop = asyncio.new_event_loop()
    engine = RunEngine({}, loop=loop, context_managers=[])
    yield engine
    if engine.state != "idle":
        engine.halt()
    loop.call_soon_threadsafe(loop.stop)
    engine._th.join()
    loop.close()


@pytest.fixture
def docs(RE):  # noqa: N803
    """The documents that the RunEngine of this test emits."""
    documents = Documents()
    RE.subscribe(documents)
    return documents


@pytest.fixture(scope="session")
def data_folder():
    """The folder of measured spectra; a test that wants it is skipped where there is none."""
    folder = os.environ.get("BLUESKY_GP_DATA")
    if not folder:
        pytest.skip("BLUESKY_GP_DATA is not set: no measured spectra")
    return Path(folder)


class ScriptedDetector:
    """A detector whose number depends on where the stage is, and whose faults are written down beforehand.

    `script` says what happens at a pixel: ``{(0, 3): ["fail", "ok"]}`` fails there at the first trigger and not at the
    second; the last word stays. "fail": the Status ends badly, "late": it does so after 50 ms, "slow": it ends well
    after 100 ms, "hang": it never ends, "nan" and "inf": such a target, "raise": `trigger` itself raises TypeError.
    """

    parent = None

    def __init__(self, name, stage, truth, script=None):
        self.name = name
        self.stage_under_test = stage
        self.truth = truth
        self.script = {pixel: list(words) for pixel, words in (script or {}).items()}
        self.triggered = []
        self.calls = []
        self._value = 0.0

    def stage(self):
        self.calls.append("stage")
        return [self]

    def unstage(self):
        self.calls.append("unstage")
        return [self]

    def stop(self, *, success=False):
        self.calls.append("stop")

    def trigger(self):
        pixel = tuple(round(p) for p in self.stage_under_test.locate()["readback"])
        self.triggered.append(pixel)
        words = self.script.get(pixel, ["ok"])
        word = words.pop(0) if len(words) > 1 else words[0]
        if word == "raise":
            raise TypeError("a programming error")
        status = DeviceStatus(self)
        self._value = {"nan": math.nan, "inf": math.inf}.get(word, self.truth(*pixel))
        if word == "fail":
            status.set_exception(OSError("the shutter is stuck"))
        elif word == "late":
            threading.Timer(0.05, status.set_exception, [OSError("the beam is gone")]).start()
        elif word == "slow":
            threading.Timer(0.1, status.set_finished).start()
        elif word != "hang":
            status.set_finished()
        return status

    def read(self):
        return {f"{self.name}_height": {"value": self._value, "timestamp": time.time()}}

    def describe(self):
        key = {"source": "test", "dtype": "number", "dtype_numpy": "<f8", "shape": [], "units": "nm"}
        return {f"{self.name}_height": key}


def hill(row, col):
    """A target with its maximum at (5, 2)."""
    return 10.0 - math.hypot(row - 5, col - 2)


class Bench:
    """A stage, a detector, an optimizer that answers from a list (row by row), and an agent."""

    def __init__(self, shape=(8, 8), script=None, optimizer=ListOptimizer, **options):
        self.grid = PixelGrid(shape, step=(0.5, 0.5), units="um")
        self.stage = PixelStage(grid=self.grid, name="stage")
        self.detector = ScriptedDetector("det", self.stage, hill, script)
        self.optimizer = optimizer(self.grid, "height", **options)
        self.agent = GPAgent(self.optimizer, target="det_height")

    @property
    def things(self):
        return [self.detector], self.stage, self.agent

    def map(self, num, **options):
        return adaptive_map(*self.things, num=num, **options)


@pytest.fixture
def bench():
    """What a map needs, all of it instantaneous."""
    return Bench()


@pytest.fixture(scope="session")
def make_bench():
    """The class: ``make_bench(script={(0, 3): ["fail"]})``."""
    return Bench
