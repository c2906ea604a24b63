"""Maps of a sample that drifts, corrected and not, beside one of the sample at rest.

    python benchmarks/drift.py [--seeds 4] [--figure drift.png]

A simulated film of 12 x 12 pixels under 0.05 pixels a second, turning by half a degree a second; 80 pixels. An exposure
takes half a second, so a batch of five is an eighth of a pixel long, one of ten a quarter.
"""

from argparse import ArgumentParser
from itertools import count

import numpy as np
from bluesky import RunEngine
from matplotlib.figure import Figure

from bluesky_gp import GPAgent, PixelGrid, PixelOptimizer
from bluesky_gp.devices import DriftingSample, PixelStage, SimulatedImager, SimulatedSpectrometer
from bluesky_gp.plans import adaptive_map, correct_drift
from bluesky_gp.scalarizers import get_scalarizer

SHAPE, NUM, EXPOSURE, SPEED = (12, 12), 80, 0.5, 0.05
WAYS = {"at rest": (0.0, False), "corrected": (SPEED, True), "not corrected": (SPEED, False)}


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
    speed, corrected = WAYS[way]
    sample, stage = film(speed, seed), PixelStage(grid=PixelGrid(SHAPE), name="stage")
    spectrometer = SimulatedSpectrometer(sample, stage, name="spectrometer")
    imager = SimulatedImager(sample, stage, name="imager")
    optimizer = PixelOptimizer(stage.grid, target="loop_area", batch_size=batch_size, seed=1)
    agent = GPAgent(optimizer, target="spectrometer_loop_area")
    sample.begin()
    follow = correct_drift(imager, stage) if corrected else None
    RunEngine({}, context_managers=[])(adaptive_map([spectrometer], stage, agent, num=NUM, per_batch=follow))
    return np.reshape(agent.optimizer.mean, SHAPE)


def main():
    """Print an error of the map for each batch size, sample and way."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--figure")
    options = parser.parse_args()
    for batch_size in (5, 10):
        for seed in range(5, 5 + options.seeds):
            true, maps = truth(seed), {way: mapped(way, seed, batch_size) for way in WAYS}
            errors = {way: np.sqrt(np.mean((mean - true) ** 2)) / true.std() for way, mean in maps.items()}
            ratio = errors["corrected"] / errors["at rest"]
            print(batch_size, seed, {w: round(float(e), 3) for w, e in errors.items()}, f"{ratio:.2f}", flush=True)
            if options.figure and (batch_size, seed) == (5, 5):
                draw({"true": true, **maps}, errors, options.figure)


def draw(maps, errors, path):
    """Draw the maps side by side, on one scale."""
    figure = Figure(figsize=(11, 3), layout="constrained")
    low, high = maps["true"].min(), maps["true"].max()
    for axes, (way, values) in zip(figure.subplots(1, len(maps)), maps.items(), strict=True):
        axes.imshow(values, vmin=low, vmax=high)
        axes.plot(*np.unravel_index(values.argmax(), SHAPE)[::-1], "wx")
        axes.set_title(way if way not in errors else f"{way}: error {errors[way]:.2f}", fontsize=10)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
