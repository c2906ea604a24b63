"""Fixtures that all tests share: a RunEngine, its documents (validated), the measured data."""

import asyncio
import os
from collections import defaultdict
from pathlib import Path

import pytest
from bluesky import RunEngine
from event_model import DocumentNames, schema_validators


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
        return [doc for kind, doc in self.all if kind == name]

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
