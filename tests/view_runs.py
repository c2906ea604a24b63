"""Runs of every kind for the page: short, with failures, empty, constant, over one and over three axes."""

import asyncio
import math
from contextlib import suppress
from types import SimpleNamespace

from bluesky import RunEngine
from event_model import compose_run

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map
from bluesky_gp.recording import Journal


def engine():
    return RunEngine({}, loop=asyncio.new_event_loop(), context_managers=[])


class Setup:
    """A simulated instrument, and an agent that steers it."""

    def __init__(self, shape=(8, 9), scalarizers=("loop_area",), failed=0.0, exposure=0.0, agent=None, **options):
        self.grid = PixelGrid(shape, step=(0.1, 0.2, 0.3)[: len(shape)], units="um")
        sample = SyntheticFerroelectric(shape=shape, n_channels=32, failed=failed)
        self.stage = PixelStage(grid=self.grid, name="stage")
        self.detector = SimulatedSpectrometer(
            sample, self.stage, scalarizers=scalarizers, exposure=exposure, name="spectrometer"
        )
        self.target = next(iter(scalarizers))
        options = {"batch_size": 5, "n_initial": 5, **options}
        optimizer = PixelOptimizer(self.grid, self.target, **options)
        self.agent = GPAgent(optimizer, target=f"spectrometer_{self.target}", **(agent or {}))

    def map(self, num, **options):
        return adaptive_map([self.detector], self.stage, self.agent, num=num, **options)


def documents_of_run(num=20, plan_options=None, **options):
    """Return the documents of a run."""
    documents, setup = [], Setup(**options)
    with suppress(Exception):
        engine()(setup.map(num, **(plan_options or {})), lambda name, doc: documents.append((name, doc)))
    return documents


def keep(folder, documents, *, pending=False):
    """Write the journal of a run into the folder of a catalog; return its uid."""
    uid = documents[0][1]["uid"]
    place = folder / "journal" / ("pending" if pending else "")
    place.mkdir(parents=True, exist_ok=True)
    journal = Journal(place / f"20260101T000000Z_{uid}.jsonl", fsync="never")
    for name, doc in documents:
        journal.append(name, doc)
    journal.close()
    return uid


def _constant(spectrum, axis):
    return 1.0


def _hopeless(spectrum, axis):
    return math.nan


def _empty():
    """Return the documents of a run that ended before its first decision."""
    documents = documents_of_run(num=5)
    run = compose_run(metadata={key: documents[0][1][key] for key in ("gp", "plan_name", "num_points", "scan_id")})
    return [("start", run.start_doc), ("stop", run.compose_stop(exit_status="abort", reason="nobody knows"))]


def _steered():
    """Return the documents of a run in which a person added a pixel, forbade a corner and changed the rule."""
    documents, setup = [], Setup(shape=(10, 11))

    def hear(name, doc):
        documents.append((name, doc))
        if sum(kind == "event" and "spectrometer_loop_area" in each["data"] for kind, each in documents) == 12:
            if name == "event":
                setup.agent.add_pixels([[5, 5]], who="jane")
                setup.agent.forbid({"rectangle": [[0, 0], [4, 4]]}, who="jane")
                setup.agent.configure(acquisition="ucb", batch=0.8, who="jane")

    engine()(setup.map(40), hear)
    return documents


def _taught():
    """Return the documents of a run that learnt what another one had measured."""
    documents, first, setup = [], documents_of_run(num=8), Setup(seed=1)
    setup.agent.learn_from(SimpleNamespace(documents=lambda: iter(first)), who="jane")
    engine()(setup.map(15), lambda name, doc: documents.append((name, doc)))
    return documents


KINDS = {
    "short": lambda: documents_of_run(num=3),
    "usual": lambda: documents_of_run(num=40),
    "failed": lambda: documents_of_run(num=30, failed=0.3, shape=(10, 11)),
    "hopeless": lambda: documents_of_run(num=12, scalarizers={"nothing": _hopeless}),
    "empty": _empty,
    "constant": lambda: documents_of_run(num=20, scalarizers={"flat": _constant}),
    "one axis": lambda: documents_of_run(num=20, shape=(40,)),
    "three axes": lambda: documents_of_run(num=30, shape=(6, 7, 4)),
    "steered": _steered,
    "taught": _taught,
    "no maps": lambda: documents_of_run(num=40, agent={"maps": 0}),
}
