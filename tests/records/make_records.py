"""Make the records of this folder: a run of every kind, by the version of bluesky_gp that is installed.

    python tests/records/make_records.py tests/records/0.1.0

Run once when a version is released, and never again for that version: the tests resume and replay what it wrote.
"""

import asyncio
import gzip
import json
import platform
import shutil
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from bluesky import RunEngine
from sklearn.decomposition import PCA
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, WhiteKernel
from sklearn.preprocessing import PowerTransformer
from threadpoolctl import threadpool_info

import bluesky_gp as gp
from bluesky_gp.devices import PixelStage, SimulatedSpectrometer, SyntheticFerroelectric
from bluesky_gp.plans import adaptive_map, one_pixel, tolerant
from bluesky_gp.recording import open_catalog

NUM = 17
KERNEL = ConstantKernel(2.0, (0.1, 10.0)) * Matern([2.0, 3.0], nu=1.5) + WhiteKernel(0.01)


def choices():
    """Every class that a start document may name, in as few runs as possible."""
    from bluesky_gp.acquisition import goal as goals
    from bluesky_gp.optimizer import batch, designs, stopping

    above = goals.Above(0.0)
    return {
        "default": {},
        "probability": {"acquisition": gp.ProbabilityOfImprovement(0.05), "kernel": KERNEL, "initial": designs.Sobol()},
        "bound": {"acquisition": gp.ConfidenceBound(3.0), "batch": 1.0, "maximize": False, "seed": 7},
        "schedule": {"acquisition": gp.ConfidenceSchedule(), "batch": batch.Mixed(0.7), "initial": "grid"},
        "uncertainty": {"acquisition": gp.PosteriorUncertainty(), "mean": 1, "initial": "poisson"},
        "thompson": {"acquisition": gp.ThompsonSampling(), "purpose": "maximum", "initial": "center"},
        "entropy": {"acquisition": gp.MaxValueEntropy(), "transform": PowerTransformer(standardize=False)},
        "knowledge": {"acquisition": gp.KnowledgeGradient(), "prior": {"theta": [0.0, 1, 1, -3, 0, -3], "std": 0.3}},
        "integrated": {"acquisition": gp.IntegratedVariance(), "outliers": 4.0},
        "level": {"acquisition": gp.LevelSet(0.5), "kernel": DotProduct() + RBF(2.0) + WhiteKernel(0.1)},
        "value": {"acquisition": gp.TargetValue(0.5), "initial": [(row, row) for row in range(8)]},
        "gradient": {"acquisition": gp.MapGradient(), "batch": batch.LocalPenalization(), "min_distance": 2.0},
        "goal": {"acquisition": gp.Goal(goals.Top(0.05)), "mean": np.linspace(0.0, 9.0, 64).reshape(8, 8)},
        "goal_above": {"acquisition": gp.Goal(above), "stopping": [stopping.MaxPixels(12)]},
        "sum": {
            "acquisition": gp.Sum([gp.ExpectedImprovement(0.1), gp.PosteriorUncertainty()], [1.0, 0.5]),
            "stopping": [stopping.MaxTime(1e6), stopping.ImprovementBelow(1e-9), stopping.MapChangeBelow(1e-9)],
        },
        "per_second": {
            "acquisition": gp.PerSecond(1.0, 2.0, gp.Product([gp.ExpectedImprovement(), gp.PosteriorUncertainty()])),
            "stopping": [
                stopping.MaxDose(1e9, 1.0, "e"),
                stopping.BetterUnlikely(1e-9),
                stopping.GainBelow(best=1e-12),
            ],
        },
        "pareto": {"acquisition": gp.ExpectedHypervolumeImprovement("second"), "others": ["second"]},
        "feasible": {
            "acquisition": gp.Feasible("second", above=0.0),
            "others": ["second"],
        },
        "novelty": {"acquisition": gp.Novelty("spectrum", transformer=PCA(2)), "others": ["spectrum"]},
    }


class Setup:
    """A session that knows nothing of earlier ones."""

    def __init__(self, shape=(8, 8), scalarizers=("loop_area", "coercive_voltage"), agent=None, **options):
        self.grid = gp.PixelGrid(shape, step=(0.5,) * len(shape), units="um", axes=("row", "col", "z")[: len(shape)])
        sample = SyntheticFerroelectric(shape=shape, seed=3, n_channels=32)
        self.stage = PixelStage(grid=self.grid, name="stage")
        self.detector = SimulatedSpectrometer(sample, self.stage, scalarizers=list(scalarizers), name="det")
        options = {"batch_size": 5, "n_initial": 5, **options}
        self.optimizer = gp.PixelOptimizer(self.grid, "loop_area", **options)
        names = {"second": "det_coercive_voltage", "spectrum": "det_spectrum"}
        others = {name: names[name] for name in options.get("others", ())}
        told = {"target": "det_loop_area", "others": others} if agent is None else agent
        self.agent = gp.GPAgent(self.optimizer, **told)

    def map(self, num=NUM, **options):
        return adaptive_map([self.detector], self.stage, self.agent, num=num, **options)


