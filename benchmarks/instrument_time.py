"""Time a pixel, single and flown, beside `bp.list_scan` over the same points; whole runs beside a list of their pixels.

    python benchmarks/instrument_time.py [--nion] [--repeats 20] [--docs docs/benchmarks.md]

With ``--repeats 5`` it takes some eight minutes; with ``--nion --repeats 2`` some three.

Each way measures the same pixels in batches of 10 and in a single one, decisions left out: what is compared is what the
RunEngine, the devices and the documents cost beside the exposure. The shortest of the repetitions counts, as a machine
that does other things as well only ever adds; the processor's time, of all threads, is the mean.

The second table has whole runs of `adaptive_map`, flown, with decisions one after another or overlapping with the
batches, beside the pixels that they chose, flown from a list in the same batches. The first decisions of a run, until
three times as many pixels are known as are under way, and the last are always waited for; the second half of a run, to
its last pixel, has none of them.

With ``--nion`` the devices are those of Nion Swift's simulator, whose camera computes its frames on the same
processors, some tens of milliseconds each: a row has moves and frames alone, at the
same pixels. Where the probe stands still a frame is computed in half the time.
"""

import argparse
import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import bluesky.plans as bp
import bluesky.preprocessors as bpp
import numpy as np
from bluesky import RunEngine
from tables import machine, table, write_section

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import PixelStage, SimulatedFlyer
from bluesky_gp.plans import adaptive_map, declare_flyer, fly_batch, measure_pixels
from bluesky_gp.protocols import Batch
from bluesky_gp.run import RunRecord, TimeSpent

SHARE = {0.1: 10}  # at long exposures fewer repetitions are enough
DECISIONS = {"one after another": False, "overlapped": True}


def simulated(exposure):
    """Return a simulated stage, and the detector over it."""
    stage = PixelStage(grid=PixelGrid((50, 50)), name="stage")
    return stage, SimulatedFlyer("ferroelectric", stage, exposure=exposure, name="det")


def total(spectrum, axis):
    """Return the counts of a spectrum."""
    return float(spectrum.sum())


def nion(exposure):
    """Return the stage of Nion's simulator, which runs already, and its camera."""
    from bluesky_gp.devices.nion import NionFlyer, NionScanStage

    stage = NionScanStage(shape=(50, 50), name="stage")
    return stage, NionFlyer(stage, scalarizers={"sum": total}, exposure=exposure, name="det")


@dataclass(frozen=True)
class Bench:
    """Devices, and how much is measured with them."""

    make: Callable[[float], tuple[Any, Any]]  # stage and detector, by exposure in seconds
    target: str
    num: int  # pixels of the first table
    batch: int  # of whole runs
    whole: dict[float, int]  # pixels of whole runs, by exposure
    option: str = ""  # of the command line


SIMULATED = Bench(simulated, "det_loop_area", num=100, batch=20, whole={0.001: 1000, 0.01: 1000, 0.1: 400})
NION = Bench(nion, "det_sum", num=50, batch=10, whole={0.01: 100, 0.1: 100}, option="--nion ")


def flown(stage, detector, pixels, size):
    """Fly pixels in batches."""
    yield from declare_flyer(detector)
    for first in range(0, len(pixels), size):
        yield from fly_batch(detector, Batch(stage.grid, tuple(pixels[first : first + size])))


def ways(stage, detector, pixels):
    """Return plans by name, each of which measures the pixels."""

    def single():
        yield from measure_pixels([detector], stage, None, pixels)

    rows, cols = np.transpose(pixels).tolist()
    staged = bpp.stage_decorator([detector, stage])
    return {
        "list_scan": lambda: bp.list_scan([detector], stage.row, rows, stage.col, cols),
        "single pixels": staged(bpp.run_decorator()(single)),
        "flown, 10 a batch": staged(bpp.run_decorator()(lambda: flown(stage, detector, pixels, 10))),
        f"flown, {len(pixels)} a batch": staged(
            bpp.run_decorator()(lambda: flown(stage, detector, pixels, len(pixels)))
        ),
    }


def frames_alone(stage, detector, pixels):
    """Go to each pixel and take a frame of Nion's camera there, and nothing else."""
    seconds, binning, axis = detector.exposure.get(), detector.binning.get(), detector.axis.get()
    detector.beam.blank(False)
    for pixel in pixels:
        stage.set(pixel).wait()
        detector.camera.record(seconds, binning, axis)


