"""Maps of a sample that drifts, corrected by images, by pixels measured again, and not; beside the sample at rest.

    python benchmarks/drift.py [--seeds 8] [--figure drift.png] [--docs docs/time.md]

A simulated film of 12 x 12 pixels under 0.05 pixels a second, turning by half a degree a second; 80 pixels. An exposure
takes half a second, so a batch of five is an eighth of a pixel long, one of ten a quarter.
"""

from argparse import ArgumentParser
from itertools import count
from pathlib import Path

import numpy as np
from bluesky import RunEngine
from matplotlib.figure import Figure
from tables import machine, table, write_section

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import DriftingSample, PixelStage, SimulatedImager, SimulatedSpectrometer
from bluesky_gp.plans import adaptive_map, correct_drift, correct_drift_by_pixels
from bluesky_gp.scalarizers import get_scalarizer

SHAPE, NUM, EXPOSURE, SPEED = (12, 12), 80, 0.5, 0.05
WAYS = {
    "at rest": (0.0, ""),
    "by images": (SPEED, "images"),
    "by pixels": (SPEED, "pixels"),
    "not corrected": (SPEED, ""),
    "at rest, by pixels": (0.0, "pixels"),
}


def film(speed, seed, noise=0.01):
    """Return the sample; each exposure, and each image, takes its time by the clock of the sample."""
    whole = {"kind": "ferroelectric", "shape": [144, 144], "seed": seed, "failed": 0.0, "noise": noise}
    return DriftingSample(whole, shape=SHAPE, speed=speed, clock=count(0.0, EXPOSURE).__next__)


def truth(seed):
    """Return the true map of the pixels that are shown."""
    area, still = get_scalarizer("loop_area"), film(0.0, seed, noise=0.0)
    return np.reshape([area(still.spectrum(pixel), still.axis) for pixel in np.ndindex(SHAPE)], SHAPE)


def mapped(way, seed, batch_size):
    """Measure a map; return its posterior mean."""
    speed, by = WAYS[way]
    sample, stage = film(speed, seed), PixelStage(grid=PixelGrid(SHAPE), name="stage")
    spectrometer = SimulatedSpectrometer(sample, stage, name="spectrometer")
    imager = SimulatedImager(sample, stage, name="imager")
    optimizer = PixelOptimizer(stage.grid, target="loop_area", batch_size=batch_size, seed=1)
    agent = GPAgent(optimizer, target="spectrometer_loop_area")
    sample.begin()
    follow = {
        "": None,
        "images": correct_drift(imager, stage),
        "pixels": correct_drift_by_pixels([spectrometer], stage, agent),
    }[by]
    RunEngine({}, context_managers=[])(adaptive_map([spectrometer], stage, agent, num=NUM, per_batch=follow))
    return np.reshape(optimizer.mean, SHAPE)


def main():
    """Print an error of the map for each batch size, sample and way; and their means, as a table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--figure")
    parser.add_argument("--docs", type=Path, help="write the table into this file")
    options = parser.parse_args()
    rows = []
    for batch_size in (5, 10):
        every = [of_sample(batch_size, seed, options.figure) for seed in range(5, 5 + options.seeds)]
        errors = np.array([list(each.values()) for each in every])
        rows.append(
            [
                str(batch_size),
                *(f"{mean:.2f} ({row.max():.2f})" for mean, row in zip(errors.mean(0), errors.T, strict=True)),
            ]
        )
    text = f"Made by `python benchmarks/drift.py --seeds {options.seeds}` ({machine()}).\n\n" + table(
        ["batch", *WAYS], rows
    )
    print(text)
    if options.docs:
        write_section(options.docs, "drift", text)


def of_sample(batch_size, seed, figure):
    """Return the error of each way, in spreads of the true map."""
    true, maps = truth(seed), {way: mapped(way, seed, batch_size) for way in WAYS}
    errors = {way: float(np.sqrt(np.mean((mean - true) ** 2)) / true.std()) for way, mean in maps.items()}
    print(batch_size, seed, {way: round(error, 3) for way, error in errors.items()}, flush=True)
    if figure and (batch_size, seed) == (5, 5):
        draw({"true": true, **maps}, errors, figure)
    return errors


def draw(maps, errors, path):
    """Draw the maps side by side, on one scale."""
    figure = Figure(figsize=(16, 3), layout="constrained")
    low, high = maps["true"].min(), maps["true"].max()
    for axes, (way, values) in zip(figure.subplots(1, len(maps)), maps.items(), strict=True):
        axes.imshow(values, vmin=low, vmax=high)
        axes.plot(*np.unravel_index(values.argmax(), SHAPE)[::-1], "wx")
        axes.set_title(way if way not in errors else f"{way}: error {errors[way]:.2f}", fontsize=10)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