def recorded(plan):
    """Return the documents of a plan."""
    engine, documents = RunEngine({}, loop=asyncio.new_event_loop(), context_managers=[]), []
    engine(plan, lambda name, doc: documents.append((name, doc)))
    return documents


def keep(folder, name, documents):
    """Write the journal of a run."""
    from bluesky_gp.recording import Journal

    with tempfile.TemporaryDirectory() as place:
        journal = Journal(Path(place) / "run.jsonl")
        for kind, doc in documents:
            journal.append(kind, doc)
        journal.close()
        (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress((Path(place) / "run.jsonl").read_bytes(), 9, mtime=0))


def by_hand():
    """A run that began with knowledge, in which a pixel was marked as failed, and that a person ended."""
    setup = Setup()
    setup.optimizer.ingest([{"row": 1, "col": 2, "loop_area": 0.5}, {"row": 4, "col": 2, "loop_area": float("nan")}])

    def hand(pixels):
        if setup.optimizer.state.n_measured > 4 and not setup.optimizer.state.n_failed > 1:
            setup.agent.mark_failed(setup.grid.unravel(setup.optimizer.state.pixels[:1])[0].tolist(), "a bubble")
        if setup.optimizer.state.n_measured > 12:
            setup.agent.finish()
        yield from ()

    return setup.map(num=40, per_batch=hand)


def with_failures():
    """A run in which the detector fails at some pixels, and rejects others."""
    from ophyd.status import DeviceStatus

    setup = Setup()
    trigger = setup.detector.trigger

    def failing():
        row, col = (round(value) for value in setup.stage.locate()["readback"])
        if (row + col) % 5:
            return trigger()
        status = DeviceStatus(setup.detector)
        status.set_exception(OSError("the shutter is stuck"))
        return status

    setup.detector.trigger = failing
    return setup.map(per_pixel=tolerant(one_pixel, retries=0, max_failures=99))


def main(folder):
    """Write the records, and what they were made with."""
    folder.mkdir(parents=True)
    for name, options in choices().items():
        keep(folder, name, recorded(Setup(**options).map()))
    keep(folder, "one_axis", recorded(of_shape((30,))))
    keep(folder, "three_axes", recorded(of_shape((4, 5, 3))))
    scalarizer = {"target": "det_spectrum", "scalarizer": own_scalarizer()}
    keep(folder, "agent_scalarizer", recorded(Setup(scalarizers=(), agent=scalarizer).map()))
    keep(folder, "by_hand", recorded(by_hand()))
    keep(folder, "failures", recorded(with_failures()))
    whole = recorded(Setup().map())
    cut = next(i for i, (name, doc) in enumerate(whole) if name == "event" and doc["data"].get("gp_iteration") == 2) + 4
    keep(folder, "killed", whole[:cut])
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "killed.jsonl").write_bytes(gzip.decompress((folder / "killed.jsonl.gz").read_bytes()))
        keep(folder, "resumed", recorded(Setup().map(num=23, resume_from=Path(place) / "killed.jsonl")))
        catalog = open_catalog(Path(place) / "catalog")
        engine = RunEngine({}, loop=asyncio.new_event_loop(), context_managers=[])
        engine.subscribe(catalog.writer)
        engine(Setup().map())
        catalog.close()
        shutil.make_archive(str(folder / "catalog"), "zip", Path(place) / "catalog")
    blas = sorted({f"{found['internal_api']} {found.get('architecture', '')}" for found in threadpool_info()})
    packages = ("bluesky_gp", "numpy", "scipy", "scikit-learn", "bluesky")
    made = {"python": platform.python_version(), "blas": blas, **{name: version(name) for name in packages}}
    (folder / "made_with.json").write_text(json.dumps(made, indent=1) + "\n")


class Height:
    """A detector of a number that depends on where the stage is; any count of axes."""

    parent = None

    def __init__(self, stage):
        self.name, self._stage = "det", stage

    def read(self):
        """Return the height there."""
        pixel = np.array(self._stage.locate()["readback"])
        return {"det_height": {"value": float(-np.sum((pixel - 2.2) ** 2)), "timestamp": time.time()}}

    def describe(self):
        """Describe it."""
        return {"det_height": {"source": "test", "dtype": "number", "dtype_numpy": "<f8", "shape": [], "units": "nm"}}

    def read_configuration(self):
        """Return nothing."""
        return {}

    describe_configuration = read_configuration


def of_shape(shape):
    """A run on a grid of one, two or three axes."""
    grid = gp.PixelGrid(shape, step=(0.5,) * len(shape), units="um", axes=("row", "col", "depth")[: len(shape)])
    stage = PixelStage(grid=grid, name="stage")
    agent = gp.GPAgent(gp.PixelOptimizer(grid, "height", batch_size=5, n_initial=5), target="det_height")
    return adaptive_map([Height(stage)], stage, agent, num=NUM)


def own_scalarizer():
    """Return a scalarizer for an agent whose detector has none."""
    from bluesky_gp.scalarizers import LoopArea

    return LoopArea()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