def measured(work, repeats):
    """Return the shortest wall-clock time and the mean processor time, in seconds."""
    walls, processors = [], []
    for _ in range(repeats):
        wall, processor = perf_counter(), process_time()
        work()
        walls.append(perf_counter() - wall)
        processors.append(process_time() - processor)
    return min(walls), float(np.mean(processors))


def rows(bench, repeats):
    """Yield a row of the table for each exposure and way."""
    engine = RunEngine({}, loop=asyncio.new_event_loop(), context_managers=[])
    pixels = [tuple(p) for p in np.random.default_rng(0).integers(0, 50, (bench.num, 2)).tolist()]
    for exposure in bench.whole:
        stage, detector = bench.make(exposure)
        works = {name: lambda plan=plan: engine(plan()) for name, plan in ways(stage, detector, pixels).items()}
        if bench is NION:
            engine(bp.count([detector], 10))  # the axis is known, the simulator warm
            works["moves and frames alone"] = partial(frames_alone, stage, detector, pixels)
        for name, work in works.items():
            wall, processor = measured(work, max(2, repeats // SHARE.get(exposure, 1)))
            a_pixel = 1e3 * wall / bench.num
            yield [
                f"{1e3 * exposure:g}",
                name,
                f"{a_pixel:.2f}",
                f"{a_pixel / (1e3 * exposure):.2f}",
                f"{1e3 * processor / bench.num:.2f}",
            ]


def adaptive(engine, bench, exposure, overlap):
    """Measure adaptively; return seconds, of the second half too, share of waiting for decisions, and pixels."""
    stage, detector = bench.make(exposure)
    agent = GPAgent(PixelOptimizer(stage.grid, "z", batch_size=bench.batch), target=bench.target, maps=0)
    documents, began = [], perf_counter()
    plan = adaptive_map([detector], stage, agent, num=bench.whole[exposure], overlap=overlap)
    engine(plan, lambda name, doc: documents.append((name, doc)))
    wall = perf_counter() - began
    record = RunRecord.from_documents(documents, spectra=False)
    spent = TimeSpent.of(record)
    half = record.outcomes[-1].seconds - record.outcomes[len(record.outcomes) // 2 - 1].seconds
    return wall, half, spent.waiting / spent.whole, [tuple(pixel) for pixel in record.measured[0].tolist()]


def whole_rows(bench, repeats):
    """Yield a row of the second table for each exposure and way."""
    engine = RunEngine({}, loop=asyncio.new_event_loop(), context_managers=[])
    for exposure, num in bench.whole.items():
        again = max(2, repeats // 5) if exposure < 0.1 else 1
        for name, overlap in DECISIONS.items():
            wall, half, idle, pixels = min(adaptive(engine, bench, exposure, overlap) for _ in range(again))
            stage, detector = bench.make(exposure)
            listing = bpp.stage_decorator([detector, stage])(bpp.run_decorator()(flown))
            plan = partial(listing, stage, detector, pixels, bench.batch)
            listed, _ = measured(lambda plan=plan: engine(plan()), again)
            yield [
                f"{1e3 * exposure:g}",
                name,
                f"{num}",
                f"{1e3 * wall / num:.2f}",
                f"{wall / listed:.3f}",
                f"{2.0 * half / listed:.3f}",
                f"{100 * idle:.0f}",
            ]


def report(bench, repeats):
    """Return both tables."""
    head = ["exposure, ms", "way", "ms a pixel", "/exposure", "of these processor"]
    whole = [
        "exposure, ms", "decisions", "pixels", "ms a pixel", "/ list", "/ list, second half",
        "waiting for decisions, %",
    ]  # fmt: skip
    return "\n\n".join(
        [
            f"Made by `python benchmarks/instrument_time.py {bench.option}--repeats {repeats}` ({machine()}; load "
            f"{os.getloadavg()[0]:.0f} at the end).",
            table(head, list(rows(bench, repeats))),
            f"Whole runs, in batches of {bench.batch}:",
            table(whole, list(whole_rows(bench, repeats))),
        ]
    )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nion", action="store_true")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--docs", type=Path, help="write the tables into this file")
    given = parser.parse_args()
    if given.nion:
        from bluesky_gp.devices.nion import usim

        with usim():
            text = report(NION, given.repeats)
    else:
        text = report(SIMULATED, given.repeats)
    print(text)
    if given.docs:
        write_section(given.docs, "instrument time, nion" if given.nion else "instrument time", text)


if __name__ == "__main__":
    main()
